//! The protocol alone: its messages in any order, repeated or never, for containers that come and go.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::container::Timestamp;
use crate::container::offer::EffectiveCheck;
use crate::container::testing::{at, offer};
use crate::machine::lifecycle::{Registered, Seq, Sight, State, Taken, Wanted, Why};
use crate::machine::probe::Verdict;
use crate::machine::testing::{SIGTERM, running, secs};
use crate::record::testing::{id, registrant};
use crate::record::{RecordType, Routing};

const CONTAINERS: u64 = 4;

/// What really is so of a container. An earlier run registered its first life.
#[derive(Clone, Copy, Debug)]
struct Truth {
    life: u64,
    runs: bool,
    /// Whether its first life was asked to stop.
    is_stopping: bool,
}

impl Truth {
    fn goes_on(self) -> bool {
        self.life == 1 && self.runs && !self.is_stopping
    }
}

/// A writer, an engine and a registrar, as far as adoption hears of them.
struct Stage {
    adoption: Adoption,
    lifecycles: BTreeMap<ContainerId, Lifecycle>,
    truth: Vec<Truth>,
    /// What the zone holds, a bit for each container; and what of it the writer knows without a read.
    zone: u8,
    known: u8,
    /// What the adoption has been told of the zone, where that counts.
    heard: u8,
    now: Moment,
    seq: u64,
    is_urgent: bool,
    is_listed: bool,
    /// When the first list came, and who of it is waited for.
    listed_at: Moment,
    awaited: BTreeSet<u64>,
    looked_at: BTreeSet<u64>,
    knows_zone: bool,
    /// Whether a read has told, or nothing is left for it to tell.
    is_read: bool,
    owed: Option<u64>,
    /// How often a writer asked for judgement.
    asked: u64,
    /// Those of which an end was heard before the barrier opened.
    over: BTreeSet<u64>,
    /// How the barrier opened: whether on a list.
    opened: Option<bool>,
}

fn sight(container: u64, life: u64) -> Sight {
    // Docker gives every other container another port in each life.
    let moves = if container.is_multiple_of(2) { 0 } else { life };
    let port = u16::try_from(32_768 + container * 10 + moves).unwrap();
    let mut sight = running(started(container, life), vec![offer("_web._tcp", port, EffectiveCheck::Tcp)]);
    sight.lived_before = life > 1;
    sight
}

fn started(container: u64, life: u64) -> Timestamp {
    at(life * 100 + container)
}

/// The record sets of the first lives of these containers.
fn sets(containers: u8) -> Vec<RecordSet> {
    let of = |container: u64| {
        let Sight { started_at, mut offers, .. } = sight(container, 1);
        let wanted = Wanted { offer: offers.remove(0), weight: 5, serves: true, started_at };
        publish::records(&registrant("i-0a"), &id(container), &[wanted])
    };
    (0..CONTAINERS).filter(|container| containers & (1 << container) != 0).flat_map(of).collect()
}

impl Stage {
    fn new(zone: u8, known: u8, gone: u8) -> Self {
        let truth = |container| Truth { life: 1, runs: gone & (1_u8 << container) == 0, is_stopping: false };
        Self {
            adoption: Adoption::new(registrant("i-0a")),
            lifecycles: BTreeMap::new(),
            truth: (0..CONTAINERS).map(truth).collect(),
            zone,
            known: known & zone,
            heard: 0,
            now: Moment::after(secs(1_000)),
            seq: 1,
            is_urgent: false,
            is_listed: false,
            listed_at: Moment::START,
            awaited: BTreeSet::new(),
            looked_at: BTreeSet::new(),
            knows_zone: false,
            is_read: false,
            owed: None,
            asked: 0,
            over: BTreeSet::new(),
            opened: None,
        }
    }

    fn event(&mut self, container: u64, event: Event, bearing: Bearing) {
        if bearing == Bearing::Over && self.opened.is_none() {
            self.over.insert(container);
        }
        if bearing == Bearing::Inspected {
            self.looked_at.insert(container);
        }
        if bearing != Bearing::Nothing {
            self.awaited.remove(&container);
        }
        self.adoption.on_news(&id(container), bearing);
        self.step(container, event);
        self.tell(container);
        if bearing != Bearing::Nothing {
            self.check_over(container);
            self.adoption.release(&id(container));
        }
        self.try_open();
    }

    fn step(&mut self, container: u64, event: Event) {
        let ends = matches!(event, Event::Died { .. } | Event::Started { .. } | Event::Absent { .. });
        let lifecycle = self.lifecycles.remove(&id(container)).unwrap_or_default();
        let (lifecycle, _) = lifecycle.step(event, self.now);
        if ends || lifecycle.leaves() {
            self.adoption.forget(&id(container));
        }
        self.lifecycles.insert(id(container), lifecycle);
    }

    fn tell(&mut self, container: u64) {
        let Some(lifecycle) = self.lifecycles.get(&id(container)) else { return };
        let told = self.adoption.tell(&id(container), lifecycle);
        assert!(told.is_empty() || !self.over.contains(&container), "adopted of what was over");
        assert!(told.is_empty() || self.heard & (1 << container) != 0, "adopted of what nobody told");
        told.into_iter().for_each(|event| self.step(container, event));
    }

    /// Nothing of a life that goes on may be called over.
    fn check_over(&self, container: u64) {
        let is_over = self.adoption.is_over(self.lifecycles.get(&id(container)));
        let is_registered = self.knows_zone && self.heard & (1 << container) != 0;
        assert!(!is_over || self.opened.is_none(), "over, after all was said");
        assert!(!(is_over && is_registered && self.truth[container as usize].goes_on()), "over, and goes on");
    }

    fn try_open(&mut self) {
        let proven = || !self.lifecycles.values().any(Lifecycle::unproven);
        if !self.adoption.is_due(self.now, self.is_urgent, proven) {
            return;
        }
        let opened = self.adoption.open().expect("due, and does not open");
        assert!(self.opened.is_none(), "the barrier opened twice");
        assert!(self.knows_zone, "opened before the zone was known");
        assert!(self.is_listed || self.is_urgent, "opened before a list");
        let has_waited = self.now >= self.listed_at + BARRIER || self.awaited.is_empty() && proven();
        assert!(self.is_urgent || has_waited, "opened before all was inspected and proved");
        assert_eq!(opened.owes_judgement, std::mem::take(&mut self.owed));
        let own: BTreeSet<_> = sets(self.zone).iter().map(RecordSet::key).collect();
        assert!(opened.stands.is_subset(&own));
        self.opened = Some(self.is_listed);
    }

    fn known(&mut self) {
        let is_all = self.is_read || self.known == self.zone;
        let containers = if is_all { self.zone } else { self.known };
        let lifecycles = &self.lifecycles;
        let runs = |id: &ContainerId| lifecycles.contains_key(id);
        let adopted = self.adoption.on_known(&sets(containers), is_all, runs);
        assert_eq!(adopted.is_none(), self.opened.is_some(), "what is known counts until the barrier opens");
        let Some(adopted) = adopted else { return };
        (self.heard, self.knows_zone, self.is_read) = (containers, true, is_all);
        for container in (0..CONTAINERS).filter(|container| adopted.gone.contains(&id(*container))) {
            assert!(!self.truth[container as usize].goes_on(), "gone, and goes on");
        }
        self.after_zone();
    }

    fn found(&mut self) {
        // What is read again has been judged.
        if self.opened.is_none() || !self.is_read {
            self.heard |= self.zone;
        }
        (self.knows_zone, self.is_read) = (true, true);
        self.asked += 1;
        self.adoption.on_found(&sets(self.zone), self.asked);
        self.owed = self.opened.is_none().then_some(self.asked);
        self.after_zone();
    }

    fn after_zone(&mut self) {
        (0..CONTAINERS).for_each(|container| self.tell(container));
        self.try_open();
    }

    fn listed(&mut self) {
        self.seq += 1;
        let runs = (0..CONTAINERS).filter(|container| self.truth[*container as usize].runs);
        let runs: BTreeSet<u64> = runs.collect();
        let listed: BTreeSet<_> = runs.iter().copied().map(id).collect();
        for container in (0..CONTAINERS).filter(|container| !listed.contains(&id(*container))) {
            if self.lifecycles.contains_key(&id(container)) {
                self.step(container, Event::Absent { as_of: Seq(self.seq) });
            }
        }
        for gone in self.adoption.on_listed(&listed, self.now) {
            assert!(self.adoption.release(&gone), "{gone} was said to be held");
        }
        if self.is_listed {
            self.awaited.retain(|container| runs.contains(container));
        } else {
            self.listed_at = self.now;
            self.awaited = runs.difference(&self.looked_at).copied().collect();
        }
        self.is_listed = true;
        self.try_open();
    }

    fn look(&mut self, container: u64) {
        self.seq += 1;
        let as_of = Seq(self.seq);
        let truth = self.truth[container as usize];
        let event = match truth.runs {
            true => Event::Seen { as_of, sight: Box::new(sight(container, truth.life)) },
            false => Event::Absent { as_of },
        };
        self.event(container, event, Bearing::Inspected);
    }

    fn die(&mut self, container: u64, is_heard: bool) {
        if std::mem::replace(&mut self.truth[container as usize].runs, false) && is_heard {
            self.seq += 1;
            let time = at(self.truth[container as usize].life * 100 + 60);
            self.event(container, Event::Died { at: Seq(self.seq), time }, Bearing::Over);
        }
    }

    fn start(&mut self, container: u64, is_heard: bool) {
        let truth = &mut self.truth[container as usize];
        if truth.runs {
            return;
        }
        *truth = Truth { life: truth.life + 1, runs: true, is_stopping: false };
        if is_heard {
            self.seq += 1;
            self.event(container, Event::Started { at: Seq(self.seq) }, Bearing::Over);
        }
    }

    fn stop(&mut self, container: u64) {
        let truth = &mut self.truth[container as usize];
        if truth.runs {
            truth.is_stopping = true;
            self.seq += 1;
            let (at, time) = (Seq(self.seq), at(truth.life * 100 + 50));
            self.event(
                container,
                Event::Killed { at, signal: SIGTERM, time, age: Duration::ZERO },
                Bearing::Over,
            );
        }
    }

    fn probe(&mut self, container: u64, verdict: Verdict) {
        let probing = self.lifecycles.get(&id(container)).and_then(Lifecycle::probing);
        let Some((life, mut targets)) = probing else { return };
        self.event(container, Event::Probed { life, target: targets.remove(0), verdict }, Bearing::Nothing);
    }

    fn wait(&mut self, seconds: u64) {
        self.now += secs(seconds);
        self.try_open();
        assert!(self.adoption.wake_at().is_none_or(|at| at > self.now), "to be woken again at once");
    }

    fn check(&self) {
        let held: BTreeSet<_> = self.adoption.held().map(|(id, _)| id.clone()).collect();
        assert_eq!(self.adoption.is_open(), self.opened.is_some());
        for container in 0..CONTAINERS {
            let (id, truth) = (id(container), self.truth[container as usize]);
            assert!(!(held.contains(&id) && self.over.contains(&container)), "held, and over");
            let lifecycle = self.lifecycles.get(&id);
            let is_live = lifecycle.is_some_and(|it| matches!(it.state(), State::Live(_)));
            let wanted = lifecycle.map(Lifecycle::wanted).unwrap_or_default();
            // Found late, and nobody had a list that shows it: it is about to be withdrawn in any case.
            let is_unlisted = self.opened == Some(false);
            if truth.goes_on() && self.heard & (1 << container) != 0 && !is_unlisted {
                assert!(
                    if is_live { !wanted.is_empty() } else { held.contains(&id) },
                    "dropped without a word"
                );
            }
            assert!(
                !is_live || self.opened.is_none() || !held.contains(&id),
                "held beside what is known of it"
            );
        }
        if self.adoption.has_ended() {
            assert!(self.opened.is_some() && held.is_empty());
            assert_eq!((self.adoption.wake_at(), self.adoption.unseen_ports().len()), (None, 0));
        }
    }

    /// All is said that there is to say, and every container is inspected.
    fn finish(&mut self) {
        self.known();
        if !self.is_read {
            self.found();
        }
        self.listed();
        (0..CONTAINERS).for_each(|container| self.look(container));
        self.wait(BARRIER.as_secs());
        self.listed();
        self.check();
        assert!(self.adoption.has_ended(), "{:?}", self.adoption);
        for container in 0..CONTAINERS {
            let runs = self.lifecycles.get(&id(container)).cloned().unwrap_or_default();
            assert_eq!(self.adoption.tell(&id(container), &runs), [], "told after the end");
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Known,
    Found,
    Listed,
    Look(u64),
    Die(u64, bool),
    Start(u64, bool),
    Stop(u64),
    Probe(u64, bool),
    Wait(u64),
    Hurry,
}

fn operation() -> impl Strategy<Value = Operation> {
    let container = 0..CONTAINERS;
    prop_oneof![
        3 => Just(Operation::Known),
        3 => Just(Operation::Found),
        3 => Just(Operation::Listed),
        8 => container.clone().prop_map(Operation::Look),
        2 => (container.clone(), any::<bool>()).prop_map(|(container, heard)| Operation::Die(container, heard)),
        2 => (container.clone(), any::<bool>()).prop_map(|(container, heard)| Operation::Start(container, heard)),
        1 => container.clone().prop_map(Operation::Stop),
        3 => (container, any::<bool>()).prop_map(|(container, up)| Operation::Probe(container, up)),
        3 => (0..3_u64).prop_map(Operation::Wait),
        1 => prop_oneof![9 => Just(Operation::Wait(0)), 1 => Just(Operation::Hurry)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn drops_nothing_that_goes_on_adopts_nothing_that_is_over_opens_once_and_ends(
        zone in 0..16_u8,
        known in 0..16_u8,
        gone in 0..16_u8,
        operations in proptest::collection::vec(operation(), 0..40),
    ) {
        let mut stage = Stage::new(zone, known, gone);
        for operation in operations {
            match operation {
                Operation::Known => stage.known(),
                Operation::Found => stage.found(),
                Operation::Listed => stage.listed(),
                Operation::Look(container) => stage.look(container),
                Operation::Die(container, is_heard) => stage.die(container, is_heard),
                Operation::Start(container, is_heard) => stage.start(container, is_heard),
                Operation::Stop(container) => stage.stop(container),
                Operation::Probe(container, true) => stage.probe(container, Verdict::Up),
                Operation::Probe(container, false) => stage.probe(container, Verdict::Down),
                Operation::Wait(seconds) => stage.wait(seconds),
                Operation::Hurry => {
                    stage.is_urgent = true;
                    stage.try_open();
                }
            }
            stage.check();
        }
        stage.finish();
    }
}

#[test]
fn a_host_that_registered_nothing_has_nothing_to_adopt_once_the_barrier_opens() {
    let mut stage = Stage::new(0, 0, 0);
    stage.listed();
    (0..CONTAINERS).for_each(|container| stage.look(container));
    stage.known();
    assert!(!stage.adoption.is_open(), "they have not proved themselves");
    (0..CONTAINERS).for_each(|container| stage.probe(container, Verdict::Up));
    assert!(stage.adoption.is_open() && stage.adoption.has_ended());
}

#[test]
fn an_end_that_was_heard_before_the_barrier_opened_is_remembered_until_the_zone_has_been_read() {
    let mut stage = Stage::new(0b1, 0, 0b1110);
    stage.known();
    stage.die(0, true);
    stage.listed();
    assert!(stage.adoption.is_open() && !stage.adoption.has_ended(), "a read is to come");
    stage.start(0, true);
    stage.look(0);
    stage.found();
    assert_eq!(stage.lifecycles[&id(0)].wanted(), []);
    assert!(stage.adoption.has_ended());
}

#[test]
fn one_that_cannot_be_looked_at_is_held_until_it_can_or_is_gone() {
    let mut stage = Stage::new(0b11, 0b11, 0b1100);
    stage.known();
    stage.listed();
    stage.wait(BARRIER.as_secs());
    assert_eq!(stage.adoption.held().count(), 2);
    stage.look(0);
    assert_eq!(stage.adoption.held().count(), 1);
    stage.die(1, false);
    stage.listed();
    assert_eq!(stage.adoption.held().count(), 0);
    assert!(stage.adoption.has_ended());
}

#[test]
fn what_is_read_again_after_the_end_is_not_adopted() {
    let mut stage = Stage::new(0b1, 0, 0b1110);
    stage.listed();
    stage.die(0, true);
    stage.found();
    assert!(stage.adoption.has_ended());
    stage.start(0, false);
    stage.found();
    stage.look(0);
    assert_eq!(stage.lifecycles[&id(0)].wanted(), []);
}

fn seen(container: u64, check: EffectiveCheck) -> Lifecycle {
    let mut sight = sight(container, 1);
    sight.offers[0].check = check;
    step(Lifecycle::default(), Event::Seen { as_of: Seq(1), sight: Box::new(sight) })
}

fn step(machine: Lifecycle, event: Event) -> Lifecycle {
    machine.step(event, Moment::after(secs(1_000))).0
}

#[test]
fn what_was_registered_of_a_container_that_the_list_lacks_is_over_once_the_zone_is_known() {
    let mut adoption = Adoption::new(registrant("i-0a"));
    assert_eq!(adoption.on_known(&sets(0b11), true, |_| false).unwrap().gone, [], "there is no list");
    adoption.on_listed(&BTreeSet::from([id(1)]), Moment::after(secs(1_000)));
    let runs = |it: &ContainerId| *it == id(0);
    assert_eq!(adoption.on_known(&sets(0b11), true, runs).unwrap().gone, [], "it was inspected");
    assert_eq!(adoption.on_known(&sets(0b11), true, |_| false).unwrap().gone, [id(0)]);
    assert_eq!(adoption.held().map(|(id, _)| id.clone()).collect::<Vec<_>>(), [id(1)]);
}

#[test]
fn before_the_barrier_a_container_is_over_once_it_wants_nothing_and_nothing_can_speak_for_it() {
    let mut adoption = Adoption::new(registrant("i-0a"));
    let (wants, waits) = (seen(0, EffectiveCheck::None), seen(0, EffectiveCheck::Tcp));
    let died = step(waits.clone(), Event::Died { at: Seq(2), time: at(500) });
    assert!(adoption.is_over(None) && adoption.is_over(Some(&died)));
    assert!(!adoption.is_over(Some(&wants)));
    assert!(!adoption.is_over(Some(&waits)), "the zone may hold what speaks for it");
    adoption.on_known(&[], true, |_| true);
    assert!(adoption.is_over(Some(&waits)) && !adoption.is_over(Some(&wants)));
    adoption.open().unwrap();
    assert!(!adoption.is_over(Some(&died)), "all has been said");
}

#[test]
fn what_was_registered_at_a_port_that_another_has_now_is_never_told() {
    let taken = |keeps| {
        let endpoint = sight(0, 1).offers[0].endpoint();
        Event::Taken(BTreeMap::from([(endpoint, Taken { by: id(9), why: Why::Serves, keeps })]))
    };
    // Another service of it waits for its check.
    let two = || {
        let mut sight = sight(0, 1);
        sight.offers.push(offer("_api._tcp", 9_000, EffectiveCheck::Tcp));
        step(Lifecycle::default(), Event::Seen { as_of: Seq(1), sight: Box::new(sight) })
    };
    let told = |keeps, machine| {
        let mut adoption = Adoption::new(registrant("i-0a"));
        adoption.on_known(&sets(0b1), true, |_| true);
        let taken = step(machine, taken(keeps));
        let told = adoption.tell(&id(0), &taken);
        // It is free again, and who had it has answered its probes.
        let later = adoption.tell(&id(0), &step(taken, Event::Taken(BTreeMap::new())));
        (told.len(), later.len())
    };
    let all = sets(0b1).len();
    assert_eq!((told(false, two()), told(true, two())), ((0, 0), (all, 0)));
    assert_eq!(told(false, seen(0, EffectiveCheck::Tcp)), (0, 0));
}

#[test]
fn a_late_read_holds_nothing_of_a_container_that_a_list_has_lacked_since() {
    for dies in [false, true] {
        let mut stage = Stage::new(0b1, 0, 0b1110);
        stage.known();
        stage.listed();
        stage.wait(BARRIER.as_secs());
        assert!(stage.adoption.is_open());
        if dies {
            stage.die(0, false);
        }
        stage.listed();
        stage.found();
        assert_eq!(stage.adoption.held().count(), usize::from(!dies));
    }
}

/// What the address record of a service of this container holds, while nobody has looked at it.
fn held_address(adoption: &Adoption, container: u64) -> Option<String> {
    let mut sets = adoption.held().filter(|(of, _)| **of == id(container)).flat_map(|(_, sets)| sets);
    sets.find(|set| set.kind == RecordType::A).and_then(|set| set.values.first().cloned())
}

#[test]
fn what_is_held_of_a_services_address_is_where_the_host_is_and_where_that_has_not_moved_as_it_was() {
    let at = |address: [u8; 4]| Registrant { address: address.into(), ..registrant("i-0a") };
    let address = |container, value: &str| RecordSet {
        name: "web.sd.internal".into(),
        kind: RecordType::A,
        set_identifier: Some(format!("i-0a:{}:a", id(container))),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![value.into()],
    };
    let known = |host: [u8; 4]| [address(2, "10.0.3.9"), at(host).host_record(), address(1, "10.0.0.6")];
    let held = |adoption: &Adoption| [1, 2].map(|container| held_address(adoption, container).unwrap());
    let told = |adoption: &mut Adoption| match &adoption.tell(&id(1), &seen(1, EffectiveCheck::Tcp))[..] {
        [Event::Registered { at: Registered::Address(own), .. }] => *own,
        told => panic!("{told:?}"),
    };
    // A task may have an address of its own, on a host that stays.
    let mut adoption = Adoption::new(at([10, 0, 0, 7]));
    adoption.on_known(&known([10, 0, 0, 7]), true, |_| true);
    assert_eq!(held(&adoption), ["10.0.0.6", "10.0.3.9"]);
    assert_eq!(told(&mut adoption), Some([10, 0, 0, 6].into()));
    // It has another address when it starts, or comes to have one before anybody has looked; what it wrote may be of one
    // that it had before that.
    let mut adoption = Adoption::new(at([10, 0, 0, 7]));
    adoption.on_known(&known([10, 0, 0, 5]), true, |_| true);
    assert_eq!(held(&adoption), ["10.0.0.7"; 2]);
    adoption.on_moved([10, 0, 0, 8].into());
    assert_eq!(held(&adoption), ["10.0.0.8"; 2]);
    let listed = BTreeSet::from([id(1), id(2)]);
    adoption.on_listed(&listed, Moment::START);
    adoption.open().unwrap();
    adoption.on_moved([10, 0, 0, 9].into());
    assert_eq!(held(&adoption), ["10.0.0.9"; 2]);
    assert_eq!(told(&mut adoption), None);
    // Its own address was written anew before the rest was read.
    for is_late in [false, true] {
        let mut adoption = Adoption::new(at([10, 0, 0, 7]));
        adoption.follow_route();
        adoption.on_listed(&listed, Moment::START);
        if is_late {
            adoption.on_known(&[], false, |_| true);
            adoption.open().unwrap();
            adoption.on_found(&known([10, 0, 0, 7]), 1);
        } else {
            adoption.on_known(&known([10, 0, 0, 7]), true, |_| true);
        }
        assert_eq!(held(&adoption), ["10.0.0.7"; 2], "late: {is_late}");
        assert_eq!(told(&mut adoption), None, "late: {is_late}");
    }
}
