//! One host: the agent's writer over the agent's own client, and whoever carries calls between them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use ecssd::change::pacing::Pace;
use ecssd::clock::Clock;
use ecssd::journal::{MemoryJournal, SharedJournal};
use ecssd::moment::Moment;
use ecssd::reconcile::ledger::{Note, Parked};
use ecssd::reconcile::writer::{Answer, Call, News, Next, Settings, Writer};
use ecssd::record::{Key, Owner, RecordSet, RecordType, Registrant, Routing};
use ecssd::zone::ZoneError;
use ecssd::zone::route53::Route53Zone;
use ecssd_testing::route53::endpoint::Endpoint;
use tokio::time::Instant;

pub const ZONE: &str = "sd.internal";
/// How often the own names are read.
pub const RESYNC: Duration = Duration::from_secs(1_800);

/// Who the host is.
pub fn registrant() -> Registrant {
    Registrant {
        owner: Owner::new("i-0abc").unwrap(),
        zone: ZONE.into(),
        address: Ipv4Addr::new(10, 0, 0, 7),
    }
}

/// The record of the n-th container, reached at a port; 50 containers share a name, and every other name is multivalue.
pub fn own(n: usize, port: u16) -> RecordSet {
    RecordSet {
        name: format!("_s{}._tcp.{ZONE}", n / 50),
        kind: RecordType::Srv,
        set_identifier: Some(format!("i-0abc:{n:064x}:80")),
        routing: if (n / 50).is_multiple_of(2) { Routing::Weighted(1) } else { Routing::Multivalue },
        ttl: 0,
        values: vec![format!("1 1 {port} i-0abc.{ZONE}")],
    }
}

/// What a step of a host was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Called,
    Until(Moment),
    Nothing,
}

pub struct Host {
    pub endpoint: Endpoint,
    pub writer: Writer,
    pub wanted: BTreeMap<Key, RecordSet>,
    pub news: Vec<News>,
    /// From when until when no call may go.
    pub promises: Vec<(Instant, Instant)>,
    zone: Route53Zone,
    clock: Clock,
    journal: SharedJournal,
    answered: Option<(Call, Answer)>,
}

impl Host {
    /// A host whose journal is whole and empty.
    pub fn new(endpoint: &Endpoint) -> Self {
        Self::with(endpoint, SharedJournal::new(Box::<MemoryJournal>::default(), true))
    }

    /// A host that starts with what its journal remembers, and was told of nothing yet.
    pub fn with(endpoint: &Endpoint, journal: SharedJournal) -> Self {
        Self {
            endpoint: endpoint.clone(),
            writer: writer(&journal),
            wanted: BTreeMap::new(),
            news: Vec::new(),
            promises: Vec::new(),
            zone: endpoint.zone(),
            clock: Clock::start(),
            journal,
            answered: None,
        }
    }

    /// The process ends at once, whatever it was about, and another starts from the journal.
    pub fn restart(&mut self) {
        self.writer = writer(&self.journal);
        self.answered = None;
        self.promises.clear();
        self.clock = Clock::start();
        let wanted: Vec<_> = self.wanted.values().cloned().collect();
        self.writer.want(&[], &wanted);
        self.told_all();
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// All that is wanted was said.
    pub fn told_all(&mut self) {
        self.writer.told_all();
        let news = self.writer.judged_found();
        self.news.extend(news);
    }

    pub fn want(&mut self, set: RecordSet) {
        let old: Vec<_> = self.wanted.insert(set.key(), set.clone()).into_iter().collect();
        self.writer.want(&old, &[set]);
    }

    pub fn unwant(&mut self, key: &Key) {
        let old: Vec<_> = self.wanted.remove(key).into_iter().collect();
        self.writer.want(&old, &[]);
    }

    /// Withdraws everything, within 25 s.
    pub fn drain(&mut self) {
        self.wanted.clear();
        self.promises.clear();
        let now = self.now();
        self.writer.drain(now, now + Duration::from_secs(25));
    }

    /// The next thing, if it may be done now.
    pub async fn step(&mut self) -> Step {
        if self.deliver() {
            return Step::Called;
        }
        match self.writer.next(self.now()) {
            Next::Call(call) => {
                let answer = call.make(&self.zone).await;
                self.take(call, answer);
                Step::Called
            }
            Next::At(at) => {
                assert!(at > self.now(), "a writer that waits for the past never rests");
                Step::Until(at)
            }
            Next::Nothing => Step::Nothing,
        }
    }

    /// The next thing, after at most a minute's wait.
    pub async fn next_step(&mut self) {
        if let Step::Until(at) = self.step().await {
            self.sleep_until(at.min(self.now() + Duration::from_secs(60))).await;
            self.step().await;
        }
    }

    /// Makes the next call, if it may go now, and keeps the answer back.
    pub async fn call_without_taking(&mut self) -> Option<Call> {
        self.deliver();
        let Next::Call(call) = self.writer.next(self.now()) else { return None };
        let answer = call.make(&self.zone).await;
        self.answered = Some((call.clone(), answer));
        Some(call)
    }

    /// The next call is meant, and not made.
    pub fn intend_only(&mut self) {
        let next = self.writer.next(self.clock.now());
        assert!(matches!(next, Next::Call(_)), "{next:?}");
    }

    /// Takes an answer that was kept back.
    pub fn deliver(&mut self) -> bool {
        let answered = self.answered.take();
        answered.map(|(call, answer)| self.take(call, answer)).is_some()
    }

    fn take(&mut self, call: Call, answer: Answer) {
        let throttled = match &answer {
            Answer::Changed(answer) => matches!(answer, Err(ZoneError::Throttled(_))),
            Answer::Listed(answer) => matches!(answer, Err(ZoneError::Throttled(_))),
            Answer::Status(answer) => matches!(answer, Err(ZoneError::Throttled(_))),
        };
        let news = self.writer.on_answer(call, answer, self.clock.now());
        let found = news.iter().any(|news| matches!(news, News::Found(_)));
        self.news.extend(news);
        if found {
            self.told_all();
        }
        if throttled {
            self.note_promise();
        }
    }

    /// Right after throttling, the writer says when a new record could go: what waits for others to gather,
    /// or for a read, waits no longer than the throttling lasts.
    fn note_promise(&mut self) {
        if self.wanted.is_empty() {
            return;
        }
        let now = self.now();
        let probe = RecordSet { values: vec!["1 1 9 probe.sd.internal".into()], ..own(9_999, 9) };
        self.writer.want(&[], std::slice::from_ref(&probe));
        if let Next::At(at) = self.writer.next(now)
            && at > now + Pace::ROUTE53.gap
        {
            self.promises.push((Instant::now(), Instant::now() + (at - now)));
        }
        self.writer.want(&[probe], &[]);
    }

    /// Goes on for so long.
    pub async fn pass(&mut self, time: Duration) {
        let until = self.now() + time;
        while self.now() < until {
            match self.step().await {
                Step::Called => {}
                Step::Until(at) => self.sleep_until(at.min(until)).await,
                Step::Nothing => self.sleep_until(until).await,
            }
        }
    }

    /// Goes on until all is as wanted.
    pub async fn settle(&mut self) {
        for _ in 0..3_000 {
            if self.writer.progress(self.now()).is_as_desired() {
                return;
            }
            match self.step().await {
                Step::Called => {}
                Step::Until(at) => self.sleep_until(at).await,
                Step::Nothing => panic!("nothing to do, and not settled"),
            }
        }
        let left: Vec<_> = self.writer.unsettled().iter().map(ToString::to_string).collect();
        panic!("does not settle: {left:?}");
    }

    async fn sleep_until(&self, at: Moment) {
        tokio::time::sleep(self.clock.until(at)).await;
    }

    /// What stands in the zone under the host's mark.
    pub fn own_sets(&self) -> BTreeMap<Key, RecordSet> {
        let registrant = registrant();
        let own = self.endpoint.sets().into_iter().filter(|set| registrant.owns(set));
        own.map(|set| (set.key(), set)).collect()
    }

    /// Everybody else's.
    pub fn foreign_sets(&self) -> Vec<RecordSet> {
        let registrant = registrant();
        self.endpoint.model().snapshot().into_iter().filter(|set| !registrant.owns(set)).collect()
    }

    /// The zone holds what is wanted, each once, and the host's address where it ever served.
    pub fn check_converged(&self) {
        let host = registrant().host_record();
        let plain = |set: &RecordSet| RecordSet { ttl: 0, ..set.clone() };
        let mut stands: BTreeMap<_, _> =
            self.own_sets().into_iter().map(|(key, set)| (key, plain(&set))).collect();
        let address = stands.remove(&host.key());
        assert!(
            address == Some(plain(&host)) || address.is_none() && self.wanted.is_empty(),
            "the host's address is {address:?}"
        );
        let wanted: BTreeMap<_, _> = self.wanted.iter().map(|(key, set)| (key.clone(), plain(set))).collect();
        assert_eq!(stands, wanted, "the zone is not what is wanted");
    }

    /// What was refused, and why.
    pub fn parked(&self) -> Vec<(&Key, &Parked)> {
        self.news
            .iter()
            .filter_map(|news| match news {
                News::Note(Note::Parked(change, parked)) => {
                    let key = self.wanted.get_key_value(&change.set.key()).map(|(key, _)| key)?;
                    Some((key, parked))
                }
                _ => None,
            })
            .collect()
    }
}

fn writer(journal: &SharedJournal) -> Writer {
    Writer::new(Settings {
        registrant: registrant(),
        pace: Pace::ROUTE53,
        resync: RESYNC,
        journal: Some(journal.clone()),
        read_first: false,
        read_after: Duration::ZERO,
        dry_run: false,
        seed: 7,
    })
}
