//! WakeTimer: when an actor wants to be reminded next.
//!
//! Owns one timer, and that it is set anew only for another time. What the reminder means is for the actor.

use ractor::{ActorRef, Message};
use tokio::task::AbortHandle;

use crate::clock::Clock;
use crate::moment::Moment;

/// One timer of an actor.
#[derive(Debug, Default)]
pub(super) struct WakeTimer(Option<(Moment, AbortHandle)>);

impl WakeTimer {
    /// Sends this at that time, in place of what was to come before; nothing where there is no such time.
    pub(super) fn set<M: Message>(
        &mut self,
        myself: &ActorRef<M>,
        clock: Clock,
        at: Option<Moment>,
        message: impl FnOnce() -> M + Send + 'static,
    ) {
        if at == self.0.as_ref().map(|(at, _)| *at) {
            return;
        }
        if let Some((_, timer)) = self.0.take() {
            timer.abort();
        }
        self.0 = at.map(|at| (at, myself.send_after(clock.until(at), message).abort_handle()));
    }

    /// It has rung.
    pub(super) fn rang(&mut self) {
        self.0 = None;
    }
}
