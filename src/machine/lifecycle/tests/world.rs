//! A container's true world, and the lifecycle that only hears of it: events late, in their order, or not at all;
//! what an engine remembers; inspections before and after all of that; by clocks that step.
//!
//! The reference is what Docker knows; the machine is told what reaches it. Safety is checked after each
//! step, convergence at the end, when one fresh inspection and its verdicts arrive.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::*;
use crate::machine::lifecycle::pause::{WEIGHTLESS_AFTER, WITHDRAWN_AFTER};
use crate::machine::past::{Past, Turn};
use crate::moment::Moment;
use crate::record::testing::id;

/// What may happen, to the container or to the news of it.
#[derive(Clone, Debug)]
enum Step {
    Start,
    Kill(u8),
    Die,
    Pause,
    Unpause,
    Remove,
    Check(container::Health),
    PortsShow(bool),
    Wait(u64),
    /// The next event reaches the agent.
    Deliver,
    /// Or is lost.
    Lose,
    /// The agent's connection is a new one: it hears what the engine remembers.
    Reconnect,
    /// The engine is a new one, and what ran goes on.
    EngineRestart,
    /// The engine's clock steps by so many seconds.
    Jump(i64),
    /// An inspection is asked for; Docker answers it from what is so now, or when the answer arrives.
    AskLook {
        stale: bool,
    },
    AnswerLook,
    /// Likewise a list of what runs, beside the inspections.
    AskList,
    AnswerList,
    Probed {
        life: usize,
        up: bool,
    },
    Registered {
        life: usize,
        weight: u8,
    },
    Drain,
}

#[derive(Clone, Copy, Debug)]
enum News {
    Killed(u8),
    Died,
    Started,
}

/// Something that happened: in which life, and when, by the engine's clock.
#[derive(Clone, Copy, Debug)]
struct Told {
    news: News,
    life: usize,
    wall: i64,
}

/// How many events the engine remembers.
const RING: usize = 6;

/// The truth, and what of it is on its way.
#[derive(Clone, Debug)]
struct World {
    /// Nanoseconds of the agent's clock; each step takes one, so that no two moments are one.
    clock: i64,
    /// By how much Docker's differs.
    offset: i64,
    /// Whether clocks step in this world; in the others events get lost.
    steps: bool,
    /// The starts of its lives; the last one may still run.
    lives: Vec<Timestamp>,
    running: Running,
    removed: bool,
    health: container::Health,
    ports: bool,
    stop_signal: u8,
    events: VecDeque<Told>,
    ring: VecDeque<Told>,
    /// Whether the engine has forgotten something.
    forgot: bool,
    /// Whether it is another one than the agent was connected to last.
    restarted: bool,
    seq: u64,
    look: Option<(Seq, i64, Option<Event>)>,
    list: Option<(Seq, i64, bool)>,
    /// What reaches the agent in this step.
    told: Vec<Event>,
    /// What the engine remembers, in a step in which somebody listens anew.
    remembered: Option<Past>,
    /// The life that the last inspection showed.
    seen: Option<Timestamp>,
    /// Lives whose end the agent was told of by an event or an inspection.
    known_dead: BTreeSet<Timestamp>,
    /// For each life that was told to stop: until when that is to be believed.
    told_to_stop: Vec<(Timestamp, Moment)>,
    drained: bool,
}

impl World {
    fn now(&self) -> Moment {
        Moment::after(Duration::from_nanos(self.clock.unsigned_abs()))
    }

    fn moment(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.clock + self.offset)
    }

    fn happens(&mut self, news: News) {
        let told = Told { news, life: self.lives.len() - 1, wall: self.clock + self.offset };
        self.events.push_back(told);
        self.ring.push_back(told);
        if self.ring.len() > RING {
            self.ring.pop_front();
            self.forgot = true;
        }
    }

    fn is_told_to_stop(&mut self, signal: u8, life: usize, age: Duration) {
        if ![SIGTERM, SIGKILL, self.stop_signal].contains(&signal) {
            return;
        }
        let (meant, until) = (self.lives[life], self.now() + STOP_BELIEF - age);
        match self.told_to_stop.iter_mut().find(|(life, _)| *life == meant) {
            Some((_, earlier)) => *earlier = until.max(*earlier),
            None => self.told_to_stop.push((meant, until)),
        }
    }

    /// The agent listens anew.
    fn remember(&mut self) {
        self.seq += 1;
        self.events.clear();
        let mut past = Past::new(Seq(self.seq), !self.forgot);
        let id = id(1);
        let mut open = Vec::new();
        for Told { news, life, wall } in self.ring.clone() {
            let time = Timestamp::from_unix_nanos(wall);
            let age = Duration::from_nanos((self.clock + self.offset - wall).try_into().unwrap_or(0));
            match news {
                News::Killed(signal) => {
                    past.push(&id, Turn::Killed(signal), time, age);
                    open.push((signal, life, age));
                }
                News::Died => past.push(&id, Turn::Ended, time, age),
                News::Started => past.push(&id, Turn::Started, time, age),
            }
        }
        // Of an end with a start after it nobody can tell whether that start was seen; an inspection will.
        let mut turns = self.ring.iter().filter(|told| !matches!(told.news, News::Killed(_)));
        if let Some(Told { news: News::Died, life, .. }) = turns.next_back() {
            self.known_dead.insert(self.lives[*life]);
        }
        open.retain(|(_, life, _)| life + 1 == self.lives.len() && self.running != Running::Stopped);
        if std::mem::take(&mut self.restarted) {
            self.told_to_stop.clear();
        }
        open.into_iter().for_each(|(signal, life, age)| self.is_told_to_stop(signal, life, age));
        self.remembered = Some(past);
    }

    /// Whether an answer still counts: Docker's client gives up after ten seconds.
    fn answers(&self, asked: i64) -> bool {
        self.clock - asked < 10_000_000_000
    }

    /// Of a life, by its place among all of them.
    fn offers(&self, life: usize) -> Vec<Offer> {
        if !self.ports {
            return Vec::new();
        }
        let port = 32_768 + u16::try_from(life).unwrap() * 3;
        vec![
            offer("_web._tcp", port, EffectiveCheck::Tcp),
            offer("_api._tcp", port + 1, EffectiveCheck::Docker),
            offer("_raw._tcp", port + 2, EffectiveCheck::None),
        ]
    }

    /// A HEALTHCHECK runs every five seconds.
    fn log(&self) -> Vec<Checked> {
        let passed = self.health == container::Health::Healthy;
        let run = |n: i64| Checked { began: Timestamp::from_unix_nanos(n * 5_000_000_000), passed };
        let last = self.clock / 5_000_000_000;
        (last - 4..=last).map(run).collect()
    }

    fn look(&self, as_of: Seq) -> Event {
        let (Some(started_at), false) = (self.lives.last(), self.removed) else {
            return Event::Absent { as_of };
        };
        let sight = Sight {
            started_at: *started_at,
            lived_before: self.lives.len() > 1,
            running: self.running,
            health: Some(self.health),
            stop_signal: self.stop_signal,
            log: self.log(),
            task: None,
            family: None,
            published: BTreeSet::new(),
            desired: Desired::Unasked,
            offers: self.offers(self.lives.len() - 1),
        };
        Event::Seen { as_of, sight: Box::new(sight) }
    }

    fn tell_look(&mut self, look: Event) {
        if let Event::Seen { sight, .. } = &look {
            self.seen = Some(sight.started_at);
            let shown = self.lives.iter().position(|life| *life == sight.started_at).unwrap();
            let over = if sight.running == Running::Stopped { shown + 1 } else { shown };
            self.known_dead.extend(&self.lives[..over]);
        }
        self.told.push(look);
    }

    fn tell(&mut self, Told { news, life, wall }: Told) {
        self.seq += 1;
        let (at, time) = (Seq(self.seq), Timestamp::from_unix_nanos(wall));
        match news {
            News::Died => {
                // An end that looks older than a start that was seen is believed when it is seen.
                if self.seen.is_none_or(|seen| seen <= time) {
                    self.known_dead.insert(self.lives[life]);
                }
                self.told.push(Event::Died { at, time });
            }
            News::Started => self.told.push(Event::Started { at }),
            News::Killed(signal) => {
                self.told.push(Event::Killed { at, signal, time, age: Duration::ZERO });
                self.is_told_to_stop(signal, life, Duration::ZERO);
            }
        }
    }

    fn take(&mut self, step: &Step) {
        self.clock += 1;
        self.told.clear();
        self.remembered = None;
        let alive = self.running != Running::Stopped;
        match *step {
            Step::Start if !alive && !self.removed => {
                self.lives.push(self.moment());
                self.running = Running::Running;
                self.health = container::Health::Starting;
                self.happens(News::Started);
            }
            Step::Kill(signal) if alive => self.happens(News::Killed(signal)),
            Step::Die if alive => {
                self.running = Running::Stopped;
                self.happens(News::Died);
            }
            Step::Pause if self.running == Running::Running => self.running = Running::Paused,
            Step::Unpause if self.running == Running::Paused => self.running = Running::Running,
            Step::Remove if !alive && !self.lives.is_empty() => self.removed = true,
            Step::Check(health) => self.health = health,
            Step::PortsShow(ports) => self.ports = ports,
            Step::Wait(wait) => {
                // No event is on its way for longer than a stop is believed.
                let wait = if self.events.is_empty() { wait } else { wait.min(10) };
                self.clock += i64::try_from(wait).unwrap() * 1_000_000_000;
            }
            Step::Deliver => {
                let told = self.events.pop_front();
                told.into_iter().for_each(|told| self.tell(told));
            }
            Step::Lose if !self.steps => drop(self.events.pop_front()),
            Step::Reconnect => self.remember(),
            Step::EngineRestart => {
                self.ring.clear();
                (self.forgot, self.restarted) = (false, true);
                self.remember();
            }
            // Of what was on its way while the clock stepped, nothing tells the order.
            Step::Jump(seconds) if self.steps && self.events.is_empty() && self.look.is_none() => {
                // No two moments are one.
                self.offset += seconds * 1_000_000_000 + 7;
            }
            Step::AskLook { stale } if self.look.is_none() && self.list.is_none() => {
                let as_of = Seq(self.seq);
                self.look = Some((as_of, self.clock, stale.then(|| self.look(as_of))));
            }
            Step::AnswerLook => {
                let answer = self.look.take().filter(|(_, asked, _)| self.answers(*asked));
                if let Some((as_of, _, shown)) = answer {
                    let look = shown.unwrap_or_else(|| self.look(as_of));
                    self.tell_look(look);
                }
            }
            // Of an inspection and a list that are under way at once, without news between them, nothing tells the order:
            // the end that one of them shows is heard of soon after.
            Step::AskList if self.list.is_none() && self.look.is_none() => {
                self.list = Some((Seq(self.seq), self.clock, alive));
            }
            Step::AnswerList => {
                let answer = self.list.take().filter(|(_, asked, _)| self.answers(*asked));
                if let Some((as_of, _, false)) = answer {
                    self.told.push(Event::Absent { as_of });
                }
            }
            Step::Probed { life, up } if !self.lives.is_empty() => {
                let life = life % self.lives.len();
                let verdict = if up { Verdict::Up } else { Verdict::Down };
                if let Some(offer) = self.offers(life).first() {
                    let of_tcp = Offer { check: EffectiveCheck::Tcp, ..offer.clone() };
                    let target = Target::of(&of_tcp).unwrap();
                    self.told.push(Event::Probed { life: self.lives[life], target, verdict });
                }
            }
            Step::Registered { life, weight } if !self.lives.is_empty() => {
                let port = 32_768 + u16::try_from(life % self.lives.len()).unwrap() * 3;
                let (service, at) = ("_web._tcp.sd.internal".to_owned(), At::Host { port });
                self.told.push(Event::Registered {
                    service,
                    at: Registered::Target { container_port: 80, at },
                    weight,
                });
            }
            Step::Drain => {
                self.drained = true;
                self.told.push(Event::Drain);
            }
            _ => {}
        }
    }
}

impl ReferenceStateMachine for World {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let init = |(stop_signal, steps)| Self {
            clock: 1_000_000_000_000,
            offset: 1_000_000_000_000_000,
            steps,
            lives: Vec::new(),
            running: Running::Stopped,
            removed: false,
            health: container::Health::Starting,
            ports: true,
            stop_signal,
            events: VecDeque::new(),
            ring: VecDeque::new(),
            forgot: false,
            restarted: false,
            seen: None,
            remembered: None,
            seq: 0,
            look: None,
            list: None,
            told: Vec::new(),
            known_dead: BTreeSet::new(),
            told_to_stop: Vec::new(),
            drained: false,
        };
        (prop_oneof![Just(SIGTERM), Just(SIGQUIT)], any::<bool>()).prop_map(init).boxed()
    }

    fn transitions(world: &Self) -> BoxedStrategy<Step> {
        use container::Health;
        let (alive, news) = (world.running != Running::Stopped, !world.events.is_empty());
        let signal = prop_oneof![Just(SIGTERM), Just(SIGQUIT), Just(SIGHUP), Just(SIGKILL)];
        let wait = prop_oneof![4 => Just(1), 1 => Just(20), 1 => Just(60), 1 => Just(131), 1 => Just(3_700)];
        let health = prop_oneof![Just(Health::Healthy), Just(Health::Unhealthy)];
        let ports = prop_oneof![1 => Just(false), 3 => Just(true)];
        let step = prop_oneof![Just(-7_200), Just(-90), Just(5), Just(7_200)];
        let probed = (0..4_usize, any::<bool>()).prop_map(|(life, up)| Step::Probed { life, up });
        let registered = (0..4_usize, 0..3_u8).prop_map(|(life, weight)| Step::Registered { life, weight });
        // What can happen now, so that few steps are in vain.
        let steps = [
            (8, !alive && !world.removed, Just(Step::Start).boxed()),
            (5, alive, signal.prop_map(Step::Kill).boxed()),
            (4, alive, Just(Step::Die).boxed()),
            (2, world.running == Running::Running, Just(Step::Pause).boxed()),
            (3, world.running == Running::Paused, Just(Step::Unpause).boxed()),
            (1, !alive && world.lives.len() > 1 && !world.removed, Just(Step::Remove).boxed()),
            (2, alive, health.prop_map(Step::Check).boxed()),
            (1, alive, ports.prop_map(Step::PortsShow).boxed()),
            (3, true, wait.prop_map(Step::Wait).boxed()),
            (12, news, Just(Step::Deliver).boxed()),
            (1, news && !world.steps, Just(Step::Lose).boxed()),
            (1, true, Just(Step::Reconnect).boxed()),
            (1, alive, Just(Step::EngineRestart).boxed()),
            (1, world.steps, step.prop_map(Step::Jump).boxed()),
            (8, world.look.is_none(), any::<bool>().prop_map(|stale| Step::AskLook { stale }).boxed()),
            (8, world.look.is_some(), Just(Step::AnswerLook).boxed()),
            (3, world.list.is_none(), Just(Step::AskList).boxed()),
            (4, world.list.is_some(), Just(Step::AnswerList).boxed()),
            (3, alive, probed.boxed()),
            (1, alive, registered.boxed()),
            (1, world.lives.len() > 3, Just(Step::Drain).boxed()),
        ];
        let possible = steps.into_iter().filter(|(_, possible, _)| *possible);
        let weighted = possible.map(|(weight, _, step)| (weight, step)).collect();
        proptest::strategy::Union::new_weighted(weighted).boxed()
    }

    fn apply(mut world: Self, step: &Step) -> Self {
        world.take(step);
        world
    }
}

/// The machine, and a world's end that only knows its effects.
#[derive(Debug, Default)]
struct Watched {
    machine: Lifecycle,
    ports: Option<Ports>,
    wanted: Vec<Wanted>,
    probing: Option<(Timestamp, Vec<Target>)>,
    timer: Option<Moment>,
    /// The life that was last seen, where it is paused; and from when to when it was seen so.
    paused: Option<(Timestamp, Moment, Moment)>,
}

impl Watched {
    fn tell(&mut self, event: Event, now: Moment) {
        if let Event::Seen { as_of, sight } = &event
            && !self.machine.outdates(*as_of)
        {
            let known = self.paused.filter(|(life, ..)| *life == sight.started_at);
            let since = known.map_or(now, |(_, since, _)| since);
            self.paused = (sight.running == Running::Paused).then_some((sight.started_at, since, now));
        }
        let (was, health_only) = (self.wanted.clone(), is_of_health(&event) && self.paused.is_none());
        let (machine, effects) = std::mem::take(&mut self.machine).step(event, now);
        self.machine = machine;
        // While it stops nothing is wanted, and what a look shows afterwards begins a pause anew.
        self.paused = self.paused.filter(|_| matches!(self.machine.state(), State::Live(_)));
        for effect in effects {
            match effect {
                Effect::Claim(ports) => {
                    assert_ne!(self.ports, ports, "claimed again what is claimed");
                    self.wanted = ports.as_ref().map(Ports::wanted).unwrap_or_default();
                    self.ports = ports;
                }
                Effect::Probe { life, targets } => {
                    self.probing = Some((life, targets)).filter(|(_, targets)| !targets.is_empty());
                }
                Effect::WakeAt(at) => self.timer = Some(at),
                Effect::Inspect
                | Effect::Decided(_)
                | Effect::Held(_)
                | Effect::Crashed(_)
                | Effect::Unproven(_)
                | Effect::Outlived(_)
                | Effect::Stepped(_) => {}
            }
        }
        assert_eq!(self.ports, self.machine.ports(), "told other ports than the state has");
        assert_eq!(self.wanted, self.machine.wanted(), "told other wants than the state has");
        assert_eq!(self.probing, self.machine.probing(), "told other targets than the state has");
        if let Some(deadline) = self.machine.deadline() {
            assert!(deadline <= now || self.timer == Some(deadline), "nobody wakes it at {deadline:?}");
        }
        if health_only {
            let stays = |old: &Wanted| self.wanted.iter().any(|new| new.offer == old.offer);
            assert!(was.iter().all(stays), "health took back a want");
        }
    }

    fn wake(&mut self, now: Moment) {
        while let Some(at) = self.timer.filter(|at| *at <= now) {
            self.timer = None;
            self.tell(Event::Tick, now.max(at));
        }
    }
}

fn is_of_health(event: &Event) -> bool {
    matches!(event, Event::Probed { .. } | Event::Registered { .. } | Event::Tick)
}

impl StateMachineTest for Watched {
    type SystemUnderTest = Self;
    type Reference = World;

    fn init_test(_: &World) -> Self {
        Self::default()
    }

    fn apply(mut watched: Self, world: &World, _: Step) -> Self {
        watched.wake(world.now());
        for event in &world.told {
            watched.tell(event.clone(), world.now());
        }
        if let Some(past) = &world.remembered {
            let trace = past.traces.get(&id(1)).cloned().unwrap_or_default();
            let restarted = watched.machine.signalled().is_some_and(|signal| past.began_after(signal));
            watched.tell(Event::Remembered { at: past.at, trace, restarted }, world.now());
        }
        watched
    }

    fn check_invariants(watched: &Self, world: &World) {
        let now = world.now();
        for wanted in &watched.wanted {
            assert!(!world.known_dead.contains(&wanted.started_at), "wants a life that is known to be dead");
            let stops = |(life, until): &(Timestamp, Moment)| *life == wanted.started_at && now < *until;
            assert!(!world.told_to_stop.iter().any(stops), "wants a life that was told to stop");
            assert!([0, wanted.offer.service.weight].contains(&wanted.weight));
            let paused = watched.paused.filter(|(life, ..)| *life == wanted.started_at);
            let lasts = paused.map(|(_, since, last)| last - since).unwrap_or_default();
            assert!(lasts < WEIGHTLESS_AFTER || wanted.weight == 0, "a weight after {lasts:?} of a pause");
            assert!(lasts < WITHDRAWN_AFTER, "wanted after {lasts:?} of a pause");
        }
        assert!(!world.drained || watched.ports.is_none(), "claims something after the drain");
        let claims = watched.ports.as_ref().map(|ports| ports.started_at);
        assert!(claims.is_none_or(|life| !world.known_dead.contains(&life)), "claims a port for the dead");
    }

    fn teardown(mut watched: Self, mut world: World) {
        while !world.events.is_empty() {
            world.take(&Step::Deliver);
            world.told.clone().into_iter().for_each(|event| watched.tell(event, world.now()));
        }
        world.take(&Step::PortsShow(true));
        world.take(&Step::Check(container::Health::Healthy));
        for _ in 0..2 {
            watched.tell(world.look(Seq(world.seq)), world.now());
            if let State::Stopping(stopping) = watched.machine.state() {
                world.clock =
                    world.clock.max(i64::try_from(stopping.until().since_start().as_nanos()).unwrap());
                watched.wake(world.now());
            }
        }
        watched.tell(world.look(Seq(world.seq)), world.now());
        // A doubt is over, for what has no check and for what has one.
        for _ in 0..4 {
            world.clock += 20_000_000_000;
            watched.wake(world.now());
            watched.tell(world.look(Seq(world.seq)), world.now());
        }
        if let Some((life, targets)) = watched.probing.clone() {
            for target in targets {
                watched.tell(Event::Probed { life, target, verdict: Verdict::Up }, world.now());
            }
        }
        if let State::Live(Life { hold: Some(hold), .. }) = watched.machine.state() {
            world.clock = world.clock.max(i64::try_from(hold.until.since_start().as_nanos()).unwrap());
            watched.wake(world.now());
        }
        let serves = world.running == Running::Running && !world.drained;
        let expected = if serves { world.offers(world.lives.len() - 1) } else { Vec::new() };
        let wanted: Vec<_> = watched.wanted.iter().map(|wanted| wanted.offer.clone()).collect();
        assert_eq!(wanted, expected, "did not converge");
        assert!(watched.wanted.iter().all(|wanted| wanted.weight == 5));
        assert!(serves || watched.probing.is_none());
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn follows_the_truth_through_any_delivery(sequential 1..60 => Watched);
}
