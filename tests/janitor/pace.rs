//! A thousand hosts with twenty tasks each, on the account's documented bucket, beside agents that use a quarter of
//! it, with one call in a hundred failing: without sockets, on a clock of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use ecssd::clock::Clock;
use ecssd::edge::check::NetworkChecker;
use ecssd::janitor::clients::Clients;
use ecssd::janitor::reader::ec2::Ec2;
use ecssd::janitor::reader::ecs::Ecs;
use ecssd::janitor::reader::{AccountRegion, PERIOD};
use ecssd::janitor::run::run;
use ecssd::janitor::time::Time;
use ecssd::moment::Moment;
use ecssd::record::{Change, Key, RecordSet};
use ecssd::zone::{ChangeInfo, ChangeStatus, ListStart, Page, Zone, ZoneError};

use crate::ecs::{Act, Task};
use crate::scene::{credentials, docker_id, host_record, options, sdk, srv};
use ecssd_testing::http::{Answer, Request};
use ecssd_testing::spec;

const ZONE: &str = "sd.internal";
const HOSTS: u64 = 1_000;
const TASKS_PER_HOST: u64 = 20;
const SERVICES: u64 = 250;
const CLUSTERS: u64 = 4;
/// One host in so many is terminated, and of the other hosts' tasks one in so many has stopped.
const DEAD_HOST: u64 = 25;
const DEAD_TASK: u64 = 40;
/// How long a call takes.
const DELAY: Duration = Duration::from_millis(40);
/// Of lists and descriptions of tasks and container instances, of an account in a region.
/// Source: ECS API reference, "Request throttling".
const BUCKET: (f64, f64) = (100.0, 20.0);
const AGENTS_PER_SECOND: f64 = 5.0;

/// Tokens, as they are spent and come back.
struct Bucket {
    size: f64,
    per_second: f64,
    level: f64,
    at: Moment,
}

impl Bucket {
    fn new((size, per_second): (f64, f64)) -> Self {
        Self { size, per_second, level: size, at: Moment::START }
    }

    /// Whether there is one, after `others` have taken theirs.
    fn take(&mut self, now: Moment, others_per_second: f64) -> bool {
        let seconds = (now - self.at).as_secs_f64();
        self.at = now;
        self.level = (self.level + seconds * (self.per_second - others_per_second)).min(self.size);
        let is_there = self.level >= 1.0;
        self.level -= f64::from(is_there);
        is_there
    }
}

/// A service in this process.
struct InProcess(Box<dyn Fn(&Request) -> Answer + Send + Sync>);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let headers = request.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let (status, _, text) = (self.0)(&Request { line: "POST / HTTP/1.1".to_owned(), headers, body });
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(DELAY).await;
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text)))
        })
    }
}

/// A zone of any size.
#[derive(Default)]
struct Large(Mutex<BTreeMap<Key, RecordSet>>);

#[async_trait]
impl Zone for Large {
    fn name(&self) -> &str {
        ZONE
    }

    fn id(&self) -> &str {
        "Z1"
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        tokio::time::sleep(DELAY).await;
        let mut sets = self.0.lock().unwrap();
        for Change { action, set } in batch {
            match action {
                ecssd::record::Action::Delete => {
                    assert_eq!(sets.remove(&set.key()).as_ref(), Some(set));
                }
                _ => drop(sets.insert(set.key(), set.clone())),
            }
        }
        Ok(ChangeInfo { id: "C1".to_owned(), status: ChangeStatus::InSync })
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        tokio::time::sleep(DELAY).await;
        let sets = self.0.lock().unwrap();
        let is_before = |key: &Key| start.is_some_and(|start| ListStart::from(key.clone()) != *start);
        let mut rest = sets.iter().skip_while(|(key, _)| is_before(key)).map(|(_, set)| set.clone());
        let page: Vec<RecordSet> = rest.by_ref().take(max_items).collect();
        Ok(Page { sets: page, next: rest.next().map(|set| set.key().into()) })
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        Ok(ChangeInfo { id: id.to_owned(), status: ChangeStatus::InSync })
    }
}

/// The runtime's time, from some day on.
#[derive(Debug)]
struct Virtual(Clock);

#[async_trait]
impl Time for Virtual {
    fn now(&self) -> Moment {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + PERIOD * 7 + self.0.now().since_start()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// All of it, and the keys of what is dead.
struct Fleet {
    zone: Arc<Large>,
    ecs: crate::ecs::Ecs,
    ec2: crate::ec2::Ec2,
    dead: Vec<Key>,
}

impl Fleet {
    fn new() -> Self {
        let (zone, ecs) = (Arc::<Large>::default(), crate::ecs::Ecs::silent());
        let mut fleet = Self { zone, ecs, ec2: crate::ec2::Ec2::default(), dead: Vec::new() };
        (0..SERVICES).for_each(|n| fleet.ecs.define(&service(n), "bridge", &service(n)));
        (0..HOSTS).for_each(|n| fleet.host(n));
        fleet
    }

    fn host(&mut self, n: u64) {
        let (id, address) = (format!("i-{n:017x}"), format!("10.0.{}.{}", n / 250, n % 250 + 1));
        let (cluster, off) = (format!("c{}", n % CLUSTERS), n.is_multiple_of(DEAD_HOST));
        let state = if off { "terminated" } else { "running" };
        self.ec2.instances.lock().unwrap().push((id.clone(), state, address.clone()));
        self.ecs.host(&cluster, &id);
        self.put(host_record(ZONE, &id, &address), false);
        for of_host in 0..TASKS_PER_HOST {
            let task = n * TASKS_PER_HOST + of_host;
            let (container, port) = (docker_id(task + 1), 32_768 + u16::try_from(of_host).unwrap());
            // As ECS has it of a host that is gone.
            let stopped = !off && task % DEAD_TASK == 7;
            // So that each service has a few that are dead.
            let definition = service((7 * task + n) % SERVICES);
            let status = if stopped { "STOPPED" } else { "RUNNING" };
            self.put(srv(ZONE, &definition, &id, &container, port), off || stopped);
            let (host, binding) = (Some(id.clone()), Some((80, port)));
            self.ecs.task(&cluster, Task { definition, host, status, container, binding, address: None });
        }
    }

    fn put(&mut self, set: RecordSet, is_dead: bool) {
        self.dead.extend(is_dead.then(|| set.key()));
        self.zone.0.lock().unwrap().insert(set.key(), set);
    }

    /// Every service in this process.
    async fn clients(&self) -> Clients {
        let (ecs, ec2) = (self.ecs.clone(), self.ec2.clone());
        let connector = |answer| SharedHttpConnector::new(InProcess(answer));
        let of_ecs = connector(Box::new(move |request: &Request| ecs.answer(request)));
        let client = http_client_fn(move |_, _| of_ecs.clone());
        let config = sdk("http://ecs.test").await.into_builder().http_client(client).build();
        let of_ec2 = connector(Box::new(move |request: &Request| ec2.answer(request)));
        let (endpoint, region) = ("http://ec2.test".to_owned(), "us-east-1".to_owned());
        let account_region = AccountRegion {
            name: "here".to_owned(),
            ecs: Ecs::new(aws_sdk_ecs::Client::new(&config)),
            ec2: Ec2::new(endpoint, region, credentials(), of_ec2),
        };
        Clients {
            zone: Arc::<Large>::clone(&self.zone),
            vpcs: Err("nobody was asked".to_owned()),
            account_regions: vec![account_region],
            checker: Arc::new(NetworkChecker::of([127, 0, 0, 1].into())),
            time: Arc::new(Virtual(Clock::start())),
        }
    }
}

fn service(n: u64) -> String {
    format!("_s{n}._tcp")
}

#[tokio::test(start_paused = true)]
async fn a_thousand_hosts_with_twenty_tasks_each_take_four_minutes_and_half_of_the_bucket_at_most() {
    let fleet = Fleet::new();
    let clock = Clock::start();
    let half = Bucket::new((BUCKET.0 / 2.0, BUCKET.1 / 2.0));
    let buckets = Arc::new(Mutex::new((Bucket::new(BUCKET), half, 0_usize, 0_usize)));
    let spent = Arc::clone(&buckets);
    fleet.ecs.rule(move |action, number| {
        let is_counted = !matches!(action, "ListClusters" | "DescribeTaskDefinition");
        let (all, half, calls, over) = &mut *spent.lock().unwrap();
        if is_counted {
            *calls += 1;
            *over += usize::from(!half.take(clock.now(), 0.0));
            if !all.take(clock.now(), AGENTS_PER_SECOND) {
                return Act::Throttle;
            }
        }
        match number % 400 {
            100 => Act::Throttle,
            200 => Act::Fail,
            300 => Act::Break,
            0 => Act::Forget,
            _ => Act::Serve,
        }
    });
    let began = std::time::Instant::now();
    let (report, summary) = run(&options(&["--apply"]), &fleet.clients().await).await;
    let (.., calls, over) = *buckets.lock().unwrap();
    println!(
        "{:.0} s, {calls} calls to ECS of {} in all; took {:.1} s; {:?}",
        summary.seconds.total,
        summary.calls.ecs,
        began.elapsed().as_secs_f64(),
        summary.seconds
    );
    assert_eq!((summary.standstill, summary.doubt), (None, None));
    spec::judge("janitor-sweep", summary.seconds.total, "s");
    assert_eq!(over, 0, "calls beyond half of the bucket, of {calls}");
    let mut deleted: Vec<Key> = report.deletes().map(RecordSet::key).collect();
    let mut dead = fleet.dead;
    deleted.sort_unstable();
    dead.sort_unstable();
    assert!(dead.len() > 1_000 && deleted == dead, "{} of {}", deleted.len(), dead.len());
    let left = fleet.zone.0.lock().unwrap();
    assert!(dead.iter().all(|key| !left.contains_key(key)));
    // What is there lives, and says how many hosts do.
    let records = usize::try_from(HOSTS * (TASKS_PER_HOST + 1)).unwrap();
    assert_eq!(left.len(), records - dead.len() + 1);
}
