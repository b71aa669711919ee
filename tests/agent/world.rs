//! The world of an agent under test: a scripted Docker, and a zone in memory that can be made to fail.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ecssd::actors::{Exit, Running, Surroundings, start};
use ecssd::clock::Clock;
use ecssd::machine::stop::StopPlan;
use ecssd::record::{Change, Owner, RecordSet, RecordType, Registrant};
use ecssd::status::Board;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd::zone::pacing::Pace;
use ecssd::zone::writer::Settings;
use ecssd::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};
use tracing_subscriber::layer::SubscriberExt;

use ecssd_testing::docker::scripted::{NoTasks, ScriptedChecks, ScriptedDocker};
use ecssd_testing::log::Log;
use ecssd_testing::notices::ScriptedNotices;

pub const ZONE: &str = "sd.internal";
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);

/// An agent and all that it touches.
pub struct World {
    pub docker: ScriptedDocker,
    pub checks: ScriptedChecks,
    pub zone: ScriptedZone,
    pub log: Log,
    pub agent: Running,
    _logging: tracing::subscriber::DefaultGuard,
}

impl World {
    /// An agent on an empty host.
    pub async fn start() -> Self {
        let zone = EmbeddedZone::in_memory(ZONE, Options::default()).unwrap();
        Self::start_with(ScriptedDocker::default(), zone).await
    }

    pub async fn start_with(docker: ScriptedDocker, zone: EmbeddedZone) -> Self {
        Self::start_as(docker, zone, |_| {}).await
    }

    /// An agent on an empty host that is told what is about to happen to it.
    pub async fn start_told(notices: &ScriptedNotices, plan: StopPlan) -> Self {
        let zone = EmbeddedZone::in_memory(ZONE, Options::default()).unwrap();
        Self::start_as(ScriptedDocker::default(), zone, |surroundings| {
            surroundings.notices = Some(Arc::new(notices.clone()));
            surroundings.stop = plan;
        })
        .await
    }

    /// The same as [`World::start_with`], but for what `change` does.
    pub async fn start_as(
        docker: ScriptedDocker,
        zone: EmbeddedZone,
        change: impl FnOnce(&mut Surroundings),
    ) -> Self {
        let log = Log::default();
        let logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()));
        let (checks, zone) = (ScriptedChecks::default(), ScriptedZone::new(zone));
        let mut surroundings = Surroundings {
            docker: Arc::new(docker.clone()),
            tasks: Arc::new(NoTasks),
            checker: Arc::new(checks.clone()),
            zone: Arc::new(zone.clone()),
            writer: Settings {
                registrant: Registrant {
                    owner: Owner::new("web1").unwrap(),
                    zone: ZONE.into(),
                    address: HOST,
                },
                journal: None,
                read_first: true,
                read_after: Duration::ZERO,
                dry_run: false,
                pace: Pace::LOCAL,
                resync: Duration::from_secs(1_800),
                seed: 7,
            },
            once: false,
            fleet: tokio::sync::watch::channel(None).1,
            notices: None,
            stop: StopPlan::default(),
            board: Board::default(),
            clock: Clock::start(),
        };
        change(&mut surroundings);
        let agent = start(surroundings).await.unwrap();
        Self { docker, checks, zone, log, agent, _logging: logging }
    }

    /// Lets virtual time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// The ports of a service's records, with their weights.
    pub fn records(&self, name: &str) -> BTreeSet<(u16, i64)> {
        let of_it =
            |set: &RecordSet| set.kind == RecordType::Srv && set.key().name == format!("{name}.{ZONE}");
        let sets = self.zone.embedded.snapshot().into_iter().filter(of_it);
        sets.map(|set| (set.values[0].split(' ').nth(2).unwrap().parse().unwrap(), set.weight.unwrap()))
            .collect()
    }

    /// Whether the agent can do its work, in words.
    pub fn readiness(&self) -> String {
        self.agent.readiness().borrow().to_string()
    }

    /// The batches since there were `before`.
    pub fn batches_since(&self, before: usize) -> Vec<Vec<Change>> {
        self.zone.batches().split_off(before)
    }

    /// Waits for the agent's end, in virtual time.
    pub async fn ended(&mut self) -> Exit {
        tokio::time::timeout(Duration::from_secs(3_600), self.agent.ended()).await.expect("the agent ends")
    }
}

/// The embedded zone, which can be made to answer with an error, and which remembers what was deleted.
#[derive(Clone)]
pub struct ScriptedZone {
    pub embedded: EmbeddedZone,
    error: Arc<Mutex<Option<(usize, ZoneError)>>>,
    latency: Arc<Mutex<Duration>>,
    calls: Arc<Mutex<usize>>,
    batches: Arc<Mutex<Vec<Vec<Change>>>>,
}

impl ScriptedZone {
    fn new(embedded: EmbeddedZone) -> Self {
        Self {
            embedded,
            error: Arc::default(),
            latency: Arc::default(),
            calls: Arc::default(),
            batches: Arc::default(),
        }
    }

    /// From now on every call fails like this; `None` to answer again.
    pub fn fail_with(&self, error: Option<ZoneError>) {
        *self.error.lock().unwrap() = error.map(|error| (usize::MAX, error));
    }

    /// So many calls fail like this.
    pub fn fail_times(&self, times: usize, error: ZoneError) {
        *self.error.lock().unwrap() = Some((times, error));
    }

    /// From now on a call is answered this much later.
    pub fn set_latency(&self, latency: Duration) {
        *self.latency.lock().unwrap() = latency;
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        *self.calls.lock().unwrap()
    }

    /// The batches that were applied.
    pub fn batches(&self) -> Vec<Vec<Change>> {
        self.batches.lock().unwrap().clone()
    }

    async fn reach(&self) -> Result<(), ZoneError> {
        *self.calls.lock().unwrap() += 1;
        let latency = *self.latency.lock().unwrap();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match &mut *self.error.lock().unwrap() {
            Some((times, error)) if *times > 0 => {
                *times -= 1;
                Err(error.clone())
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Zone for ScriptedZone {
    fn name(&self) -> &str {
        self.embedded.name()
    }

    fn id(&self) -> &str {
        self.embedded.id()
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        self.reach().await?;
        let info = self.embedded.change(batch).await?;
        self.batches.lock().unwrap().push(batch.to_vec());
        Ok(info)
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.reach().await?;
        self.embedded.list(start, max_items).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        self.reach().await?;
        self.embedded.change_status(id).await
    }
}
