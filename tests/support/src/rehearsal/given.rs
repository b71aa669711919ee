//! The weights that an operator gave, as the stage knows them: by the rule that an operator reads, and not by the
//! registrar's own tables.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use ecssd::machine::cordon::{Order, What, Wish};
use ecssd::machine::lifecycle::{Health, State};
use ecssd::machine::registrar::Registrar;
use ecssd::moment::Moment;
use ecssd::record::{ContainerId, RecordSet};

use super::{CONTAINERS, OFFERED, id};

/// What an operator may name: each container, each name, and all.
pub const NAMED: u8 = CONTAINERS + OFFERED.len() as u8 + 1;

/// A weight, and when it ends.
type Given = (u8, Option<Moment>);

/// The weights given, by what was named, as it was written.
#[derive(Debug, Default)]
pub(super) struct GivenWeights(BTreeMap<String, Given>);

/// What an operator writes.
fn text(named: u8) -> String {
    if named < CONTAINERS {
        return id(named).as_str().to_owned();
    }
    let names = OFFERED.map(|(name, _)| name);
    names.get(usize::from(named - CONTAINERS)).map_or_else(|| "all".to_owned(), |name| (*name).to_owned())
}

/// What an operator asks for.
pub(super) fn order(named: u8, weight: Option<u8>, lasts: Option<u8>) -> Order {
    let what = What::parse(&text(named % NAMED)).expect("a name, an id or all");
    let lasts = lasts.map(|seconds| Duration::from_secs(u64::from(seconds).max(1)));
    let wish = weight.map_or(Wish::Uncordon, |weight| Wish::Cordon { weight, lasts });
    Order { what, wish }
}

/// The time on the wall.
pub(super) fn wall(now: Moment) -> SystemTime {
    SystemTime::UNIX_EPOCH + now.since_start()
}

impl GivenWeights {
    /// An order was taken.
    pub(super) fn taken(&mut self, named: u8, wish: Wish, now: Moment) {
        let text = text(named % NAMED);
        match wish {
            Wish::Cordon { weight, lasts } => {
                self.0.insert(text, (weight, lasts.map(|lasts| now + lasts)));
            }
            Wish::Uncordon => {
                self.0.remove(&text);
            }
        }
    }

    /// The weight that counts: that of the container, else of the name, else of all, else its own.
    fn counts(&self, container: &ContainerId, name: &str, now: Moment) -> i64 {
        let name = name.trim_end_matches(".sd.internal");
        let given = |text: &str| self.0.get(text).filter(|(_, ends)| ends.is_none_or(|at| at > now));
        let given = given(container.as_str()).or_else(|| given(name)).or_else(|| given("all"));
        given.map_or(1, |(weight, _)| i64::from(*weight))
    }

    /// What serves has the weight that counts, while nothing leaves; all else has that or 0.
    pub(super) fn check(
        &self,
        registrar: &Registrar,
        id: &ContainerId,
        set: &RecordSet,
        may_leave: bool,
        now: Moment,
    ) {
        let Some(State::Live(life)) = registrar.lifecycle(id).map(|it| it.state()) else { return };
        let of_name = |name: &str| name == set.name;
        let Some(tracked) = life.services.iter().find(|it| of_name(it.offer.service.name.as_str())) else {
            return;
        };
        let Some(weight) = set.weight() else { return };
        let counts = self.counts(id, &set.name, now);
        assert!(weight == 0 || weight == counts, "{} has weight {weight}, not {counts}", set.name);
        let serves = tracked.health == Health::Serving && !tracked.doubted && life.pause.is_none();
        assert!(!serves || may_leave || weight == counts, "{} serves without its weight {counts}", set.name);
    }
}
