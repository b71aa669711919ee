//! Whether the agent of this host runs with the settings that this was called with: if not, all else is told of another
//! zone or host than the agent's.

use super::facts::{Facts, Registry};
use super::finding::Finding;
use crate::zone::route53::FindError;

/// Judges the settings; nothing where no agent says its own, or this host is not known.
pub fn judge(facts: &Facts) -> Option<Finding> {
    const SUBJECT: &str = "settings";
    let (theirs, host) = (facts.agent_settings.as_ref()?, facts.host.as_ref().ok()?);
    let (registry, dns, found) = match &facts.registry {
        Registry::Local { dns, .. } => ("local", dns.as_slice(), None),
        Registry::Route53(route53) => ("route53", [].as_slice(), Some(&route53.zone)),
    };
    // What was looked for by an id that nobody has, or could not be looked for, may have a name that nobody here gave.
    let is_nameless = matches!(found, Some(Err(FindError::AbsentId { .. } | FindError::Unanswered { .. })));
    let zone = if is_nameless { &theirs.zone } else { &host.zone }.clone();
    let zone_id = match found {
        Some(Ok(seen)) => seen.id.clone(),
        Some(Err(_)) | None => theirs.zone_id.clone(),
    };
    let all = [
        ("the registry", theirs.registry.clone(), registry.to_owned()),
        ("the zone", theirs.zone.clone(), zone),
        ("its id", theirs.zone_id.clone(), zone_id),
        ("this host's name", theirs.owner.clone(), host.owner.to_string()),
        ("its address", theirs.address.clone(), host.address.to_string()),
        ("DNS at", at(&theirs.dns), at(dns)),
    ];
    let differing: Vec<_> = all
        .into_iter()
        .filter(|(_, there, here)| there != here)
        .map(|(what, there, here)| format!("{what}: {there} there, {here} here"))
        .collect();
    Some(match differing.is_empty() {
        true => Finding::fine(SUBJECT, "zone, name and address are those of the agent that runs"),
        false => Finding::warning(
            SUBJECT,
            format!("not those of the agent that runs: {}", differing.join("; ")),
            "call this with the agent's settings; with those of its unit: (set -a; . /etc/ecssd.env; ecssd --doctor)",
        ),
    })
}

/// In one order, whatever order they were given in.
fn at(dns: &[String]) -> String {
    let mut sorted = dns.to_vec();
    sorted.sort_unstable();
    if sorted.is_empty() { "nowhere".to_owned() } else { sorted.join(" and ") }
}
