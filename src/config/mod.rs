//! Settings, judged: from the command line's text to values that hold.
//!
//! Every bad setting is reported, not only the first, each with what to do. Nothing here touches the
//! world; what is not given and depends on the host is found out by [`crate::edge::host`].

mod bad;
mod idle;
pub mod janitor;
mod line;
mod order;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::change::pacing::{Pace, Rate};
use crate::cli::{self, Cli};
use crate::container::convention::{AllowedNames, FullNames};
use crate::edge::host::identity::Given;
use crate::logs;
use crate::machine::agent::StopPlan;
use crate::zone::route53::Wanted;

pub use crate::machine::cordon::Order;

pub use self::bad::{BadEvent, BadSetting, BadSettings, BadValue, Conflict, Reason};
pub use self::idle::{Idle, Mode, idle};

const DRAIN_TIMEOUT_MIN: Duration = Duration::from_secs(1);
const DRAIN_TIMEOUT_MAX: Duration = Duration::from_secs(600);
const DRAIN_DELAY_MAX: Duration = Duration::from_secs(600);
const STOP_BELIEF_MIN: Duration = Duration::from_secs(1);
const STOP_BELIEF_MAX: Duration = Duration::from_secs(24 * 3_600);
const RESYNC_MIN: Duration = Duration::from_secs(1);
const RESYNC_MAX: Duration = Duration::from_secs(24 * 3_600);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Keep this host's records as they should be, until a signal.
    Serve,
    /// Make them so once.
    Sync,
    /// Take them out.
    Remove,
}

impl Command {
    /// Whether it ends by itself.
    pub fn is_over_soon(self) -> bool {
        self != Self::Serve
    }
}

/// Where the zone is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registry {
    /// In this process.
    Local {
        /// Where to answer DNS.
        dns_listen: Vec<SocketAddr>,
    },
    /// In Route 53.
    Route53 {
        /// Which hosted zone.
        wanted: Wanted,
        /// Another endpoint than the vendor's.
        endpoint_url: Option<String>,
    },
}

/// Which limits the account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// Those since July 2026.
    Current,
    /// Those from before.
    Legacy,
}

/// Where the status is served, or asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusAt {
    /// Over the network.
    pub address: Option<SocketAddr>,
    /// In the file system: at the first of these that can be had.
    pub sockets: Vec<PathBuf>,
}

/// What an agent was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What to do.
    pub command: Command,
    /// What the agent of this host is asked for, in place of all that.
    pub order: Option<Order>,
    /// Whether to say what would be written, and not write it.
    pub dry_run: bool,
    /// The zone's name, lower case, without the final dot.
    pub zone: String,
    /// Where it is.
    pub registry: Registry,
    /// Which limits the account has.
    pub limits: Limits,
    /// Requests a second, where they are not the limits' own.
    pub rate: Option<f64>,
    /// Requests at once, where they are not the limits' own.
    pub burst: Option<u32>,
    /// How often the own records are read and mended.
    pub resync: Duration,
    /// What was given of the host's name and address.
    pub host: Given,
    /// Where the status is served.
    pub status: StatusAt,
    /// Where Prometheus is told targets.
    pub sd_listen: Option<SocketAddr>,
    /// Where to keep what outlives the agent.
    pub state_dir: PathBuf,
    /// The Docker engine's socket.
    pub docker_socket: PathBuf,
    /// The ECS agent's introspection.
    pub ecs_introspection: String,
    /// What is put at the end of a weighted name for the full name beside it, where each has one.
    pub full_names: Option<FullNames>,
    /// The names that containers may have, where not all.
    pub names: Option<AllowedNames>,
    /// The longest TTL of a new name, in seconds.
    pub ttl_max: u32,
    /// How long a stopping signal is believed.
    pub stop_belief: Duration,
    /// How it ends.
    pub stop: StopPlan,
    /// How log lines look.
    pub log_format: logs::Format,
    /// What is logged.
    pub log_level: LevelFilter,
}

impl Config {
    /// Judges every setting.
    ///
    /// # Errors
    /// All settings that do not hold.
    pub fn read(cli: &Cli) -> Result<Self, Vec<BadSetting>> {
        let mut judge = Judge::default();
        judge.bad.extend(cli.variables.unclear.iter().map(|unclear| BadSetting {
            setting: unclear.setting.clone(),
            reason: BadValue::Shared(unclear.reason.clone()).into(),
        }));
        for setting in &cli.typed.empty {
            judge.bad.push(BadSetting { setting: setting.clone(), reason: BadValue::Empty.into() });
        }
        if cli.local && [&cli.zone_id, &cli.endpoint_url].into_iter().any(|text| given(text).is_some()) {
            judge.note("--local", Conflict::LocalAndRoute53);
        }
        let zone = judge.takes("ZONE", values::zone(cli.zone.as_deref().unwrap_or(cli::ZONE)));
        let dns_listen: Vec<_> = cli
            .dns_listen
            .iter()
            .filter_map(|text| judge.takes("--dns-listen", values::listen(text)))
            .collect();
        if cli.watch && !cli.status {
            judge.note("--watch", Conflict::WatchAlone);
        }
        let command = judge.takes("--sync, --remove, --status", command(cli));
        let order = order::order(cli, &mut judge);
        let zone_id = judge.takes_given("--zone-id", &cli.zone_id, values::zone_id);
        let endpoint_url = judge.takes_given("--endpoint-url", &cli.endpoint_url, values::endpoint_url);
        let limits = judge.takes("--limits", values::limits(&cli.limits));
        let rate = judge.takes_given("--rate", &cli.rate, values::rate);
        let burst = judge.takes_given("--burst", &cli.burst, values::burst);
        let resync = judge.takes("--resync", values::span(&cli.resync, RESYNC_MIN, RESYNC_MAX));
        let hostname = judge.takes_given("--hostname", &cli.hostname, values::hostname);
        let address = judge.takes_given("--address", &cli.address, |text| values::address(text, cli.local));
        let state_dir = judge.takes("--state-dir", values::path(&cli.state_dir));
        let status_address = judge.takes_given("--status-listen", &cli.status_listen, values::listen_or_port);
        let status_socket = judge.takes_given("--status-socket", &cli.status_socket, values::socket);
        let sd_listen = judge.takes_given("--sd-listen", &cli.sd_listen, values::listen_or_port);
        let docker = given(&cli.docker_socket).or(cli.variables.docker_host.as_deref());
        let docker_socket =
            judge.takes("--docker-socket", values::docker_socket(docker.unwrap_or(cli::DOCKER_SOCKET)));
        let ecs_introspection = judge.takes("--ecs-introspection", values::http_url(&cli.ecs_introspection));
        let full_names = judge.takes_given("--full-names", &cli.full_names, values::full_names);
        let of_zone = zone.as_deref();
        let names = judge.takes_given("--names", &cli.names, |text| values::names(text, of_zone));
        let ttl_max = judge.takes("--ttl-max", values::ttl_max(&cli.ttl_max));
        let stop_belief =
            judge.takes("--stop-belief", values::hours(&cli.stop_belief, STOP_BELIEF_MIN, STOP_BELIEF_MAX));
        let drain_timeout = judge
            .takes("--drain-timeout", values::span(&cli.drain_timeout, DRAIN_TIMEOUT_MIN, DRAIN_TIMEOUT_MAX));
        let on_term = judge.takes("--on-term", values::on_term(&cli.on_term));
        let drain_delay =
            judge.takes("--drain-delay", values::span(&cli.drain_delay, Duration::ZERO, DRAIN_DELAY_MAX));
        let log_format = judge.takes("--log-format", values::log_format(&cli.log_format));
        let log_level = judge.takes("--log-level", values::log_level(&cli.log_level));
        let config = || {
            let (zone, zone_id, endpoint_url, state_dir) = (zone?, zone_id?, endpoint_url?, state_dir?);
            let sockets = status_socket?.unwrap_or_else(|| values::status_sockets(&state_dir));
            let wanted = zone_id.map_or_else(|| Wanted::Name(zone.clone()), Wanted::Id);
            let route53 = Registry::Route53 { wanted, endpoint_url };
            Some(Self {
                command: command?,
                order,
                dry_run: cli.dry_run,
                zone,
                registry: if cli.local { Registry::Local { dns_listen } } else { route53 },
                limits: limits?,
                rate: rate?,
                burst: burst?,
                resync: resync?,
                host: Given { hostname: hostname?, address: address? },
                status: StatusAt { address: status_address?, sockets },
                sd_listen: sd_listen?,
                state_dir,
                docker_socket: docker_socket?,
                ecs_introspection: ecs_introspection?,
                full_names: full_names?,
                names: names?,
                ttl_max: ttl_max?,
                stop_belief: stop_belief?,
                stop: StopPlan {
                    on_term: on_term?,
                    delay: drain_delay?,
                    timeout: drain_timeout?,
                    confirm: cli.confirm,
                },
                log_format: log_format?,
                log_level: log_level?,
            })
        };
        config().filter(|_| judge.bad.is_empty()).ok_or(judge.bad)
    }

    /// How fast the zone may be called.
    pub fn pace(&self) -> Pace {
        let pace = match (&self.registry, self.limits) {
            (Registry::Local { .. }, _) => return Pace::LOCAL,
            (Registry::Route53 { .. }, Limits::Current) => Pace::ROUTE53,
            (Registry::Route53 { .. }, Limits::Legacy) => Pace::LEGACY,
        };
        let requests = Rate {
            per_second: self.rate.unwrap_or(pace.requests.per_second),
            burst: self.burst.map_or(pace.requests.burst, f64::from),
        };
        Pace { requests, ..pace }
    }
}

/// Collects what does not hold.
#[derive(Default)]
struct Judge {
    bad: Vec<BadSetting>,
}

impl Judge {
    /// A flag such as `--zone-id`, or `ZONE`, has the variable of its name.
    fn note(&mut self, flag: &str, reason: impl Into<Reason>) {
        let variable = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
        let setting = if flag.contains(',') { flag.to_owned() } else { format!("{flag} (ECSSD_{variable})") };
        // What is empty has no form either, and one line is enough.
        let is_empty = |bad: &BadSetting| bad.setting == setting && bad.reason == BadValue::Empty.into();
        if !self.bad.iter().any(is_empty) {
            self.bad.push(BadSetting { setting, reason: reason.into() });
        }
    }

    fn takes<T>(&mut self, flag: &str, judged: Result<T, impl Into<Reason>>) -> Option<T> {
        judged.map_err(|reason| self.note(flag, reason)).ok()
    }

    fn takes_given<T>(
        &mut self,
        flag: &str,
        text: &Option<String>,
        judge: impl Fn(&str) -> Result<T, BadValue>,
    ) -> Option<Option<T>> {
        self.takes(flag, given(text).map(judge).transpose())
    }
}

/// An empty variable is as good as none.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn command(cli: &Cli) -> Result<Command, Conflict> {
    let &Cli { sync, remove, status, doctor, .. } = cli;
    if doctor && (sync || remove || status || cli.janitor.janitor || !cli.forget.is_empty()) {
        return Err(Conflict::DoctorAndMore);
    }
    match (sync, remove, status) {
        (false, false, false) => Ok(Command::Serve),
        (true, false, false) => Ok(Command::Sync),
        (false, true, false) => Ok(Command::Remove),
        // Whoever looks does none of these.
        (false, false, true) => Ok(Command::Serve),
        (true, true, false) => Err(Conflict::SyncAndRemove),
        (_, _, true) => Err(Conflict::StatusAndMore),
    }
}

#[cfg(test)]
mod tests;
