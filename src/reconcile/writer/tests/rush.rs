//! What a rush costs: how often desired and observed of a key are compared, for each record that comes or goes.

use std::collections::VecDeque;

use super::*;
use crate::reconcile::ledger::COMPARED;
use crate::zone::{ChangeInfo, ChangeStatus};

/// How long a call takes.
const TOOK: Duration = Duration::from_millis(150);

/// A writer whose calls are all taken, but for those of the first seconds, which are throttled.
struct Rush {
    writer: Writer,
    now: Moment,
    throttled_until: Moment,
    in_flight: Option<(Call, Moment)>,
}

impl Rush {
    fn new() -> Self {
        let mut writer = Writer::new(settings(Some(journal(true)), false));
        writer.told_all();
        let now = Moment::after(Duration::from_secs(100));
        let throttled_until = now + Duration::from_secs(3);
        Self { writer, now, throttled_until, in_flight: None }
    }

    /// What an actor does with each message. Returns when there is something to do again.
    fn pump(&mut self) -> Option<Moment> {
        if let Some((call, at)) = self.in_flight.take() {
            if at > self.now {
                self.in_flight = Some((call, at));
            } else {
                let info = ChangeInfo { id: "C1".into(), status: ChangeStatus::InSync };
                let answer = match self.now < self.throttled_until {
                    true => Err(ZoneError::Throttled("Rate exceeded".into())),
                    false => Ok(info),
                };
                self.writer.on_answer(call, Answer::Changed(answer), self.now);
            }
        }
        let next = self.writer.next(self.now);
        self.writer.progress(self.now);
        match next {
            Next::Call(call) => self.in_flight = Some((call, self.now + TOOK)),
            Next::At(at) => return Some(at),
            Next::Nothing => {}
        }
        self.in_flight.as_ref().map(|(_, at)| *at)
    }

    /// One record after the other is wanted so, one each millisecond, and all is written. The next resync is not waited for.
    fn tell(&mut self, wants: impl Iterator<Item = (Vec<RecordSet>, Vec<RecordSet>)>) {
        let mut wants: VecDeque<_> = wants.collect();
        while !wants.is_empty() || self.writer.progress(self.now) != Progress::Settled {
            if let Some((old, new)) = wants.pop_front() {
                self.writer.want(&old, &new);
                self.pump();
                self.now += Duration::from_millis(1);
            } else if let Some(at) = self.pump()
                && self.writer.progress(self.now) != Progress::Settled
            {
                self.now = self.now.max(at);
            }
        }
    }
}

/// As many services, of 100 names.
fn services(count: u16) -> impl Iterator<Item = RecordSet> {
    (0..count).map(|n| RecordSet { name: format!("_s{}._tcp.sd.internal", n % 100), ..srv("i-0a", n) })
}

#[test]
fn a_record_costs_as_much_in_a_rush_of_ten_thousand_as_alone() {
    let of_each = |count: u16| {
        let mut rush = Rush::new();
        let before = COMPARED.get();
        rush.tell(services(count).map(|set| (vec![], vec![set])));
        rush.tell(services(count).map(|set| (vec![set], vec![])));
        (COMPARED.get() - before) as f64 / f64::from(2 * count)
    };
    let costs = [10, 100, 1_000, 10_000].map(of_each);
    assert!(costs.iter().all(|cost| *cost <= 12.0), "compared so often for each record: {costs:?}");
    assert!(costs[3] <= costs[1].max(costs[2]) * 1.25, "{costs:?}");
}
