//! `--forget` from a shell: what it shows on standard output, and an exit code.

use std::io::Write as _;

use super::text::Shown;
use super::{Forget, forget};
use crate::janitor::settings::Settings;
use crate::janitor::shell::{LEFT_BEHIND, clients};
use crate::janitor::sweep::Outcome;

/// Forgets hosts, or says what that would delete.
pub async fn run(settings: &Settings, hosts: &Forget) -> u8 {
    let clients = match clients(settings).await {
        Ok(clients) => clients,
        Err(exit_code) => return exit_code,
    };
    let forgotten = forget(hosts, &settings.options, &clients).await;
    for (key, outcome) in forgotten.outcomes.iter().flatten() {
        if *outcome == Outcome::Made {
            tracing::info!(event = "record_forgotten", record = %key, "deleted, by an operator's word that its host is dead");
        }
    }
    let shown = Shown::of(clients.zone.name(), hosts, &forgotten);
    let text = match settings.json {
        true => serde_json::to_string_pretty(&shown).unwrap_or_else(|error| error.to_string()) + "\n",
        false => shown.text(),
    };
    // Whoever reads no more of it has seen enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if shown.is_done() { 0 } else { LEFT_BEHIND }
}
