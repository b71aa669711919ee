//! What each container wants written, what the Registrar hears of the zone, and what is said when all is done: the pure
//! twin of the actor of that name.
//!
//! Owns the wants by container, and who is told what of the [writer](super::writer)'s news. The writer says which call
//! comes next and what it amounts to; making it is the actor's.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::writer::{Answer, Call, Calls, News, Next, Settings, Snapshot, Writer};
use crate::machine::publish::Wants;
use crate::moment::Moment;
use crate::record::{ContainerId, Key, RecordSet};
use crate::zone::{ChangeStatus, Meaning};

/// What is planned for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which of the writers that the agent started this is: what is asked by one is not answered to the next.
    pub generation: u64,
    /// It makes no call before then.
    pub hold_until: Moment,
    /// Whether it says when everything is as it should be.
    pub once: bool,
    /// Whether a drain is over only when every name server answers so.
    pub confirm: bool,
}

/// What comes of what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// For the log.
    News(News),
    /// For the board: whether the zone does what it is asked.
    Zone(Result<(), String>),
    /// For the board: what there was at the start is written.
    Started,
    /// For the registrar: what the zone holds of this host, or is to hold.
    Known {
        /// The record sets.
        own: Vec<RecordSet>,
        /// Whether that is all, so that nothing is found later.
        is_all: bool,
    },
    /// For the registrar: what a read of the whole zone showed. The writer waits to hear what of it is wanted.
    Found {
        /// The record sets.
        own: Vec<RecordSet>,
        /// Who waits.
        generation: u64,
    },
    /// For the agent: a drain is done or out of time.
    Drained {
        /// The service records that may still be there.
        left: Vec<Key>,
        /// Whether the zone was read, so that nothing else is left.
        zone_read: bool,
        /// Whether every name server was seen to answer so.
        confirmed: bool,
    },
    /// For the agent: all that could be done is done, but for these.
    Reconciled(Vec<Key>),
}

/// Who is told when nothing is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nobody: more may be wanted at any time.
    None,
    /// The agent, once.
    Once,
    /// The agent: everything is withdrawn.
    Drained,
}

/// The writer of one host's records, between its containers and the zone.
#[derive(Debug)]
pub struct Route53Writer {
    plan: Plan,
    writer: Writer,
    /// By container, because a container's wants replace all that it wanted before; the ledger has them by key.
    wants: Wants,
    /// Whether what there was at the start is written.
    has_started: bool,
    end: End,
    /// Its calls, and when the next one is due: for whoever shows them.
    calls: Calls,
    next_at: Option<Moment>,
}

impl Route53Writer {
    /// One that knows what its journal does.
    pub fn new(settings: Settings, plan: Plan) -> Self {
        Self {
            writer: Writer::starting_at(settings, plan.hold_until),
            wants: Wants::new(),
            has_started: false,
            end: if plan.once { End::Once } else { End::None },
            calls: Calls::default(),
            next_at: None,
            plan,
        }
    }

    /// What is known now.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        self.writer.snapshot(now, self.next_at, self.calls.clone())
    }

    /// Logs what came out of an answer.
    pub fn log(&self, news: &News, now: Moment) {
        self.writer.log(news, now);
    }

    /// How many hosts share the account's rate, where that is known.
    pub fn set_hosts(&mut self, hosts: Option<u32>) {
        self.writer.set_hosts(hosts);
    }

    /// This container's record sets, in place of those it wanted before.
    pub fn want(&mut self, id: ContainerId, records: Vec<RecordSet>, now: Moment) {
        if self.is_draining() {
            return;
        }
        let old = self.wants.remove(&id).unwrap_or_default();
        self.calls.want(&old, &records, now);
        self.writer.want(&old, &records);
        self.writer.wanted([(&id, &*old, &*records)], now);
        if !records.is_empty() {
            self.wants.insert(id, records);
        }
    }

    /// All containers' record sets.
    pub fn want_all(&mut self, wants: Wants, now: Moment) {
        if self.is_draining() {
            return;
        }
        let before = std::mem::replace(&mut self.wants, wants);
        let all = |wants: &Wants| -> Vec<_> { wants.values().flatten().cloned().collect() };
        let (old, new) = (all(&before), all(&self.wants));
        self.calls.want(&old, &new, now);
        self.writer.want(&old, &new);
        let ids = before.keys().chain(self.wants.keys().filter(|id| !before.contains_key(*id)));
        let each = ids.map(|id| (id, of(&before, id), of(&self.wants, id)));
        self.writer.wanted(each, now);
        self.writer.told_all();
    }

    /// The host has this address from now on, and with it all these record sets are wanted.
    pub fn on_moved(&mut self, address: Ipv4Addr, wants: Option<Wants>, now: Moment) {
        self.writer.on_moved(address);
        if let Some(wants) = wants {
            self.want_all(wants, now);
        }
    }

    /// A container of this name that was asked to stop has ended.
    pub fn ended(&mut self, id: &ContainerId, name: String, now: Moment) {
        self.writer.ended(id, name, now);
    }

    /// All is wanted that is to be wanted of what was found by the writer of this generation. What another had found
    /// says nothing of what this one has.
    pub fn on_found_judged(&mut self, generation: u64) -> Vec<Output> {
        if generation != self.plan.generation {
            return Vec::new();
        }
        let news = self.writer.judged_found();
        self.outputs(news)
    }

    /// What a restarted Registrar is told is registered: every desired record, written or not, because it was proved
    /// before it was desired. Before the Registrar has told everything once, also whatever stands in the zone; after
    /// that, what is not desired is about to be deleted.
    pub fn introduce(&self) -> Vec<Output> {
        let mut outputs = Vec::new();
        if let Some(mut known) = self.writer.observed() {
            if self.writer.is_told() {
                known.clear();
            }
            let mut sets: BTreeMap<_, _> = known.into_iter().map(|set| (set.key(), set)).collect();
            sets.extend(self.wants.values().flatten().map(|set| (set.key(), set.clone())));
            let is_all = self.writer.knows_all();
            outputs.push(Output::Known { own: sets.into_values().collect(), is_all });
        }
        outputs.extend(self.writer.found().map(|own| self.found(own)));
        outputs
    }

    /// Nothing is wanted any more but the host's address; to be done by then.
    pub fn drain(&mut self, now: Moment, deadline: Moment) {
        self.end = End::Drained;
        let old: Vec<_> = std::mem::take(&mut self.wants).into_values().flatten().collect();
        self.calls.want(&old, &[], now);
        if self.plan.confirm {
            self.writer.confirm(now);
        }
        self.writer.drain(now, deadline);
    }

    /// How a drain stands.
    pub fn drained(&self) -> Output {
        let left = self.writer.unsettled().into_iter().filter(Key::is_of_service).collect();
        let confirmed = self.writer.confirmed() == Some(true);
        Output::Drained { left, zone_read: self.writer.knows_all(), confirmed }
    }

    /// What to do next. A call that is handed out is under way until its answer comes.
    pub fn next(&mut self, now: Moment) -> Next {
        let next = self.writer.next(now);
        self.next_at = if let Next::At(at) = &next { Some(*at) } else { None };
        if let Next::Call(call) = &next {
            self.calls.begin(call, now);
        }
        next
    }

    /// Takes the answer to the call that was under way.
    pub fn on_answer(&mut self, call: Call, answer: Answer, now: Moment) -> Vec<Output> {
        let wanted = self.calls.end(&call, &answer, now);
        let accepted = match &answer {
            Answer::Changed(Ok(info)) if info.status == ChangeStatus::Pending => Some(info.id.clone()),
            _ => None,
        };
        let news = self.writer.on_answer(call, answer, now);
        if let Some(id) = accepted {
            self.writer.sample(&id, wanted, now);
        }
        self.calls.retain(|| self.writer.unsettled());
        self.outputs(news)
    }

    /// What has been reached by now, each said once but for a drain's end: what was refused stays so for longer than a
    /// drain lasts.
    pub fn reached(&mut self, now: Moment) -> Vec<Output> {
        let progress = self.writer.progress(now);
        let news = self.writer.on_time(now);
        let mut outputs = self.outputs(news);
        if !self.has_started && progress.has_written() {
            self.has_started = true;
            outputs.push(Output::Started);
        }
        match self.end {
            End::Drained if progress.is_over() => outputs.push(self.drained()),
            End::Once if progress.is_over() => {
                self.end = End::None;
                outputs.push(Output::Reconciled(self.writer.unsettled().into_iter().collect()));
            }
            End::None | End::Once | End::Drained => {}
        }
        outputs
    }

    fn is_draining(&self) -> bool {
        self.end == End::Drained
    }

    fn found(&self, own: Vec<RecordSet>) -> Output {
        Output::Found { own, generation: self.plan.generation }
    }

    fn outputs(&self, news: impl IntoIterator<Item = News>) -> Vec<Output> {
        let mut outputs = Vec::new();
        for news in news {
            outputs.push(Output::News(news.clone()));
            outputs.extend(match news {
                News::Recovered => Some(Output::Zone(Ok(()))),
                // It answers, and wants to be asked less often: that is waited out.
                News::Failing(error) if error.meaning() == Meaning::Later => Some(Output::Zone(Ok(()))),
                News::Failing(error) => Some(Output::Zone(Err(error.to_string()))),
                News::Known(own) => Some(Output::Known { own, is_all: true }),
                News::Found(own) => Some(self.found(own)),
                News::Note(_)
                | News::Mended(_)
                | News::Contested(_)
                | News::Uncontested
                | News::Crowded { .. }
                | News::Early(_)
                | News::Unconfirmable(_) => None,
            });
        }
        outputs
    }
}

fn of<'a>(wants: &'a Wants, id: &ContainerId) -> &'a [RecordSet] {
    wants.get(id).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
