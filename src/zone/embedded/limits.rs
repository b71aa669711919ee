//! The figures of a Route 53 hosted zone, each with its source.
//!
//! They are quotas and API limits as the vendor publishes them; quotas that an account can have raised
//! are kept at their default, so that what passes here passes there.

use std::time::Duration;

/// `ResourceRecord` elements (values) in one batch; those of an UPSERT count twice.
/// Source: Route 53 developer guide, "Quotas", ChangeResourceRecordSets.
pub const BATCH_RECORDS_MAX: usize = 1_000;

/// Characters of all values in one batch; those of an UPSERT count twice. Source: as above.
pub const BATCH_VALUE_CHARS_MAX: usize = 32_000;

/// Values in one record set. Source: Route 53 developer guide, "Quotas".
pub const SET_VALUES_MAX: usize = 400;

/// Weighted (or multivalue) record sets under one name and type. Source: as above.
pub const GROUP_SETS_MAX: usize = 100;

/// Record sets in one hosted zone, its SOA and NS among them (assumed). Source: as above.
pub const ZONE_SETS_MAX: usize = 10_000;

/// Characters of a set identifier. Source: API reference, ResourceRecordSet.
pub const SET_IDENTIFIER_CHARS_MAX: usize = 128;

/// The largest weight of a weighted set. Source: as above.
pub const WEIGHT_MAX: i64 = 255;

/// The largest TTL, in seconds. Source: as above; RFC 2181, section 8.
pub const TTL_SECONDS_MAX: i64 = 2_147_483_647;

/// Octets of one label. Source: RFC 1035, section 2.3.4.
pub const LABEL_OCTETS_MAX: usize = 63;

/// Octets of a name on the wire, length octets and the root included. Source: as above.
pub const NAME_OCTETS_MAX: usize = 255;

/// Octets of one character string in a TXT value. Source: RFC 1035, section 3.3.14.
pub const TXT_STRING_OCTETS_MAX: usize = 255;

/// Octets of all character strings in one TXT value.
/// Source: Route 53 developer guide, "Supported DNS record types", TXT.
pub const TXT_VALUE_OCTETS_MAX: usize = 4_000;

/// Accepted changes whose status is remembered. The vendor keeps them for 30 days; here the oldest is
/// forgotten, so that memory stays bounded.
pub const CHANGES_REMEMBERED_MAX: usize = 1_000;

/// How long one batch keeps the zone busy, apart from its changes (assumed: the vendor publishes none).
pub const SERVICE_TIME_BASE: Duration = Duration::from_millis(150);

/// What each change of a batch adds to [`SERVICE_TIME_BASE`] (assumed).
pub const SERVICE_TIME_PER_CHANGE: Duration = Duration::from_micros(500);
