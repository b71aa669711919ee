//! The writer as it is: its ledger, pacing, waits and questions, on a host that has a journal.

use std::time::Duration;

use ecssd::change::pacing::Pace;
use ecssd::journal::{MemoryJournal, SharedJournal, State};
use ecssd::machine::publish::Wants;
use ecssd::moment::Moment;
use ecssd::reconcile::route53_writer::{Output, Plan, Route53Writer};
use ecssd::reconcile::writer::{Answer, Call, Next, Settings};
use ecssd::record::RecordSet;

use super::inventory::Host;
use super::strategy::{Strategy, Told};

/// As the agent has it unless it is told otherwise.
const RESYNC: Duration = Duration::from_secs(1_800);

/// The writer of one host.
pub struct Ours {
    writer: Route53Writer,
    settings: Settings,
    hint: Option<u32>,
}

const PLAN: Plan = Plan { generation: 0, hold_until: Moment::START, once: false, confirm: false };

impl Ours {
    pub fn new(host: &Host, pace: Pace, hint: Option<u32>, written: &[RecordSet], seed: u64) -> Self {
        let entries = written.iter().map(|set| (set.key(), State::Written(set.clone())));
        let settings = Settings {
            registrant: host.registrant.clone(),
            pace,
            resync: RESYNC,
            journal: Some(SharedJournal::new(Box::new(MemoryJournal::new(entries)), true)),
            read_first: false,
            read_after: Duration::ZERO,
            dry_run: false,
            seed,
        };
        Self { writer: Route53Writer::new(settings.clone(), PLAN), settings, hint }
    }
}

impl Strategy for Ours {
    fn tell(&mut self, told: Told, now: Moment) {
        match told {
            Told::All(wants) => self.writer.want_all(wants.into_iter().collect::<Wants>(), now),
            Told::Want(id, records) => self.writer.want(id, records, now),
            Told::Ended(id) => self.writer.ended(&id, id.short().to_owned(), now),
            Told::Drain(deadline) => self.writer.drain(now, deadline),
            Told::Restarted => {
                // Its journal is on the disk.
                self.settings.seed = self.settings.seed.wrapping_add(1);
                self.writer = Route53Writer::new(self.settings.clone(), PLAN);
            }
        }
    }

    fn next(&mut self, now: Moment) -> Next {
        self.writer.set_hosts(self.hint);
        let next = self.writer.next(now);
        let outputs = self.writer.reached(now);
        assert!(!outputs.iter().any(|output| matches!(output, Output::Found { .. })), "its journal is whole");
        next
    }

    fn on_answer(&mut self, call: Call, answer: Answer, now: Moment) {
        self.writer.on_answer(call, answer, now);
    }
}
