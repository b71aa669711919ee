//! The hosted zone of Route 53 that is written to: found, waited for, and found again where somebody made it anew.

use std::sync::Arc;

use super::error::RunError;
use crate::edge::host::identity::Identity;
use crate::status::{Board, Part};
use crate::zone::Zone;
use crate::zone::route53::{self, FindError, Route53Zone, Settings, Wanted};

/// A hosted zone that was found.
#[derive(Clone, Debug)]
pub(super) struct Hosted {
    zone: Arc<Route53Zone>,
    settings: Settings,
}

impl Hosted {
    /// Finds it. A daemon waits for one that is not there; who is soon over is told at once.
    pub(super) async fn find(
        wanted: &Wanted,
        endpoint_url: Option<String>,
        identity: &Identity,
        is_over_soon: bool,
        board: &Board,
    ) -> Result<Self, RunError> {
        let settings = Settings {
            wanted: wanted.clone(),
            endpoint_url,
            region: identity.region.clone(),
            vpc: identity.vpc.clone(),
        };
        let mut said = None;
        let found = route53::wait_for(&settings, |error, _| {
            if is_over_soon && error.is_definite() {
                return Err(RunError::NoZone(error.clone()));
            }
            // A connection breaks in many words.
            let kind = match error {
                FindError::Unanswered { action, error } => format!("{action}: {}", error.kind()),
                error => error.to_string(),
            };
            if said.as_ref() != Some(&kind) {
                tracing::error!(
                    event = "zone_not_found",
                    "no zone yet, so nothing is written; looking for it again: {error}"
                );
                board.set(Part::Zone, Err(format!("no zone yet: {error}")));
                said = Some(kind);
            }
            Ok(())
        });
        let zone = Arc::new(found.await?);
        board.set(Part::Zone, Ok(()));
        tracing::info!(event = "zone_found", zone = zone.name(), id = zone.id(), "hosted zone found");
        Ok(Self { zone, settings })
    }

    /// The zone.
    pub(super) fn zone(&self) -> Arc<dyn Zone> {
        self.zone.clone()
    }

    /// Returns when the zone is gone and another has its name. One that was asked for by its id is no other.
    pub(super) async fn replaced(&self) {
        if matches!(self.settings.wanted, Wanted::Id(_)) {
            return std::future::pending().await;
        }
        self.zone.gone().await;
        let (zone, gone) = (self.zone.name(), self.zone.id());
        let id = route53::wait_for_another(&self.settings, gone).await;
        tracing::warn!(
            event = "zone_replaced",
            zone,
            gone,
            id,
            "the hosted zone is gone, and another has its name: beginning anew with that one"
        );
    }
}
