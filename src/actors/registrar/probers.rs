//! The HealthProbers of a host: one for each container that has targets.
//!
//! Owns which prober speaks for a container now. What is probed is decided by the
//! [registrar](crate::machine::registrar), how by each prober.

use std::collections::BTreeMap;

use ractor::{Actor, ActorId, ActorRef, SpawnErr};

use super::RegistrarArgs;
use crate::actors::health_prober::{Fleet, HealthProber, HealthProberArgs};
use crate::actors::messages::HealthProberMessage;
use crate::container::Timestamp;
use crate::machine::lifecycle::{Target, Unproven};
use crate::machine::registrar::{Output, Registrar};
use crate::record::ContainerId;

#[derive(Debug)]
struct Prober {
    actor: ActorRef<HealthProberMessage>,
    life: Timestamp,
    targets: Vec<Target>,
}

/// The probers of a host.
pub(super) struct Probers {
    by_container: BTreeMap<ContainerId, Prober>,
    fleet: Fleet,
    /// Of their seeds.
    rng: fastrand::Rng,
}

impl Probers {
    /// Has so many checks in flight at most.
    pub(super) fn new(probes_max: usize, seed: u64) -> Self {
        Self {
            by_container: BTreeMap::new(),
            fleet: Fleet::new(probes_max),
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// Whether this one speaks for the container.
    pub(super) fn has(&self, container: &ContainerId, prober: &ActorId) -> bool {
        self.by_container.get(container).is_some_and(|it| it.actor.get_id() == *prober)
    }

    /// What is to be probed in place of this prober, which failed.
    pub(super) fn replacing(&self, failed: &ActorId) -> Option<Output> {
        let mut all = self.by_container.iter();
        let (container, prober) = all.find(|(_, prober)| prober.actor.get_id() == *failed)?;
        let (life, targets) = (prober.life, prober.targets.clone());
        Some(Output::Probe { container: container.clone(), life, targets })
    }

    /// Has the container's prober explain why a service has not passed; gives it back where none asks.
    pub(super) fn explain(&self, container: &ContainerId, unproven: Unproven) -> Option<Unproven> {
        match self.by_container.get(container) {
            Some(prober) if unproven.is_probed() => {
                let _ = prober.actor.cast(HealthProberMessage::Explain(unproven));
                None
            }
            _ => Some(unproven),
        }
    }

    /// Probes these targets of a container in place of those before.
    pub(super) async fn start(
        &mut self,
        args: &RegistrarArgs,
        registrar: &Registrar,
        container: ContainerId,
        life: Timestamp,
        targets: Vec<Target>,
    ) -> Result<(), SpawnErr> {
        if let Some(prober) = self.by_container.remove(&container) {
            prober.actor.stop(None);
        }
        args.board.checks.retain(&container, &targets);
        self.fleet.suspicion().seat(container.clone(), registrar.services(&container), targets.len());
        if targets.is_empty() {
            return Ok(());
        }
        let prober = HealthProberArgs {
            container: container.clone(),
            name: registrar.name(&container).to_owned(),
            life,
            targets: targets.clone(),
            checker: args.checker.clone(),
            registrar: args.registrar.clone(),
            fleet: self.fleet.clone(),
            checks: args.board.checks.clone(),
            clock: args.clock,
            seed: self.rng.u64(..),
        };
        // The Agent supervises probers as it does all others: one budget of restarts for the host.
        let Some(agent) = args.agent.get() else { return Ok(()) };
        let (actor, _) = HealthProber::spawn_linked(None, HealthProber, prober, agent.get_cell()).await?;
        self.by_container.insert(container, Prober { actor, life, targets });
        Ok(())
    }
}
