//! Which zone it is, who sees it, and how full it is.

use std::time::Duration;

use super::finding::Finding;
use crate::record::{RecordSet, RecordType};
use crate::zone::ZoneError;
use crate::zone::route53::FindError;
use crate::zone::route53::find::Seen;

const SUBJECT: &str = "zone";
/// So long it does no harm that a resolver remembers that there is none: services start in any order, and a client that
/// waits a minute has waited.
pub const NEGATIVE_FINE: Duration = Duration::from_secs(60);
/// Source: Route 53 developer guide, "Quotas".
const SETS_MAX: usize = 10_000;

/// Judges the zone that was found, or why none was. What this host's resolver finds in it proves that the host sees it,
/// whatever the API knows.
pub fn found(zone: &Result<Seen, FindError>, resolves: bool) -> Finding {
    let seen = match zone {
        Ok(seen) => seen,
        Err(error) => return absent(error),
    };
    let what = format!("{} ({}) is private", seen.name, seen.id);
    let profile =
        "a Route 53 Profile would not show here: it counts if a dig on this host finds the zone's SOA";
    match seen.here {
        Some(true) => Finding::fine(SUBJECT, format!("{what}, and this host's VPC sees it")),
        _ if resolves => Finding::fine(SUBJECT, format!("{what}, and this host's resolver finds it")),
        Some(false) => Finding::warning(
            SUBJECT,
            format!("{what}, and of the API's word only others see it: {}; {profile}", seen.vpcs.join(", ")),
            "associate this host's VPC with the zone, unless a Profile does",
        ),
        None if seen.vpcs.is_empty() => Finding::warning(
            SUBJECT,
            format!("{what}; whether this host sees it is not known: {profile}"),
            "off EC2, see that this host's resolver is led to the VPC's; on EC2, allow route53:GetHostedZone",
        ),
        None => Finding::fine(
            SUBJECT,
            format!("{what}, seen by {}; this host is in no VPC that is known", seen.vpcs.join(", ")),
        ),
    }
}

fn absent(error: &FindError) -> Finding {
    match error {
        FindError::Unanswered { action, error: error @ ZoneError::Denied(_) } => {
            let remedy = format!("allow this host's role {action}: deploy/policies/agent.json does");
            Finding::broken(SUBJECT, format!("{action}: {error}"), remedy)
        }
        FindError::Unanswered { action, error: error @ ZoneError::Unauthenticated(_) } => Finding::broken(
            SUBJECT,
            format!("{action}: {}", error.brief()),
            "give the instance or the container a role; see the lines of the clock and the metadata service",
        ),
        FindError::Unanswered { .. } => Finding::broken(
            SUBJECT,
            error.what(),
            "see that this host reaches Route 53's API: route, security group, proxy, --endpoint-url",
        ),
        FindError::Absent { .. }
        | FindError::Elsewhere { .. }
        | FindError::OnlyPublic { .. }
        | FindError::Several { .. }
        | FindError::AbsentId { .. }
        | FindError::Public { .. }
        | FindError::Owned { .. } => Finding::broken(
            SUBJECT,
            error.what(),
            error.remedy().unwrap_or_else(|| "pass another ZONE, or --zone-id ID".into()),
        ),
    }
}

/// Judges how long resolvers remember that there is none: the smaller of the SOA's TTL and its minimum.
pub fn negative_ttl(sets: &[RecordSet], command: &str) -> Finding {
    const SUBJECT: &str = "negative TTL";
    let soa = sets.iter().find(|set| set.kind == RecordType::Soa);
    let minimum = soa.and_then(|set| {
        let minimum: u64 = set.values.first()?.rsplit(' ').next()?.parse().ok()?;
        Some(minimum.min(u64::try_from(set.ttl).ok()?))
    });
    match minimum {
        Some(seconds) if seconds <= NEGATIVE_FINE.as_secs() => {
            Finding::fine(SUBJECT, format!("\"there is none\" is remembered for {seconds} s"))
        }
        Some(seconds) => Finding::warning(
            SUBJECT,
            format!("\"there is none\" is remembered for {seconds} s: whoever asks too early waits so long"),
            format!("{command} --janitor --soa-minimum 5s --apply"),
        ),
        None => Finding::warning(SUBJECT, "the zone's SOA was not found", "see the zone's SOA by hand"),
    }
}

/// Judges how full the zone is.
pub fn headroom(sets: &[RecordSet]) -> Finding {
    const SUBJECT: &str = "zone's room";
    let line = format!("{} of {SETS_MAX} records", sets.len());
    let remedy = "ask for a higher quota of records per hosted zone, or split the services over two zones";
    match sets.len() {
        SETS_MAX.. => Finding::broken(SUBJECT, format!("{line}: no record can be added"), remedy),
        many if many * 5 >= SETS_MAX * 4 => Finding::warning(SUBJECT, line, remedy),
        _ => Finding::fine(SUBJECT, line),
    }
}
