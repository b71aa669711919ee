//! How fast what EC2 has forgotten goes, and what stays for good, by its cause: the table of `docs/janitor.md`.

use super::faults::{at, fleet, job, machine};
use super::story::judged;
use super::world::{EMPTY, EcsSays, Kind, Machine, Tag, Vpc, World, ZONE, owner};
use crate::janitor::Report;
use crate::janitor::evidence::InstanceState;
use crate::janitor::sight::Sight;
use crate::janitor::verdict::Scene;

/// Scheduled every 5 minutes, that is an hour.
const RUNS: usize = 12;
const PAGE: &str = include_str!("../../../docs/janitor.md");

fn run(world: &mut World) -> Report {
    let report = judged(&[world.inspect(0), world.inspect(100)], at(102));
    report.deletes().for_each(|set| world.delete(set));
    report
}

fn dead(world: &World) -> usize {
    world.zone.keys().filter(|key| !world.is_alive(key)).count()
}

/// EC2 forgets hosts that had been there, with what ran on them.
fn forget(world: &mut World, hosts: impl IntoIterator<Item = usize>) {
    for host in hosts {
        world.machines[host] =
            Machine { forgotten: true, state: InstanceState::Terminated, ..world.machines[host].clone() };
        world.jobs.iter_mut().filter(|job| job.machine == host).for_each(|job| job.ecs = EcsSays::Nothing);
    }
}

/// A fleet of which the first host is forgotten.
fn with_one_forgotten() -> World {
    let mut world = fleet(6, 2);
    forget(&mut world, [0]);
    world
}

#[test]
fn of_what_ec2_has_forgotten_nothing_is_left_after_12_runs() {
    let mut most = 0;
    for hosts in [2, 3, 4, 10, 30, 60] {
        for forgotten in 1..=hosts.min(20) / 2 {
            for jobs in 1..=3 {
                let mut world = fleet(hosts, jobs);
                forget(&mut world, 0..forgotten);
                let before = dead(&world);
                let runs = (0..RUNS).take_while(|_| run(&mut world).deletes().next().is_some()).count();
                let left = dead(&world);
                assert_eq!(left, 0, "{left} of {before} of {forgotten} of {hosts} hosts with {jobs} each");
                most = most.max(runs);
            }
        }
    }
    println!("figure: {most} runs at most until nothing is left of hosts that EC2 has forgotten");
    assert!(most > 4, "too few worlds have something to do");
}

#[test]
fn only_ids_that_ec2_does_not_show_where_absence_counts_are_asked_about() {
    let mut world = with_one_forgotten();
    let named = world.machine(Machine { kind: Kind::Named, octet: 99, ..machine(InstanceState::Running) });
    world.job(job(named, true));
    let unseen = |world: &World, sight: Option<Sight>| {
        let mut inspection = world.inspect(0);
        inspection.snapshot.what.sight = sight.unwrap_or(inspection.snapshot.what.sight);
        Scene::new(ZONE, &inspection).unseen().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(unseen(&world, None), [owner(0)]);
    assert_eq!(unseen(&world, Some(Sight::default())), [owner(0)], "where that is, is asked only then");
    assert_eq!(unseen(&World { said: vec![EMPTY], ..world }, None), []);
}

/// As the page has it, and a world in which something stays for that.
type Cause = (&'static str, fn() -> World);

const CAUSES: &[Cause] = &[
    ("the host goes by a name (off EC2, or the predecessor's)", || {
        let mut world = fleet(6, 2);
        let host = world.machine(Machine { kind: Kind::Named, octet: 9, ..machine(InstanceState::Running) });
        world.job(job(host, true));
        forget(&mut world, [host]);
        world
    }),
    ("no account that is read owns a VPC of the zone", || {
        let mut world = with_one_forgotten();
        world.machine(Machine { vpc: Vpc::Peer, ..machine(InstanceState::Running) });
        world
    }),
    ("another host of the zone is in none of its VPCs, by what EC2 shows or by its address", || {
        let mut world = with_one_forgotten();
        world.machine(Machine { vpc: Vpc::Profile, ..machine(InstanceState::Running) });
        world
    }),
    ("its address is outside `--home-networks`", || World { said: vec![EMPTY], ..with_one_forgotten() }),
    ("its host has no address record any more", || {
        let mut world = with_one_forgotten();
        world.zone.retain(|key, _| world.tags[key] != Tag::Machine(0));
        world
    }),
    ("it is the last target of a name", || {
        let mut world = with_one_forgotten();
        world.job(super::world::Job { service: 1, ..job(0, false) });
        world.jobs.last_mut().unwrap().ecs = EcsSays::Nothing;
        world
    }),
    ("more than half of its service is dead by absence", || {
        let mut world = fleet(6, 0);
        for host in [0, 1, 2] {
            world.job(job(host, true));
        }
        forget(&mut world, [0, 1]);
        world
    }),
    ("over 55 % of 4 or more hosts look dead", || {
        let mut world = fleet(6, 2);
        forget(&mut world, 0..4);
        world
    }),
    ("its host is *stopped*, and the record is its address", || {
        let mut world = fleet(6, 0);
        world.machines[0] = machine(InstanceState::Stopped);
        world
    }),
    ("its host runs, and ECS does not know the container", || {
        let mut world = fleet(6, 2);
        (world.jobs[0].alive, world.jobs[0].ecs) = (false, EcsSays::Nothing);
        world
    }),
];

#[test]
fn what_stays_for_good_is_on_the_page_by_its_cause() {
    for (cause, world) in CAUSES {
        assert!(PAGE.contains(&format!("| {cause} |")), "the page has no line for: {cause}");
        let mut world = world();
        (0..RUNS).for_each(|_| drop(run(&mut world)));
        let left = world.zone.len();
        assert_eq!(run(&mut world).deletes().count(), 0, "it goes on: {cause}");
        let stays = dead(&world) > 0 || world.machines[0].state == InstanceState::Stopped;
        assert!(stays && left > 0, "nothing stays: {cause}");
    }
    let (_, table) = PAGE.split_once("| what stays for good |").expect("its table");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|')).count();
    assert_eq!(lines, CAUSES.len(), "a cause on the page that no world has");
}

/// The same worlds with their cause taken away.
#[test]
fn without_its_cause_it_goes() {
    let mut world = with_one_forgotten();
    world.machine(Machine { vpc: Vpc::Shared, ..machine(InstanceState::Running) });
    world.machine(Machine { vpc: Vpc::Second, octet: 9, ..machine(InstanceState::Running) });
    (0..RUNS).for_each(|_| drop(run(&mut world)));
    assert_eq!(dead(&world), 0);
    assert!(world.zone.values().all(|set| set.set_identifier.as_deref() != Some(owner(0).as_str())));
}
