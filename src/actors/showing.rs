//! Showing: when an actor shows what it knows on the [board](crate::status::Board).
//!
//! Soon after something has changed, at most a few times a second however much does, and not at all while nobody looks.

use std::time::Duration;

use ractor::{ActorRef, Message};

use crate::clock::Clock;
use crate::moment::Moment;
use crate::status::Feed;

/// The shortest time between two snapshots of one actor.
const PERIOD: Duration = Duration::from_millis(300);

/// What an actor shows, and when it does so next.
#[derive(Debug)]
pub(super) struct Showing<T> {
    feed: Feed<T>,
    clock: Clock,
    shown_at: Option<Moment>,
    is_due: bool,
}

impl<T> Showing<T> {
    pub(super) fn on(feed: &Feed<T>, clock: Clock) -> Self {
        Self { feed: feed.clone(), clock, shown_at: None, is_due: false }
    }

    /// A message was taken in.
    pub(super) fn on_heard(&self) {
        self.feed.on_heard(self.clock.now());
    }

    /// The time has come that was waited for.
    pub(super) fn rang(&mut self) {
        self.is_due = false;
    }

    /// Something may have changed: shows what `snapshot` makes of it, now or, by this message, soon.
    pub(super) fn changed<M: Message>(
        &mut self,
        myself: &ActorRef<M>,
        due: impl Fn() -> M + Send + 'static,
        snapshot: impl FnOnce(Moment) -> T,
    ) {
        if self.is_due || !self.feed.is_watched() {
            return;
        }
        let now = self.clock.now();
        let next = self.shown_at.map_or(now, |shown| shown + PERIOD);
        if next <= now {
            self.shown_at = Some(now);
            self.feed.show(snapshot(now));
        } else {
            self.is_due = true;
            myself.send_after(next - now, due);
        }
    }
}
