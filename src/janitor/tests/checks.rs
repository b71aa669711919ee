//! What must hold of every run, whatever the rules were: by the truth of the world and by plain counting.
//! Shares no code with the verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use super::story::Run;
use super::world::{EMPTY, Kind, Machine, Tag, Vpc, World, docker_id, owner};
use crate::janitor::Inspection;
use crate::janitor::evidence::{AgentConnection, InstanceState};
use crate::record::{Key, RecordSet, RecordType};

/// How a thing could be known to be dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Known {
    Not,
    Absent,
    Positive,
}

/// Whether a machine may be gone that EC2 does not show, of all that one inspection has: it had an address at home, no
/// interface is attached to it, and nobody registers from where EC2 shows nothing.
fn is_absent(world: &World, inspections: &[Inspection; 2], look: usize, n: usize) -> bool {
    let Inspection { list, snapshot } = &inspections[look];
    let has = |tag: Tag| list.what.iter().any(|set| world.tags[&set.key()] == tag);
    let registers = |n: usize| {
        has(Tag::Machine(n))
            || (0..world.jobs.len()).any(|job| world.jobs[job].machine == n && has(Tag::Job(job)))
    };
    let is_outside = |n: usize| match world.machines[n].vpc {
        Vpc::Profile => has(Tag::Machine(n)),
        Vpc::Other => {
            let state = |look: usize| Some(inspections[look].snapshot.what.hosts.get(&owner(n))?.state);
            let dead = Some(InstanceState::Terminated);
            registers(n) && state(0).is_some() && state(0) != dead && state(look) != dead
        }
        _ => false,
    };
    let ours = |n: &usize| world.machines[*n].kind == Kind::Ours;
    let is_peer = |machine: &Machine| machine.vpc == Vpc::Peer;
    // Nothing is at home in a zone that no VPC is said to see.
    let sees = |machine: &Machine| matches!(machine.vpc, Vpc::Home | Vpc::Second | Vpc::Shared);
    has(Tag::Machine(n))
        && snapshot.what.unattached.contains(&owner(n))
        && world.said != [EMPTY]
        && !world.machines.iter().any(is_peer)
        && world.machines.iter().any(sees)
        && !(0..world.machines.len()).filter(ours).any(is_outside)
}

/// What may be known of a machine: by its own id alone. A name says nothing, an address neither.
fn machine_known(world: &World, inspections: &[Inspection; 2], look: usize, n: usize) -> Known {
    match (world.machines[n].kind, inspections[look].snapshot.what.hosts.get(&owner(n))) {
        (Kind::Ours, Some(host)) if host.state == InstanceState::Terminated => Known::Positive,
        (Kind::Ours, None) if is_absent(world, inspections, look, n) => Known::Absent,
        _ => Known::Not,
    }
}

/// The same of a container: by its own id, and where ECS or its mark says that it is.
fn job_known(world: &World, inspections: &[Inspection; 2], look: usize, n: usize) -> Known {
    let (machine, snapshot) = (world.jobs[n].machine, &inspections[look].snapshot.what);
    let said = snapshot.containers.get(&docker_id(n).parse().unwrap());
    let stopped = said.is_some_and(|said| said.stopped);
    let by_id = world.machines[machine].kind == Kind::Ours;
    let linked = by_id || said.is_some_and(|said| said.instance.is_some());
    match snapshot.hosts.get(&owner(machine)) {
        None if by_id && (said.is_none() || stopped) && is_absent(world, inspections, look, machine) => {
            Known::Absent
        }
        _ if !world.is_looked_at(machine) || !linked => Known::Not,
        None => Known::Not,
        Some(host) => match (host.state, host.agent) {
            (InstanceState::Terminated, _) => Known::Positive,
            (InstanceState::Stopped, _) => Known::Absent,
            // What ECS had on a registration that is no more, it has let go of.
            (InstanceState::Running, AgentConnection::Connected)
                if stopped && said.is_some_and(|said| said.instance.is_some()) =>
            {
                Known::Positive
            }
            _ => Known::Not,
        },
    }
}

pub(super) fn known(world: &World, inspections: &[Inspection; 2], set: &RecordSet) -> Known {
    if !inspections.iter().all(|inspection| inspection.list.what.contains(set)) {
        return Known::Not;
    }
    let in_one = |look| match world.tags[&set.key()] {
        Tag::Nobody => Known::Not,
        Tag::Machine(n) => machine_known(world, inspections, look, n),
        Tag::Job(n) => job_known(world, inspections, look, n),
    };
    in_one(0).min(in_one(1))
}

/// Whether a service is found by it. Here no name is of two types.
pub(super) fn is_target(set: &RecordSet) -> bool {
    set.kind == RecordType::Srv || set.name.starts_with('s')
}

/// The services of the last list, marked targets only, with what is known of each.
pub(super) fn services<'a>(
    world: &World,
    inspections: &'a [Inspection; 2],
) -> BTreeMap<&'a str, Vec<(Key, Known)>> {
    let mut services: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for set in &inspections[1].list.what {
        if is_target(set) && world.tags[&set.key()] != Tag::Nobody {
            services.entry(&set.name).or_default().push((set.key(), known(world, inspections, set)));
        }
    }
    services
}

pub(super) fn absent_of(targets: &[(Key, Known)]) -> usize {
    targets.iter().filter(|(_, known)| *known == Known::Absent).count()
}

/// Hosts that look dead in either inspection, and all that are seen, by their names: of those that register under
/// a name, what ECS says of their containers is all there is to see.
pub(super) fn hosts(world: &World, inspections: &[Inspection; 2]) -> (usize, usize) {
    let mut seen: BTreeMap<String, bool> = BTreeMap::new();
    for (inspection, set) in inspections
        .iter()
        .flat_map(|inspection| inspections[1].list.what.iter().map(move |set| (inspection, set)))
    {
        let (n, said) = match world.tags[&set.key()] {
            Tag::Nobody => continue,
            Tag::Machine(n) => (n, None),
            Tag::Job(job) => {
                let said = inspection.snapshot.what.containers.get(&docker_id(job).parse().unwrap());
                (world.jobs[job].machine, said.and_then(|said| said.instance.clone()))
            }
        };
        let by_id = world.machines[n].kind == Kind::Ours;
        let is_absent = by_id && is_absent(world, inspections, 0, n);
        if !(is_absent || world.is_looked_at(n)) || !(by_id || said.is_some()) {
            continue;
        }
        let dead = match inspection.snapshot.what.hosts.get(&owner(n)) {
            Some(host) => matches!(host.state, InstanceState::Terminated | InstanceState::Stopped),
            // What lived at the first inspection was not asked about at the second.
            None if !by_id || inspections[0].snapshot.what.hosts.contains_key(&owner(n)) => continue,
            None if is_absent => true,
            None => continue,
        };
        *seen.entry(world.host_name(n)).or_default() |= dead;
    }
    (seen.values().filter(|dead| **dead).count(), seen.len())
}

/// Whether a task wants a service, for all that is known.
pub(super) fn is_wanted(inspection: &Inspection, name: &str) -> bool {
    inspection.snapshot.what.services.as_ref().is_none_or(|services| services.contains(name))
}

fn fit(run: &Run) -> bool {
    let [first, last] = &run.inspections;
    let minute = Duration::from_secs(60);
    first.list.ended <= first.snapshot.began
        && last.list.ended <= last.snapshot.began
        && first.snapshot.ended + minute <= last.list.began
        && run.now <= last.snapshot.ended + minute
        && run
            .inspections
            .iter()
            .all(|inspection| inspection.list.missing.is_empty() && inspection.snapshot.missing.is_empty())
}

fn is_late(world: &World, key: &Key) -> bool {
    match world.tags[key] {
        Tag::Nobody => false,
        Tag::Machine(n) => world.machines[n].late,
        Tag::Job(n) => world.machines[world.jobs[n].machine].late,
    }
}

fn ensure(holds: bool, invariant: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(invariant) }
}

/// Names the invariant that does not hold. Tells whether a delete was due; then one was made.
pub(super) fn check(run: &Run) -> Result<bool, &'static str> {
    let [then, world] = &run.worlds;
    let deletes: Vec<&RecordSet> = run.report.deletes().collect();
    for set in &deletes {
        let key = set.key();
        ensure(world.tags[&key] != Tag::Nobody, "S1: a record without a mark")?;
        ensure(run.inspections[1].list.what.contains(set), "S4: not as the last inspection has it")?;
        let seen = run.inspections.iter().all(|inspection| inspection.list.what.contains(set));
        ensure(seen, "S5: not in both lists")?;
        let exact = world.zone.get(&key) == Some(*set);
        ensure(!exact || !world.is_alive(&key), "truth: what it speaks of is alive")?;
        // What EC2 did not show yet may have ended since.
        let was_alive = then.tags.contains_key(&key) && then.is_alive(&key) && !is_late(world, &key);
        ensure(!was_alive, "S5: alive at the first inspection")?;
        ensure(known(world, &run.inspections, set) != Known::Not, "S5: known by nothing that counts")?;
    }
    ensure(deletes.is_empty() || fit(run), "S5: inspections that are no evidence")?;
    let by_absence = deletes.iter().any(|set| known(world, &run.inspections, set) == Known::Absent);
    let many = many_hosts_dead(world, &run.inspections);
    ensure(!by_absence || !many, "S2: by absence, with too many hosts dead")?;
    let whole = run.inspections.iter().all(|inspection| inspection.snapshot.what.unread == 0);
    ensure(!by_absence || whole, "S2: by absence, without having looked everywhere")?;
    counted(run, world, &deletes)?;
    if !fit(run) {
        return Ok(false);
    }
    let due = services(world, &run.inspections).into_values().any(|targets| {
        let any = |which: Known| targets.iter().any(|(_, known)| *known == which);
        let by_absence = whole && !many && absent_of(&targets) * 2 <= targets.len() && any(Known::Absent);
        targets.len() > 1 && (any(Known::Positive) || by_absence)
    });
    ensure(!due || !deletes.is_empty(), "progress: a delete was due and none was made")?;
    Ok(due)
}

pub(super) fn many_hosts_dead(world: &World, inspections: &[Inspection; 2]) -> bool {
    let (dead, hosts) = hosts(world, inspections);
    hosts >= 4 && dead * 100 > hosts * 55
}

fn counted(run: &Run, world: &World, deletes: &[&RecordSet]) -> Result<(), &'static str> {
    let goes = |key: &Key| deletes.iter().any(|set| set.key() == *key);
    let lists = &run.inspections[1].list.what;
    for (name, targets) in services(world, &run.inspections) {
        let gone = |which: Known| targets.iter().filter(|(key, known)| *known == which && goes(key)).count();
        let (all, absent, positive) = (targets.len(), gone(Known::Absent), gone(Known::Positive));
        let alone = absent_of(&targets) * 2 > all;
        ensure(!alone || absent == 0, "S2: a service that is mostly dead by absence")?;
        ensure(absent <= (all / 10).max(1), "S2: a tenth of a service by absence")?;
        ensure(positive <= (all / 2).max(1), "S2: half of a service by positive evidence")?;
        let left = lists.iter().filter(|set| set.name == name);
        if left.filter(|set| !goes(&set.key())).count() == 0 {
            let wanted = run.inspections.iter().any(|inspection| is_wanted(inspection, name));
            ensure(absent == 0 && !wanted, "S3: a last target without proof")?;
        }
    }
    // One that others wrote looks just like a host's off EC2.
    let marked = |set: &&RecordSet| world.tags[&set.key()] != Tag::Nobody || set.name.starts_with("blue.");
    let ours = lists.iter().filter(marked).count();
    let absent = deletes.iter().filter(|set| known(world, &run.inspections, set) != Known::Positive).count();
    ensure(absent <= (ours * 15 / 100).max(1), "S2: 15 % of the zone by absence")?;
    for set in deletes.iter().filter(|set| set.kind == RecordType::A) {
        let points = |srv: &&RecordSet| srv.values[0].split(' ').next_back() == Some(&set.name);
        let pointed = lists.iter().filter(|srv| srv.kind == RecordType::Srv).any(|srv| points(&srv));
        ensure(!pointed, "an address that is pointed to")?;
        let same = |other: &RecordSet| match (world.tags[&set.key()], world.tags[&other.key()]) {
            (Tag::Machine(machine), Tag::Job(job)) => {
                world.host_name(world.jobs[job].machine) == world.host_name(machine)
            }
            _ => false,
        };
        ensure(!lists.iter().any(same), "the address of a host with other records")?;
    }
    Ok(())
}
