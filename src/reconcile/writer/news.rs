//! What a writer has to tell, as log lines.

use std::collections::BTreeSet;

use super::{Early, Writer};
use crate::moment::Moment;
use crate::reconcile::ledger::Note;
use crate::record::{Change, Key, RecordSet};
use crate::zone::ZoneError;

/// What came out of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// What an answer did.
    Note(Note),
    /// The zone was read before anything was written: it holds this of ours.
    Known(Vec<RecordSet>),
    /// The zone was read after writing had begun: it holds this beside what was written since. What of it
    /// nobody wants is deleted at [`Writer::judged_found`].
    Found(Vec<RecordSet>),
    /// Own records were not as they had been written, and are mended.
    Mended(BTreeSet<Key>),
    /// Somebody else's address stands under this host's name: nothing new is registered.
    Contested(RecordSet),
    /// This host's name is its own again.
    Uncontested,
    /// A full name has more copies than Route 53 answers with; said once, until it has fewer.
    Crowded {
        /// The name.
        name: String,
        /// How many it has.
        copies: usize,
    },
    /// The zone does not do what it is asked; said once for each kind of failure in a row.
    Failing(ZoneError),
    /// The zone answers again.
    Recovered,
    /// A container ended before its withdrawal was everywhere.
    Early(Early),
    /// Changes may not be asked after.
    Unconfirmable(ZoneError),
}

impl Writer {
    /// Logs what came out of an answer.
    pub fn log(&self, news: &News, now: Moment) {
        let host = &self.settings.registrant;
        match news {
            News::Note(note) => self.log_note(note, now),
            News::Known(own) | News::Found(own) => {
                tracing::info!(event = "zone_read", zone = host.zone, own = own.len(), "zone read");
            }
            News::Mended(keys) => {
                for key in keys {
                    tracing::warn!(event = "record_mended", record = %key, "the record was changed by another hand, or its container is gone: mending it");
                }
            }
            News::Contested(set) => tracing::error!(
                event = "host_name_taken",
                host = host.host_name(),
                record = %set,
                "somebody else's address stands under this host's name: nothing new is registered; pass \
                 another --hostname, or remove it, which is noticed within a minute"
            ),
            News::Uncontested => {
                tracing::info!(event = "host_name_free", "this host's name is its own again: registering")
            }
            News::Crowded { name, copies } => tracing::warn!(
                event = "full_name_crowded",
                name,
                copies,
                "Route 53 answers with 8 copies of this name at most, chosen at random: clients that need all see others \
                 at each question"
            ),
            News::Failing(ZoneError::Denied(reason)) => tracing::error!(
                event = "zone_denied",
                reason,
                "the registry denies a call; what waits is kept: allow this host's role that action"
            ),
            News::Failing(error) => {
                tracing::warn!(event = "zone_failing", %error, "a call to the zone failed: what waits is kept, and sent again");
            }
            News::Unconfirmable(error) => {
                tracing::warn!(event = "changes_unconfirmable", %error, "the zone does not say whether a change has reached every name server: allow this host's role route53:GetChange")
            }
            News::Early(early) => log_early(early),
            News::Recovered => tracing::info!(event = "zone_answers", "the zone answers again"),
        }
    }

    fn log_note(&self, note: &Note, now: Moment) {
        match note {
            Note::Done(Change { action, set }) => {
                let (record, value) = (set.key().name, set.values.join(", "));
                let id = set.set_identifier.as_deref().unwrap_or_default();
                let did = if self.settings.dry_run { "planned, not written" } else { "written" };
                tracing::info!(event = "written", %action, record, kind = %set.kind, value, weight = set.weight(), id, "{did}");
            }
            Note::Parked(change, parked) => {
                let again = (parked.until - now).as_secs();
                let reason = &parked.reason;
                if change.set.key() == self.settings.registrant.host_record().key() {
                    tracing::error!(
                        event = "host_record_refused",
                        %change,
                        reason,
                        "this host's address is refused, and without it no service is registered: pass another \
                         --hostname, or remove what stands under this name; tried again in {again} s"
                    );
                } else {
                    tracing::error!(event = "change_refused", %change, reason, "the zone refused the change: tried again in {again} s, others go on");
                }
            }
            Note::AlreadyGone(key) => {
                tracing::warn!(event = "already_gone", record = %key, "the record was gone already: another hand deleted it")
            }
        }
    }
}

fn log_early(early: &Early) {
    let Early { container, name, services, served, missing } = early;
    let services = services.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let seconds = missing.at_most.unwrap_or(missing.at_least).as_secs();
    tracing::warn!(
        event = "ended_before_spread",
        container = container.short(),
        name,
        services,
        served = served.as_secs(),
        seconds,
        at_least = missing.at_least.as_secs(),
        in_sync = missing.at_most.is_some(),
        "ended before every name server had heard of its withdrawal: clients were sent to it for so many seconds more; let \
         it serve on for longer after its stop signal, and give it the time to (stopTimeout)"
    );
}
