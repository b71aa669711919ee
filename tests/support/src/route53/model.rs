//! What the model of a zone, the embedded one, would answer as Route 53, in XML.

use ecssd::zone::Zone;
use ecssd::zone::embedded::EmbeddedZone;
use futures_util::FutureExt;

use super::wire::{self, Asked, Form, Reply};

/// The id that its zone has.
pub const ID: &str = "Z1";

/// What it answers to a question about its records; refusals in this form.
pub fn reply(zone: &EmbeddedZone, asked: &Asked, form: Form) -> Reply {
    let told = match asked {
        Asked::Change(batch) => {
            let told = zone.change(batch).now_or_never().unwrap();
            told.map(|info| wire::accepted("ChangeResourceRecordSetsResponse", &info))
        }
        Asked::List { start, items } => {
            let told = zone.list(start.as_ref(), *items).now_or_never().unwrap();
            told.map(|page| wire::page(&page, *items))
        }
        Asked::Status(id) => {
            let told = zone.change_status(id).now_or_never().unwrap();
            told.map(|info| wire::accepted("GetChangeResponse", &info))
        }
    };
    told.unwrap_or_else(|error| wire::zone_error(&error, form))
}
