//! What a lifecycle is told: what happened to its container, and what an inspection showed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use super::{Desired, Seq, Taken, Target};
use crate::container::convention::Answer;
use crate::container::offer::{At, Endpoint, Offer};
use crate::container::{self, Checked, Family, Running, Timestamp};
use crate::machine::past::{Signals, Trace};
use crate::machine::probe::Verdict;

/// What one inspection of a container showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When this life of the container began.
    pub started_at: Timestamp,
    /// Whether the container had a life before that, which has ended.
    pub lived_before: bool,
    /// Whether it runs.
    pub running: Running,
    /// The image's own HEALTHCHECK, where there is one.
    pub health: Option<container::Health>,
    /// The signal that asks this container to stop.
    pub stop_signal: u8,
    /// The latest runs of that HEALTHCHECK, in order.
    pub log: Vec<Checked>,
    /// The ECS task that it belongs to, by ARN.
    pub task: Option<String>,
    /// What it was started from.
    pub family: Option<Family>,
    /// The ports that Docker publishes for it.
    pub published: BTreeSet<Endpoint>,
    /// What ECS wants of that task.
    pub desired: Desired,
    /// What it offers to publish.
    pub offers: Vec<Offer>,
}

/// Where a record leads that stands in the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// To a port: an SRV record.
    Target {
        /// The container's own.
        container_port: u16,
        /// Where clients reach it.
        at: At,
    },
    /// To an address: of the container's task, or the host's.
    Address(Option<Ipv4Addr>),
}

impl Registered {
    /// Whether a record under this name that leads there is one of this offer.
    pub fn is_of(&self, service: &str, offer: &Offer) -> bool {
        let is_address = offer.service.answer == Answer::Address;
        let leads = match (self, offer.at) {
            (Self::Target { container_port, at }, of_offer) => {
                !is_address && *at == of_offer && *container_port == offer.service.container_port
            }
            (Self::Address(None), At::Host { .. }) => is_address,
            (Self::Address(Some(own)), At::Task { address, .. }) => is_address && *own == address,
            (Self::Address(_), _) => false,
        };
        leads && offer.service.name.as_str() == service
    }
}

/// What happened to a container, or was seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An inspection that was asked for at `as_of` showed this.
    Seen {
        /// When the inspection was asked for.
        as_of: Seq,
        /// What it showed.
        sight: Box<Sight>,
    },
    /// An inspection or a complete list, asked for at `as_of`, did not show it.
    Absent {
        /// When it was asked for.
        as_of: Seq,
    },
    /// Docker sent it a signal.
    Killed {
        /// The place of the news.
        at: Seq,
        /// The signal's number.
        signal: u8,
        /// When, by Docker's clock.
        time: Timestamp,
        /// How long ago: what is remembered is old.
        age: Duration,
    },
    /// Its process ended.
    Died {
        /// The place of the news.
        at: Seq,
        /// When, by Docker's clock.
        time: Timestamp,
    },
    /// Another life of it began.
    Started {
        /// The place of the news.
        at: Seq,
    },
    /// Somebody begins to listen to the engine, and hears what it remembers of this container.
    Remembered {
        /// The place of the news.
        at: Seq,
        /// What is left of its past.
        trace: Trace,
        /// Whether the engine was started after the latest signal that is known.
        restarted: bool,
    },
    /// An earlier run heard that this life was sent these signals.
    Recalled {
        /// The life and its signals.
        signals: Signals,
        /// By the wall clock.
        wall: SystemTime,
    },
    /// A prober's verdict on one target of one life.
    Probed {
        /// The life that was probed.
        life: Timestamp,
        /// The target.
        target: Target,
        /// What the results amount to.
        verdict: Verdict,
    },
    /// The zone already holds this very service of this container, written by an earlier run.
    Registered {
        /// The name that it stands under.
        service: String,
        /// Where the record leads.
        at: Registered,
        /// The record's weight; that of the one beside it, where it has none itself.
        weight: u8,
    },
    /// These of the ports that it claims are another container's; all others are not, or not known to be.
    Taken(BTreeMap<Endpoint, Taken>),
    /// The agent ends, and takes its records along.
    Drain,
    /// Time has passed.
    Tick,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::offer::EffectiveCheck;
    use crate::container::testing::offer;

    const WEB: &str = "_web._tcp.sd.internal";

    #[test]
    fn a_record_is_of_the_offer_that_it_names_and_leads_to() {
        let own = Ipv4Addr::new(10, 0, 3, 7);
        let at_host = offer("_web._tcp", 32_768, EffectiveCheck::None);
        let at_task = Offer { at: At::Task { address: own, port: 80 }, ..at_host.clone() };
        let target = |container_port, at| Registered::Target { container_port, at };
        assert!(target(80, at_host.at).is_of(WEB, &at_host));
        assert!(!target(80, at_host.at).is_of("_api._tcp.sd.internal", &at_host));
        assert!(!target(81, at_host.at).is_of(WEB, &at_host));
        assert!(!target(80, at_task.at).is_of(WEB, &at_host));

        let answers_with_an_address = |offer: &Offer| {
            let mut offer = offer.clone();
            offer.service.answer = Answer::Address;
            offer
        };
        let (of_host, of_task) = (answers_with_an_address(&at_host), answers_with_an_address(&at_task));
        assert!(!target(80, at_host.at).is_of(WEB, &of_host), "no record of a port");
        let (hosts, tasks) = (Registered::Address(None), Registered::Address(Some(own)));
        let others = Registered::Address(Some(Ipv4Addr::new(10, 0, 3, 8)));
        assert!(hosts.is_of(WEB, &of_host) && !hosts.is_of(WEB, &of_task) && !hosts.is_of(WEB, &at_host));
        assert!(tasks.is_of(WEB, &of_task) && !tasks.is_of(WEB, &of_host) && !tasks.is_of(WEB, &at_task));
        assert!(!others.is_of(WEB, &of_task));
    }
}
