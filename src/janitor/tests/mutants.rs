//! Mistakes that a verdict could make, each around the real one: what it is shown is altered before, or what it
//! says after. So each safeguard is seen to be needed, and the product has no switch for any.

use std::time::Duration;

use super::story::verdict;
use crate::janitor::Look;
use crate::janitor::evidence::{Hearing, Network, Power, Snapshot};
use crate::janitor::report::{Death, Held, Kept, Outcome, Report};
use crate::record::{Mark, Owner, RecordSet};

/// What a verdict is taken from.
#[derive(Clone)]
pub(super) struct Case {
    looks: [Look; 2],
    now: Duration,
}

/// A verdict with a mistake.
pub(super) struct Mutant {
    pub name: &'static str,
    show: fn(&mut Case),
    say: fn(Outcome) -> Outcome,
    finish: fn(&mut Report, &Case),
}

const FAITHFUL: Mutant = Mutant { name: "", show: |_| {}, say: |outcome| outcome, finish: |_, _| {} };

impl Mutant {
    pub(super) fn judge(&self, looks: &[Look; 2], now: Duration) -> Report {
        let mut case = Case { looks: looks.clone(), now };
        (self.show)(&mut case);
        let mut report = verdict(&case.looks, case.now);
        for finding in &mut report.findings {
            finding.outcome = (self.say)(finding.outcome);
        }
        (self.finish)(&mut report, &case);
        report
    }
}

const fn shown(name: &'static str, show: fn(&mut Case)) -> Mutant {
    Mutant { name, show, ..FAITHFUL }
}

const fn said(name: &'static str, say: fn(Outcome) -> Outcome) -> Mutant {
    Mutant { name, say, ..FAITHFUL }
}

const fn finished(name: &'static str, finish: fn(&mut Report, &Case)) -> Mutant {
    Mutant { name, finish, ..FAITHFUL }
}

/// All of them.
pub(super) const MUTANTS: &[Mutant] = &[
    said("always keeps", |outcome| match outcome {
        Outcome::Delete(_) => Outcome::Keep(Kept::Unjudged),
        other => other,
    }),
    shown("does not wait a minute", |case| {
        let first = &mut case.looks[0];
        let times = [&mut first.list.began, &mut first.list.ended];
        for time in times.into_iter().chain([&mut first.snapshot.began, &mut first.snapshot.ended]) {
            *time = time.saturating_sub(Duration::from_secs(59));
        }
    }),
    shown("takes old evidence", |case| case.now = case.looks[1].snapshot.ended),
    shown("takes what is not whole", |case| {
        for look in &mut case.looks {
            look.list.missing.clear();
            look.snapshot.missing.clear();
        }
    }),
    shown("takes a snapshot before its list", |case| {
        for Look { list, snapshot } in &mut case.looks {
            list.began = list.began.min(snapshot.began);
            list.ended = list.ended.min(snapshot.began);
        }
    }),
    shown("believes the last look alone", |case| {
        case.looks[0].snapshot.what = case.looks[1].snapshot.what.clone();
    }),
    shown("believes the first look alone", |case| {
        case.looks[1].snapshot.what = case.looks[0].snapshot.what.clone();
    }),
    shown("does not mind a first list without it", |case| {
        let [first, last] = &mut case.looks;
        let before = first.list.what.clone();
        let is_new = |set: &&RecordSet| before.iter().all(|earlier| earlier.key() != set.key());
        first.list.what.extend(last.list.what.iter().filter(is_new).cloned());
    }),
    shown("deletes as the first list has it", |case| {
        let [first, last] = &mut case.looks;
        for set in &mut last.list.what {
            if let Some(earlier) = first.list.what.iter().find(|earlier| earlier.key() == set.key()) {
                set.clone_from(earlier);
            }
        }
    }),
    finished("takes any identifier for a mark", |report, case| {
        for finding in &mut report.findings {
            let mark = finding.set.set_identifier.as_deref().and_then(Mark::parse);
            let dead = mark.is_some_and(|mark| is_off(case, &mark.owner, &[Power::Terminated]));
            if finding.outcome == Outcome::Keep(Kept::Unmarked) && dead {
                finding.outcome = Outcome::Delete(Death::HostTerminated);
            }
        }
    }),
    said("takes out of sight for gone", |outcome| match outcome {
        Outcome::Keep(Kept::HostOutOfSight) => Outcome::Delete(Death::HostGone),
        other => other,
    }),
    shown("is at home everywhere", |case| {
        each_snapshot(case, |snapshot| snapshot.home = vec![Network { address: [0; 4].into(), prefix: 0 }]);
    }),
    said("knows no world outside ECS", |outcome| match outcome {
        Outcome::Keep(Kept::OutsideEcs) => Outcome::Delete(Death::HostGone),
        other => other,
    }),
    shown("believes an ECS that does not hear", |case| {
        each_snapshot(case, |snapshot| {
            snapshot.hosts.values_mut().for_each(|host| host.ecs = Hearing::Heard);
        });
    }),
    shown("takes stopping for stopped", |case| {
        each_snapshot(case, |snapshot| {
            let ends = |power| matches!(power, Power::Stopping | Power::ShuttingDown);
            let ending = snapshot.hosts.values_mut().filter(|host| ends(host.power));
            ending.for_each(|host| host.power = Power::Terminated);
        });
    }),
    said("knows no cap of the zone", |outcome| let_go(outcome, Held::CapOfZone)),
    said("knows no cap by absence", |outcome| match outcome {
        Outcome::Wait(death, _) if !death.is_positive() => let_go(outcome, Held::CapOfService),
        other => other,
    }),
    said("knows no cap by evidence", |outcome| match outcome {
        Outcome::Wait(death, _) if death.is_positive() => let_go(outcome, Held::CapOfService),
        other => other,
    }),
    said("leaves no service alone", |outcome| let_go(outcome, Held::ServiceLeftAlone)),
    said("does not mind that all hosts die", |outcome| let_go(outcome, Held::ManyHostsDead)),
    finished("stands still where few hosts are", |report, case| {
        let owners: std::collections::BTreeSet<Owner> = (case.looks[1].list.what.iter())
            .filter_map(|set| Some(Mark::parse(set.set_identifier.as_deref()?)?.owner))
            .filter(|owner| case.looks[1].snapshot.what.hosts.contains_key(owner))
            .collect();
        let is_off = |owner: &&Owner| is_off(case, owner, &[Power::Terminated, Power::Stopped]);
        if owners.iter().filter(is_off).count() * 100 > owners.len() * 55 {
            let all = report.findings.iter_mut();
            all.for_each(|finding| finding.outcome = Outcome::Keep(Kept::Unjudged));
        }
    }),
    said("finds absence where it did not look", |outcome| let_go(outcome, Held::NotAllRead)),
    said("takes last targets", |outcome| let_go(outcome, Held::LastTarget)),
    shown("needs no proof for last targets", |case| {
        each_snapshot(case, |snapshot| snapshot.services = Some(std::collections::BTreeSet::new()));
    }),
    said("takes addresses that are in use", |outcome| let_go(outcome, Held::PointedTo)),
    said("takes a host's address too soon", |outcome| let_go(outcome, Held::HostHasRecords)),
];

fn each_snapshot(case: &mut Case, alter: impl Fn(&mut Snapshot)) {
    case.looks.iter_mut().for_each(|look| alter(&mut look.snapshot.what));
}

fn let_go(outcome: Outcome, held: Held) -> Outcome {
    match outcome {
        Outcome::Wait(death, by) if by == held => Outcome::Delete(death),
        other => other,
    }
}

/// Whether both looks have a host in one of these states.
fn is_off(case: &Case, owner: &Owner, states: &[Power]) -> bool {
    let is_off =
        |look: &Look| look.snapshot.what.hosts.get(owner).is_some_and(|host| states.contains(&host.power));
    case.looks.iter().all(is_off)
}
