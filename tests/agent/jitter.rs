//! Who waits, waits by chance of its own: actors that drew from one seed would wait in step.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use ecssd::container::Container;
use ecssd::container::event::Listed;
use ecssd::edge::engine::{Docker, DockerError, Subscription};
use ecssd::edge::host::notices::Sources;
use ecssd::machine::departure::{AskError, Said, Source};
use ecssd::record::{Change, ContainerId};
use ecssd::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::Endpoint;
use tokio::time::Instant;

/// A Docker, a zone and a source of notices, none of which does what it is asked; it notes when it was.
#[derive(Clone, Default)]
struct Refusing(Arc<Mutex<BTreeMap<&'static str, Vec<Instant>>>>);

impl Refusing {
    fn note(&self, who: &'static str) {
        self.0.lock().unwrap().entry(who).or_default().push(Instant::now());
    }

    /// How long it took until it was asked for the second time.
    fn first_wait(&self, who: &str) -> Duration {
        let asked = &self.0.lock().unwrap()[who];
        asked[1] - asked[0]
    }
}

#[async_trait]
impl Docker for Refusing {
    async fn events(&self) -> Result<Subscription, DockerError> {
        self.note("docker");
        Err(DockerError::Timeout("/events"))
    }

    async fn running(&self) -> Result<Vec<Listed>, DockerError> {
        Err(DockerError::Timeout("/containers/json"))
    }

    async fn inspect(&self, _id: &ContainerId) -> Result<Option<Container>, DockerError> {
        Err(DockerError::Timeout("/containers/<id>/json"))
    }
}

#[async_trait]
impl Sources for Refusing {
    fn polled(&self) -> Vec<Source> {
        vec![Source::Cluster]
    }

    async fn ask(&self, _source: Source) -> Result<Said, AskError> {
        self.note("cluster");
        Err(AskError::Away("away".to_owned()))
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

#[async_trait]
impl Zone for Refusing {
    fn name(&self) -> &str {
        ZONE
    }

    fn id(&self) -> &str {
        "refusing"
    }

    async fn change(&self, _batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        Err(ZoneError::Throttled("refused".to_owned()))
    }

    async fn list(&self, _start: Option<&ListStart>, _max_items: usize) -> Result<Page, ZoneError> {
        self.note("zone");
        Err(ZoneError::Throttled("refused".to_owned()))
    }

    async fn change_status(&self, _id: &str) -> Result<ChangeInfo, ZoneError> {
        Err(ZoneError::Throttled("refused".to_owned()))
    }
}

/// What the DockerWatcher, the HostWatcher and the Route53Writer draw first, 0 to 1, by what they wait.
async fn first_draws(seed: u64) -> [f64; 3] {
    let refusing = Refusing::default();
    let world = World::start_as(ScriptedDocker::default(), &Endpoint::new(ZONE), |dependencies| {
        dependencies.docker = Arc::new(refusing.clone());
        dependencies.notices = Some(Arc::new(refusing.clone()));
        dependencies.zone = Arc::new(refusing.clone());
        dependencies.writer.seed = seed;
    })
    .await;
    world.pass(60).await;
    let [docker, cluster, zone] =
        ["docker", "cluster", "zone"].map(|who| refusing.first_wait(who).as_secs_f64());
    // 100 to 200 ms; 30 s, a fifth more or less; up to a second.
    let drawn = [(docker - 0.1) / 0.1, (cluster - 24.0) / 12.0, zone];
    assert!(drawn.iter().all(|drawn| (-0.02..1.02).contains(drawn)), "{drawn:?}");
    drawn
}

#[tokio::test(start_paused = true)]
async fn actors_that_wait_at_once_do_not_wait_in_step() {
    let mut draws = Vec::new();
    for seed in 1..=5 {
        draws.push(first_draws(seed).await);
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        // Two may draw alike by chance, but not again and again.
        let apart = draws.iter().filter(|drawn| (drawn[one] - drawn[other]).abs() > 0.05).count();
        assert!(apart >= 3, "{one} and {other} draw alike: {draws:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_seed_decides_all_that_they_draw() {
    assert_eq!(first_draws(7).await, first_draws(7).await);
    assert_ne!(first_draws(7).await, first_draws(8).await);
}
