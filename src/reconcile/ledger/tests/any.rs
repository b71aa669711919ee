//! Any wants, any faults, any hands in the zone; then the faults stop.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Operation {
    /// A container takes a port; whoever had it leaves it in the same message.
    Want {
        n: u16,
        port: u16,
        weight: i64,
        ttl: i64,
    },
    Unwant(u16),
    /// A value that the zone always refuses.
    Poison(u16),
    Call(Fault),
    Wait(u64),
    Deny(bool),
    HandEdit(u16),
    HandDelete(u16),
    Foreign {
        name: u16,
        ttl: i64,
    },
}

fn calls(late: bool) -> impl Strategy<Value = Fault> {
    prop_oneof![
        9 => Just(Fault::None),
        1 => Just(Fault::Throttled),
        1 => Just(Fault::Busy),
        2 => Just(Fault::UnknownBefore),
        2 => Just(Fault::UnknownAfter),
        2 => Just(if late { Fault::LateBeforeNext } else { Fault::None }),
    ]
}

fn operation(hands: bool, refusals: bool) -> impl Strategy<Value = Operation> {
    let n = prop_oneof![0..4_u16, 50..53_u16];
    let want = (n.clone(), 80..84_u16, 0..3_i64, prop_oneof![4 => Just(0), 1 => Just(30_i64)])
        .prop_map(|(n, port, weight, ttl)| Operation::Want { n, port, weight, ttl });
    let only = |yes: bool| if yes { 1 } else { 0 };
    prop_oneof![
        8 => want,
        4 => n.clone().prop_map(Operation::Unwant),
        12 => calls(refusals).prop_map(Operation::Call),
        2 => prop_oneof![Just(1), Just(60), Just(600)].prop_map(Operation::Wait),
        only(refusals) => n.clone().prop_map(Operation::Poison),
        only(refusals) => any::<bool>().prop_map(Operation::Deny),
        2 * only(hands) => n.clone().prop_map(Operation::HandEdit),
        2 * only(hands) => n.prop_map(Operation::HandDelete),
        only(refusals) => (0..2_u16, prop_oneof![Just(0), Just(60)])
            .prop_map(|(name, ttl)| Operation::Foreign { name, ttl }),
    ]
}

/// A weighted set with another weight; others have none.
fn weighing(weight: i64, set: RecordSet) -> RecordSet {
    let routing = set.weight().map_or(set.routing, |_| Routing::Weighted(weight));
    RecordSet { routing, ..set }
}

impl Desk {
    fn operate(&mut self, operation: Operation) {
        match operation {
            Operation::Want { n, port, weight, ttl } => {
                let set = weighing(weight, RecordSet { ttl, ..own(n, port) });
                let rivals: Vec<_> =
                    self.wanted.values().filter(|other| other.values == set.values).cloned().collect();
                rivals.iter().for_each(|rival| self.unwant(rival));
                self.want(set);
            }
            Operation::Unwant(n) => self.unwant(&own(n, 0)),
            Operation::Poison(n) => self.want(own(n, 0).with_value("1 1 99999 i-1.sd.internal")),
            Operation::Call(fault) => {
                self.call(fault);
            }
            Operation::Wait(secs) => self.now += Duration::from_secs(secs),
            Operation::Deny(denied) => self.denied = denied.then(|| own(0, 0).name),
            Operation::HandEdit(n) => {
                let old = self.own_sets().into_iter().find(|set| set.key() == own(n, 0).key());
                let edited = old.map(|old| match old.routing {
                    Routing::Multivalue => old.with_value("1 1 77 i-1.sd.internal"),
                    _ => weighing(77, old),
                });
                edited.into_iter().for_each(|set| self.by_hand(Action::Upsert, set));
            }
            Operation::HandDelete(n) => {
                let old = self.own_sets().into_iter().find(|set| set.key() == own(n, 0).key());
                old.into_iter().for_each(|set| self.by_hand(Action::Delete, set));
            }
            Operation::Foreign { name, ttl } => {
                let set = RecordSet { set_identifier: Some("elsewhere".into()), ttl, ..own(name * 50, 9) };
                self.by_hand(Action::Create, set);
            }
        }
    }

    /// The faults stop.
    fn heal(&mut self) {
        self.denied = None;
        self.apply_late(Fault::LateBeforeNext);
        let poisoned: Vec<_> =
            self.wanted.values().filter(|set| set.values[0].contains("99999")).cloned().collect();
        poisoned.iter().for_each(|set| self.unwant(set));
        self.settle();
    }

    fn check_converged(&self) {
        let plain = |set: RecordSet| RecordSet { ttl: 0, ..set };
        let stands: BTreeMap<_, _> = self.own_sets().into_iter().map(|set| (set.key(), plain(set))).collect();
        let wanted: BTreeMap<_, _> =
            self.wanted.iter().map(|(key, set)| (key.clone(), plain(set.clone()))).collect();
        assert_eq!(stands, wanted, "the zone is not what is wanted");
    }

    pub(super) fn check_nobody_shares_a_port(&self) {
        let sets = self.own_sets();
        let places: BTreeSet<_> = sets.iter().map(|set| &set.values).collect();
        assert_eq!(places.len(), sets.len(), "a port of two containers");
    }

    fn drain(&mut self) {
        let wanted: Vec<_> = self.wanted.values().cloned().collect();
        wanted.iter().for_each(|set| self.unwant(set));
        self.ledger.drain();
        self.settle();
        assert_eq!(self.own_sets(), [], "left after the drain");
    }
}

impl RecordSet {
    fn with_value(self, value: &str) -> Self {
        Self { values: vec![value.into()], ..self }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn converges_once_the_faults_stop(operations in proptest::collection::vec(operation(false, true), 1..60)) {
        let mut desk = Desk::default();
        operations.into_iter().for_each(|operation| desk.operate(operation));
        desk.heal();
        desk.check_converged();
        desk.drain();
    }

    #[test]
    fn leaves_nothing_behind_whatever_hands_did(
        operations in proptest::collection::vec(operation(true, true), 1..60),
        restart: bool,
    ) {
        let mut desk = Desk::default();
        operations.into_iter().for_each(|operation| desk.operate(operation));
        desk.heal();
        if restart {
            desk.restart();
            desk.settle();
            desk.check_converged();
        }
        desk.drain();
    }

    #[test]
    fn a_port_never_has_two_records(operations in proptest::collection::vec(operation(false, false), 1..60)) {
        let mut desk = Desk::default();
        for operation in operations {
            desk.operate(operation);
            desk.check_nobody_shares_a_port();
        }
        desk.settle_checking(Desk::check_nobody_shares_a_port);
        desk.check_converged();
    }
}
