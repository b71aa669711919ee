//! One agent's side of the world: all that a process sees and does goes through here, and ends with it.
//!
//! `kill -9` can hit at each of these places, before or after it: there the world learns what the process did.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{LazyLock, MutexGuard};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use ecssd::container::convention::{AllowedNames, Protocol, Scope, parse};
use ecssd::container::event::{DockerEvent, Happening, Listed};
use ecssd::container::offer::At;
use ecssd::container::{self, Binding, Container, Network, Timestamp};
use ecssd::edge::check::{CheckError, Checker};
use ecssd::edge::engine::{Docker, DockerError, Nobody, Subscription, Tasks, TasksError};
use ecssd::edge::host::AddressUnknown;
use ecssd::edge::host::notices::Sources;
use ecssd::machine::departure::{AskError, Said, Source};
use ecssd::machine::lifecycle::Target;
use ecssd::moment::Moment;
use ecssd::record::ContainerId;
use futures_util::StreamExt;

use super::engine::Told;
use super::host::SECOND;
use super::mutant::Mutant;
use super::scenario::{Notice, Point, SpecCheck, SpecPort};
use super::truth::{Truth, ZONE};
use super::world::{State, World};

/// How long an inspect or a list may take.
const ENGINE_PATIENCE: Duration = Duration::from_secs(10);

/// A process of a host.
#[derive(Clone)]
pub struct Agent {
    pub world: World,
    pub host: usize,
    /// Which of the host's processes, one after the other.
    pub life: u64,
}

impl Agent {
    /// A step at a place where this process could be killed; `None` where it is dead.
    pub fn step(&self, point: Point) -> Option<MutexGuard<'_, State>> {
        let mut state = self.world.lock();
        let of = &mut state.hosts[self.host];
        if of.life != self.life || !of.alive {
            return None;
        }
        if let Some((at, left, down_ms)) = &mut of.fuse
            && *at == point
        {
            if *left == 0 {
                let down_ms = *down_ms;
                state.count("killed at a point");
                state.kill_agent(self.host, down_ms);
                return None;
            }
            *left -= 1;
        }
        Some(state)
    }

    /// The same, where the dead never come back to.
    pub async fn step_or_never(&self, point: Point) -> MutexGuard<'_, State> {
        if let Some(state) = self.step(point) {
            return state;
        }
        std::future::pending().await
    }
}

/// The names that containers may have: those that a [`Truth`] has records of.
static ALLOWED: LazyLock<AllowedNames> = LazyLock::new(|| {
    let addresses = (0..=u8::MAX).map(|service| format!(",s{service}"));
    format!("*._tcp{}", addresses.collect::<String>()).parse().unwrap()
});

fn away() -> DockerError {
    DockerError::Unreachable {
        socket: "simulated".to_owned(),
        kind: Nobody::NotThere,
        reason: "away".to_owned(),
    }
}

fn described(it: &Truth, now: Moment, owner: &str) -> Container {
    let environment = it.environment();
    let scope = Scope::new(ZONE, owner).with_allowed(Some(ALLOWED.clone()));
    let convention = parse(environment.iter().map(String::as_str), [], &scope);
    let shown = it.ports_shown(now) && it.is_published();
    let bound = |port| vec![Binding { address: Ipv4Addr::UNSPECIFIED, port }];
    let bindings = [(80, bound(it.port)), (81, bound(it.port + SECOND))];
    Container {
        id: it.id.clone(),
        name: it.id.short().to_owned(),
        lived_before: it.lives > 1,
        started_at: (it.lives > 0).then(|| Timestamp::from_unix_nanos(it.started_wall)),
        running: match (it.alive, it.paused.is_some()) {
            (true, false) => container::Running::Running,
            (true, true) => container::Running::Paused,
            (false, _) => container::Running::Stopped,
        },
        health: (it.spec.check == SpecCheck::Docker).then_some(it.health),
        health_log: it.log.clone(),
        stop_signal: 15,
        network: match (&it.owner, it.spec.port) {
            (Some(owner), _) => Network::Shared(owner.clone()),
            (None, SpecPort::Host(_)) => Network::Host,
            (None, _) => Network::Published,
        },
        bindings: bindings
            .into_iter()
            .filter(|_| shown)
            .map(|(port, at)| ((port, Protocol::Tcp), at))
            .collect(),
        bound_ipv6: Default::default(),
        unpublished: Default::default(),
        in_ingress: false,
        healthcheck_frozen: false,
        services: convention.services,
        bad_keys: convention.bad_keys,
        ignored: false,
        family: it.family(),
        task_arn: Some(it.task()),
    }
}

/// What has just happened, as the engine tells it.
fn event(told: Told) -> DockerEvent {
    let time = Timestamp::from_unix_nanos(told.wall);
    DockerEvent { id: told.id, happening: told.happening, time, age: Duration::ZERO }
}

#[async_trait]
impl Docker for Agent {
    async fn events(&self) -> Result<Subscription, DockerError> {
        let (past, whole, receiver) = {
            let mut state = self.step_or_never(Point::AskDocker).await;
            if state.hosts[self.host].engine.is_away() {
                return Err(away());
            }
            let (past, whole, receiver) = state.listens(self.host);
            state.court_remembers(self.host, self.life, &past);
            let now = state.now;
            let wall = state.hosts[self.host].wall(now);
            let event = |told: Told| {
                let age = Duration::from_nanos((wall - told.wall).try_into().unwrap_or(0));
                DockerEvent { age, ..event(told) }
            };
            (past.into_iter().map(event).collect(), whole, receiver)
        };
        let live = futures_util::stream::unfold((self.clone(), receiver), |(agent, mut receiver)| async {
            let mut told = receiver.recv().await?;
            let deaf = agent.world.lock().mutant == Mutant::SeesNoPorts;
            while deaf && told.happening == Happening::Rewired {
                told = receiver.recv().await?;
            }
            {
                let mut state = agent.step_or_never(Point::HearDocker).await;
                state.count("Docker event");
                state.court_hears(agent.host, agent.life, &told);
                state.hosts[agent.host].shown.remove(&told.id);
            }
            Some((Ok(event(told)), (agent, receiver)))
        });
        Ok(Subscription { caveats: BTreeSet::new(), past, whole, live: live.boxed() })
    }

    async fn running(&self) -> Result<Vec<Listed>, DockerError> {
        let wait = self.ask_engine().await?;
        let asked = self.world.lock().now;
        tokio::time::sleep(wait.min(ENGINE_PATIENCE)).await;
        let mut state = self.step_or_never(Point::HearDocker).await;
        state.count("list");
        if state.hosts[self.host].engine.is_away() {
            // A mutant takes what does not answer for empty.
            return if state.mutant == Mutant::EmptyEngine { Ok(Vec::new()) } else { Err(away()) };
        }
        if wait > ENGINE_PATIENCE {
            return Err(DockerError::Timeout("/containers/json"));
        }
        let now = state.now;
        let of = &state.hosts[self.host];
        let running = of.containers.values().filter(|it| it.alive);
        let shown = |it: &Truth| match state.mutant {
            Mutant::SeesNoPorts => it.paused.is_some().to_string(),
            _ => of.fingerprint(&it.id, now),
        };
        let listed = |it: &Truth| Listed { id: it.id.clone(), fingerprint: shown(it) };
        let list: Vec<_> = running.map(listed).collect();
        state.court_lists(self.host, self.life, &list, asked);
        Ok(list)
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Option<Container>, DockerError> {
        let wait = self.ask_engine().await?;
        // Some engines answer from what is so at the question, some at the answer.
        let (early, before) = {
            let mut state = self.step_or_never(Point::HearDocker).await;
            if let Some(known) = self.unseen(&mut state, id) {
                return Ok(Some(known));
            }
            (state.hosts[self.host].rng.bool().then_some(state.now), self.look(&mut state, id))
        };
        tokio::time::sleep(wait.min(ENGINE_PATIENCE)).await;
        let mut state = self.step_or_never(Point::HearDocker).await;
        state.count("look");
        if wait > ENGINE_PATIENCE {
            return Err(DockerError::Timeout("an inspect"));
        }
        if state.hosts[self.host].engine.is_away() {
            return Err(away());
        }
        let answer = if early.is_some() { before } else { self.look(&mut state, id) };
        let as_of = early.unwrap_or(state.now);
        let seen = answer.as_ref().map(|(container, life)| (container.running, *life));
        state.court_looks(self.host, self.life, id, seen, as_of);
        if let Some((container, life)) = &answer
            && container.health == Some(container::Health::Healthy)
        {
            state.court_passes(self.host, self.life, id, *life);
        }
        let answer = answer.map(|(container, _)| container);
        Ok(self.misread(&mut state, id, answer))
    }
}

impl Agent {
    /// How long the engine takes for an answer.
    async fn ask_engine(&self) -> Result<Duration, DockerError> {
        let mut state = self.step_or_never(Point::AskDocker).await;
        let (now, mutant) = (state.now, state.mutant);
        let of = &mut state.hosts[self.host];
        let (slow_until, slow) = of.engine.slow;
        if now < slow_until || now < of.engine.hanging_until || of.engine.is_away() {
            of.engine.hindered = now;
        }
        if now < of.engine.hanging_until {
            return Ok(ENGINE_PATIENCE * 2);
        }
        if of.engine.is_away() && mutant != Mutant::EmptyEngine {
            return Err(away());
        }
        let usual = Duration::from_micros(of.rng.u64(500..6_000));
        Ok(if now < slow_until { usual + slow.mul_f64(of.rng.f64()) } else { usual })
    }

    fn look(&self, state: &mut State, id: &ContainerId) -> Option<(Container, u32)> {
        let now = state.now;
        let of = &state.hosts[self.host];
        let it = of.containers.get(id).filter(|it| !it.removed)?;
        Some((described(it, now, &of.owner), it.lives))
    }
}

#[async_trait]
impl Tasks for Agent {
    async fn address(&self, _id: &ContainerId) -> Result<Option<Ipv4Addr>, TasksError> {
        Ok(None)
    }

    async fn is_to_stop(&self, _id: &ContainerId) -> Result<bool, TasksError> {
        Ok(false)
    }
}

#[async_trait]
impl Sources for Agent {
    fn polled(&self) -> Vec<Source> {
        match self.world.lock().hosts[self.host].route.is_followed {
            true => vec![Source::Cluster],
            false => vec![Source::Spot, Source::Scaling, Source::Cluster],
        }
    }

    async fn ask(&self, source: Source) -> Result<Said, AskError> {
        let mut state = self.step_or_never(Point::AskDocker).await;
        state.count("notices asked for");
        let now = state.now;
        let of = &mut state.hosts[self.host];
        if now < of.imds_away_until {
            return Err(AskError::Away("no answer in time".to_owned()));
        }
        if source == Source::Spot {
            let end =
                of.notice.filter(|(notice, _)| matches!(notice, Notice::Spot { .. })).map(|(_, end)| end);
            if of.believed_end.take().is_some() && end.is_none() {
                of.containers.values_mut().for_each(|it| it.reason = now);
            }
            of.believed_end = end;
        }
        let Some((notice, end)) = of.notice else { return Ok(Said::Nothing) };
        let tasks = of.containers.values().filter(|it| it.is_task()).map(Truth::task).collect();
        let what = "simulated".to_owned();
        Ok(match (source, notice) {
            (Source::Spot, Notice::Spot { .. }) => {
                let left = i64::try_from((end - now).as_nanos()).unwrap_or(i64::MAX);
                Said::HostEnds { what, at: Some(Timestamp::from_unix_nanos(of.wall(now) + left)) }
            }
            (Source::Scaling, Notice::ScalingIn) => Said::HostEnds { what, at: None },
            (Source::Cluster, Notice::Draining) => Said::TasksEnd { what, tasks },
            _ => Said::Nothing,
        })
    }

    fn address(&self) -> Option<Result<Ipv4Addr, AddressUnknown>> {
        let mut state = self.world.lock();
        let now = state.now;
        let of = &state.hosts[self.host];
        if !of.route.is_followed {
            return None;
        }
        let read = of.route.read(of.address, now);
        state.court_reads_address(self.host, self.life, read);
        if state.mutant == Mutant::StaysWhereItWas {
            return state.court.started_at(self.host, self.life).map(Ok);
        }
        Some(read.ok_or(AddressUnknown))
    }

    fn wall_clock(&self) -> SystemTime {
        let mut state = self.world.lock();
        let now = state.now;
        let nanos = state.hosts[self.host].wall(now);
        SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos.try_into().unwrap_or(0))
    }
}

#[async_trait]
impl Checker for Agent {
    async fn check(&self, target: &Target) -> Result<(), CheckError> {
        let At::Host { mut port } = target.at else { unreachable!("no task has an address of its own here") };
        let mutant = self.world.lock().mutant;
        if mutant == Mutant::OtherPort {
            port += 1;
        }
        let again = (mutant == Mutant::TwoProbes).then(|| self.probe(port, target.timing.timeout));
        let (answer, _) = futures_util::future::join(
            self.probe(port, target.timing.timeout),
            futures_util::future::OptionFuture::from(again),
        )
        .await;
        self.misjudge(mutant, target, answer)
    }
}

impl Agent {
    async fn probe(&self, port: u16, timeout: Duration) -> Result<(), CheckError> {
        let (wait, answer) = {
            let mut state = self.step_or_never(Point::Probe).await;
            state.count("probe");
            state.court_probes(self.host, self.life, port);
            state.answer_of(self.host, port, timeout)
        };
        let asking = Asking { agent: self.clone(), port };
        tokio::time::sleep(wait).await;
        // A process that stood still meanwhile finds its own time over.
        drop(asking);
        let mut state = self.step_or_never(Point::Probe).await;
        state.court_probed(self.host, self.life, port, &answer);
        answer
    }
}

/// A probe in flight; one that is given up ends too.
struct Asking {
    agent: Agent,
    port: u16,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let Agent { world, host, life } = &self.agent;
        world.lock().court_probe_ends(*host, *life, self.port);
    }
}

impl State {
    /// What becomes of a connection to a port of a host.
    fn answer_of(&mut self, host: usize, port: u16, timeout: Duration) -> (Duration, Result<(), CheckError>) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let usual = Duration::from_micros(of.rng.u64(200..3_000));
        let refused = Err(CheckError::Refused("connection refused".to_owned()));
        if now < of.dead_network_until {
            return (timeout, Err(CheckError::TimedOut(timeout)));
        }
        let Some(it) = of.answerer(port, now) else { return (usual, refused) };
        match it.sick {
            // The kernel takes connections for what is frozen, too.
            None => (usual, Ok(())),
            Some(false) => (usual, refused),
            Some(true) => (timeout, Err(CheckError::TimedOut(timeout))),
        }
    }
}
