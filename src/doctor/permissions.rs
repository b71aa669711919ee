//! What the role may do, by calls that change nothing.

use super::facts::Call;
use super::finding::Finding;
use crate::zone::ZoneError;

const SUBJECT: &str = "permissions";

/// Judges each call; what may be done is one line.
pub fn judge(calls: &[Call]) -> Vec<Finding> {
    let (may, rest): (Vec<&Call>, Vec<&Call>) = calls.iter().partition(|call| call.answer.is_ok());
    let mut findings = Vec::new();
    if !may.is_empty() {
        let actions: Vec<_> = may.iter().map(|call| call.action).collect();
        findings.push(Finding::fine(SUBJECT, format!("allowed: {}", actions.join(", "))));
    }
    findings.extend(rest.into_iter().filter_map(refused));
    findings
}

fn refused(call: &Call) -> Option<Finding> {
    let Call { action, needed_for, vital, answer } = call;
    let error = answer.as_ref().err()?;
    let line = format!("{action}, for {needed_for}: {}", error.brief());
    let (is_broken, remedy) = match error {
        ZoneError::Denied(_) => {
            (*vital, format!("allow this host's role {action}: deploy/policies/agent.json does"))
        }
        ZoneError::Unauthenticated(_) => (
            true,
            "give the instance or the container a role, or a profile to the AWS variables; see that the clock is right"
                .to_owned(),
        ),
        ZoneError::Throttled(_) | ZoneError::Busy(_) => {
            (false, "others use up the account's rate: ask again, or lower --rate of all hosts".to_owned())
        }
        _ => (*vital, "see that this host reaches Route 53's API, and ask again".to_owned()),
    };
    Some(match is_broken {
        true => Finding::broken(SUBJECT, line, remedy),
        false => Finding::warning(SUBJECT, line, remedy),
    })
}
