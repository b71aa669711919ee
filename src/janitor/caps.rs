//! What of the dead goes in this run: little at a time, so that what is wrong is seen before it is large.
//!
//! Shares are of the *marked* records: what others wrote makes no room for more deletes. It counts as a
//! target, though, where the last target of a name is at stake. What EC2 calls terminated and ECS stopped goes
//! whatever else looks dead: half of a service in a run, and its last target where all of them are proved dead and
//! neither inspection says that the service may run. All other caps are for
//! absence. An address goes in a later run than the
//! records that point to it: only when the last list has none. So no order of calls can part them, and a
//! client with an answer in hand has the time between two runs. A host's goes last of all that is the host's.
//!
//! Those that go first are the first of the list: what stays because of a cap is in the next run's reach,
//! since what went is no longer before it. One that the zone refuses to delete keeps its share in every run.

use std::collections::{BTreeMap, BTreeSet};

use super::Inspection;
use super::report::{Death, Doubt, Finding, Held, Report, Verdict};
use super::rules::{
    ABSENT_OF_SERVICE, ABSENT_OF_ZONE, HOSTS_AT_LEAST, HOSTS_DEAD_OVER, LEFT_ALONE_OVER, POSITIVE_OF_SERVICE,
};
use super::verdict::{HostIs, Judged};
use crate::record::{Owner, RecordType, canonical};

/// The verdict on each record: of the dead, what goes in this run.
pub(super) fn apply(judged: Vec<Judged>, inspections: [&Inspection; 2]) -> Report {
    let (dead, hosts) = hosts(&judged);
    let many = hosts >= HOSTS_AT_LEAST && HOSTS_DEAD_OVER.is_exceeded(dead, hosts);
    let unread: usize = inspections.iter().map(|inspection| inspection.snapshot.what.unread).sum();
    let doubt = match (many, unread) {
        (true, _) => Some(Held::ManyHostsDead),
        (_, 0) => None,
        _ => Some(Held::NotAllRead),
    };
    let held = holds(&judged, inspections, doubt);
    let finding = |(judged, held): (Judged, Option<Held>)| {
        let verdict = match (judged.dead, held) {
            (Err(kept), _) => Verdict::Keep(kept),
            (Ok(death), Some(held)) => Verdict::Wait(death, held),
            (Ok(death), None) => Verdict::Delete(death),
        };
        Finding { set: judged.set, verdict }
    };
    let doubt = match unread {
        0 => held.contains(&Some(Held::ManyHostsDead)).then_some(Doubt::ManyHostsDead { dead, hosts }),
        clusters => Some(Doubt::NotAllRead { clusters }),
    };
    Report {
        standstill: None,
        doubt,
        blind: None,
        findings: judged.into_iter().zip(held).map(finding).collect(),
    }
}

/// How many hosts look dead, and how many there are; those out of sight are no hosts here.
fn hosts(judged: &[Judged]) -> (usize, usize) {
    let mut hosts: BTreeMap<&Owner, HostIs> = BTreeMap::new();
    for verdict in judged {
        if let Some(host) = &verdict.host {
            let is = hosts.entry(host).or_insert(verdict.host_is);
            *is = verdict.host_is.max(*is);
        }
    }
    let count = |which: HostIs| hosts.values().filter(|is| **is >= which).count();
    (count(HostIs::Dead), count(HostIs::Alive))
}

/// Why each record stays although it is dead, where it does. What is kept has none. In `doubt`,
/// nothing goes by absence.
fn holds(judged: &[Judged], inspections: [&Inspection; 2], doubt: Option<Held>) -> Vec<Option<Held>> {
    let mut held = vec![None; judged.len()];
    for ((name, _), targets) in &services(judged) {
        service(judged, inspections, doubt, name, targets, &mut held);
    }
    let pointed_to = pointed_to(judged);
    let leaning = leaning(judged);
    for (verdict, held) in judged.iter().zip(&mut held) {
        if verdict.dead.is_err() || verdict.set.kind != RecordType::A || verdict.set.is_of_service() {
            continue;
        }
        if pointed_to.contains(&verdict.set.key().name) {
            *held = Some(Held::PointedTo);
        } else if verdict.is_host && verdict.host.as_ref().is_some_and(|host| leaning.contains(host)) {
            *held = Some(Held::HostHasRecords);
        }
    }
    let marked = judged.iter().filter(|verdict| verdict.host.is_some()).count();
    let mut quota = ABSENT_OF_ZONE.quota(marked);
    for (verdict, held) in judged.iter().zip(&mut held) {
        if held.is_none() && verdict.dead.is_ok_and(|death| !death.is_positive()) {
            match quota.checked_sub(1) {
                _ if doubt.is_some() => *held = doubt,
                Some(left) => quota = left,
                None => *held = Some(Held::CapOfZone),
            }
        }
    }
    held
}

/// The targets by the names that clients find a service by: all SRV, and all addresses at a name that services have.
fn services(judged: &[Judged]) -> BTreeMap<(String, RecordType), Vec<usize>> {
    let mut services: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, verdict) in judged.iter().enumerate() {
        let key = verdict.set.key();
        if matches!(key.kind, RecordType::Srv | RecordType::A) {
            services.entry((key.name, key.kind)).or_default().push(index);
        }
    }
    let is_service = |targets: &[usize]| targets.iter().any(|&target| judged[target].set.is_of_service());
    services.retain(|(_, kind), targets| *kind == RecordType::Srv || is_service(targets));
    services
}

/// The targets of one name.
fn service(
    judged: &[Judged],
    inspections: [&Inspection; 2],
    doubt: Option<Held>,
    name: &str,
    targets: &[usize],
    held: &mut [Option<Held>],
) {
    let marked = targets.iter().filter(|&&target| judged[target].host.is_some()).count();
    let dead = |positive: bool| {
        let is = move |death: Death| death.is_positive() == positive;
        targets.iter().copied().filter(move |&target| judged[target].dead.is_ok_and(is))
    };
    for target in dead(true).skip(POSITIVE_OF_SERVICE.quota(marked)) {
        held[target] = Some(Held::CapOfService);
    }
    let (most, hold) = match (doubt, LEFT_ALONE_OVER.is_exceeded(dead(false).count(), marked)) {
        (Some(doubt), _) => (0, doubt),
        (None, true) => (0, Held::ServiceLeftAlone),
        (None, false) => (ABSENT_OF_SERVICE.quota(marked), Held::CapOfService),
    };
    for target in dead(false).skip(most) {
        held[target] = Some(hold);
    }
    let goes = |target: usize| judged[target].dead.is_ok() && held[target].is_none();
    if targets.iter().all(|&target| goes(target)) {
        let may_run = |inspection: &&Inspection| {
            inspection.snapshot.what.services.as_ref().is_none_or(|services| services.contains(name))
        };
        let runs = inspections.iter().any(may_run);
        let nowhere = dead(true).count() == targets.len() && !runs;
        // What is dead by absence may yet be found alive.
        if let Some(spared) = dead(false).chain(dead(true)).next().filter(|_| !nowhere) {
            held[spared] = Some(Held::LastTarget);
        }
    }
}

/// The hosts that have more in the zone than their address: it may be all that proves them dead.
fn leaning(judged: &[Judged]) -> BTreeSet<&Owner> {
    judged.iter().filter(|verdict| !verdict.is_host).filter_map(|verdict| verdict.host.as_ref()).collect()
}

/// The names that records of any owner point to.
fn pointed_to(judged: &[Judged]) -> BTreeSet<String> {
    let points = |verdict: &Judged| match verdict.set.kind {
        RecordType::Srv => verdict.set.srv_values().map(|srv| srv.target).collect(),
        RecordType::Cname => verdict.set.values.iter().map(|value| canonical(value)).collect(),
        _ => Vec::new(),
    };
    judged.iter().flat_map(points).collect()
}
