//! A whole agent in this process, on the runtime's clock: its actors and its own client, before a scripted Docker
//! and a scripted Route 53.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ecssd::actors::{Dependencies, Exit, Running, start};
use ecssd::change::pacing::Pace;
use ecssd::clock::Clock;
use ecssd::machine::agent::StopPlan;
use ecssd::machine::lifecycle::STOP_BELIEF;
use ecssd::reconcile::writer::Settings;
use ecssd::record::{Change, Owner, RecordSet, RecordType, Registrant};
use ecssd::status::Board;
use tracing_subscriber::layer::SubscriberExt;

use crate::docker::scripted::{NoTasks, ScriptedChecks, ScriptedDocker};
use crate::log::Log;
use crate::notices::ScriptedNotices;
use crate::route53::endpoint::Endpoint;

pub const ZONE: &str = "sd.internal";
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);

/// An agent and all that it touches.
pub struct World {
    pub docker: ScriptedDocker,
    pub checks: ScriptedChecks,
    pub endpoint: Endpoint,
    pub log: Log,
    pub agent: Running,
    _logging: tracing::subscriber::DefaultGuard,
}

impl World {
    /// An agent on an empty host.
    pub async fn start() -> Self {
        Self::start_with(ScriptedDocker::default(), &Endpoint::new(ZONE)).await
    }

    pub async fn start_with(docker: ScriptedDocker, endpoint: &Endpoint) -> Self {
        Self::start_as(docker, endpoint, |_| {}).await
    }

    /// An agent on an empty host that is told what is about to happen to it.
    pub async fn start_told(notices: &ScriptedNotices, plan: StopPlan) -> Self {
        Self::start_as(ScriptedDocker::default(), &Endpoint::new(ZONE), |dependencies| {
            dependencies.notices = Some(Arc::new(notices.clone()));
            dependencies.stop = plan;
        })
        .await
    }

    /// The same as [`World::start_with`], but for what `change` does.
    pub async fn start_as(
        docker: ScriptedDocker,
        endpoint: &Endpoint,
        change: impl FnOnce(&mut Dependencies),
    ) -> Self {
        let log = Log::default();
        let logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()));
        let checks = ScriptedChecks::default();
        let mut dependencies = Dependencies {
            docker: Arc::new(docker.clone()),
            tasks: Arc::new(NoTasks),
            checker: Arc::new(checks.clone()),
            probes_max: 64,
            zone: Arc::new(endpoint.zone()),
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
            stop_belief: STOP_BELIEF,
            follows_route: false,
            signals: None,
            cordons: None,
            once: false,
            fleet: tokio::sync::watch::channel(None).1,
            notices: None,
            stop: StopPlan::default(),
            board: Board::default(),
            clock: Clock::start(),
        };
        change(&mut dependencies);
        let agent = start(dependencies).await.unwrap();
        Self { docker, checks, endpoint: endpoint.clone(), log, agent, _logging: logging }
    }

    /// Lets virtual time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// The ports of a service's records, with their weights.
    pub fn records(&self, name: &str) -> BTreeSet<(u16, i64)> {
        let of_it = |set: &RecordSet| set.kind == RecordType::Srv && set.name == format!("{name}.{ZONE}");
        let sets = self.endpoint.sets().into_iter().filter(of_it);
        sets.map(|set| (set.values[0].split(' ').nth(2).unwrap().parse().unwrap(), set.weight().unwrap()))
            .collect()
    }

    /// How many services are registered.
    pub fn registered(&self) -> usize {
        self.endpoint.sets().iter().filter(|set| set.kind == RecordType::Srv).count()
    }

    /// Whether the agent can do its work, in words.
    pub fn readiness(&self) -> String {
        self.agent.readiness().borrow().to_string()
    }

    /// The batches since there were `before`.
    pub fn batches_since(&self, before: usize) -> Vec<Vec<Change>> {
        self.endpoint.batches().split_off(before)
    }

    /// Waits for the agent's end, in virtual time.
    pub async fn ended(&mut self) -> Exit {
        tokio::time::timeout(Duration::from_secs(3_600), self.agent.ended()).await.expect("the agent ends")
    }
}
