//! Mistakes that a verdict could make, each around the real one: what it is shown is altered before, or what it
//! says after. So each safeguard is seen to be needed, and the product has no switch for any.

use std::time::Duration;

use super::story::judged;
use super::world::{HOME, owner};
use crate::janitor::Inspection;
use crate::janitor::evidence::{AgentConnection, InstanceState, Network, Snapshot};
use crate::janitor::report::{Death, Held, Kept, Report, Verdict};
use crate::janitor::sight::{Blind, Sight};
use crate::moment::Moment;
use crate::record::{Mark, Owner, RecordSet};

const ALL: Network = Network { address: std::net::Ipv4Addr::UNSPECIFIED, prefix: 0 };

/// What a verdict is taken from.
#[derive(Clone)]
pub(super) struct Case {
    inspections: [Inspection; 2],
    now: Moment,
}

/// A verdict with a mistake.
pub(super) struct Mutant {
    pub name: &'static str,
    show: fn(&mut Case),
    say: fn(Verdict) -> Verdict,
    finish: fn(&mut Report, &Case),
}

const FAITHFUL: Mutant = Mutant { name: "", show: |_| {}, say: |verdict| verdict, finish: |_, _| {} };

impl Mutant {
    pub(super) fn judge(&self, inspections: &[Inspection; 2], now: Moment) -> Report {
        let mut case = Case { inspections: inspections.clone(), now };
        (self.show)(&mut case);
        let mut report = judged(&case.inspections, case.now);
        for finding in &mut report.findings {
            finding.verdict = (self.say)(finding.verdict);
        }
        (self.finish)(&mut report, &case);
        report
    }
}

const fn shown(name: &'static str, show: fn(&mut Case)) -> Mutant {
    Mutant { name, show, ..FAITHFUL }
}

const fn said(name: &'static str, say: fn(Verdict) -> Verdict) -> Mutant {
    Mutant { name, say, ..FAITHFUL }
}

const fn finished(name: &'static str, finish: fn(&mut Report, &Case)) -> Mutant {
    Mutant { name, finish, ..FAITHFUL }
}

/// All of them.
pub(super) const MUTANTS: &[Mutant] = &[
    said("always keeps", |verdict| match verdict {
        Verdict::Delete(_) => Verdict::Keep(Kept::Unjudged),
        other => other,
    }),
    shown("does not wait a minute", |case| {
        let first = &mut case.inspections[0];
        let times = [&mut first.list.began, &mut first.list.ended];
        for time in times.into_iter().chain([&mut first.snapshot.began, &mut first.snapshot.ended]) {
            *time = *time - Duration::from_secs(59);
        }
    }),
    shown("takes old evidence", |case| case.now = case.inspections[1].snapshot.ended),
    shown("takes what is not whole", |case| {
        for inspection in &mut case.inspections {
            inspection.list.missing.clear();
            inspection.snapshot.missing.clear();
        }
    }),
    shown("takes a snapshot before its list", |case| {
        for Inspection { list, snapshot } in &mut case.inspections {
            list.began = list.began.min(snapshot.began);
            list.ended = list.ended.min(snapshot.began);
        }
    }),
    shown("believes the last inspection alone", |case| {
        case.inspections[0].snapshot.what = case.inspections[1].snapshot.what.clone();
    }),
    shown("believes the first inspection alone", |case| {
        case.inspections[1].snapshot.what = case.inspections[0].snapshot.what.clone();
    }),
    shown("does not mind a first list without it", |case| {
        let [first, last] = &mut case.inspections;
        let before = first.list.what.clone();
        let is_new = |set: &&RecordSet| before.iter().all(|earlier| earlier.key() != set.key());
        first.list.what.extend(last.list.what.iter().filter(is_new).cloned());
    }),
    shown("deletes as the first list has it", |case| {
        let [first, last] = &mut case.inspections;
        for set in &mut last.list.what {
            if let Some(earlier) = first.list.what.iter().find(|earlier| earlier.key() == set.key()) {
                set.clone_from(earlier);
            }
        }
    }),
    finished("takes any identifier for a mark", |report, case| {
        for finding in &mut report.findings {
            let mark = finding.set.set_identifier.as_deref().and_then(Mark::parse);
            let dead = mark.is_some_and(|mark| is_off(case, &mark.owner, &[InstanceState::Terminated]));
            if finding.verdict == Verdict::Keep(Kept::Unmarked) && dead {
                finding.verdict = Verdict::Delete(Death::HostTerminated);
            }
        }
    }),
    said("takes out of sight for gone", |verdict| match verdict {
        Verdict::Keep(Kept::HostOutOfSight) => Verdict::Delete(Death::HostGone),
        other => other,
    }),
    shown("is at home everywhere", |case| {
        each_snapshot(case, |snapshot| {
            snapshot.sight = Sight { vpcs: vec![ALL], home: vec![ALL], ..Sight::default() }
        });
    }),
    shown("asks for no interface", |case| {
        each_snapshot(case, |snapshot| snapshot.unattached.extend((0..20).map(owner)));
    }),
    shown("does not mind who registers from elsewhere", |case| {
        each_snapshot(case, |snapshot| {
            snapshot.sight.elsewhere.clear();
            snapshot.sight.vpcs.push(ALL);
        });
    }),
    shown("takes every VPC for its own", |case| {
        each_snapshot(case, |snapshot| {
            if let Some(Blind::OthersVpc(_)) = snapshot.sight.blind {
                snapshot.sight = Sight { vpcs: vec![HOME], home: vec![HOME], ..Sight::default() };
            }
        });
    }),
    shown("does not hear where an operator lets absence count", |case| {
        each_snapshot(case, |snapshot| snapshot.sight.home.clone_from(&snapshot.sight.vpcs));
    }),
    said("knows no world outside ECS", |verdict| match verdict {
        Verdict::Keep(Kept::OutsideEcs) => Verdict::Delete(Death::HostGone),
        other => other,
    }),
    shown("believes ECS of a host whose agent is not connected", |case| {
        each_snapshot(case, |snapshot| {
            snapshot.hosts.values_mut().for_each(|host| host.agent = AgentConnection::Connected);
        });
    }),
    shown("takes stopping for stopped", |case| {
        each_snapshot(case, |snapshot| {
            let ends = |state| matches!(state, InstanceState::Stopping | InstanceState::ShuttingDown);
            let ending = snapshot.hosts.values_mut().filter(|host| ends(host.state));
            ending.for_each(|host| host.state = InstanceState::Terminated);
        });
    }),
    said("knows no cap of the zone", |verdict| let_go(verdict, Held::CapOfZone)),
    said("knows no cap by absence", |verdict| match verdict {
        Verdict::Wait(death, _) if !death.is_positive() => let_go(verdict, Held::CapOfService),
        other => other,
    }),
    said("knows no cap by evidence", |verdict| match verdict {
        Verdict::Wait(death, _) if death.is_positive() => let_go(verdict, Held::CapOfService),
        other => other,
    }),
    said("leaves no service alone", |verdict| let_go(verdict, Held::ServiceLeftAlone)),
    said("does not mind that all hosts die", |verdict| let_go(verdict, Held::ManyHostsDead)),
    finished("stands still where few hosts are", |report, case| {
        let owners: std::collections::BTreeSet<Owner> = (case.inspections[1].list.what.iter())
            .filter_map(|set| Some(Mark::parse(set.set_identifier.as_deref()?)?.owner))
            .filter(|owner| case.inspections[1].snapshot.what.hosts.contains_key(owner))
            .collect();
        let is_off =
            |owner: &&Owner| is_off(case, owner, &[InstanceState::Terminated, InstanceState::Stopped]);
        if owners.iter().filter(is_off).count() * 100 > owners.len() * 55 {
            let all = report.findings.iter_mut();
            all.for_each(|finding| finding.verdict = Verdict::Keep(Kept::Unjudged));
        }
    }),
    said("finds absence where it did not look", |verdict| let_go(verdict, Held::NotAllRead)),
    said("takes last targets", |verdict| let_go(verdict, Held::LastTarget)),
    shown("needs no proof for last targets", |case| {
        each_snapshot(case, |snapshot| snapshot.services = Some(std::collections::BTreeSet::new()));
    }),
    said("takes addresses that are in use", |verdict| let_go(verdict, Held::PointedTo)),
    said("takes a host's address too soon", |verdict| let_go(verdict, Held::HostHasRecords)),
];

fn each_snapshot(case: &mut Case, alter: impl Fn(&mut Snapshot)) {
    case.inspections.iter_mut().for_each(|inspection| alter(&mut inspection.snapshot.what));
}

fn let_go(verdict: Verdict, held: Held) -> Verdict {
    match verdict {
        Verdict::Wait(death, by) if by == held => Verdict::Delete(death),
        other => other,
    }
}

/// Whether both inspections have a host in one of these states.
fn is_off(case: &Case, owner: &Owner, states: &[InstanceState]) -> bool {
    let is_off = |inspection: &Inspection| {
        inspection.snapshot.what.hosts.get(owner).is_some_and(|host| states.contains(&host.state))
    };
    case.inspections.iter().all(is_off)
}
