//! The command line, as text: what can be set, and how it is explained.
//!
//! Every setting has a flag and a variable; the flag counts where both are given. Values are judged in
//! [`crate::config`], all of them at once; what an environment can get wrong by itself, in [`variables`].

mod cordon;
mod help;
mod janitor;
mod typed;
pub mod variables;

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser};

use self::help::AFTER_HELP;
use self::variables::Variables;
use crate::container::convention::truth;

pub use self::cordon::Cordon;
pub use self::janitor::Janitor;
pub use self::typed::{Source, Typed};

/// The zone, unless told otherwise.
pub const ZONE: &str = "servicediscovery.internal";
/// Where to keep what outlives the agent, unless told otherwise.
pub const STATE_DIR: &str = "/var/lib/ecssd";
/// The Docker engine's socket, unless told otherwise.
pub const DOCKER_SOCKET: &str = "/var/run/docker.sock";
/// The ECS agent's introspection, unless told otherwise.
pub const ECS_INTROSPECTION: &str = "http://127.0.0.1:51678";
/// Where DNS is answered, unless told otherwise.
pub const DNS_LISTEN: &str = "127.0.0.1:5333";
/// The longest TTL of a new name, unless told otherwise: what a container's end takes at most to reach clients, beside
/// what its record's withdrawal takes.
pub const TTL_MAX: &str = "300s";
/// Which limits the account has, unless told otherwise.
pub const LIMITS: &str = "2026";

/// Registers containers as SRV records in a private DNS zone while they can serve.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "ecssd", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// The zone's name. [default: servicediscovery.internal]
    #[arg(value_name = "ZONE", env = "ECSSD_ZONE")]
    pub zone: Option<String>,

    /// The id of the Route 53 hosted zone, where its name does not tell which one it is.
    #[arg(long, value_name = "ID", env = "ECSSD_ZONE_ID", help_heading = "Zone")]
    pub zone_id: Option<String>,

    /// Where Route 53's API is, for an emulator. [default: the vendor's, or AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL", env = "ECSSD_ENDPOINT_URL", help_heading = "Zone")]
    pub endpoint_url: Option<String>,

    /// Keep the zone in this process, in the state directory, and answer DNS for it.
    #[arg(long, env = "ECSSD_LOCAL", value_parser = truth, help_heading = "Zone")]
    pub local: bool,

    /// Answer DNS at this address, over UDP and TCP (with --local). May be given more than once; in the
    /// variable, separated by commas.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "ECSSD_DNS_LISTEN",
        value_delimiter = ',',
        default_value = DNS_LISTEN,
        help_heading = "Zone"
    )]
    pub dns_listen: Vec<String>,

    /// Make this host's records as they should be, say what was done, and exit.
    #[arg(long, env = "ECSSD_SYNC", value_parser = truth, help_heading = "Tasks")]
    pub sync: bool,

    /// Take every record of this host out of the zone, and exit when the name servers answer so.
    #[arg(long, env = "ECSSD_REMOVE", value_parser = truth, help_heading = "Tasks")]
    pub remove: bool,

    /// Say which records these hosts have, wherever this runs, and with --apply take them all out: of hosts that are
    /// dead, and that the janitor cannot see. A host whose name EC2 or ECS knows to run, or of whose ports one
    /// answers, keeps its records. Separated by spaces; in the variable, by commas. ZONE or --zone-id has to be given,
    /// and ZONE before this.
    #[arg(
        long,
        value_name = "HOST",
        env = "ECSSD_FORGET",
        num_args = 1..,
        value_delimiter = ',',
        help_heading = "Tasks"
    )]
    pub forget: Vec<String>,

    /// With --forget: take out the records of hosts that seem to live, too, and where EC2 and ECS cannot be asked.
    #[arg(long, env = "ECSSD_FORCE", value_parser = truth, help_heading = "Tasks")]
    pub force: bool,

    /// Say on standard output what would be written, and write nothing.
    #[arg(long, env = "ECSSD_DRY_RUN", value_parser = truth, help_heading = "Tasks")]
    pub dry_run: bool,

    /// Show what the agent of this host knows (with --json: as JSON), and exit: 0 where it is ready, 75 where
    /// not. Serves as a container's HEALTHCHECK, too.
    #[arg(long, env = "ECSSD_STATUS", value_parser = truth, help_heading = "Status")]
    pub status: bool,

    /// With --status: again every two seconds, until Ctrl-C.
    #[arg(long, env = "ECSSD_WATCH", value_parser = truth, help_heading = "Status")]
    pub watch: bool,

    /// Say what is wrong with this host, and what to do about it: the zone and who sees it, permissions, clock,
    /// Docker, names, records, containers that cannot be published; and exit: 0 where nothing is broken, 69 where
    /// something is. With --json: as JSON. Writes nothing; an agent may run beside it.
    #[arg(long, env = "ECSSD_DOCTOR", value_parser = truth, help_heading = "Status")]
    pub doctor: bool,

    /// Serve the status at this address, as a page, as JSON and as health checks, to whoever can reach it; a
    /// port alone is one on loopback. [default: none]
    #[arg(long, value_name = "ADDRESS:PORT", env = "ECSSD_STATUS_LISTEN", help_heading = "Status")]
    pub status_listen: Option<String>,

    /// Serve the status at this socket, for --status on this host; off for none. [default:
    /// /run/ecssd/status.sock, where /run/ecssd is there, else status.sock in the state directory]
    #[arg(long, value_name = "PATH", env = "ECSSD_STATUS_SOCKET", help_heading = "Status")]
    pub status_socket: Option<String>,

    /// Serve Prometheus' http_sd_configs at this address, at /sd/prometheus?name=_calc._tcp: all targets of that name in
    /// the zone, of all hosts. From Route 53 a name is read once a minute at most, and all of them take 0.1 lists a
    /// second, out of --rate. A port alone is one on loopback. [default: none]
    #[arg(long, value_name = "ADDRESS:PORT", env = "ECSSD_SD_LISTEN", help_heading = "Status")]
    pub sd_listen: Option<String>,

    /// Requests a second to Route 53, at most. [default: 8; with --limits legacy, 4]
    #[arg(long, value_name = "N", env = "ECSSD_RATE", help_heading = "Pace")]
    pub rate: Option<String>,

    /// Requests at once after quiet, at most. [default: 40; with --limits legacy, 5]
    #[arg(long, value_name = "N", env = "ECSSD_BURST", help_heading = "Pace")]
    pub burst: Option<String>,

    /// The limits of the account that all its hosts share: 2026 (10 requests and 100 changes a second) or
    /// legacy (5 requests a second).
    #[arg(long, value_name = "LIMITS", env = "ECSSD_LIMITS", default_value = LIMITS, help_heading = "Pace")]
    pub limits: String,

    /// How often this host's own names are read, and what somebody else changed of its records is mended,
    /// 1s to 1440m.
    #[arg(long, value_name = "DURATION", env = "ECSSD_RESYNC", default_value = "30m", help_heading = "Pace")]
    pub resync: String,

    /// Understood from the predecessor's command line. This agent sends no events.
    #[arg(
        long,
        env = "ECSSD_CW_SEND_EVENTS",
        value_parser = truth,
        hide = true,
        help_heading = "Tasks"
    )]
    pub cw_send_events: bool,

    /// The name that marks this host's records. [default: on EC2 the instance's id, elsewhere the host's
    /// name]
    #[arg(long, value_name = "NAME", env = "ECSSD_HOSTNAME", help_heading = "Host")]
    pub hostname: Option<String>,

    /// The address at which clients reach this host's ports, IPv4. [default: on EC2 the instance's,
    /// elsewhere that of the default route]
    #[arg(long, value_name = "ADDRESS", env = "ECSSD_ADDRESS", help_heading = "Host")]
    pub address: Option<String>,

    /// Where to keep what has to outlive the agent.
    #[arg(
        long,
        value_name = "DIR",
        env = "ECSSD_STATE_DIR",
        default_value = STATE_DIR,
        help_heading = "Host"
    )]
    pub state_dir: String,

    /// The Docker engine's socket. It is only read from. [default: that of DOCKER_HOST, or /var/run/docker.sock]
    #[arg(long, value_name = "PATH", env = "ECSSD_DOCKER_SOCKET", help_heading = "Containers")]
    pub docker_socket: Option<String>,

    /// The ECS agent's introspection, asked for the addresses of awsvpc tasks and which container instance
    /// this is.
    #[arg(
        long,
        value_name = "URL",
        env = "ECSSD_ECS_INTROSPECTION",
        default_value = ECS_INTROSPECTION,
        help_heading = "Containers"
    )]
    pub ecs_introspection: String,

    /// Gives each weighted name a full name beside it, which answers with all targets: -all makes _web-all._tcp of
    /// _web._tcp. SERVICE_80_ALL names another for port 80, or with no takes it out. Without: only such keys count.
    #[arg(
        long,
        value_name = "ENDING",
        env = "ECSSD_FULL_NAMES",
        allow_hyphen_values = true,
        help_heading = "Containers"
    )]
    pub full_names: Option<String>,

    /// The names that containers may have, relative to the zone, separated by commas: _calc._tcp,*.web. A * that
    /// comes first stands for one label or more, elsewhere for one. What else they ask for is refused, and the log
    /// says so; so are, whatever is given here, names of hosts and tasks, localhost, wpad, isatap, ns, and any in
    /// _msdcs. [default: all others]
    #[arg(long, value_name = "PATTERNS", env = "ECSSD_NAMES", help_heading = "Containers")]
    pub names: Option<String>,

    /// The longest TTL that a container gives a new name, such as by SERVICE_80_TTL, 0 to 24h: a longer one is cut to
    /// it. A name that has records keeps theirs.
    #[arg(
        long,
        value_name = "DURATION",
        env = "ECSSD_TTL_MAX",
        default_value = TTL_MAX,
        help_heading = "Containers"
    )]
    pub ttl_max: String,

    /// How long a container stays out of DNS that was asked to stop and runs, from its last signal: more than
    /// the longest stop timeout in use, which Docker shows nowhere. 1s to 1440m.
    #[arg(
        long,
        value_name = "DURATION",
        env = "ECSSD_STOP_BELIEF",
        default_value = "1h",
        help_heading = "Containers"
    )]
    pub stop_belief: String,

    /// What SIGTERM means: drain (withdraw every service of this host), hand-over (leave the records to the
    /// next agent), or auto: drain where a notice says that the host or its system goes, else hand over.
    #[arg(
        long,
        value_name = "WHAT",
        env = "ECSSD_ON_TERM",
        default_value = "drain",
        help_heading = "Stopping"
    )]
    pub on_term: String,

    /// How long every service has weight 0 before it is withdrawn, 0 to 10m.
    #[arg(
        long,
        value_name = "DURATION",
        env = "ECSSD_DRAIN_DELAY",
        default_value = "0",
        help_heading = "Stopping"
    )]
    pub drain_delay: String,

    /// A drain is over only when every name server answers so: usually within a minute, so give it a
    /// --drain-timeout of that.
    #[arg(long, env = "ECSSD_CONFIRM", value_parser = truth, help_heading = "Stopping")]
    pub confirm: bool,

    /// How long it may take to withdraw everything, from the end of the delay, 1s to 10m.
    #[arg(
        long,
        value_name = "DURATION",
        env = "ECSSD_DRAIN_TIMEOUT",
        default_value = "25s",
        help_heading = "Stopping"
    )]
    pub drain_timeout: String,

    /// human, json, or auto: human on a terminal, JSON otherwise.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "ECSSD_LOG_FORMAT",
        default_value = "auto",
        help_heading = "Logs"
    )]
    pub log_format: String,

    /// error, warn, info or debug.
    #[arg(
        long,
        value_name = "LEVEL",
        env = "ECSSD_LOG_LEVEL",
        default_value = "info",
        help_heading = "Logs"
    )]
    pub log_level: String,

    /// Weights by hand.
    #[command(flatten)]
    pub cordon: Cordon,

    /// The janitor's own.
    #[command(flatten)]
    pub janitor: Janitor,

    /// What is wrong with the environment; what is wrong with a flag has no such place, as it ends the reading.
    #[arg(skip)]
    pub variables: Variables,

    /// What was said, and where.
    #[arg(skip)]
    pub typed: Typed,
}

/// Reads a command line and `environment`, which must be this process's own.
///
/// # Errors
/// Where the command line cannot be read, and where it asks for `--help` or `--version`.
pub fn read(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &[(String, String)],
) -> Result<Cli, clap::Error> {
    let (mut command, variables) = variables::judge(Cli::command(), environment);
    let matches =
        command.try_get_matches_from_mut(double_dashed(arguments)).map_err(without_a_way_to_zone)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok(Cli { variables, typed: Typed::of(&command, &matches), ..cli })
}

/// Without the advice to put `--` before a flag that is not known: it would be the zone then.
fn without_a_way_to_zone(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// The flags that the predecessor knew with one dash.
const SINGLE_DASHED: [&str; 4] = ["-sync", "-remove", "-hostname", "-cw-send-events"];

/// Gives the predecessor's flags their second dash, so that a unit file of that time keeps working.
pub fn double_dashed(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let double = |argument: OsString| match argument.to_str() {
        Some(text) if SINGLE_DASHED.contains(&text.split('=').next().unwrap_or(text)) => {
            format!("-{text}").into()
        }
        _ => argument,
    };
    arguments.into_iter().map(double).collect()
}

#[cfg(test)]
mod tests;
