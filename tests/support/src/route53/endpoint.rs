//! Route 53's API in memory, as far as HTTP goes: what is asked is done to an embedded zone and answered in
//! the vendor's XML, or fails as it is told.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::{BehaviorVersion, Config, Region, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use ecssd::record::{Action, Change, Key, RecordSet};
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd::zone::refusal::Refusal;
use ecssd::zone::route53::Route53Zone;
use ecssd::zone::{Zone, ZoneError};
use futures_util::FutureExt;
use tokio::time::Instant;

use super::faults::{Act, Says, denial};
use super::model;
use super::wire::{self, Asked, Form, Reply};

/// One request, when it came, and what was answered; `None` where nothing was.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub asked: Asked,
    pub status: Option<u16>,
}

/// How a single change is refused, with all of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// `InvalidChangeBatch` that does not say which change it was.
    Batch,
    /// `InvalidInput`, which does not either.
    Input,
}

/// The service. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct Endpoint(Arc<Mutex<Service>>);

#[derive(Debug)]
struct Service {
    zone: EmbeddedZone,
    script: VecDeque<Act>,
    otherwise: Act,
    form: Form,
    denied: BTreeSet<String>,
    denies_questions: bool,
    poison: Option<(Key, Poison)>,
    late: Vec<(Act, Vec<Change>)>,
    history: Vec<Request>,
}

impl Endpoint {
    /// The service of one empty zone.
    pub fn new(zone_name: &str) -> Self {
        Self::with(zone_name, Options::default())
    }

    /// The same, of a zone with these options.
    pub fn with(zone_name: &str, options: Options) -> Self {
        Self(Arc::new(Mutex::new(Service {
            zone: EmbeddedZone::in_memory(zone_name, options).unwrap(),
            script: VecDeque::new(),
            otherwise: Act::Serve,
            form: Form::Common,
            denied: BTreeSet::new(),
            denies_questions: false,
            poison: None,
            late: Vec::new(),
            history: Vec::new(),
        })))
    }

    /// The agent's own client of it.
    pub fn zone(&self) -> Route53Zone {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.clone());
        let name = self.model().name().to_owned();
        Route53Zone::new(Client::from_conf(config.build()), name, model::ID.to_owned())
    }

    /// The zone behind it, for hands that need no API.
    pub fn model(&self) -> EmbeddedZone {
        self.0.lock().unwrap().zone.clone()
    }

    /// Somebody else changes the zone; what it refuses does not happen.
    pub fn by_hand(&self, action: Action, set: RecordSet) -> bool {
        self.by_hands(&[Change { action, set }])
    }

    pub fn by_hands(&self, batch: &[Change]) -> bool {
        self.model().change(batch).now_or_never().unwrap().is_ok()
    }

    /// All sets, with names in one spelling.
    pub fn sets(&self) -> Vec<RecordSet> {
        self.model().snapshot().into_iter().map(RecordSet::canonical).collect()
    }

    /// What becomes of the next calls, one by one.
    pub fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.0.lock().unwrap().script.extend(acts);
    }

    /// What becomes of calls that no script speaks of.
    pub fn otherwise(&self, act: Act) {
        self.0.lock().unwrap().otherwise = act;
    }

    /// In which form a batch is refused from now on.
    pub fn set_form(&self, form: Form) {
        self.0.lock().unwrap().form = form;
    }

    /// From now on nobody may ask how far a change has got.
    pub fn deny_questions(&self) {
        self.0.lock().unwrap().denies_questions = true;
    }

    /// A policy that allows no change of these names.
    pub fn deny(&self, names: impl IntoIterator<Item = String>) {
        self.0.lock().unwrap().denied = names.into_iter().collect();
    }

    /// A change that is never taken.
    pub fn set_poison(&self, poison: Option<(Key, Poison)>) {
        self.0.lock().unwrap().poison = poison;
    }

    /// What a call that broke off may still do something to.
    pub fn under_way(&self) -> BTreeSet<Key> {
        let service = self.0.lock().unwrap();
        service.late.iter().flat_map(|(_, batch)| batch).map(|change| change.set.key()).collect()
    }

    /// All that is still under way arrives.
    pub fn let_late_arrive(&self) {
        self.0.lock().unwrap().apply_late(|_| true);
    }

    /// All faults stop.
    pub fn heal(&self) {
        {
            let mut service = self.0.lock().unwrap();
            service.script.clear();
            service.otherwise = Act::Serve;
            service.denied.clear();
            service.poison = None;
        }
        self.let_late_arrive();
    }

    /// All requests so far.
    pub fn history(&self) -> Vec<Request> {
        self.0.lock().unwrap().history.clone()
    }

    /// Forgets what was asked so far: for whoever asks for a day.
    pub fn forget(&self) {
        self.0.lock().unwrap().history.clear();
    }

    /// The batches that were taken, and answered.
    pub fn batches(&self) -> Vec<Vec<Change>> {
        let service = self.0.lock().unwrap();
        let taken = service.history.iter().filter(|request| request.status == Some(200));
        let batch = |request: &Request| match &request.asked {
            Asked::Change(batch) => Some(batch.clone()),
            _ => None,
        };
        taken.filter_map(batch).collect()
    }

    /// How many requests there were so far.
    pub fn count(&self) -> Count {
        let mut count = Count::default();
        for request in &self.0.lock().unwrap().history {
            match &request.asked {
                Asked::Change(batch) => {
                    count.changes += 1;
                    count.cost += batch.iter().map(cost).sum::<usize>();
                }
                Asked::List { items: 1, .. } => count.lookups += 1,
                Asked::List { .. } => count.lists += 1,
                Asked::Status(_) => count.statuses += 1,
            }
        }
        count
    }
}

/// Requests by kind, and what their changes count against the account's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub changes: usize,
    pub cost: usize,
    pub lookups: usize,
    pub lists: usize,
    pub statuses: usize,
}

impl std::ops::Sub for Count {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            changes: self.changes - before.changes,
            cost: self.cost - before.cost,
            lookups: self.lookups - before.lookups,
            lists: self.lists - before.lists,
            statuses: self.statuses - before.statuses,
        }
    }
}

/// What a change counts: by the vendor's words, an UPSERT twice.
pub fn cost(change: &Change) -> usize {
    match change.action {
        Action::Create | Action::Delete => 1,
        Action::Upsert => 2,
    }
}

impl Service {
    fn serve(&mut self, asked: &Asked) -> Reply {
        match asked {
            Asked::Change(batch) => {
                let answer = self.change(batch);
                answer.unwrap_or_else(|error| wire::zone_error(&error, self.form))
            }
            Asked::Status(_) if self.denies_questions => {
                wire::error(403, "AccessDenied", &denial("GetChange"))
            }
            _ => model::reply(&self.zone, asked, self.form),
        }
    }

    fn change(&mut self, batch: &[Change]) -> Result<Reply, ZoneError> {
        if batch.iter().any(|change| self.denied.contains(&change.set.key().name)) {
            return Ok(wire::error(403, "AccessDenied", &denial("ChangeResourceRecordSets")));
        }
        if let Some((key, poison)) = &self.poison
            && batch.iter().any(|change| change.set.key() == *key && change.action != Action::Delete)
        {
            return Err(match poison {
                Poison::Batch => ZoneError::Rejected(vec![Refusal::unnamed("A record is not permitted")]),
                Poison::Input => ZoneError::Invalid("Invalid request: a field is out of range".to_owned()),
            });
        }
        let info = self.zone.change(batch).now_or_never().unwrap()?;
        Ok(wire::accepted("ChangeResourceRecordSetsResponse", &info))
    }

    fn apply_late(&mut self, due: impl Fn(Act) -> bool) {
        let (now, later) = std::mem::take(&mut self.late).into_iter().partition(|(act, _)| due(*act));
        self.late = later;
        let now: Vec<(Act, Vec<Change>)> = now;
        for (_, batch) in now {
            // The zone may refuse it by now; nobody is there to be told.
            let _ = self.change(&batch);
        }
    }
}

impl HttpClient for Endpoint {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Endpoint {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap();
        let asked = wire::read(request.method(), request.uri(), body, model::ID);
        let (act, index) = {
            let mut service = self.0.lock().unwrap();
            let act = service.script.pop_front().unwrap_or(service.otherwise);
            service.history.push(Request { at: Instant::now(), asked: asked.clone(), status: None });
            (act, service.history.len() - 1)
        };
        let endpoint = self.clone();
        // A task of its own: a call that its caller gives up is served all the same.
        let served = tokio::spawn(async move { endpoint.answer(act, &asked, index).await });
        HttpConnectorFuture::new(async move {
            match served.await.expect("the service does not panic") {
                Some((status, xml)) => Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(xml))),
                None => Err(ConnectorError::io("connection reset by peer".into())),
            }
        })
    }
}

impl Endpoint {
    /// `None` where the connection breaks.
    async fn answer(&self, act: Act, asked: &Asked, index: usize) -> Option<Reply> {
        if let Act::ServeAfter(delay) = act {
            tokio::time::sleep(delay).await;
        }
        let reply = self.act(act, asked);
        if let Act::AnswerAfter(delay) = act {
            tokio::time::sleep(delay).await;
        }
        if let Some(request) = self.0.lock().unwrap().history.get_mut(index) {
            request.status = reply.as_ref().map(|(status, _)| *status);
        }
        reply
    }

    fn act(&self, act: Act, asked: &Asked) -> Option<Reply> {
        let mut service = self.0.lock().unwrap();
        let Asked::Change(batch) = asked else { return service.act_on_read(act, asked) };
        service.apply_late(|late| late == Act::LateBeforeNext);
        let reply = match act {
            Act::Serve | Act::AnswerAfter(_) | Act::ServeAfter(_) => Some(service.serve(asked)),
            Act::Say(says) => Some(says.reply("ChangeResourceRecordSets")),
            Act::CutBefore | Act::LateBeforeNext | Act::LateAfterNext => None,
            Act::CutAfter => {
                service.serve(asked);
                None
            }
        };
        service.apply_late(|late| late == Act::LateAfterNext);
        if matches!(act, Act::LateBeforeNext | Act::LateAfterNext) {
            service.late.push((act, batch.clone()));
        }
        reply
    }
}

impl Service {
    fn act_on_read(&mut self, act: Act, asked: &Asked) -> Option<Reply> {
        match act {
            Act::Serve | Act::AnswerAfter(_) | Act::ServeAfter(_) => Some(self.serve(asked)),
            Act::Say(Says::PriorRequestNotComplete) => Some(Says::Throttling.reply("")),
            Act::Say(says) => Some(says.reply("ListResourceRecordSets")),
            Act::CutBefore | Act::CutAfter | Act::LateBeforeNext | Act::LateAfterNext => None,
        }
    }
}
