//! One run: a fleet with one strategy goes through a scenario, event by event, on a clock that is nothing but the time of
//! the next event.

mod begin;

use std::time::Duration;

use ecssd::machine::departure::Source;
use ecssd::moment::Moment;
use ecssd::reconcile::writer::{Answer, Call, Next};

use super::account::Account;
use super::inventory::Host;
use super::others::{ECS_CLIENT_EVERY, ELSEWHERE_EVERY, JANITOR_EVERY, Janitor, Step};
use super::outcome::{Case, Outcome};
use super::strategy::{Kind, Strategy, Told};
use super::timeline::Timeline;

/// When the scenario begins: until then most hosts have read their names once.
const BEGIN: Moment = Moment::after(Duration::from_secs(10_000));
/// How long after the end calls are still counted: questions about what was written come late.
const AFTER: Duration = Duration::from_secs(60);
/// When a fleet that is not through is given up, in ideals and at least.
const GIVEN_UP: (f64, f64) = (12.0, 900.0);

enum Event {
    Tell(usize, Told),
    Wake(usize, u64),
    Answered(usize, u64, Call, Answer),
    Elsewhere,
    EcsClient,
    EcsCheck(usize),
    Janitor,
    JanitorWake,
    JanitorAnswered(Answer),
}

struct Actor {
    strategy: Box<dyn Strategy>,
    /// When its process started: its clock's start.
    born: Moment,
    /// Which of its processes, and which of its wakes, is meant.
    life: u64,
    wake: u64,
    is_idle: bool,
}

struct Run {
    case: Case,
    now: Moment,
    timeline: Timeline<Event>,
    account: Account,
    hosts: Vec<Host>,
    actors: Vec<Actor>,
    janitor: Janitor,
    /// Scenario events that are still to come.
    untold: usize,
    rng: fastrand::Rng,
    outcome: Outcome,
    ended: Option<Moment>,
}

/// Plays it.
pub fn play(case: Case) -> Outcome {
    let mut run = Run::new(case);
    let (ideals, least) = GIVEN_UP;
    let horizon = (case.scenario.ideal(case.fleet, &case.limits) * ideals).max(least);
    let until = BEGIN + Duration::from_secs_f64(horizon);
    while let Some((at, event)) = run.timeline.pop() {
        let over = run.ended.map_or(until, |ended| ended + AFTER);
        if at > over || run.gave_up() {
            break;
        }
        run.now = at;
        run.on_event(event);
    }
    run.outcome.lost = run.account.missing();
    if run.outcome.lost > 0 {
        run.outcome.seconds = (run.account.written_at - BEGIN).as_secs_f64();
    }
    run.outcome
}

impl Run {
    fn hint(&self) -> Option<u32> {
        self.case.is_known.then(|| u32::try_from(self.hosts.len()).expect("hosts are counted in 32 bits"))
    }

    fn at(&mut self, at: Moment, event: Event) {
        self.timeline.push(at, event);
    }

    /// Whether those who are not through have nothing more to do.
    fn gave_up(&self) -> bool {
        self.case.kind != Kind::Ours
            && self.ended.is_none()
            && self.untold == 0
            && self.actors.iter().all(|actor| actor.is_idle)
    }

    fn is_on(&self) -> bool {
        self.now >= BEGIN && self.ended.is_none()
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Tell(host, told) => {
                self.untold -= 1;
                self.tell(host, told);
            }
            Event::Wake(host, wake) if self.actors[host].wake == wake => self.pump(host),
            Event::Wake(..) => {}
            Event::Answered(host, life, call, answer) => {
                if self.actors[host].life == life {
                    let now = self.local(host);
                    self.actors[host].strategy.on_answer(call, answer, now);
                    self.pump(host);
                }
            }
            Event::Elsewhere => {
                let answered = self.account.change_elsewhere(self.now);
                if self.is_on() {
                    self.outcome.elsewhere.add(answered);
                }
                self.at(self.now + ELSEWHERE_EVERY, Event::Elsewhere);
            }
            Event::EcsClient => {
                let answered = self.account.ask_ecs(self.now);
                if self.is_on() {
                    self.outcome.ecs_client.add(answered);
                }
                self.at(self.now + ECS_CLIENT_EVERY, Event::EcsClient);
            }
            Event::EcsCheck(host) => {
                self.account.ask_ecs(self.now);
                self.outcome.calls.ecs += usize::from(self.now >= BEGIN);
                self.at(self.now + Source::Cluster.period(self.hint()), Event::EcsCheck(host));
            }
            Event::Janitor => {
                self.janitor.begin();
                self.clean();
                self.at(self.now + JANITOR_EVERY, Event::Janitor);
            }
            Event::JanitorWake => self.clean(),
            Event::JanitorAnswered(answer) => {
                self.janitor.on_answer(answer, self.now, self.rng.f64());
                self.clean();
            }
        }
    }

    fn tell(&mut self, host: usize, told: Told) {
        let is_new = self.case.scenario.is_new();
        let actor = &mut self.actors[host];
        if is_new || matches!(told, Told::Restarted) {
            (actor.born, actor.life) = (self.now, actor.life + 1);
        }
        let told = match told {
            Told::Drain(deadline) => Told::Drain(Moment::START + (deadline - actor.born)),
            told => told,
        };
        let now = self.local(host);
        self.actors[host].strategy.tell(told, now);
        self.pump(host);
    }

    fn local(&self, host: usize) -> Moment {
        Moment::START + (self.now - self.actors[host].born)
    }

    fn pump(&mut self, host: usize) {
        let now = self.local(host);
        let actor = &mut self.actors[host];
        let (life, born) = (actor.life, actor.born);
        actor.is_idle = false;
        match actor.strategy.next(now) {
            Next::Call(call) => {
                let (answer, heard) = self.account.answer(&call, self.now);
                self.note(host, &call, &answer);
                self.at(heard, Event::Answered(host, life, call, answer));
            }
            Next::At(at) => {
                actor.wake += 1;
                let wake = actor.wake;
                self.at(born + at.since_start(), Event::Wake(host, wake));
            }
            // What is under way, if anything, brings it back.
            Next::Nothing => actor.is_idle = true,
        }
    }

    /// Counts a call of the fleet, once it has begun.
    fn count(&mut self, host: usize) -> usize {
        let counts = usize::from(self.now >= BEGIN);
        self.outcome.calls.of_host[host] += counts;
        counts
    }

    fn note(&mut self, host: usize, call: &Call, answer: &Answer) {
        let one = self.count(host);
        let calls = &mut self.outcome.calls;
        match call {
            Call::Change(_) => calls.changes += one,
            Call::Read(_) | Call::LookUp(_) => calls.lists += one,
            Call::Status(_) => calls.statuses += one,
        }
        let error = match answer {
            Answer::Changed(answer) | Answer::Status(answer) => answer.as_ref().err(),
            Answer::Listed(answer) => answer.as_ref().err(),
        };
        match error.map(ecssd::zone::ZoneError::kind) {
            Some("throttled") => calls.throttled += one,
            Some("busy") => calls.busy += one,
            _ => {}
        }
        if matches!(answer, Answer::Changed(Ok(_))) {
            let (at, missing) = ((self.account.written_at - BEGIN).as_secs_f64(), self.account.missing());
            self.outcome.curve.push((at, missing));
            if missing == 0 {
                self.outcome.seconds = at;
                self.ended = Some(self.account.written_at);
            }
        }
    }

    fn clean(&mut self) {
        loop {
            match self.janitor.next(self.now) {
                Step::Call(call) => {
                    let (answer, heard) = self.account.answer(&call, self.now);
                    return self.at(heard, Event::JanitorAnswered(answer));
                }
                Step::Ecs(pages) => {
                    let now = self.now;
                    (0..pages).for_each(|_| {
                        self.account.ask_ecs(now);
                    });
                }
                Step::Wait(at) => return self.at(at, Event::JanitorWake),
                Step::Over => return,
            }
        }
    }
}
