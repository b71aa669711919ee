//! The janitor's settings, judged: flags, variables, and a Lambda's event.
//!
//! The zone, its endpoint and the pace are the agent's settings, and mean the same here. The predecessor's
//! Lambda had names of its own, which a Lambda understands in its environment and its event.

mod event;
mod values;

use tracing::level_filters::LevelFilter;

use self::event::Event;
use super::values::form;
use super::{BadSetting, BadValue, Config, Conflict, Limits, Reason, Registry, given};
use crate::change::pacing::{Pace, Rate};
use crate::cli::Cli;
use crate::janitor::forget::Forget;
use crate::janitor::options::{Health, RunOptions};
use crate::janitor::reader::Scope;
use crate::janitor::settings::Settings;
use crate::logs;
use crate::record::Owner;

/// The janitor's share of what an account may do: its reads come once in minutes, and an agent's write should
/// not wait for them.
pub const SHARE: Pace = Pace { requests: Rate { per_second: 5.0, burst: 30.0 }, ..Pace::ROUTE53 };
/// The same of the limits from before.
pub const SHARE_LEGACY: Pace = Pace { requests: Rate { per_second: 2.0, burst: 2.0 }, ..Pace::LEGACY };

/// What a janitor was told.
#[derive(Clone, Debug, PartialEq)]
pub struct JanitorConfig {
    /// What its runs are told.
    pub settings: Settings,
    /// For how many seconds resolvers may remember at most that a name is not there, where that is all to be done.
    pub soa_minimum: Option<u32>,
    /// Which hosts are to be forgotten, where that is all to be done.
    pub forget: Option<Forget>,
    /// How log lines look.
    pub log_format: logs::Format,
    /// What is logged.
    pub log_level: LevelFilter,
}

impl JanitorConfig {
    /// What a command line says.
    ///
    /// # Errors
    /// All settings that do not hold.
    pub fn of_shell(cli: &Cli) -> Result<Self, Vec<BadSetting>> {
        let mut bad = Vec::new();
        if cli.janitor.apply && cli.dry_run {
            note(&mut bad, "--apply, --dry-run", Conflict::ApplyAndDryRun);
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
        if !hosts(&cli).is_empty() {
            note(&mut bad, "--forget (ECSSD_FORGET)", Conflict::ForgetInLambda);
        }
        let legacy = Event::of_predecessor(&cli, variable).unwrap_or_else(|reason| {
            note(&mut bad, "environment", reason);
            Event::default()
        });
        legacy.tell(&mut cli);
        match Event::read(event) {
            Ok(event) => event.tell(&mut cli),
            Err(reason) => note(&mut bad, "event", reason),
        }
        Self::read(&cli, !cli.dry_run, bad)
    }

    fn read(cli: &Cli, apply: bool, mut bad: Vec<BadSetting>) -> Result<Self, Vec<BadSetting>> {
        let arguments = &cli.janitor;
        if cli.local {
            note(&mut bad, "--local", Conflict::JanitorOfLocal);
        }
        if cli.sync || cli.remove {
            note(&mut bad, "--sync, --remove", Conflict::JanitorAndTask);
        }
        let forget = Self::forget(cli, &mut bad);
        if arguments.stop_unhealthy && !arguments.check_health {
            note(&mut bad, "--stop-unhealthy", Conflict::StopWithoutCheck);
        }
        let mut each = |flag: &str, texts: &[String], judge: fn(&str) -> Result<(), BadValue>| {
            let given = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
            let given: Vec<String> = given.map(str::to_owned).collect();
            given.iter().filter_map(|text| judge(text).err()).for_each(|reason| note(&mut bad, flag, reason));
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
            note(&mut bad, "--max-deletes", form(most.unwrap_or(""), "a number of records such as 100"));
        }
        let minimum = arguments.soa_minimum.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let soa_minimum = minimum.map(values::soa_minimum).transpose().unwrap_or_else(|reason| {
            note(&mut bad, "--soa-minimum", reason);
            None
        });
        let config = Config::read(cli).map_err(|more| bad.extend(more)).ok();
        let Some(config) = config.filter(|_| bad.is_empty()) else { return Err(bad) };
        let pace = pace(&config);
        // One in an agent's process has been refused.
        let Registry::Route53 { wanted, endpoint_url } = config.registry else { return Err(bad) };
        let health = Health { path: arguments.check_health_path.clone(), stop: arguments.stop_unhealthy };
        let options = RunOptions {
            scope: Scope {
                clusters,
                home: home.iter().filter_map(|text| values::network(text).ok()).collect(),
                full_names: config.full_names.clone(),
                names: config.names.clone(),
            },
            apply,
            deletes_max: deletes_max.ok().flatten(),
            pace,
            health: arguments.check_health.then_some(health),
            deadline: None,
        };
        let json = arguments.json;
        let zone = config.zone;
        let settings = Settings { zone, wanted, endpoint_url, options, regions, assume_roles, json };
        Ok(Self { settings, soa_minimum, forget, log_format: config.log_format, log_level: config.log_level })
    }

    fn forget(cli: &Cli, bad: &mut Vec<BadSetting>) -> Option<Forget> {
        let names = hosts(cli);
        if names.is_empty() {
            if cli.force {
                note(bad, "--force (ECSSD_FORCE)", Conflict::ForceAlone);
            }
            return None;
        }
        if cli.janitor.janitor || cli.status || cli.janitor.soa_minimum.is_some() {
            note(bad, "--forget, --janitor, --soa-minimum, --status", Conflict::ForgetAndMore);
        }
        // A zone behind the hosts would be one of them, and the default zone's records would go.
        if [&cli.zone, &cli.zone_id].into_iter().all(|text| given(text).is_none()) {
            note(bad, "--forget (ECSSD_FORGET)", Conflict::ForgetWithoutZone);
        }
        let mut hosts = Vec::new();
        for name in names {
            match Owner::new(name) {
                Ok(owner) if !hosts.contains(&owner) => hosts.push(owner),
                Ok(_) => {}
                Err(error) => note(bad, "--forget (ECSSD_FORGET)", BadValue::from(error)),
            }
        }
        Some(Forget { hosts, force: cli.force })
    }
}

/// What `--forget` names. An empty variable is none.
fn hosts(cli: &Cli) -> Vec<&str> {
    cli.forget.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect()
}

fn note(bad: &mut Vec<BadSetting>, setting: &str, reason: impl Into<Reason>) {
    bad.push(BadSetting::new(setting, reason));
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
