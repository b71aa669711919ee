//! How many descriptors this process may have open, and who gets how many of them.
//!
//! The soft limit is raised to the hard one. What clients of DNS and checks may take is a share of it, so that
//! there is always a descriptor for Docker, the zone and the journal.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most checks of a host in flight: a thousand containers that start together are asked in turn.
const PROBES_MAX: usize = 64;
/// The most TCP connections of DNS clients. RFC 7766, section 6.2.2, leaves the number to the server.
const DNS_CONNECTIONS_MAX: usize = 128;

/// The most connections of those who ask for the status, over the network; and as many over its socket.
const STATUS_CONNECTIONS_MAX: usize = 32;

/// The limit of this process, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descriptors {
    limit: usize,
}

impl Descriptors {
    /// Raises the soft limit to the hard one. A process that may not stays with what it has.
    pub(super) fn raise() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        let holds = if raised.is_ok() { maximum } else { current };
        // None is no limit.
        Self { limit: holds.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)) }
    }

    /// Checks in flight at once: a quarter of all.
    pub(super) fn probes(self) -> usize {
        PROBES_MAX.min(self.limit / 4).max(1)
    }

    /// Connections of those who ask for the status, over the network: a sixteenth of all.
    pub(super) fn status_connections(self) -> usize {
        STATUS_CONNECTIONS_MAX.min(self.limit / 16).max(1)
    }

    /// Connections of those who ask for targets: a sixteenth of all.
    pub(super) fn targets_connections(self) -> usize {
        self.status_connections()
    }

    /// TCP connections of DNS clients at once: a quarter of all.
    pub(super) fn dns_connections(self) -> usize {
        DNS_CONNECTIONS_MAX.min(self.limit / 4).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_small_limit_is_left_for_docker_and_the_zone() {
        for limit in [16, 64, 256, 1_024, 1 << 20, usize::MAX] {
            let descriptors = Descriptors { limit };
            let clients = descriptors.dns_connections()
                + 2 * descriptors.status_connections()
                + descriptors.targets_connections();
            assert!(descriptors.probes() + clients <= limit / 4 * 3, "{limit}");
        }
        let plenty = Descriptors { limit: 1_024 };
        assert_eq!((plenty.probes(), plenty.dns_connections()), (PROBES_MAX, DNS_CONNECTIONS_MAX));
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        Descriptors::raise();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
    }
}
