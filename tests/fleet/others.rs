//! Who else calls in the account: two clients that have nothing to do with the fleet, its agents' questions to ECS, and
//! the janitor.
//!
//! The janitor is one that finds nothing dead: it lists the zone, waits a minute and lists it again, every five minutes,
//! at the pace and with the waits of the product. Its own questions to ECS are pages of 100.

use std::time::Duration;

use ecssd::change::pacing::{Pace, Pacer, Purpose};
use ecssd::moment::Moment;
use ecssd::reconcile::writer::{Answer, Call};
use ecssd::zone::ListStart;

/// How often the clients call.
pub const ELSEWHERE_EVERY: Duration = Duration::from_secs(1);
pub const ECS_CLIENT_EVERY: Duration = Duration::from_millis(200);
/// How often the janitor runs, and how far apart its two inspections are.
pub const JANITOR_EVERY: Duration = Duration::from_secs(300);
const APART: Duration = Duration::from_secs(60);

/// A client's calls: how many it made, and how many were answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Served {
    pub made: usize,
    pub answered: usize,
}

impl Served {
    pub fn add(&mut self, is_answered: bool) {
        self.made += 1;
        self.answered += usize::from(is_answered);
    }

    pub fn share(self) -> f64 {
        if self.made == 0 { 1.0 } else { self.answered as f64 / self.made as f64 }
    }
}

/// What the janitor does next.
#[derive(Clone, Debug)]
pub enum Step {
    Call(Call),
    /// Asks ECS for so many pages, and goes on at once.
    Ecs(usize),
    Wait(Moment),
    /// The run is over.
    Over,
}

/// One run after another.
#[derive(Debug)]
pub struct Janitor {
    pacer: Pacer,
    hosts: usize,
    page: Option<ListStart>,
    /// How many inspections are still to be made.
    inspections: usize,
    has_asked_ecs: bool,
    not_before: Moment,
}

impl Janitor {
    pub fn new(hosts: usize, pace: Pace) -> Self {
        let pacer = Pacer::new(pace);
        Self { pacer, hosts, page: None, inspections: 0, has_asked_ecs: false, not_before: Moment::START }
    }

    pub fn begin(&mut self) {
        self.inspections = 2;
    }

    pub fn next(&mut self, now: Moment) -> Step {
        if self.inspections == 0 {
            return Step::Over;
        }
        let at = self.pacer.ready_at(now, 0, Purpose::Read).max(self.not_before);
        if at > now {
            return Step::Wait(at);
        }
        if !std::mem::replace(&mut self.has_asked_ecs, true) {
            return Step::Ecs(self.hosts.div_ceil(100));
        }
        self.pacer.on_call(now, 0);
        Step::Call(Call::Read(self.page.clone()))
    }

    pub fn on_answer(&mut self, answer: Answer, now: Moment, random: f64) {
        let Answer::Listed(answer) = answer else { return };
        self.pacer.on_read(now, answer.as_ref().map(|_| ()), random);
        let Ok(page) = answer else { return };
        self.page = page.next;
        if self.page.is_none() {
            self.inspections -= 1;
            self.has_asked_ecs = false;
            self.not_before = now + APART;
        }
    }
}
