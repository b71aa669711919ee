//! The Agent's children: what each is given of the dependencies, and how it is started.

use ractor::{Actor, ActorCell, ActorId, ActorRef, SpawnErr};

use super::{AgentState, WRITER_HOLD};
use crate::actors::docker_watcher::{DockerWatcher, DockerWatcherArgs};
use crate::actors::host_watcher::{HostWatcher, HostWatcherArgs};
use crate::actors::messages::{AgentMessage, Child};
use crate::actors::peers::Slot;
use crate::actors::registrar::{Registrar, RegistrarArgs};
use crate::actors::route53_writer::{Route53Writer, Route53WriterArgs};
use crate::actors::task_resolver::{TaskResolver, TaskResolverArgs};
use crate::moment::Moment;
use crate::reconcile::route53_writer::Plan;

impl AgentState {
    pub(super) async fn spawn(
        &mut self,
        myself: &ActorRef<AgentMessage>,
        child: Child,
    ) -> Result<(), SpawnErr> {
        let (agent, peers) = (myself.get_cell(), self.peers.clone());
        let id = match child {
            Child::Watcher => start(DockerWatcher, self.for_watcher(), &peers.watcher, agent).await?,
            Child::Resolver => start(TaskResolver, self.for_resolver(), &peers.resolver, agent).await?,
            Child::Registrar => start(Registrar, self.for_registrar(), &peers.registrar, agent).await?,
            Child::Writer => {
                self.writer_generation += 1;
                start(Route53Writer, self.for_writer(), &peers.writer, agent).await?
            }
            Child::Host => {
                let Some(args) = self.for_host() else { return Ok(()) };
                start(HostWatcher, args, &peers.host, agent).await?
            }
        };
        self.children.retain(|(_, other)| *other != child);
        self.children.push((id, child));
        Ok(())
    }

    fn for_watcher(&self) -> DockerWatcherArgs {
        DockerWatcherArgs {
            docker: self.dependencies.docker.clone(),
            checker: self.dependencies.checker.clone(),
            board: self.dependencies.board.clone(),
            clock: self.dependencies.clock,
            seq: self.seq.clone(),
            resync: self.dependencies.writer.resync,
            seed: self.seed(Child::Watcher),
            resolver: self.peers.resolver.clone(),
        }
    }

    fn for_resolver(&self) -> TaskResolverArgs {
        TaskResolverArgs {
            docker: self.dependencies.docker.clone(),
            tasks: self.dependencies.tasks.clone(),
            host_address: self.dependencies.writer.registrant.address,
            board: self.dependencies.board.clone(),
            clock: self.dependencies.clock,
            registrar: self.peers.registrar.clone(),
        }
    }

    fn for_registrar(&self) -> RegistrarArgs {
        RegistrarArgs {
            registrant: self.dependencies.writer.registrant.clone(),
            stop_belief: self.dependencies.stop_belief,
            follows_route: self.dependencies.follows_route,
            signals: self.dependencies.signals.clone(),
            cordons: self.dependencies.cordons.clone(),
            expects_notice: self.dependencies.notices.is_some(),
            checker: self.dependencies.checker.clone(),
            board: self.dependencies.board.clone(),
            probes_max: self.dependencies.probes_max,
            clock: self.dependencies.clock,
            seed: self.seed(Child::Registrar),
            agent: self.peers.agent.clone(),
            resolver: self.peers.resolver.clone(),
            registrar: self.peers.registrar.clone(),
            writer: self.peers.writer.clone(),
        }
    }

    fn for_writer(&self) -> Route53WriterArgs {
        let mut settings = self.dependencies.writer.clone();
        settings.seed = self.seed(Child::Writer);
        // After a panic an earlier call may be under way, or waited for.
        let again = self.restarts.is_recovering();
        Route53WriterArgs {
            zone: self.dependencies.zone.clone(),
            settings,
            plan: Plan {
                generation: self.writer_generation,
                hold_until: if again { self.dependencies.clock.now() + WRITER_HOLD } else { Moment::START },
                once: self.dependencies.once,
                confirm: self.dependencies.stop.confirm,
            },
            fleet: self.dependencies.fleet.clone(),
            board: self.dependencies.board.clone(),
            clock: self.dependencies.clock,
            agent: self.peers.agent.clone(),
            registrar: self.peers.registrar.clone(),
        }
    }

    fn for_host(&self) -> Option<HostWatcherArgs> {
        Some(HostWatcherArgs {
            sources: self.dependencies.notices.clone()?,
            memory: self.memory.clone(),
            address: self.dependencies.writer.registrant.address,
            fleet: self.dependencies.fleet.clone(),
            board: self.dependencies.board.clone(),
            clock: self.dependencies.clock,
            seed: self.seed(Child::Host),
            agent: self.peers.agent.clone(),
            registrar: self.peers.registrar.clone(),
        })
    }

    fn seed(&self, child: Child) -> u64 {
        seed(self.dependencies.writer.seed, child)
    }
}

async fn start<A: Actor>(
    actor: A,
    args: A::Arguments,
    slot: &Slot<A::Msg>,
    agent: ActorCell,
) -> Result<ActorId, SpawnErr> {
    let (started, _) = A::spawn_linked(None, actor, args, agent).await?;
    let id = started.get_id();
    slot.fill(started);
    Ok(id)
}

/// What a child draws its jitter from. Two that drew from one seed would wait in step.
fn seed(of_agent: u64, child: Child) -> u64 {
    let mut rng = fastrand::Rng::with_seed(of_agent);
    (0..child as u8).fold(rng.u64(..), |_, _| rng.u64(..))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_child_draws_from_a_seed_of_its_own_which_the_agents_decides() {
        const CHILDREN: [Child; 5] =
            [Child::Watcher, Child::Resolver, Child::Registrar, Child::Writer, Child::Host];
        let of = |agent: u64| CHILDREN.map(|child| seed(agent, child));
        // Agents whose seeds are neighbours, as the hosts of a simulation have them.
        let all: BTreeSet<u64> = (0..1_000).flat_map(of).collect();
        assert_eq!(all.len(), 5_000, "two actors draw from one seed");
        assert_eq!(of(7), of(7));
    }
}
