//! The health of one service, and whom to ask about it.
//!
//! Owns what a verdict makes of it. The weight that follows from it is said by its [claim](super::Claim).

use super::REMIND_AFTER;
use crate::container::convention::Timing;
use crate::container::offer::{At, Binder, EffectiveCheck, Offer};
use crate::machine::probe::Verdict;
use crate::moment::Moment;

/// What is known of a service's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has not passed its check in this life. Nothing is wanted.
    Unproven {
        /// Since when it has been waited for.
        since: Moment,
        /// When the log says next that it is.
        remind_at: Moment,
    },
    /// An earlier run registered it, at weight 0 for whatever reason, or nobody knows of which of the container's lives
    /// that run had seen its check pass. Until its check answers it is wanted at weight 0, which neither sends anybody
    /// to what may not serve nor empties a name of what may.
    Inherited,
    /// Wanted at its weight.
    Serving,
    /// It served before. Wanted at weight 0.
    Failing,
}

/// What a prober asks: services that share a port and a check share a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Where clients would connect.
    pub at: At,
    /// What to ask there.
    pub check: EffectiveCheck,
    /// How often, and for how long.
    pub timing: Timing,
    /// Whether Docker leads the port to the container: where that is by a proxy, it takes the connections.
    pub is_led: bool,
}

impl Health {
    pub(super) fn unproven(now: Moment) -> Self {
        Self::Unproven { since: now, remind_at: now + REMIND_AFTER }
    }

    /// A verdict never takes back that it has served: then it fails.
    pub(super) fn judge(&mut self, verdict: Verdict) {
        *self = match (*self, verdict) {
            (_, Verdict::Up) => Self::Serving,
            (Self::Serving, Verdict::Down) => Self::Failing,
            (other, Verdict::Down) => other,
        };
    }
}

impl Target {
    /// Whom to ask about an offer; `None` where nobody is asked.
    pub fn of(offer: &Offer) -> Option<Self> {
        match offer.check {
            EffectiveCheck::Tcp | EffectiveCheck::Http(_) => {
                let is_led = matches!(offer.binder, Binder::Docker { .. });
                let Offer { at, check, service, .. } = offer;
                Some(Self { at: *at, check: check.clone(), timing: service.timing, is_led })
            }
            EffectiveCheck::Docker | EffectiveCheck::None => None,
        }
    }
}
