//! What a run has to do with here, and the records that agents would have written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use ecssd::clock::Clock;
use ecssd::config::janitor::JanitorConfig;
use ecssd::edge::check::NetworkChecker;
use ecssd::janitor::clients::Clients;
use ecssd::janitor::options::RunOptions;
use ecssd::janitor::reader::AccountRegion;
use ecssd::janitor::run::run;
use ecssd::janitor::summary::RunSummary;
use ecssd::janitor::time::Time;
use ecssd::janitor::{Report, reader};
use ecssd::moment::Moment;
use ecssd::record::{RecordSet, RecordType, Routing};
use ecssd::zone::Zone;
use ecssd::zone::route53::Route53Zone;

use crate::ecs::{Ecs, Task};
use ecssd_testing::http::listen;
use ecssd_testing::route53::hosted::{HostedZone, emulator, unique_zone};

/// A clock on which long waits are over at once. Short ones, and what truly takes time, take it.
#[derive(Debug)]
pub struct Skipping {
    clock: Clock,
    skipped: AtomicU64,
}

impl Skipping {
    pub fn start() -> Arc<Self> {
        Arc::new(Self { clock: Clock::start(), skipped: AtomicU64::new(0) })
    }

    pub fn skip(&self, duration: Duration) {
        // Rounded up: the wait must be over.
        let millis = u64::try_from(duration.as_millis()).unwrap() + 1;
        self.skipped.fetch_add(millis, Ordering::Relaxed);
    }
}

#[async_trait]
impl Time for Skipping {
    fn now(&self) -> Moment {
        self.clock.now() + Duration::from_millis(self.skipped.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        self.skip(duration);
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + self.now().since_start()
    }
}

pub fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("key", "secret", None, None, "test"))
}

pub async fn sdk(endpoint: &str) -> SdkConfig {
    let region = Region::from_static("us-east-1");
    ecssd::aws::config(Some(endpoint), region)
        .await
        .into_builder()
        .credentials_provider(credentials())
        .build()
}

/// The janitor's own client of a zone at `endpoint`.
pub async fn zone_at(endpoint: &str, name: &str, id: &str) -> Route53Zone {
    let client = aws_sdk_route53::Client::new(&sdk(endpoint).await);
    Route53Zone::new(client, name.to_owned(), id.to_owned())
}

/// ECS and EC2 of one account in one region.
pub async fn account_region(name: &str, ecs: &Ecs, ec2: &str) -> AccountRegion {
    let client = aws_sdk_ecs::Client::new(&sdk(&ecs.url).await);
    let (endpoint, region) = (ec2.to_owned(), "us-east-1".to_owned());
    let ec2 = reader::ec2::Ec2::new(endpoint, region, credentials(), ecssd::aws::connector());
    AccountRegion { name: name.to_owned(), ecs: reader::ecs::Ecs::new(client), ec2 }
}

/// What a run has to do with: a zone, one ECS and one EC2.
pub async fn clients(zone: Arc<dyn Zone>, ecs: &Ecs, ec2: &str) -> Clients {
    Clients {
        zone,
        vpcs: Err("nobody was asked".to_owned()),
        account_regions: vec![account_region("here", ecs, ec2).await],
        checker: Arc::new(NetworkChecker::of([127, 0, 0, 1].into())),
        time: Skipping::start(),
    }
}

/// What such a command line asks for.
pub fn options(arguments: &[&str]) -> RunOptions {
    use clap::Parser;
    let cli = ecssd::cli::Cli::try_parse_from(["ecssd", "--janitor"].iter().chain(arguments)).unwrap();
    JanitorConfig::of_shell(&cli).unwrap().settings.options
}

/// A zone in the emulator with an ECS of its own; instances are the emulator's.
pub struct Scene {
    pub zone: HostedZone,
    pub ecs: Ecs,
    ids: AtomicU64,
}

impl Scene {
    pub fn new(label: &str) -> Self {
        let (zone, ecs) = (HostedZone::make(&unique_zone(label), true), Ecs::start());
        Self { zone, ecs, ids: AtomicU64::new(1) }
    }

    /// A host in a cluster that its agent has registered: its id and its address.
    pub fn host(&self, cluster: &str) -> (String, String) {
        let (id, address) = crate::ec2::run();
        self.ecs.host(cluster, &id);
        self.zone.create(&[host_record(&self.zone.name, &id, &address)]);
        (id, address)
    }

    /// A Docker id that nobody else has.
    pub fn id(&self) -> String {
        docker_id(self.ids.fetch_add(1, Ordering::Relaxed))
    }

    /// A task on a host, with its record: the record.
    pub fn task(&self, cluster: &str, host: &str, service: &str, status: &'static str) -> RecordSet {
        let container = self.id();
        let port = 32_000 + u16::from_str_radix(&container[60..], 16).unwrap();
        self.ecs.define(service, "bridge", service);
        let (definition, host_of) = (service.to_owned(), Some(host.to_owned()));
        let record = srv(&self.zone.name, service, host, &container, port);
        let binding = Some((80, port));
        let task = Task { definition, host: host_of, status, container, binding, address: None };
        self.ecs.task(cluster, task);
        record
    }

    pub async fn clients(&self) -> Clients {
        let url = format!("http://{}", emulator());
        let zone = zone_at(&url, &self.zone.name, &self.zone.id).await;
        clients(Arc::new(zone), &self.ecs, &url).await
    }

    pub async fn run(&self, arguments: &[&str]) -> (Report, RunSummary) {
        run(&options(arguments), &self.clients().await).await
    }

    /// The identifiers of all records but the fleet's.
    pub fn marks(&self) -> BTreeSet<String> {
        self.zone.sets().into_iter().filter_map(|set| set.set_identifier).collect()
    }
}

/// A port with a web server that hangs up on who asks. Nobody else has it meanwhile, as it could be with one that is
/// only free when it is looked for.
pub fn silent_port() -> u16 {
    port(&listen(|_, _| Ok(false)))
}

/// Where a server is.
pub fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

pub fn docker_id(n: u64) -> String {
    format!("{n:012x}{n:052x}")
}

pub fn record(name: String, kind: RecordType, mark: String, ttl: i64, value: String) -> RecordSet {
    RecordSet {
        name,
        kind,
        set_identifier: Some(mark),
        routing: Routing::Weighted(1),
        ttl,
        values: vec![value],
    }
}

pub fn host_record(zone: &str, host: &str, address: &str) -> RecordSet {
    let label = host.split('.').next().unwrap();
    record(format!("{label}.{zone}"), RecordType::A, host.to_owned(), 60, address.to_owned())
}

/// As our agents write it.
pub fn srv(zone: &str, service: &str, host: &str, container: &str, port: u16) -> RecordSet {
    let (name, mark) = (format!("{service}.{zone}"), format!("{host}:{container}:80"));
    record(name, RecordType::Srv, mark, 0, format!("1 1 {port} {host}.{zone}"))
}

/// As the predecessor's write it.
pub fn legacy(zone: &str, service: &str, host: &str, container: &str, port: u16) -> RecordSet {
    let (name, mark) = (format!("{service}.{zone}"), format!("{host}:{container}"));
    record(name, RecordType::Srv, mark, 0, format!("1 1 {port} {host}"))
}

pub fn mark(set: &RecordSet) -> String {
    set.set_identifier.clone().unwrap()
}
