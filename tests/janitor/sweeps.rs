//! Whole runs: exactly what is dead goes, in one run.

use std::collections::BTreeSet;

use ecssd::janitor::report::{Death, Held, Kept, Report, Verdict};
use ecssd::janitor::run::run;
use ecssd::janitor::table::table;
use ecssd::record::{RecordSet, RecordType, Routing};

use crate::ec2;
use crate::ecs::{Act, Ecs, Task};
use crate::scene::{Scene, account_region, host_record, legacy, mark, options, record, srv};

fn marks(sets: &[RecordSet]) -> BTreeSet<String> {
    sets.iter().map(mark).collect()
}

/// A task of this service runs on Fargate.
fn runs_on_fargate(scene: &Scene, service: &str) {
    let task = Task {
        definition: service.into(),
        host: None,
        status: "RUNNING",
        container: scene.id(),
        binding: None,
        address: Some("10.0.251.1".into()),
    };
    scene.ecs.task("batch", task);
}

/// Fails with what is there too much, and what is missing.
fn expect(scene: &Scene, expected: impl std::borrow::Borrow<BTreeSet<String>>) {
    let (there, expected) = (scene.marks(), expected.borrow());
    let (extra, missing) = (&there - expected, expected - &there);
    assert!(extra.is_empty() && missing.is_empty(), "still there: {extra:#?}, lost: {missing:#?}");
}

/// Time and calc, on two hosts: what the predecessor's readme shows.
#[tokio::test]
async fn of_two_hosts_with_four_records_one_is_terminated_and_its_two_go() {
    let scene = Scene::new("readme");
    let (one, two) = (scene.host("demo").0, scene.host("demo").0);
    let of = |host: &str| ["time", "calc"].map(|name| scene.task("demo", host, name, "RUNNING"));
    let (alive, dead) = (of(&one), of(&two));
    scene.zone.create(&[&alive[..], &dead[..]].concat());
    ec2::terminate(&two);

    let before = scene.marks();
    let (report, summary) = scene.run(&["--apply"]).await;
    expect(&scene, &before - &marks(&dead));
    assert_eq!(report.counts()[&Verdict::Delete(Death::HostTerminated)], 2);
    assert_eq!((summary.calls.changes, summary.changes.made, summary.is_done()), (1, 3, true));
    let hint: Vec<_> = scene.zone.named("_fleet").into_iter().map(|set| set.values).collect();
    assert_eq!(hint, [["\"hosts=1\""]]);

    // Its address goes when nothing points to it any more, and then there is nothing left to do.
    scene.run(&["--apply"]).await;
    expect(&scene, &marks(&alive) | &BTreeSet::from([one]));
    let (_, summary) = scene.run(&["--apply"]).await;
    assert_eq!((summary.calls.changes, summary.changes.due), (0, 0));
}

/// A cluster of 300 tasks, and all that can be in a zone beside them.
#[tokio::test]
async fn exactly_the_dead_go_in_one_run() {
    let scene = Scene::new("whole");
    let zone = scene.zone.name.clone();
    let (mut alive, mut due) = (Vec::new(), Vec::new());

    // Tasks that run: 300 on five hosts in one cluster, and some in another.
    let hosts: Vec<_> = (0..5).map(|_| scene.host("web")).collect();
    for n in 0..300 {
        let service = format!("_s{}._tcp", n % 6);
        alive.push(scene.task("web", &hosts[n % 5].0, &service, "RUNNING"));
    }
    let batch = scene.host("batch").0;
    alive.extend((0..4).map(|_| scene.task("batch", &batch, "_batch._tcp", "RUNNING")));
    // Tasks that have stopped, their hosts go on: one of each service, and one in the other cluster.
    due.extend((0..6).map(|n| scene.task("web", &hosts[0].0, &format!("_s{n}._tcp"), "STOPPED")));
    due.push(scene.task("batch", &batch, "_batch._tcp", "STOPPED"));
    // A host that is gone, with what ECS has not noticed yet.
    let dead = scene.host("web").0;
    due.extend((0..6).map(|n| scene.task("web", &dead, &format!("_s{n}._tcp"), "RUNNING")));
    ec2::terminate(&dead);
    // A host off EC2, a container outside ECS, records of others.
    let elsewhere = host_record(&zone, "db1", "192.168.7.7");
    alive.extend([elsewhere, srv(&zone, "_db._tcp", "db1", &scene.id(), 5432)]);
    alive.push(srv(&zone, "_s0._tcp", &hosts[1].0, &scene.id(), 9_000));
    let other =
        record(format!("_s1._tcp.{zone}"), RecordType::Srv, "by-hand".into(), 0, "1 1 1 x.example".into());
    alive.extend([other, record(format!("app.{zone}"), RecordType::A, dead.clone(), 60, "10.9.9.9".into())]);
    // The predecessor's: of one host, one task of two runs.
    let name = format!("ip-{}.ec2.internal", hosts[2].1.replace('.', "-"));
    alive.push(host_record(&zone, &name, &hosts[2].1));
    for (status, into) in [("RUNNING", &mut alive), ("STOPPED", &mut due)] {
        let ours = scene.task("web", &hosts[2].0, "_old._tcp", status);
        let id = mark(&ours).split(':').nth(1).unwrap().to_owned();
        let port = ours.values[0].split(' ').nth(2).unwrap().parse().unwrap();
        into.push(legacy(&zone, "_old._tcp", &name, &id, port));
    }
    // With an address of their own: two of three have stopped.
    scene.ecs.define("_vpc._tcp", "awsvpc", "_vpc._tcp");
    let mut addresses = Vec::new();
    for (n, status) in ["RUNNING", "STOPPED", "STOPPED", "RUNNING"].into_iter().enumerate() {
        let (id, ip) = (scene.id(), format!("10.0.250.{n}"));
        let mut srv = srv(&zone, "_vpc._tcp", &hosts[3].0, &id, 80);
        srv.values = vec![format!("1 1 80 {}.{zone}", &id[..12])];
        let task = Task {
            definition: "_vpc._tcp".into(),
            host: Some(hosts[3].0.clone()),
            status,
            container: id.clone(),
            binding: None,
            address: Some(ip.clone()),
        };
        scene.ecs.task("web", task);
        let address =
            record(format!("{}.{zone}", &id[..12]), RecordType::A, format!("{}:{id}", hosts[3].0), 60, ip);
        match status {
            "RUNNING" => alive.extend([srv, address]),
            _ => {
                due.push(srv);
                addresses.push(address);
            }
        }
    }
    // The last target of a service that has moved to Fargate.
    let last = scene.task("web", &hosts[4].0, "_far._tcp", "STOPPED");
    runs_on_fargate(&scene, "_far._tcp");
    scene.zone.create(&[&alive[..], &due[..], &addresses[..], &[last][..]].concat());

    let before = scene.marks();
    // A plan says the same, and does nothing.
    let (plan, _) = scene.run(&[]).await;
    expect(&scene, &before);
    assert_eq!(plan.deletes().map(mark).collect::<BTreeSet<_>>(), marks(&due));

    let (report, summary) = scene.run(&["--apply"]).await;
    expect(&scene, &before - &marks(&due));
    assert_eq!((summary.calls.changes, summary.standstill.as_deref()), (1, None));
    let counts = report.counts();
    assert_eq!(counts[&Verdict::Wait(Death::ContainerStopped, Held::LastTarget)], 1);
    // The predecessor's address, too: others may be named after the same.
    assert_eq!(counts[&Verdict::Keep(Kept::HostOutOfSight)], 3);
    assert_eq!(counts[&Verdict::Keep(Kept::OutsideEcs)], 1);
    assert_eq!((summary.hosts_out_of_sight, summary.unregistered.len()), (2, 0));
    // What has an address of its own loses it a run later, and the host too.
    scene.run(&["--apply"]).await;
    let left = &(&before - &marks(&due)) - &marks(&addresses);
    // The dead host's own name is the mark of a record by hand too.
    expect(&scene, &left);
    assert!(scene.zone.named(&dead).is_empty() && !scene.zone.named("app").is_empty());
}

/// A service has moved to Fargate: of its dead copy on a host the last target of each name is left, of its full name where
/// the janitor is told how the agents make one.
#[tokio::test]
async fn the_last_target_of_a_full_name_stays_like_that_of_its_weighted_one() {
    let scene = Scene::new("full");
    let host = scene.host("web").0;
    let weighted = scene.task("web", &host, "_far._tcp", "STOPPED");
    let full = RecordSet {
        name: weighted.name.replace("_far._tcp", "_far-all._tcp"),
        routing: Routing::Multivalue,
        ..weighted.clone()
    };
    runs_on_fargate(&scene, "_far._tcp");
    scene.zone.create(&[weighted.clone(), full.clone()]);
    let names = |report: &Report| -> Vec<String> {
        report.deletes().map(|set| set.name.trim_end_matches('.').to_owned()).collect()
    };
    let (report, _) = scene.run(&["--full-names", "-all"]).await;
    assert_eq!(names(&report), [""; 0]);
    let (report, _) = scene.run(&[]).await;
    assert_eq!(names(&report), [full.name.trim_end_matches('.').to_owned()]);
}

#[tokio::test]
async fn fault_20_every_cluster_is_read() {
    let scene = Scene::new("clusters");
    for cluster in ["one", "two", "three"] {
        let host = scene.host(cluster).0;
        let tasks: Vec<_> = (0..3).map(|_| scene.task(cluster, &host, "_web._tcp", "RUNNING")).collect();
        scene.zone.create(&tasks);
    }
    let dead = scene.task("three", &scene.host("three").0, "_web._tcp", "STOPPED");
    scene.zone.create(std::slice::from_ref(&dead));
    let before = scene.marks();
    // Where only one is to be read, what is in the others is out of reach, not dead.
    let (_, summary) = scene.run(&["--apply", "--clusters", "one"]).await;
    assert_eq!((scene.marks(), summary.standstill), (before.clone(), None));
    let (_, summary) = scene.run(&["--apply", "--clusters", "four"]).await;
    assert!(summary.standstill.unwrap().contains("cluster four"));
    scene.ecs.with(|ecs| ecs.page = 1);
    scene.run(&["--apply"]).await;
    expect(&scene, &before - &marks(&[dead]));
}

#[tokio::test]
async fn fault_21_every_page_of_tasks_is_read() {
    let scene = Scene::new("pages");
    let host = scene.host("web").0;
    let tasks: Vec<_> = (0..130).map(|_| scene.task("web", &host, "_web._tcp", "RUNNING")).collect();
    let dead: Vec<_> = (0..120).map(|_| scene.task("web", &host, "_api._tcp", "STOPPED")).collect();
    scene.zone.create(&[&tasks[..], &dead[..]].concat());
    let (_, summary) = scene.run(&["--apply"]).await;
    // Half of a service at most, and its last target while nothing proves the rest: 60, then 30, 15, ...
    assert_eq!((summary.changes.made, summary.standstill.is_none()), (61, true));
    assert!(marks(&tasks).is_subset(&scene.marks()));
    let pages = |call: &str| scene.ecs.with(|ecs| ecs.asked.iter().filter(|action| *action == call).count());
    assert_eq!(pages("ListTasks"), 4, "two of either kind, in the first inspection alone");
    assert_eq!(pages("DescribeTasks"), 6, "and in the second those that looked dead");
}

#[tokio::test]
async fn says_what_runs_without_a_record_and_takes_no_more_than_it_was_told() {
    let scene = Scene::new("watch");
    let (one, two) = (scene.host("web").0, scene.host("web").0);
    let mut records: Vec<_> = (0..8).map(|_| scene.task("web", &one, "_web._tcp", "RUNNING")).collect();
    records.extend((0..4).map(|_| scene.task("web", &one, "_web._tcp", "STOPPED")));
    scene.task("web", &two, "_api._tcp", "RUNNING");
    scene.zone.create(&records);
    let (report, summary) = scene.run(&["--apply", "--max-deletes", "1"]).await;
    println!("{}", table(&report, &summary, "ecssd"));
    assert_eq!(report.counts()[&Verdict::Wait(Death::ContainerStopped, Held::CapOfRun)], 3);
    assert_eq!(summary.changes.made, 2, "one, and how many hosts there are");
    let (host, names) = summary.unregistered.first_key_value().unwrap();
    assert_eq!((host.as_str(), names.len(), summary.unregistered.len()), (two.as_str(), 1, 1));
    assert!(names.first().unwrap().starts_with(&format!("_api._tcp.{} of task ", scene.zone.name)));
}

/// The same zone, hosts in two regions; each region has a host that is dead, or a task.
#[tokio::test]
async fn what_is_in_another_region_is_seen_where_that_is_looked_at() {
    let scene = Scene::new("regions");
    let zone = scene.zone.name.clone();
    let here = scene.host("web").0;
    let mut records: Vec<_> = (0..3).map(|_| scene.task("web", &here, "_web._tcp", "RUNNING")).collect();
    let (there, far) = (Ecs::start(), ec2::Ec2::default());
    let elsewhere = "i-0f00000000000000f";
    far.instances.lock().unwrap().push((elsewhere.into(), "running", "10.200.0.1".into()));
    there.host("web", elsewhere);
    there.define("_web._tcp", "bridge", "_web._tcp");
    records.push(host_record(&zone, elsewhere, "10.200.0.1"));
    let mut dead = Vec::new();
    for (n, status) in ["RUNNING", "STOPPED"].into_iter().enumerate() {
        let (container, port) = (scene.id(), 40_000 + u16::try_from(n).unwrap());
        let record = srv(&zone, "_web._tcp", elsewhere, &container, port);
        let (host, binding) = (Some(elsewhere.to_owned()), Some((80, port)));
        let definition = "_web._tcp".to_owned();
        there.task("web", Task { definition, host, status, container, binding, address: None });
        if status == "STOPPED" {
            dead.push(record.clone());
        }
        records.push(record);
    }
    scene.zone.create(&records);
    let before = scene.marks();
    let (report, _) = scene.run(&["--apply"]).await;
    expect(&scene, &before);
    assert_eq!(report.counts()[&Verdict::Keep(Kept::HostOutOfSight)], 3);

    let mut clients = scene.clients().await;
    let url = far.start(std::time::Duration::ZERO);
    clients.account_regions.push(account_region("there", &there, &url).await);
    run(&options(&["--apply"]), &clients).await;
    expect(&scene, &before - &marks(&dead));
    // One of the two that fails is enough to wait.
    there.rule(|_, _| Act::Throttle);
    let (_, summary) = run(&options(&["--apply"]), &clients).await;
    assert!(summary.standstill.unwrap().contains("there: ListClusters: ThrottlingException"));
}

/// ECS knows of a container instance, and not of which EC2 instance it is.
#[tokio::test]
async fn an_odd_container_instance_keeps_its_host_and_not_the_run() {
    let scene = Scene::new("odd");
    let (one, two) = (scene.host("demo").0, scene.host("demo").0);
    scene.ecs.host("demo", "");
    let dead = scene.task("demo", &one, "time", "RUNNING");
    let alive = [scene.task("demo", &two, "time", "RUNNING"), scene.task("demo", &two, "calc", "RUNNING")];
    // What ECS calls stopped there may run on a host that it has otherwise, too.
    let mut let_go = scene.task("demo", "", "calc", "STOPPED");
    let_go.set_identifier = let_go.set_identifier.map(|mark| format!("{two}{mark}"));
    let_go.values = vec![format!("1 1 32777 {two}.{}", scene.zone.name)];
    scene.zone.create(&[&alive[..], &[dead.clone(), let_go]].concat());
    ec2::terminate(&one);
    let before = scene.marks();
    let (report, summary) = scene.run(&["--apply"]).await;
    assert_eq!(summary.standstill, None);
    expect(&scene, &before - &marks(&[dead]));
    assert_eq!(report.counts()[&Verdict::Keep(Kept::LetGo)], 1);
}

/// Two owners by which a host of ECS Anywhere may go: its name, and what ECS calls it.
#[tokio::test]
async fn what_ecs_calls_stopped_on_a_host_that_is_no_instance_is_kept_and_counted() {
    let scene = Scene::new("anywhere");
    let (one, anywhere) = (scene.host("demo").0, "mi-0123456789abcdef0");
    scene.ecs.host("demo", anywhere);
    let alive = scene.task("demo", &one, "time", "RUNNING");
    let over = ["pi1", anywhere].map(|owner| {
        let mut set = scene.task("demo", anywhere, "calc", "STOPPED");
        set.set_identifier = set.set_identifier.map(|mark| mark.replace(anywhere, owner));
        set.values = vec![format!("1 1 32777 {owner}.{}", scene.zone.name)];
        set
    });
    scene.zone.create(&[&[alive][..], &over].concat());
    let before = scene.marks();
    let (report, summary) = scene.run(&["--apply"]).await;
    assert_eq!(summary.standstill, None);
    expect(&scene, before);
    assert_eq!(report.counts()[&Verdict::Keep(Kept::HostOutOfSight)], 2);
}
