//! The reads of a writer: when one is due, how far it has come, and what it makes of what is known.
//!
//! The whole zone is read where not everything is known that it can hold of ours, and the own names at every
//! resync. [`super::scan`] goes from page to page; what a finished read teaches is the
//! [ledger](crate::reconcile::ledger)'s.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Settings;
use super::scan::Scan;
use crate::backoff::Backoff;
use crate::moment::Moment;
use crate::reconcile::ledger::Ledger;
use crate::record::RecordSet;
use crate::zone::{ListStart, Meaning, Page, ZoneError};

/// How much a resync period varies, either way.
const RESYNC_JITTER: f64 = 0.2;
/// The share of a fleet's requests that its resyncs may take.
const RESYNC_SHARE: f64 = 0.05;
/// The longest period that the size of a fleet makes of it.
const FLEET_PERIOD_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How often a writer checks whether this host's name is its own again.
const CONTEST_PERIOD: Duration = Duration::from_secs(60);
/// The first and the longest wait after a read that was refused.
const READ_REFUSED: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// How much is known of what the zone holds of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// Too little to write: the zone is read first.
    TooLittle,
    /// Enough to write; the zone may hold more, and is read in the end.
    Partial,
    /// All of it.
    Whole,
}

/// The read that is under way.
#[derive(Debug)]
enum Stage {
    Idle,
    /// Whether its first page was asked for.
    Scanning(Box<Scan>, bool),
    /// The whole zone was read after writing had begun. It holds these, and what of them is wanted is to be told.
    Judging(Vec<RecordSet>),
}

/// When the own names are read again.
#[derive(Clone, Copy, Debug)]
enum Resync {
    Unplanned,
    At(Moment),
    /// Never: the writer drains.
    Over,
}

/// What reading does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Ask for the page that begins here.
    Page(Option<ListStart>),
    At(Moment),
    Nothing,
}

/// The reads of one writer.
#[derive(Debug)]
pub(super) struct Reads {
    knowledge: Knowledge,
    stage: Stage,
    resync: Resync,
    /// While somebody else's address stands under this host's name: when that is checked again.
    contest: Option<Moment>,
    /// No page is asked for before then.
    not_before: Moment,
    refused: Backoff,
}

impl Reads {
    /// Reads of a writer that knows so much, and asks for no page before then.
    pub(super) fn new(knowledge: Knowledge, not_before: Moment) -> Self {
        let (first, longest) = READ_REFUSED;
        Self {
            knowledge,
            stage: Stage::Idle,
            resync: Resync::Unplanned,
            contest: None,
            not_before,
            refused: Backoff::new(Duration::from_secs(1), first, longest),
        }
    }

    pub(super) fn knowledge(&self) -> Knowledge {
        self.knowledge
    }

    /// Whether all is known, and nothing is being read or judged.
    pub(super) fn are_over(&self) -> bool {
        self.knowledge == Knowledge::Whole && matches!(self.stage, Stage::Idle)
    }

    /// The next page, or when a read is due. Begins one that is due now.
    pub(super) fn next(
        &mut self,
        now: Moment,
        settings: &Settings,
        hosts: Option<u32>,
        ledger: &mut Ledger,
        rng: &mut fastrand::Rng,
    ) -> Due {
        if matches!(self.stage, Stage::Idle)
            && let Some(scan) = self.due(now, settings, hosts, ledger, rng)
        {
            self.stage = Stage::Scanning(Box::new(scan), false);
        }
        match &mut self.stage {
            Stage::Scanning(..) if self.not_before > now => Due::At(self.not_before),
            Stage::Scanning(scan, is_begun) => {
                // What is learnt while a read is put off is older than its first page.
                if !std::mem::replace(is_begun, true) {
                    ledger.begin_scan(now);
                }
                Due::Page(scan.start().cloned())
            }
            Stage::Idle | Stage::Judging(_) => self.due_at().map_or(Due::Nothing, Due::At),
        }
    }

    /// The answer to the page that was asked for. Where the list has no end, that is none, and the read begins anew.
    pub(super) fn checked(
        &mut self,
        answer: Result<Page, ZoneError>,
        now: Moment,
        random: impl FnOnce() -> f64,
    ) -> Result<Page, ZoneError> {
        let (Ok(page), Stage::Scanning(scan, is_begun)) = (&answer, &mut self.stage) else { return answer };
        let Err(endless) = scan.follow(page) else { return answer };
        (**scan, *is_begun) = (scan.anew(), false);
        self.not_before = now + self.refused.next(random());
        Err(ZoneError::Unknown(format!("reading the zone: {endless}")))
    }

    /// Takes a page, of which `keep` says what counts. Returns the read once it is complete.
    pub(super) fn on_page(
        &mut self,
        answer: Result<Page, ZoneError>,
        keep: impl Fn(&RecordSet) -> bool,
        now: Moment,
        random: impl FnOnce() -> f64,
    ) -> Option<Scan> {
        let Stage::Scanning(scan, _) = &mut self.stage else { return None };
        match answer {
            Ok(page) => {
                if !scan.on_page(page, keep) {
                    return None;
                }
                self.refused.reset();
                match std::mem::replace(&mut self.stage, Stage::Idle) {
                    Stage::Scanning(scan, _) => Some(*scan),
                    Stage::Idle | Stage::Judging(_) => None,
                }
            }
            // The read waits, and writing goes on.
            Err(error) if error.meaning() == Meaning::Refused => {
                self.not_before = now + self.refused.next(random());
                None
            }
            Err(_) => None,
        }
    }

    /// Whether what a read of the whole zone found is to be judged before it counts: nothing was written yet where the
    /// zone is read first, and nothing is wanted in a drain.
    pub(super) fn asks_for_judgement(&self) -> bool {
        self.knowledge == Knowledge::Partial && !matches!(self.resync, Resync::Over)
    }

    /// These were found, and are to be judged.
    pub(super) fn on_found(&mut self, found: Vec<RecordSet>) {
        self.stage = Stage::Judging(found);
    }

    /// What is to be judged.
    pub(super) fn found(&self) -> Option<&[RecordSet]> {
        match &self.stage {
            Stage::Judging(found) => Some(found),
            Stage::Idle | Stage::Scanning(..) => None,
        }
    }

    /// What was to be judged, which it is.
    pub(super) fn on_judged(&mut self) -> Option<Vec<RecordSet>> {
        let found = self.found()?.to_vec();
        self.stage = Stage::Idle;
        Some(found)
    }

    /// All is known from here on.
    pub(super) fn on_whole(&mut self) {
        self.knowledge = Knowledge::Whole;
    }

    /// Whether somebody else's address stands under this host's name. Returns whether that is new.
    pub(super) fn on_contested(&mut self, is_contested: bool) -> bool {
        let was_contested = self.contest.is_some();
        if was_contested != is_contested {
            self.contest = is_contested.then_some(Moment::START);
        }
        was_contested != is_contested
    }

    /// From here on nothing is read but what a drain has to know, and that at once.
    pub(super) fn drain(&mut self) {
        self.resync = Resync::Over;
        self.not_before = Moment::START;
        if self.knowledge == Knowledge::Whole {
            self.stage = Stage::Idle;
        }
    }

    fn due(
        &mut self,
        now: Moment,
        settings: &Settings,
        hosts: Option<u32>,
        ledger: &Ledger,
        rng: &mut fastrand::Rng,
    ) -> Option<Scan> {
        if self.knowledge != Knowledge::Whole {
            return Some(Scan::whole());
        }
        if matches!(self.resync, Resync::Over) {
            return None;
        }
        let host = settings.registrant.host_name();
        if let Some(contest) = self.contest.as_mut().filter(|at| **at <= now) {
            *contest = now + CONTEST_PERIOD.mul_f64(1.0 - RESYNC_JITTER * rng.f64());
            return Scan::of([host].into());
        }
        let mut names = BTreeSet::new();
        if let Resync::At(at) = self.resync {
            if at > now {
                return None;
            }
            names = ledger.names();
            if !names.is_empty() {
                names.insert(host);
            }
        }
        self.resync = Resync::At(now + period(settings, hosts, names.len().max(1), rng.f64()));
        Scan::of(names)
    }

    fn due_at(&self) -> Option<Moment> {
        match (self.knowledge, self.resync) {
            // Where all is known, the next resync is planned before anybody asks.
            (Knowledge::Whole, Resync::At(at)) => Some(self.contest.map_or(at, |contest| contest.min(at))),
            _ => None,
        }
    }
}

/// How long until the next resync of so many names: longer where a fleet would otherwise spend too much of
/// its rate on them.
fn period(settings: &Settings, hosts: Option<u32>, names: usize, random: f64) -> Duration {
    let rate = settings.pace.requests.per_second;
    let fleet = f64::from(hosts.unwrap_or(1)) * names as f64 / (RESYNC_SHARE * rate);
    // A hint may be wrong.
    let period = settings.resync.as_secs_f64().max(fleet.min(FLEET_PERIOD_MAX.as_secs_f64()));
    Duration::from_secs_f64(period * (1.0 + RESYNC_JITTER * (2.0 * random - 1.0)))
}

#[cfg(test)]
mod tests;
