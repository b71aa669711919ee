//! How the predecessor writes: a call for each record, as its container comes or goes, and three more tries where it
//! fails; then the record is lost. It withdraws nothing before a container has ended, which is left out here.
//!
//! Its waits are those of the SDK that it was built with: full jitter over 0.5 s at first, doubling. Source: aws-sdk-go
//! v1, `aws/client/default_retryer.go`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::reconcile::writer::{Answer, Call, Next};
use ecssd::record::{Action, Change, ContainerId, RecordSet};

use super::inventory::Host;
use super::strategy::{Strategy, Told};

/// Tries after the first.
const TRIES_MORE: u32 = 3;
/// The first range of its waits.
const WAIT: Duration = Duration::from_millis(500);

pub struct Predecessor {
    host: RecordSet,
    wanted: BTreeMap<ContainerId, Vec<RecordSet>>,
    queue: VecDeque<Change>,
    tries: u32,
    is_calling: bool,
    not_before: Moment,
    rng: fastrand::Rng,
}

impl Predecessor {
    /// It remembers nothing; `written` stands in the zone, and its containers run.
    pub fn new(host: &Host, written: &[RecordSet], seed: u64) -> Self {
        let known = !written.is_empty();
        let wanted = if known { host.containers(0) } else { Vec::new() };
        let host = host.registrant.host_record();
        let create = Change { action: Action::Create, set: host.clone() };
        Self {
            host,
            wanted: wanted.into_iter().collect(),
            queue: if known { VecDeque::new() } else { [create].into() },
            tries: 0,
            is_calling: false,
            not_before: Moment::START,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    fn want(&mut self, id: ContainerId, records: Vec<RecordSet>) {
        let change = |action| move |set| Change { action, set };
        let old = self.wanted.remove(&id).unwrap_or_default();
        if old == records {
            self.wanted.insert(id, records);
            return;
        }
        self.queue.extend(old.into_iter().map(change(Action::Delete)));
        self.queue.extend(records.iter().cloned().map(change(Action::Create)));
        if !records.is_empty() {
            self.wanted.insert(id, records);
        }
    }

    fn over(&mut self) {
        self.queue.pop_front();
        self.tries = 0;
    }
}

impl Strategy for Predecessor {
    fn tell(&mut self, told: Told, _: Moment) {
        match told {
            Told::All(wants) => {
                let gone: Vec<_> = self
                    .wanted
                    .keys()
                    .filter(|id| !wants.iter().any(|(other, _)| other == *id))
                    .cloned()
                    .collect();
                gone.into_iter().for_each(|id| self.want(id, Vec::new()));
                wants.into_iter().for_each(|(id, records)| self.want(id, records));
            }
            Told::Want(id, records) => self.want(id, records),
            Told::Drain(_) => {
                let all: Vec<_> = self.wanted.keys().cloned().collect();
                all.into_iter().for_each(|id| self.want(id, Vec::new()));
            }
            // At each start it creates the address anew, which is refused.
            Told::Restarted => {
                self.is_calling = false;
                self.queue.push_front(Change { action: Action::Create, set: self.host.clone() });
            }
            Told::Ended(_) => {}
        }
    }

    fn next(&mut self, now: Moment) -> Next {
        match self.queue.front() {
            None => Next::Nothing,
            Some(_) if self.is_calling => Next::Nothing,
            Some(_) if self.not_before > now => Next::At(self.not_before),
            Some(change) => {
                self.is_calling = true;
                Next::Call(Call::Change(vec![change.clone()]))
            }
        }
    }

    fn on_answer(&mut self, _: Call, answer: Answer, now: Moment) {
        self.is_calling = false;
        let Answer::Changed(answer) = answer else { return };
        match answer {
            Err(error) if error.meaning() == ecssd::zone::Meaning::Later && self.tries < TRIES_MORE => {
                self.not_before = now + (WAIT * 2u32.pow(self.tries)).mul_f64(self.rng.f64());
                self.tries += 1;
            }
            Ok(_) | Err(_) => self.over(),
        }
    }
}
