//! Settings, judged: from the command line's text to values that hold.
//!
//! Every bad setting is reported, not only the first, each with what to do. Nothing here touches the
//! world; what is not given and depends on the host is found out by [`crate::host`].

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::cli::Cli;
use crate::host::identity::Given;
use crate::machine::record::canonical;
use crate::machine::registration::Owner;
use crate::machine::service::duration;
use crate::zone::pacing::{Pace, Rate};
use crate::zone::route53::Wanted;

const DRAIN_TIMEOUT_MIN: Duration = Duration::from_secs(1);
const DRAIN_TIMEOUT_MAX: Duration = Duration::from_secs(600);
const RESYNC_MIN: Duration = Duration::from_secs(1);
const RESYNC_MAX: Duration = Duration::from_secs(24 * 3_600);

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Keep this host's records as they should be, until a signal.
    Serve,
    /// Make them so once.
    Sync,
    /// Take them out.
    Remove,
}

impl Task {
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

/// What an agent was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What to do.
    pub task: Task,
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
    /// Where to keep what outlives the agent.
    pub state_dir: PathBuf,
    /// The Docker engine's socket.
    pub docker_socket: PathBuf,
    /// The ECS agent's introspection.
    pub ecs_introspection: String,
    /// How long a drain may take.
    pub drain_timeout: Duration,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: LevelFilter,
}

/// A setting that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct BadSetting {
    /// The flag and its variable.
    pub setting: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Config {
    /// Judges every setting.
    ///
    /// # Errors
    /// All settings that do not hold.
    pub fn read(cli: &Cli) -> Result<Self, Vec<BadSetting>> {
        let mut bad = Vec::new();
        let mut note = |setting: &str, reason: String| bad.push(bad_setting(setting, &reason));
        let zone = zone(&cli.zone).map_err(|reason| note("ZONE (ECSSD_ZONE)", reason)).ok();
        let dns_listen: Vec<SocketAddr> = cli
            .dns_listen
            .iter()
            .filter_map(|text| {
                let reason = format!("{text:?} is not an address and port such as 127.0.0.1:5333");
                text.trim().parse().map_err(|_| note("--dns-listen (ECSSD_DNS_LISTEN)", reason)).ok()
            })
            .collect();
        let task = task(cli).map_err(|reason| note("--sync, --remove", reason)).ok();
        let zone_id = given(cli.zone_id.as_deref()).map(zone_id).transpose();
        let zone_id = zone_id.map_err(|reason| note("--zone-id (ECSSD_ZONE_ID)", reason)).ok();
        let endpoint_url = given(cli.endpoint_url.as_deref()).map(endpoint_url).transpose();
        let endpoint_url =
            endpoint_url.map_err(|reason| note("--endpoint-url (ECSSD_ENDPOINT_URL)", reason)).ok();
        if cli.local && (given(cli.zone_id.as_deref()).or(given(cli.endpoint_url.as_deref()))).is_some() {
            let reason = "the zone is in this process: --zone-id and --endpoint-url go without it";
            note("--local (ECSSD_LOCAL)", reason.to_owned());
        }
        let limits = limits(&cli.limits).map_err(|reason| note("--limits (ECSSD_LIMITS)", reason)).ok();
        let rate = given(cli.rate.as_deref()).map(rate).transpose();
        let rate = rate.map_err(|reason| note("--rate (ECSSD_RATE)", reason)).ok();
        let burst = given(cli.burst.as_deref()).map(burst).transpose();
        let burst = burst.map_err(|reason| note("--burst (ECSSD_BURST)", reason)).ok();
        let resync = duration(&cli.resync, RESYNC_MIN, RESYNC_MAX)
            .map_err(|reason| note("--resync (ECSSD_RESYNC)", reason))
            .ok();
        let hostname = given(cli.hostname.as_deref()).map(Owner::new).transpose();
        let hostname = hostname.map_err(|error| note("--hostname (ECSSD_HOSTNAME)", error.to_string())).ok();
        let address = given(cli.address.as_deref()).map(address).transpose();
        let address = address.map_err(|reason| note("--address (ECSSD_ADDRESS)", reason)).ok();
        let state_dir =
            path(&cli.state_dir).map_err(|reason| note("--state-dir (ECSSD_STATE_DIR)", reason)).ok();
        let docker_socket = path(cli.docker_socket.trim_start_matches("unix://"))
            .map_err(|reason| note("--docker-socket (ECSSD_DOCKER_SOCKET)", reason))
            .ok();
        let ecs_introspection = http_url(&cli.ecs_introspection)
            .map_err(|reason| note("--ecs-introspection (ECSSD_ECS_INTROSPECTION)", reason))
            .ok();
        let drain_timeout = duration(&cli.drain_timeout, DRAIN_TIMEOUT_MIN, DRAIN_TIMEOUT_MAX)
            .map_err(|reason| note("--drain-timeout (ECSSD_DRAIN_TIMEOUT)", reason))
            .ok();
        let log_format = log_format(&cli.log_format)
            .map_err(|reason| note("--log-format (ECSSD_LOG_FORMAT)", reason))
            .ok();
        let log_level =
            log_level(&cli.log_level).map_err(|reason| note("--log-level (ECSSD_LOG_LEVEL)", reason)).ok();
        let config = || {
            let (zone, zone_id, endpoint_url) = (zone?, zone_id?, endpoint_url?);
            let wanted = zone_id.map_or_else(|| Wanted::Name(zone.clone()), Wanted::Id);
            let route53 = Registry::Route53 { wanted, endpoint_url };
            Some(Self {
                task: task?,
                dry_run: cli.dry_run,
                zone,
                registry: if cli.local { Registry::Local { dns_listen } } else { route53 },
                limits: limits?,
                rate: rate?,
                burst: burst?,
                resync: resync?,
                host: Given { hostname: hostname?.map(|owner| owner.to_string()), address: address? },
                state_dir: state_dir?,
                docker_socket: docker_socket?,
                ecs_introspection: ecs_introspection?,
                drain_timeout: drain_timeout?,
                log_format: log_format?,
                log_level: log_level?,
            })
        };
        config().filter(|_| bad.is_empty()).ok_or(bad)
    }

    /// How fast the zone may be called.
    pub fn pace(&self) -> Pace {
        let Registry::Route53 { .. } = self.registry else { return Pace::LOCAL };
        let pace = match self.limits {
            Limits::Current => Pace::ROUTE53,
            Limits::Legacy => Pace::LEGACY,
        };
        let requests = Rate {
            per_second: self.rate.unwrap_or(pace.requests.per_second),
            burst: self.burst.map_or(pace.requests.burst, f64::from),
        };
        Pace { requests, ..pace }
    }
}

fn bad_setting(setting: &str, reason: &str) -> BadSetting {
    BadSetting { setting: setting.to_owned(), reason: reason.to_owned() }
}

/// An empty variable is as good as none.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn zone(text: &str) -> Result<String, String> {
    let name = canonical(text.trim());
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    // A service in the zone still has to fit: `_` + 63 characters + `._tcp.` is a fair share.
    if name.len() <= 180 && name.split('.').all(label) {
        Ok(name)
    } else {
        Err(format!(
            "{text:?} is not a zone's name: labels of 1 to 63 letters, digits, hyphens and underscores, at most 180 characters in all"
        ))
    }
}

fn task(cli: &Cli) -> Result<Task, String> {
    match (cli.sync, cli.remove) {
        (false, false) => Ok(Task::Serve),
        (true, false) => Ok(Task::Sync),
        (false, true) => Ok(Task::Remove),
        (true, true) => Err("one makes records, the other takes them out; pass one of them".to_owned()),
    }
}

/// Source: Route 53 API reference, HostedZone: at most 32 characters, without what comes before the slash.
fn zone_id(text: &str) -> Result<String, String> {
    let id = text.strip_prefix("/hostedzone/").unwrap_or(text);
    if (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(id.to_owned())
    } else {
        Err(format!("{text:?} is not a hosted zone's id such as Z0123456789ABCDEFGHIJ"))
    }
}

fn endpoint_url(text: &str) -> Result<String, String> {
    match text.parse::<hyper::Uri>() {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => {
            Ok(text.to_owned())
        }
        _ => Err(format!("{text:?} is not a URL such as http://127.0.0.1:4566")),
    }
}

fn limits(text: &str) -> Result<Limits, String> {
    match text.trim() {
        "2026" => Ok(Limits::Current),
        "legacy" => Ok(Limits::Legacy),
        _ => Err(format!("{text:?} is not one of 2026, legacy")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=1_000.0).contains(&rate) => Ok(rate),
        _ => Err(format!("{text:?} is not a number of requests a second from 0.1 to 1000")),
    }
}

fn burst(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(burst) if (1..=1_000).contains(&burst) => Ok(burst),
        _ => Err(format!("{text:?} is not a number of requests from 1 to 1000")),
    }
}

fn address(text: &str) -> Result<Ipv4Addr, String> {
    let address: Ipv4Addr = text
        .parse()
        .map_err(|_| format!("{text:?} is not an IPv4 address (IPv4 for now) such as 10.0.0.7"))?;
    if address.is_unspecified() || address.is_broadcast() || address.is_multicast() {
        return Err(format!("{text} is not an address that clients can connect to"));
    }
    Ok(address)
}

fn path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text.trim());
    if path.is_absolute() { Ok(path) } else { Err(format!("{text:?} is not a path that begins with /")) }
}

fn http_url(text: &str) -> Result<String, String> {
    match text.trim().parse::<hyper::Uri>() {
        Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => Ok(text.trim().to_owned()),
        _ => Err(format!("{text:?} is not a URL such as http://127.0.0.1:51678")),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim() {
        "auto" => Ok(LogFormat::Auto),
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is not one of human, json, auto")),
    }
}

fn log_level(text: &str) -> Result<LevelFilter, String> {
    match text.trim() {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        _ => Err(format!("{text:?} is not one of error, warn, info, debug")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn read(arguments: &[&str]) -> Result<Config, Vec<String>> {
        let known = ["ecssd", "--local", "--hostname", "web1", "--address", "10.0.0.7"];
        let cli = Cli::try_parse_from(known.iter().chain(arguments)).unwrap();
        Config::read(&cli).map_err(|bad| bad.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn defaults_hold() {
        let config = read(&[]).unwrap();
        assert_eq!(config.zone, "servicediscovery.internal");
        let dns_listen = vec!["127.0.0.1:5333".parse().unwrap()];
        assert_eq!(config.registry, Registry::Local { dns_listen });
        assert_eq!((config.task, config.dry_run, config.pace()), (Task::Serve, false, Pace::LOCAL));
        assert_eq!(config.drain_timeout, Duration::from_secs(25));
        assert_eq!(config.host.hostname.as_deref(), Some("web1"));
    }

    #[test]
    fn lists_every_bad_setting() {
        let bad = read(&[
            "..",
            "--dns-listen",
            "nowhere",
            "--dns-listen",
            "127.0.0.1",
            "--state-dir",
            "relative",
            "--drain-timeout",
            "1h",
            "--log-format",
            "xml",
            "--log-level",
            "loud",
            "--docker-socket",
            "tcp://1.2.3.4:2375",
            "--ecs-introspection",
            "ftp://x",
        ])
        .unwrap_err();
        let settings: Vec<_> = bad.iter().map(|line| line.split(" (").next().unwrap()).collect();
        assert_eq!(
            settings,
            [
                "ZONE",
                "--dns-listen",
                "--dns-listen",
                "--state-dir",
                "--docker-socket",
                "--ecs-introspection",
                "--drain-timeout",
                "--log-format",
                "--log-level"
            ]
        );
    }

    #[test]
    fn a_zone_is_taken_in_any_case_and_with_its_final_dot() {
        assert_eq!(read(&["SD.Internal."]).unwrap().zone, "sd.internal");
        for bad in ["", ".", "a..b", "a b", "*.b", "é.b", &"a".repeat(64)] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_must_be_one_that_clients_can_reach() {
        for bad in ["::1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "10.0.0", "host"] {
            let cli = Cli::try_parse_from(["ecssd", "--local", "--hostname", "h", "--address", bad]).unwrap();
            assert!(Config::read(&cli).is_err(), "{bad}");
        }
    }

    fn route53(arguments: &[&str]) -> Config {
        let known = ["ecssd", "--hostname", "web1", "--address", "10.0.0.7"];
        Config::read(&Cli::try_parse_from(known.iter().chain(arguments)).unwrap()).unwrap()
    }

    #[test]
    fn without_local_the_zone_is_in_route_53() {
        let wanted = |arguments: &[&str]| match route53(arguments).registry {
            Registry::Route53 { wanted, endpoint_url } => (wanted, endpoint_url),
            Registry::Local { .. } => panic!("it is here"),
        };
        let name = |name: &str| Wanted::Name(name.to_owned());
        assert_eq!(wanted(&[]), (name("servicediscovery.internal"), None));
        assert_eq!(wanted(&["sd.internal"]), (name("sd.internal"), None));
        let id = ["--zone-id", "/hostedzone/Z1", "--endpoint-url", "http://127.0.0.1:4566"];
        assert_eq!(wanted(&id), (Wanted::Id("Z1".into()), Some("http://127.0.0.1:4566".into())));
        assert_eq!(wanted(&["--zone-id", " "]).0, name("servicediscovery.internal"));
    }

    #[test]
    fn the_pace_is_that_of_the_limits_unless_it_is_given() {
        assert_eq!(route53(&[]).pace(), Pace::ROUTE53);
        assert_eq!(route53(&["--limits", "legacy"]).pace(), Pace::LEGACY);
        let given = route53(&["--limits", "legacy", "--rate", "2.5", "--burst", "3"]).pace();
        assert_eq!(given.requests, Rate { per_second: 2.5, burst: 3.0 });
        assert_eq!(given.changes, None);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for (arguments, setting) in [
            (&["--sync", "--remove"][..], "--sync, --remove"),
            (&["--zone-id", "Z1"], "--local"),
            (&["--endpoint-url", "http://127.0.0.1:4566"], "--local"),
            (&["--zone-id", "Z 1"], "--zone-id"),
            (&["--endpoint-url", "127.0.0.1"], "--endpoint-url"),
            (&["--limits", "2025"], "--limits"),
            (&["--rate", "0"], "--rate"),
            (&["--rate", "NaN"], "--rate"),
            (&["--burst", "1.5"], "--burst"),
            (&["--resync", "0s"], "--resync"),
        ] {
            let bad = read(arguments).unwrap_err();
            assert!(bad.iter().any(|bad| bad.starts_with(setting)), "{arguments:?}: {bad:?}");
        }
    }

    #[test]
    fn every_setting_has_a_flag_and_a_variable_of_its_name() {
        use clap::CommandFactory;
        for argument in Cli::command().get_arguments() {
            let id = argument.get_id().as_str();
            if ["help", "version"].contains(&id) {
                continue;
            }
            let variable = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
            assert_eq!(variable, format!("ECSSD_{}", id.to_uppercase()), "{id}");
            assert!(argument.get_help().is_some(), "{id}");
        }
    }
}
