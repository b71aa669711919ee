//! What one part of the agent shows: its latest snapshot, and when it last did anything at all.
//!
//! Nobody is asked, so a part that hangs holds nobody up: it shows as one that was not heard of for long. While nobody
//! looks, nothing is copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::moment::Moment;

/// Where a part shows what it knows. A clone is another handle to it.
#[derive(Debug)]
pub struct Feed<T> {
    latest: Arc<watch::Sender<Option<Arc<T>>>>,
    heard: Arc<AtomicU64>,
}

/// What can be seen of a part.
#[derive(Debug)]
pub struct View<T> {
    latest: watch::Receiver<Option<Arc<T>>>,
    heard: Arc<AtomicU64>,
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Self { latest: self.latest.clone(), heard: self.heard.clone() }
    }
}

impl<T> Clone for View<T> {
    fn clone(&self) -> Self {
        Self { latest: self.latest.clone(), heard: self.heard.clone() }
    }
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self { latest: Arc::new(watch::Sender::new(None)), heard: Arc::default() }
    }
}

impl<T> Feed<T> {
    /// Whether somebody looks.
    pub fn is_watched(&self) -> bool {
        self.latest.receiver_count() > 0
    }

    /// The part took in a message at this moment of the agent's clock.
    pub fn on_heard(&self, now: Moment) {
        let millis = u64::try_from(now.since_start().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(millis, Ordering::Relaxed);
    }

    /// Shows this, in place of what was shown before.
    pub fn show(&self, snapshot: T) {
        self.latest.send_replace(Some(Arc::new(snapshot)));
    }

    /// Another one who looks.
    pub fn view(&self) -> View<T> {
        View { latest: self.latest.subscribe(), heard: self.heard.clone() }
    }
}

impl<T> View<T> {
    /// What was shown last.
    pub fn latest(&self) -> Option<Arc<T>> {
        self.latest.borrow().clone()
    }

    /// When the part last took in a message, by the agent's clock.
    pub fn heard(&self) -> Moment {
        Moment::after(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::at;

    #[test]
    fn the_latest_is_seen_by_whoever_looks_and_costs_nothing_while_nobody_does() {
        let feed = Feed::default();
        assert!(!feed.is_watched());
        feed.show(1);
        let view = feed.view();
        assert!(feed.is_watched());
        assert_eq!(view.latest().as_deref(), Some(&1));
        feed.show(2);
        feed.on_heard(at(9));
        assert_eq!((view.latest().as_deref(), view.heard()), (Some(&2), at(9)));
        drop(view);
        assert!(!feed.is_watched());
    }
}
