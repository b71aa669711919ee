//! Which engine runs the containers, and what of it changes what checks and events mean.
//!
//! Pure: what an engine says of itself, and what is read of its daemon's settings, come from [`crate::edge::engine`].

use std::collections::BTreeSet;
use std::fmt;

/// The first Docker that runs HEALTHCHECKs on after a restart with live-restore.
const HEALTHCHECKS_GO_ON: u32 = 23;

/// Which engine it is, and of which version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// Its version.
    pub version: String,
    /// Its other parts, by name: `containerd`, `rootlesskit`, `Podman Engine`.
    pub parts: Vec<String>,
}

impl Engine {
    /// The first number of its version.
    pub fn major(&self) -> Option<u32> {
        self.version.split('.').next()?.parse().ok()
    }

    /// Whether it is Podman, which tells of no stopping signal.
    pub fn is_podman(&self) -> bool {
        self.has("Podman")
    }

    /// Whether it runs no HEALTHCHECK any more once it was restarted with live-restore.
    pub fn freezes_healthchecks(&self) -> bool {
        !self.is_podman() && self.major().is_some_and(|major| major < HEALTHCHECKS_GO_ON)
    }

    fn has(&self, part: &str) -> bool {
        self.parts.iter().any(|it| it.contains(part))
    }
}

/// How a daemon is set up. What is not said is as the vendor has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Daemon {
    /// Whether containers live on while it is restarted.
    pub live_restore: bool,
    /// Whether it leads published ports by a proxy too.
    pub userland_proxy: bool,
    /// Whether it leads them by the kernel.
    pub iptables: bool,
}

/// Why a proxy may take the connections to the ports that Docker publishes, and close those that it cannot pass on: then
/// a connection says nothing of the process behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proxy {
    /// The engine is no root, and has no NAT.
    Rootless,
    /// It was told to make no NAT.
    NoNat,
    /// The NAT is not for whoever comes from a container's bridge.
    OwnNetwork,
}

impl Proxy {
    /// Whether one may stand between this process and the ports that `engine` publishes. `daemon` is how that is set up,
    /// where it can be seen; `has_own_network`, whether this process is in a container that has one.
    ///
    /// Source: moby, `libnetwork/drivers/bridge`: the rule that leads a port excepts what comes from a bridge, unless
    /// there is no proxy to take that.
    pub fn before(engine: &Engine, daemon: Option<Daemon>, has_own_network: bool) -> Option<Self> {
        if engine.has("rootlesskit") {
            return Some(Self::Rootless);
        }
        match daemon {
            _ if engine.is_podman() => None,
            Some(Daemon { iptables: false, .. }) => Some(Self::NoNat),
            Some(Daemon { userland_proxy: false, .. }) => None,
            Some(_) | None => has_own_network.then_some(Self::OwnNetwork),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rootless => {
                "Docker runs rootless: its proxy takes connections for every published port, also where nobody listens"
            }
            Self::NoNat => {
                "Docker leads published ports by its proxy alone (iptables off), which takes connections also where \
                 nobody listens"
            }
            Self::OwnNetwork => {
                "this process has the network of a container: from there Docker's proxy may take connections for \
                 published ports, also where nobody listens"
            }
        })
    }
}

/// What an engine keeps from whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caveat {
    /// A connection to a port that it publishes says little of the process behind it.
    Proxy(Proxy),
    /// It tells of no signal: a stop is seen once the process has ended.
    NoSignals,
    /// It may cease to run HEALTHCHECKs, of which nothing is told.
    HealthchecksFreeze,
}

impl Caveat {
    /// All of an engine. The rest is as for [`Proxy::before`].
    pub fn of(engine: &Engine, daemon: Option<Daemon>, has_own_network: bool) -> BTreeSet<Self> {
        let proxy = Proxy::before(engine, daemon, has_own_network).map(Self::Proxy);
        let freezes = engine.freezes_healthchecks() && daemon.is_none_or(|daemon| daemon.live_restore);
        let others = [(engine.is_podman(), Self::NoSignals), (freezes, Self::HealthchecksFreeze)];
        let others = others.into_iter().filter_map(|(is_so, caveat)| is_so.then_some(caveat));
        proxy.into_iter().chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(version: &str, part: &str) -> Engine {
        Engine { version: version.to_owned(), parts: vec![part.to_owned()] }
    }

    #[test]
    fn a_proxy_is_before_the_ports_only_where_the_kernel_does_not_lead_to_them() {
        let docker = engine("28.3.1", "containerd");
        let vendors = Daemon { live_restore: false, userland_proxy: true, iptables: true };
        let of_daemon = |daemon| [false, true].map(|own| Proxy::before(&docker, daemon, own));
        assert_eq!(of_daemon(None), [None, Some(Proxy::OwnNetwork)]);
        assert_eq!(of_daemon(Some(vendors)), [None, Some(Proxy::OwnNetwork)]);
        let no_proxy = Daemon { userland_proxy: false, ..vendors };
        assert_eq!(of_daemon(Some(no_proxy)), [None, None]);
        let no_nat = Daemon { iptables: false, ..vendors };
        assert_eq!(of_daemon(Some(no_nat)), [Some(Proxy::NoNat); 2]);
        let rootless = engine("28.3.1", "rootlesskit");
        assert_eq!(Proxy::before(&rootless, Some(no_proxy), false), Some(Proxy::Rootless));
        assert_eq!(Proxy::before(&engine("5.2.0", "Podman Engine"), None, true), None);
    }

    #[test]
    fn podman_tells_of_no_signals() {
        let of = |part| Caveat::of(&engine("28.3.1", part), None, false);
        assert_eq!(of("Podman Engine"), [Caveat::NoSignals].into());
        assert_eq!(of("rootlesskit"), [Caveat::Proxy(Proxy::Rootless)].into());
        assert_eq!(of("runc"), [].into());
    }

    #[test]
    fn healthchecks_freeze_before_docker_23() {
        let freezes = |version, part| engine(version, part).freezes_healthchecks();
        assert!(freezes("20.10.24+dfsg1", "runc") && !freezes("23.0.0", "runc"));
        assert!(!freezes("4.3.1", "Podman Engine") && !freezes("dev", "runc"));
        let daemon = Daemon { live_restore: false, userland_proxy: true, iptables: true };
        let of = |daemon| Caveat::of(&engine("20.10.24", "runc"), daemon, false);
        assert_eq!((of(Some(daemon)), of(None)), ([].into(), [Caveat::HealthchecksFreeze].into()));
        assert_eq!(of(Some(Daemon { live_restore: true, ..daemon })), [Caveat::HealthchecksFreeze].into());
    }
}
