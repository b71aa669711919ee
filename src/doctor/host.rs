//! Who this host is, whether it is told by its metadata service, and whether its name leads to it.

use std::net::{IpAddr, Ipv4Addr};

use super::facts::{Facts, Metadata, Trouble, Unheard};
use super::finding::Finding;
use crate::record::{RecordSet, RecordType};

/// Judges whose records are this host's.
pub fn identity(facts: &Facts) -> Vec<Finding> {
    const SUBJECT: &str = "host";
    let host = match &facts.host {
        Ok(host) => host,
        Err(Trouble { what, remedy }) => return vec![Finding::broken(SUBJECT, what, remedy)],
    };
    let line = format!("{} at {}", host.owner, host.address);
    let on_ec2 = matches!(facts.metadata, Metadata::Answers(_));
    vec![match host.address {
        address if cannot_be_target(address) => Finding::broken(
            SUBJECT,
            format!("{line}, which no client on another host reaches"),
            "pass the address that clients reach its ports at with --address",
        ),
        _ if facts.has_own_network && !facts.address_is_given && !on_ec2 => Finding::warning(
            SUBJECT,
            format!("{line}, which may be those of this container and not of its host"),
            "run it with the host's network (--network host), or pass --hostname and --address",
        ),
        _ => Finding::fine(SUBJECT, line),
    }]
}

fn cannot_be_target(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.octets()[0] == 0
}

/// Judges the metadata service.
pub fn metadata(metadata: &Metadata) -> Finding {
    const SUBJECT: &str = "metadata";
    match metadata {
        Metadata::Answers(id) => Finding::fine(SUBJECT, format!("IMDSv2 answers: {id}")),
        Metadata::Elsewhere => Finding::fine(SUBJECT, "this is not EC2"),
        Metadata::SwitchedOff(false) => Finding::fine(SUBJECT, "switched off by AWS_EC2_METADATA_DISABLED"),
        Metadata::SwitchedOff(true) => Finding::warning(
            SUBJECT,
            "switched off by AWS_EC2_METADATA_DISABLED on EC2: no notice of this host's end is heard, and it goes by its \
             host name",
            "unset AWS_EC2_METADATA_DISABLED",
        ),
        Metadata::Fails(Trouble { what, remedy }) => Finding::broken(SUBJECT, what, remedy),
    }
}

/// Judges whether the agent would hear of DRAINING, where this host is a container instance of ECS.
pub fn draining(drains: &Option<Result<bool, Unheard>>) -> Option<Finding> {
    const SUBJECT: &str = "ECS";
    let without = "DRAINING is not heard, and services leave when their containers are stopped";
    Some(match drains.as_ref()? {
        Ok(false) => Finding::fine(
            SUBJECT,
            "this is a container instance that does not drain; DRAINING would be heard",
        ),
        Ok(true) => Finding::warning(
            SUBJECT,
            "this container instance is DRAINING: its services have weight 0",
            "set it ACTIVE again, if that was not meant",
        ),
        Err(Unheard::Denied(reason)) => Finding::warning(
            SUBJECT,
            format!("{without}: {reason}"),
            "allow this host's role what deploy/policies/agent-ecs.json names",
        ),
        Err(Unheard::Away(reason)) => {
            Finding::warning(SUBJECT, format!("{without}: {reason}"), "see that this host reaches ECS's API")
        }
    })
}

/// Whether this host's resolver finds its address under its name, and so sees the zone.
pub fn is_found(facts: &Facts) -> bool {
    let found = |address| facts.resolved.as_ref().is_ok_and(|found| found.contains(&IpAddr::V4(address)));
    facts.host.as_ref().is_ok_and(|host| found(host.address))
}

/// Judges the name that this host's SRV records lead to, as the system's resolver sees it.
pub fn name(facts: &Facts, sets: &[RecordSet]) -> Finding {
    const SUBJECT: &str = "own name";
    let Ok(host) = &facts.host else {
        return Finding::fine(SUBJECT, "not known while the host is not");
    };
    let name = host.host_name();
    if let Some(set) = sets.iter().find(|set| host.is_contested_by(set)) {
        return Finding::broken(
            SUBJECT,
            format!("{name} is another's too: {set}"),
            "take that record out, or pass another --hostname",
        );
    }
    let own = sets.iter().find(|set| set.kind == RecordType::A && set.name == name && host.owns(set));
    let Some(own) = own else {
        return Finding::fine(SUBJECT, format!("{name} is not in the zone: no service of this host is"));
    };
    if own.values != [host.address.to_string()] {
        return Finding::warning(
            SUBJECT,
            format!(
                "{name} leads to {} in the zone, and this host is at {}",
                own.values.join(", "),
                host.address
            ),
            "restart the agent (SIGHUP keeps the records); an --address may be out of date",
        );
    }
    match &facts.resolved {
        Ok(found) if found.contains(&IpAddr::V4(host.address)) => {
            Finding::fine(SUBJECT, format!("{name} is {} for this host's resolver", host.address))
        }
        Ok(found) => {
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            Finding::broken(
                SUBJECT,
                format!(
                    "this host's resolver says that {name} is {}, and it is {}",
                    found.join(", "),
                    host.address
                ),
                "see /etc/hosts, and what /etc/resolv.conf leads to: another zone of this name answers",
            )
        }
        Err(reason) => Finding::broken(
            SUBJECT,
            format!("{name} is in the zone, and this host's resolver does not find it: {reason}"),
            "have the host ask the VPC's resolver (/etc/resolv.conf; enableDnsSupport and enableDnsHostnames of the VPC), \
             and associate the VPC with the zone",
        ),
    }
}
