//! What a writer has to do with how far accepted changes have got: it says what is wanted of each container, and asks
//! after them where nothing else is to be done.

use std::collections::BTreeSet;

use super::{Call, Early, News, Next, Progress, Spread, Stops, Writer};
use crate::change::pacing::Purpose;
use crate::moment::Moment;
use crate::reconcile::ledger::Ledger;
use crate::record::{ContainerId, Key, RecordSet};
use crate::zone::{ChangeInfo, ZoneError};

impl Writer {
    /// Of which containers it was that sets of wants were replaced by others, now that they were: each with the old one
    /// and the new one.
    pub fn wanted<'a>(
        &mut self,
        all: impl IntoIterator<Item = (&'a ContainerId, &'a [RecordSet], &'a [RecordSet])>,
        now: Moment,
    ) {
        for (id, old, new) in all.into_iter().filter(|(_, old, new)| old != new) {
            self.propagation.want(id, old, new, now);
        }
        self.propagation.forget_old(now);
        self.forget_unsent();
    }

    /// A container of this name that was asked to stop has ended.
    pub fn ended(&mut self, id: &ContainerId, name: String, now: Moment) {
        self.propagation.end(id, name, now);
    }

    /// What was just accepted under this id has been wanted so since then: how long it takes may be told.
    pub fn sample(&mut self, id: &str, wanted: Vec<Moment>, now: Moment) {
        let rng = &mut self.rng;
        self.propagation.sample(id, wanted, now, || rng.f64());
    }

    /// What time tells of containers that ended.
    pub fn on_time(&mut self, now: Moment) -> Vec<News> {
        early(self.propagation.on_time(now))
    }

    /// What came of containers that were asked to stop.
    pub fn stops(&self) -> &Stops {
        self.propagation.stops()
    }

    /// How long it took from wanting a record, or no longer wanting it, until every name server answered so.
    pub fn in_sync_after(&self) -> &Spread {
        self.propagation.in_sync_after()
    }

    /// What is settled and was never deleted was not there.
    pub(super) fn forget_unsent(&mut self) {
        let (ledger, in_flight) = (&self.ledger, &self.in_flight);
        self.propagation.retain(|key| is_unsettled(ledger, in_flight.as_ref(), key));
    }

    pub(super) fn on_followed(
        &mut self,
        id: &str,
        answer: &Result<ChangeInfo, ZoneError>,
        now: Moment,
    ) -> Vec<News> {
        let (ended, denied) = self.propagation.on_status(id, answer, now);
        let mut news = early(ended);
        news.extend(denied.map(News::Unconfirmable));
        news
    }

    /// Asks after what was written, once nothing is left to write.
    pub(super) fn ask_after(&mut self, now: Moment) -> Next {
        match self.confirmation.next().filter(|_| self.progress(now) == Progress::Confirming) {
            Some((_, at)) if at > now => Next::At(at),
            Some((id, _)) => {
                let call = Call::Status(id.to_owned());
                self.send(now, call, 0, Purpose::Read)
            }
            None => Next::Nothing,
        }
    }

    /// Asks after what was accepted, where nothing else is to be done.
    pub(super) fn follow(&mut self, now: Moment) -> Next {
        self.propagation.set_pace(self.pacer.hosts(), self.settings.pace.requests.per_second);
        let id = match self.propagation.next() {
            None => return Next::Nothing,
            Some((Some(id), at)) if at <= now => id.to_owned(),
            Some((_, at)) => return Next::At(at),
        };
        let next = self.send(now, Call::Status(id.clone()), 0, Purpose::Read);
        if matches!(next, Next::Call(_)) {
            self.propagation.ask(&id, now);
        }
        next
    }
}

/// Whether a key is not as wanted, or may not be, for a call is under way.
fn is_unsettled(ledger: &Ledger, in_flight: Option<&BTreeSet<Key>>, key: &Key) -> bool {
    ledger.differs(key) || in_flight.is_some_and(|keys| keys.contains(key))
}

pub(super) fn early(ended: Vec<Early>) -> Vec<News> {
    ended.into_iter().map(News::Early).collect()
}
