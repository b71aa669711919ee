//! Tasks register while a run reads: none of them is ever deleted.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecssd::janitor::run::run;

use crate::ecs::{Act, Ecs, Task};
use crate::route53::Route53;
use crate::scene::{clients, docker_id, host_record, mark, options, srv, zone_at};
use ecssd_testing::route53::model::ID;
use ecssd_testing::route53::wire::Asked;

const ZONE: &str = "sd.internal";
const HOSTS: u64 = 5;
const RUNS: usize = 40;
/// In the gap between a list and its snapshot, in each inspection.
const IN_THE_GAP: u64 = 40;

fn host(n: u64) -> String {
    format!("i-{:017x}", n % HOSTS)
}

/// What agents do: ECS has the task, then the zone the record.
struct Registering {
    route53: Route53,
    ecs: Ecs,
    marks: Mutex<Vec<String>>,
}

impl Registering {
    fn register(&self, status: &'static str) -> String {
        let n = u64::try_from(self.marks.lock().unwrap().len()).unwrap();
        let (container, port) = (docker_id(n + 1), u16::try_from(10_000 + n).unwrap());
        let task = Task {
            definition: "web".into(),
            host: Some(host(n)),
            status,
            container: container.clone(),
            binding: Some((80, port)),
            address: None,
        };
        self.ecs.task(if n % 3 == 0 { "a" } else { "b" }, task);
        let set = srv(ZONE, &format!("_s{}._tcp", n % 20), &host(n), &container, port);
        self.marks.lock().unwrap().push(mark(&set));
        self.route53.create(vec![set.clone()]);
        mark(&set)
    }
}

#[tokio::test]
async fn fault_22_a_task_that_registers_between_list_and_snapshot_is_never_deleted() {
    let (in_the_gap, elsewhere) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for _ in 0..RUNS {
        let agents = Arc::new(Registering {
            route53: Route53::start(ZONE, Duration::ZERO),
            ecs: Ecs::start(),
            marks: Mutex::default(),
        });
        let ec2 = crate::ec2::Ec2::default();
        agents.ecs.define("web", "bridge", "_s1._tcp,_s2._tcp");
        for n in 0..HOSTS {
            let address = format!("10.0.0.{n}");
            ec2.instances.lock().unwrap().push((host(n), "running", address.clone()));
            agents.ecs.host(if n % 2 == 0 { "a" } else { "b" }, &host(n));
            agents.route53.create(vec![host_record(ZONE, &host(n), &address)]);
        }
        (0..60).for_each(|_| drop(agents.register("RUNNING")));
        let dead = agents.register("STOPPED");

        let (registering, gap, other) =
            (Arc::clone(&agents), Arc::clone(&in_the_gap), Arc::clone(&elsewhere));
        let is_listed = Arc::new(AtomicBool::new(false));
        let listed = Arc::clone(&is_listed);
        agents.ecs.rule(move |_, _| {
            // The first call of a snapshot: the list is over.
            let many = if listed.swap(false, Ordering::Relaxed) { IN_THE_GAP } else { 1 };
            (0..many).for_each(|_| drop(registering.register("RUNNING")));
            let count = if many > 1 { &gap } else { &other };
            count.fetch_add(usize::try_from(many).unwrap(), Ordering::Relaxed);
            Act::Serve
        });
        let (registering, other) = (Arc::clone(&agents), Arc::clone(&elsewhere));
        agents.route53.rule(move |asked, _| {
            // Between the pages of a list, and just before the deletes.
            is_listed.fetch_or(matches!(asked, Asked::List { .. }), Ordering::Relaxed);
            if matches!(asked, Asked::List { .. } | Asked::Change(_)) {
                registering.register("RUNNING");
                other.fetch_add(1, Ordering::Relaxed);
            }
            None
        });
        let zone = zone_at(&agents.route53.url, ZONE, ID).await;
        let clients = clients(Arc::new(zone), &agents.ecs, &ec2.start(Duration::ZERO)).await;
        let (report, summary) = run(&options(&["--apply"]), &clients).await;
        assert_eq!(summary.standstill, None);
        // It was no run that does nothing.
        assert!(report.deletes().map(mark).eq([dead.clone()]));
        let left = agents.route53.marks();
        let registered = agents.marks.lock().unwrap();
        let lost: Vec<_> = registered.iter().filter(|mark| !left.contains(mark)).collect();
        assert_eq!(lost, [&dead]);
    }
    let (gap, other) = (in_the_gap.load(Ordering::Relaxed), elsewhere.load(Ordering::Relaxed));
    println!(
        "{gap} tasks registered between a list and its snapshot, {other} in other gaps; none was deleted"
    );
    assert!(gap >= 3_000);
}
