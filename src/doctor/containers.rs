//! What runs here and asks for a name, and why some of it cannot be published.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::facts::{Facts, Found};
use super::finding::Finding;
use crate::container::Network;
use crate::container::offer::{
    Endpoint, FROZEN, FROZEN_REMEDY, Offer, Unpublished, has_frozen_check, offers,
};
use crate::record::ContainerId;

const SUBJECT: &str = "containers";

/// What each container offers here, and what it cannot.
pub(super) fn offered(facts: &Facts) -> Vec<(&Found, Vec<Offer>, Vec<Unpublished>)> {
    let (Ok(host), Ok(found)) = (&facts.host, &facts.containers) else { return Vec::new() };
    let by_id = |id: &ContainerId| found.iter().map(|found| &found.container).find(|it| it.id == *id);
    let asking = found.iter().filter(|found| !found.container.ignored);
    asking
        .map(|one| {
            let owner = match &one.container.network {
                Network::Shared(id) => by_id(id),
                _ => None,
            };
            let (offers, not) = offers(&one.container, owner, one.task_address, host.address);
            (one, offers, not)
        })
        .collect()
}

/// Judges them.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let found = match &facts.containers {
        Ok(found) => found,
        // Where the engine is away, its line says so.
        Err(_) if facts.engine.is_err() => return Vec::new(),
        Err(reason) => return vec![Finding::broken(SUBJECT, reason, "see Docker's log")],
    };
    let offered = offered(facts);
    let services: usize = offered.iter().map(|(_, offers, _)| offers.len()).sum();
    let asking = offered.iter().filter(|(_, offers, not)| !offers.is_empty() || !not.is_empty()).count();
    let mut line = format!(
        "{} run here; {asking} ask for names, with {services} services that can be published",
        found.len() + facts.unseen.len()
    );
    // Nothing else tells of them, and whoever looks for one is told here that it was asked for.
    let ignored = found.iter().filter(|found| found.container.ignored);
    let ignored: Vec<_> = ignored.map(|found| found.container.name.as_str()).collect();
    if !ignored.is_empty() {
        let _ = write!(line, "; left alone by SERVICE_IGNORE: {}", ignored.join(", "));
    }
    let mut findings = vec![Finding::fine(SUBJECT, line)];
    for (one, _, not) in &offered {
        let name = &one.container.name;
        findings.extend(not.iter().map(|not| unpublished(name, not)));
        if has_frozen_check(&one.container) {
            findings.push(Finding::warning(SUBJECT, format!("{name}: {FROZEN}"), FROZEN_REMEDY));
        }
        findings.extend(one.container.bad_keys.iter().map(|bad| {
            Finding::warning(SUBJECT, format!("{name}: {bad}"), "correct the key, and replace the container")
        }));
    }
    findings.extend(facts.unseen.iter().map(|unseen| {
        let line = format!("{} runs here and could not be looked at: {}", unseen.id, unseen.reason);
        Finding::warning(SUBJECT, line, "see Docker's log, and docker inspect of it")
    }));
    findings.extend(claims(&offered));
    if let (Err(reason), Some(of_ecs)) =
        (&facts.ecs_agent, found.iter().find(|found| found.container.task_arn.is_some()))
    {
        findings.push(Finding::warning(
            "ECS agent",
            format!("{} is of an ECS task, and the ECS agent does not answer: {reason}", of_ecs.container.name),
            "let this reach the introspection at --ecs-introspection: without it DRAINING is not heard, and tasks with an \
             address of their own are not published",
        ));
    }
    findings
}

fn unpublished(name: &str, not: &Unpublished) -> Finding {
    let Unpublished { service, container_port, reason } = not;
    let line = format!("{name}: {} on port {container_port} cannot be published: {reason}", service.as_str());
    Finding::warning(SUBJECT, line, reason.remedy())
}

/// Ports that several containers claim: one of them has it.
fn claims(offered: &[(&Found, Vec<Offer>, Vec<Unpublished>)]) -> Vec<Finding> {
    let mut claims: BTreeMap<Endpoint, BTreeMap<&ContainerId, &str>> = BTreeMap::new();
    for (one, offers, _) in offered {
        for offer in offers {
            let claimants = claims.entry(offer.endpoint()).or_default();
            claimants.insert(&one.container.id, &one.container.name);
        }
    }
    let contested = claims.into_iter().filter(|(_, claimants)| claimants.len() > 1);
    let line = |(endpoint, claimants): (Endpoint, BTreeMap<&ContainerId, &str>)| {
        let names: Vec<_> = claimants.into_values().collect();
        Finding::warning(
            SUBJECT,
            format!(
                "{} claim {endpoint}: one of them has it, and the others are in DNS when it ends",
                names.join(", ")
            ),
            "give each a port of its own",
        )
    };
    contested.map(line).collect()
}
