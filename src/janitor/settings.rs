//! What the janitor can be told: flags, variables, and a Lambda's event; and what of that holds.
//!
//! The zone, its endpoint and the pace are the agent's settings, and mean the same here. The predecessor's
//! Lambda had names of its own, which a Lambda understands in its environment and its event.

use std::net::Ipv4Addr;

use clap::Args;
use clap::builder::FalseyValueParser;
use serde::Deserialize;

use super::evidence::Network;
use super::reader::Scope;
use super::run::{Health, Order};
use crate::cli::Cli;
use crate::config::{BadSetting, Config, Limits, Registry};
use crate::zone::pacing::{Pace, Rate};

/// The janitor's share of what an account may do: its reads come once in minutes, and an agent's write should
/// not wait for them.
const SHARE: Pace = Pace { requests: Rate { per_second: 5.0, burst: 30.0 }, ..Pace::ROUTE53 };
/// The same of the limits from before.
const SHARE_LEGACY: Pace = Pace { requests: Rate { per_second: 2.0, burst: 2.0 }, ..Pace::LEGACY };
/// The most characters of a path.
const PATH_CHARACTERS_MAX: usize = 1_024;

/// The janitor's flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Janitor")]
pub struct Arguments {
    /// Look for records that outlived their hosts or tasks, in two looks a minute apart; print what would be
    /// deleted, and exit.
    #[arg(long, env = "ECSSD_JANITOR", value_parser = FalseyValueParser::new())]
    pub janitor: bool,

    /// Delete it. A Lambda does so unless it is told --dry-run.
    #[arg(long, env = "ECSSD_JANITOR_APPLY", value_parser = FalseyValueParser::new())]
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

    /// Networks such as 10.0.0.0/16 of which EC2 shows every host here, separated by commas: only there is a
    /// host dead that EC2 has forgotten.
    #[arg(long, value_name = "NETWORKS", env = "ECSSD_JANITOR_HOME_NETWORKS", value_delimiter = ',')]
    pub home_networks: Vec<String>,

    /// Delete at most so many records in a run, whatever the shares of zone and service allow.
    #[arg(long, value_name = "N", env = "ECSSD_JANITOR_MAX_DELETES")]
    pub max_deletes: Option<String>,

    /// Ask every target over HTTP, and report those that do not answer.
    #[arg(long, env = "ECSSD_JANITOR_CHECK_HEALTH", value_parser = FalseyValueParser::new())]
    pub check_health: bool,

    /// What they are asked for.
    #[arg(long, value_name = "PATH", env = "ECSSD_JANITOR_CHECK_HEALTH_PATH", default_value = "/health")]
    pub check_health_path: String,

    /// Stop the task of a target that does not answer, at most one of a service in a run.
    #[arg(long, env = "ECSSD_JANITOR_STOP_UNHEALTHY", value_parser = FalseyValueParser::new())]
    pub stop_unhealthy: bool,

    /// Print the report as JSON instead of a table.
    #[arg(long, env = "ECSSD_JANITOR_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// What a Lambda's event may say. Everything else in it is somebody else's: a scheduled event has a dozen
/// fields of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Event {
    zone: Option<String>,
    zone_id: Option<String>,
    #[serde(alias = "clusters")]
    ecs_clusters: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    assume_roles: Option<Vec<String>>,
    home_networks: Option<Vec<String>>,
    max_deletes: Option<u32>,
    check_health: Option<bool>,
    check_health_path: Option<String>,
    stop_unhealthy: Option<bool>,
    dry_run: Option<bool>,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// Where one of our fields is of another type.
    pub fn read(event: serde_json::Value) -> Result<Self, String> {
        if !event.is_object() {
            return Ok(Self::default());
        }
        serde_json::from_value(event).map_err(|error| error.to_string())
    }

    /// What it says counts more than variables.
    fn tell(self, cli: &mut Cli) {
        let arguments = &mut cli.janitor;
        set(&mut cli.zone, self.zone);
        if self.zone_id.is_some() {
            cli.zone_id = self.zone_id;
        }
        set(&mut arguments.clusters, self.ecs_clusters);
        set(&mut arguments.regions, self.regions);
        set(&mut arguments.assume_roles, self.assume_roles);
        set(&mut arguments.home_networks, self.home_networks);
        set(&mut arguments.max_deletes, self.max_deletes.map(|most| Some(most.to_string())));
        set(&mut arguments.check_health, self.check_health);
        set(&mut arguments.check_health_path, self.check_health_path);
        set(&mut arguments.stop_unhealthy, self.stop_unhealthy);
        set(&mut cli.dry_run, self.dry_run);
    }
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
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
        let former = predecessors(&cli, variable).unwrap_or_else(|reason| {
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
        let clusters = each("--clusters", &arguments.clusters, cluster);
        let regions = each("--regions", &arguments.regions, region);
        let assume_roles = each("--assume-roles", &arguments.assume_roles, role);
        let home = each("--home-networks", &arguments.home_networks, |text| network(text).map(|_| ()));
        each("--check-health-path", std::slice::from_ref(&arguments.check_health_path), path);
        let most = arguments.max_deletes.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let deletes_max = most.map(str::parse::<usize>).transpose();
        if deletes_max.is_err() {
            note(&mut bad, "--max-deletes", &format!("{:?} is not a number of records", most.unwrap_or("")));
        }
        let config = Config::read(cli).map_err(|more| bad.extend(more)).ok();
        let Some(config) = config.filter(|_| bad.is_empty()) else { return Err(bad) };
        let health = Health { path: arguments.check_health_path.clone(), stop: arguments.stop_unhealthy };
        let order = Order {
            scope: Scope { clusters, home: home.iter().filter_map(|text| network(text).ok()).collect() },
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

/// What the predecessor's variables say, where ours say nothing.
fn predecessors(cli: &Cli, variable: impl Fn(&str) -> Option<String>) -> Result<Event, String> {
    let given =
        |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let ours = |name: &str| given(name).is_some();
    let truth = |name: &str| match given(name).map(|text| text.to_ascii_lowercase()).as_deref() {
        None => Ok(None),
        Some("1" | "true" | "yes" | "on") => Ok(Some(true)),
        Some("0" | "false" | "no" | "off") => Ok(Some(false)),
        Some(other) => Err(format!("{name}: {other:?} is neither true nor false")),
    };
    let clusters = given("ecs_clusters").map(|text| match serde_json::from_str::<Vec<String>>(&text) {
        Ok(names) => names,
        Err(_) => text.split(',').map(str::to_owned).collect(),
    });
    Ok(Event {
        zone: given("zone").filter(|_| !ours("ECSSD_ZONE")),
        ecs_clusters: clusters.filter(|_| cli.janitor.clusters.is_empty()),
        check_health: truth("check_health")?.filter(|_| !ours("ECSSD_JANITOR_CHECK_HEALTH")),
        check_health_path: given("check_health_path").filter(|_| !ours("ECSSD_JANITOR_CHECK_HEALTH_PATH")),
        ..Event::default()
    })
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

/// Source: ECS API reference, CreateCluster: up to 255 letters, digits, underscores and hyphens.
fn cluster(text: &str) -> Result<(), String> {
    let name = match text.strip_prefix("arn:") {
        Some(rest) => rest.split_once(":cluster/").map_or("", |(_, name)| name),
        None => text,
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let fits = (1..=255).contains(&name.len()) && name.bytes().all(good);
    if fits { Ok(()) } else { Err(format!("{text:?} is not a cluster's name or ARN")) }
}

fn region(text: &str) -> Result<(), String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = text.split('-').count() >= 3 && text.bytes().all(good) && !text.starts_with('-');
    if fits { Ok(()) } else { Err(format!("{text:?} is not a region such as eu-central-1")) }
}

fn role(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields[..] {
        ["arn", _, "iam", "", account, role]
            if account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty()) =>
        {
            Ok(())
        }
        _ => Err(format!("{text:?} is not a role's ARN such as arn:aws:iam::111122223333:role/janitor")),
    }
}

fn network(text: &str) -> Result<Network, String> {
    let read = || {
        let (address, prefix) = text.split_once('/')?;
        let (address, prefix) = (address.parse::<Ipv4Addr>().ok()?, prefix.parse().ok()?);
        (1..=32).contains(&prefix).then_some(Network { address, prefix })
    };
    read().ok_or_else(|| format!("{text:?} is not an IPv4 network such as 10.0.0.0/16"))
}

fn path(text: &str) -> Result<(), String> {
    let fits = text.starts_with('/')
        && text.len() <= PATH_CHARACTERS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if fits { Ok(()) } else { Err(format!("{text:?} is not a path such as /health")) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    fn cli(arguments: &[&str]) -> Cli {
        Cli::try_parse_from(["ecssd"].iter().chain(arguments)).unwrap()
    }

    fn shell(arguments: &[&str]) -> Result<Settings, Vec<BadSetting>> {
        Settings::of_shell(&cli(arguments))
    }

    fn lambda(variables: &[(&str, &str)], event: serde_json::Value) -> Result<Settings, Vec<BadSetting>> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::of_lambda(&cli(&[]), variable, event)
    }

    /// As the scheduler sends it.
    fn scheduled() -> serde_json::Value {
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "111122223333", "time": "2026-10-08T16:53:06Z",
            "region": "eu-central-1", "resources": ["arn:aws:events:eu-central-1:111122223333:rule/janitor"],
            "detail": {}
        })
    }

    #[test]
    fn a_shell_plans_and_a_lambda_writes() {
        assert!(!shell(&["--janitor"]).unwrap().order.apply);
        assert!(shell(&["--janitor", "--apply"]).unwrap().order.apply);
        assert!(lambda(&[], scheduled()).unwrap().order.apply);
        assert!(lambda(&[], json!(null)).unwrap().order.apply);
        assert!(!lambda(&[], json!({"dry_run": true})).unwrap().order.apply);
    }

    #[test]
    fn a_scheduled_event_says_nothing() {
        assert_eq!(lambda(&[], scheduled()), lambda(&[], json!({})));
    }

    #[test]
    fn the_predecessors_names_are_understood() {
        let variables = [
            ("ecs_clusters", "one, two"),
            ("check_health", "True"),
            ("check_health_path", "/alive"),
            ("zone", "old.internal"),
        ];
        let settings = lambda(&variables, json!({})).unwrap();
        assert_eq!(settings.order.scope.clusters, ["one", "two"]);
        assert_eq!(settings.order.health, Some(Health { path: "/alive".into(), stop: false }));
        assert_eq!(settings.config.zone, "old.internal");
        // An empty list is all; an event counts more.
        let event = json!({"ecs_clusters": [], "check_health": false, "zone": "new.internal"});
        let settings = lambda(&variables, event).unwrap();
        assert_eq!((settings.order.scope.clusters.len(), settings.order.health), (0, None));
        assert_eq!(settings.config.zone, "new.internal");
        let settings = lambda(&[("ecs_clusters", "[\"a\", \"b\"]")], json!({})).unwrap();
        assert_eq!(settings.order.scope.clusters, ["a", "b"]);
    }

    #[test]
    fn every_bad_setting_is_reported() {
        let bad = shell(&[
            "--janitor",
            "--apply",
            "--dry-run",
            "--local",
            "--sync",
            "--stop-unhealthy",
            "--clusters",
            "a b,ok",
            "--regions",
            "here",
            "--assume-roles",
            "arn:aws:iam::1:role/x",
            "--home-networks",
            "10.0.0.0",
            "--max-deletes",
            "few",
            "--check-health-path",
            "health",
            "--rate",
            "0",
        ])
        .unwrap_err();
        let text: Vec<String> = bad.iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 11, "{text:#?}");
        for event in
            [json!({"ecs_clusters": "one"}), json!({"check_health": "yes"}), json!({"max_deletes": -1})]
        {
            assert_eq!(lambda(&[], event).unwrap_err().len(), 1);
        }
        assert!(lambda(&[("check_health", "perhaps")], json!({})).is_err());
    }

    #[test]
    fn what_is_given_holds() {
        let settings = shell(&[
            "--janitor",
            "--clusters",
            "arn:aws:ecs:eu-central-1:111122223333:cluster/web,",
            "--regions",
            "eu-central-1,us-east-1",
            "--assume-roles",
            "arn:aws-cn:iam::111122223333:role/a/janitor",
            "--home-networks",
            "10.0.0.0/16",
            "--max-deletes",
            "7",
            "--limits",
            "legacy",
            "--rate",
            "1",
        ])
        .unwrap();
        assert_eq!((settings.regions.len(), settings.assume_roles.len()), (2, 1));
        assert_eq!((settings.order.scope.clusters.len(), settings.order.deletes_max), (1, Some(7)));
        assert_eq!(settings.order.scope.home[0], Network { address: [10, 0, 0, 0].into(), prefix: 16 });
        assert_eq!(settings.order.pace.requests, Rate { per_second: 1.0, burst: 2.0 });
    }
}
