//! From an event of the engine to what DNS answers.
//!
//! Every container offers two services under names of their own, one with the TCP check and one with none:
//! one start gives a figure for either. A name is asked for without pause from the moment at which its event
//! was seen here, so a figure is too long by the way of one answer and its pause: well under 1 ms for one
//! container, a few for many at once.

use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use ecssd_testing::agent::Agent;
use ecssd_testing::dns::Client;
use ecssd_testing::docker::engine::{Container, Engine};
use ecssd_testing::wait::{PATIENCE, unique};
use hickory_server::proto::rr::Name;

use crate::events::Events;

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_micros(200);
/// How often the longest wait is granted for many containers: their starts take turns on few cores.
const HERD_PATIENCE: u32 = 6;

/// What a container does when it is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It goes on serving for a second.
    Lingers,
    /// It exits at once.
    Exits,
}

/// An agent, an engine with its events, and someone who asks.
#[derive(Debug)]
pub struct Bench {
    engine: Engine,
    events: Events,
    client: Client,
    pub agent: Agent,
}

/// What was measured of containers one after another.
#[derive(Debug, Default)]
pub struct Lives {
    pub unchecked: Vec<Duration>,
    pub checked: Vec<Duration>,
    pub withdrawn: Vec<Duration>,
}

impl Lives {
    pub fn extend(&mut self, other: Self) {
        self.unchecked.extend(other.unchecked);
        self.checked.extend(other.checked);
        self.withdrawn.extend(other.withdrawn);
    }
}

/// Containers that run, and what was measured of their start.
#[derive(Debug)]
pub struct Herd {
    members: Vec<Member>,
    pub unchecked: Vec<Duration>,
    pub checked: Vec<Duration>,
    pub all_answer: Duration,
}

/// What was measured of their end.
#[derive(Debug)]
pub struct Stopped {
    pub withdrawn: Vec<Duration>,
    pub all_gone: Duration,
}

#[derive(Debug)]
struct Member {
    container: Container,
    unchecked: Name,
    checked: Name,
}

/// A name that is to be answered, or no more, after an event of its container.
#[derive(Debug)]
struct Wait<'a> {
    container: &'a str,
    name: &'a Name,
    event: Option<SystemTime>,
    done: Option<SystemTime>,
}

impl Wait<'_> {
    fn took(&self) -> Duration {
        let (event, done) = (self.event.unwrap(), self.done.unwrap());
        done.duration_since(event).unwrap_or_default()
    }
}

impl Bench {
    pub fn new(engine: &Engine, agent: Agent) -> Self {
        let (events, client) = (Events::follow(&engine.socket), Client::new(agent.dns()));
        Self { engine: engine.clone(), events, client, agent }
    }

    pub fn one_by_one(&mut self, count: usize, end: End) -> Lives {
        let mut lives = Lives::default();
        for _ in 0..count {
            let member = self.create(end);
            let waits = self.start(std::slice::from_ref(&member), PATIENCE);
            lives.unchecked.push(waits[0].took());
            lives.checked.push(waits[1].took());
            let waits = self.stop(std::slice::from_ref(&member), PATIENCE);
            lives.withdrawn.push(waits[0].took().max(waits[1].took()));
        }
        lives
    }

    pub fn start_at_once(&mut self, count: usize) -> Herd {
        let members: Vec<Member> = (0..count).map(|_| self.create(End::Exits)).collect();
        let waits = self.start(&members, PATIENCE * HERD_PATIENCE);
        let unchecked = waits.iter().step_by(2).map(Wait::took).collect();
        let checked = waits.iter().skip(1).step_by(2).map(Wait::took).collect();
        let all_answer = span(&waits);
        Herd { members, unchecked, checked, all_answer }
    }

    pub fn stop_at_once(&mut self, herd: &Herd) -> Stopped {
        let waits = self.stop(&herd.members, PATIENCE * HERD_PATIENCE);
        let both = waits.chunks(2).map(|both| both[0].took().max(both[1].took()));
        Stopped { withdrawn: both.collect(), all_gone: span(&waits) }
    }

    fn create(&self, end: End) -> Member {
        let (checked, unchecked) = (unique("checked"), unique("unchecked"));
        let names = [format!("SERVICE_80_NAME={checked}"), format!("SERVICE_81_NAME={unchecked}")];
        let label = label();
        let options = ["-p", "80", "-p", "81", "-l", &label, "-e", &names[0], "-e", &names[1]];
        let options: Vec<&str> = options.into_iter().chain(["-e", "SERVICE_81_CHECK=none"]).collect();
        let on_term = if end == End::Lingers { "sleep 1; exit" } else { "exit" };
        let script = format!("trap '{on_term}' TERM; httpd -f -p 80 -h /www & wait");
        let container = self.engine.create(&options, &["sh", "-c", &script]);
        let full = |name: &str| Name::from_ascii(self.agent.full(name) + ".").unwrap();
        Member { container, unchecked: full(&unchecked), checked: full(&checked) }
    }

    fn start<'a>(&mut self, members: &'a [Member], patience: Duration) -> Vec<Wait<'a>> {
        let commands = self.order(members, &["start"]);
        let waits = self.watch(members, "start", true, patience);
        finish(commands);
        waits
    }

    fn stop<'a>(&mut self, members: &'a [Member], patience: Duration) -> Vec<Wait<'a>> {
        let commands = self.order(members, &["stop", "-t", "5"]);
        let waits = self.watch(members, "kill", false, patience);
        finish(commands);
        waits
    }

    /// `docker VERB CONTAINER` for all of them at once.
    fn order(&self, members: &[Member], verb: &[&str]) -> Vec<Child> {
        let order = |member: &Member| {
            let mut command = self.engine.command(verb);
            command.arg(&member.container.id).stdout(Stdio::null()).spawn().unwrap()
        };
        members.iter().map(order).collect()
    }

    /// Asks for the names of every container to which `action` has happened, until each is `there` or not.
    /// Two waits for each member: the service without a check, and the one with it.
    fn watch<'a>(
        &mut self,
        members: &'a [Member],
        action: &str,
        there: bool,
        patience: Duration,
    ) -> Vec<Wait<'a>> {
        let wait = |member: &'a Member, name: &'a Name| Wait {
            container: &member.container.id,
            name,
            event: None,
            done: None,
        };
        let mut waits: Vec<_> = members
            .iter()
            .flat_map(|member| [wait(member, &member.unchecked), wait(member, &member.checked)])
            .collect();
        let deadline = SystemTime::now() + patience;
        while waits.iter().any(|wait| wait.done.is_none()) {
            for wait in waits.iter_mut().filter(|wait| wait.done.is_none()) {
                wait.event = wait.event.or_else(|| self.events.time(wait.container, action));
                if wait.event.is_some() && self.client.has(wait.name) == there {
                    wait.done = Some(SystemTime::now());
                }
            }
            if SystemTime::now() > deadline {
                let left: Vec<_> = waits.iter().filter(|wait| wait.done.is_none()).collect();
                let log = self.agent.log();
                let last = log.lines().rev().take(10).collect::<Vec<_>>().join("\n");
                panic!("waited in vain after {action}: {left:?}; the log, latest first:\n{last}");
            }
            std::thread::sleep(PAUSE);
        }
        waits
    }
}

/// What the containers of this run are told from others by.
pub fn label() -> String {
    std::env::var("ECSSD_BENCH_RUN").unwrap_or_else(|_| "ecssd-bench".to_owned())
}

/// From the first event to the last name.
fn span(waits: &[Wait<'_>]) -> Duration {
    let first = waits.iter().filter_map(|wait| wait.event).min().unwrap();
    let last = waits.iter().filter_map(|wait| wait.done).max().unwrap();
    last.duration_since(first).unwrap_or_default()
}

fn finish(commands: Vec<Child>) {
    for mut command in commands {
        assert!(command.wait().unwrap().success(), "docker says no");
    }
}
