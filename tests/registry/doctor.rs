//! `--doctor` on the program itself, beside an agent and without one: broken set-ups, each with its line, its remedy and
//! the exit code; and nothing is written.

use ecssd::record::{Action, Change, RecordSet};
use ecssd::serve::dns::serve;
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::process::Process;
use ecssd_testing::resolver::resolving;
use ecssd_testing::route53::front::{Act, Counts, Kind};
use ecssd_testing::route53::hosted::{HostedZone, unique_zone};
use ecssd_testing::wait::service;
use ecssd_testing::world::World;
use serde_json::Value;

/// What it found.
struct Report(Option<i32>, Vec<[String; 4]>);

impl Report {
    fn of(world: &World, options: &[&str]) -> Self {
        Self::from(Process::start(world.command(&[&["--doctor", "--json"], options].concat())))
    }

    fn from(mut run: Process) -> Self {
        let code = run.ended();
        let report: Value = serde_json::from_str(&run.out().join("\n")).unwrap();
        let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
        let findings = report["findings"].as_array().unwrap().iter();
        let fields = ["level", "subject", "line", "remedy"];
        Self(code, findings.map(|finding| fields.map(|field| text(finding, field))).collect())
    }

    /// Whether there is a line of this level and subject that says so, with this remedy.
    #[track_caller]
    fn says(&self, level: &str, subject: &str, line: &str, remedy: &str) -> &Self {
        let is_it = |found: &&[String; 4]| {
            found[0] == level && found[1] == subject && found[2].contains(line) && found[3].contains(remedy)
        };
        assert!(
            self.1.iter().any(|found| is_it(&found)),
            "{level} {subject}: {line}, {remedy}: {:#?}",
            self.1
        );
        assert_eq!(self.0, if self.1.iter().any(|found| found[0] == "broken") { Some(69) } else { Some(0) });
        self
    }
}

#[test]
fn beside_an_agent_it_finds_all_in_order_and_writes_nothing() {
    let world = World::new("doctor");
    let name = service("seen");
    let mut agent = world.settled_agent();
    let web = world.web(&name, &[]);
    world.registered(&agent, &name, web.host_port("80/tcp"));
    // It is tried again until the state directory is there.
    agent.wait_for("its socket", || world.state().join("status.sock").exists().then_some(()));
    let before = world.zone.raw();
    world.front.forget();
    let report = Report::of(&world, &[]);
    report.says("fine", "agent", "it runs, and is ready", "");
    report.says("fine", "state directory", "can be written to", "");
    report.says("fine", "permissions", "route53:ChangeResourceRecordSets, route53:GetChange", "");
    report.says("fine", "zone's room", "of 10000 records", "");
    report.says("fine", "names", "1 asked for here", "");
    report.says("fine", "own records", "2, each of a container that runs here", "");
    report.says("fine", "others' records", "nobody else's", "");
    report.says("fine", "containers", "1 ask for names, with 1 services that can be published", "");
    // This machine's resolver has never heard of the zone.
    report.says("broken", "own name", "this host's resolver does not find it", "/etc/resolv.conf");
    let broken: Vec<_> = report.1.iter().filter(|found| found[0] == "broken").collect();
    assert_eq!(broken.len(), 1, "{broken:#?}");
    assert_eq!(world.zone.raw(), before);
    // The one change is a DELETE of what is not there.
    assert_eq!(world.front.counts(), Counts { changes: 1, lists: 1, cost: 1 });
    assert_eq!(agent.drain(), Some(0));
}

/// Where the name server of a zone under test answers, which a resolver asks at no port but 53.
const DNS: &str = "127.53.7.1";

/// What cannot be seen here is what ECS says, which needs its agent, and what only an EC2 instance is told; those lines
/// are judged in `src/doctor/tests`.
#[test]
fn of_a_host_that_is_well_each_line_is_fine() {
    let world = World::new("doctor");
    let name = service("well");
    let mut agent = world.settled_agent();
    let web = world.web(&name, &[]);
    world.registered(&agent, &name, web.host_port("80/tcp"));
    agent.wait_for("its socket", || world.state().join("status.sock").exists().then_some(()));
    // That of a new zone has "there is none" remembered for longer than is fine.
    let lowers = ["--janitor", "--soa-minimum", "5s", "--apply", "--regions", "eu-central-1"];
    assert_eq!(world.task(&lowers).0, Some(0));

    // As the VPC's resolver has it.
    let zone = EmbeddedZone::in_memory(&world.zone.name, Options::default()).unwrap();
    let sets = world.zone.sets().into_iter();
    let create: Vec<_> = sets.map(|set| Change { action: Action::Create, set }).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(zone.change(&create)).unwrap();
    let _dns = serve(zone, &[format!("{DNS}:53").parse().unwrap()], 8).unwrap();
    // What the agent shows of itself is up to 300 ms old: of a service that has just come it is not over yet.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let dir = tempfile::tempdir().unwrap();
    let command = world.command(&["--doctor", "--json"]);
    let report = Report::from(Process::start(resolving(&command, dir.path(), DNS)));

    let not_fine: Vec<_> = report.1.iter().filter(|found| found[0] != "fine").collect();
    assert!(not_fine.is_empty() && report.0 == Some(0), "{:?}: {not_fine:#?}", report.0);
    let subjects: Vec<_> = report.1.iter().map(|found| found[1].as_str()).collect();
    let all = [
        "agent",
        "settings",
        "state directory",
        "host",
        "metadata",
        "clock",
        "zone",
        "permissions",
        "negative TTL",
        "zone's room",
        "own name",
        "names",
        "own records",
        "others' records",
        "docker",
        "TCP checks",
        "live-restore",
        "containers",
        "services",
        "stops",
    ];
    assert_eq!(subjects, all);
    report.says("fine", "own name", "for this host's resolver", "");
    assert_eq!(agent.drain(), Some(0));
}

#[test]
fn of_a_host_that_is_set_up_wrongly_it_names_each_fault() {
    let world = World::new("doctor");
    let file = tempfile::NamedTempFile::new().unwrap();
    let report = Report::of(&world, &["--state-dir", file.path().to_str().unwrap()]);
    report.says("warning", "agent", "no agent answers at", "start it");
    report.says("broken", "state directory", "is no directory", "--state-dir");
    assert!(!world.state().exists(), "it made one");

    // Not published, an odd key, another TTL than the zone has, and what others left at this address.
    let name = service("wrong");
    let _hidden = world
        .run(&["-e", "SERVICE_81_NAME=_hidden._tcp", "-e", "SERVICE_80_WEIGHT=many"], &["sleep", "1000"]);
    let _web = world.web(&name, &["-e", "SERVICE_80_TTL=30"]);
    let address = world.engine.bridge_address().to_string();
    let of_others = |mut set: RecordSet, owner: &str| {
        set.set_identifier = Some(owner.to_owned());
        set
    };
    let other = format!("{:064x}", 7);
    let srv = RecordSet {
        name: world.zone.full(&name),
        kind: ecssd::record::RecordType::Srv,
        set_identifier: None,
        routing: ecssd::record::Routing::Weighted(1),
        ttl: 300,
        values: vec![format!("1 1 80 web9.{}", world.zone.name)],
    };
    let host = RecordSet {
        name: world.zone.full("web9"),
        kind: ecssd::record::RecordType::A,
        ttl: 60,
        values: vec![address],
        ..srv.clone()
    };
    world.zone.create(&[of_others(srv, &format!("web9:{other}:80")), of_others(host, "web9")]);
    let report = Report::of(&world, &[]);
    report.says("warning", "containers", "_hidden._tcp", "publish the port");
    report.says("warning", "containers", "SERVICE_80_WEIGHT", "correct the key");
    report.says("warning", "names", "a TTL of 300 s in the zone", "one TTL");
    report.says("warning", "others' records", "2 of web9 lead to this host's address", "--forget web9");
}

#[test]
fn what_route_53_denies_is_named_with_the_policy_that_allows_it() {
    let world = World::new("doctor");
    for (kind, action) in
        [(Kind::Change, "route53:ChangeResourceRecordSets"), (Kind::List, "route53:ListResourceRecordSets")]
    {
        world.front.on(kind, Act::Deny);
        Report::of(&world, &[]).says("broken", "permissions", action, "deploy/policies/agent.json");
    }
    world.front.on(Kind::Status, Act::Deny);
    Report::of(&world, &[]).says("warning", "permissions", "route53:GetChange", "deploy/policies/agent.json");
    world.front.on(Kind::Zones, Act::Deny);
    Report::of(&world, &[]).says("broken", "zone", "access denied", "route53:ListHostedZonesByName");
    world.front.on(Kind::Change, Act::Throttle);
    Report::of(&world, &[]).says("warning", "permissions", "throttled", "--rate");
}

#[test]
fn a_zone_that_is_not_there_or_public_is_broken() {
    let absent = World::with_zone(HostedZone::absent(&unique_zone("absent")));
    Report::of(&absent, &[]).says("broken", "zone", "there is no hosted zone", "make a private one");
    let public = World::with_zone(HostedZone::make(&unique_zone("public"), false));
    Report::of(&public, &[]).says("broken", "zone", "is public", "make a private one");
}

#[test]
fn without_docker_it_says_what_to_do_and_goes_on() {
    let world = World::new("doctor");
    world.window.shut();
    let report = Report::of(&world, &[]);
    report.says("broken", "docker", "no Docker engine at", "Docker's log");
    report.says("fine", "zone's room", "records", "");
}
