//! A container's true world, and the lifecycle that only hears of it: late, twice, in any order or not
//! at all.
//!
//! The reference is what Docker knows; the machine is told what reaches it. Safety is checked after each
//! step, convergence at the end, when one fresh look and its verdicts arrive.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::*;

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
    /// An event reaches the agent; it may come again.
    Deliver {
        index: usize,
        again: bool,
    },
    Lose(usize),
    /// A look is asked for; Docker answers it from what is so now, or when the answer arrives.
    AskLook {
        stale: bool,
    },
    AnswerLook,
    /// Likewise a list of what runs, beside the looks.
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
    Killed(u8, i64),
    Died(i64),
}

/// The truth, and what of it is on its way.
#[derive(Clone, Debug)]
struct World {
    /// Nanoseconds of Docker's clock and of the agent's; each step takes one, so that no two moments are one.
    clock: i64,
    /// The starts of its lives; the last one may still run.
    lives: Vec<Timestamp>,
    running: Running,
    removed: bool,
    health: container::Health,
    ports: bool,
    stop_signal: u8,
    stop_timeout: Option<Duration>,
    events: Vec<News>,
    seq: u64,
    look: Option<(Seq, i64, Option<Event>)>,
    list: Option<(Seq, i64, bool)>,
    /// What reaches the agent in this step.
    told: Vec<Event>,
    /// Lives whose end the agent was told of by an event or a look.
    known_dead: BTreeSet<Timestamp>,
    /// For each life that was told to stop: until when that is to be believed.
    told_to_stop: Vec<(Timestamp, Duration)>,
    drained: bool,
}

impl World {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.unsigned_abs())
    }

    fn moment(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.clock)
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
            stop_timeout: self.stop_timeout,
            task: None,
            published: BTreeSet::new(),
            offers: self.offers(self.lives.len() - 1),
        };
        Event::Seen { as_of, sight: Box::new(sight) }
    }

    fn tell_look(&mut self, look: Event) {
        if let Event::Seen { sight, .. } = &look {
            let over = |life: &&Timestamp| **life < sight.started_at || sight.running == Running::Stopped;
            self.known_dead.extend(self.lives.iter().filter(|life| **life <= sight.started_at).filter(over));
        }
        self.told.push(look);
    }

    fn tell(&mut self, news: News) {
        self.seq += 1;
        match news {
            News::Died(clock) => {
                let time = Timestamp::from_unix_nanos(clock);
                self.known_dead.extend(self.lives.iter().rev().find(|life| **life < time));
                self.told.push(Event::Died { at: Seq(self.seq), time, age: Duration::ZERO });
            }
            News::Killed(signal, clock) => {
                let (time, heard) = (Timestamp::from_unix_nanos(clock), self.now());
                let age = Duration::from_nanos((self.clock - clock).unsigned_abs());
                self.told.push(Event::Killed { signal, time, age });
                if [SIGTERM, SIGKILL, self.stop_signal].contains(&signal) {
                    let meant = *self.lives.iter().rev().find(|life| **life < time).unwrap();
                    let patience = self.stop_timeout.unwrap_or_default().max(STOP_TIMEOUT_MIN) + STOP_SLACK;
                    let until = (heard + patience).saturating_sub(age);
                    match self.told_to_stop.iter_mut().find(|(life, _)| *life == meant) {
                        // The first signal counts, in whichever order they are heard of.
                        Some((_, earlier)) => *earlier = until.min(*earlier),
                        None => self.told_to_stop.push((meant, until)),
                    }
                }
            }
        }
    }

    fn take(&mut self, step: &Step) {
        self.clock += 1;
        self.told.clear();
        let alive = self.running != Running::Stopped;
        match *step {
            Step::Start if !alive && !self.removed => {
                self.lives.push(self.moment());
                self.running = Running::Running;
                self.health = container::Health::Starting;
            }
            Step::Kill(signal) if alive => self.events.push(News::Killed(signal, self.clock)),
            Step::Die if alive => {
                self.running = Running::Stopped;
                self.events.push(News::Died(self.clock));
            }
            Step::Pause if self.running == Running::Running => self.running = Running::Paused,
            Step::Unpause if self.running == Running::Paused => self.running = Running::Running,
            Step::Remove if !alive && !self.lives.is_empty() => self.removed = true,
            Step::Check(health) => self.health = health,
            Step::PortsShow(ports) => self.ports = ports,
            Step::Wait(wait) => self.clock += i64::try_from(wait).unwrap() * 1_000_000_000,
            Step::Deliver { index, again } if !self.events.is_empty() => {
                let index = index % self.events.len();
                let news = if again { self.events[index] } else { self.events.remove(index) };
                self.tell(news);
            }
            Step::Lose(index) if !self.events.is_empty() => {
                self.events.remove(index % self.events.len());
            }
            Step::AskLook { stale } if self.look.is_none() => {
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
            Step::AskList if self.list.is_none() => self.list = Some((Seq(self.seq), self.clock, alive)),
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
                    let timing = offer.service.timing;
                    let target = Target { at: offer.at, check: EffectiveCheck::Tcp, timing };
                    self.told.push(Event::Probed { life: self.lives[life], target, verdict });
                }
            }
            Step::Registered { life, weight } if !self.lives.is_empty() => {
                let port = 32_768 + u16::try_from(life % self.lives.len()).unwrap() * 3;
                let (service, at) = ("_web._tcp.sd.internal".to_owned(), At::Host { port });
                self.told.push(Event::Registered { service, container_port: 80, at, weight });
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
        let timeouts = prop_oneof![Just(None), Just(Some(secs(10))), Just(Some(secs(300)))];
        let init = |(stop_signal, stop_timeout)| Self {
            clock: 1_000_000_000_000,
            lives: Vec::new(),
            running: Running::Stopped,
            removed: false,
            health: container::Health::Starting,
            ports: true,
            stop_signal,
            stop_timeout,
            events: Vec::new(),
            seq: 0,
            look: None,
            list: None,
            told: Vec::new(),
            known_dead: BTreeSet::new(),
            told_to_stop: Vec::new(),
            drained: false,
        };
        (prop_oneof![Just(SIGTERM), Just(SIGQUIT)], timeouts).prop_map(init).boxed()
    }

    fn transitions(world: &Self) -> BoxedStrategy<Step> {
        use container::Health;
        let (alive, news) = (world.running != Running::Stopped, !world.events.is_empty());
        let signal = prop_oneof![Just(SIGTERM), Just(SIGQUIT), Just(SIGHUP), Just(SIGKILL)];
        let wait = prop_oneof![4 => Just(1), 1 => Just(20), 1 => Just(60), 1 => Just(131), 1 => Just(320)];
        let health = prop_oneof![Just(Health::Healthy), Just(Health::Unhealthy)];
        let ports = prop_oneof![1 => Just(false), 3 => Just(true)];
        let deliver = (0..8_usize, any::<bool>()).prop_map(|(index, again)| Step::Deliver { index, again });
        let probed = (0..4_usize, any::<bool>()).prop_map(|(life, up)| Step::Probed { life, up });
        let registered = (0..4_usize, 0..3_u8).prop_map(|(life, weight)| Step::Registered { life, weight });
        // What can happen now, so that few steps are in vain.
        let steps = [
            (8, !alive && !world.removed, Just(Step::Start).boxed()),
            (5, alive, signal.prop_map(Step::Kill).boxed()),
            (4, alive, Just(Step::Die).boxed()),
            (1, world.running == Running::Running, Just(Step::Pause).boxed()),
            (4, world.running == Running::Paused, Just(Step::Unpause).boxed()),
            (1, !alive && world.lives.len() > 1 && !world.removed, Just(Step::Remove).boxed()),
            (2, alive, health.prop_map(Step::Check).boxed()),
            (1, alive, ports.prop_map(Step::PortsShow).boxed()),
            (3, true, wait.prop_map(Step::Wait).boxed()),
            (8, news, deliver.boxed()),
            (1, news, (0..8_usize).prop_map(Step::Lose).boxed()),
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
    timer: Option<Duration>,
}

impl Watched {
    fn tell(&mut self, event: Event, now: Duration) {
        let (was, health_only) = (self.wanted.clone(), is_of_health(&event));
        let (machine, effects) = std::mem::take(&mut self.machine).step(event, now);
        self.machine = machine;
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
                Effect::Look
                | Effect::Decided(_)
                | Effect::Held(_)
                | Effect::Unproven(_)
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

    fn wake(&mut self, now: Duration) {
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
        watched
    }

    fn check_invariants(watched: &Self, world: &World) {
        let now = world.now();
        for wanted in &watched.wanted {
            assert!(!world.known_dead.contains(&wanted.started_at), "wants a life that is known to be dead");
            let stops = |(life, until): &(Timestamp, Duration)| *life == wanted.started_at && now < *until;
            assert!(!world.told_to_stop.iter().any(stops), "wants a life that was told to stop");
            assert!([0, wanted.offer.service.weight].contains(&wanted.weight));
        }
        assert!(!world.drained || watched.ports.is_none(), "claims something after the drain");
        let claims = watched.ports.as_ref().map(|ports| ports.started_at);
        assert!(claims.is_none_or(|life| !world.known_dead.contains(&life)), "claims a port for the dead");
    }

    fn teardown(mut watched: Self, mut world: World) {
        world.take(&Step::PortsShow(true));
        world.take(&Step::Check(container::Health::Healthy));
        // The first look may show a stop timeout that was not known, and so a later survival.
        for _ in 0..2 {
            watched.tell(world.look(Seq(world.seq)), world.now());
            if let State::Stopping(stopping) = watched.machine.state() {
                world.clock = world.clock.max(i64::try_from(stopping.until().as_nanos()).unwrap());
                watched.wake(world.now());
            }
        }
        watched.tell(world.look(Seq(world.seq)), world.now());
        if let Some((life, targets)) = watched.probing.clone() {
            for target in targets {
                watched.tell(Event::Probed { life, target, verdict: Verdict::Up }, world.now());
            }
        }
        if let State::Live(Life { held_until: Some(until), .. }) = watched.machine.state() {
            world.clock = world.clock.max(i64::try_from(until.as_nanos()).unwrap());
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
