//! What a container has to do with ports: which Docker publishes for it, which its services claim, and which of
//! these another container has.
//!
//! Owns these words, and how a claim stands while its process stops or is paused. Which of several containers has a
//! port is decided by the [claims](crate::machine::claims), for all of a host.

use std::collections::BTreeSet;

use super::pause::Phase;
use super::{Health, Sight, Tracked};
use crate::container::Timestamp;
use crate::container::convention::Answer;
use crate::container::offer::{Endpoint, Offer};
use crate::record::{ContainerId, Routing};

/// What one life of a container has to do with ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// When the life began.
    pub started_at: Timestamp,
    /// Those that Docker publishes for it, whether it offers anything there or not.
    pub published: BTreeSet<Endpoint>,
    /// Those that its services are to be reached at.
    pub claims: Vec<Claim>,
}

/// A service's claim on its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is offered.
    pub offer: Offer,
    /// What is known of the process behind it.
    pub standing: Standing,
    /// The weight at which it is wanted in DNS; `None` where it is not.
    pub weight: Option<u8>,
    /// Whether that is its own, which another may stand for: not a 0 of who fails, is in doubt or is paused.
    pub serves: bool,
}

/// One service that a container wants in DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What is offered.
    pub offer: Offer,
    /// The record's weight: the service's own, or 0 while it is not healthy.
    pub weight: u8,
    /// Whether that is its own.
    pub serves: bool,
    /// The life that offers it.
    pub started_at: Timestamp,
}

impl Wanted {
    /// How its record shares its name with others. Who asks for all targets finds out for himself which of them serve:
    /// a full name has no weight.
    pub fn routing(&self) -> Routing {
        match self.offer.service.answer {
            Answer::Weighted | Answer::Address => Routing::Weighted(i64::from(self.weight)),
            Answer::All => Routing::Multivalue,
        }
    }
}

/// What is known of the process behind a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Its check passes, or it has none.
    Passing,
    /// An earlier run registered it, and its check has not answered yet.
    Unjudged,
    /// It stops or is paused: it may have the port until it has ended, and nobody asks it.
    Away,
    /// Its check passed in this life, and fails.
    Failing,
    /// Its check has not passed in this life.
    Unproven,
}

/// A port that a container claims, and another one has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who has it.
    pub by: ContainerId,
    /// Why that one.
    pub why: Why,
    /// Whether the record of the one that claims it stays until the other can serve: it was there first, and a name
    /// is not emptied for somebody who is not ready.
    pub keeps: bool,
}

/// Why a container has a port, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Docker publishes it for that container.
    Published,
    /// That container serves there, and did so first.
    Serves,
    /// That container had it, and has not ended.
    Lingers,
    /// An earlier run of the agent registered that container there, and it has not been inspected yet.
    Unseen,
    /// An earlier run of the agent registered that container there, and its check has not answered yet.
    Unjudged,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Published => "Docker publishes it for another container",
            Self::Serves => "another container serves there, and did so first",
            Self::Lingers => "another container that stops or is paused has not ended yet",
            Self::Unseen => "another container was registered there, and has not been inspected yet",
            Self::Unjudged => "another container was registered there, and its check has not answered yet",
        })
    }
}

impl Ports {
    /// Those of a life of which nothing is wanted while its process is there.
    pub(super) fn away(sight: &Sight) -> Self {
        let claim = |offer: &Offer| Claim {
            offer: offer.clone(),
            standing: Standing::Away,
            weight: None,
            serves: false,
        };
        Self {
            started_at: sight.started_at,
            published: sight.published.clone(),
            claims: sight.offers.iter().map(claim).collect(),
        }
    }

    /// The same ports, once their process is told to stop.
    pub(super) fn leaving(mut self) -> Self {
        for claim in &mut self.claims {
            (claim.standing, claim.weight, claim.serves) = (Standing::Away, None, false);
        }
        self
    }

    /// What of them is wanted in DNS.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.claims.iter().filter_map(|claim| claim.wanted(self.started_at)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.published.is_empty() && self.claims.is_empty()
    }
}

impl Claim {
    pub(super) fn of(
        Tracked { offer, health, doubted }: &Tracked,
        kept_out: bool,
        pause: Option<Phase>,
    ) -> Self {
        let (standing, weight) = match health {
            Health::Unproven { .. } => (Standing::Unproven, None),
            Health::Serving if *doubted => (Standing::Passing, Some(0)),
            Health::Serving => (Standing::Passing, Some(offer.service.weight)),
            Health::Inherited => (Standing::Unjudged, Some(0)),
            Health::Failing => (Standing::Failing, Some(0)),
        };
        let serves = *health == Health::Serving && !doubted && pause <= Some(Phase::Short);
        // Nobody asks it, so what is yet to be proven waits for the end of the pause, however short that is; else a short
        // pause changes nothing.
        let standing = match pause {
            Some(_) if standing == Standing::Unproven => Standing::Away,
            Some(Phase::Weightless | Phase::Withdrawn) => Standing::Away,
            Some(Phase::Short) | None => standing,
        };
        let weight = weight.filter(|_| !kept_out);
        let weight = weight.and_then(|weight| match pause {
            Some(pause) => pause.weight(&offer.service, weight),
            None => Some(weight),
        });
        Self { offer: offer.clone(), standing, weight, serves: serves && weight.is_some() }
    }

    /// What is wanted in DNS for it, in a life that began then.
    pub fn wanted(&self, started_at: Timestamp) -> Option<Wanted> {
        let Self { offer, weight, serves, .. } = self;
        weight.map(|weight| Wanted { offer: offer.clone(), weight, serves: *serves, started_at })
    }
}
