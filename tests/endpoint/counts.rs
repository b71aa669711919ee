//! What a whole agent costs the account: calls and changes at a start, in a rush and in a drain.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ecssd::actors::{Exit, Running, Surroundings, start};
use ecssd::clock::Clock;
use ecssd::machine::stop::StopPlan;
use ecssd::record::{Owner, RecordType, Registrant};
use ecssd::status::Board;
use ecssd::zone::journal::{MemoryJournal, SharedJournal};
use ecssd::zone::pacing::Pace;
use ecssd::zone::writer::Settings;

use super::api::{Count, Endpoint};
use ecssd_testing::docker::scripted::{NoTasks, ScriptedChecks, ScriptedDocker};

/// With the owner, a host name that makes `1 1 32768 <host name>` 57 characters.
pub const ZONE: &str = "service.production.internal";
const OWNER: &str = "i-0123456789abcdef0";
/// How many such values go into a call: 32,000 characters, less room for addresses.
const A_CALL: usize = 560;

/// A whole agent before an endpoint.
pub struct Whole {
    pub docker: ScriptedDocker,
    pub endpoint: Endpoint,
    pub agent: Running,
}

impl Whole {
    pub async fn start(docker: ScriptedDocker) -> Self {
        let journal = SharedJournal::new(Box::<MemoryJournal>::default(), true);
        Self::start_with(docker, &Endpoint::new(ZONE), &journal, StopPlan::default()).await
    }

    pub async fn start_with(
        docker: ScriptedDocker,
        endpoint: &Endpoint,
        journal: &SharedJournal,
        stop: StopPlan,
    ) -> Self {
        let registrant = Registrant {
            owner: Owner::new(OWNER).unwrap(),
            zone: ZONE.into(),
            address: Ipv4Addr::new(10, 123, 145, 167),
        };
        assert_eq!(format!("1 1 32768 {}", registrant.host_name()).len(), 57);
        let agent = start(Surroundings {
            docker: Arc::new(docker.clone()),
            tasks: Arc::new(NoTasks),
            checker: Arc::new(ScriptedChecks::default()),
            zone: Arc::new(endpoint.zone()),
            writer: Settings {
                registrant,
                journal: Some(journal.clone()),
                read_first: false,
                read_after: Duration::ZERO,
                dry_run: false,
                pace: Pace::ROUTE53,
                resync: Duration::from_secs(1_800),
                seed: 7,
            },
            once: false,
            fleet: tokio::sync::watch::channel(None).1,
            notices: None,
            stop,
            board: Board::default(),
            clock: Clock::start(),
        });
        Self { docker, endpoint: endpoint.clone(), agent: agent.await.unwrap() }
    }

    pub fn registered(&self) -> usize {
        self.endpoint.sets().iter().filter(|set| set.kind == RecordType::Srv).count()
    }

    /// Waits until so many are registered, and says for how long.
    pub async fn wait_for(&self, registered: usize) -> Duration {
        let began = tokio::time::Instant::now();
        while self.registered() != registered {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(began.elapsed() < Duration::from_secs(120), "{} registered", self.registered());
        }
        began.elapsed()
    }

    /// Withdraws all, and says what that cost.
    async fn drain(mut self) -> Count {
        // The account's bucket fills again.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let before = self.endpoint.count();
        self.agent.drain();
        assert_eq!(self.agent.ended().await, Exit::Drained);
        assert_eq!(self.registered(), 0);
        self.endpoint.count() - before
    }
}

/// The n-th container: 100 of them share a name, as many as there is room for.
pub fn come(docker: &ScriptedDocker, n: usize) {
    let name = format!("_service{}._tcp", n / 100);
    docker.start_in(ZONE, u32::try_from(n).unwrap(), &name, 32_768 + u16::try_from(n).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_start_and_a_drain_are_as_few_calls_as_the_limits_allow() {
    for n in [500, 2_000] {
        let docker = ScriptedDocker::default();
        (0..n).for_each(|number| come(&docker, number));
        let whole = Whole::start(docker).await;
        let took = whole.wait_for(n).await;
        let up = whole.endpoint.count();
        let down = whole.drain().await;
        println!("{n} at a start: {up:?} within {took:?}; drained: {down:?}");
        let calls = n.div_ceil(A_CALL);
        // One more change is the host's address, which is in the first batch and stays.
        let cost = |changes, cost| Count { changes, cost, ..Count::default() };
        assert_eq!((up, down), (cost(calls, n + 1), cost(calls, n)), "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rush_within_a_second_is_three_calls_more_at_most() {
    for n in [500, 2_000] {
        let whole = Whole::start(ScriptedDocker::default()).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        let each = Duration::from_secs(1) / u32::try_from(n).unwrap();
        let began = tokio::time::Instant::now();
        for number in 0..n {
            tokio::time::sleep_until(began + each * u32::try_from(number).unwrap()).await;
            come(&whole.docker, number);
        }
        let took = whole.wait_for(n).await;
        let up = whole.endpoint.count();
        let down = whole.drain().await;
        println!("{n} within a second: {up:?}, {took:?} after the last; drained: {down:?}");
        let calls = n.div_ceil(A_CALL);
        assert!(up.changes <= calls + 3, "{} calls", up.changes);
        assert_eq!((up.cost, up.lists + up.lookups), (n + 1, 0));
        assert_eq!((down.changes, down.cost), (calls, n));
    }
}
