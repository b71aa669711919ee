//! From an event of a real engine to the call at a Route 53 that takes 80 ms a call, and 5 calls a second of the account.
//!
//! A call counts from when it arrives, and what it changes from when it is taken. Route 53's own spreading to its name
//! servers comes after that, and is not the agent's.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use ecssd::record::{Action, Change};
use ecssd_testing::agent::{alone, program};
use ecssd_testing::docker::engine::{Container, Engine};
use ecssd_testing::percentile::percentile;
use ecssd_testing::plot::{Axis, Plot};
use ecssd_testing::process::Process;
use ecssd_testing::route53::served::{Route53, throttled};
use ecssd_testing::route53::wire::Asked;
use ecssd_testing::wait::{unique, wait_at_most};
use tempfile::TempDir;

use crate::events::Events;
use crate::latency::label;
use crate::table::{Table, shares};
use crate::{Plan, say};

const ZONE: &str = "bench.internal";
/// What a call takes.
const SERVICE_TIME: Duration = Duration::from_millis(80);
/// What the account may ask a second. Source: Route 53 quotas.
const CALLS_PER_SECOND: f64 = 5.0;
/// Longer than changes wait for each other: what comes after it finds a quiet agent.
const QUIET: Duration = Duration::from_millis(800);
/// For as many containers as there are: their starts take turns on few cores.
const PATIENCE: Duration = Duration::from_secs(180);
/// Containers at once: those of the promise.
const HERD: usize = 50;

/// When a container's record was asked for, and when it was there; or was to go, and gone.
#[derive(Clone, Copy, Debug)]
struct Moments {
    called: SystemTime,
    taken: SystemTime,
}

#[derive(Debug, Default)]
struct Seen {
    changes: BTreeMap<(String, bool), Moments>,
    calls: usize,
}

/// Measures one by one, then a herd.
pub fn measure(table: &mut Table, engine: &Engine, plan: Plan) {
    let scene = Scene::start(engine);
    say(&format!("Route 53: {} containers one by one", plan.containers));
    let (mut starts, mut stops) = (Waits::default(), Waits::default());
    for _ in 0..plan.containers {
        let one = [scene.create()];
        starts.extend(scene.all(&one, "start"));
        sleep(QUIET);
        stops.extend(scene.all(&one, "stop"));
        sleep(QUIET);
    }
    table.times("Route 53: start → call", &starts.called);
    table.times("Route 53: kill → call", &stops.called);
    table.judged("start-call-spread", "Route 53: start → call, p99 to p50", starts.spread(), "×");
    table.judged("kill-call-spread", "Route 53: kill → call, p99 to p50", stops.spread(), "×");

    say(&format!("Route 53: {HERD} containers at once"));
    let (before, herd) = (scene.calls(), (0..HERD).map(|_| scene.create()).collect::<Vec<_>>());
    let up = scene.all(&herd, "start");
    let down = scene.all(&herd, "stop");
    let calls = scene.calls() - before;
    table.times(&format!("Route 53, {HERD} at once: start → record"), &up.taken);
    table.times(&format!("Route 53, {HERD} at once: kill → no record"), &down.taken);
    table.judged("herd-calls", &format!("Route 53, {HERD} at once: calls"), calls as f64, "calls");
    let p95 = |waits: &Waits| percentile(&waits.taken, 95).as_secs_f64();
    table.judged("herd-start", &format!("Route 53, {HERD} at once: start → record, p95"), p95(&up), "s");
    table.judged("herd-stop", &format!("Route 53, {HERD} at once: kill → no record, p95"), p95(&down), "s");
    let plot =
        Plot::new("Route 53: event → call, and to the record", Axis::logarithmic("ms"), Axis::linear("%"));
    let plot =
        plot.line("1: start → call", shares(&starts.called)).line("1: kill → call", shares(&stops.called));
    let plot = plot.line(&format!("{HERD}: start → record"), shares(&up.taken));
    table.plot(plot.line(&format!("{HERD}: kill → no record"), shares(&down.taken)));
}

/// From the event on.
#[derive(Debug, Default)]
struct Waits {
    called: Vec<Duration>,
    taken: Vec<Duration>,
}

impl Waits {
    fn extend(&mut self, other: Self) {
        self.called.extend(other.called);
        self.taken.extend(other.taken);
    }

    fn spread(&self) -> f64 {
        percentile(&self.called, 99).as_secs_f64() / percentile(&self.called, 50).as_secs_f64()
    }
}

struct Scene {
    engine: Engine,
    events: Events,
    seen: Arc<Mutex<Seen>>,
    agent: Process,
    _state: TempDir,
}

impl Scene {
    fn start(engine: &Engine) -> Self {
        let route53 = Route53::start(ZONE, SERVICE_TIME);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (watching, mut account) = (seen.clone(), Account::default());
        // Judged when the time of the call is over.
        route53.rule(move |asked, _| {
            let spent = !account.affords_one();
            if let Asked::Change(batch) = asked {
                watching.lock().unwrap().note(batch, !spent);
            }
            spent.then(throttled)
        });
        let state = TempDir::new().unwrap();
        let mut command = alone(program());
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.args([ZONE, "--endpoint-url", &route53.url, "--hostname", "web1", "--log-format", "json"]);
        command.args(["--docker-socket", &engine.socket, "--address", &engine.bridge_address().to_string()]);
        command.arg("--state-dir").arg(state.path());
        let agent = Process::start(command);
        agent.says("zone read");
        Self { engine: engine.clone(), events: Events::follow(&engine.socket), seen, agent, _state: state }
    }

    /// A container with one service, checked by a connection, that exits at once when it is asked to.
    fn create(&self) -> Container {
        let name = format!("SERVICE_80_NAME=_{}._tcp", unique("herd"));
        let script = "trap exit TERM; httpd -f -p 80 -h /www & wait";
        self.engine.create(&["-p", "80", "-l", &label(), "-e", &name], &["sh", "-c", script])
    }

    /// Starts or stops all of them at once.
    fn all(&self, containers: &[Container], verb: &str) -> Waits {
        let (event, there) = if verb == "start" { ("start", true) } else { ("kill", false) };
        let orders: Vec<UnixStream> = containers.iter().map(|one| self.order(one, verb)).collect();
        let mut waits = Waits::default();
        for container in containers {
            let (at, change) = wait_at_most(
                PATIENCE,
                verb,
                || self.agent.log(),
                || {
                    let change =
                        self.seen.lock().unwrap().changes.get(&(container.id.clone(), there)).copied();
                    Some((self.events.time(&container.id, event)?, change?))
                },
            );
            waits.called.push(change.called.duration_since(at).unwrap_or_default());
            waits.taken.push(change.taken.duration_since(at).unwrap_or_default());
        }
        for mut order in orders {
            let mut answer = String::new();
            order.read_to_string(&mut answer).unwrap();
            assert_eq!(answer.split(' ').nth(1), Some("204"), "{verb}: {answer}");
        }
        waits
    }

    /// As ECS' agent asks the engine. A client's process for each of them would have the cores for itself.
    fn order(&self, container: &Container, verb: &str) -> UnixStream {
        let mut stream = UnixStream::connect(&self.engine.socket).unwrap();
        write!(stream, "POST /containers/{}/{verb} HTTP/1.0\r\nContent-Length: 0\r\n\r\n", container.id)
            .unwrap();
        stream
    }

    fn calls(&self) -> usize {
        self.seen.lock().unwrap().calls
    }
}

impl Seen {
    fn note(&mut self, batch: &[Change], is_taken: bool) {
        let taken = SystemTime::now();
        self.calls += 1;
        for change in batch.iter().filter(|_| is_taken) {
            let mark = change.set.set_identifier.as_deref().unwrap_or_default();
            if let Some(id) = mark.split(':').nth(1) {
                let key = (id.to_owned(), change.action != Action::Delete);
                self.changes.entry(key).or_insert(Moments { called: taken - SERVICE_TIME, taken });
            }
        }
    }
}

/// What the account has left.
#[derive(Debug)]
struct Account {
    calls: f64,
    at: Instant,
}

impl Default for Account {
    fn default() -> Self {
        Self { calls: CALLS_PER_SECOND, at: Instant::now() }
    }
}

impl Account {
    fn affords_one(&mut self) -> bool {
        let passed = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        self.calls = (self.calls + passed * CALLS_PER_SECOND).min(CALLS_PER_SECOND);
        let affords = self.calls >= 1.0;
        self.calls -= if affords { 1.0 } else { 0.0 };
        affords
    }
}
