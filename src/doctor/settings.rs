//! Whether the agent of this host runs with the settings that this was called with: if not, all else is told of another
//! zone or host than the agent's.

use super::facts::{AgentSettings, Facts, Registry};
use super::finding::Finding;

/// Judges the settings; nothing where no agent says its own, or this host is not known.
pub fn judge(facts: &Facts) -> Option<Finding> {
    const SUBJECT: &str = "settings";
    let (theirs, host) = (facts.agent_settings.as_ref()?, facts.host.as_ref().ok()?);
    let (registry, dns) = match &facts.registry {
        Registry::Local { dns, .. } => ("local", dns.clone()),
        Registry::Route53(_) => ("route53", Vec::new()),
    };
    let ours = AgentSettings {
        owner: host.owner.to_string(),
        address: host.address.to_string(),
        zone: host.zone.clone(),
        registry: registry.to_owned(),
        dns,
    };
    let differing: Vec<_> = differences(theirs, &ours).collect();
    Some(match differing.is_empty() {
        true => Finding::fine(SUBJECT, "those of the agent that runs"),
        false => Finding::warning(
            SUBJECT,
            format!("not those of the agent that runs: {}", differing.join("; ")),
            "call this with the agent's settings; with those of its unit: (set -a; . /etc/ecssd.env; ecssd --doctor)",
        ),
    })
}

fn differences(theirs: &AgentSettings, ours: &AgentSettings) -> impl Iterator<Item = String> {
    let at = |dns: &[String]| match dns {
        [] => "nowhere".to_owned(),
        dns => dns.join(" and "),
    };
    let pairs = [
        ("the registry", theirs.registry.clone(), ours.registry.clone()),
        ("the zone", theirs.zone.clone(), ours.zone.clone()),
        ("this host's name", theirs.owner.clone(), ours.owner.clone()),
        ("its address", theirs.address.clone(), ours.address.clone()),
        ("DNS at", at(&theirs.dns), at(&ours.dns)),
    ];
    pairs
        .into_iter()
        .filter(|(_, theirs, ours)| theirs != ours)
        .map(|(what, theirs, ours)| format!("{what}: {theirs} there, {ours} here"))
}
