//! What is served, and how old it may be: made anew a few times a second at most, however many ask.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::body::Bytes;
use tokio::time::Instant;

use crate::machine::cordon::Order;
use crate::status::schema::Status;
use crate::status::{Seen, metrics, text};

/// How old an answer may be.
const FRESH: Duration = Duration::from_millis(250);
/// A part of the agent that was not heard of for so long hangs: it is asked every few seconds.
const HANGS_AFTER: f64 = 60.0;

/// What is shown.
pub trait Source: Send + Sync + 'static {
    /// A status, and what it is made of.
    fn look(&self) -> (Status, Seen);

    /// What the zone in this process answers to a question for this name and type; `None` where it is elsewhere.
    fn ask(&self, _name: &str, _kind: &str) -> Option<String> {
        None
    }

    /// Has an order carried out.
    fn order(&self, _order: Order) -> BoxFuture<'static, Ordered> {
        Box::pin(async { Ordered::NotNow("this status is only shown\n".to_owned()) })
    }

    /// All that the zone in this process has; `None` where it is elsewhere.
    fn zone(&self) -> Option<String> {
        None
    }
}

/// What came of an order, in lines for whoever gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// It is carried out, and remembered.
    Done(String),
    /// It is carried out, and would be forgotten at a restart.
    NotKept(String),
    /// It is not clear what is meant, or it cannot be.
    Refused(String),
    /// There is nobody yet, or any more, who could.
    NotNow(String),
}

/// What is served. A clone is another handle to it.
#[derive(Clone)]
pub(super) struct Content(Arc<Inner>);

struct Inner {
    source: Box<dyn Source>,
    latest: Mutex<Option<(Instant, Arc<Shown>)>>,
}

impl Content {
    pub(super) fn of(source: impl Source) -> Self {
        Self(Arc::new(Inner { source: Box::new(source), latest: Mutex::default() }))
    }

    /// Where else to ask.
    pub(super) fn source(&self) -> &dyn Source {
        &*self.0.source
    }

    /// What there is now.
    pub(super) fn look(&self) -> Arc<Shown> {
        let mut latest = self.0.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((made, shown)) if made.elapsed() < FRESH => shown.clone(),
            _ => {
                let shown = Arc::new(Shown::of(self.0.source.look()));
                *latest = Some((Instant::now(), shown.clone()));
                shown
            }
        }
    }
}

/// One status, and the forms of it that were asked for.
pub(super) struct Shown {
    pub(super) status: Status,
    seen: Seen,
    metrics: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
    text: OnceLock<Bytes>,
}

impl Shown {
    pub(super) fn of((status, seen): (Status, Seen)) -> Self {
        Self { status, seen, metrics: OnceLock::new(), json: OnceLock::new(), text: OnceLock::new() }
    }

    pub(super) fn json(&self) -> Bytes {
        let made = || serde_json::to_vec(&self.status).map(Bytes::from).unwrap_or_default();
        self.json.get_or_init(made).clone()
    }

    pub(super) fn text(&self) -> Bytes {
        self.text.get_or_init(|| text::render(&self.status).into()).clone()
    }

    pub(super) fn metrics(&self) -> Bytes {
        self.metrics.get_or_init(|| metrics::render(&self.status, &self.seen).into()).clone()
    }

    /// Why the agent cannot do its work.
    pub(super) fn reasons(&self) -> Vec<String> {
        self.status.reasons().map(|(name, reason)| format!("{name}: {reason}")).collect()
    }

    /// The parts of the agent that hang.
    pub(super) fn dead_parts(&self) -> Vec<String> {
        let hang = self.status.parts.iter().filter(|part| part.heard_ago > HANGS_AFTER);
        hang.map(|part| format!("{}: not heard of for {} s", part.name, part.heard_ago.floor())).collect()
    }
}
