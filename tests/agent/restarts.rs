//! What DNS shows of a container, however its host's agent ends, whatever the container does then, with the journal and
//! without: a table, which docs/operations.md has as it was seen here.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ecssd::actors::Exit;
use ecssd::container::Running;
use ecssd::journal::{Entry, Journal, MemoryJournal, SharedJournal};
use ecssd::record::ContainerId;
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::{ScriptedChecks, ScriptedDocker};
use ecssd_testing::route53::endpoint::Endpoint;
use tokio::runtime::{Builder, Runtime};

/// Set, it has the page written instead of compared.
const RECORD: &str = "ECSSD_TEST_RECORD";
const HEAD: &str =
    "| the agent ends by | a container that | shows | meanwhile | then | and without the journal |";
const SERVICE: &str = "_web._tcp";
const PORT: u16 = 32_001;
/// More events than an engine remembers.
const FORGOTTEN_AFTER: usize = 300;
/// How long no agent runs.
const DOWN: Duration = Duration::from_secs(10);

/// How an agent ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    HandOver,
    Drain,
    Kill,
    Reboot,
    PowerCut,
}

/// What a container does at that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Runs,
    Stops,
    Starts,
    Pauses,
    Loops,
}

const ENDS: [(End, &str); 5] = [
    (End::HandOver, "SIGHUP"),
    (End::Drain, "SIGTERM, a drain"),
    (End::Kill, "`kill -9`"),
    (End::Reboot, "a reboot"),
    (End::PowerCut, "a power cut"),
];

const ALL_DOING: [(Doing, &str); 5] = [
    (Doing::Runs, "runs"),
    (Doing::Stops, "was asked to stop"),
    (Doing::Starts, "has not passed its check yet"),
    (Doing::Pauses, "is paused"),
    (Doing::Loops, "is held for a crash loop"),
];

/// What outlives an agent.
struct Host {
    docker: ScriptedDocker,
    checks: ScriptedChecks,
    zone: Endpoint,
    journal: SharedJournal,
    container: ContainerId,
}

impl Host {
    fn new() -> Self {
        let docker = ScriptedDocker::default();
        let container = docker.start(1, SERVICE, PORT);
        let journal = SharedJournal::new(Box::<MemoryJournal>::default(), true);
        Self { docker, checks: ScriptedChecks::default(), zone: Endpoint::new(ZONE), journal, container }
    }

    /// An agent of this host.
    async fn agent(&self) -> World {
        let (checks, journal) = (self.checks.clone(), self.journal.clone());
        World::start_as(self.docker.clone(), &self.zone, |dependencies| {
            dependencies.checker = Arc::new(checks);
            dependencies.signals = Some(journal.clone());
            dependencies.writer.journal = Some(journal);
            dependencies.writer.read_first = false;
        })
        .await
    }

    /// The container comes to do this.
    async fn bring_about(&self, doing: Doing, world: &World) {
        if doing == Doing::Starts {
            self.checks.fail(PORT);
        }
        world.pass(5).await;
        match doing {
            Doing::Runs | Doing::Starts => {}
            Doing::Stops => self.docker.kill(&self.container, 15),
            Doing::Pauses => self.docker.change(&self.container, |it| it.running = Running::Paused),
            Doing::Loops => {
                for _ in 0..6 {
                    self.docker.die(&self.container);
                    world.pass(1).await;
                    self.docker.start_again(&self.container, PORT);
                    world.pass(1).await;
                }
            }
        }
        world.pass(10).await;
    }

    /// The machine starts anew, and Docker on it whatever nobody asked to stop.
    fn boot(&self, doing: Doing) {
        self.docker.die(&self.container);
        self.docker.restart();
        if doing != Doing::Stops {
            self.docker.start_again(&self.container, PORT);
        }
    }

    /// What the next agent is given of what this one wrote.
    fn turn_page(&mut self, end: End, is_lost: bool) {
        let entries = self.journal.load().0;
        let mut memory = MemoryJournal::new(match end {
            End::HandOver | End::Drain | End::Kill => entries,
            // While the machine was down, anything may have happened to them.
            End::Reboot | End::PowerCut => entries.into_iter().map(doubted).collect(),
        });
        for (container, signals) in self.journal.signals() {
            memory.record_signals(&container, Some(&signals));
        }
        // The end of what was written may be lost with the power.
        let is_whole = !is_lost && end != End::PowerCut;
        let memory = if is_lost { MemoryJournal::default() } else { memory };
        self.journal = SharedJournal::new(Box::new(memory), is_whole);
    }
}

fn doubted((key, state): Entry) -> Entry {
    (key, state.doubted())
}

/// What is shown of the service.
fn shown(world: &World) -> String {
    let records = world.records(SERVICE);
    assert!(records.len() <= 1 && records.iter().all(|(port, _)| *port == PORT), "{records:?}");
    records.first().map_or_else(|| "no record".to_owned(), |(_, weight)| format!("weight {weight}"))
}

/// All that is shown of it, one after the other, for so long.
async fn watched(world: &World, seconds: u64) -> String {
    let mut seen = vec![shown(world)];
    for _ in 0..seconds * 100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        seen.push(shown(world));
    }
    seen.dedup();
    seen.join(", then ")
}

fn process() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// What is shown before an agent ends so, while none runs, and once the next one does.
fn seen(end: End, doing: Doing, is_lost: bool) -> [String; 3] {
    let mut host = Host::new();
    let first = process();
    let (before, meanwhile) = first.block_on(async {
        let mut world = host.agent().await;
        host.bring_about(doing, &world).await;
        let before = shown(&world);
        match end {
            End::HandOver => {
                world.agent.hand_over();
                assert_eq!(world.ended().await, Exit::HandedOver);
            }
            End::Drain | End::Reboot => {
                world.agent.drain();
                assert_eq!(world.ended().await, Exit::Drained);
            }
            End::Kill | End::PowerCut => {}
        }
        (before, shown(&world))
    });
    // Nothing of a process goes on without its runtime, whatever it was about to do.
    drop(first);
    host.turn_page(end, is_lost);
    host.docker.bustle(FORGOTTEN_AFTER);
    if matches!(end, End::Reboot | End::PowerCut) {
        host.boot(doing);
    }
    let after = process().block_on(async {
        tokio::time::sleep(DOWN).await;
        let world = host.agent().await;
        assert_eq!(shown(&world), meanwhile, "nobody wrote");
        let said = watched(&world, 20).await;
        match said.strip_prefix(&format!("{meanwhile}, then ")) {
            Some(rest) => rest.to_owned(),
            None => format!("still {said}"),
        }
    });
    [before, meanwhile, after]
}

fn table() -> String {
    let mut lines = vec![HEAD.to_owned(), "|---|---|---|---|---|---|".to_owned()];
    for (end, end_text) in ENDS {
        for (doing, doing_text) in ALL_DOING {
            let [before, meanwhile, after] = seen(end, doing, false);
            let [_, _, without] = seen(end, doing, true);
            let without = if without == after { "the same".to_owned() } else { without };
            lines.push(format!(
                "| {end_text} | {doing_text} | {before} | {meanwhile} | {after} | {without} |"
            ));
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_page_says_what_dns_shows_of_a_container_over_each_end_of_the_agent() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = fs::read_to_string(&path).unwrap();
    let rest = &page[page.find(HEAD).expect("the page has this table")..];
    let there: String = rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
    let table = table();
    if std::env::var_os(RECORD).is_some() {
        fs::write(&path, page.replace(&there, &table)).unwrap();
        return;
    }
    assert!(there == table, "docs/operations.md has another table; with {RECORD}=1 it is written:\n{table}");
}
