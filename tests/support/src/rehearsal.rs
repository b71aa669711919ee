//! A registrar on a stage, for property tests and fuzzing: few containers on few ports, whose news come as
//! the caller likes, and a mirror of what the writer and the probers were told.
//!
//! ## Guarantees that are checked after each step
//!
//! - What was told, output by output, is what the registrar says is wanted, and what its machines say.
//! - After each single output no port is wanted of two containers.
//! - Nothing is told before the barrier opens; the first thing told is everything.
//! - What leaves has weight 0, and nothing of it is wanted once its end is near.
//! - What serves has the weight that an operator gave, or its own.
//! - After a drain all is taken back, and nothing is told any more.
//! - Time, once told, asks for no more of itself.

mod given;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecssd::container::convention::{Answer, Check, Protocol, Scope, Service, ServiceName, Timing};
use ecssd::container::offer::{At, Binder, EffectiveCheck, Endpoint, Offer};
use ecssd::container::{Running, Timestamp};
use ecssd::machine::departure::records::Overruled;
use ecssd::machine::departure::{Leaving, Notice};
use ecssd::machine::lifecycle::{Desired, Event, STOP_BELIEF, Seq, Sight, Target};
use ecssd::machine::probe::Verdict;
use ecssd::machine::publish::{self, Wants};
use ecssd::machine::registrar::{Output, Registrar};
use ecssd::moment::Moment;
use ecssd::record::{ContainerId, Key, Owner, RecordSet, RecordType, Registrant};

use self::given::GivenWeights;
pub use self::given::NAMED;

/// How many containers there are.
pub const CONTAINERS: u8 = 5;
/// How many ports of the host they share.
pub const PORTS: u8 = 3;

/// What a look is to show.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// How many lives the container has had; a life is younger the higher its number.
    pub life: u8,
    /// Which port of the host it has.
    pub port: u8,
    /// Whether its two services need no check.
    pub unchecked: bool,
    /// Whether it runs.
    pub running: Running,
}

/// A registrar and those that it tells.
#[derive(Debug)]
pub struct Rehearsal {
    /// The registrar.
    pub registrar: Registrar,
    now: Moment,
    seq: u64,
    told: Option<Wants>,
    probing: BTreeMap<ContainerId, (Timestamp, Vec<Target>)>,
    /// What was said of records that are not as their lifecycle wants them.
    pub overruled: Vec<Overruled>,
    notice: Notice,
    /// Whether the agent is about to end.
    preparing: bool,
    /// What was registered when the agent was about to end, once that is known.
    registered: Option<BTreeSet<Key>>,
    /// What the zone holds, while nothing was told yet.
    stands: BTreeSet<Key>,
    drained: bool,
    /// Those that a look showed paused.
    paused: BTreeSet<ContainerId>,
    given: GivenWeights,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self {
            registrar: Registrar::new(registrant(), STOP_BELIEF),
            now: Moment::after(Duration::from_secs(1_000)),
            seq: 1,
            told: None,
            overruled: Vec::new(),
            probing: BTreeMap::new(),
            notice: Notice::default(),
            preparing: false,
            registered: None,
            stands: BTreeSet::new(),
            drained: false,
            paused: BTreeSet::new(),
            given: GivenWeights::default(),
        }
    }
}

impl Rehearsal {
    /// What the writer was told, all in all; `None` before the first word.
    pub fn told(&self) -> Option<&Wants> {
        self.told.as_ref()
    }

    /// A look answers that was asked for `late` pieces of news ago.
    pub fn seen(&mut self, container: u8, shown: Shown, late: u8) {
        if shown.running == Running::Paused {
            self.paused.insert(id(container));
        }
        let as_of = Seq(self.seq.saturating_sub(u64::from(late)));
        self.event(container, Event::Seen { as_of, sight: Box::new(sight(container, shown)) });
    }

    /// A look finds nothing.
    pub fn absent(&mut self, container: u8, late: u8) {
        let as_of = Seq(self.seq.saturating_sub(u64::from(late)));
        self.event(container, Event::Absent { as_of });
    }

    /// A signal was sent to this life.
    pub fn killed(&mut self, container: u8, life: u8, signal: u8) {
        self.seq += 1;
        let time = started_at(container, life, 1);
        self.event(container, Event::Killed { at: Seq(self.seq), signal, time, age: Duration::ZERO });
    }

    /// This life ended.
    pub fn died(&mut self, container: u8, life: u8) {
        self.seq += 1;
        let time = started_at(container, life, 2);
        self.event(container, Event::Died { at: Seq(self.seq), time });
    }

    /// Whether a container is asked anything.
    pub fn probes(&self, container: u8) -> bool {
        self.probing.contains_key(&id(container))
    }

    /// A prober has a verdict on what it was told to probe.
    pub fn probed(&mut self, container: u8, up: bool) {
        let Some((life, targets)) = self.probing.get(&id(container)).cloned() else { return };
        let verdict = if up { Verdict::Up } else { Verdict::Down };
        for target in targets {
            self.event(container, Event::Probed { life, target, verdict });
        }
    }

    /// A list of what runs, a bit for each container, that was asked for `late` pieces of news ago.
    pub fn listed(&mut self, containers: u8, late: u8) {
        let as_of = Seq(self.seq.saturating_sub(u64::from(late)));
        let listed: BTreeSet<_> = (0..CONTAINERS).filter(|n| containers & (1 << n) != 0).map(id).collect();
        let outputs = self.registrar.on_listed(&listed, as_of, self.now);
        self.hear(outputs);
    }

    /// The zone holds the records of these containers, a bit for each, at this port.
    pub fn known(&mut self, containers: u8, port: u8) {
        self.stands = keys(&held(containers, port));
        let outputs = self.registrar.on_known(&held(containers, port), false, self.now);
        self.hear(outputs);
    }

    /// The same, when it was read late.
    pub fn found(&mut self, containers: u8, port: u8) {
        self.stands.extend(keys(&held(containers, port)));
        let outputs = self.registrar.on_found(&held(containers, port), 1, self.now);
        self.hear(outputs);
    }

    /// Time passes, and whoever is to be woken is.
    pub fn wait(&mut self, wait: Duration) {
        self.now += wait;
        if self.registrar.wake_at().is_some_and(|at| at <= self.now) {
            let outputs = self.registrar.on_time(self.now);
            self.hear(outputs);
            assert!(self.registrar.wake_at().is_none_or(|at| at > self.now), "to be woken again at once");
        }
    }

    /// A notice says who leaves, and in how many seconds; those before are called off.
    pub fn notice(&mut self, leaving: Leaving, withdraw_in: Option<u8>) {
        let withdraw_at = withdraw_in.map(|seconds| self.now + Duration::from_secs(seconds.into()));
        let notice = Notice { leaving, withdraw_at, reason: "a notice".to_owned() };
        self.notice = notice.clone();
        let outputs = self.registrar.on_notice(notice, self.now);
        assert!(outputs.iter().filter(|output| output.is_want()).count() <= 1, "more than one batch");
        self.hear(outputs);
    }

    /// An operator gives a weight to one of what there is to be [named](NAMED), for so many seconds, or ends that.
    /// Whether that was taken.
    pub fn order(&mut self, named: u8, weight: Option<u8>, lasts: Option<u8>) -> bool {
        let order = given::order(named, weight, lasts);
        let answered = self.registrar.on_order(&order, given::wall(self.now), self.now);
        let Ok((_, outputs)) = answered else { return false };
        assert!(outputs.iter().filter(|output| output.is_want()).count() <= 1, "more than one batch");
        self.given.taken(named, order.wish, self.now);
        self.hear(outputs);
        true
    }

    /// The agent is about to end.
    pub fn prepare_drain(&mut self) {
        if !self.drained && !std::mem::replace(&mut self.preparing, true) {
            self.registered =
                self.told.as_ref().map(|told| told.values().flatten().map(RecordSet::key).collect());
        }
        let outputs = self.registrar.prepare_drain(self.now);
        self.hear(outputs);
    }

    /// The agent ends.
    pub fn drain(&mut self) {
        let deadline = self.now + Duration::from_secs(25);
        let outputs = self.registrar.drain(deadline, self.now);
        let is_first = !std::mem::replace(&mut self.drained, true);
        assert_eq!(outputs.last(), Some(&Output::Drain(deadline)), "the writer does not hear of it");
        assert!(is_first || outputs.len() == 1, "something comes of the end twice");
        self.hear(outputs);
    }

    fn event(&mut self, container: u8, event: Event) {
        let outputs = self.registrar.on_event(&id(container), event, self.now);
        self.hear(outputs);
    }

    fn hear(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Want(id, records) => {
                    assert!(!self.drained, "wants something after the drain");
                    let told = self.told.as_mut().expect("a first word that is not everything");
                    told.insert(id, records);
                }
                Output::WantAll(wants) => {
                    assert!(!self.drained, "wants something after the drain");
                    self.told = Some(wants);
                }
                Output::Drain(_) => self.told = Some(Wants::new()),
                Output::Probe { container, targets, .. } if targets.is_empty() => {
                    self.probing.remove(&container);
                }
                Output::Probe { container, life, targets } => {
                    self.probing.insert(container, (life, targets));
                }
                Output::Overruled(_, overruled) => self.overruled.push(overruled),
                Output::FoundJudged(generation) => {
                    assert!(self.told.is_some() && generation == 1, "judged, before all was told");
                }
                Output::Over(_) => assert!(self.told.is_none(), "over, after all was told"),
                Output::CordonEnded(..)
                | Output::Cordoned(_)
                | Output::Uncordoned(_)
                | Output::KeepCordons(_)
                | Output::InspectTask(_)
                | Output::Decided(..)
                | Output::Moved(..)
                | Output::Ended(_)
                | Output::Held(..)
                | Output::Outlived(..)
                | Output::Signalled(..)
                | Output::Stepped(..)
                | Output::Unproven(..)
                | Output::Waits(..) => {}
            }
            self.check_ports();
        }
        self.check();
    }

    fn check_ports(&self) {
        let mut holders = BTreeMap::new();
        for (id, set) in
            self.told.iter().flatten().flat_map(|(id, sets)| sets.iter().map(move |set| (id, set)))
        {
            if set.kind == RecordType::Srv {
                let udp = set.name.contains("._udp.");
                let holder = holders.insert((udp, set.values.clone()), id);
                assert!(holder.is_none_or(|holder| holder == id), "one port of two containers");
            }
        }
    }

    /// Where a weighted name of a port is wanted, its full name is, whatever the weight; the full name alone only where
    /// a pause has taken the other.
    fn check_names(&self) {
        for (id, sets) in self.told.iter().flatten() {
            let stands = |name: &str| sets.iter().any(|set| set.name == format!("{name}.sd.internal"));
            let (weighted, full) = (stands("_web._tcp"), stands("_web-all._tcp"));
            let paused = full && self.paused.contains(id);
            assert!(weighted == full || paused, "{id} is wanted at one of two names of a port");
        }
    }

    fn check_future(&mut self) {
        if self.preparing && self.registered.is_none() && self.told.is_some() {
            self.registered = Some(self.stands.clone());
        }
        let near = self.notice.withdraw_at.is_some_and(|at| at <= self.now);
        for (id, set) in
            self.told.iter().flatten().flat_map(|(id, sets)| sets.iter().map(move |set| (id, set)))
        {
            // Of which task it is that was not looked at, nobody knows.
            let task = self.registrar.lifecycle(id).and_then(|machine| machine.task());
            let leaves = self.notice.leaving.takes(task);
            assert!(
                !(leaves && near && self.registrar.wake_at().is_none_or(|at| at > self.now)),
                "wanted at its end"
            );
            let weightless = !set.is_of_service() || set.weight().is_none_or(|weight| weight == 0);
            assert!(weightless || !(leaves || self.preparing), "leaves, and has a weight");
            if set.is_of_service() {
                self.given.check(&self.registrar, id, set, leaves || self.preparing, self.now);
            }
            let kept = self.registered.as_ref().is_none_or(|registered| registered.contains(&set.key()));
            assert!(kept, "registered while the agent is about to end");
        }
    }

    fn check(&mut self) {
        self.registrar.check_invariants(self.now);
        if let Some(told) = &mut self.told {
            told.retain(|_, records| !records.is_empty());
        }
        assert_eq!(self.told, self.registrar.wants(), "told something else than is wanted");
        self.check_future();
        self.check_names();
        for container in (0..CONTAINERS).map(id) {
            let probing = self.registrar.lifecycle(&container).and_then(|machine| machine.probing());
            assert_eq!(self.probing.get(&container).cloned(), probing, "probes something else");
        }
        assert!(!self.drained || self.told.as_ref().is_some_and(Wants::is_empty));
    }
}

fn keys(sets: &[RecordSet]) -> BTreeSet<Key> {
    sets.iter().map(RecordSet::key).collect()
}

/// The host.
pub fn registrant() -> Registrant {
    let owner = Owner::new("i-0123456789abcdef0").expect("an instance id is an owner");
    Registrant { owner, zone: "sd.internal".to_owned(), address: [10, 0, 0, 7].into() }
}

/// The id of a container.
pub fn id(container: u8) -> ContainerId {
    format!("{container:064x}").parse().expect("64 hex digits")
}

/// The record sets of a container that is looked at like this, while all of it is healthy.
pub fn records(container: u8, shown: Shown) -> Vec<RecordSet> {
    let sight = sight(container, shown);
    let started_at = sight.started_at;
    let wanted = sight.offers.into_iter().map(|offer| {
        let weight = offer.service.weight;
        ecssd::machine::lifecycle::Wanted { offer, weight, serves: true, started_at }
    });
    let wanted: Vec<_> = wanted.collect();
    publish::records(&registrant(), &id(container), &wanted)
}

/// A moment in a life: its start, then a signal, then its end. Lives of different containers overlap.
fn started_at(container: u8, life: u8, moment: i64) -> Timestamp {
    let life = i64::from(life) * 100 + i64::from(container) * 3;
    Timestamp::from_unix_nanos((life * 10 + moment) * 1_000_000_000)
}

/// What each container offers, at one port: all three kinds of names.
const OFFERED: [(&str, Answer); 5] = [
    ("_web._tcp", Answer::Weighted),
    ("_web-all._tcp", Answer::All),
    ("web", Answer::Address),
    ("_api._tcp", Answer::Weighted),
    ("_log._udp", Answer::Weighted),
];

/// A look at a container. Of every other one Docker publishes the ports, the others are on the host's network.
pub fn sight(container: u8, Shown { life, port, unchecked, running }: Shown) -> Sight {
    let scope = Scope::new("sd.internal", "host");
    let (started_at, at) =
        (started_at(container, life, 0), At::Host { port: 32_768 + u16::from(port % PORTS) });
    let is_published = container.is_multiple_of(2);
    let binder =
        if is_published { Binder::Docker { container: id(container), started_at } } else { Binder::Process };
    let offer = |(name, answer): (&str, Answer)| {
        let (name, protocol) = ServiceName::parse(name, &scope).expect("a name");
        let (check, timing) = (Check::Default, Timing::default());
        let service =
            Service { name, answer, container_port: 80, protocol, weight: 1, ttl: 0, check, timing };
        let check = if unchecked { EffectiveCheck::None } else { EffectiveCheck::Tcp };
        Offer { service, at, binder: binder.clone(), check }
    };
    let endpoint = |protocol| Endpoint { at, protocol };
    let published = [endpoint(Protocol::Tcp), endpoint(Protocol::Udp)];
    Sight {
        started_at,
        lived_before: life > 1,
        running,
        health: None,
        stop_signal: 15,
        log: Vec::new(),
        task: task(container),
        family: None,
        published: published.into_iter().filter(|_| is_published).collect(),
        desired: Desired::Unasked,
        offers: OFFERED.map(offer).to_vec(),
    }
}

/// The task that a container belongs to: every other one belongs to none.
pub fn task(container: u8) -> Option<String> {
    container.is_multiple_of(2).then(|| format!("task/{container}"))
}

/// The tasks of these containers leave, a bit for each; all, where none is named.
pub fn leaving(tasks: Option<u8>) -> Leaving {
    match tasks {
        None => Leaving::Everybody,
        Some(0) => Leaving::Nobody,
        Some(tasks) => {
            let named = (0..CONTAINERS).filter(|n| tasks & (1 << n) != 0);
            Leaving::Tasks(named.filter_map(task).collect())
        }
    }
}

fn held(containers: u8, port: u8) -> Vec<RecordSet> {
    let shown = Shown { life: 0, port, unchecked: false, running: Running::Running };
    let containers = (0..CONTAINERS).filter(|n| containers & (1 << n) != 0);
    containers.flat_map(|container| records(container, shown)).collect()
}
