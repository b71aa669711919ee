//! Which of this host's services are not answered, or only where nobody else is: as the agent has it, and why.

use super::facts::{Agent, Facts, Standing};
use super::finding::Finding;

const SUBJECT: &str = "services";
/// More of them have one cause, and are not told one by one.
const NAMED_MAX: usize = 5;

/// Judges each; nothing where no agent says so.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    if !matches!(facts.agent, Agent::Ready | Agent::NotReady(_)) {
        return Vec::new();
    }
    let short: Vec<_> = facts.services.iter().filter(|standing| standing.falls_short.is_some()).collect();
    if short.is_empty() {
        return vec![Finding::fine(
            SUBJECT,
            format!("{} are in DNS, with their weight", facts.services.len()),
        )];
    }
    let mut findings: Vec<_> = short.iter().take(NAMED_MAX).map(|standing| warning(standing)).collect();
    if short.len() > NAMED_MAX {
        let line = format!("and {} more are not in DNS with their weight", short.len() - NAMED_MAX);
        findings.push(Finding::warning(SUBJECT, line, "see ecssd --status"));
    }
    findings
}

fn warning(Standing { container, service, falls_short, is_cordoned }: &Standing) -> Finding {
    let why = falls_short.as_deref().unwrap_or_default();
    let remedy = match is_cordoned {
        true => "see ecssd --status, which names the cordon: ecssd --uncordon ends it",
        false => "see ecssd --status, and the container's own log",
    };
    Finding::warning(SUBJECT, format!("{container}: {service}: {why}"), remedy)
}
