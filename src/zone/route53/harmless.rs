//! Calls that change nothing, and what they tell: what a role may do, and what the API's clock shows.

use std::time::{Duration, SystemTime};

use aws_sdk_route53::Client;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::fault::zone_error;
use crate::record::{Action, Change, RecordSet, RecordType, Routing};
use crate::zone::refusal::Cause;
use crate::zone::{Zone, ZoneError};

/// No change has this id: the vendor's are longer.
const NO_CHANGE: &str = "CDOCTOR";

/// Asks for a change that there is not: what came of it, and when the API answered by its own clock.
pub async fn ask_for_no_change(client: &Client) -> (Result<(), ZoneError>, Option<SystemTime>) {
    let Err(error) = client.get_change().id(NO_CHANGE).send().await else { return (Ok(()), None) };
    let date = error.raw_response().and_then(|response| response.headers().get("date"));
    let date = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok());
    let seconds = date.and_then(|date| u64::try_from(date.secs()).ok());
    let shown = seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    match zone_error(error) {
        ZoneError::NoSuchChange(_) => (Ok(()), shown),
        error => (Err(error), shown),
    }
}

/// Asks to delete a record that there is not: a role that may not is denied before anybody looks for it. Under `name`,
/// since a policy may be narrowed to names; else under one that nobody has.
///
/// # Errors
/// As the zone says it; not that there is no such record.
pub async fn delete_nothing(zone: &dyn Zone, name: Option<&str>) -> Result<(), ZoneError> {
    let label = format!("_doctor-{:016x}", fastrand::u64(..));
    let name = name.map_or_else(|| format!("{label}._tcp.{}", zone.name()), str::to_owned);
    let set = RecordSet {
        kind: RecordType::Srv,
        set_identifier: Some(label),
        routing: Routing::Weighted(0),
        ttl: 0,
        values: vec![format!("1 1 1 {name}")],
        name,
    };
    match zone.change(&[Change { action: Action::Delete, set }]).await {
        Ok(_) => Ok(()),
        Err(error) if error.refusals().iter().any(|refusal| refusal.cause == Cause::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}
