//! What Docker says of one container, read once into this system's [`Container`].
//!
//! Owns Docker's spelling of it. What Docker leaves out or gets wrong is read as the state in which nothing is
//! published: not running, no binding. Only an answer that cannot be tied to one container and one life of it
//! is an error.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use bollard::models::{
    ContainerConfig, ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, HealthStatusEnum,
    HealthcheckResult, HostConfig, PortBinding,
};

use crate::container::convention::{self, Convention, Protocol, Scope};
use crate::container::{
    Binding, Checked, Container, Family, Health, InvalidTimestamp, Network, Running, STOP_SIGNAL_DEFAULT,
    Timestamp, parse_signal,
};
use crate::printable::printable;
use crate::record::{ContainerId, InvalidContainerId};

/// The ECS agent's label with the task that a container belongs to.
const TASK_ARN_LABEL: &str = "com.amazonaws.ecs.task-arn";

/// And with the family of that task's definition.
const TASK_FAMILY_LABEL: &str = "com.amazonaws.ecs.task-definition-family";

/// Why an answer of Docker cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Whose answer it is cannot be told.
    #[error("container without a usable id: {0}")]
    Id(#[from] InvalidContainerId),
    /// Which life of the container it is cannot be told.
    #[error("container {id}: {source}")]
    StartedAt {
        /// The container.
        id: ContainerId,
        /// What is wrong with its time.
        source: InvalidTimestamp,
    },
    /// `container:` is followed by something else than an id.
    #[error("container {id}: the owner of its network: {source}")]
    NetworkOwner {
        /// The container.
        id: ContainerId,
        /// What is wrong with the owner's id.
        source: InvalidContainerId,
    },
}

/// Reads an answer to `GET /containers/{id}/json`.
///
/// # Errors
/// Where it cannot be tied to one container and one life of it.
pub fn read(inspect: &ContainerInspectResponse, scope: &Scope) -> Result<Container, InspectError> {
    let id: ContainerId = inspect.id.as_deref().unwrap_or_default().parse()?;
    let state = inspect.state.as_ref();
    let config = inspect.config.as_ref();
    let started_at = state.and_then(|state| state.started_at.as_deref()).unwrap_or_default();
    let started_at = Timestamp::from_docker(started_at)
        .map_err(|source| InspectError::StartedAt { id: id.clone(), source })?;
    // Docker writes the end of a life over that of the one before, and keeps it while the next one runs.
    let finished_at = state.and_then(|state| state.finished_at.as_deref()).unwrap_or_default();
    // An end that cannot be read is one.
    let lived_before = Timestamp::from_docker(finished_at) != Ok(None);
    let network = network(inspect.host_config.as_ref())
        .map_err(|source| InspectError::NetworkOwner { id: id.clone(), source })?;
    let (bindings, bound_ipv6) = bindings(inspect);
    let unpublished = unpublished(inspect.host_config.as_ref(), &bindings, &bound_ipv6);
    let health = health(state, config);
    let labels = config.and_then(|config| config.labels.as_ref());
    let label = |key: &str| labels.and_then(|labels| labels.get(key));
    let image = config.and_then(|config| config.image.as_deref());
    let family = Family::of(label(TASK_FAMILY_LABEL).map(String::as_str), image);
    let Convention { services, bad_keys, ignored } = convention(config, labels, health.is_some(), scope);
    Ok(Container {
        id,
        name: inspect.name.as_deref().map(|name| printable(name.trim_start_matches('/'))).unwrap_or_default(),
        started_at,
        lived_before,
        running: running(state),
        health,
        health_log: health_log(state),
        healthcheck_frozen: false,
        stop_signal: config
            .and_then(|config| config.stop_signal.as_deref())
            .and_then(parse_signal)
            .unwrap_or(STOP_SIGNAL_DEFAULT),
        network,
        bindings,
        bound_ipv6,
        unpublished,
        in_ingress: is_in_ingress(inspect),
        services,
        bad_keys,
        ignored,
        task_arn: label(TASK_ARN_LABEL).filter(|arn| is_arn(arn)).cloned(),
        family,
    })
}

/// Whoever starts a container writes its labels, so this one is taken only where it can be an ARN. The
/// longest that AWS documents for any resource are 2,048 characters (assumed for ECS, whose own are near 150).
fn is_arn(text: &str) -> bool {
    const ARN_OCTETS_MAX: usize = 2_048;
    text.starts_with("arn:")
        && text.len() <= ARN_OCTETS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn running(state: Option<&ContainerState>) -> Running {
    let Some(state) = state else { return Running::Stopped };
    let flag = |flag: Option<bool>| flag.unwrap_or(false);
    // A container between two restarts is "restarting" and "running" at once, without a process.
    if flag(state.restarting) || flag(state.dead) || !state.running.unwrap_or(true) {
        return Running::Stopped;
    }
    match state.status {
        Some(ContainerStateStatusEnum::RUNNING) if flag(state.paused) => Running::Paused,
        Some(ContainerStateStatusEnum::RUNNING) => Running::Running,
        Some(ContainerStateStatusEnum::PAUSED) => Running::Paused,
        _ => Running::Stopped,
    }
}

/// The image's HEALTHCHECK is there by its configuration also in the moments when its state is not.
fn health(state: Option<&ContainerState>, config: Option<&ContainerConfig>) -> Option<Health> {
    let status = state.and_then(|state| state.health.as_ref()).and_then(|health| health.status);
    match status {
        Some(HealthStatusEnum::STARTING) => Some(Health::Starting),
        Some(HealthStatusEnum::HEALTHY) => Some(Health::Healthy),
        Some(HealthStatusEnum::UNHEALTHY) => Some(Health::Unhealthy),
        Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => {
            let test = config.and_then(|config| config.healthcheck.as_ref()?.test.as_ref())?;
            let configured = test.first().is_some_and(|kind| kind != "NONE");
            configured.then_some(Health::Starting)
        }
    }
}

fn health_log(state: Option<&ContainerState>) -> Vec<Checked> {
    let log = state.and_then(|state| state.health.as_ref()).and_then(|health| health.log.as_ref());
    let read = |entry: &HealthcheckResult| {
        let began = Timestamp::from_docker(entry.start.as_deref()?).ok()??;
        Some(Checked { began, passed: entry.exit_code? == 0 })
    };
    log.into_iter().flatten().filter_map(read).collect()
}

/// Whether the HEALTHCHECK's latest result, or where there is none the start, is older than three of its intervals and the
/// time that one run may take.
pub fn is_frozen(inspect: &ContainerInspectResponse, now: SystemTime) -> bool {
    /// Docker's own, of both, where none is said. Source: moby, `daemon/health.go`.
    const DEFAULT: Duration = Duration::from_secs(30);
    let (state, config) = (inspect.state.as_ref(), inspect.config.as_ref());
    if health(state, config).is_none() || running(state) != Running::Running {
        return false;
    }
    let check = config.and_then(|config| config.healthcheck.as_ref());
    let span = |nanos: Option<i64>| {
        let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok()).filter(|nanos| *nanos > 0);
        nanos.map_or(DEFAULT, Duration::from_nanos)
    };
    let interval = span(check.and_then(|check| check.interval));
    let patience = interval.saturating_mul(3).saturating_add(span(check.and_then(|check| check.timeout)));
    let log = state.and_then(|state| state.health.as_ref()).and_then(|health| health.log.as_ref());
    let last = log.and_then(|log| log.last()?.end.as_deref());
    let last = last.or_else(|| state.and_then(|state| state.started_at.as_deref())).unwrap_or_default();
    let last = Timestamp::from_docker(last).ok().flatten();
    last.is_some_and(|last| last.age(now) > patience)
}

fn network(host_config: Option<&HostConfig>) -> Result<Network, InvalidContainerId> {
    match host_config.and_then(|config| config.network_mode.as_deref()) {
        Some("host") => Ok(Network::Host),
        Some("none") => Ok(Network::Isolated),
        Some(mode) => match mode.strip_prefix("container:") {
            Some(owner) => owner.parse().map(Network::Shared),
            None => Ok(Network::Published),
        },
        None => Ok(Network::Published),
    }
}

type Bindings = (BTreeMap<(u16, Protocol), Vec<Binding>>, BTreeSet<(u16, Protocol)>);

fn bindings(inspect: &ContainerInspectResponse) -> Bindings {
    let mut ipv4 = BTreeMap::new();
    let mut ipv6 = BTreeSet::new();
    let ports = inspect.network_settings.as_ref().and_then(|settings| settings.ports.as_ref());
    for (port, bound) in ports.into_iter().flatten() {
        let Some(port) = container_port(port) else { continue };
        let of_port: &mut Vec<Binding> = ipv4.entry(port).or_default();
        for (address, host_port) in bound.iter().flatten().filter_map(host_side) {
            match address {
                IpAddr::V4(address) => of_port.push(Binding { address, port: host_port }),
                IpAddr::V6(_) => {
                    ipv6.insert(port);
                }
            }
        }
        of_port.sort_unstable();
        of_port.dedup();
    }
    (ipv4, ipv6)
}

/// What Docker was asked to publish, and does not: a network of macvlan, ipvlan or one without a way out publishes
/// nothing, and does not say so.
fn unpublished(
    host_config: Option<&HostConfig>,
    bindings: &BTreeMap<(u16, Protocol), Vec<Binding>>,
    bound_ipv6: &BTreeSet<(u16, Protocol)>,
) -> BTreeSet<(u16, Protocol)> {
    let asked = host_config.and_then(|config| config.port_bindings.as_ref());
    let is_bound = |port: &(u16, Protocol)| {
        bindings.get(port).is_some_and(|bindings| !bindings.is_empty()) || bound_ipv6.contains(port)
    };
    let ports = asked.into_iter().flatten().filter_map(|(port, _)| container_port(port));
    ports.filter(|port| !is_bound(port)).collect()
}

/// Docker keeps the network's name for that one.
fn is_in_ingress(inspect: &ContainerInspectResponse) -> bool {
    let networks = inspect.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    networks.is_some_and(|networks| networks.contains_key("ingress"))
}

/// `80/tcp`, `80`. Another transport, such as sctp, is none of ours.
fn container_port(text: &str) -> Option<(u16, Protocol)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    Some((nonzero(port)?, protocol))
}

fn host_side(binding: &PortBinding) -> Option<(IpAddr, u16)> {
    let port = nonzero(binding.host_port.as_deref()?)?;
    let address = match binding.host_ip.as_deref().unwrap_or_default() {
        "" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        address => address.parse().ok()?,
    };
    Some((address, port))
}

fn nonzero(port: &str) -> Option<u16> {
    port.parse().ok().filter(|&port| port > 0)
}

fn convention(
    config: Option<&ContainerConfig>,
    labels: Option<&HashMap<String, String>>,
    has_healthcheck: bool,
    scope: &Scope,
) -> Convention {
    let env = config.and_then(|config| config.env.as_ref()).into_iter().flatten().map(String::as_str);
    // Docker lists them in the order of their keys, which the map has lost.
    let labels: BTreeMap<&str, &str> =
        labels.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let convention = convention::parse(env, labels, scope);
    if has_healthcheck { convention } else { convention.without_healthcheck() }
}

#[cfg(test)]
mod tests;
