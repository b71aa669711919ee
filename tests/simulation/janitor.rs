//! Runs of the janitor beside the agents: two inspections of the zone, at ECS and at EC2, the product's own verdict on
//! them, and its deletes.

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::janitor::evidence::{AgentConnection, Container, Host, InstanceState, Read, Snapshot};
use ecssd::janitor::report::Held;
use ecssd::janitor::{Inspection, Verdict, judge};
use ecssd::moment::Moment;
use ecssd::record::{Action, Change, Owner, RecordSet};
use ecssd::zone::Zone;
use futures_util::FutureExt;

use super::later::Later;
use super::mutant::Mutant;
use super::truth::ZONE;
use super::world::State;

/// From one inspection to the next.
const APART: Duration = Duration::from_secs(61);

impl State {
    /// The first inspection of a run; one run at a time.
    pub fn janitor_looks(&mut self) {
        if self.first_inspection.is_some() {
            return;
        }
        self.first_inspection = Some(self.inspect());
        self.court_first_inspection();
        if self.mutant == Mutant::LooksOnce {
            self.janitor_looks_again();
        } else {
            self.later(APART, Later::JanitorLooksAgain);
        }
    }

    /// The second, and what comes of both.
    pub fn janitor_looks_again(&mut self) {
        let Some(mut first) = self.first_inspection.take() else { return };
        let last = self.inspect();
        // When it did inspect, whatever a planted bug makes of it.
        let seen = first.snapshot.ended;
        if self.mutant == Mutant::LooksOnce {
            let before = |read: &mut Moment| *read = *read - APART;
            for read in [&mut first.list.began, &mut first.list.ended] {
                before(read);
            }
            (first.snapshot.began, first.snapshot.ended) = (first.list.ended, first.list.ended);
        }
        let report = judge(ZONE, &first, &last, self.now);
        self.count("janitor's verdict");
        let goes = |verdict: Verdict| match verdict {
            Verdict::Delete(_) => true,
            Verdict::Wait(_, Held::CapOfService | Held::CapOfZone) => self.mutant == Mutant::NoCaps,
            _ => false,
        };
        let deleted: Vec<RecordSet> =
            report.findings.iter().filter(|finding| goes(finding.verdict)).map(|it| it.set.clone()).collect();
        if deleted.is_empty() {
            return;
        }
        self.tell(0, format_args!("the janitor deletes {}", deleted.len()));
        self.court_janitor(&deleted, seen);
        let batch: Vec<_> = deleted.into_iter().map(|set| Change { action: Action::Delete, set }).collect();
        let zone = self.account.zone.clone();
        if let Some(Ok(_)) = zone.change(&batch).now_or_never() {
            self.count("janitor's delete");
            for host in 0..self.hosts.len() {
                self.court_cleaned(host, &batch);
            }
        }
    }

    fn inspect(&self) -> Inspection {
        let now = self.now;
        let list = Read { began: now, ended: now, missing: Vec::new(), what: self.account.zone.snapshot() };
        let (mut hosts, mut containers) = (BTreeMap::new(), BTreeMap::new());
        let mut services = std::collections::BTreeSet::new();
        // A host off EC2 is in nobody's list.
        for of in self.hosts.iter().filter(|of| !of.route.is_followed) {
            let Ok(owner) = Owner::new(&of.owner) else { continue };
            let state = match (of.terminated.is_some(), of.powered) {
                (true, _) => InstanceState::Terminated,
                (false, true) => InstanceState::Running,
                (false, false) => InstanceState::Stopped,
            };
            hosts.insert(owner.clone(), Host { state, agent: AgentConnection::Connected });
            for it in of.containers.values() {
                let stopped = it.removed || of.terminated.is_some();
                containers.insert(it.id.clone(), Container { instance: Some(owner.clone()), stopped });
                if !stopped {
                    services.extend(it.names());
                }
            }
        }
        let what = Snapshot { hosts, containers, services: Some(services), ..Snapshot::default() };
        Inspection { list, snapshot: Read { began: now, ended: now, missing: Vec::new(), what } }
    }
}
