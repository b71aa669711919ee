//! How many hosts register in the zone, published in it as a [`FleetHint`]. [`crate::edge::host::fleet`] reads it.
//!
//! A record of that name that says anything else is somebody else's, and stays.

use super::entry::{About, Entry};
use super::report::{Kept, Report, Verdict};
use crate::record::{Action, Change, FleetHint};

/// The hosts that have an address in the zone, and are neither dead nor off.
pub fn hosts(report: &Report, zone: &str) -> usize {
    let is_live = |finding: &&super::Finding| {
        matches!(finding.verdict, Verdict::Keep(kept) if kept != Kept::HostStopped)
            && Entry::read(&finding.set, zone).is_ok_and(|entry| matches!(entry.about, About::Host(_)))
    };
    report.findings.iter().filter(is_live).count()
}

/// What has to change for the zone to say so: nothing, where it does already, or where it may not.
pub fn changes(report: &Report, zone: &str, hosts: usize) -> Vec<Change> {
    // Nobody shares anything, and no hint says so as well.
    let Some(hint) = FleetHint::new(hosts) else { return Vec::new() };
    let (name, wanted) = (FleetHint::name_in(zone), hint.record(zone));
    let mut there = report.findings.iter().map(|finding| &finding.set).filter(|set| set.name == name);
    match there.next() {
        None => vec![Change { action: Action::Create, set: wanted }],
        Some(old) if *old == wanted || FleetHint::of(old, zone).is_none() || there.next().is_some() => {
            Vec::new()
        }
        Some(old) => vec![
            Change { action: Action::Delete, set: old.clone() },
            Change { action: Action::Create, set: wanted },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::janitor::Finding;
    use crate::record::RecordSet;
    use crate::record::testing::registrant;

    fn report(sets: Vec<(RecordSet, Verdict)>) -> Report {
        let findings = sets.into_iter().map(|(set, verdict)| Finding { set, verdict }).collect();
        Report { standstill: None, doubt: None, blind: None, findings }
    }

    fn hint(text: &str) -> RecordSet {
        let mut created = changes(&report(vec![]), "sd.internal", 1).remove(0).set;
        created.values = vec![text.to_owned()];
        created
    }

    #[test]
    fn counts_the_hosts_that_live() {
        let host = |name: &str| registrant(name).host_record();
        let dead = Verdict::Delete(super::super::report::Death::HostTerminated);
        let report = report(vec![
            (host("i-0a"), Verdict::Keep(Kept::HostRuns)),
            (host("web1"), Verdict::Keep(Kept::HostOutOfSight)),
            (host("i-0b"), dead),
            (host("i-0c"), Verdict::Keep(Kept::HostStopped)),
            (hint("\"hosts=9\""), Verdict::Keep(Kept::Unmarked)),
        ]);
        assert_eq!(hosts(&report, "sd.internal"), 2);
        let batch = changes(&report, "sd.internal", 2);
        assert_eq!(
            batch.iter().map(|change| change.action).collect::<Vec<_>>(),
            [Action::Delete, Action::Create]
        );
        assert_eq!(batch[1].set.values, ["\"hosts=2\""]);
    }

    #[test]
    fn changes_nothing_that_is_right_or_somebody_elses() {
        let keep = Verdict::Keep(Kept::Unmarked);
        for text in ["\"hosts=2\"", "\"since=2026 hosts=7\"", "\"v=spf1 -all\""] {
            assert_eq!(changes(&report(vec![(hint(text), keep)]), "sd.internal", 2), [], "{text}");
        }
        let twice = report(vec![(hint("\"hosts=9\""), keep), (hint("\"hosts=8\""), keep)]);
        assert_eq!(changes(&twice, "sd.internal", 2), []);
        assert_eq!(changes(&report(vec![]), "sd.internal", 0), []);
    }
}
