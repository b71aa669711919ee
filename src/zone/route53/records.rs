//! Record sets and changes in the SDK's types and in ours.
//!
//! What a set is not allowed to be is for the registry to say.

use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types as sdk;

use super::bare_id;
use crate::record::{Action, Change, RecordSet, Routing};
use crate::zone::{ChangeInfo, ChangeStatus, ZoneError};

/// The batch in the SDK's types.
///
/// # Errors
/// [`ZoneError::Invalid`] where the SDK misses a part; nothing was sent.
pub(super) fn change_batch(batch: &[Change]) -> Result<sdk::ChangeBatch, ZoneError> {
    let changes: Result<Vec<_>, BuildError> = batch.iter().map(sdk_change).collect();
    let built = changes.and_then(|changes| sdk::ChangeBatch::builder().set_changes(Some(changes)).build());
    built.map_err(|error| ZoneError::Invalid(error.to_string()))
}

fn sdk_change(change: &Change) -> Result<sdk::Change, BuildError> {
    let action = match change.action {
        Action::Create => sdk::ChangeAction::Create,
        Action::Delete => sdk::ChangeAction::Delete,
        Action::Upsert => sdk::ChangeAction::Upsert,
    };
    let set = sdk_set(&change.set)?;
    sdk::Change::builder().action(action).resource_record_set(set).build()
}

fn sdk_set(set: &RecordSet) -> Result<sdk::ResourceRecordSet, BuildError> {
    let value = |value: &String| sdk::ResourceRecord::builder().value(value).build();
    let values: Result<Vec<_>, _> = set.values.iter().map(value).collect();
    sdk::ResourceRecordSet::builder()
        .name(&set.name)
        .r#type(set.kind.as_str().into())
        .set_set_identifier(set.set_identifier.clone())
        .set_weight(set.weight())
        .set_multi_value_answer((set.routing == Routing::Multivalue).then_some(true))
        .ttl(set.ttl)
        .set_resource_records(Some(values?))
        .build()
}

/// A set of a list; `None` where its type is not one of ours.
///
/// An alias has neither TTL nor values: here it has TTL 0 and no values, which no other set has. A set whose
/// answers are chosen by latency, place or failover has an identifier and no weight.
pub(super) fn record_set(set: sdk::ResourceRecordSet) -> Option<RecordSet> {
    let kind = set.r#type.as_str().parse().ok()?;
    let set = RecordSet {
        name: set.name,
        kind,
        set_identifier: set.set_identifier,
        // The API lets no set have both.
        routing: Routing::of_members(set.weight, set.multi_value_answer == Some(true))
            .unwrap_or(Routing::Simple),
        ttl: set.ttl.unwrap_or(0),
        values: set.resource_records.unwrap_or_default().into_iter().map(|record| record.value).collect(),
    };
    Some(set.canonical())
}

/// What the registry says of a change.
///
/// # Errors
/// [`ZoneError::Unknown`] where it says nothing of it.
pub(super) fn change_info(info: Option<sdk::ChangeInfo>) -> Result<ChangeInfo, ZoneError> {
    // What an answer lacks, the SDK makes up: an id without characters is none.
    let info = info.filter(|info| !info.id.is_empty());
    let info = info.ok_or_else(|| ZoneError::Unknown("an answer without a change in it".to_owned()))?;
    let status = match info.status {
        sdk::ChangeStatus::Insync => ChangeStatus::InSync,
        _ => ChangeStatus::Pending,
    };
    Ok(ChangeInfo { id: bare_id(&info.id).to_owned(), status })
}
