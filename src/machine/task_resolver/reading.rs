//! What an inspection amounts to: in the lifecycle's terms, and in troubles for the log.
//!
//! Owns whose ports are given a moment to show up. Who is told is decided by the [resolver](super).

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::Trouble;
use crate::container::offer::{FROZEN, FROZEN_REMEDY, Unpublished, has_frozen_check, offers, published};
use crate::container::{Container, Network, Running};
use crate::machine::lifecycle::{Desired, Sight};
use crate::record::ContainerId;

/// What an inspection showed.
#[derive(Clone, Debug)]
pub enum Inspection {
    /// There is no such container.
    Nothing,
    /// The container.
    Container {
        /// Itself.
        container: Box<Container>,
        /// The one whose network it shares.
        network_owner: Option<Box<Container>>,
        /// Its task's own address.
        task_address: Option<Ipv4Addr>,
        /// What ECS wants of that task.
        desired: Desired,
    },
}

/// What that amounts to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// What the lifecycle is to know; `None` of a container that never started.
    pub(super) sight: Option<Sight>,
    /// What of its wishes comes to nothing.
    pub(super) troubles: Vec<(Trouble, String)>,
    /// Whether its ports may not have shown up yet: then that they lack is no trouble so far.
    pub(super) is_early: bool,
}

/// Whoever reads inspections.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    /// What this host is published as.
    host_address: Ipv4Addr,
    /// Containers whose ports are given a moment to show up, or were.
    lagging: BTreeSet<ContainerId>,
}

impl Reader {
    /// Of a host that is published as this address.
    pub(super) fn new(host_address: Ipv4Addr) -> Self {
        Self { host_address, lagging: BTreeSet::new() }
    }

    /// The host is published as this address from now on.
    pub(super) fn on_moved(&mut self, address: Ipv4Addr) {
        self.host_address = address;
    }

    /// Reads what an inspection showed of a container.
    pub(super) fn read(
        &mut self,
        container: &Container,
        network_owner: Option<&Container>,
        task_address: Option<Ipv4Addr>,
        desired: Desired,
    ) -> Reading {
        let (offers, unpublished) = offers(container, network_owner, task_address, self.host_address);
        let is_early = container.running == Running::Running && self.is_early(container, &unpublished);
        let bad_keys = container.bad_keys.iter().map(|bad| (Trouble::BadKey, bad.to_string()));
        let is_settled = container.running == Running::Running && !is_early;
        let lacking = unpublished.into_iter().filter(|_| is_settled).map(not_published);
        let frozen = has_frozen_check(container)
            .then(|| (Trouble::HealthcheckFrozen, format!("{FROZEN}; {FROZEN_REMEDY}")));
        let troubles = bad_keys.chain(lacking).chain(frozen).collect();
        let sight = container.started_at.map(|started_at| Sight {
            started_at,
            lived_before: container.lived_before,
            running: container.running,
            health: container.health,
            stop_signal: container.stop_signal,
            log: container.health_log.clone(),
            task: container.task_arn.clone(),
            family: container.family.clone(),
            published: published(container, self.host_address),
            desired,
            offers,
        });
        Reading { sight, troubles, is_early }
    }

    /// No other containers are left.
    pub(super) fn retain(&mut self, listed: &BTreeSet<ContainerId>) {
        self.lagging.retain(|id| listed.contains(id));
    }

    /// This container is no more.
    pub(super) fn forget(&mut self, id: &ContainerId) {
        self.lagging.remove(id);
    }

    /// Whether ports that lack may show up yet: the first time that they do, where Docker publishes them.
    fn is_early(&mut self, container: &Container, unpublished: &[Unpublished]) -> bool {
        if unpublished.is_empty() {
            self.lagging.remove(&container.id);
            return false;
        }
        container.network == Network::Published && self.lagging.insert(container.id.clone())
    }
}

fn not_published(unpublished: Unpublished) -> (Trouble, String) {
    let Unpublished { service, container_port, reason } = unpublished;
    let remedy = reason.remedy();
    (
        Trouble::NotPublished,
        format!("{service} on port {container_port} is not registered: {reason}; {remedy}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::container;
    use super::*;
    use crate::container::testing::service;

    fn reader() -> Reader {
        Reader::new(Ipv4Addr::new(10, 0, 0, 1))
    }

    fn read(reader: &mut Reader, container: &Container) -> Reading {
        reader.read(container, None, None, Desired::Unasked)
    }

    fn unpublished() -> Container {
        let services = vec![service("_web._tcp", 80, 1)];
        Container { network: Network::Published, services, ..container(1) }
    }

    #[test]
    fn a_container_that_never_started_has_no_life_to_tell_of() {
        let created = Container { started_at: None, running: Running::Stopped, ..unpublished() };
        let expected = Reading { sight: None, troubles: Vec::new(), is_early: false };
        assert_eq!(read(&mut reader(), &created), expected);
    }

    #[test]
    fn ports_that_lack_are_no_trouble_the_first_time_and_again_once_they_were_there() {
        let (mut reader, published) = (reader(), container(1));
        for _ in 0..2 {
            let first = read(&mut reader, &unpublished());
            assert!(first.is_early && first.troubles.is_empty() && first.sight.is_some());
            let again = read(&mut reader, &unpublished());
            assert!(!again.is_early && again.troubles.len() == 1, "{again:?}");
            assert_eq!(again.troubles[0].0, Trouble::NotPublished);
            read(&mut reader, &published);
        }
    }

    #[test]
    fn what_does_not_run_lacks_no_ports() {
        let stopped = Container { running: Running::Stopped, ..unpublished() };
        let reading = read(&mut reader(), &stopped);
        assert!(!reading.is_early && reading.troubles.is_empty());
    }

    #[test]
    fn on_the_hosts_network_nothing_lags() {
        let mut reader = reader();
        let reading = read(&mut reader, &container(1));
        assert!(!reading.is_early);
        assert_eq!(reading.sight.map(|sight| sight.desired), Some(Desired::Unasked));
    }

    #[test]
    fn who_is_gone_is_given_a_moment_again() {
        let mut reader = reader();
        assert!(read(&mut reader, &unpublished()).is_early);
        reader.forget(&unpublished().id);
        assert!(read(&mut reader, &unpublished()).is_early);
        reader.retain(&BTreeSet::new());
        assert!(read(&mut reader, &unpublished()).is_early);
    }
}
