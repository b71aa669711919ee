//! What the predecessor's Lambda did to its users, as far as a verdict can do it.

use std::time::Duration;

use super::world::{EcsSays, Job, Kind, Machine, Vpc, World, ZONE};
use crate::janitor::evidence::{AgentConnection, Container, InstanceState};
use crate::janitor::report::Standstill;
use crate::janitor::{Inspection, Report, judge};
use crate::moment::Moment;
use crate::record::Routing;

pub(super) fn machine(state: InstanceState) -> Machine {
    let agent =
        if state == InstanceState::Running { AgentConnection::Connected } else { AgentConnection::Absent };
    Machine { kind: Kind::Ours, vpc: Vpc::Home, octet: 0, state, agent, forgotten: false, late: false }
}

pub(super) fn job(machine: usize, alive: bool) -> Job {
    let ecs = if alive { EcsSays::Runs } else { EcsSays::Stopped };
    Job { machine, service: 0, alive, ecs, let_go: false, vpc: false, all_names: false }
}

/// Running hosts with so many running containers each.
pub(super) fn fleet(hosts: usize, jobs: usize) -> World {
    let mut world = World::default();
    for _ in 0..hosts {
        let host = world.machine(machine(InstanceState::Running));
        for _ in 0..jobs {
            world.job(job(host, true));
        }
    }
    world
}

pub(super) fn at(secs: u64) -> Moment {
    Moment::after(Duration::from_secs(secs))
}

pub(super) fn report([first, last]: [Inspection; 2]) -> Report {
    judge(ZONE, &first, &last, at(102))
}

pub(super) fn deletes(world: &World) -> usize {
    report([world.inspect(0), world.inspect(100)]).deletes().count()
}

#[test]
fn fault_20_records_of_clusters_that_were_not_read_stay() {
    let world = fleet(6, 3);
    let inspections = [0, 100].map(|at| {
        let mut inspection = world.inspect(at);
        // The first host's cluster alone was read, and nobody noticed.
        inspection.snapshot.what.containers.retain(|_, known| known.instance == Some(super::world::owner(0)));
        inspection
            .snapshot
            .what
            .hosts
            .values_mut()
            .skip(1)
            .for_each(|host| host.agent = AgentConnection::Absent);
        inspection.snapshot.what.services = Some(Default::default());
        inspection
    });
    assert_eq!(report(inspections).deletes().count(), 0);
}

#[test]
fn fault_21_records_of_tasks_beyond_the_first_page_stay() {
    let world = fleet(5, 30);
    let short = |at| {
        let mut inspection = world.inspect(at);
        let beyond: Vec<_> = inspection.snapshot.what.containers.keys().skip(100).cloned().collect();
        assert_eq!(beyond.len(), 50);
        inspection.snapshot.what.containers.retain(|id, _| !beyond.contains(id));
        inspection
    };
    assert_eq!(report([short(0), short(100)]).deletes().count(), 0);
    // And where it is noticed, nothing goes at all, not even what is dead.
    let mut world = world;
    world.jobs[0] = job(0, false);
    assert_eq!(deletes(&world), 1);
    let mut inspections = [world.inspect(0), world.inspect(100)];
    inspections[0].snapshot.missing.push("ListTasks: Rate exceeded".to_owned());
    let report = report(inspections);
    assert_eq!(report.deletes().count(), 0);
    assert_eq!(report.standstill, Some(Standstill::Incomplete(vec!["ListTasks: Rate exceeded".to_owned()])));
}

#[test]
fn fault_22_a_task_that_registers_while_others_are_read_stays() {
    let before = fleet(4, 2);
    let mut after = before.clone();
    after.job(job(0, true));
    // Its record is in the list, and ECS was read before it was there.
    let mut inspection = after.inspect(0);
    inspection.snapshot = before.inspect(0).snapshot;
    assert_eq!(report([inspection.clone(), after.inspect(100)]).deletes().count(), 0);
    assert_eq!(
        report([after.inspect(0), Inspection { list: after.inspect(100).list, ..inspection }])
            .deletes()
            .count(),
        0
    );
    // Whoever reads so is told.
    let mut last = after.inspect(100);
    std::mem::swap(&mut last.list.began, &mut last.snapshot.began);
    std::mem::swap(&mut last.list.ended, &mut last.snapshot.ended);
    assert_eq!(report([after.inspect(0), last]).standstill, Some(Standstill::OutOfOrder));
}

#[test]
fn fault_23_health_is_no_evidence() {
    let mut world = fleet(4, 2);
    world.zone.values_mut().for_each(|set| set.routing = Routing::Weighted(0));
    assert_eq!(deletes(&world), 0);
}

#[test]
fn fault_24_a_terminated_host_and_a_fargate_task_stop_nothing_and_caps_hold() {
    let mut world = fleet(4, 3);
    world.machines[0] = machine(InstanceState::Terminated);
    let inspections = [0, 100].map(|at| {
        let mut inspection = world.inspect(at);
        let fargate = Container { instance: None, stopped: at == 0 };
        inspection.snapshot.what.containers.insert("f".repeat(64).parse().unwrap(), fargate);
        inspection
    });
    let report = report(inspections);
    assert_eq!((report.standstill.clone(), report.deletes().count()), (None, 3));
    // A mass of hosts that are off is rather an error of ours.
    (0..3).for_each(|n| world.machines[n].state = InstanceState::Stopped);
    assert_eq!(deletes(&world), 0);
    // Half of a service at most.
    let mut world = fleet(3, 4);
    (0..12).for_each(|n| world.jobs[n] = job(n / 4, false));
    assert_eq!(deletes(&world), 6);
}
