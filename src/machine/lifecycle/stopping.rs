//! A container that was sent signals: which of them ask it to stop, and when that is over.
//!
//! Owns the meaning of a signal. It comes faster than an inspection, so it may come before anything is known of
//! the container: then it is kept until an inspection tells what the container takes as its stop signal. What that
//! means for its services is decided by the [lifecycle](super).
//!
//! How long a container has to stop goes with the call that stops it, seconds or hours, and is shown nowhere.
//! So a stop is over when a newer life starts, when Docker was restarted and left the life running (a stop that
//! waits for its time dies with the engine), or when the last signal is older than it is believed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Life, Lifecycle, Seq, Sight, State};
use crate::container::Timestamp;
use crate::moment::Moment;

/// How long a stopping signal is believed, unless told otherwise.
pub const STOP_BELIEF: Duration = Duration::from_secs(3_600);
/// How often the ECS agent is asked again whether it still wants a container stopped.
const ASK_AGAIN: Duration = Duration::from_secs(60);

const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
const SIGKILL: u8 = 9;
const SIGUSR1: u8 = 10;
const SIGUSR2: u8 = 12;
const SIGTERM: u8 = 15;
const SIGCHLD: u8 = 17;
const SIGCONT: u8 = 18;
const SIGSTOP: u8 = 19;
const SIGTSTP: u8 = 20;
const SIGTTIN: u8 = 21;
const SIGTTOU: u8 = 22;
const SIGURG: u8 = 23;
const SIGWINCH: u8 = 28;
/// The last signal that is no real-time one.
const SIGSYS: u8 = 31;

/// A signal that Docker sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// The place of the news.
    pub at: Seq,
    /// When, by Docker's clock: which signal it was.
    pub time: Timestamp,
    /// When the agent heard of it.
    pub heard: Moment,
    /// How old it was by then.
    pub age: Duration,
}

impl Kill {
    /// So long after it was sent.
    pub(super) fn and(&self, wait: Duration) -> Moment {
        self.heard + wait - self.age
    }
}

/// What is left of a stop when an inspection shows that the container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is to be believed.
    Holds,
    /// None of the signals asks this life to stop.
    NotMeant,
    /// It was asked to stop, and has not for as long as that is believed.
    Survived,
}

/// A container that was sent signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopping {
    /// The life that stops; `None` until an inspection has shown that the signals ask for it.
    pub life: Option<Timestamp>,
    /// The latest of each signal, by its number.
    kills: BTreeMap<u8, Kill>,
    /// How long a signal is believed.
    belief: Duration,
    /// Until when ECS wants it stopped, as far as that was asked.
    desired_until: Moment,
}

impl Lifecycle {
    /// Whether it was asked to stop, by a signal that leaves it a choice: who is killed outright cannot serve on, and no
    /// setting helps.
    pub fn is_asked_to_stop(&self) -> bool {
        matches!(&self.state, State::Stopping(stopping) if stopping.is_asked())
    }

    /// Whether its latest life is known to have ended. A container hears of the signals to the one whose network it uses
    /// then, too, and they ask nothing of it.
    pub fn has_ended(&self) -> bool {
        match &self.state {
            State::Idle | State::Drained => self.ended.is_some(),
            State::Live(_) => false,
            State::Stopping(stopping) => stopping.life.is_none() && self.ended.is_some(),
        }
    }
}

impl Stopping {
    /// A container of which nothing is known yet.
    pub(super) fn unsure(signal: u8, kill: Kill, belief: Duration) -> Self {
        Self::of(None, BTreeMap::from([(signal, kill)]), belief)
    }

    /// A container that is known to take this signal so.
    pub(super) fn sure(life: &Life, signal: u8, kill: Kill, belief: Duration) -> Self {
        Self::of(Some(life.started_at), BTreeMap::from([(signal, kill)]), belief)
    }

    pub(super) fn of(life: Option<Timestamp>, kills: BTreeMap<u8, Kill>, belief: Duration) -> Self {
        Self { life, kills, belief, desired_until: Moment::START }
    }

    /// Until when the stop is believed: what still runs then has survived it.
    pub fn until(&self) -> Moment {
        let believed = self.kills.values().map(|kill| kill.and(self.belief)).max();
        believed.unwrap_or_default().max(self.desired_until)
    }

    /// The latest of its signals.
    pub(super) fn last(&self) -> Option<&Kill> {
        self.kills.values().max_by_key(|kill| kill.at)
    }

    /// Whether one of its signals can be handled.
    pub(super) fn is_asked(&self) -> bool {
        self.kills.keys().any(|signal| *signal != SIGKILL)
    }

    /// When each of its signals was sent last, by its number.
    pub(super) fn sent(&self) -> BTreeMap<u8, Timestamp> {
        self.kills.iter().map(|(signal, kill)| (*signal, kill.time)).collect()
    }

    /// Only these of its signals still count; whether none is left.
    pub(super) fn retain(&mut self, counts: impl Fn(&Kill) -> bool) -> bool {
        self.kills.retain(|_, kill| counts(kill));
        self.kills.is_empty()
    }

    pub(super) fn on_killed(&mut self, signal: u8, kill: Kill) {
        // What an engine remembers was heard before, perhaps.
        if self.kills.get(&signal).is_none_or(|known| known.time != kill.time) {
            self.kills.insert(signal, kill);
        }
    }

    /// What a look that shows it running leaves of the stop.
    pub(super) fn on_running(&mut self, sight: &Sight, now: Moment) -> Stop {
        self.kills.retain(|signal, _| stops(*signal, sight.stop_signal));
        if self.life.is_some_and(|life| life != sight.started_at) {
            // A newer life, of whose start nothing was heard. Nothing but the clock tells for which of the two a
            // signal was meant.
            self.kills.retain(|_, kill| kill.time >= sight.started_at);
        }
        self.life = Some(sight.started_at);
        if self.kills.is_empty() {
            return Stop::NotMeant;
        }
        match sight.desired {
            _ if now < self.until() => Stop::Holds,
            // An inspection that asks is on its way.
            Desired::Unasked if sight.task.is_some() => Stop::Holds,
            Desired::Stopped => {
                self.desired_until = now + ASK_AGAIN;
                Stop::Holds
            }
            Desired::Unasked | Desired::Unsaid => Stop::Survived,
        }
    }

    /// The latest of its signals that may have ended this life though none asks it to stop.
    pub(super) fn doubted(&self, sight: &Sight) -> Option<Kill> {
        let doubted = self.kills.iter().filter(|(signal, _)| may_end(**signal, sight.stop_signal));
        doubted.map(|(_, kill)| *kill).max_by_key(|kill| kill.at)
    }

    /// Forgets what was sent before this; whether nothing is left.
    pub(super) fn is_over_at(&mut self, at: Seq) -> bool {
        self.kills.retain(|_, kill| kill.at > at);
        self.life = None;
        self.kills.is_empty()
    }
}

/// What ECS wants of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Desired {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It wants the task stopped.
    Stopped,
    /// Anything else. That it wants the task to run says nothing: whoever stops a container by hand leaves it so.
    Unsaid,
}

/// Whether a signal asks a container to stop whose image names `stop_signal` for that.
///
/// SIGINT is how a terminal stops what it runs. Other signals ask for something else, unless the image
/// names one as its own way to stop.
pub fn stops(signal: u8, stop_signal: u8) -> bool {
    [SIGKILL, SIGTERM, SIGINT, stop_signal].contains(&signal)
}

/// Whether a signal that asks for no stop ends a process that does not catch it. SIGHUP does too, and is how
/// most services are told to read their settings again.
pub fn may_end(signal: u8, stop_signal: u8) -> bool {
    const SPARED: [u8; 11] =
        [SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH];
    !stops(signal, stop_signal) && (1..=SIGSYS).contains(&signal) && !SPARED.contains(&signal)
}
