//! Whose containers end before every name server has heard of their withdrawal: what the agent has seen of that.

use super::facts::{Agent, Ended, Facts, Registry};
use super::finding::Finding;

const SUBJECT: &str = "stops";

/// Judges each service; nothing where no agent says so, or nothing has to spread.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    if matches!(facts.registry, Registry::Local { .. }) || matches!(facts.agent, Agent::Silent(_)) {
        return Vec::new();
    }
    let early: Vec<_> = facts.ended.iter().filter(|ended| ended.early > 0).map(warning).collect();
    if !early.is_empty() {
        return early;
    }
    let line = match facts.ended.iter().map(|ended| ended.spread).sum::<u64>() {
        0 => "no container that was stopped is known to have ended too early".to_owned(),
        stopped => format!("{stopped} were stopped, and served until every name server had heard of it"),
    };
    vec![Finding::fine(SUBJECT, line)]
}

fn warning(Ended { service, spread, early, longest_missing }: &Ended) -> Finding {
    let of = spread + early;
    Finding::warning(
        SUBJECT,
        format!(
            "{service}: {early} of {of} stopped containers ended before every name server had heard of it, and clients \
             were sent to them for up to {longest_missing:.0} s"
        ),
        "let the process serve on for 75 s after its stop signal, and give it the time: stopTimeout 90 in its ECS \
         container definition, or docker stop -t 90; docs/stopping.md has recipes",
    )
}
