//! Any wants, any faults, any hands in the zone, any restarts; then the faults stop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ecssd::record::{Action, Key, RecordSet, Routing};
use ecssd_testing::route53::endpoint::{Endpoint, Poison};
use ecssd_testing::route53::faults::{Act, Says};
use ecssd_testing::route53::wire::Form;
use proptest::prelude::*;

use super::host::{Host, RESYNC, ZONE, own};
use super::rules;

/// What happens around a host.
#[derive(Clone, Debug)]
enum Operation {
    /// A container takes a port; whoever had it leaves it in the same message.
    Want {
        n: usize,
        port: u16,
        weight: i64,
    },
    Unwant(usize),
    /// One step, with this fault if it is a call.
    Call(Act),
    /// A call is answered, and the answer is taken only after what follows.
    CallAndWait(Act),
    Pass(u64),
    Deny(bool),
    Poison(Option<usize>),
    Form(bool),
    /// `kill -9`, and a start.
    Restart,
    HandEdit(usize),
    HandDelete(usize),
    /// Somebody else's record joins a name, perhaps with a TTL that its group then has.
    Foreign {
        name: usize,
        ttl: i64,
    },
}

/// How wild the world is.
#[derive(Clone, Copy, Debug)]
struct Wildness {
    /// Whether a call may be done after its successor: the next read of the zone finds that.
    overtaken: bool,
    /// Whether others edit our records: likewise.
    hands: bool,
}

fn act(wild: Wildness) -> impl Strategy<Value = Act> {
    let overtaken = move |act: Act| if wild.overtaken { act } else { Act::LateBeforeNext };
    let seconds = |range: std::ops::Range<u64>| range.prop_map(Duration::from_secs);
    prop_oneof![
        10 => Just(Act::Serve),
        3 => (0..Says::ALL.len()).prop_map(|n| Act::Say(Says::ALL[n])),
        2 => Just(Act::Say(Says::Throttling)),
        1 => Just(Act::CutBefore),
        2 => Just(Act::CutAfter),
        1 => Just(Act::LateBeforeNext),
        1 => Just(overtaken(Act::LateAfterNext)),
        1 => seconds(0..30).prop_map(Act::AnswerAfter),
        1 => seconds(0..30).prop_map(move |delay| match wild.overtaken {
            true => Act::ServeAfter(delay),
            false => Act::ServeAfter(delay.min(Duration::from_secs(9))),
        }),
    ]
}

fn operation(wild: Wildness) -> impl Strategy<Value = Operation> {
    let n = prop_oneof![0..4_usize, 50..53_usize];
    let want =
        (n.clone(), 80..84_u16, 0..3_i64).prop_map(|(n, port, weight)| Operation::Want { n, port, weight });
    let hands = u32::from(wild.hands);
    let hand = move |operation| if wild.hands { operation } else { Operation::Pass(1) };
    prop_oneof![
        8 => want,
        4 => n.clone().prop_map(Operation::Unwant),
        10 => act(wild).prop_map(Operation::Call),
        3 => act(wild).prop_map(Operation::CallAndWait),
        3 => prop_oneof![Just(1_u64), Just(60), Just(600)].prop_map(Operation::Pass),
        1 => any::<bool>().prop_map(Operation::Deny),
        1 => proptest::option::of(n.clone()).prop_map(Operation::Poison),
        1 => any::<bool>().prop_map(Operation::Form),
        1 => Just(Operation::Restart),
        1 + hands => n.clone().prop_map(move |n| hand(Operation::HandEdit(n))),
        1 + hands => n.prop_map(move |n| hand(Operation::HandDelete(n))),
        1 => (0..2_usize, prop_oneof![Just(0_i64), Just(60)])
            .prop_map(|(name, ttl)| Operation::Foreign { name, ttl }),
    ]
}

/// A weighted set with another weight; others have none.
fn weighing(weight: i64, set: RecordSet) -> RecordSet {
    let routing = set.weight().map_or(set.routing, |_| Routing::Weighted(weight));
    RecordSet { routing, ..set }
}

/// A host, and what of its registrations was seen to stand.
struct Life {
    host: Host,
    /// What is wanted without a break since it was seen in the zone.
    standing: BTreeMap<Key, Vec<String>>,
    foreign: Vec<RecordSet>,
}

impl Life {
    fn new() -> Self {
        let endpoint = Endpoint::new(ZONE);
        for set in neighbours() {
            assert!(endpoint.by_hand(Action::Create, set));
        }
        let mut host = Host::new(&endpoint);
        host.told_all();
        let foreign = host.foreign_sets();
        Self { host, standing: BTreeMap::new(), foreign }
    }

    async fn operate(&mut self, operation: Operation) {
        let key = |n: usize| own(n, 0).key();
        let endpoint = self.host.endpoint.clone();
        match operation {
            Operation::Want { n, port, weight } => {
                let set = weighing(weight, own(n, port));
                let rival =
                    self.host.wanted.values().find(|it| it.values == set.values && it.key() != key(n));
                if let Some(rival) = rival.map(RecordSet::key) {
                    self.host.unwant(&rival);
                }
                self.host.want(set);
            }
            Operation::Unwant(n) => self.host.unwant(&key(n)),
            Operation::Call(act) => {
                endpoint.otherwise(act);
                self.host.next_step().await;
                endpoint.otherwise(Act::Serve);
            }
            Operation::CallAndWait(act) => {
                endpoint.otherwise(act);
                self.host.call_without_taking().await;
                endpoint.otherwise(Act::Serve);
            }
            Operation::Pass(seconds) => self.host.pass(Duration::from_secs(seconds)).await,
            Operation::Deny(denied) => endpoint.deny(denied.then(|| own(0, 0).name)),
            Operation::Poison(n) => endpoint.set_poison(n.map(|n| (key(n), Poison::Batch))),
            Operation::Form(common) => endpoint.set_form(if common { Form::Common } else { Form::Own }),
            Operation::Restart => self.host.restart(),
            Operation::HandEdit(n) => {
                let edited = self.host.own_sets().remove(&key(n));
                if let Some(set) = edited {
                    let edited = match set.routing {
                        Routing::Multivalue => {
                            RecordSet { values: vec![format!("1 1 77 i-0abc.{ZONE}")], ..set }
                        }
                        _ => weighing(77, set),
                    };
                    endpoint.by_hand(Action::Upsert, edited);
                }
            }
            Operation::HandDelete(n) => {
                let deleted = self.host.own_sets().remove(&key(n));
                deleted.map(|set| endpoint.by_hand(Action::Delete, set));
            }
            Operation::Foreign { name, ttl } => {
                let set = RecordSet { set_identifier: Some("elsewhere".into()), ttl, ..own(name * 50, 9) };
                endpoint.by_hand(Action::Create, set);
                self.foreign = self.host.foreign_sets();
            }
        }
    }

    /// What stood and is still wanted, at the same place, still stands.
    fn check_nothing_lost(&mut self) {
        let stands = self.host.own_sets();
        let wanted = &self.host.wanted;
        self.standing.retain(|key, values| wanted.get(key).is_some_and(|set| set.values == *values));
        for (key, values) in &self.standing {
            assert_eq!(stands.get(key).map(|set| &set.values), Some(values), "{key} was lost");
        }
        // A delete from when it was not wanted may still be on its way.
        let under_way = self.host.endpoint.under_way();
        let stands = stands.into_iter().filter(|(key, _)| !under_way.contains(key));
        let as_wanted = stands.filter(|(key, set)| wanted.get(key).is_some_and(|it| it.values == set.values));
        self.standing.extend(as_wanted.map(|(key, set)| (key, set.values)));
    }

    async fn end(&mut self, drained: bool) {
        self.host.settle().await;
        self.host.check_converged();
        rules::check(&self.host);
        if drained {
            self.host.drain();
            self.host.settle().await;
            self.host.check_converged();
        }
        assert_eq!(self.host.foreign_sets(), self.foreign, "somebody else's records");
    }
}

/// Records of others, some of them with marks that look like ours.
fn neighbours() -> Vec<RecordSet> {
    let marked = |mark: &str| RecordSet { set_identifier: Some(mark.into()), ..own(0, 99) };
    let simple = RecordSet { set_identifier: None, routing: Routing::Simple, ..own(777, 99) };
    vec![marked(&format!("i-0abcd:{:064x}:80", 1)), marked(&format!("i-0abc:{:064x}", 1)), simple]
}

fn on_a_paused_clock<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(test)
}

static CASES: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

fn tell(what: &str, life: &Life) {
    let count = life.host.endpoint.count();
    let calls = CALLS.fetch_add(count.changes + count.lookups + count.lists, Ordering::Relaxed);
    let cases = CASES.fetch_add(1, Ordering::Relaxed) + 1;
    if cases.is_multiple_of(256) {
        println!("{cases} cases, {calls} calls so far ({what})");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_the_zone_is_as_wanted_once_the_faults_stop(
        operations in proptest::collection::vec(operation(Wildness { overtaken: false, hands: false }), 1..60),
        drained: bool,
    ) {
        on_a_paused_clock(async {
            let mut life = Life::new();
            for operation in operations {
                life.operate(operation).await;
                life.check_nothing_lost();
            }
            life.host.endpoint.heal();
            life.end(drained).await;
            tell("no hands", &life);
        });
    }

    #[test]
    fn whatever_hands_and_late_calls_did_is_mended_at_the_next_resync(
        operations in proptest::collection::vec(operation(Wildness { overtaken: true, hands: true }), 1..60),
        drained: bool,
    ) {
        on_a_paused_clock(async {
            let mut life = Life::new();
            for operation in operations {
                life.operate(operation).await;
            }
            life.host.endpoint.heal();
            // A call may take half a minute to arrive; then comes the longest time between two reads.
            life.host.pass(Duration::from_secs(30) + RESYNC.mul_f64(1.25)).await;
            life.end(drained).await;
            tell("hands and late calls", &life);
        });
    }

    #[test]
    fn one_refused_change_delays_the_others_by_few_calls(
        n in 2..80_usize,
        place in any::<prop::sample::Index>(),
        how in 0..3_usize,
        common: bool,
    ) {
        on_a_paused_clock(async {
            let endpoint = Endpoint::new(ZONE);
            endpoint.set_form(if common { Form::Common } else { Form::Own });
            let at = place.index(n);
            let denied = format!("_denied._tcp.{ZONE}");
            let set = |k: usize| match (k == at, how) {
                (true, 0) => RecordSet { name: denied.clone(), ..own(k, 80) },
                _ => own(k, 80),
            };
            match how {
                0 => endpoint.deny([denied.clone()]),
                1 => endpoint.set_poison(Some((own(at, 0).key(), Poison::Batch))),
                _ => endpoint.set_poison(Some((own(at, 0).key(), Poison::Input))),
            }
            let mut host = Host::new(&endpoint);
            (0..n).for_each(|k| host.want(set(k)));
            host.told_all();
            // The host's address is one of those that wait.
            let changes = n + 1;
            let bound = 1 + changes.next_power_of_two().ilog2() as usize + 1;
            for steps in 0.. {
                if host.own_sets().len() == changes - 1 {
                    break;
                }
                assert!(steps < 1_000, "it does not get on");
                host.next_step().await;
                let calls = endpoint.count().changes;
                assert!(calls <= bound, "{} of {n} after {calls} calls", host.own_sets().len());
            }
            endpoint.heal();
            host.settle().await;
            host.check_converged();
            rules::check(&host);
        });
    }
}
