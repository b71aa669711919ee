//! What `--doctor` says of a host: from what was found out to lines that are fine, warnings or broken, each with what to
//! do. Pure: who asks is [`crate::run`].
//!
//! One judge a subject; each says something even where all is well, so that a line which is not there was not looked at.
//!
//! | | |
//! |---|---|
//! | [`facts`] | what was found out, each part with why it was not |
//! | [`finding`] | a line, and all of them |
//! | [`host`] | who this host is, its metadata service, whether ECS drains it, its own name in DNS |
//! | [`clock`] | the clock, by the API's |
//! | [`zone`] | which zone it is, who sees it, how long "there is none" is remembered |
//! | [`permissions`] | what the role may do |
//! | [`docker`] | the engine, and what of it changes what checks mean |
//! | [`containers`] | what runs here and cannot be published |
//! | [`names`] | the names that are asked for here: room, TTLs, policies |
//! | [`records`] | whose records lead here, and which of this host's nobody wants |
//! | [`services`] | which services are not answered, as the agent has it |
//! | [`settings`] | whether the agent has those that this was called with |
//! | [`stops`] | whose containers end before the zone's name servers have heard of that |
//! | [`state`] | the agent, and where it keeps what outlives it |
//! | [`text`] | lines for people |

pub mod clock;
pub mod containers;
pub mod docker;
pub mod facts;
pub mod finding;
pub mod host;
pub mod names;
pub mod permissions;
pub mod records;
pub mod services;
pub mod settings;
pub mod state;
pub mod stops;
#[cfg(test)]
mod tests;
pub mod text;
pub mod zone;

pub use self::facts::Facts;
use self::facts::Registry;
pub use self::finding::{Finding, Level, Report};

/// Judges everything.
pub fn judge(facts: &Facts) -> Report {
    let mut findings = vec![state::agent(&facts.agent)];
    findings.extend(settings::judge(facts));
    findings.push(state::directory(facts));
    findings.extend(host::identity(facts));
    findings.push(host::metadata(&facts.metadata));
    findings.extend(host::draining(&facts.drains));
    match &facts.registry {
        Registry::Local { place, dns } => {
            let at = dns.join(" and ");
            let line = format!("kept in {place}, by the agent of this host alone; DNS at {at}");
            findings.push(Finding::fine("zone", line));
        }
        Registry::Route53(route53) => {
            findings.push(clock::judge(&route53.clock));
            findings.push(zone::found(&route53.zone, host::is_found(facts)));
            findings.extend(permissions::judge(&route53.calls));
            if let Some(sets) = &route53.records {
                findings.push(zone::negative_ttl(sets, &facts.command));
                findings.push(zone::headroom(sets));
                findings.push(host::name(facts, sets));
                findings.extend(names::judge(facts, sets));
                findings.extend(records::judge(facts, sets));
            }
        }
    }
    findings.extend(docker::judge(facts));
    findings.extend(containers::judge(facts));
    findings.extend(services::judge(facts));
    findings.extend(stops::judge(facts));
    Report { findings }
}
