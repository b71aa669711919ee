//! Whose containers end before every name server has heard of their withdrawal: what the agent has seen of that.

use super::facts::{Agent, Ended, Facts, Registry};
use super::finding::Finding;

const SUBJECT: &str = "stops";

/// Judges each service; nothing where no agent says so, or nothing has to spread.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let answers = matches!(facts.agent, Agent::Ready | Agent::NotReady(_));
    if matches!(facts.registry, Registry::Local { .. }) || !answers {
        return Vec::new();
    }
    let early: Vec<_> = facts.ended.iter().filter(|ended| ended.early > 0).map(warning).collect();
    if !early.is_empty() {
        return early;
    }
    let sum = |of: fn(&Ended) -> u64| facts.ended.iter().map(of).sum::<u64>();
    let unknown = match sum(|ended| ended.unknown) {
        0 => String::new(),
        unknown => format!("; of {unknown} more it is not known"),
    };
    let line = match sum(|ended| ended.spread) {
        0 => format!("no service is known to have been stopped too early{unknown}"),
        stopped => {
            format!(
                "{stopped} services of stopped containers served until every name server had heard of it{unknown}"
            )
        }
    };
    vec![Finding::fine(SUBJECT, line)]
}

fn warning(Ended { service, spread, early, longest_missing, .. }: &Ended) -> Finding {
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
