//! All pages of the zone, at the janitor's own share of the account's rate.
//!
//! A page that is throttled or gets no answer is asked for again while there is time: it is the same page, and
//! the list began when it began. A run whose very first call is throttled twice leaves the account to others.

use std::time::Duration;

use super::Limit;
use crate::change::pacing::{Pace, Pacer};
use crate::janitor::evidence::Read;
use crate::janitor::time::Time;
use crate::moment::Moment;
use crate::record::RecordSet;
use crate::zone::{ListStart, PAGE_ITEMS_MAX, Page, Zone, ZoneError};

/// More pages than any zone has: a list that goes round ends here. A zone may have more than its 10,000
/// sets, but not so many more.
const PAGES_MAX: usize = 2_000;

/// Reads lists, and paces whatever is asked of the zone.
#[derive(Debug)]
pub struct List {
    /// For all calls to Route 53, those that write too.
    pub pacer: Pacer,
    /// How many lists were asked for.
    pub calls: usize,
    /// Whether the first call of the run was throttled twice: the account has no room for a janitor now.
    pub crowded_out: bool,
}

impl List {
    /// Nothing was asked yet.
    pub fn new(pace: Pace) -> Self {
        Self { pacer: Pacer::new(pace), calls: 0, crowded_out: false }
    }

    /// Reads the zone, as far as it can be read.
    pub(super) async fn read(&mut self, zone: &dyn Zone, limit: Limit<'_>, into: &mut Read<Vec<RecordSet>>) {
        let mut start: Option<ListStart> = None;
        for _ in 0..PAGES_MAX {
            let page = match self.page(zone, limit, start.as_ref()).await {
                Ok(page) => page,
                Err(error) => return into.missing.push(format!("the zone's list: {error}")),
            };
            into.what.extend(page.sets.into_iter().map(RecordSet::canonical));
            match page.next {
                Some(next) => start = Some(next),
                None => return,
            }
        }
        into.missing.push(format!("the zone's list: no end after {PAGES_MAX} pages"));
    }

    async fn page(
        &mut self,
        zone: &dyn Zone,
        limit: Limit<'_>,
        start: Option<&ListStart>,
    ) -> Result<Page, ZoneError> {
        let mut throttled = 0;
        loop {
            let answer = self.ask(zone, limit.time, start).await;
            match &answer {
                Err(ZoneError::Throttled(_)) => throttled += 1,
                Err(ZoneError::Unknown(_) | ZoneError::Busy(_)) => {}
                _ => return answer,
            }
            self.crowded_out = throttled == 2 && self.calls == 2;
            if self.crowded_out || self.pacer.ready_at(limit.time.now(), 0, true) >= limit.until {
                return answer;
            }
        }
    }

    async fn ask(
        &mut self,
        zone: &dyn Zone,
        time: &dyn Time,
        start: Option<&ListStart>,
    ) -> Result<Page, ZoneError> {
        wait_until(time, self.pacer.ready_at(time.now(), 0, true)).await;
        self.pacer.on_call(time.now(), 0);
        self.calls += 1;
        let answer = zone.list(start, PAGE_ITEMS_MAX).await;
        self.pacer.on_read(time.now(), answer.as_ref().map(|_| ()), fastrand::f64());
        answer
    }
}

/// Returns at `at`, or at once where that is over.
pub(in crate::janitor) async fn wait_until(time: &dyn Time, at: Moment) {
    let wait = at - time.now();
    if wait > Duration::ZERO {
        time.sleep(wait).await;
    }
}
