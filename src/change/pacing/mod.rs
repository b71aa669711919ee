//! When the next call may go.
//!
//! Owns the rate of calls and changes, the gaps that let changes gather, and the waits after a refusal.
//! What goes into a call is the [ledger](crate::reconcile::ledger)'s; time and randomness come in as arguments.

mod bucket;
mod pace;
mod waits;

pub use self::bucket::Bucket;
pub use self::pace::{Pace, Rate};
use self::waits::Waits;
use crate::moment::Moment;
use crate::zone::ZoneError;

/// What a call is for: from that follows how long it waits for others to go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It reads: nothing goes with it.
    Read,
    /// It takes something out of DNS, among other changes: they gather for [`Pace::withdraw_gap`].
    Withdraw,
    /// It writes, and takes nothing out: changes gather for [`Pace::gap`].
    Write,
}

/// A call that wrote something.
#[derive(Clone, Copy, Debug)]
struct Write {
    sent: Moment,
    answered: Moment,
}

/// The pace of one writer.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    requests: Bucket,
    changes: Option<Bucket>,
    waits: Waits,
    /// When the last call went out.
    sent: Moment,
    last_write: Option<Write>,
    not_before: Moment,
}

impl Pacer {
    /// A pacer that has been quiet.
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            requests: Bucket::new(pace.requests),
            changes: pace.changes.map(Bucket::new),
            waits: Waits::default(),
            sent: Moment::START,
            last_write: None,
            not_before: Moment::START,
        }
    }

    /// How many hosts share the account's rate, where that is known. A hint: without it, nothing fails.
    pub fn set_hosts(&mut self, hosts: Option<u32>) {
        self.waits.set_hosts(hosts);
    }

    /// How many hosts share the account's rate, where that is known.
    pub fn hosts(&self) -> Option<u32> {
        self.waits.hosts()
    }

    /// What waits to be written now costs so much.
    pub fn set_backlog(&mut self, now: Moment, cost: usize) {
        self.waits.set_backlog(now, cost);
    }

    /// From now on everything has to be over by `deadline`: a wait that was longer is cut short.
    pub fn drain(&mut self, now: Moment, deadline: Moment) {
        self.not_before = self.not_before.min(now + self.waits.drain(now, deadline));
    }

    /// Blocks calls until `at` and empties the buckets: whoever called before has used these tokens.
    pub fn hold_until(&mut self, at: Moment) {
        self.not_before = self.not_before.max(at);
        std::iter::once(&mut self.requests)
            .chain(&mut self.changes)
            .for_each(|bucket| bucket.empty_until(at));
    }

    /// The earliest moment at which a call with this change cost may go.
    pub fn ready_at(&self, now: Moment, cost: usize, purpose: Purpose) -> Moment {
        let gathered = match (purpose, self.last_write) {
            (Purpose::Withdraw, Some(last)) => last.sent + self.pace.withdraw_gap,
            (Purpose::Write, Some(last)) => last.answered + self.pace.gap,
            (Purpose::Read, _) | (_, None) => now,
        };
        let afforded = self.changes.as_ref().map_or(now, |changes| changes.ready_at(now, cost as f64));
        now.max(self.not_before).max(gathered).max(self.requests.ready_at(now, 1.0)).max(afforded)
    }

    /// A call goes out now.
    pub fn on_call(&mut self, now: Moment, cost: usize) {
        self.sent = now;
        self.requests.spend(now, 1.0);
        if let Some(changes) = &mut self.changes {
            changes.spend(now, cost as f64);
        }
    }

    /// A call that reads was answered. `random` is uniform in 0..1.
    pub fn on_read(&mut self, now: Moment, answer: Result<(), &ZoneError>, random: f64) {
        self.wait(now, answer, random);
    }

    /// A call that writes was answered. `random` is uniform in 0..1.
    pub fn on_answer(&mut self, now: Moment, answer: Result<(), &ZoneError>, random: f64) {
        if answer.is_ok() {
            self.last_write = Some(Write { sent: self.sent, answered: now });
            self.waits.on_success(now, now - self.sent);
        }
        self.wait(now, answer, random);
    }

    fn wait(&mut self, now: Moment, answer: Result<(), &ZoneError>, random: f64) {
        self.not_before = now + self.waits.after(answer, &self.pace, now, random);
    }
}

#[cfg(test)]
mod tests;
