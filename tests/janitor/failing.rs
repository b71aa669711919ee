//! Whatever cannot be read, nothing is deleted, and the run says so.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecssd::janitor::report::{Death, Held, Verdict};
use ecssd::janitor::run::run;
use ecssd::record::{Action, Routing};

use crate::ecs::{Act, Ecs, Task};
use crate::route53::{Route53, throttled};
use crate::scene::{Skipping, clients, docker_id, host_record, mark, options, srv, zone_at};
use ecssd_testing::http::{Request, serve};
use ecssd_testing::route53::model::ID;
use ecssd_testing::route53::wire::Asked;

const ZONE: &str = "sd.internal";
const HOST: &str = "i-00000000000000001";

/// A host with ten tasks of one service, of which one has stopped; instances are those of this machine's EC2.
struct Small {
    route53: Route53,
    ecs: Ecs,
    ec2: String,
    dead: String,
}

impl Small {
    fn new() -> Self {
        let (route53, ecs) = (Route53::start(ZONE, Duration::ZERO), Ecs::start());
        let instances = crate::ec2::Ec2::default();
        instances.instances.lock().unwrap().push((HOST.into(), "running", "10.0.0.1".into()));
        ecs.host("web", HOST);
        ecs.define("web", "bridge", "_web._tcp");
        ecs.with(|ecs| ecs.page = 4);
        route53.create(vec![host_record(ZONE, HOST, "10.0.0.1")]);
        let mut dead = String::new();
        for n in 0..10_u16 {
            let (container, port) = (docker_id(n.into()), 32_000 + n);
            let set = srv(ZONE, "_web._tcp", HOST, &container, port);
            let status = if n == 0 { "STOPPED" } else { "RUNNING" };
            if n == 0 {
                dead = mark(&set);
            }
            route53.create(vec![set]);
            let host = Some(HOST.to_owned());
            let task = Task {
                definition: "web".into(),
                host,
                status,
                container,
                binding: Some((80, port)),
                address: None,
            };
            ecs.task("web", task);
        }
        Self { route53, ecs, ec2: instances.start(Duration::ZERO), dead }
    }

    async fn run(&self) -> ecssd::janitor::summary::RunSummary {
        self.run_with(&self.ec2).await
    }

    async fn run_with(&self, ec2: &str) -> ecssd::janitor::summary::RunSummary {
        let zone = zone_at(&self.route53.url, ZONE, ID).await;
        run(&options(&["--apply"]), &clients(Arc::new(zone), &self.ecs, ec2).await).await.1
    }

    fn dead_is_there(&self) -> bool {
        self.route53.marks().contains(&self.dead)
    }
}

/// What a run asks of ECS, call by call.
async fn actions() -> Vec<String> {
    let small = Small::new();
    assert_eq!((small.run().await.standstill, small.dead_is_there()), (None, false));
    let actions = small.ecs.with(|ecs| ecs.asked.clone());
    assert!(actions.len() >= 14, "{actions:?}");
    actions
}

/// Only what is described can be forgotten.
fn may_fail_so(act: &Act, action: &str) -> bool {
    *act != Act::Forget || matches!(action, "DescribeTasks" | "DescribeContainerInstances")
}

const PASSING: [Act; 4] = [Act::Throttle, Act::Fail, Act::Break, Act::Forget];

#[tokio::test]
async fn any_call_of_ecs_that_fails_once_is_made_again() {
    let mut cases = 0;
    for (call, action) in actions().await.into_iter().enumerate() {
        for act in PASSING.iter().filter(|act| may_fail_so(act, &action)) {
            let small = Small::new();
            let (failed, failing) = (Arc::new(Mutex::new(String::new())), act.clone());
            let note = Arc::clone(&failed);
            // Two may be under way at once: which call this is, is known when it comes.
            small.ecs.rule(move |action, number| {
                if number <= call || !note.lock().unwrap().is_empty() || !may_fail_so(&failing, action) {
                    return Act::Serve;
                }
                action.clone_into(&mut note.lock().unwrap());
                failing.clone()
            });
            let summary = small.run().await;
            let failed = failed.lock().unwrap().clone();
            assert_ne!(failed, "", "{act:?} of call {call}");
            assert_eq!((summary.standstill, small.dead_is_there()), (None, false), "{act:?} of {failed}");
            cases += 1;
        }
    }
    println!("{cases} failures");
}

#[tokio::test]
async fn any_call_of_ecs_that_fails_to_the_end_makes_the_run_delete_nothing() {
    let mut cases = 0;
    for (call, action) in actions().await.into_iter().enumerate() {
        for act in PASSING.iter().chain([&Act::Deny]).filter(|act| may_fail_so(act, &action)) {
            let small = Small::new();
            let (failed, failing) = (Arc::new(Mutex::new(String::new())), act.clone());
            let note = Arc::clone(&failed);
            small.ecs.rule(move |action, number| {
                let mut failed = note.lock().unwrap();
                if failed.is_empty() && number > call && may_fail_so(&failing, action) {
                    action.clone_into(&mut failed);
                }
                if *failed == action { failing.clone() } else { Act::Serve }
            });
            let summary = small.run().await;
            let failed = failed.lock().unwrap().clone();
            let standstill =
                summary.standstill.unwrap_or_else(|| panic!("{act:?} from call {call} on, {failed:?}"));
            assert!(!failed.is_empty() && standstill.contains(failed.as_str()), "{failed}: {standstill}");
            assert_eq!((summary.changes.due, small.dead_is_there()), (0, true), "{act:?} of {failed}");
            assert!(summary.seconds.total < 300.0, "{:?}", summary.seconds);
            cases += 1;
        }
    }
    println!("{cases} failures");
}

/// A host is stopped, with one of the tasks; the first inspection has no time for more than the first page of
/// those that should run.
#[tokio::test]
async fn where_time_is_too_short_only_what_says_that_it_is_over_goes() {
    let small = Small::new();
    let off = "i-00000000000000002";
    small.route53.create(vec![srv(ZONE, "_web._tcp", off, &docker_id(99), 31_000)]);
    let instances = crate::ec2::Ec2::default();
    *instances.instances.lock().unwrap() =
        vec![(HOST.into(), "running", "10.0.0.1".into()), (off.into(), "stopped", "10.0.0.2".into())];
    for (skips, expected) in [(true, 1), (false, 0)] {
        let zone = zone_at(&small.route53.url, ZONE, ID).await;
        let mut clients = clients(Arc::new(zone), &small.ecs, &instances.start(Duration::ZERO)).await;
        let time = Skipping::start();
        clients.time = Arc::<Skipping>::clone(&time);
        let mut lists = 0;
        small.ecs.rule(move |action, _| {
            lists += usize::from(action == "ListTasks");
            if skips && action == "ListTasks" && lists == 2 {
                time.skip(Duration::from_secs(200));
            }
            Act::Serve
        });
        let (report, summary) = run(&options(&["--apply"]), &clients).await;
        assert_eq!(summary.standstill, None);
        let waits = report.counts().get(&Verdict::Wait(Death::HostStopped, Held::NotAllRead)).copied();
        assert_eq!(waits.unwrap_or_default(), expected);
        assert_eq!(summary.doubt.is_some(), skips);
        assert!(!skips || summary.doubt.unwrap().contains("1 clusters"));
        assert!(!small.dead_is_there(), "its task has stopped");
    }
    assert!(!small.route53.marks().iter().any(|mark| mark.contains(off)));
}

#[tokio::test]
async fn an_ec2_that_fails_makes_the_run_delete_nothing() {
    let small = Small::new();
    let cut = "<DescribeInstancesResponse><reservationSet><item>";
    let limit = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.\
                 </Message></Error></Errors></Response>";
    for (status, body) in [(503, limit), (200, cut), (200, "<html/>"), (403, "UnauthorizedOperation")] {
        let ec2 = serve(move |_| (status, "text/xml", body.to_owned()));
        let standstill = small.run_with(&ec2).await.standstill.unwrap();
        assert!(standstill.contains("here: DescribeInstances"), "{standstill}");
        assert!(small.dead_is_there());
    }
    let standstill = small.run_with("http://127.0.0.1:1").await.standstill.unwrap();
    assert!(standstill.contains("refused"), "{standstill}");
    // Once is nothing.
    let (instances, failed) = (crate::ec2::Ec2::default(), Mutex::new(false));
    instances.instances.lock().unwrap().push((HOST.into(), "running", "10.0.0.1".into()));
    let ec2 = serve(move |request| match std::mem::replace(&mut *failed.lock().unwrap(), true) {
        false => (503, "text/xml", limit.to_owned()),
        true => instances.answer(request),
    });
    assert_eq!(small.run_with(&ec2).await.standstill, None);
    assert!(!small.dead_is_there());
}

#[tokio::test]
async fn a_run_whose_first_call_is_throttled_twice_leaves_the_account_to_others() {
    let small = Small::new();
    small.route53.rule(|_, _| Some(throttled()));
    let summary = small.run().await;
    assert!(summary.skipped && small.dead_is_there());
    assert_eq!((summary.calls.lists, summary.calls.ecs), (2, 0));
    let asked = summary.calls.lists;
    small.route53.rule(move |_, number| (number == asked + 1).then(throttled));
    let summary = small.run().await;
    assert_eq!((summary.standstill, summary.skipped, summary.calls.lists), (None, false, 3));
    assert!(!small.dead_is_there());
}

#[tokio::test]
async fn a_later_list_is_asked_for_again_while_there_is_time() {
    let small = Small::new();
    let mut lists = 0;
    small.route53.rule(move |asked, _| {
        lists += usize::from(matches!(asked, Asked::List { .. }));
        (2..=5).contains(&lists).then(throttled)
    });
    let summary = small.run().await;
    assert_eq!((summary.standstill, summary.skipped, summary.calls.lists), (None, false, 6));
    assert!(!small.dead_is_there());
}

#[tokio::test]
async fn fault_24_a_batch_that_is_throttled_is_sent_again() {
    let small = Small::new();
    let mut refusals = 3;
    small.route53.rule(move |asked, _| {
        let is_change = matches!(asked, Asked::Change(_));
        refusals -= usize::from(is_change && refusals > 0);
        (is_change && refusals > 0).then(throttled)
    });
    let summary = small.run().await;
    assert_eq!((summary.changes.made, summary.calls.changes, summary.is_done()), (2, 3, true));
    assert!(!small.dead_is_there());
}

#[tokio::test]
async fn a_record_that_is_written_anew_before_the_delete_survives() {
    let small = Small::new();
    let (route53, dead) = (small.route53.clone(), small.dead.clone());
    let mut done = false;
    small.route53.rule(move |asked, _| {
        if matches!(asked, Asked::Change(_)) && !done {
            done = true;
            let mut sets = route53.zone.snapshot().into_iter();
            let mut set = sets.find(|set| set.set_identifier.as_ref() == Some(&dead)).unwrap();
            let change = |action, set| ecssd::record::Change { action, set };
            let delete = change(Action::Delete, set.clone());
            set.routing = Routing::Weighted(9);
            let batch = [delete, change(Action::Create, set)];
            use ecssd::zone::Zone;
            futures_util::FutureExt::now_or_never(route53.zone.change(&batch)).unwrap().unwrap();
        }
        None
    });
    let summary = small.run().await;
    assert!(small.dead_is_there());
    assert_eq!((summary.changes.touched, summary.changes.made), (1, 1));
}

#[tokio::test]
async fn what_is_out_of_time_is_the_next_runs() {
    let small = Small::new();
    let zone = zone_at(&small.route53.url, ZONE, ID).await;
    for seconds in [100, 60, 5] {
        let mut options = options(&["--apply"]);
        let clients =
            clients(Arc::new(zone_at(&small.route53.url, ZONE, ID).await), &small.ecs, &small.ec2).await;
        options.deadline = Some(clients.time.now() + Duration::from_secs(seconds));
        let (_, summary) = run(&options, &clients).await;
        assert!(summary.standstill.unwrap().contains("longer timeout"));
        assert_eq!(summary.calls.lists, 0);
    }
    drop(zone);
    assert!(small.dead_is_there());
}

/// A run has two calls under way at once now and then, the more of them the slower the machine is.
#[test]
fn a_call_that_comes_while_another_is_judged_is_judged_too() {
    let (ecs, route53) = (Ecs::start(), Route53::start(ZONE, Duration::ZERO));
    let (both, lists) = (ecs.clone(), route53.clone());
    ecs.rule(move |_, _| {
        while both.with(|ecs| ecs.asked.len()) < 2 {
            std::thread::yield_now();
        }
        Act::Throttle
    });
    route53.rule(move |_, _| {
        while lists.counts().0 < 2 {
            std::thread::yield_now();
        }
        Some(throttled())
    });
    let clusters = || status(&ecs.url, "POST", "/", Some("ListClusters"), "{}");
    let records = || status(&route53.url, "GET", &format!("/2013-04-01/hostedzone/{ID}/rrset"), None, "");
    assert_eq!((at_once(clusters), at_once(records)), ([400; 2], [400; 2]));
}

fn at_once(ask: impl Fn() -> u16 + Sync) -> [u16; 2] {
    std::thread::scope(|scope| [scope.spawn(&ask), scope.spawn(&ask)].map(|asked| asked.join().unwrap()))
}

fn status(url: &str, method: &str, target: &str, action: Option<&str>, body: &str) -> u16 {
    let authority = url.strip_prefix("http://").unwrap();
    let action = action.map(|action| format!("X-Amz-Target: AmazonEC2ContainerServiceV20141113.{action}"));
    let headers = [format!("Content-Length: {}", body.len())].into_iter().chain(action).collect();
    let request = Request { line: format!("{method} {target} HTTP/1.1"), headers, body: body.to_owned() };
    let answer = String::from_utf8(request.pass_on(authority).unwrap()).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
