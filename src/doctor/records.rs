//! Whose records lead to this host, and which of its own lead nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Agent, Facts};
use super::finding::Finding;
use crate::record::{ContainerId, Mark, Owner, RecordSet, RecordType, Registrant, Subject};

/// How many are named.
const NAMED_MAX: usize = 3;

/// Judges both.
pub fn judge(facts: &Facts, sets: &[RecordSet]) -> Vec<Finding> {
    let Ok(host) = &facts.host else { return Vec::new() };
    let mut findings = vec![own(facts, host, sets)];
    findings.extend(others(facts, host, sets));
    findings
}

fn own(facts: &Facts, host: &Registrant, sets: &[RecordSet]) -> Finding {
    const SUBJECT: &str = "own records";
    let own: Vec<&RecordSet> = sets.iter().filter(|set| host.owns(set)).collect();
    let Ok(running) = &facts.containers else {
        return Finding::fine(SUBJECT, format!("{}; what runs here is not known", own.len()));
    };
    let unseen = facts.unseen.iter().map(|unseen| &unseen.id);
    let running: BTreeSet<&ContainerId> =
        running.iter().map(|found| &found.container.id).chain(unseen).collect();
    let is_unwanted = |set: &&RecordSet| match host.subject(set) {
        Some(Subject::Container(id) | Subject::Service(id, _) | Subject::ServiceAddress(id)) => {
            !running.contains(&id)
        }
        Some(Subject::Host) | None => false,
    };
    let unwanted: Vec<_> = own.iter().copied().filter(is_unwanted).collect();
    if unwanted.is_empty() {
        return Finding::fine(
            SUBJECT,
            format!("{}, each of a container that runs here, or of the host", own.len()),
        );
    }
    let line = format!("{} lead to containers that do not run here: {}", unwanted.len(), named(&unwanted));
    let remedy = match facts.agent {
        Agent::Silent(_) => {
            format!("start the agent, which takes them out; or, once: {} --sync", facts.host_command)
        }
        Agent::Hangs(_) => "restart the agent, which takes them out".to_owned(),
        Agent::Ready | Agent::NotReady(_) => {
            "the agent takes them out, at the latest within --resync; see ecssd --status".to_owned()
        }
    };
    Finding::warning(SUBJECT, line, remedy)
}

fn named(sets: &[&RecordSet]) -> String {
    let mut names: Vec<_> = sets.iter().take(NAMED_MAX).map(|set| set.key().to_string()).collect();
    if sets.len() > NAMED_MAX {
        names.push(format!("and {} more", sets.len() - NAMED_MAX));
    }
    names.join(", ")
}

/// Records of others that lead to this host's address: the predecessor's, of a former name, of a former host.
fn others(facts: &Facts, host: &Registrant, sets: &[RecordSet]) -> Vec<Finding> {
    const SUBJECT: &str = "others' records";
    let address = host.address.to_string();
    let marks: Vec<(Mark, &RecordSet)> =
        sets.iter().filter_map(|set| Some((mark(set, &host.zone)?, set))).collect();
    let leads_here = |mark: &Mark, set: &RecordSet| {
        let named_after = format!("ip-{}", address.replace('.', "-"));
        set.kind == RecordType::A && set.values == [address.clone()] || mark.owner.label() == named_after
    };
    let other = |mark: &Mark| mark.owner != host.owner;
    let here: BTreeSet<&Owner> = marks
        .iter()
        .filter(|(mark, set)| other(mark) && leads_here(mark, set))
        .map(|(mark, _)| &mark.owner)
        .collect();
    let mut by_owner: BTreeMap<&Owner, (usize, usize)> = BTreeMap::new();
    for (mark, set) in marks.iter().filter(|(mark, _)| here.contains(&mark.owner)) {
        let (all, of_predecessor) = by_owner.entry(&mark.owner).or_default();
        *all += 1;
        *of_predecessor += usize::from(is_of_predecessor(mark, set));
    }
    if by_owner.is_empty() {
        return vec![Finding::fine(SUBJECT, "nobody else's lead to this host's address")];
    }
    let finding = |(owner, (all, of_predecessor)): (&Owner, (usize, usize))| {
        let forget = format!("{} --forget {owner}", facts.command);
        match of_predecessor {
            0 => Finding::warning(
                SUBJECT,
                format!(
                    "{all} of {owner} lead to this host's address, {address}: a former name or host, or one in another VPC"
                ),
                format!("if {owner} is no more: {forget}"),
            ),
            _ => Finding::warning(
                SUBJECT,
                format!(
                    "{all} of {owner} lead to this host's address, {address}: {of_predecessor} are the predecessor's"
                ),
                format!("stop the predecessor, which removes its own; if it is gone: {forget}"),
            ),
        }
    };
    by_owner.into_iter().map(finding).collect()
}

/// A mark of ours, or the predecessor's of a service.
fn mark(set: &RecordSet, zone: &str) -> Option<Mark> {
    let legacy = || {
        let mark = Mark::parse(set.set_identifier.as_deref()?)?;
        is_of_predecessor(&mark, set).then_some(mark)
    };
    Mark::of(set, zone).or_else(legacy)
}

fn is_of_predecessor(mark: &Mark, set: &RecordSet) -> bool {
    set.kind == RecordType::Srv && matches!(mark.subject, Subject::Container(_))
}
