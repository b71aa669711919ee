//! What EC2 has forgotten goes where EC2 would show it, and stays where it might live unseen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ecssd::janitor::run::run;
use ecssd::janitor::summary::RunSummary;
use ecssd_testing::route53::model::ID;

use crate::ec2::{ACCOUNT, Ec2, VPC};
use crate::ecs::{Ecs, Task};
use crate::route53::Route53;
use crate::scene::{clients, docker_id, host_record, options, srv, zone_at};

const ZONE: &str = "sd.internal";
const GONE: &str = "i-0123456789abcdef0";

/// Four hosts with three tasks each, and one that EC2 shows no more.
struct Fleet {
    route53: Route53,
    ecs: Ecs,
    ec2: Ec2,
    url: String,
    vpcs: Result<BTreeSet<String>, String>,
}

impl Fleet {
    fn new() -> Self {
        let (route53, ecs, ec2) = (Route53::start(ZONE, Duration::ZERO), Ecs::start(), Ec2::default());
        ecs.define("web", "bridge", "_web._tcp");
        for host in 1..=4_u16 {
            let (id, address) = (format!("i-{host:017x}"), format!("10.77.0.{host}"));
            ecs.host("web", &id);
            route53.create(vec![host_record(ZONE, &id, &address)]);
            for n in 0..3 {
                let (container, port) = (docker_id((host * 10 + n).into()), 32_000 + n);
                route53.create(vec![srv(ZONE, "_web._tcp", &id, &container, port)]);
                let binding = Some((80, port));
                let (definition, host) = ("web".to_owned(), Some(id.clone()));
                ecs.task(
                    "web",
                    Task { definition, host, status: "RUNNING", container, binding, address: None },
                );
            }
            ec2.instances.lock().unwrap().push((id, "running", address));
        }
        ec2.vpcs.lock().unwrap().push((VPC.to_owned(), ACCOUNT.to_owned(), "10.77.0.0/16".to_owned()));
        let url = ec2.start(Duration::ZERO);
        Self { route53, ecs, ec2, url, vpcs: Ok(BTreeSet::from([VPC.to_owned()])) }
    }

    fn with_one_gone() -> Self {
        let fleet = Self::new();
        let service = srv(ZONE, "_web._tcp", GONE, &docker_id(99), 32_000);
        fleet.route53.create(vec![host_record(ZONE, GONE, "10.77.0.9"), service]);
        fleet
    }

    async fn run(&self, more: &[&str]) -> RunSummary {
        let zone = zone_at(&self.route53.url, ZONE, ID).await;
        let mut clients = clients(Arc::new(zone), &self.ecs, &self.url).await;
        clients.vpcs.clone_from(&self.vpcs);
        run(&options(&[&["--apply"], more].concat()), &clients).await.1
    }

    /// How many records that one has.
    fn left(&self) -> usize {
        self.route53.marks().iter().filter(|mark| mark.starts_with(GONE)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ec2_has_forgotten_goes_and_its_address_a_run_later() {
    let fleet = Fleet::with_one_gone();
    for left in [1, 0, 0] {
        let summary = fleet.run(&[]).await;
        assert_eq!((fleet.left(), summary.blind, summary.standstill), (left, None, None));
    }
    // Twice in each run that had a host to ask about: in both inspections.
    assert_eq!((fleet.ec2.count("DescribeVpcs"), fleet.ec2.count("DescribeNetworkInterfaces")), (2, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_ec2_shows_every_host_it_is_asked_for_nothing_else() {
    let fleet = Fleet::new();
    let summary = fleet.run(&["--home-networks", "10.77.0.0/17"]).await;
    assert_eq!((summary.blind, summary.standstill), (None, None));
    assert_eq!((fleet.ec2.count("DescribeVpcs"), fleet.ec2.count("DescribeNetworkInterfaces")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stays_where_it_may_live_unseen_and_the_run_says_why() {
    type Change = fn(&mut Fleet);
    let cases: &[(&str, &[&str], Change, Option<&str>)] = &[
        ("an interface", &[], |fleet| fleet.ec2.attached.lock().unwrap().push(GONE.to_owned()), None),
        ("its address", &["--home-networks", "10.77.128.0/17"], |_| (), None),
        ("a network", &["--home-networks", "10.78.0.0/16"], |_| (), Some("10.78.0.0/16 of --home-networks")),
        (
            "a participant",
            &[],
            |fleet| fleet.ec2.vpcs.lock().unwrap()[0].1 = "444455556666".to_owned(),
            Some("vpc-0123456789abcdef0 sees the zone"),
        ),
        (
            "a peer",
            &[],
            |fleet| fleet.vpcs = Ok(BTreeSet::from([VPC.to_owned(), "vpc-x".to_owned()])),
            Some("vpc-x sees the zone"),
        ),
        (
            "a Profile",
            &[],
            |fleet| {
                fleet.route53.create(vec![host_record(ZONE, "i-0123456789abcdef9", "10.9.0.9")]);
            },
            Some("i-0123456789abcdef9 is in no VPC of the zone"),
        ),
        ("GetHostedZone", &[], |fleet| fleet.vpcs = Err("denied".to_owned()), Some("denied")),
        (
            "DescribeVpcs",
            &[],
            |fleet| fleet.ec2.denied.lock().unwrap().push("DescribeVpcs"),
            Some("not all that it takes was told: here: DescribeVpcs: HTTP 403"),
        ),
        (
            "DescribeNetworkInterfaces",
            &[],
            |fleet| fleet.ec2.denied.lock().unwrap().push("DescribeNetworkInterfaces"),
            Some("DescribeNetworkInterfaces: HTTP 403"),
        ),
    ];
    for (case, more, change, blind) in cases {
        let mut fleet = Fleet::with_one_gone();
        change(&mut fleet);
        let summary = fleet.run(more).await;
        assert_eq!((fleet.left(), summary.standstill), (2, None), "{case}");
        let said = summary.blind.as_deref();
        let is_said = said.zip(*blind).is_some_and(|(said, blind)| said.contains(blind));
        assert!(is_said || said.is_none() && blind.is_none(), "{case}: {said:?}");
    }
}
