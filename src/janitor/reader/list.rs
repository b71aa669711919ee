//! All pages of the zone, at the janitor's own share of the account's rate.
//!
//! A page that is throttled or gets no answer is asked for again while there is time: it is the same page, and
//! the list began when it began. A run whose very first call is throttled twice leaves the account to others.

use std::time::Duration;

use super::Limit;
use crate::change::pacing::{Pace, Pacer, Purpose};
use crate::janitor::evidence::Read;
use crate::janitor::time::Time;
use crate::moment::Moment;
use crate::record::RecordSet;
use crate::zone::{Course, ListStart, PAGE_ITEMS_MAX, Page, Zone, ZoneError};

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
        let mut course = Course::default();
        loop {
            let page = match self.page(zone, limit, start.as_ref()).await {
                Ok(page) => page,
                Err(error) => return into.missing.push(format!("the zone's list: {error}")),
            };
            into.what.extend(page.sets.into_iter().map(RecordSet::canonical));
            let Some(next) = page.next else { return };
            if let Err(endless) = course.go_on(next.clone()) {
                return into.missing.push(format!("the zone's list: {endless}"));
            }
            start = Some(next);
        }
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
            if self.crowded_out || self.pacer.ready_at(limit.time.now(), 0, Purpose::Read) >= limit.until {
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
        wait_until(time, self.pacer.ready_at(time.now(), 0, Purpose::Read)).await;
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::Clock;
    use crate::record::Change;
    use crate::zone::ChangeInfo;

    /// So many pages of what others wrote, each throttled once; or one that leads to itself.
    #[derive(Debug)]
    struct Foreign {
        pages: Option<usize>,
        asked: Mutex<Vec<Option<ListStart>>>,
    }

    fn begins(page: usize) -> ListStart {
        ListStart {
            name: Some(format!("{page}.x")),
            kind: Some("PTR".to_owned().into()),
            set_identifier: None,
        }
    }

    #[async_trait::async_trait]
    impl Zone for Foreign {
        fn name(&self) -> &str {
            "sd.internal"
        }

        fn id(&self) -> &str {
            "Z1"
        }

        async fn change(&self, _: &[Change]) -> Result<ChangeInfo, ZoneError> {
            Err(ZoneError::Unknown("not here".into()))
        }

        async fn list(&self, start: Option<&ListStart>, _: usize) -> Result<Page, ZoneError> {
            let mut asked = self.asked.lock().unwrap();
            let is_new = asked.last().is_none_or(|last| last.as_ref() != start);
            asked.push(start.cloned());
            // The first call of all is not: there is room for a janitor.
            if is_new && asked.len() > 1 {
                return Err(ZoneError::Throttled("Rate exceeded".into()));
            }
            let next = match self.pages {
                Some(pages) => (1..pages).find(|page| start.is_none_or(|start| *start == begins(page - 1))),
                None => Some(0),
            };
            Ok(Page { sets: Vec::new(), next: next.map(begins) })
        }

        async fn change_status(&self, _: &str) -> Result<ChangeInfo, ZoneError> {
            Err(ZoneError::Unknown("not here".into()))
        }
    }

    async fn read(pages: Option<usize>) -> (Vec<String>, usize) {
        let zone = Foreign { pages, asked: Mutex::default() };
        let clock = Clock::start();
        let limit = Limit { time: &clock, until: clock.now() + Duration::from_secs(3_600) };
        let (mut list, mut into) = (List::new(Pace::ROUTE53), Read::default());
        list.read(&zone, limit, &mut into).await;
        assert_eq!(list.calls, zone.asked.lock().unwrap().len());
        (into.missing, list.calls)
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_wrote_is_read_over_and_a_list_that_goes_round_ends() {
        assert_eq!(read(Some(10)).await, (vec![], 19));
        let (missing, calls) = read(None).await;
        assert_eq!(
            (missing, calls),
            (vec!["the zone's list: the list goes round, after 2 pages".to_owned()], 3)
        );
    }
}
