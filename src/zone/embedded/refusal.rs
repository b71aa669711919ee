//! What the registry says when it refuses a change: the vendor's own words.
//!
//! The writer understands a refusal by its text, so the texts are part of the model. Each was seen in a
//! public thread, which is named; the few that were not are marked (assumed). How the texts of several
//! failing changes are put together is `ZoneError`'s business.

use super::limits::{BATCH_RECORDS_MAX, BATCH_VALUE_CHARS_MAX, SET_VALUES_MAX};
use super::name::OwnerName;
use crate::record::{Action, Change, RecordSet, RecordType};

/// Seen in kubernetes-sigs/external-dns#2537, DNSControl/dnscontrol#1114.
pub(super) fn too_many_records() -> String {
    format!("Number of records limit of {BATCH_RECORDS_MAX} exceeded.")
}

/// Seen in kubernetes-sigs/external-dns#515, DNSControl/dnscontrol#908.
pub(super) fn too_many_characters() -> String {
    format!("RDATA character limit of {BATCH_VALUE_CHARS_MAX} exceeded.")
}

/// Seen in barnybug/cli53#81, where one name came twice in a batch.
pub(super) fn key_twice(name: &OwnerName, kind: RecordType) -> String {
    format!("The request contains an invalid set of changes for a resource record set '{kind} {name}'")
}

/// Seen in meltwater/terraform-aws-asg-dns-handler#38.
pub(super) fn outside(name: &OwnerName, zone: &OwnerName) -> String {
    format!("RRSet with DNS name {name} is not permitted in zone {zone}")
}

/// Seen in kubernetes-sigs/external-dns#5939; with an identifier in barnybug/cli53#317.
pub(super) fn exists(name: &OwnerName, set: &RecordSet) -> String {
    format!("Tried to create resource record set {} but it already exists", key(name, set))
}

/// Seen in barnybug/cli53#70, boto/boto#2887.
pub(super) fn not_found(name: &OwnerName, set: &RecordSet) -> String {
    format!("Tried to delete resource record set {} but it was not found", key(name, set))
}

/// Seen in kubernetes-sigs/external-dns#732.
pub(super) fn values_differ(name: &OwnerName, set: &RecordSet) -> String {
    format!(
        "Tried to delete resource record set {} but the values provided do not match the current values",
        key(name, set)
    )
}

/// Seen in kubernetes-sigs/external-dns#6019.
pub(super) fn value_twice(value: &str) -> String {
    format!("Duplicate Resource Record: '{value}'")
}

/// Seen in rancher/rancher#10253, when the limit was 100.
pub(super) fn too_many_values() -> String {
    format!("Cannot have more than {SET_VALUES_MAX} records in a RRSet.")
}

/// Seen in aws/aws-sdk-go-v2#518.
pub(super) fn ttl_differs(name: &OwnerName, set: &RecordSet) -> String {
    format!(
        "RRSet with DNS name {name} and type {}, SetIdentifier {} cannot be created as weighted sets must contain the same TTL.",
        set.kind,
        identifier(set)
    )
}

/// For weighted sets seen in kubernetes-sigs/external-dns#1411; for multivalue sets (assumed).
pub(super) fn other_policy(name: &OwnerName, set: &RecordSet) -> String {
    let policy = if set.multivalue { "multivalue answer" } else { "weighted" };
    format!(
        "RRSet with DNS name {name}, type {}, SetIdentifier {} cannot be created as a non-{policy} set exists with the same name and type.",
        set.kind,
        identifier(set)
    )
}

/// Seen in chef-boneyard/route53#100: a simple set beside sets with identifiers.
pub(super) fn others_exist(name: &OwnerName, set: &RecordSet) -> String {
    format!(
        "RRSet with DNS name {name}, type {} cannot be created as other RRSets exist with the same name and type.",
        set.kind
    )
}

/// For weighted sets seen in airbnb/zonify#16; for multivalue sets (assumed).
pub(super) fn group_full(name: &OwnerName, set: &RecordSet) -> String {
    let policy = if set.multivalue { "multivalue answer" } else { "weighted" };
    format!("Exceeded limit on number of {policy} RRSets for {name}, type {} in this zone.", set.kind)
}

/// Seen in DNSControl/dnscontrol#908.
pub(super) fn zone_full(zone: &OwnerName) -> String {
    format!("Exceeded limit MAX_RRSETS_BY_ZONE for zone: {zone}")
}

/// Seen in stackoverflow.com/questions/20215729.
pub(super) fn cname_at_apex(name: &OwnerName, zone: &OwnerName) -> String {
    format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}")
}

/// Seen in aws/aws-sdk-java#1996.
pub(super) fn cname_beside_others(name: &OwnerName, zone: &OwnerName) -> String {
    format!(
        "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone {zone}"
    )
}

/// Seen in boto/boto3#1475, hashicorp/terraform#9732; the two blanks are the vendor's.
pub(super) fn beside_cname(name: &OwnerName, kind: RecordType, zone: &OwnerName) -> String {
    format!(
        "RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone {zone}"
    )
}

/// Seen in DNSControl/dnscontrol#4402.
pub(super) fn soa_missing() -> String {
    "A HostedZone must contain exactly one SOA record.".to_owned()
}

/// Seen in airbnb/zonify#1.
pub(super) fn ns_missing() -> String {
    "A HostedZone must contain at least one NS record for the zone itself.".to_owned()
}

/// An SOA away from the apex, or an SOA or apex NS that is not a simple set (assumed).
pub(super) fn apex_only_simple(name: &OwnerName, kind: RecordType, zone: &OwnerName) -> String {
    format!("RRSet of type {kind} with DNS name {name} is not permitted in zone {zone}")
}

/// `InvalidInput`; seen in ansible-collections/community.aws#615.
pub(super) fn identifier_missing(change: &Change) -> String {
    format!("Invalid request: Missing field 'SetIdentifier' in {}", change_with(change))
}

/// `InvalidInput`; the shape was seen for other fields, the list of policies is assumed.
pub(super) fn one_policy(change: &Change, found: &str) -> String {
    format!(
        "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, or MultiValueAnswer], but found {found} in {}",
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

fn key(name: &OwnerName, set: &RecordSet) -> String {
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
