//! Cordons: weights that an operator gives by hand, in place of those that containers ask for.
//!
//! Owns which are in force, which of several counts, and when one ends. How one is asked for is read by [`Order`]; what
//! it changed is said by [`Report`]; when records are said anew for it is for the
//! [registrar](crate::machine::registrar).
//!
//! | a record of | its weight |
//! |---|---|
//! | a service that serves | that of its container's cordon, else of its name's, else of the one for all, else its own |
//! | one that fails, is in doubt, is paused, or leaves | 0, as without one |
//! | a full name | none, as without one |
//!
//! A cordon registers nothing and withdraws nothing. It holds for what starts later, too; that of a container for that
//! container alone, through all its lives, until it has not run for [`GONE_AFTER`].
//!
//! Its end is a time by the wall's clock, as only that goes on over a restart; within a run the agent's own counts, and
//! none lasts longer than it was given for.

mod order;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime};

pub use self::order::{BadOrder, LASTS_MAX, Order, What, Wish, begins, whole};
pub use self::report::{Change, Done, Refused, Report};
use super::lifecycle::Wanted;
use crate::container::Timestamp;
use crate::container::convention::Answer;
use crate::moment::Moment;
use crate::record::{ContainerId, RecordSet, Routing};

/// The most that are in force: more would be a mistake of a script.
pub const CORDONS_MAX: usize = 1_000;
/// After so long without its container running, as one run of the agent sees it, a cordon of one ends: it will not come
/// back. A restart counts anew.
pub const GONE_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// What a cordon holds for. The first of these counts where several do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One container.
    Container(ContainerId),
    /// A name, canonical and whole, whoever has it on this host.
    Service(String),
    /// This host.
    All,
}

/// A weight given by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cordon {
    /// What it holds for.
    pub scope: Scope,
    /// What the container was called then; of other scopes nothing.
    pub name: String,
    /// The weight.
    pub weight: u8,
    /// When it was given, by the wall's clock.
    pub since: Timestamp,
    /// When it ends, by the wall's clock; `None` where somebody has to end it.
    pub until: Option<Timestamp>,
}

/// Why a cordon ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its time is over.
    Over,
    /// Its container has not run for long.
    Gone,
}

impl Scope {
    /// All kinds, as [`Scope::kind`] calls them.
    pub const KINDS: [&str; 3] = ["container", "service", "all"];

    /// What kind it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Container(_) => "container",
            Self::Service(_) => "service",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Over => "its time is over",
            Self::Gone => "its container has not run for a day",
        })
    }
}

/// As it is spoken of: `container web (0123456789ab)`.
impl fmt::Display for Cordon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::Container(id) if self.name.is_empty() => write!(f, "container {}", id.short()),
            Scope::Container(id) => write!(f, "container {} ({})", self.name, id.short()),
            Scope::Service(name) => write!(f, "service {name}"),
            Scope::All => f.write_str("all of this host"),
        }
    }
}

/// A cordon in force, and when it ends by the agent's clock.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    cordon: Cordon,
    ends_at: Option<Moment>,
    /// Since when its container has not been seen to run.
    gone_since: Option<Moment>,
}

/// The cordons in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cordons(BTreeMap<Scope, Held>);

impl Cordons {
    /// Those that an earlier run was given. Returns those that have ended meanwhile.
    pub fn restore(&mut self, kept: Vec<Cordon>, wall: SystemTime, now: Moment) -> Vec<Cordon> {
        let is_over = |cordon: &Cordon| cordon.until.is_some_and(|until| until.until(wall).is_zero());
        let (ended, kept): (Vec<_>, Vec<_>) = kept.into_iter().partition(is_over);
        for cordon in kept.into_iter().take(CORDONS_MAX) {
            self.set(cordon, wall, now);
        }
        ended
    }

    /// From now on this one is in force, in place of one for the same.
    pub fn set(&mut self, cordon: Cordon, wall: SystemTime, now: Moment) {
        // A clock that is behind at a start makes it no longer than it was given for.
        let lasts = |until: Timestamp| until.until(wall).min(until.after(cordon.since));
        let ends_at = cordon.until.map(|until| now + lasts(until));
        self.0.insert(cordon.scope.clone(), Held { cordon, ends_at, gone_since: None });
    }

    /// Ends the one for this very scope.
    pub fn remove(&mut self, scope: &Scope) -> Option<Cordon> {
        self.0.remove(scope).map(|held| held.cordon)
    }

    /// The one for this very scope.
    pub fn get(&self, scope: &Scope) -> Option<&Cordon> {
        self.0.get(scope).map(|held| &held.cordon)
    }

    /// All that are in force.
    pub fn iter(&self) -> impl Iterator<Item = &Cordon> {
        self.0.values().map(|held| &held.cordon)
    }

    /// When the one for this very scope ends, by the agent's clock.
    pub fn ends_at(&self, scope: &Scope) -> Option<Moment> {
        self.0.get(scope).and_then(|held| held.ends_at)
    }

    /// Whether no more can be.
    pub fn is_full(&self) -> bool {
        self.0.len() >= CORDONS_MAX
    }

    /// The one that counts for a container under this name, canonical and whole.
    pub fn of(&self, id: &ContainerId, name: &str) -> Option<&Cordon> {
        if self.0.is_empty() {
            return None;
        }
        let container = || self.get(&Scope::Container(id.clone()));
        let service = || self.get(&Scope::Service(name.to_owned()));
        container().or_else(service).or_else(|| self.get(&Scope::All))
    }

    /// What a container wants, at the weight that counts.
    pub fn weigh(&self, id: &ContainerId, wanted: Wanted) -> Wanted {
        let is_weighted = wanted.offer.service.answer != Answer::All;
        match self.of(id, wanted.offer.service.name.as_str()) {
            Some(cordon) if is_weighted && wanted.serves => Wanted { weight: cordon.weight, ..wanted },
            _ => wanted,
        }
    }

    /// What an earlier run wrote of a container that has not been inspected since, at the weight that counts. Why one
    /// has weight 0, nobody knows: it stays so.
    pub fn weigh_held(&self, id: &ContainerId, mut records: Vec<RecordSet>) -> Vec<RecordSet> {
        for set in records.iter_mut().filter(|set| set.is_of_service() && set.weight() > Some(0)) {
            if let Some(cordon) = self.of(id, &set.key().name) {
                set.routing = Routing::Weighted(cordon.weight.into());
            }
        }
        records
    }

    /// When the next one may end.
    pub fn wake_at(&self) -> Option<Moment> {
        self.0.values().filter_map(Held::due_at).min()
    }

    /// Takes those that end by themselves.
    pub fn take_ended(&mut self, now: Moment) -> Vec<(Cordon, Ended)> {
        let ended = self.0.extract_if(.., |_, held| held.due_at().is_some_and(|at| at <= now));
        let why = |held: &Held| match held.ends_at {
            Some(at) if at <= now => Ended::Over,
            _ => Ended::Gone,
        };
        ended.map(|(_, held)| (why(&held), held)).map(|(why, held)| (held.cordon, why)).collect()
    }

    /// These containers run.
    pub fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, now: Moment) {
        for (scope, held) in &mut self.0 {
            let Scope::Container(id) = scope else { continue };
            held.gone_since = (!listed.contains(id)).then(|| held.gone_since.unwrap_or(now));
        }
    }
}

impl Held {
    fn due_at(&self) -> Option<Moment> {
        self.ends_at.into_iter().chain(self.gone_since.map(|since| since + GONE_AFTER)).min()
    }
}
