//! The names that are asked for here, beside what the zone has of them: a name has one policy, one TTL, and room for 100
//! records, and is not found where another zone answers for it.

use std::collections::{BTreeMap, BTreeSet};

use super::containers::offered;
use super::facts::{Facts, Registry};
use super::finding::Finding;
use crate::container::convention::Answer;
use crate::record::{RecordSet, RecordType, Registrant, Routing};

const SUBJECT: &str = "names";
/// Source: Route 53 developer guide, "Quotas": records of one name and type.
const GROUP_MAX: usize = 100;

/// What is asked for of a name and type.
#[derive(Debug, Default)]
struct Asked {
    routings: BTreeSet<&'static str>,
    ttls: BTreeSet<i64>,
}

/// Judges each name.
pub fn judge(facts: &Facts, sets: &[RecordSet]) -> Vec<Finding> {
    let Ok(host) = &facts.host else { return Vec::new() };
    if facts.containers.is_err() {
        let line = "not looked at: what runs here is not known";
        return vec![Finding::warning(SUBJECT, line, "see the lines of Docker and of the containers")];
    }
    let asked = asked(facts);
    let mut findings = Vec::new();
    for ((name, kind), asked) in &asked {
        let there: Vec<&RecordSet> = sets.iter().filter(|set| set.key().name == *name).collect();
        findings.extend(shadow(name, sets, within(facts)));
        findings.extend(policy(name, *kind, asked, &there));
        if let Some(finding) = of_host(name, *kind, &there, host) {
            // Its TTL holds nothing up that would be written.
            findings.push(finding);
            continue;
        }
        findings.extend(ttl(name, *kind, asked, &there, host));
        findings.extend(room(name, *kind, &there));
    }
    if findings.is_empty() {
        let asked = asked.len();
        let mut line = format!("{asked} asked for here: no other policy, no other TTL, and room for more");
        if !facts.unseen.is_empty() {
            line += &format!("; not looked at: those of {} more containers", facts.unseen.len());
        }
        findings.push(Finding::fine(SUBJECT, line));
    }
    findings
}

/// The private zones whose names end in that of ours.
fn within(facts: &Facts) -> &[String] {
    match &facts.registry {
        Registry::Route53(route53) => route53.zone.as_ref().map_or(&[], |zone| &zone.within),
        Registry::Local { .. } => &[],
    }
}

/// A name that another zone answers for, by delegation or because the resolver takes the zone with the longest name.
fn shadow(name: &str, sets: &[RecordSet], within: &[String]) -> Option<Finding> {
    let is_under =
        |above: &str| name.strip_suffix(above).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let remedy = "give it a name outside of that, or let an agent write it into that zone";
    let apex = sets.iter().find(|set| set.kind == RecordType::Soa).map(|set| &set.name);
    let delegates = |set: &&RecordSet| set.kind == RecordType::Ns && Some(&set.name) != apex;
    if let Some(set) = sets.iter().filter(delegates).find(|set| is_under(&set.name)) {
        let line = format!("{name} lies under what the zone delegates: resolvers ask the servers of {set}");
        return Some(Finding::warning(SUBJECT, line, remedy));
    }
    let zone = within.iter().find(|zone| is_under(zone))?;
    let line = format!(
        "{name} lies in another private zone, {zone}: a VPC that sees both finds nothing of this one there"
    );
    Some(Finding::warning(SUBJECT, line, remedy))
}

fn asked(facts: &Facts) -> BTreeMap<(String, RecordType), Asked> {
    let mut asked: BTreeMap<(String, RecordType), Asked> = BTreeMap::new();
    for (_, offers, _) in offered(facts) {
        for service in offers.iter().map(|offer| &offer.service) {
            let (kind, routing) = match service.answer {
                Answer::Weighted => (RecordType::Srv, "weighted"),
                Answer::All => (RecordType::Srv, "multivalue"),
                Answer::Address => (RecordType::A, "weighted"),
            };
            let of_name = asked.entry((service.name.as_str().to_owned(), kind)).or_default();
            of_name.routings.insert(routing);
            of_name.ttls.insert(service.ttl.into());
        }
    }
    asked
}

fn policy_of(set: &RecordSet) -> &'static str {
    match (set.routing, &set.set_identifier) {
        (Routing::Weighted(_), _) => "weighted",
        (Routing::Multivalue, _) => "multivalue",
        (Routing::Simple, None) => "simple",
        (Routing::Simple, Some(_)) => "of another policy (latency, place or failover)",
    }
}

fn policy(name: &str, kind: RecordType, asked: &Asked, there: &[&RecordSet]) -> Option<Finding> {
    let remedy = "give one of them another name: Route 53 refuses to mix them";
    if asked.routings.len() > 1 {
        let line = format!("{name} {kind} is asked for as a weighted and as a full name by containers here");
        return Some(Finding::broken(SUBJECT, line, remedy));
    }
    if let Some(alias) = there.iter().find(|set| set.kind == RecordType::Cname) {
        return Some(Finding::broken(SUBJECT, format!("{name} is a CNAME in the zone: {alias}"), remedy));
    }
    let asked = asked.routings.first()?;
    let other = there.iter().find(|set| set.kind == kind && policy_of(set) != *asked)?;
    let line = format!(
        "{name} {kind} is asked for as {asked}, and the zone has one that is {}: {other}",
        policy_of(other)
    );
    Some(Finding::broken(SUBJECT, line, remedy))
}

fn of_host(name: &str, kind: RecordType, there: &[&RecordSet], host: &Registrant) -> Option<Finding> {
    let other = there.iter().filter(|set| set.kind == kind).find_map(|set| host.other_host_at(set))?;
    let line = format!("host {other} has its address under {name}: no service is put beside it");
    Some(Finding::broken(SUBJECT, line, "give the container another name (SERVICE_<port>_A)"))
}

fn ttl(
    name: &str,
    kind: RecordType,
    asked: &Asked,
    there: &[&RecordSet],
    host: &Registrant,
) -> Option<Finding> {
    let remedy = "give all copies of a service one TTL (SERVICE_<port>_TTL)";
    if let [one, .., other] = asked.ttls.iter().collect::<Vec<_>>()[..] {
        let line = format!(
            "containers here ask for {name} with TTLs from {one} to {other} s: the first of a name sets it"
        );
        return Some(Finding::warning(SUBJECT, line, remedy));
    }
    let wanted = asked.ttls.first()?;
    let others = there.iter().find(|set| set.kind == kind && set.ttl != *wanted && !host.owns(set))?;
    let line = format!(
        "{name} has a TTL of {} s in the zone, and is asked for with {wanted} s: the former holds",
        others.ttl
    );
    Some(Finding::warning(SUBJECT, line, remedy))
}

fn room(name: &str, kind: RecordType, there: &[&RecordSet]) -> Option<Finding> {
    let count = there.iter().filter(|set| set.kind == kind).count();
    let line = format!("{name} has {count} of at most {GROUP_MAX} {kind} records");
    let remedy =
        "split the service over two names, or run fewer copies; the janitor takes out what dead hosts left";
    match count {
        GROUP_MAX.. => Some(Finding::broken(SUBJECT, format!("{line}: no copy can be added"), remedy)),
        many if many * 5 >= GROUP_MAX * 4 => Some(Finding::warning(SUBJECT, line, remedy)),
        _ => None,
    }
}
