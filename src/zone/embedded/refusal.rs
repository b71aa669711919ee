//! What the registry says when it refuses a change: the cause, and the vendor's own words.
//!
//! A refusal names of the record what the vendor's words name of it, and no more: the words are read back from
//! the real registry, and what they leave out has to be found there as well. Each text was seen in a public
//! thread, which is named; the few that were not are marked (assumed).

use super::limits::{BATCH_RECORDS_MAX, BATCH_VALUE_CHARS_MAX, SET_VALUES_MAX};
use super::name::OwnerName;
use crate::record::{Action, Change, RecordSet, RecordType, Routing, canonical};
use crate::zone::refusal::{Cause, Named, Refusal};

/// Seen in kubernetes-sigs/external-dns#2537, DNSControl/dnscontrol#1114.
pub(super) fn too_many_records() -> Refusal {
    Refusal::unnamed(format!("Number of records limit of {BATCH_RECORDS_MAX} exceeded."))
}

/// Seen in kubernetes-sigs/external-dns#515, DNSControl/dnscontrol#908.
pub(super) fn too_many_characters() -> Refusal {
    Refusal::unnamed(format!("RDATA character limit of {BATCH_VALUE_CHARS_MAX} exceeded."))
}

/// Seen in barnybug/cli53#81, where one name came twice in a batch.
pub(super) fn key_twice(name: &OwnerName, kind: RecordType) -> Refusal {
    let text =
        format!("The request contains an invalid set of changes for a resource record set '{kind} {name}'");
    Refusal { cause: Cause::Other, key: of_type(name, kind), text }
}

/// Seen in meltwater/terraform-aws-asg-dns-handler#38.
pub(super) fn outside(name: &OwnerName, zone: &OwnerName) -> Refusal {
    let text = format!("RRSet with DNS name {name} is not permitted in zone {zone}");
    Refusal { cause: Cause::Other, key: of_name(name), text }
}

/// Seen in kubernetes-sigs/external-dns#5939; with an identifier in barnybug/cli53#317.
pub(super) fn exists(name: &OwnerName, set: &RecordSet) -> Refusal {
    let text = format!("Tried to create resource record set {} but it already exists", brackets(name, set));
    Refusal { cause: Cause::AlreadyExists, key: key(name, set), text }
}

/// Seen in barnybug/cli53#70, boto/boto#2887.
pub(super) fn not_found(name: &OwnerName, set: &RecordSet) -> Refusal {
    let text = format!("Tried to delete resource record set {} but it was not found", brackets(name, set));
    Refusal { cause: Cause::NotFound, key: key(name, set), text }
}

/// Seen in kubernetes-sigs/external-dns#732.
pub(super) fn values_differ(name: &OwnerName, set: &RecordSet) -> Refusal {
    let text = format!(
        "Tried to delete resource record set {} but the values provided do not match the current values",
        brackets(name, set)
    );
    Refusal { cause: Cause::ValuesDiffer, key: key(name, set), text }
}

/// Seen in kubernetes-sigs/external-dns#6019.
pub(super) fn value_twice(value: &str) -> Refusal {
    Refusal::unnamed(format!("Duplicate Resource Record: '{value}'"))
}

/// Seen in rancher/rancher#10253, when the limit was 100.
pub(super) fn too_many_values() -> Refusal {
    Refusal::unnamed(format!("Cannot have more than {SET_VALUES_MAX} records in a RRSet."))
}

/// More than one in a multivalue set (assumed, in the manner of its refusal of an alias). Source of the rule: developer
/// guide, "Values specific for multivalue answer records".
pub(super) fn one_value() -> Refusal {
    Refusal::unnamed("Multivalue answer rrset should contain exactly one resource record.")
}

/// Seen in aws/aws-sdk-go-v2#518.
pub(super) fn ttl_differs(name: &OwnerName, set: &RecordSet) -> Refusal {
    let text = format!(
        "RRSet with DNS name {name} and type {}, SetIdentifier {} cannot be created as weighted sets must contain the same TTL.",
        set.kind,
        identifier(set)
    );
    Refusal { cause: Cause::TtlDiffers, key: key(name, set), text }
}

/// For weighted sets seen in kubernetes-sigs/external-dns#1411, for multivalue sets in cert-manager/cert-manager#5388.
pub(super) fn other_policy(name: &OwnerName, set: &RecordSet) -> Refusal {
    let other = match set.routing {
        Routing::Multivalue => "because a non multivalue answer rrset",
        Routing::Weighted(_) | Routing::Simple => "as a non-weighted set",
    };
    let text = format!(
        "RRSet with DNS name {name}, type {}, SetIdentifier {} cannot be created {other} exists with the same name and type.",
        set.kind,
        identifier(set)
    );
    Refusal { cause: Cause::Other, key: key(name, set), text }
}

/// Seen in chef-boneyard/route53#100: a simple set beside sets with identifiers.
pub(super) fn others_exist(name: &OwnerName, set: &RecordSet) -> Refusal {
    let text = format!(
        "RRSet with DNS name {name}, type {} cannot be created as other RRSets exist with the same name and type.",
        set.kind
    );
    Refusal { cause: Cause::Other, key: of_type(name, set.kind), text }
}

/// For weighted sets seen in airbnb/zonify#16; for multivalue sets (assumed).
pub(super) fn group_full(name: &OwnerName, set: &RecordSet) -> Refusal {
    let policy = match set.routing {
        Routing::Multivalue => "multivalue answer",
        Routing::Weighted(_) | Routing::Simple => "weighted",
    };
    let text =
        format!("Exceeded limit on number of {policy} RRSets for {name}, type {} in this zone.", set.kind);
    Refusal { cause: Cause::GroupFull, key: of_type(name, set.kind), text }
}

/// Seen in DNSControl/dnscontrol#908.
pub(super) fn zone_full(zone: &OwnerName) -> Refusal {
    let text = format!("Exceeded limit MAX_RRSETS_BY_ZONE for zone: {zone}");
    Refusal { cause: Cause::ZoneFull, key: Named::default(), text }
}

/// Seen in stackoverflow.com/questions/20215729.
pub(super) fn cname_at_apex(name: &OwnerName, zone: &OwnerName) -> Refusal {
    let text = format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}");
    Refusal { cause: Cause::Other, key: of_type(name, RecordType::Cname), text }
}

/// Seen in aws/aws-sdk-java#1996.
pub(super) fn cname_beside_others(name: &OwnerName, zone: &OwnerName) -> Refusal {
    let text = format!(
        "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone {zone}"
    );
    Refusal { cause: Cause::Other, key: of_type(name, RecordType::Cname), text }
}

/// Seen in boto/boto3#1475, hashicorp/terraform#9732; the two blanks are the vendor's.
pub(super) fn beside_cname(name: &OwnerName, kind: RecordType, zone: &OwnerName) -> Refusal {
    let text = format!(
        "RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone {zone}"
    );
    Refusal { cause: Cause::Other, key: of_type(name, kind), text }
}

/// Seen in DNSControl/dnscontrol#4402.
pub(super) fn soa_missing() -> Refusal {
    Refusal::unnamed("A HostedZone must contain exactly one SOA record.")
}

/// Seen in airbnb/zonify#1.
pub(super) fn ns_missing() -> Refusal {
    Refusal::unnamed("A HostedZone must contain at least one NS record for the zone itself.")
}

/// An SOA away from the apex, or an SOA or apex NS that is not a simple set (assumed).
pub(super) fn apex_only_simple(name: &OwnerName, kind: RecordType, zone: &OwnerName) -> Refusal {
    let text = format!("RRSet of type {kind} with DNS name {name} is not permitted in zone {zone}");
    Refusal { cause: Cause::Other, key: of_type(name, kind), text }
}

/// `InvalidInput`; seen in ansible-collections/community.aws#615.
pub(super) fn identifier_missing(change: &Change) -> String {
    format!("Invalid request: Missing field 'SetIdentifier' in {}", change_with(change))
}

/// `InvalidInput`; the shape was seen for other fields, the list of policies is assumed.
pub(super) fn policy_missing(change: &Change) -> String {
    format!(
        "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, or MultiValueAnswer], but found none in {}",
        change_with(change)
    )
}

/// `InvalidInput`; seen in ministryofjustice/modernisation-platform#10072.
pub(super) fn values_missing(change: &Change) -> String {
    format!(
        "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in {}",
        change_with(change)
    )
}

/// `InvalidInput`: a member of the request outside its range, in the manner of all of the vendor's APIs
/// (assumed for this one).
pub(super) fn constraint(value: &str, index: usize, member: &str, rule: &str) -> String {
    format!(
        "1 validation error detected: Value '{value}' at 'changeBatch.changes.{}.member.resourceRecordSet.{member}' failed to satisfy constraint: Member must have {rule}",
        index + 1
    )
}

/// Seen in pcorliss/ruby_route_53#34 and many others.
pub(super) const PRIOR_REQUEST: &str =
    "The request was rejected because Route 53 was still processing a prior request.";

/// Source: Route 53 developer guide, "Quotas": HTTP 400, code `Throttling`.
pub(super) const RATE_EXCEEDED: &str = "Rate exceeded";

fn of_name(name: &OwnerName) -> Named {
    Named { name: Some(canonical(name.as_str())), ..Named::default() }
}

fn of_type(name: &OwnerName, kind: RecordType) -> Named {
    Named { kind: Some(kind), ..of_name(name) }
}

fn key(name: &OwnerName, set: &RecordSet) -> Named {
    Named { set_identifier: set.set_identifier.clone(), ..of_type(name, set.kind) }
}

fn brackets(name: &OwnerName, set: &RecordSet) -> String {
    match &set.set_identifier {
        Some(id) => format!("[name='{name}', type='{}', set-identifier='{id}']", set.kind),
        None => format!("[name='{name}', type='{}']", set.kind),
    }
}

fn identifier(set: &RecordSet) -> &str {
    set.set_identifier.as_deref().unwrap_or("null")
}

fn change_with(change: &Change) -> String {
    let action: Action = change.action;
    let set = &change.set;
    format!(
        "Change with [Action={action}, Name={}, Type={}, SetIdentifier={}]",
        set.name,
        set.kind,
        identifier(set)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::embedded::testing::{multivalue, srv};
    use crate::zone::route53::refusal::read;

    /// What is understood here is understood of the real registry's words.
    #[test]
    fn each_refusal_is_what_is_read_from_its_text() {
        let name = |text| OwnerName::parse(text).unwrap();
        let (web, zone) = (name("web.sd.internal"), name("sd.internal"));
        let (weighted, several) = (srv("web", "i-0a:80", 1), multivalue("web", "m", "10.0.0.2"));
        let simple = RecordSet { set_identifier: None, routing: Routing::Simple, ..weighted.clone() };
        let refusals = [
            too_many_records(),
            too_many_characters(),
            key_twice(&web, RecordType::Srv),
            outside(&name("web.elsewhere"), &zone),
            exists(&web, &weighted),
            exists(&web, &simple),
            not_found(&web, &weighted),
            not_found(&web, &simple),
            values_differ(&web, &several),
            value_twice("10.0.0.1"),
            too_many_values(),
            one_value(),
            ttl_differs(&web, &weighted),
            other_policy(&web, &weighted),
            other_policy(&web, &several),
            others_exist(&web, &simple),
            group_full(&web, &weighted),
            group_full(&web, &several),
            zone_full(&zone),
            cname_at_apex(&zone, &zone),
            cname_beside_others(&web, &zone),
            beside_cname(&web, RecordType::Srv, &zone),
            soa_missing(),
            ns_missing(),
            apex_only_simple(&web, RecordType::Soa, &zone),
        ];
        for refusal in refusals {
            assert_eq!(read(refusal.text.clone()), refusal);
        }
    }
}
