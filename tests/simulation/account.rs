//! The registry: one zone, one account with its limits, one change in flight, and what goes wrong with a call.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use ecssd::moment::Moment;
use ecssd::record::{Action, Change, ContainerId, Key, RecordSet, RecordType, Routing, Srv};
use ecssd::zone::embedded::EmbeddedZone;
use ecssd::zone::refusal::Refusal;
use ecssd::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};
use futures_util::FutureExt;

use super::agent::Agent;
use super::disk::HERE;
use super::host::owner;
use super::mutant::Mutant;
use super::scenario::{CallFault, Point};
use super::truth::ZONE;
use super::world::{State, World};

/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Account {
    pub zone: EmbeddedZone,
    pub legacy: bool,
    pub down_until: Moment,
    pub noisy_until: Moment,
    busy_until: Moment,
    pub poisoned: Vec<ContainerId>,
    pub denied: Vec<String>,
    /// What others than our hosts put there, as it has to stay.
    pub foreign: BTreeMap<Key, RecordSet>,
}

impl Account {
    pub fn new(zone: EmbeddedZone, legacy: bool, off_ec2: bool) -> Self {
        let mut account = Self {
            zone,
            legacy,
            down_until: Moment::START,
            noisy_until: Moment::START,
            busy_until: Moment::START,
            poisoned: Vec::new(),
            denied: Vec::new(),
            foreign: BTreeMap::new(),
        };
        for set in neighbours(off_ec2) {
            account.foreign.insert(set.key(), set.clone());
            let planted = account.zone.change(&[Change { action: Action::Create, set }]).now_or_never();
            assert!(matches!(planted, Some(Ok(_))), "a neighbour's record is not taken");
        }
        account
    }

    /// What stands, by key, with names in one spelling.
    pub fn standing(&self) -> BTreeMap<Key, RecordSet> {
        self.zone.snapshot().into_iter().map(RecordSet::canonical).map(|set| (set.key(), set)).collect()
    }
}

/// Records of others whose marks look like ours: of a host that is in no run, of the predecessor, of nobody.
fn neighbours(off_ec2: bool) -> Vec<RecordSet> {
    let owner = |index| owner(index, off_ec2);
    let marked = |mark: String, port: u16| RecordSet {
        name: format!("_s0._tcp.{ZONE}"),
        kind: RecordType::Srv,
        set_identifier: Some(mark),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![format!("1 1 {port} elsewhere.{ZONE}")],
    };
    vec![
        marked(format!("{}:{:064x}:80", owner(9), 1), 1),
        marked(format!("{}:{:064x}", owner(0), 1), 2),
        marked(format!("{}.example:80", owner(0)), 3),
    ]
}

/// What a call comes to.
enum Fate {
    Answer(Result<(), ZoneError>),
    /// It is applied after this time, and answered, or not heard of, after that.
    Apply {
        after: Duration,
        answered: Duration,
        heard: bool,
    },
    Lost,
}

#[async_trait]
impl Zone for Agent {
    fn name(&self) -> &str {
        ZONE
    }

    fn id(&self) -> &str {
        HERE
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        let mut batch = batch.to_vec();
        let mutant = self.world.lock().mutant;
        if let Some(answer) = self.mutate(mutant, &mut batch) {
            return answer;
        }
        if mutant == Mutant::DoesNotWait && self.world.lock().hosts[self.host].draining.is_some() {
            let agent = self.clone();
            tokio::spawn(async move { agent.ask(batch).await });
            return Ok(self.world.lock().made_up());
        }
        if mutant == Mutant::HasNoPatience {
            for _ in 0..60 {
                match self.ask(batch.clone()).await {
                    Err(ZoneError::Throttled(_)) => {}
                    answer => return answer,
                }
            }
        }
        let answer = self.ask(batch.clone()).await;
        match (mutant, &answer) {
            (Mutant::TakesBatchesApart, Err(ZoneError::Throttled(_) | ZoneError::Busy(_)))
                if batch.len() > 1 =>
            {
                return self.one_by_one(&batch).await;
            }
            (Mutant::RepeatsOldCalls, Ok(_)) => self.repeat_later(batch),
            (Mutant::GivesUp, Err(ZoneError::Throttled(_) | ZoneError::Busy(_))) => {
                return Ok(self.world.lock().made_up());
            }
            _ => {}
        }
        answer
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.world.lock().court_lists_zone(self.host, self.life, max_items);
        self.page(start, max_items).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        let mut state = self.step_or_never(Point::Call).await;
        state.court_reads(self.host);
        let zone = state.account.zone.clone();
        let answer = zone.change_status(id).now_or_never().expect("a zone in memory answers at once");
        if state.mutant == Mutant::HearsOfNoSpread {
            return answer.map(|info| ChangeInfo { status: ecssd::zone::ChangeStatus::Pending, ..info });
        }
        answer
    }
}

impl Agent {
    /// A page of the zone, as the registry gives it.
    pub async fn page(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        let fate = {
            let mut state = self.step_or_never(Point::Call).await;
            state.count("list of records");
            let from = start.and_then(|start| start.name.clone()).unwrap_or_default();
            state.tell(self.host, format_args!("  reads {max_items} from {from}"));
            state.court_reads(self.host);
            state.fate(self.host, &[])
        };
        let page = |state: &mut State| {
            let zone = state.account.zone.clone();
            zone.list(start, max_items).now_or_never().expect("a zone in memory answers at once")
        };
        let page = match fate {
            Fate::Answer(answer) => {
                tokio::time::sleep(Duration::from_millis(30)).await;
                answer.and_then(|()| Err(ZoneError::Unknown("cut".to_owned())))
            }
            Fate::Apply { after, answered, heard: true } => {
                tokio::time::sleep(after).await;
                let page = page(&mut *self.step_or_never(Point::Call).await);
                tokio::time::sleep(answered.saturating_sub(after)).await;
                page
            }
            Fate::Apply { .. } | Fate::Lost => {
                tokio::time::sleep(PATIENCE).await;
                Err(ZoneError::Unknown("no answer in time".to_owned()))
            }
        };
        let mut state = self.step_or_never(Point::Answer).await;
        if let Ok(page) = &page {
            state.court_read(self.host, &page.sets);
            if state.mutant == Mutant::SeesNoStrangeContent {
                let sets = page.sets.iter().map(|set| state.court.as_written(self.host, set)).collect();
                return Ok(Page { sets, next: page.next.clone() });
            }
        }
        if let Err(error) = &page {
            state.court_not_read(self.host, error);
        }
        page
    }

    /// One call, as the registry sees it.
    pub async fn ask(&self, batch: Vec<Change>) -> Result<ChangeInfo, ZoneError> {
        self.ask_for(None, batch).await
    }

    /// The same for an owner that the host was before.
    pub async fn ask_for(&self, former: Option<&str>, batch: Vec<Change>) -> Result<ChangeInfo, ZoneError> {
        let fate = {
            let mut state = self.step_or_never(Point::Call).await;
            state.count("change call");
            state.tell_batch(self.host, &batch);
            match former {
                Some(owner) => state.court_asks_for_former(self.host, self.life, owner, &batch),
                None => state.court_asks(self.host, self.life, &batch),
            }
            state.fate(self.host, &batch)
        };
        let unheard = || Err(ZoneError::Unknown("connection reset by peer".to_owned()));
        let answer = match fate {
            Fate::Answer(answer) => {
                tokio::time::sleep(Duration::from_millis(30)).await;
                match answer {
                    Ok(()) => unheard(),
                    Err(error) => Err(error),
                }
            }
            Fate::Lost => {
                tokio::time::sleep(PATIENCE).await;
                Err(ZoneError::Unknown("no answer in time".to_owned()))
            }
            Fate::Apply { after, answered, heard } => {
                // It is on its way: whatever becomes of the one who sent it, it arrives.
                let late = !heard;
                let (world, host, batch) = (self.world.clone(), self.host, batch);
                let applied = tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    world.lock().apply(host, &batch, late)
                });
                if heard {
                    let answer = applied.await.unwrap_or_else(|_| unheard());
                    tokio::time::sleep(answered.saturating_sub(after)).await;
                    answer
                } else {
                    tokio::time::sleep(answered).await;
                    unheard()
                }
            }
        };
        let mut state = self.step_or_never(Point::Answer).await;
        if former.is_none() {
            state.court_answered(self.host, answer.as_ref().map(|_| ()));
        }
        let said = answer.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned());
        state.tell(self.host, format_args!("  answered: {said}"));
        answer
    }
}

impl State {
    /// What becomes of a call of this host that comes now.
    fn fate(&mut self, host: usize, batch: &[Change]) -> Fate {
        let (now, mutant) = (self.now, self.mutant);
        let of = &mut self.hosts[host];
        if of.credentials.read != of.credentials.taken {
            // A client that is refused is made anew, and reads what lies ready.
            if mutant != Mutant::KeepsItsCredential {
                of.credentials.read = of.credentials.ready;
            }
            self.count("credential has ended");
            return Fate::Answer(Err(ZoneError::Unauthenticated("ExpiredToken".into())));
        }
        let scripted = of
            .calls
            .pop_front()
            .or_else(|| of.outage.filter(|(until, _)| now < *until).map(|(_, fault)| fault));
        let usual = Duration::from_millis(of.rng.u64(15..90));
        if let Some(fault) = scripted {
            self.count(fault.kind());
        }
        let said = |error| Fate::Answer(Err(error));
        match scripted {
            Some(CallFault::Throttled) => said(ZoneError::Throttled("Rate exceeded".to_owned())),
            Some(CallFault::Busy) => said(ZoneError::Busy("a prior request".to_owned())),
            Some(CallFault::Failed) => said(ZoneError::Unknown("500 InternalFailure".to_owned())),
            Some(CallFault::NoCredentials) => said(ZoneError::Unauthenticated("ExpiredToken".into())),
            Some(CallFault::Denied) => said(ZoneError::Denied("not authorized".to_owned())),
            Some(CallFault::CutBefore) => Fate::Answer(Ok(())),
            Some(CallFault::CutAfter) => Fate::Apply { after: usual, answered: usual * 2, heard: false },
            Some(CallFault::Late { ms }) => {
                let after = Duration::from_millis(ms.into());
                Fate::Apply { after, answered: PATIENCE.min(usual), heard: false }
            }
            Some(CallFault::Slow { ms }) => {
                let after = Duration::from_millis(ms.into());
                Fate::Apply { after: usual, answered: usual + after, heard: true }
            }
            None if now < self.account.down_until => {
                self.count("registry down");
                Fate::Lost
            }
            None if batch.is_empty() => Fate::Apply { after: usual, answered: usual * 2, heard: true },
            None => {
                if let Some(error) = self.refusal(host, batch) {
                    return said(error);
                }
                Fate::Apply { after: usual, answered: usual * 2, heard: true }
            }
        }
    }

    /// Why the registry does not take this batch, whatever its zone says.
    fn refusal(&mut self, host: usize, batch: &[Change]) -> Option<ZoneError> {
        let now = self.now;
        if now < self.account.noisy_until && self.hosts[host].rng.u8(..4) > 0 {
            self.count("account used up");
            return Some(ZoneError::Throttled("Rate exceeded".to_owned()));
        }
        let denied = |change: &Change| self.account.denied.contains(&change.set.key().name);
        if batch.iter().any(denied) {
            self.count("denied name");
            return Some(ZoneError::Denied("not authorized to perform: route53:Change…".to_owned()));
        }
        let poisoned = |change: &&Change| {
            let mark = change.set.set_identifier.as_deref().unwrap_or_default();
            change.action != Action::Delete
                && self.account.poisoned.iter().any(|id| mark.split(':').nth(1) == Some(&id.to_string()))
        };
        if batch.iter().find(poisoned).is_some() {
            self.count("refused record");
            return Some(ZoneError::Rejected(vec![Refusal::unnamed("A record is not permitted")]));
        }
        if now < self.account.busy_until {
            self.count("busy");
            return Some(ZoneError::Busy("a prior request".to_owned()));
        }
        let changes = u32::try_from(batch.len()).expect("a batch has a thousand changes");
        self.account.busy_until = now + Duration::from_millis(50) + Duration::from_micros(500) * changes;
        None
    }

    /// A batch arrives at the zone.
    fn apply(&mut self, host: usize, batch: &[Change], late: bool) -> Result<ChangeInfo, ZoneError> {
        let before = self.account.standing();
        let zone = self.account.zone.clone();
        let answer = zone.change(batch).now_or_never().expect("a zone in memory answers at once");
        match &answer {
            Ok(_) => {
                self.count("batch applied");
                if late {
                    self.tell(host, format_args!("  applied, and nobody hears of it"));
                }
                self.court_applied(host, batch, &before, late);
            }
            Err(ZoneError::Throttled(_)) => self.count("account used up"),
            Err(_) => {}
        }
        answer
    }

    /// An answer that the registry never gave.
    pub fn made_up(&self) -> ChangeInfo {
        ChangeInfo { id: "C0".to_owned(), status: ecssd::zone::ChangeStatus::Pending }
    }

    fn tell_batch(&mut self, host: usize, batch: &[Change]) {
        for change in batch {
            let mark = change.set.set_identifier.as_deref().unwrap_or_default();
            let (values, weight) = (change.set.values.join(","), change.set.weight().unwrap_or(-1));
            let name = &change.set.name;
            self.tell(host, format_args!("  {} {name} {values} w{weight} {mark}", change.action));
        }
    }

    /// Somebody edits, or deletes, a record of a container.
    pub fn edit_by_hand(&mut self, host: usize, id: Option<ContainerId>, delete: bool) {
        let Some(id) = id else { return };
        let of_it = |set: &RecordSet| {
            set.set_identifier.as_deref().and_then(|mark| mark.split(':').nth(1)) == Some(&id.to_string())
        };
        let Some(set) = self.account.standing().into_values().find(of_it) else { return };
        let key = set.key();
        let edited = match set.routing {
            Routing::Multivalue => {
                let values = set.srv_values().map(|srv| Srv { port: 9, ..srv }.to_string()).collect();
                RecordSet { values, ..set.clone() }
            }
            _ => RecordSet { routing: Routing::Weighted(77), ..set.clone() },
        };
        let change = match delete {
            true => Change { action: Action::Delete, set },
            false => Change { action: Action::Upsert, set: edited },
        };
        let zone = self.account.zone.clone();
        if matches!(zone.change(&[change]).now_or_never(), Some(Ok(_))) {
            self.tell(
                host,
                format_args!(
                    "by hand: a record of {} is {}",
                    id.short(),
                    if delete { "deleted" } else { "edited" }
                ),
            );
            self.court_edited(host, key);
        }
    }
}

impl World {
    /// Asks again for what was done long ago: what a retry below the agent's own would do.
    pub async fn repeat(self, agent: Agent, batch: Vec<Change>, wait: Duration) {
        tokio::time::sleep(wait).await;
        let created: Vec<_> = batch
            .into_iter()
            .filter(|change| change.action != Action::Delete && change.set.kind == RecordType::Srv)
            .map(|change| Change { action: Action::Upsert, ..change })
            .collect();
        if !created.is_empty() {
            let _ = agent.ask(created).await;
        }
    }
}
