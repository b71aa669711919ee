//! The door: reads the settings, sets up logging and the runtime, and turns the end into an exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use ecssd::cli::{self, Cli};
use ecssd::config::janitor::JanitorConfig;
use ecssd::config::{self, BadSetting, BadSettings, Config, Conflict, Idle, Mode, Order};
use ecssd::janitor::forget::{Forget, shell as forget};
use ecssd::janitor::settings::Settings;
use ecssd::janitor::{lambda, shell};
use ecssd::logs::{self, Logging};
use ecssd::run::status::{self, View};
use ecssd::run::{daemon, doctor, order};
use ecssd::zone_setup::{lambda as zone_setup, shell as zone_shell};

/// A setting is wrong (`EX_USAGE`).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let environment: Vec<_> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    let cli = match cli::read(std::env::args_os(), &environment) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let in_lambda = std::env::var_os(lambda::RUNTIME_API_VARIABLE).is_some_and(|api| !api.is_empty());
    let unknown = cli.variables.unknown.clone();
    let (job, _logging) = match job(cli, in_lambda) {
        Ok(job) => job,
        Err(bad) => {
            bad.iter().for_each(|setting| eprintln!("ecssd: {setting}"));
            unknown.iter().for_each(|variable| eprintln!("ecssd: {variable}"));
            eprintln!("ecssd: nothing was started; see ecssd --help");
            return ExitCode::from(USAGE);
        }
    };
    unknown.iter().for_each(|variable| tracing::warn!(event = "variable_unknown", "{variable}"));
    // One thread: nothing here keeps a core busy, and a daemon on every host should be small.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ecssd: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match job {
        Job::Status(places, view) => runtime.block_on(status::show(&places, view)),
        Job::Order(places, asked) => runtime.block_on(order::give(&places, &asked)),
        Job::Doctor(config, json) => runtime.block_on(doctor::examine(&config, json)),
        Job::Agent(config) => runtime.block_on(daemon::run(*config)),
        Job::LowerSoa(settings, seconds) => ExitCode::from(runtime.block_on(lower_soa(&settings, seconds))),
        Job::Forget(settings, hosts) => ExitCode::from(runtime.block_on(forget::run(&settings, &hosts))),
        Job::Sweep(settings) => ExitCode::from(runtime.block_on(shell::sweep(&settings))),
        Job::Lambda(cli) => ended(runtime.block_on(lambda::serve(|event| settings_of(&cli, event)))),
        Job::ZoneSetup => ended(runtime.block_on(zone_setup::serve())),
    }
}

fn ended(served: Result<(), impl std::fmt::Display>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "failed", "{error}");
            ExitCode::FAILURE
        }
    }
}

/// What this process is for.
enum Job {
    Status(Vec<PathBuf>, View),
    Order(Vec<PathBuf>, Order),
    Doctor(Box<Config>, bool),
    Agent(Box<Config>),
    Sweep(Box<Settings>),
    Forget(Box<Settings>, Forget),
    LowerSoa(Box<Settings>, u32),
    Lambda(Box<Cli>),
    ZoneSetup,
}

async fn lower_soa(settings: &Settings, seconds: u32) -> u8 {
    match shell::zone(settings).await {
        Ok(zone) => zone_shell::lower(&*zone, seconds, settings.options.apply).await,
        Err(exit_code) => exit_code,
    }
}

/// What a run is told by an event of a Lambda.
fn settings_of(cli: &Cli, event: serde_json::Value) -> Result<Settings, BadSettings> {
    JanitorConfig::of_lambda(cli, variable, event).map(|config| config.settings).map_err(BadSettings)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Judges all settings, and begins the log.
fn job(cli: Cli, in_lambda: bool) -> Result<(Job, Logging), Vec<BadSetting>> {
    if in_lambda {
        // The variables must hold by themselves: a bad one should be seen at the first start, not at the
        // first event.
        let config = JanitorConfig::of_lambda(&cli, variable, serde_json::Value::Null)?;
        let logging = logs::init(config.log_format, config.log_level);
        // One zip is two functions, with a role of its own each.
        if variable(zone_setup::HANDLER_VARIABLE).as_deref() == Some(zone_setup::HANDLER) {
            return Ok((Job::ZoneSetup, logging));
        }
        return Ok((Job::Lambda(Box::new(cli)), logging));
    }
    let sweeps = cli.janitor.janitor || cli.forget.iter().any(|name| !name.trim().is_empty());
    if sweeps && !cli.cordon.is_given() {
        let mode = if cli.janitor.janitor { Mode::Janitor } else { Mode::Forget };
        let idle = config::idle(&cli, mode);
        let config = hold(JanitorConfig::of_shell(&cli), &idle.refused)?;
        let logging = logs::init(config.log_format, config.log_level);
        tell(&idle);
        let settings = Box::new(config.settings);
        let job = match (config.forget, config.soa_minimum) {
            (Some(hosts), _) => Job::Forget(settings, hosts),
            (None, Some(seconds)) => Job::LowerSoa(settings, seconds),
            (None, None) => Job::Sweep(settings),
        };
        return Ok((job, logging));
    }
    let mut bad = Vec::new();
    if cli.janitor.apply {
        bad.push(BadSetting::alone("--apply (ECSSD_JANITOR_APPLY)", Conflict::ApplyAlone));
    }
    if cli.force {
        bad.push(BadSetting::alone("--force (ECSSD_FORCE)", Conflict::ForceAlone));
    }
    if cli.janitor.soa_minimum.as_deref().is_some_and(|text| !text.trim().is_empty()) {
        bad.push(BadSetting::without_janitor("--soa-minimum (ECSSD_JANITOR_SOA_MINIMUM)"));
    }
    let idle = config::idle(&cli, mode(&cli));
    bad.extend_from_slice(&idle.refused);
    let config = hold(Config::read(&cli), &bad)?;
    let logging = logs::init(config.log_format, config.log_level);
    tell(&idle);
    if let Some(asked) = config.order {
        return Ok((Job::Order(config.status.sockets, asked), logging));
    }
    if cli.doctor {
        return Ok((Job::Doctor(Box::new(config), cli.janitor.json), logging));
    }
    if cli.status {
        let view = View { watch: cli.watch, json: cli.janitor.json };
        return Ok((Job::Status(config.status.sockets, view), logging));
    }
    Ok((Job::Agent(Box::new(config)), logging))
}

/// Of whoever is no janitor.
fn mode(cli: &Cli) -> Mode {
    match cli {
        cli if cli.cordon.is_given() => Mode::Cordon,
        cli if cli.doctor => Mode::Doctor,
        cli if cli.status => Mode::Status,
        _ => Mode::Agent,
    }
}

/// What was read, unless it or something beside it is bad; then all that is.
fn hold<T>(read: Result<T, Vec<BadSetting>>, bad: &[BadSetting]) -> Result<T, Vec<BadSetting>> {
    match read {
        Ok(read) if bad.is_empty() => Ok(read),
        Ok(_) => Err(bad.to_vec()),
        Err(more) => Err([bad, &more].concat()),
    }
}

fn tell(idle: &Idle) {
    idle.told.iter().for_each(|line| tracing::warn!(event = "flag_ignored", "{line}"));
}
