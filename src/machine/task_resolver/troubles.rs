//! What comes between containers' wishes and DNS before their lifecycles have a say, and what of it was said already.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::ContainerId;

/// What can come between a container's wishes and DNS before its lifecycle has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A key is not understood, or what it asks for is not given.
    BadKey,
    /// Nobody could reach its port.
    NotPublished,
    /// Its HEALTHCHECK is run no more.
    HealthcheckFrozen,
    /// Docker or the ECS agent does not say what it is.
    NotInspected,
}

/// What came between the wishes of each container and DNS at its latest inspection, in words.
pub type Troubles = BTreeMap<ContainerId, Vec<String>>;

/// The troubles of all containers.
#[derive(Clone, Debug, Default)]
pub(super) struct TroubleBook {
    latest: Troubles,
    /// What was said of a container, at whichever inspection.
    said: BTreeMap<ContainerId, BTreeSet<String>>,
}

impl TroubleBook {
    /// A container was inspected: what was wrong before may be so no more.
    pub(super) fn on_inspected(&mut self, id: &ContainerId) {
        self.latest.remove(id);
    }

    /// This is wrong with a container. Returns whether that is still to be said.
    pub(super) fn note(&mut self, id: &ContainerId, text: &str) -> bool {
        let latest = self.latest.entry(id.clone()).or_default();
        if !latest.iter().any(|other| other == text) {
            latest.push(text.to_owned());
        }
        self.said.entry(id.clone()).or_default().insert(text.to_owned())
    }

    /// No other containers are left.
    pub(super) fn retain(&mut self, listed: &BTreeSet<ContainerId>) {
        self.latest.retain(|id, _| listed.contains(id));
        self.said.retain(|id, _| listed.contains(id));
    }

    /// This container is no more.
    pub(super) fn forget(&mut self, id: &ContainerId) {
        self.latest.remove(id);
        self.said.remove(id);
    }

    /// What is wrong now.
    pub(super) fn latest(&self) -> &Troubles {
        &self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::id;

    #[test]
    fn what_is_wrong_again_is_shown_again_and_not_said() {
        let mut book = TroubleBook::default();
        assert!(book.note(&id(1), "no port") && !book.note(&id(1), "no port"));
        assert!(book.note(&id(2), "no port"));
        assert_eq!(book.latest()[&id(1)], ["no port"]);
        book.on_inspected(&id(1));
        assert!(!book.latest().contains_key(&id(1)));
        assert!(!book.note(&id(1), "no port"));
        assert_eq!(book.latest()[&id(1)], ["no port"]);
    }

    #[test]
    fn who_is_gone_has_no_trouble_and_begins_anew() {
        let mut book = TroubleBook::default();
        book.note(&id(1), "no port");
        book.note(&id(2), "no port");
        book.forget(&id(1));
        book.retain(&BTreeSet::new());
        assert!(book.latest().is_empty());
        assert!(book.note(&id(1), "no port") && book.note(&id(2), "no port"));
    }
}
