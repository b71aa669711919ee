//! Where names are asked for, and where they are read: one value that the server and the agent share.
//!
//! The server's thread asks; the zone in Route 53 is read by [`Directory::read`], which runs where the agent's other
//! calls do. What is read, and when, is the [book](super::book)'s.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::book::{Book, FRESH, Next, Told};
use super::groups;
use super::name::{self, NotOfZone};
use crate::clock::Clock;
use crate::container::convention::Scope;
use crate::record::{RecordType, Registrant};
use crate::status::Discovery;
use crate::zone::embedded::EmbeddedZone;
use crate::zone::{PAGE_ITEMS_MAX, Zone, ZoneError};

/// How long whoever asks waits for what nothing is known of, where it is being read.
const WAIT_FOR_FIRST: Duration = Duration::from_secs(10);
/// And how long where something older is known.
const WAIT_FOR_FRESH: Duration = Duration::from_secs(2);
/// When to ask again, where that depends on the agent.
const AGAIN: Duration = Duration::from_secs(5);

/// The names of a zone, and what is known of them. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    told: Discovery,
    open: OnceLock<Open>,
    /// Somebody has asked.
    asked: Notify,
    /// Something was read, or could not be.
    read: watch::Sender<()>,
}

#[derive(Debug)]
struct Open {
    scope: Scope,
    own_names: Vec<String>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// The zone is in this process.
    Here(EmbeddedZone),
    /// It is elsewhere.
    There(Box<Mutex<Book>>),
}

/// What is said to a question for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Its targets, as they were so long ago.
    Targets {
        /// In JSON.
        json: Arc<str>,
        /// For how long it has been known.
        age: Duration,
    },
    /// It can have none.
    NotOfZone(NotOfZone),
    /// It is not known now.
    NotNow {
        /// Why.
        reason: String,
        /// When to ask again.
        again: Duration,
    },
}

impl Directory {
    /// Of a zone that is not known yet. What is told is counted there.
    pub fn new(told: Discovery) -> Self {
        Self(Arc::new(Inner {
            clock: Clock::start(),
            told,
            open: OnceLock::new(),
            asked: Notify::new(),
            read: watch::Sender::new(()),
        }))
    }

    /// The zone is in this process: it is read as often as somebody asks.
    pub fn open_here(&self, host: &Registrant, zone: EmbeddedZone) {
        self.open(host, Source::Here(zone));
    }

    /// The zone is elsewhere, and may be listed so often a second.
    pub fn open_there(&self, host: &Registrant, lists_a_second: f64) {
        self.open(host, Source::There(Box::new(Mutex::new(Book::new(&host.zone, lists_a_second)))));
    }

    fn open(&self, host: &Registrant, source: Source) {
        let scope = Scope::new(&host.zone, host.owner.label());
        let own_names = vec![host.owner.to_string(), host.owner.name_in(&host.zone)];
        let _ = self.0.open.set(Open { scope, own_names, source });
    }

    /// What this host is called.
    pub(super) fn own_names(&self) -> &[String] {
        self.0.open.get().map_or(&[], |open| &open.own_names)
    }

    /// The targets of a name.
    pub(super) async fn targets(&self, text: &str) -> Said {
        let (said, outcome) = self.say(text).await;
        self.0.told.on_answer(outcome);
        said
    }

    async fn say(&self, text: &str) -> (Said, &'static str) {
        let not_now = |reason: String, again| Said::NotNow { reason, again };
        let Some(open) = self.0.open.get() else {
            return (not_now("the agent does not know its zone yet".to_owned(), AGAIN), "not_ready");
        };
        let name = match name::whole(text, &open.scope) {
            Ok(name) => name,
            Err(reason) => return (Said::NotOfZone(reason), "refused"),
        };
        let told = match &open.source {
            Source::Here(zone) => {
                let groups = zone.view_for_client(|contents| {
                    let of_name =
                        contents.sets().filter(|set| set.kind == RecordType::Srv && set.key().name == name);
                    groups::of(of_name, open.scope.zone())
                });
                match groups {
                    Some(groups) => Told::Known { groups, age: Duration::ZERO },
                    None => {
                        return (not_now("the agent withdraws its records".to_owned(), AGAIN), "not_ready");
                    }
                }
            }
            Source::There(book) => self.ask(book, &name).await,
        };
        match told {
            Told::Known { groups, age } => {
                let outcome = if age < FRESH { "fresh" } else { "stale" };
                (Said::Targets { json: groups.json, age }, outcome)
            }
            Told::Unread { again, trouble: None } => (
                not_now(format!("{name} waits to be read, as all that is asked of the zone does"), again),
                "unread",
            ),
            Told::Unread { again, trouble: Some(trouble) } => {
                (not_now(format!("{name} is not known, and {trouble}"), again), "unread")
            }
            Told::Full => {
                let reason = format!("too many names are asked for, and {name} is not one of them");
                (not_now(reason, FRESH), "full")
            }
        }
    }

    /// Asks for a name, and waits for it where it is about to be read.
    async fn ask(&self, book: &Mutex<Book>, name: &str) -> Told {
        let mut read = self.0.read.subscribe();
        let is_known = |book: &Book| book.knows(name);
        let mut latest = None;
        loop {
            let (comes, known) = {
                let mut book = locked(book);
                (book.ask(name, self.0.clock.now()), is_known(&book))
            };
            if !comes {
                break;
            }
            self.0.asked.notify_one();
            let wait = if known { WAIT_FOR_FRESH } else { WAIT_FOR_FIRST };
            let latest = *latest.get_or_insert_with(|| Instant::now() + wait);
            if timeout_at(latest, read.changed()).await.is_err() {
                break;
            }
        }
        // It may have become one that waits.
        self.0.asked.notify_one();
        let mut book = locked(book);
        let told = book.tell(name, self.0.clock.now());
        self.0.told.show(book.figures());
        told
    }

    /// Reads names of this zone as they are asked for, for ever.
    pub async fn read(&self, zone: &dyn Zone) -> std::convert::Infallible {
        let Some(Open { source: Source::There(book), .. }) = self.0.open.get() else {
            return std::future::pending().await;
        };
        let mut fails = false;
        loop {
            let (next, forgets_at) = {
                let (mut book, now) = (locked(book), self.0.clock.now());
                book.forget(now);
                self.0.told.show(book.figures());
                (book.next(now), book.forgets_at())
            };
            let wakes_at = match next {
                Next::Read(start) => {
                    let page = zone.list(Some(&start), PAGE_ITEMS_MAX).await;
                    self.0.told.on_list(page.as_ref().map_or_else(ZoneError::kind, |_| "ok"));
                    say(&mut fails, page.as_ref().err());
                    match page {
                        Ok(page) => {
                            let too_large = locked(book).on_page(page);
                            if let Some(name) = too_large {
                                tracing::warn!(
                                    event = "sd_too_large",
                                    name,
                                    "this name has more record sets than are read of one: what was known of it is told \
                                     with its age, or nothing; give its services names of their own"
                                );
                            }
                        }
                        Err(error) => locked(book).on_failure(&error, self.0.clock.now()),
                    }
                    self.0.read.send_replace(());
                    continue;
                }
                Next::At(at) => Some(forgets_at.map_or(at, |forgets_at| at.min(forgets_at))),
                Next::Nothing => forgets_at,
            };
            let asked = self.0.asked.notified();
            match wakes_at {
                Some(at) => {
                    let _ = tokio::time::timeout(self.0.clock.until(at), asked).await;
                }
                None => asked.await,
            }
        }
    }
}

/// A failure is said once, and so is its end.
fn say(fails: &mut bool, failure: Option<&ZoneError>) {
    match (std::mem::replace(fails, failure.is_some()), failure) {
        (false, Some(error)) => tracing::warn!(
            event = "sd_unread",
            %error,
            "names that Prometheus asks for cannot be read: what is known of them is told with its age"
        ),
        (true, None) => tracing::info!(event = "sd_read", "names that Prometheus asks for can be read again"),
        _ => {}
    }
}

// A panic under the lock leaves an older answer at worst.
fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
