//! Corners that chance rarely turns.

use std::time::Duration;

use super::faults::{at, deletes, fleet, job, machine, report};
use super::story::judged;
use super::world::{
    EMPTY, EcsSays, HOME, Job, Kind, Machine, Vpc, World, ZONE, address_name, docker_id, full_name, owner,
    service, weighted,
};
use crate::janitor::evidence::{AgentConnection, InstanceState};
use crate::janitor::report::{Death, Doubt, Held, Kept, Report, Standstill, Verdict};
use crate::janitor::sight::Blind;
use crate::janitor::{Inspection, judge};
use crate::record::{RecordType, Routing};

/// What becomes of the only, or the first, service record of a container.
fn of_job(report: &Report, n: usize) -> Verdict {
    let is = |id: &String| id.contains(&docker_id(n));
    let mut findings = report.findings.iter();
    let finding = findings.find(|finding| finding.set.set_identifier.as_ref().is_some_and(is));
    finding.expect("a record").verdict
}

fn of(world: &World) -> Report {
    report([world.inspect(0), world.inspect(100)])
}

/// A forced deregistration lets go of tasks that run on, and calls them stopped; then the agent comes back.
#[test]
fn what_ecs_let_go_of_before_a_host_was_registered_anew_may_run_on() {
    let mut world = fleet(3, 2);
    (world.jobs[0].ecs, world.jobs[0].let_go) = (EcsSays::Stopped, true);
    assert_eq!(of_job(&of(&world), 0), Verdict::Keep(Kept::LetGo));
    world.jobs[0].let_go = false;
    assert_eq!(of_job(&of(&world), 0), Verdict::Delete(Death::ContainerStopped));
}

#[test]
fn what_runs_on_an_instance_that_no_cluster_has_is_its_agents() {
    let mut world = fleet(3, 2);
    world.machines[0].agent = AgentConnection::Absent;
    world.jobs[0].ecs = EcsSays::Stopped;
    world.jobs[1].ecs = EcsSays::Nothing;
    let report = of(&world);
    assert_eq!(of_job(&report, 0), Verdict::Keep(Kept::AgentDisconnected));
    assert_eq!(of_job(&report, 1), Verdict::Keep(Kept::OutsideEcs));
}

#[test]
fn a_stopped_host_loses_services_by_absence_and_keeps_its_address() {
    let mut world = fleet(4, 2);
    world.machines[0] = machine(InstanceState::Stopped);
    let report = of(&world);
    assert_eq!(of_job(&report, 0), Verdict::Delete(Death::HostStopped));
    assert_eq!(of_job(&report, 1), Verdict::Wait(Death::HostStopped, Held::CapOfService));
    world.unregister(0);
    world.unregister(1);
    assert_eq!(of(&world).counts()[&Verdict::Keep(Kept::HostStopped)], 1);
}

#[test]
fn the_weaker_evidence_of_two_looks_counts() {
    let mut world = fleet(4, 2);
    world.machines[0] = machine(InstanceState::Stopped);
    let first = world.inspect(0);
    world.machines[0] = machine(InstanceState::Terminated);
    assert_eq!(of_job(&report([first, world.inspect(100)]), 0), Verdict::Delete(Death::HostStopped));
    world.machines[0] = machine(InstanceState::ShuttingDown);
    assert_eq!(of_job(&of(&world), 0), Verdict::Keep(Kept::HostUnsettled));
}

#[test]
fn a_host_of_which_the_second_look_shows_the_end_for_anothers_sake_is_a_dead_host() {
    let mut world = fleet(4, 2);
    for host in [2, 3] {
        world.job(job(host, true));
    }
    for host in [0, 1] {
        world.machines[host] = machine(InstanceState::Stopped);
    }
    // A container ends after the first list and loses its record before the second: its host is asked about again, of
    // which everything else was alive.
    let list = world.inspect(0).list;
    world.jobs[4] = job(2, false);
    let first = Inspection { list, ..world.inspect(0) };
    world.unregister(4);
    let of = |world: &World| judged(&[first.clone(), world.inspect(100)], at(102));
    assert_eq!(of_job(&of(&world), 0), Verdict::Delete(Death::HostStopped));
    world.machines[2] = machine(InstanceState::Terminated);
    let report = of(&world);
    assert_eq!(report.doubt, Some(Doubt::ManyHostsDead { dead: 3, hosts: 4 }));
    assert_eq!(of_job(&report, 0), Verdict::Wait(Death::HostStopped, Held::ManyHostsDead));
}

#[test]
fn a_container_that_ecs_has_elsewhere_is_kept() {
    let mut world = fleet(3, 2);
    world.jobs[0] = job(0, false);
    let inspections = [0, 100].map(|at| {
        let mut inspection = world.inspect(at);
        let id = docker_id(0).parse().unwrap();
        inspection.snapshot.what.containers.get_mut(&id).unwrap().instance = Some(owner(1));
        inspection
    });
    assert_eq!(of_job(&report(inspections), 0), Verdict::Keep(Kept::HostsDiffer));
    assert_eq!(of_job(&of(&world), 0), Verdict::Delete(Death::ContainerStopped));
}

/// Two machines of one address in two VPCs of the zone, and what is known of the first's.
fn of_twins(kind: Kind, state: InstanceState, home: bool) -> Verdict {
    let said = if home { vec![HOME] } else { Vec::new() };
    let mut world = World { said, ..World::default() };
    world.machine(Machine { kind, vpc: Vpc::Peer, ..machine(InstanceState::Running) });
    world.machine(Machine { kind: Kind::Bystander, ..machine(state) });
    for _ in 0..3 {
        world.machine(Machine { octet: 9, ..machine(InstanceState::Running) });
    }
    world.job(job(0, true));
    for n in 0..9 {
        world.job(job(2 + n % 3, true));
    }
    assert_eq!(world.address(0), world.address(1));
    of_job(&of(&world), 0)
}

#[test]
fn an_address_proves_no_death() {
    for kind in [Kind::Ours, Kind::Legacy, Kind::Named] {
        for state in [InstanceState::Stopped, InstanceState::Terminated, InstanceState::Running] {
            for home in [false, true] {
                let verdict = of_twins(kind, state, home);
                assert_eq!(verdict, Verdict::Keep(Kept::HostOutOfSight), "{kind:?} {state:?} {home}");
            }
        }
    }
}

#[test]
fn a_host_of_any_name_is_where_ecs_has_its_containers() {
    for (kind, state, alive, expected) in [
        (Kind::Legacy, InstanceState::Running, true, Verdict::Keep(Kept::Runs)),
        (Kind::Legacy, InstanceState::Running, false, Verdict::Delete(Death::ContainerStopped)),
        (Kind::Legacy, InstanceState::Terminated, true, Verdict::Delete(Death::HostTerminated)),
        (Kind::Named, InstanceState::Terminated, false, Verdict::Delete(Death::HostTerminated)),
        (Kind::Named, InstanceState::Stopped, true, Verdict::Delete(Death::HostStopped)),
    ] {
        let mut world = fleet(4, 2);
        let host = world.machine(Machine { kind, octet: 9, ..machine(InstanceState::Running) });
        let n = world.job(job(host, alive));
        world.machines[host] = Machine { state, ..world.machines[host].clone() };
        assert_eq!(of_job(&of(&world), n), expected, "{kind:?} {state:?}");
        // Whoever else has the name may have its address.
        let name = world.host_name(host);
        let report = of(&world);
        let mut addresses = report.findings.iter().filter(|it| it.set.set_identifier.as_ref() == Some(&name));
        assert_eq!(addresses.next().unwrap().verdict, Verdict::Keep(Kept::HostOutOfSight));
    }
}

#[test]
fn what_ec2_and_ecs_say_themselves_is_held_back_by_no_absence() {
    let turn = |world: &mut World, machines: std::ops::Range<usize>, state| {
        machines.for_each(|n| world.machines[n].state = state);
    };
    // All hosts but one are terminated, as after a scale-in: half of the service goes all the same.
    let mut world = fleet(4, 2);
    turn(&mut world, 1..4, InstanceState::Terminated);
    assert_eq!((of(&world).doubt, deletes(&world)), (None, 4));
    // All hosts but one are stopped.
    let mut world = fleet(4, 3);
    turn(&mut world, 1..4, InstanceState::Stopped);
    world.jobs[0] = job(0, false);
    let report = of(&world);
    assert_eq!(report.doubt, Some(Doubt::ManyHostsDead { dead: 3, hosts: 4 }));
    assert_eq!(of_job(&report, 3), Verdict::Wait(Death::HostStopped, Held::ManyHostsDead));
    assert_eq!(of_job(&report, 0), Verdict::Delete(Death::ContainerStopped));
    // Half of the hosts are, with most of a service.
    let mut world = fleet(8, 2);
    turn(&mut world, 0..4, InstanceState::Stopped);
    for _ in 0..2 {
        world.job(job(0, true));
    }
    world.jobs[15] = job(7, false);
    let report = of(&world);
    assert_eq!(report.doubt, None);
    assert_eq!(of_job(&report, 0), Verdict::Wait(Death::HostStopped, Held::ServiceLeftAlone));
    assert_eq!(of_job(&report, 15), Verdict::Delete(Death::ContainerStopped));
}

#[test]
fn a_host_that_ec2_has_forgotten_is_gone_where_ec2_would_show_it() {
    let mut world = fleet(4, 2);
    world.machines[0] = Machine { forgotten: true, ..machine(InstanceState::Terminated) };
    world.jobs[0].ecs = EcsSays::Nothing;
    let (gone, kept) = (Verdict::Delete(Death::HostGone), Verdict::Keep(Kept::HostOutOfSight));
    for (said, verdict) in [(vec![], gone), (vec![HOME], gone), (vec![EMPTY], kept)] {
        world.said = said;
        assert_eq!(of_job(&of(&world), 0), verdict, "{:?}", world.said);
    }
    world.said.clear();
    // An interface that is attached to it in either look: EC2 may not show its instance yet.
    for look in 0..2 {
        let mut inspections = [world.inspect(0), world.inspect(100)];
        inspections[look].snapshot.what.unattached.clear();
        assert_eq!(of_job(&report(inspections), 0), kept);
    }
    // Whoever a VPC is shared with is no other way into the zone; its owner sees that this one lives.
    let mut shared = world.clone();
    let guest = shared.machine(Machine { vpc: Vpc::Shared, ..machine(InstanceState::Running) });
    let its = shared.job(job(guest, true));
    assert_eq!((of_job(&of(&shared), 0), of_job(&of(&shared), its), of(&shared).blind), (gone, kept, None));
    for (vpc, blind) in [
        (Vpc::Peer, Blind::OthersVpc("Peer".to_owned())),
        (Vpc::Profile, Blind::Outside(owner(4))),
        (Vpc::Other, Blind::Outside(owner(4))),
    ] {
        let mut world = world.clone();
        world.machine(Machine { vpc, ..machine(InstanceState::Running) });
        let report = of(&world);
        assert_eq!((of_job(&report, 0), report.blind), (kept, Some(blind)), "{vpc:?}");
    }
}

#[test]
fn a_record_of_the_second_list_alone_is_new() {
    let mut world = fleet(4, 2);
    let list = world.inspect(0).list;
    let late = world.job(job(0, false));
    let first = Inspection { list, ..world.inspect(0) };
    let report = report([first, world.inspect(100)]);
    assert_eq!(of_job(&report, late), Verdict::Keep(Kept::New));
}

#[test]
fn a_last_target_goes_only_with_proof_and_one_of_weight_0_is_a_target() {
    let mut world = fleet(1, 1);
    world.jobs[0] = job(0, false);
    assert_eq!(deletes(&world), 1);
    let mut inspections = [world.inspect(0), world.inspect(100)];
    inspections[0].snapshot.what.services.as_mut().unwrap().insert(service(0));
    let held = Verdict::Wait(Death::ContainerStopped, Held::LastTarget);
    assert_eq!(of_job(&report(inspections), 0), held);
    // Another's record is a target too: the name is not emptied.
    let mut by_hand = weighted(service(0), RecordType::Srv, "by-hand".into(), "1 1 80 a.example".into());
    by_hand.routing = Routing::Weighted(0);
    world.put(by_hand, super::world::Tag::Nobody);
    assert_eq!(deletes(&world), 1);
}

#[test]
fn each_name_of_a_dead_copy_goes_by_its_own_rules() {
    let named = |host, alive| Job { all_names: true, ..job(host, alive) };
    let mut world = fleet(2, 0);
    let dead = world.job(named(0, false));
    world.job(named(1, true));
    let names = |report: &Report, outcome| {
        let found = report.findings.iter().filter(|finding| finding.verdict == outcome);
        found.map(|finding| finding.set.key().name).collect::<Vec<_>>()
    };
    let all = [full_name(0), service(0), address_name(0)];
    let (gone, sort) = (Verdict::Delete(Death::ContainerStopped), |mut names: Vec<String>| {
        names.sort();
        names
    });
    assert_eq!(sort(names(&of(&world), gone)), sort(all.to_vec()));
    // The only copy of a service that a task still wants under two of its names.
    world.unregister(dead + 1);
    world.jobs[1].all_names = false;
    let spared = Verdict::Wait(Death::ContainerStopped, Held::LastTarget);
    assert_eq!(names(&of(&world), spared), [service(0)]);
    world.jobs[1].all_names = true;
    assert_eq!(sort(names(&of(&world), spared)), sort(all.to_vec()));
    // Another's address at the name is a target of it, and so is another's of all.
    let foreign = weighted(address_name(0), RecordType::A, "by-hand".into(), "10.0.9.9".into());
    world.put(foreign, super::world::Tag::Nobody);
    assert_eq!(names(&of(&world), gone), [address_name(0)]);
}

#[test]
fn an_address_goes_a_run_after_what_points_to_it() {
    let mut world = fleet(3, 1);
    world.machines[0] = machine(InstanceState::Terminated);
    world.jobs[0] = job(0, false);
    for kind in [RecordType::Srv, RecordType::A] {
        let report = of(&world);
        let kinds: Vec<_> = report.deletes().map(|set| set.kind).collect();
        assert_eq!(kinds, [kind]);
        let (mut aliased, to) = (world.clone(), report.deletes().next().unwrap().name.clone());
        let alias = weighted("a.sd.internal".into(), RecordType::Cname, "by-hand".into(), to);
        aliased.put(alias, super::world::Tag::Nobody);
        assert!(of(&aliased).deletes().all(|set| set.kind == RecordType::Srv), "an alias points there");
        report.deletes().for_each(|set| world.delete(set));
    }
    assert_eq!(deletes(&world), 0);
}

#[test]
fn looks_out_of_order_too_close_or_too_old_are_no_evidence() {
    let mut world = fleet(3, 1);
    world.jobs[0] = job(0, false);
    let still = |second: u64, now: u64| {
        let report = judge(ZONE, &world.inspect(100), &world.inspect(second), at(now));
        assert!(report.standstill.is_none() || report.deletes().count() == 0);
        report.standstill
    };
    assert_eq!(still(161, 162), None);
    assert_eq!(still(160, 161), Some(Standstill::TooClose(Duration::from_secs(59))));
    assert_eq!(still(90, 200), Some(Standstill::OutOfOrder));
    assert_eq!(still(161, 161), Some(Standstill::OutOfOrder));
    assert_eq!(still(161, 222), None);
    assert_eq!(still(161, 223), Some(Standstill::TooOld(Duration::from_secs(61))));
}
