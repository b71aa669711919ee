//! What an agent's status is made of, from the first moment on: before the host and its zone are known, it says what is
//! waited for.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;

use crate::actors::{self, Hand, Heart};
use crate::clock::Clock;
use crate::config::Config;
use crate::container::Timestamp;
use crate::journal::{self, SharedJournal};
use crate::machine::cordon::Order;
use crate::serve::dns::ask;
use crate::serve::status::{Listen, Ordered, Source, serve};
use crate::serve::web::Front;
use crate::status::schema::Status;
use crate::status::{Board, Facts, Journal, Seen, Watch, assemble};
use crate::zone::embedded::EmbeddedZone;

/// How often the agent's actors are asked for a sign of life.
const PULSE_EVERY: Duration = Duration::from_secs(5);

/// A status, and where it is served.
#[derive(Debug)]
pub(super) struct Shown {
    known: Arc<OnceLock<Known>>,
    hand: Arc<OnceLock<Hand>>,
    front: Option<Front>,
}

/// What is known once an agent is about to start.
#[derive(Debug)]
struct Known {
    facts: Facts,
    clock: Clock,
    journal: Option<SharedJournal>,
    zone: Option<EmbeddedZone>,
}

/// The agent of this process, as it is shown.
struct Agent {
    watch: Watch,
    /// Since the process began.
    up: Clock,
    known: Arc<OnceLock<Known>>,
    hand: Arc<OnceLock<Hand>>,
}

impl Source for Agent {
    fn look(&self) -> (Status, Seen) {
        let known = self.known.get();
        let seen = Seen {
            up: self.up.now().since_start(),
            time: Some(Timestamp::from(SystemTime::now())),
            journal: known.and_then(|known| known.journal.as_ref()).map(journal).unwrap_or_default(),
            log_lines_dropped: crate::logs::dropped(),
            ..Seen::of(&self.watch, known.map(|known| known.clock.now()))
        };
        (assemble(known.map(|known| &known.facts), &seen), seen)
    }

    fn ask(&self, name: &str, kind: &str) -> Option<String> {
        self.zone_here().map(|zone| ask::ask(zone, name, kind))
    }

    fn zone(&self) -> Option<String> {
        self.zone_here().map(ask::list)
    }

    fn order(&self, order: Order) -> BoxFuture<'static, Ordered> {
        let hand = self.hand.get().cloned();
        Box::pin(async move {
            let Some(hand) = hand else {
                return Ordered::NotNow(
                    "the agent is still starting: ecssd --status says what it waits for\n".to_owned(),
                );
            };
            match hand.order(order).await {
                None => Ordered::NotNow("the agent ends; ask the next one\n".to_owned()),
                Some(Err(refused)) => Ordered::Refused(format!("{refused}\n")),
                Some(Ok(actors::Ordered { report, kept: Ok(()) })) => Ordered::Done(report.to_string()),
                Some(Ok(actors::Ordered { report, kept: Err(error) })) => {
                    Ordered::NotKept(format!("{report}but a restart of the agent would forget it: {error}\n"))
                }
            }
        })
    }
}

impl Agent {
    fn zone_here(&self) -> Option<&EmbeddedZone> {
        self.known.get().and_then(|known| known.zone.as_ref())
    }
}

impl Shown {
    /// Serves what `board` shows, where it was asked for.
    pub(super) fn serve(config: &Config, board: &Board, connections_max: usize) -> Self {
        let (known, hand): (Arc<OnceLock<Known>>, Arc<OnceLock<Hand>>) = Default::default();
        // A plan keeps out of the way of the agent that runs beside it.
        let sockets = if config.dry_run { Vec::new() } else { config.status.sockets.clone() };
        let listen = Listen { address: config.status.address, sockets };
        if listen == Listen::default() {
            return Self { known, hand, front: None };
        }
        if listen.sockets.iter().any(|socket| socket.starts_with(&config.state_dir)) {
            // The journal, which makes it otherwise, waits for the zone: who asks why would find nobody to ask.
            journal::make_dir(&config.state_dir);
        }
        let source =
            Agent { watch: board.watch(), up: Clock::start(), known: known.clone(), hand: hand.clone() };
        let front = serve(listen, source, connections_max);
        let said = front.inspect_err(|error| {
            tracing::warn!(event = "status_not_served", %error, "the status is not served: all else goes on");
        });
        Self { known, hand, front: said.ok() }
    }

    /// From here on an agent runs by this clock, and its zone is this one, where it is in this process.
    pub(super) fn know(
        &self,
        facts: Facts,
        clock: Clock,
        journal: Option<SharedJournal>,
        zone: Option<EmbeddedZone>,
    ) {
        let _ = self.known.set(Known { facts, clock, journal, zone });
    }

    /// From here on the agent can be asked for something.
    pub(super) fn lead(&self, hand: Hand) {
        let _ = self.hand.set(hand);
    }

    /// Asks for signs of life for ever, so that whoever hangs is seen to.
    pub(super) async fn pulse(&self, heart: &Heart) -> std::convert::Infallible {
        if self.front.is_none() {
            return std::future::pending().await;
        }
        loop {
            // Who hangs holds up nobody else.
            let _ = tokio::time::timeout(PULSE_EVERY, heart.beats()).await;
            tokio::time::sleep(PULSE_EVERY).await;
        }
    }
}

fn journal(journal: &SharedJournal) -> Journal {
    let (is_whole, trouble) = journal.state();
    Journal { is_kept: true, is_whole, trouble }
}
