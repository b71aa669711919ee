//! What the probers of a host share: how many probes are in flight together, and whether it is the host that fails.
//!
//! Owns the locks around both. Who goes next is decided by the [permits](crate::machine::permits), what is doubted by
//! the [suspicion](crate::machine::suspicion).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::machine::permits::Permits;
use crate::machine::suspicion::Suspicion;
use crate::moment::Moment;
use crate::record::ContainerId;

/// How often it is said at most that this host cannot ask.
const NOT_ASKED_SAID_EVERY: Duration = Duration::from_secs(60);

/// What the probers of a host share.
#[derive(Clone, Debug)]
pub(in crate::actors) struct Fleet {
    permits: Arc<Mutex<Permits<oneshot::Sender<()>>>>,
    /// What they all hear.
    suspicion: Arc<Mutex<Suspicion>>,
    /// When it was last said that this host cannot ask.
    not_asked_said: Arc<Mutex<Option<Moment>>>,
}

impl Fleet {
    /// Probers that have at most `probes_max` probes in flight together.
    pub(in crate::actors) fn new(probes_max: usize) -> Self {
        Self {
            permits: Arc::new(Mutex::new(Permits::new(probes_max))),
            suspicion: Arc::default(),
            not_asked_said: Arc::default(),
        }
    }

    /// What they all hear.
    pub(in crate::actors) fn suspicion(&self) -> MutexGuard<'_, Suspicion> {
        held(&self.suspicion)
    }

    /// Waits for the right to a probe of `container`.
    pub(super) async fn permit(&self, container: ContainerId) -> Permit {
        let (ticket, granted) = oneshot::channel();
        held(&self.permits).wait(container.clone(), ticket);
        self.grant();
        // Made before the wait: a probe that is ended while its permit is on the way gives it back.
        let mut permit = Permit { fleet: self.clone(), container, granted: Some(granted) };
        if let Some(granted) = &mut permit.granted {
            // Permits live as long as the fleet does.
            let _ = granted.await;
        }
        permit.granted = None;
        permit
    }

    fn grant(&self) {
        let mut permits = held(&self.permits);
        while let Some((container, ticket)) = permits.grant() {
            // Whoever waited may have ended.
            if ticket.send(()).is_err() {
                permits.give_back(&container);
            }
        }
    }

    /// Whether to say now that this host cannot ask.
    pub(super) fn says_not_asked(&self, now: Moment) -> bool {
        let mut said = held(&self.not_asked_said);
        let due = said.is_none_or(|said| now >= said + NOT_ASKED_SAID_EVERY);
        if due {
            *said = Some(now);
        }
        due
    }
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to one probe; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    fleet: Fleet,
    container: ContainerId,
    /// Where it is still waited for.
    granted: Option<oneshot::Receiver<()>>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let holds = match &mut self.granted {
            None => true,
            Some(granted) => granted.try_recv().is_ok(),
        };
        // The ticket of one that still waits fails when it is called.
        self.granted = None;
        if holds {
            held(&self.fleet.permits).give_back(&self.container);
            self.fleet.grant();
        }
    }
}
