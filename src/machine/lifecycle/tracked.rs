//! A service of a life, and what is known of it.
//!
//! Owns how a HEALTHCHECK's word and the end of a pause bear on one service. What bears on all of a life is decided by
//! the [life](super::Life), and what is wanted by its [claim](super::Claim).

use super::Health;
use super::pause::Phase;
use crate::container;
use crate::container::convention::Answer;
use crate::container::offer::{EffectiveCheck, Offer};
use crate::machine::probe::Verdict;
use crate::moment::Moment;

/// A service of a life, and its health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// What is offered.
    pub offer: Offer,
    /// How it does.
    pub health: Health,
    /// Whether it has weight 0 for a signal that may have ended it, or for a pause.
    pub doubted: bool,
}

impl Tracked {
    /// An offer, with what is known of it already. `doubted` and `frozen` say how its life does.
    pub(super) fn new(offer: Offer, known: &[Self], doubted: bool, frozen: bool, now: Moment) -> Self {
        // A HEALTHCHECK that is run no more leaves the service what it has proved.
        let (health, doubted) = match known.iter().find(|tracked| tracked.offer.goes_on_as(&offer)) {
            Some(tracked) => (tracked.health, tracked.doubted),
            // What is frozen when it is first seen does not serve yet.
            None if offer.check == EffectiveCheck::None && !frozen => (Health::Serving, doubted),
            None => (Health::unproven(now), doubted),
        };
        Self { offer, health, doubted }
    }

    /// What Docker says of the image's HEALTHCHECK; `passed`, where that ends a doubt.
    pub(super) fn on_healthcheck(&mut self, health: Option<container::Health>, passed: bool) {
        if self.offer.check != EffectiveCheck::Docker {
            return;
        }
        self.doubted &= !passed;
        match health {
            // In doubt it can be what was said before.
            Some(container::Health::Healthy) if self.doubted => {}
            Some(container::Health::Healthy) => self.health.judge(Verdict::Up),
            Some(container::Health::Unhealthy) => self.health.judge(Verdict::Down),
            Some(container::Health::Starting) | None => {}
        }
    }

    /// A doubt is over for what cannot be asked: after a signal that is what has no check, after a pause a HEALTHCHECK, too.
    pub(super) fn on_doubt_over(&mut self, of_signal: bool, health: Option<container::Health>) {
        match self.offer.check {
            EffectiveCheck::None => self.doubted = false,
            EffectiveCheck::Docker if !of_signal && self.doubted => {
                self.doubted = false;
                self.on_healthcheck(health, false);
            }
            _ => {}
        }
    }

    /// Its process goes on after a pause that came so far. What a long one leaves of what was known is that it has
    /// served, and after a withdrawal not even that.
    pub(super) fn on_unpaused(&mut self, phase: Phase, now: Moment) {
        let was_withdrawn = phase == Phase::Withdrawn && self.offer.service.answer != Answer::All;
        self.health = match self.health {
            _ if self.offer.check == EffectiveCheck::None => Health::Serving,
            Health::Unproven { .. } => Health::unproven(now),
            _ if was_withdrawn => Health::unproven(now),
            health => health,
        };
        self.doubted |= phase > Phase::Short && self.offer.check != EffectiveCheck::None;
    }
}
