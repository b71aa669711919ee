//! Lowering the SOA from a shell: what would be written on standard output, and an exit code.

use std::io::Write as _;

use super::plan;
use crate::janitor::shell::{LEFT_BEHIND, UNAVAILABLE};
use crate::record::Change;
use crate::zone::{PAGE_ITEMS_MAX, Zone, ZoneError};

/// Has resolvers remember for at most `seconds` that a name of the zone is not there; without `apply` only says so.
pub async fn lower(zone: &dyn Zone, seconds: u32, apply: bool) -> u8 {
    let changes = match planned(zone, seconds).await {
        Ok(changes) => changes,
        Err(reason) => {
            tracing::error!(event = "soa_not_read", zone = zone.name(), "the SOA was not read: {reason}");
            return UNAVAILABLE;
        }
    };
    let text = match &changes[..] {
        [] => {
            format!("nothing to do: that a name is not there is remembered for at most {seconds} s already\n")
        }
        changes => changes.iter().map(|change| format!("{change}\n")).collect(),
    };
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if changes.is_empty() || !apply {
        return 0;
    }
    match zone.change(&changes).await {
        Ok(_) => {
            tracing::info!(event = "soa_minimum_written", zone = zone.name(), seconds, "the SOA is lowered");
            0
        }
        Err(error @ (ZoneError::Denied(_) | ZoneError::Unauthenticated(_))) => {
            tracing::error!(event = "soa_not_lowered", zone = zone.name(), %error, "the SOA stays as it is");
            UNAVAILABLE
        }
        Err(error) => {
            tracing::error!(event = "soa_not_lowered", zone = zone.name(), %error, "the SOA may be as it was: run this again");
            LEFT_BEHIND
        }
    }
}

/// The apex comes first in every list, and fits in a page.
async fn planned(zone: &dyn Zone, seconds: u32) -> Result<Vec<Change>, String> {
    let page = zone.list(None, PAGE_ITEMS_MAX).await.map_err(|error| error.to_string())?;
    // A stack has its zone as it is told; here nobody asked for more than there is.
    if plan::remembered(&page.sets, zone.name())? <= i64::from(seconds) {
        return Ok(Vec::new());
    }
    plan::lower(&page.sets, zone.name(), seconds)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::record::{Action, RecordType};
    use crate::zone::embedded::{EmbeddedZone, Options};

    fn soa(zone: &EmbeddedZone) -> String {
        let sets = zone.snapshot();
        sets.into_iter().find(|set| set.kind == RecordType::Soa).expect("a zone has one").values.remove(0)
    }

    #[test]
    fn writes_what_it_says_only_where_it_is_told_to_and_once() {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let raised = zone.snapshot().into_iter().find(|set| set.kind == RecordType::Soa).unwrap();
        let value = "ns-1.awsdns-00.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
        let vendor = crate::record::RecordSet { ttl: 900, values: vec![value.to_owned()], ..raised };
        zone.change(&[Change { action: Action::Upsert, set: vendor }]).now_or_never().unwrap().unwrap();
        let lower = |apply| lower(&zone, 5, apply).now_or_never().unwrap();
        assert_eq!((lower(false), soa(&zone)), (0, value.to_owned()));
        assert_eq!((lower(true), soa(&zone).split(' ').next_back() == Some("5")), (0, true));
        let after = soa(&zone);
        assert_eq!((lower(true), soa(&zone)), (0, after.clone()));
        let raised = super::lower(&zone, 60, true).now_or_never().unwrap();
        assert_eq!((raised, soa(&zone)), (0, after), "nothing is raised");
    }
}
