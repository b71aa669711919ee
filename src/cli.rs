//! The command line, as text: what can be set, and how it is explained.
//!
//! Every setting has a flag and a variable; the flag counts where both are given. Values are judged in
//! [`crate::config`], all of them at once.

use clap::Parser;
use clap::builder::FalseyValueParser;

/// The exit codes, as `--help` shows them.
const AFTER_HELP: &str = "\
What it does:
  A container with SERVICE_<port>_NAME=_name._tcp in its environment or labels gets an SRV record in the
  zone once its check passes, and loses it before it stops. Optional keys beside it: WEIGHT (0-255), TTL
  (seconds), CHECK (tcp, none, docker), CHECK_HTTP (/path), CHECK_INTERVAL, CHECK_TIMEOUT; SERVICE_IGNORE=1
  leaves the container alone. Labels of the same names count too.

Signals:
  SIGTERM, SIGINT   withdraw every service of this host, then exit (a second one exits at once)
  SIGHUP            exit at once and leave the records to the next agent of this host

Exit codes:
  0    drained, or handed over
  64   a setting is wrong; every wrong one is listed
  69   something that is needed is not to be had: an address to listen on, the state directory, the host's
       name or address; or DNS has failed; records stay
  70   actors failed more than 5 times in 60 s; records stay, start it again
  75   the drain's time ran out, what is left is listed, and a next start goes on with it; or it was stopped
       before it was known which host this is
  143  a second SIGTERM (130: SIGINT); records are left as they were

Examples:
  ecssd --local                               a zone in this process, DNS at 127.0.0.1:5333
  ecssd --local sd.internal --dns-listen 172.17.0.1:53
  dig @127.0.0.1 -p 5333 SRV _calc._tcp.servicediscovery.internal";

/// Registers containers as SRV records in a private DNS zone while they can serve.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "ecssd", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// The zone's name.
    #[arg(value_name = "ZONE", env = "ECSSD_ZONE", default_value = "servicediscovery.internal")]
    pub zone: String,

    /// Keep the zone in this process, in the state directory, and answer DNS for it.
    #[arg(long, env = "ECSSD_LOCAL", value_parser = FalseyValueParser::new(), help_heading = "Zone")]
    pub local: bool,

    /// Answer DNS at this address, over UDP and TCP (with --local). May be given more than once; in the
    /// variable, separated by commas.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "ECSSD_DNS_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:5333",
        help_heading = "Zone"
    )]
    pub dns_listen: Vec<String>,

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
        default_value = "/var/lib/ecssd",
        help_heading = "Host"
    )]
    pub state_dir: String,

    /// The Docker engine's socket. It is only read from.
    #[arg(
        long,
        value_name = "PATH",
        env = "ECSSD_DOCKER_SOCKET",
        default_value = "/var/run/docker.sock",
        help_heading = "Containers"
    )]
    pub docker_socket: String,

    /// The ECS agent's introspection, asked for the addresses of awsvpc tasks.
    #[arg(
        long,
        value_name = "URL",
        env = "ECSSD_ECS_INTROSPECTION",
        default_value = "http://127.0.0.1:51678",
        help_heading = "Containers"
    )]
    pub ecs_introspection: String,

    /// How long SIGTERM may take to withdraw everything, 1s to 10m.
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
}
