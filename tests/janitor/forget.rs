//! `--forget`: a host that lives is kept, one that is dead goes in one run, whole and alone; and what a plan of the
//! janitor says to type about a fleet that died unseen does clean it up.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ecssd::cli::Cli;
use ecssd::config::janitor::JanitorConfig;
use ecssd::janitor::run::run;
use ecssd::janitor::table::table;
use ecssd::record::{Action, Change, RecordSet, RecordType, Routing};
use ecssd::zone::Zone;
use ecssd_testing::http::serve;
use ecssd_testing::recorded::same_as_recorded;
use futures_util::FutureExt;

use crate::ec2::Ec2;
use crate::ecs::{Act, Ecs, Task};
use crate::route53::Route53;
use crate::scene::{clients, docker_id, host_record, legacy, mark, options, record, srv, zone_at};
use ecssd_testing::route53::model::ID;

const ZONE: &str = "sd.internal";
const ALIVE: &str = "i-00000000000000001";

/// A zone, ECS and EC2, and the program that looks at them.
struct World {
    route53: Route53,
    ecs: Ecs,
    ec2: Ec2,
    ec2_url: String,
}

impl World {
    fn new() -> Self {
        let ec2 = Ec2::default();
        let ec2_url = ec2.start(Duration::ZERO);
        Self { route53: Route53::start(ZONE, Duration::ZERO), ecs: Ecs::start(), ec2, ec2_url }
    }

    fn instance(&self, id: &str, state: &'static str) {
        self.ec2.instances.lock().unwrap().push((id.to_owned(), state, "10.0.0.1".to_owned()));
        self.ecs.host("web", id);
    }

    /// The exit code, and what it says.
    fn type_in(&self, line: &str) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecssd"));
        command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_ENDPOINT_URL_ECS", &self.ecs.url).env("AWS_ENDPOINT_URL_EC2", &self.ec2_url);
        let arguments = line.strip_prefix("ecssd ").unwrap().split(' ');
        let output = command.args(arguments).output().unwrap();
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    fn command(&self) -> String {
        format!("ecssd {ZONE} --zone-id {ID} --endpoint-url {}", self.route53.url)
    }

    fn forget(&self, hosts: &str) -> (Option<i32>, String) {
        self.type_in(&format!("{} --forget {hosts}", self.command()))
    }

    fn marks_of(&self, host: &str) -> usize {
        self.route53.marks().iter().filter(|mark| mark.split(':').next() == Some(host)).count()
    }
}

/// Every kind of record that there is of a host; nobody listens at its ports.
fn all_of(host: &str, n: u64) -> Vec<RecordSet> {
    let (one, two, port) = (docker_id(n), docker_id(n + 1), 1);
    let weighted = srv(ZONE, "_web._tcp", host, &one, port);
    let name = format!("_web-all._tcp.{ZONE}");
    let full = RecordSet { name, routing: Routing::Multivalue, ..weighted.clone() };
    let task = format!("{}.{ZONE}", &two[..12]);
    let mut of_task = srv(ZONE, "_api._tcp", host, &two, port);
    of_task.values = vec![format!("1 1 {port} {task}")];
    vec![
        host_record(ZONE, host, "127.0.0.9"),
        weighted,
        full,
        record(format!("web.{ZONE}"), RecordType::A, format!("{host}:{one}:a"), 0, "127.0.0.9".into()),
        of_task,
        record(task, RecordType::A, format!("{host}:{two}"), 60, "127.0.0.9".into()),
        legacy(ZONE, "time", host, &one, port),
    ]
}

#[test]
fn a_dead_host_is_gone_in_one_run_whole_and_alone() {
    let world = World::new();
    world.instance(ALIVE, "running");
    let (dead, living, other) = (all_of("web3", 10), all_of(ALIVE, 20), all_of("web33", 30));
    let by_hand = record(format!("web3.{ZONE}"), RecordType::Txt, "x".into(), 60, "\"web3\"".into());
    world.route53.create([dead.clone(), living, other, vec![by_hand]].concat());
    let before = world.route53.marks().len();

    let (code, plan) = world.forget("web3");
    assert_eq!((code, world.route53.marks().len()), (Some(0), before), "{plan}");
    assert!(plan.contains("web3: 7 records, to be deleted"), "{plan}");
    assert!(plan.contains("no answer at 127.0.0.9:1\n"), "{plan}");
    assert!(
        plan.ends_with("a plan: 7 records of 1 host; nothing was written, --apply deletes them\n"),
        "{plan}"
    );

    let (code, done) = world.forget("WEB3 web9 --apply");
    assert_eq!((code, world.marks_of("web3")), (Some(0), 0), "{done}");
    assert_eq!(world.route53.marks().len(), before - 7, "{done}");
    assert!(done.contains("web9: no record of sd.internal has its mark"), "{done}");
    assert!(done.ends_with("7 of 7 records are gone\n"), "{done}");
    let (_, batches) = world.route53.counts();
    let deletes = |batch: &Vec<Change>| batch.iter().all(|change| change.action == Action::Delete);
    assert!(batches.len() == 1 && batches.iter().all(deletes), "{batches:?}");
    same_as_recorded("forget", &batches);

    let (code, json) = world.forget("web33 --apply --json");
    let shown: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, world.marks_of("web33"), &shown["hosts"][0]["host"]), (Some(0), 0, &"web33".into()));
}

#[test]
fn a_host_that_lives_is_kept_unless_it_is_forced() {
    let world = World::new();
    // By EC2's word, by ECS's, and because it answers.
    world.instance(ALIVE, "running");
    world.ecs.define("_web._tcp", "bridge", "_web._tcp");
    let task = Task {
        definition: "_web._tcp".into(),
        host: Some("i-0000000000000000f".into()),
        status: "RUNNING",
        container: docker_id(20),
        binding: None,
        address: None,
    };
    world.ecs.host("far", "i-0000000000000000f");
    world.ecs.task("far", task);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering =
        vec![host_record(ZONE, "web2", "127.0.0.1"), srv(ZONE, "_web._tcp", "web2", &docker_id(40), port)];
    world.route53.create([all_of(ALIVE, 10), all_of("web1", 20), answering].concat());
    let before = world.route53.marks();

    let (code, said) = world.forget(&format!("{ALIVE} web1 web2 --apply"));
    assert_eq!((code, world.route53.marks()), (Some(75), before), "{said}");
    for words in [
        format!("{ALIVE}: 7 records, kept, it may live"),
        format!("EC2 says that {ALIVE} is running"),
        format!("ECS says that its container {} has not stopped", &docker_id(20)[..12]),
        format!("127.0.0.1:{port} answers: it lives, or another host has its address by now"),
        "--force deletes its records all the same".to_owned(),
        "0 of 0 records are gone".to_owned(),
    ] {
        assert!(said.contains(&words), "{words} is not said: {said}");
    }
    let (code, said) = world.forget(&format!("{ALIVE} web1 web2 --apply --force"));
    assert_eq!((code, world.route53.marks().len()), (Some(0), 0), "{said}");
}

/// ECS has one list of what should run and one of what should not.
#[test]
fn a_task_that_begins_to_stop_between_two_lists_is_seen() {
    let world = World::new();
    let (definition, container) = ("_web._tcp".to_owned(), docker_id(20));
    let host = Some("i-0000000000000000f".to_owned());
    world.ecs.host("far", "i-0000000000000000f");
    let task = Task { definition, host, status: "RUNNING", container, binding: None, address: None };
    world.ecs.task("far", task);
    world.route53.create(all_of("web1", 20));
    let (ecs, mut lists) = (world.ecs.clone(), 0);
    world.ecs.rule(move |action, _| {
        lists += usize::from(action == "ListTasks");
        if lists == 2 {
            let to_stop = |task: &mut Task| task.status = "DEACTIVATING";
            ecs.with(|state| state.clusters.get_mut("far").unwrap().tasks.iter_mut().for_each(to_stop));
        }
        Act::Serve
    });
    let (code, said) = world.forget("web1 --apply");
    assert_eq!((code, world.marks_of("web1")), (Some(75), 7), "{said}");
}

#[test]
fn where_nobody_can_be_asked_it_is_kept_and_where_the_zone_cannot_be_read_nothing_is_said() {
    let world = World::new();
    world.route53.create(all_of("web3", 10));
    world.ecs.rule(|_, _| Act::Deny);
    let (code, said) = world.forget("web3 --apply");
    assert_eq!((code, world.marks_of("web3")), (Some(75), 7), "{said}");
    assert!(said.contains("EC2 and ECS could not be asked whether it runs: "), "{said}");
    assert_eq!((world.forget("web3 --apply --force").0, world.marks_of("web3")), (Some(0), 0));

    world.route53.rule(|_, _| Some(ecssd_testing::route53::wire::error(403, "AccessDenied", "not you")));
    let (code, said) = world.forget("web3");
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains("nothing is deleted: the zone's list: ") && said.contains("not you"), "{said}");
}

/// So does what stands in one unit with it: the full name beside a weighted one.
#[test]
fn what_was_written_anew_since_it_was_read_survives() {
    let world = World::new();
    world.route53.create(all_of("web3", 10));
    let zone = world.route53.zone.clone();
    let mut written = false;
    world.route53.rule(move |asked, _| {
        let is_change = matches!(asked, ecssd_testing::route53::wire::Asked::Change(_));
        if is_change && !written {
            written = true;
            let mut set = all_of("web3", 10).remove(1);
            set.routing = Routing::Weighted(7);
            zone.change(&[Change { action: Action::Upsert, set }]).now_or_never().unwrap().unwrap();
        }
        None
    });
    let (code, said) = world.forget("web3 --apply");
    assert_eq!((code, world.marks_of("web3")), (Some(75), 2), "{said}");
    assert!(said.contains("written anew meanwhile, so its agent lives: left alone"), "{said}");
    assert!(said.ends_with("5 of 7 records are gone\n"), "{said}");
}

/// A third of a fleet ended while the Lambda was off, and EC2 has forgotten it: the janitor may not touch what it left.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_plan_says_to_type_cleans_up_a_third_of_a_fleet() {
    let world = World::new();
    world.ecs.define("_web._tcp", "bridge", "_web._tcp");
    let mut records = Vec::new();
    for n in 0..60_u64 {
        let host = format!("i-{:017x}", 0x100 + n);
        records.push(host_record(ZONE, &host, "127.0.0.9"));
        for copy in 0..2 {
            let container = docker_id(n * 2 + copy);
            records.push(srv(ZONE, "_web._tcp", &host, &container, 1));
            if n >= 20 {
                let (definition, host) = ("_web._tcp".to_owned(), Some(host.clone()));
                let task =
                    Task { definition, host, status: "RUNNING", container, binding: None, address: None };
                world.ecs.task("web", task);
            }
        }
        if n >= 20 {
            world.instance(&host, "running");
        }
    }
    let living = records[60..].iter().map(mark).collect::<Vec<_>>();
    // One name takes 100 records.
    for (n, set) in records.iter_mut().enumerate().filter(|(_, set)| set.kind == RecordType::Srv) {
        set.name = format!("_web{}._tcp.{ZONE}", n % 6);
    }
    world.route53.create(records);

    let zone = Arc::new(zone_at(&world.route53.url, ZONE, ID).await);
    let clients = clients(zone, &world.ecs, &world.ec2_url).await;
    let (report, summary) = run(&options(&["--apply"]), &clients).await;
    assert_eq!((summary.changes.due, summary.hosts_out_of_sight, summary.out_of_sight.len()), (1, 20, 20));
    let line = world.command();
    let cli = Cli::try_parse_from(line.split(' ').chain(["--janitor"])).unwrap();
    let command = JanitorConfig::of_shell(&cli).unwrap().settings.command(ZONE);
    assert_eq!(command, line);
    let plan = table(&report, &summary, &command);
    let typed: Vec<&str> =
        plan.lines().filter_map(|line| line.split_once(" records: ")).map(|(_, line)| line).collect();
    assert_eq!(typed.len(), 20, "{plan}");
    // Each line is one host's; the last is all that are left.
    let (code, said) = world.type_in(&format!("{} --apply", typed[0]));
    assert_eq!((code, said.ends_with("3 of 3 records are gone\n")), (Some(0), true), "{said}");
    let (_, all) = plan.lines().find_map(|line| line.split_once("all of them: ")).unwrap();
    let (code, said) = world.type_in(&format!("{all} --apply"));
    assert_eq!(code, Some(0), "{said}");
    let mut left = world.route53.marks();
    left.retain(|mark| mark.starts_with("i-"));
    left.sort();
    let mut expected = living;
    expected.sort();
    assert_eq!(left, expected);
}

/// Whoever may not look is told so.
#[test]
fn an_ec2_that_does_not_let_itself_be_asked_keeps_the_host() {
    let mut world = World::new();
    world.ec2_url = serve(|_| {
        (403, "text/xml", "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>not you</Message></Error></Errors></Response>".to_owned())
    });
    world.route53.create(all_of("web3", 10));
    let (code, said) = world.forget("web3 --apply");
    assert_eq!((code, world.marks_of("web3")), (Some(75), 7), "{said}");
    assert!(said.contains("DescribeInstances") && said.contains("UnauthorizedOperation"), "{said}");
}
