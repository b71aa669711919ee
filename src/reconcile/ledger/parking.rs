//! The changes that wait by themselves, each with its reason, until when.
//!
//! Owns the waits, and that what one policy denies a whole fleet does not come back all at once. Which change is to
//! blame is decided by the [search](crate::change::culprit), what of a parked key may still go by the
//! [ledger](super).

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::moment::Moment;
use crate::record::{Action, Change, Key};
use crate::zone::ZoneError;

/// How long a refused change waits before it is tried again.
pub const REFUSED_WAIT: Duration = Duration::from_secs(600);
/// How long a denied change waits at first; it doubles up to [`DENIED_WAIT_MAX`].
pub const DENIED_WAIT: Duration = Duration::from_secs(60);
/// The longest wait of a denied change.
pub const DENIED_WAIT_MAX: Duration = Duration::from_secs(900);
/// How long a call of unknown outcome may still be applied. A delete that found nothing waits so long, and is tried once
/// more.
pub const LATE_WAIT: Duration = Duration::from_secs(60);
/// How much sooner than its wait a refused change may be tried again.
const PARKED_JITTER: f64 = 0.2;

/// A change that waits by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// When it is tried again.
    pub until: Moment,
    /// What the registry said.
    pub reason: String,
    tries: u32,
    /// Whether the delete of what stands there waits too: it was itself refused, or a late call may still be applied.
    pub(super) whole: bool,
}

/// Why a change waits, which says for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The registry will not have it: that changes seldom.
    Invalid,
    /// A policy denies it: somebody may be about to mend that.
    Denied,
}

impl Refused {
    pub(super) fn by(error: &ZoneError) -> Self {
        if matches!(error, ZoneError::Denied(_)) { Self::Denied } else { Self::Invalid }
    }

    fn wait(self, tries: u32) -> Duration {
        match self {
            Self::Invalid => REFUSED_WAIT,
            Self::Denied => (DENIED_WAIT * 2u32.saturating_pow(tries.min(8))).min(DENIED_WAIT_MAX),
        }
    }
}

/// The changes that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Parking(BTreeMap<Key, Parked>);

impl Parking {
    /// This change was refused; each refusal in a row counts.
    pub(super) fn refuse(&mut self, change: &Change, why: Refused, reason: &str, now: Moment) -> Parked {
        let key = change.set.key();
        let tries = self.0.get(&key).map_or(0, |parked| parked.tries + 1);
        let wait = why.wait(tries).mul_f64(1.0 - PARKED_JITTER * random(&key, tries)).max(DENIED_WAIT);
        let whole = change.action == Action::Delete;
        let parked = Parked { until: now + wait, reason: reason.to_owned(), tries, whole };
        self.0.insert(key, parked.clone());
        parked
    }

    /// This key waits for as long, and for the same reason, as another.
    pub(super) fn join(&mut self, key: Key, parked: &Parked) {
        self.0.insert(key, parked.clone());
    }

    /// The TTL to write this key with cannot be read, or its name is a host's, so the write waits; an old record under it
    /// may still be deleted.
    pub(super) fn hold(&mut self, key: Key, reason: String, now: Moment) -> Parked {
        let parked = Parked { until: now + REFUSED_WAIT, reason, tries: 0, whole: false };
        self.0.insert(key, parked.clone());
        parked
    }

    /// What was sent of this key may still be applied: nothing of it goes until it must have been.
    pub(super) fn await_late(&mut self, key: Key, now: Moment) {
        let reason = "an earlier call of unknown outcome may still be applied".to_owned();
        self.0.insert(key, Parked { until: now + LATE_WAIT, reason, tries: 0, whole: true });
    }

    /// Nothing of this key waits any more.
    pub(super) fn release(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// Nothing waits any more.
    pub(super) fn release_all(&mut self) {
        self.0.clear();
    }

    /// What was said of this key last, whether it is over or not.
    pub(super) fn get(&self, key: &Key) -> Option<&Parked> {
        self.0.get(key)
    }

    /// What this key waits for.
    pub(super) fn waiting(&self, key: &Key, now: Moment) -> Option<&Parked> {
        self.0.get(key).filter(|parked| parked.until > now)
    }

    /// The keys that wait of those from this one on.
    pub(super) fn waiting_from(&self, first: &Key, now: Moment) -> impl Iterator<Item = &Key> {
        self.0.range(first..).filter(move |(_, parked)| parked.until > now).map(|(key, _)| key)
    }

    /// When each is tried again.
    pub(super) fn ends(&self) -> impl Iterator<Item = Moment> {
        self.0.values().map(|parked| parked.until)
    }
}

/// Uniform in 0..1, and the same for each try at a key: a ledger draws no lots.
fn random(key: &Key, tries: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (key, tries).hash(&mut hasher);
    fastrand::Rng::with_seed(hasher.finish()).f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::registrant;

    const NOW: Moment = Moment::after(Duration::from_secs(100));

    fn change(action: Action) -> Change {
        Change { action, set: registrant("i-0a").host_record() }
    }

    #[test]
    fn what_is_denied_waits_ever_longer_and_what_is_invalid_as_long_as_ever() {
        let waits = |why| {
            let mut parking = Parking::default();
            let change = change(Action::Create);
            (0..6)
                .map(|_| (parking.refuse(&change, why, "no", NOW).until - NOW).as_secs())
                .collect::<Vec<_>>()
        };
        for (wait, longest) in waits(Refused::Denied).into_iter().zip([60, 120, 240, 480, 900, 900]) {
            assert!(wait >= 60.max(longest * 8 / 10) && wait <= longest, "{wait} of {longest}");
        }
        assert!(waits(Refused::Invalid).into_iter().all(|wait| (480..=600).contains(&wait)));
    }

    #[test]
    fn a_wait_ends_by_itself_and_its_count_when_it_is_released() {
        let (mut parking, change) = (Parking::default(), change(Action::Create));
        let key = change.set.key();
        let until = parking.refuse(&change, Refused::Invalid, "no", NOW).until;
        assert!(parking.waiting(&key, NOW).is_some() && parking.waiting(&key, until).is_none());
        assert_eq!(parking.waiting_from(&key, NOW).collect::<Vec<_>>(), [&key]);
        assert_eq!(parking.waiting_from(&key, until).next(), None);
        assert_eq!(parking.refuse(&change, Refused::Invalid, "no", until).tries, 1);
        parking.release(&key);
        assert_eq!((parking.get(&key), parking.ends().next()), (None, None));
        assert_eq!(parking.refuse(&change, Refused::Invalid, "no", until).tries, 0);
    }

    #[test]
    fn only_a_delete_or_a_late_call_keeps_what_stands_there() {
        let mut parking = Parking::default();
        assert!(!parking.refuse(&change(Action::Create), Refused::Invalid, "no", NOW).whole);
        assert!(parking.refuse(&change(Action::Delete), Refused::Invalid, "no", NOW).whole);
        let key = change(Action::Create).set.key();
        parking.hold(key.clone(), "no TTL".to_owned(), NOW);
        assert!(parking.get(&key).is_some_and(|parked| !parked.whole && parked.until == NOW + REFUSED_WAIT));
        parking.await_late(key.clone(), NOW);
        assert!(parking.get(&key).is_some_and(|parked| parked.whole && parked.until == NOW + LATE_WAIT));
    }
}
