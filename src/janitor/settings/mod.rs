//! What the janitor can be told: flags, variables, and a Lambda's event; and what of that holds.
//!
//! The zone, its endpoint and the pace are the agent's settings, and mean the same here. The predecessor's
//! Lambda had names of its own, which a Lambda understands in its environment and its event.

mod event;
mod values;

use clap::Args;

pub use self::event::Event;
use super::reader::Scope;
use super::run::{Health, Order};
use crate::cli::Cli;
use crate::config::{BadSetting, Config, Limits, Registry};
use crate::machine::service::truth;
use crate::zone::pacing::{Pace, Rate};

/// The janitor's share of what an account may do: its reads come once in minutes, and an agent's write should
/// not wait for them.
const SHARE: Pace = Pace { requests: Rate { per_second: 5.0, burst: 30.0 }, ..Pace::ROUTE53 };
/// The same of the limits from before.
const SHARE_LEGACY: Pace = Pace { requests: Rate { per_second: 2.0, burst: 2.0 }, ..Pace::LEGACY };

/// The janitor's flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Janitor")]
pub struct Arguments {
    /// Look for records that outlived their hosts or tasks, in two looks a minute apart; print what would be
    /// deleted, and exit.
    #[arg(long, env = "ECSSD_JANITOR", value_parser = truth)]
    pub janitor: bool,

    /// Delete it. A Lambda does so unless it is told --dry-run.
    #[arg(long, env = "ECSSD_JANITOR_APPLY", value_parser = truth)]
    pub apply: bool,

    /// ECS clusters by name or ARN, separated by commas. [default: all]
    #[arg(long, value_name = "CLUSTERS", env = "ECSSD_JANITOR_CLUSTERS", value_delimiter = ',')]
    pub clusters: Vec<String>,

    /// Regions in which to look at ECS and EC2, separated by commas. [default: this one]
    #[arg(long, value_name = "REGIONS", env = "ECSSD_JANITOR_REGIONS", value_delimiter = ',')]
    pub regions: Vec<String>,

    /// Roles of other accounts in which to look too, by ARN, separated by commas.
    #[arg(long, value_name = "ARNS", env = "ECSSD_JANITOR_ASSUME_ROLES", value_delimiter = ',')]
    pub assume_roles: Vec<String>,

    /// Networks such as 10.0.0.0/16 of which EC2 shows every host here, separated by commas, and whose addresses
    /// nobody else registers: only there is an instance gone that EC2 has forgotten.
    #[arg(long, value_name = "NETWORKS", env = "ECSSD_JANITOR_HOME_NETWORKS", value_delimiter = ',')]
    pub home_networks: Vec<String>,

    /// Delete at most so many records in a run, whatever the shares of zone and service allow.
    #[arg(long, value_name = "N", env = "ECSSD_JANITOR_MAX_DELETES")]
    pub max_deletes: Option<String>,

    /// Ask every target over HTTP, and report those that do not answer.
    #[arg(long, env = "ECSSD_JANITOR_CHECK_HEALTH", value_parser = truth)]
    pub check_health: bool,

    /// What they are asked for.
    #[arg(long, value_name = "PATH", env = "ECSSD_JANITOR_CHECK_HEALTH_PATH", default_value = "/health")]
    pub check_health_path: String,

    /// Stop the task of a target that does not answer, at most one of a service in a run.
    #[arg(long, env = "ECSSD_JANITOR_STOP_UNHEALTHY", value_parser = truth)]
    pub stop_unhealthy: bool,

    /// Print the report as JSON instead of a table.
    #[arg(long, env = "ECSSD_JANITOR_JSON", value_parser = truth)]
    pub json: bool,
}

/// What the janitor was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The zone and where its API is.
    pub config: Config,
    /// What to do.
    pub order: Order,
    /// Regions; none for the one that the environment names.
    pub regions: Vec<String>,
    /// Roles of other accounts.
    pub assume_roles: Vec<String>,
    /// Whether the report is for machines.
    pub json: bool,
}

impl Settings {
    /// What a command line says.
    ///
    /// # Errors
    /// All settings that do not hold.
    pub fn of_shell(cli: &Cli) -> Result<Self, Vec<BadSetting>> {
        let mut bad = Vec::new();
        if cli.janitor.apply && cli.dry_run {
            note(&mut bad, "--apply, --dry-run", "one writes, the other does not; pass one of them");
        }
        Self::read(cli, cli.janitor.apply, bad)
    }

    /// What a Lambda's variables and event say. `variable` gives those that have the predecessor's names.
    ///
    /// # Errors
    /// All settings that do not hold.
    pub fn of_lambda(
        cli: &Cli,
        variable: impl Fn(&str) -> Option<String>,
        event: serde_json::Value,
    ) -> Result<Self, Vec<BadSetting>> {
        let mut bad = Vec::new();
        let mut cli = cli.clone();
        let former = Event::of_predecessor(&cli, variable).unwrap_or_else(|reason| {
            note(&mut bad, "environment", &reason);
            Event::default()
        });
        former.tell(&mut cli);
        match Event::read(event) {
            Ok(event) => event.tell(&mut cli),
            Err(reason) => note(&mut bad, "event", &reason),
        }
        Self::read(&cli, !cli.dry_run, bad)
    }

    fn read(cli: &Cli, apply: bool, mut bad: Vec<BadSetting>) -> Result<Self, Vec<BadSetting>> {
        let arguments = &cli.janitor;
        if cli.local {
            note(&mut bad, "--local", "the zone in an agent's process is that agent's alone");
        }
        if cli.sync || cli.remove {
            note(&mut bad, "--sync, --remove", "they are of one host's own records; not with --janitor");
        }
        if arguments.stop_unhealthy && !arguments.check_health {
            note(&mut bad, "--stop-unhealthy", "nothing is asked without --check-health");
        }
        let mut each = |flag: &str, texts: &[String], judge: fn(&str) -> Result<(), String>| {
            let given = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
            let given: Vec<String> = given.map(str::to_owned).collect();
            given
                .iter()
                .filter_map(|text| judge(text).err())
                .for_each(|reason| note(&mut bad, flag, &reason));
            given
        };
        let clusters = each("--clusters", &arguments.clusters, values::cluster);
        let regions = each("--regions", &arguments.regions, values::region);
        let assume_roles = each("--assume-roles", &arguments.assume_roles, values::role);
        let home =
            each("--home-networks", &arguments.home_networks, |text| values::network(text).map(|_| ()));
        each("--check-health-path", std::slice::from_ref(&arguments.check_health_path), values::path);
        let most = arguments.max_deletes.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let deletes_max = most.map(str::parse::<usize>).transpose();
        if deletes_max.is_err() {
            note(&mut bad, "--max-deletes", &format!("{:?} is not a number of records", most.unwrap_or("")));
        }
        let config = Config::read(cli).map_err(|more| bad.extend(more)).ok();
        let Some(config) = config.filter(|_| bad.is_empty()) else { return Err(bad) };
        let health = Health { path: arguments.check_health_path.clone(), stop: arguments.stop_unhealthy };
        let order = Order {
            scope: Scope {
                clusters,
                home: home.iter().filter_map(|text| values::network(text).ok()).collect(),
            },
            apply,
            deletes_max: deletes_max.ok().flatten(),
            pace: pace(&config),
            health: arguments.check_health.then_some(health),
            deadline: None,
        };
        Ok(Self { config, order, regions, assume_roles, json: arguments.json })
    }

    /// Another endpoint of Route 53 than the vendor's.
    pub fn endpoint_url(&self) -> Option<&str> {
        match &self.config.registry {
            Registry::Route53 { endpoint_url, .. } => endpoint_url.as_deref(),
            Registry::Local { .. } => None,
        }
    }
}

fn note(bad: &mut Vec<BadSetting>, setting: &str, reason: &str) {
    bad.push(BadSetting { setting: setting.to_owned(), reason: reason.to_owned() });
}

fn pace(config: &Config) -> Pace {
    let share = match config.limits {
        Limits::Current => SHARE,
        Limits::Legacy => SHARE_LEGACY,
    };
    let requests = Rate {
        per_second: config.rate.unwrap_or(share.requests.per_second),
        burst: config.burst.map_or(share.requests.burst, f64::from),
    };
    Pace { requests, ..share }
}

#[cfg(test)]
mod tests;
