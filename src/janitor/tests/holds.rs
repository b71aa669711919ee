//! What stays although it is dead, and what lives although it looks dead: one rule at a time.

use super::faults::{at, fleet, job, machine};
use super::story::judged;
use super::world::{
    EcsSays, Job, Kind, Machine, Tag, World, address_name, docker_id, full_name, owner, service, weighted,
};
use crate::janitor::evidence::InstanceState;
use crate::janitor::report::{Death, Held, Kept, Report, Verdict};
use crate::record::{RecordSet, RecordType, Routing};

fn of(world: &World) -> Report {
    judged(&[world.inspect(0), world.inspect(100)], at(102))
}

/// What becomes of the sets of this kind whose identifier begins so.
fn verdicts(report: &Report, kind: RecordType, mark: &str) -> Vec<Verdict> {
    let is = |set: &RecordSet| {
        set.kind == kind && set.set_identifier.as_ref().is_some_and(|id| id.starts_with(mark))
    };
    report.findings.iter().filter(|finding| is(&finding.set)).map(|finding| finding.verdict).collect()
}

/// What becomes of a container's service under its weighted name.
fn of_job(report: &Report, n: usize) -> Verdict {
    let is = |set: &RecordSet| {
        let id = set.set_identifier.as_ref();
        set.kind == RecordType::Srv
            && set.weight().is_some()
            && id.is_some_and(|id| id.contains(&docker_id(n)))
    };
    report.findings.iter().find(|finding| is(&finding.set)).expect("a record").verdict
}

/// What becomes of a host's address.
fn of_host(report: &Report, n: usize) -> Verdict {
    let id = owner(n).to_string();
    let mut findings = report.findings.iter();
    findings.find(|finding| finding.set.set_identifier.as_ref() == Some(&id)).expect("an address").verdict
}

fn gone() -> Machine {
    Machine { forgotten: true, ..machine(InstanceState::Terminated) }
}

#[test]
fn a_container_that_ecs_says_runs_is_kept_although_ec2_shows_no_such_host() {
    let mut world = fleet(4, 2);
    world.machines[0] = gone();
    world.jobs[0].ecs = EcsSays::Nothing;
    let report = of(&world);
    assert_eq!(of_job(&report, 0), Verdict::Delete(Death::HostGone));
    assert_eq!(of_job(&report, 1), Verdict::Keep(Kept::Runs));
}

#[test]
fn the_address_of_a_host_that_runs_is_kept_for_its_sake() {
    assert_eq!(of_host(&of(&fleet(2, 1)), 0), Verdict::Keep(Kept::HostRuns));
}

#[test]
fn a_record_that_was_written_anew_between_the_lists_is_kept() {
    let mut world = fleet(4, 2);
    world.jobs[0] = job(0, false);
    let first = world.inspect(0);
    assert_eq!(
        of_job(&judged(&[first.clone(), world.inspect(100)], at(102)), 0),
        Verdict::Delete(Death::ContainerStopped)
    );
    let set = world
        .zone
        .values_mut()
        .find(|set| set.set_identifier.as_ref().is_some_and(|id| id.contains(&docker_id(0))));
    set.unwrap().routing = Routing::Weighted(0);
    assert_eq!(of_job(&judged(&[first, world.inspect(100)], at(102)), 0), Verdict::Keep(Kept::Changed));
}

#[test]
fn a_hosts_address_waits_for_all_else_that_is_marked_with_its_host() {
    let mut world = fleet(4, 1);
    // Its service leads to an address of its own: nothing points to the host's.
    let own = world.job(Job { vpc: true, ..job(0, true) });
    world.unregister(0);
    world.machines[0] = gone();
    for n in [0, own] {
        world.jobs[n].ecs = EcsSays::Nothing;
    }
    let report = of(&world);
    assert_eq!(of_host(&report, 0), Verdict::Wait(Death::HostGone, Held::HostHasRecords));
    let task = format!("{}:{}", owner(0), docker_id(own));
    assert_eq!(verdicts(&report, RecordType::A, &task), [Verdict::Wait(Death::HostGone, Held::PointedTo)]);
    // Alone it goes, and is no last target of anything.
    world.unregister(own);
    assert_eq!(of_host(&of(&world), 0), Verdict::Delete(Death::HostGone));
}

#[test]
fn an_alias_of_a_service_holds_back_none_of_its_dead() {
    for (kind, srv, addresses) in [(Kind::Ours, 2, 1), (Kind::Legacy, 1, 0)] {
        let mut world = World::default();
        for host in [0, 1] {
            world.machine(Machine { kind, ..machine(InstanceState::Running) });
            world.job(Job { all_names: true, ..job(host, host == 1) });
        }
        for (n, to) in [service(0), full_name(0), address_name(0)].into_iter().enumerate() {
            let alias = weighted(format!("alias{n}.sd.internal"), RecordType::Cname, "by-hand".into(), to);
            world.put(alias, Tag::Nobody);
        }
        let (report, dead) = (of(&world), format!("{}:{}", world.host_name(0), docker_id(0)));
        let goes = Verdict::Delete(Death::ContainerStopped);
        assert_eq!(verdicts(&report, RecordType::Srv, &dead), vec![goes; srv]);
        assert_eq!(verdicts(&report, RecordType::A, &dead), vec![goes; addresses]);
    }
}

#[test]
fn while_most_hosts_look_dead_not_even_an_address_that_nothing_points_to_goes() {
    let mut world = fleet(4, 1);
    let own = world.job(Job { vpc: true, ..job(0, true) });
    world.zone.retain(|key, _| {
        key.kind == RecordType::A || !key.set_identifier.as_ref().unwrap().contains(&docker_id(own))
    });
    (0..3).for_each(|n| world.machines[n].state = InstanceState::Stopped);
    let task = format!("{}:{}", owner(0), docker_id(own));
    let held = Verdict::Wait(Death::HostStopped, Held::ManyHostsDead);
    assert_eq!(verdicts(&of(&world), RecordType::A, &task), [held]);
    world.machines[2].state = InstanceState::Running;
    assert_eq!(verdicts(&of(&world), RecordType::A, &task), [Verdict::Delete(Death::HostStopped)]);
}

#[test]
fn by_absence_a_run_takes_its_share_of_the_zone_from_however_many_services() {
    let mut world = fleet(4, 0);
    for service in 0..6 {
        for host in 0..4 {
            world.job(Job { service, ..job(host, true) });
        }
    }
    world.machines[0].state = InstanceState::Stopped;
    let counts = of(&world).counts();
    // 15 of a hundred of 28 marked records.
    assert_eq!(counts[&Verdict::Delete(Death::HostStopped)], 4);
    assert_eq!(counts[&Verdict::Wait(Death::HostStopped, Held::CapOfZone)], 2);
}
