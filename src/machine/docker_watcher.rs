//! When the engine is subscribed to, listed and inspected whole, and what is said of it: the pure twin of the actor of
//! that name.
//!
//! Owns the generations of subscriptions, how long the next one waits, and whether the engine answers, as far as the
//! log and readiness say. It leaves the stream, the timers and the numbers of what is learnt to the actor, and what it
//! means to the [task resolver](super::task_resolver).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::container::engine::Caveat;
use crate::moment::Moment;

/// How often everything is listed: what an event that Docker dropped costs at most.
pub const LIST_EVERY: Duration = Duration::from_secs(60);
/// How long a list that failed waits for the next try.
pub const LIST_AGAIN: Duration = Duration::from_secs(1);
/// A stream that lived so long was a good one: the next reconnect does not wait long, and the engine is believed to be
/// there. One that ended sooner makes the next one prove itself, and the looks at everything rest in between.
const GOOD_STREAM: Duration = Duration::from_secs(5);

/// How long it takes at most to see that HEALTHCHECKs are run no more: no event tells.
const FROZEN_SEEN_WITHIN: Duration = Duration::from_secs(300);

/// What is worth a line of the log, because it was not so before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It answers.
    Answers,
    /// It does not: the stream of events ended, or never began.
    Away,
    /// It does not list its containers, though the stream goes on.
    NoList,
}

/// What is known of the engine, for whoever shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Whether it answers; `None` before the first word of it.
    pub answers: Option<bool>,
    /// Since when its events are heard; `None` while they are not.
    pub subscribed_at: Option<Moment>,
    /// When it listed its containers last, and how many ran.
    pub listed: Option<(Moment, usize)>,
}

/// What is known of the engine.
#[derive(Debug)]
pub struct DockerWatcher {
    /// How often every container is inspected, whatever the lists say.
    resync: Duration,
    waits: Backoff,
    generation: u64,
    subscribed_at: Option<Moment>,
    all_inspected_at: Moment,
    /// Whether it answers; `None` before the first word of it.
    answers: Option<bool>,
    /// When it listed its containers last, and how many ran.
    listed: Option<(Moment, usize)>,
    /// Whether the latest stream ended as soon as it stood.
    flaps: bool,
    /// Whether something may have been missed since all were inspected.
    owes_all: bool,
    /// How long the looks at everything rest while streams end at once.
    rest: Duration,
    /// What was said that the engine keeps from whoever watches it.
    said: BTreeSet<Caveat>,
}

/// What a list is for, and when the next one is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPlan {
    /// Whether all that is listed is inspected.
    pub all: bool,
    /// How long the next list waits.
    pub next: Duration,
}

impl DockerWatcher {
    /// Of an engine of which nothing was heard yet.
    pub fn new(resync: Duration) -> Self {
        Self {
            resync,
            waits: Backoff::new(
                Duration::from_millis(100),
                Duration::from_millis(200),
                Duration::from_secs(1),
            ),
            generation: 0,
            subscribed_at: None,
            all_inspected_at: Moment::START,
            answers: None,
            listed: None,
            flaps: false,
            owes_all: false,
            rest: GOOD_STREAM,
            said: BTreeSet::new(),
        }
    }

    /// What is known now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { answers: self.answers, subscribed_at: self.subscribed_at, listed: self.listed }
    }

    /// Another subscription begins, in place of the one before. Returns its generation.
    pub fn subscribe(&mut self) -> u64 {
        self.generation += 1;
        self.subscribed_at = None;
        self.generation
    }

    /// Whether something that is heard is of the present subscription.
    pub fn hears(&self, generation: u64) -> bool {
        generation == self.generation
    }

    /// The subscription stands. What happened before, unseen, may show in no list, because a container that was started
    /// again looks as before: so all that is listed next is to be inspected.
    pub fn on_subscribed(&mut self, now: Moment) {
        self.subscribed_at = Some(now);
        self.owes_all = true;
    }

    /// This is what the engine keeps from whoever watches it. Returns what of that is still to be said.
    pub fn on_caveats(&mut self, mut caveats: BTreeSet<Caveat>) -> BTreeSet<Caveat> {
        // Of each container's, its inspection tells.
        if caveats.remove(&Caveat::HealthchecksFreeze) {
            self.resync = self.resync.min(FROZEN_SEEN_WITHIN);
        }
        caveats.retain(|caveat| self.said.insert(*caveat));
        caveats
    }

    /// A list is taken. All of it is inspected after a gap, and once in a resync period, since not all that happens is
    /// told. While streams end at once, each of them leaves a gap: then what lists and the engine's memory show to have
    /// changed is inspected at once, and all of it seldom.
    pub fn on_list(&mut self, now: Moment) -> ListPlan {
        let rests = self.flaps && !self.stands(now);
        let rest = if rests { self.rest } else { Duration::ZERO };
        let owed = self.owes_all && now >= self.all_inspected_at + rest;
        let all = owed || now >= self.all_inspected_at + self.resync;
        if all {
            (self.all_inspected_at, self.owes_all) = (now, false);
            self.rest = if rests { (self.rest * 2).min(LIST_EVERY) } else { GOOD_STREAM };
        }
        // That one stands shows in the list that comes then.
        let next = if rests && self.subscribed_at.is_some() { GOOD_STREAM } else { LIST_EVERY };
        ListPlan { all, next }
    }

    /// The stream ended. Returns how long the next subscription waits; `random` is uniform in 0..1.
    pub fn on_ended(&mut self, now: Moment, random: f64) -> (Duration, Option<News>) {
        if let Some(since) = self.subscribed_at.take() {
            self.flaps = now - since < GOOD_STREAM;
            if !self.flaps {
                self.waits.reset();
            }
        }
        (self.waits.next(random), self.turns(false).then_some(News::Away))
    }

    /// A list was answered: so many containers run. That alone does not show that it is there, where streams end at once.
    pub fn on_listed(&mut self, running: usize, now: Moment) -> Option<News> {
        self.listed = Some((now, running));
        let counts = !self.flaps || self.stands(now);
        (counts && self.turns(true)).then_some(News::Answers)
    }

    fn stands(&self, now: Moment) -> bool {
        self.subscribed_at.is_some_and(|since| now - since >= GOOD_STREAM)
    }

    /// A list failed. Returns when it is tried again; never, while there is no stream: a list comes with the next one.
    pub fn on_list_failed(&mut self) -> (Option<Duration>, Option<News>) {
        if self.subscribed_at.is_none() {
            return (None, None);
        }
        (Some(LIST_AGAIN), self.turns(false).then_some(News::NoList))
    }

    fn turns(&mut self, answers: bool) -> bool {
        self.answers.replace(answers) != Some(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::engine::Proxy;

    const RESYNC: Duration = Duration::from_secs(1_800);

    fn at(secs: u64) -> Moment {
        Moment::after(Duration::from_secs(secs))
    }

    #[test]
    fn only_the_latest_subscription_is_heard() {
        let mut watcher = DockerWatcher::new(RESYNC);
        let first = watcher.subscribe();
        assert!(watcher.hears(first));
        let second = watcher.subscribe();
        assert!(watcher.hears(second) && !watcher.hears(first));
    }

    #[test]
    fn whether_it_answers_is_said_when_it_changes() {
        let mut watcher = DockerWatcher::new(RESYNC);
        assert_eq!(watcher.on_ended(at(0), 0.5).1, Some(News::Away), "it was never there");
        assert_eq!(watcher.on_ended(at(1), 0.5).1, None);
        watcher.on_subscribed(at(2));
        assert_eq!((watcher.on_listed(3, at(2)), watcher.on_listed(4, at(5))), (Some(News::Answers), None));
        assert_eq!(
            watcher.snapshot(),
            Snapshot { answers: Some(true), subscribed_at: Some(at(2)), listed: Some((at(5), 4)) }
        );
        assert_eq!(watcher.on_list_failed(), (Some(LIST_AGAIN), Some(News::NoList)));
        assert_eq!(watcher.on_list_failed(), (Some(LIST_AGAIN), None));
        assert_eq!(watcher.on_ended(at(3), 0.5).1, None, "it was said to be away");
    }

    #[test]
    fn what_an_engine_keeps_to_itself_is_said_once() {
        let mut watcher = DockerWatcher::new(RESYNC);
        let (proxy, podman) = (Caveat::Proxy(Proxy::Rootless), Caveat::NoSignals);
        assert_eq!(watcher.on_caveats([proxy].into()), [proxy].into());
        assert_eq!(watcher.on_caveats([podman, proxy].into()), [podman].into());
        assert_eq!(watcher.on_caveats([].into()), [].into());
        assert_eq!(watcher.on_caveats([podman, proxy].into()), [].into());
    }

    #[test]
    fn where_healthchecks_may_freeze_all_is_inspected_every_five_minutes() {
        let mut watcher = DockerWatcher::new(RESYNC);
        assert_eq!(watcher.on_caveats([Caveat::HealthchecksFreeze].into()), [].into());
        watcher.on_subscribed(at(10));
        let all = [10, 70, 309, 310, 370, 610].map(|second| watcher.on_list(at(second)).all);
        assert_eq!(all, [true, false, false, true, false, true]);
    }

    #[test]
    fn a_list_that_fails_without_a_stream_is_not_tried_again_by_itself() {
        let mut watcher = DockerWatcher::new(RESYNC);
        assert_eq!(watcher.on_list_failed(), (None, None));
        watcher.on_subscribed(at(0));
        watcher.on_ended(at(9), 0.5);
        assert_eq!(watcher.on_list_failed(), (None, None));
    }

    #[test]
    fn waits_grow_up_to_a_second_until_a_stream_was_good() {
        let mut watcher = DockerWatcher::new(RESYNC);
        let mut wait = |alive: u64| {
            watcher.subscribe();
            watcher.on_subscribed(at(100));
            watcher.on_ended(at(100 + alive), 1.0).0.as_millis()
        };
        assert_eq!([wait(0), wait(0), wait(0), wait(4)], [200, 400, 800, 1_000]);
        assert_eq!([wait(5), wait(0)], [200, 400]);
    }

    #[test]
    fn all_is_inspected_once_in_a_resync_period_and_after_each_gap() {
        let mut watcher = DockerWatcher::new(RESYNC);
        let all = |watcher: &mut DockerWatcher, seconds| {
            let ListPlan { all, next } = watcher.on_list(at(seconds));
            assert_eq!(next, LIST_EVERY);
            all
        };
        watcher.on_subscribed(at(10));
        assert!(all(&mut watcher, 10) && !all(&mut watcher, 70) && !all(&mut watcher, 1_809));
        assert!(all(&mut watcher, 1_810) && !all(&mut watcher, 1_870));
        watcher.on_ended(at(2_999), 0.5);
        watcher.on_subscribed(at(3_000));
        assert!(all(&mut watcher, 3_000) && !all(&mut watcher, 4_799) && all(&mut watcher, 4_800));
    }

    #[test]
    fn where_streams_end_at_once_all_is_inspected_ever_more_seldom_and_once_one_stands() {
        let mut watcher = DockerWatcher::new(RESYNC);
        let mut looks = Vec::new();
        for second in 100..300 {
            watcher.on_subscribed(at(second));
            let ListPlan { all, next } = watcher.on_list(at(second));
            looks.extend(all.then_some(second));
            assert_eq!(next, if second == 100 { LIST_EVERY } else { GOOD_STREAM });
            watcher.on_ended(at(second), 0.5);
        }
        assert_eq!(looks, [100, 105, 115, 135, 175, 235, 295]);
        watcher.on_subscribed(at(300));
        assert!(!watcher.on_list(at(300)).all && !watcher.on_list(at(304)).all);
        assert_eq!(watcher.on_list(at(305)), ListPlan { all: true, next: LIST_EVERY });
        // The next gap is one as any other.
        watcher.on_ended(at(400), 0.5);
        watcher.on_subscribed(at(400));
        assert_eq!(watcher.on_list(at(400)), ListPlan { all: true, next: LIST_EVERY });
    }

    #[test]
    fn an_engine_whose_streams_end_at_once_is_away_until_one_stands() {
        let mut watcher = DockerWatcher::new(RESYNC);
        watcher.on_subscribed(at(0));
        assert_eq!(watcher.on_listed(1, at(0)), Some(News::Answers));
        assert_eq!(watcher.on_ended(at(1), 0.5).1, Some(News::Away));
        watcher.on_subscribed(at(2));
        assert_eq!(watcher.on_listed(1, at(2)), None);
        assert_eq!(watcher.on_ended(at(3), 0.5).1, None);
        watcher.on_subscribed(at(4));
        assert_eq!((watcher.on_listed(1, at(8)), watcher.on_listed(1, at(9))), (None, Some(News::Answers)));
    }
}
