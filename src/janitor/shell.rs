//! One run from a shell: a table or JSON on standard output, and an exit code.

use std::io::Write as _;
use std::sync::Arc;

use super::clients::{Clients, OpenError, open};
use super::run::run;
use super::settings::Settings;
use super::table::table;
use crate::clock::Clock;
use crate::zone::Zone;

/// What was asked for is not to be had (`EX_UNAVAILABLE`).
pub(crate) const UNAVAILABLE: u8 = 69;
/// Nothing could be judged, or something is left: run it again (`EX_TEMPFAIL`).
pub(crate) const LEFT_BEHIND: u8 = 75;

/// The zone of a run, for what is done to itself; an exit code, where it cannot be had.
///
/// # Errors
/// The exit code.
pub async fn zone(settings: &Settings) -> Result<Arc<dyn Zone>, u8> {
    clients(settings).await.map(|clients| clients.zone)
}

pub(super) async fn clients(settings: &Settings) -> Result<Clients, u8> {
    open(settings, Clock::start(), |name| std::env::var(name).ok()).await.map_err(|error| match error {
        OpenError::CrowdedOut => {
            tracing::error!(event = "janitor_crowded_out", "{error}");
            LEFT_BEHIND
        }
        error => {
            tracing::error!(event = "janitor_cannot_read", "nothing was read: {error}");
            UNAVAILABLE
        }
    })
}

/// Makes one run.
pub async fn sweep(settings: &Settings) -> u8 {
    let clients = match clients(settings).await {
        Ok(clients) => clients,
        Err(exit_code) => return exit_code,
    };
    tracing::info!(
        event = "janitor_started",
        zone = clients.zone.name(),
        apply = settings.options.apply,
        "reading the zone, ECS and EC2 twice, a minute apart"
    );
    let (report, summary) = run(&settings.options, &clients).await;
    let text = match settings.json {
        true => serde_json::to_string_pretty(&summary).unwrap_or_else(|error| error.to_string()) + "\n",
        false => table(&report, &summary, &settings.command(clients.zone.name())),
    };
    // Whoever reads no more of a plan has seen enough of it.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if summary.is_done() { 0 } else { LEFT_BEHIND }
}
