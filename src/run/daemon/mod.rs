//! What the program does once its settings are read, from start to exit code: the daemon, or one of the commands
//! that are soon over.
//!
//! | | it |
//! |---|---|
//! | `serve` | keeps this host's records as they should be, until a signal |
//! | `--sync` | makes them so once, and says what it did |
//! | `--remove` | takes them out |
//!
//! `beside` says whether an agent runs where a command wants to write, `hosted` finds the zone, `registry` opens what is
//! written to and `recollection` what is known of it, `first_read` says when it is read first, `dns` says when it is
//! answered for, `status` shows what is known, `targets` tells Prometheus who serves, `negative` warns of a zone whose absent names are remembered for long, `signals` receives
//! SIGTERM, SIGINT and SIGHUP (`steer` says what each does), `manager` is the service manager, `exit` what an end is
//! called in the log and by its code.

mod beside;
mod descriptors;
mod dns;
mod error;
mod exit;
mod first_read;
mod hosted;
mod manager;
mod negative;
mod recollection;
mod registry;
mod signals;
mod status;
mod targets;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use self::descriptors::Descriptors;
use self::error::RunError;
use self::exit::{LEFT_BEHIND, UNAVAILABLE, asked_too_early, exit_code, interrupted, removal_code};
use self::registry::Open;
use self::signals::{Asked, Signals, TERM};
use self::status::Shown;
use self::targets::Targets;
use crate::actors::{Dependencies, Exit, Running, start};
use crate::clock::Clock;
use crate::config::{Command, Config};
use crate::container::convention::Scope;
use crate::edge::check::NetworkChecker;
use crate::edge::engine::{EcsIntrospection, UnixDocker};
use crate::edge::host::identity::{Given, Identity, Sources, looks_like_ec2};
use crate::edge::host::notices::HostSources;
use crate::edge::host::notices::cluster::Cluster;
use crate::edge::imds::Imds;
use crate::edge::imds::vpc::Vpc;
use crate::run::removal::remove;
use crate::status::Board;

/// How long a command that is soon over may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// Does what was asked for, until it is done, a signal comes, or the agent gives up.
pub async fn run(config: Config) -> ExitCode {
    match run_command(config).await {
        Ok(code) => ExitCode::from(code),
        Err(reason) => {
            tracing::error!(event = "failed", "{reason}");
            ExitCode::from(UNAVAILABLE)
        }
    }
}

async fn run_command(config: Config) -> Result<u8, RunError> {
    let mut signals = Signals::listen().map_err(RunError::Signals)?;
    loop {
        // Of what was for a zone that is no more, nothing is left but the state directory.
        if let Some(code) = run_in_zone(config.clone(), &mut signals).await? {
            return Ok(code);
        }
    }
}

/// All of it in one zone. Ends without a code where that is gone and another has its name.
async fn run_in_zone(config: Config, signals: &mut Signals) -> Result<Option<u8>, RunError> {
    let descriptors = Descriptors::raise();
    let board = Board::default();
    let shown = (config.command == Command::Serve)
        .then(|| Shown::serve(&config, &board, descriptors.status_connections()));
    let targets = Targets::serve(&config, &board, descriptors.targets_connections());
    let opened = async {
        let identity = identity(&config).await?;
        if config.command.is_over_soon() && !config.dry_run {
            beside::refuse(&config, &identity).await?;
        }
        let open = Open::open(&config, &identity, descriptors, &board).await?;
        Ok::<_, RunError>((identity, open))
    };
    let waits = async {
        tokio::time::sleep(manager::WAITS_AFTER).await;
        if config.command == Command::Serve {
            manager::waits();
        }
        manager::watch(async || {}).await
    };
    // Whoever runs a command waits for its end; the daemon has all the time there is.
    let limit = if config.command.is_over_soon() { COMMAND_LIMIT } else { Duration::MAX };
    let (identity, open) = tokio::select! {
        biased;
        // For a metadata service, a hosted zone or another agent it waits, but not past a signal.
        asked = signals.next() => return Ok(Some(asked_too_early(config.command, asked))),
        open = tokio::time::timeout(limit, opened) => match open {
            Ok(open) => open?,
            Err(_) => {
                let seconds = COMMAND_LIMIT.as_secs();
                tracing::error!(event = "one_shot_timeout", "nothing was done: this host and its zone were not found within {seconds} s");
                return Ok(Some(LEFT_BEHIND));
            }
        },
        never = waits => match never {},
    };
    let code = match config.command {
        Command::Serve => {
            return serve(config, &identity, open, signals, board, shown.as_ref(), &targets).await;
        }
        Command::Sync => {
            tokio::select! {
                biased;
                asked = signals.next() => interrupted(asked),
                code = sync(config, &identity, open) => code?,
            }
        }
        Command::Remove => {
            tokio::select! {
                biased;
                asked = signals.next() => interrupted(asked),
                removal = remove(&*open.zone, open.settings(true), COMMAND_LIMIT) => removal_code(&removal, &open),
            }
        }
    };
    Ok(Some(code))
}

async fn serve(
    config: Config,
    identity: &Identity,
    mut open: Open,
    signals: &mut Signals,
    board: Board,
    shown: Option<&Shown>,
    targets: &Targets,
) -> Result<Option<u8>, RunError> {
    let dry_run = config.dry_run;
    let facts = open.facts(&config);
    let command = config.zone_line(open.zone.name());
    let asides = open.asides();
    let dependencies = Dependencies { board: board.clone(), ..dependencies(config, identity, &open, false)? };
    let host = &dependencies.writer.registrant;
    tracing::info!(
        event = "agent_started",
        version = env!("CARGO_PKG_VERSION"),
        owner = %host.owner,
        address = %host.address,
        zone = host.zone,
        dry_run,
        "agent starts"
    );
    if let Some(shown) = shown {
        shown.know(facts, dependencies.clock, open.journal(), open.zone_here());
    }
    let agent = start(dependencies).await?;
    if let Some(shown) = shown {
        shown.lead(agent.hand());
    }
    let (heart, readiness) = (agent.heart(), agent.readiness());
    let cleared = {
        let (present, readiness) = (asides.present(identity), readiness.clone());
        async {
            asides.clear(present, &board, readiness).await;
            std::future::pending().await
        }
    };
    // The zone in this process says 5 s.
    let (zone, elsewhere) = (open.zone.name().to_owned(), open.zone_here().is_none());
    let remembered = async {
        match elsewhere {
            true => negative::watch(&zone, &command).await,
            false => std::future::pending().await,
        }
    };
    if elsewhere {
        targets.open(&open);
    }
    let reads = {
        let zone = open.zone.clone();
        async move { targets.read(&*zone).await }
    };
    let replaced = open.replacement();
    let answers = async {
        if let Err(error) = open.answer_dns(readiness).await {
            return error;
        }
        manager::ready();
        targets.open(&open);
        open.dns_failed().await
    };
    tokio::select! {
        biased;
        ended = steer(signals, agent, dry_run, replaced) => Ok(ended),
        // Whoever starts it again gets the sockets anew; records stay.
        error = answers => Err(error.into()),
        never = manager::watch(async || heart.beats().await) => match never {},
        never = remembered => match never {},
        never = cleared => match never {},
        never = reads => match never {},
        never = async {
            match shown {
                Some(shown) => shown.pulse(&heart).await,
                None => std::future::pending().await,
            }
        } => match never {},
    }
}

async fn sync(config: Config, identity: &Identity, open: Open) -> Result<u8, RunError> {
    let mut agent = start(dependencies(config, identity, &open, true)?).await?;
    let Ok(exit) = tokio::time::timeout(COMMAND_LIMIT, agent.ended()).await else {
        tracing::error!(
            event = "one_shot_timeout",
            "not done in {} s: Docker or the zone does not answer",
            COMMAND_LIMIT.as_secs()
        );
        return Ok(LEFT_BEHIND);
    };
    let code = exit_code(&exit);
    if code == 0 {
        let did = if open.dry_run { "would change this much; nothing was written" } else { "synchronised" };
        tracing::info!(event = "synchronised", changes = open.changes(), "{did}");
    }
    Ok(code)
}

fn dependencies(
    config: Config,
    identity: &Identity,
    open: &Open,
    once: bool,
) -> Result<Dependencies, RunError> {
    let writer = open.settings(once);
    let scope = Scope::new(&writer.registrant.zone, writer.registrant.owner.label())
        .with_full_names(config.full_names)
        .with_allowed(config.names)
        .with_ttl_max(config.ttl_max);
    let imds = metadata_service(identity)?;
    let ecs_agent = EcsIntrospection::new(&config.ecs_introspection, imds.clone().map(Vpc::of))?;
    let cluster = Cluster::new(ecs_agent.clone());
    let notices = HostSources { imds, cluster, follows_route: identity.follows_route };
    Ok(Dependencies {
        docker: Arc::new(UnixDocker::new(config.docker_socket, scope)),
        tasks: Arc::new(ecs_agent),
        checker: Arc::new(NetworkChecker::of(writer.registrant.address)),
        probes_max: open.descriptors.probes(),
        zone: open.zone.clone(),
        stop_belief: config.stop_belief,
        follows_route: identity.follows_route,
        signals: open.signals(),
        cordons: Some(open.cordons()),
        writer,
        once,
        fleet: open.fleet(),
        notices: Some(Arc::new(notices)),
        stop: config.stop,
        board: Board::default(),
        clock: Clock::start(),
    })
}

async fn identity(config: &Config) -> Result<Identity, RunError> {
    let given = config.host.clone();
    // Nothing is left to ask when both were given.
    let imds = match given {
        Given { hostname: Some(_), address: Some(_) } => None,
        _ => Imds::from_variables(|name| std::env::var(name).ok())?,
    };
    Ok(Sources::of_this_host(given, imds).identity().await?)
}

/// The metadata service, where this is EC2: elsewhere others answer at its address, or nobody.
fn metadata_service(identity: &Identity) -> Result<Option<Imds>, RunError> {
    let on_ec2 = identity.is_instance || looks_like_ec2(|path| std::fs::read_to_string(path).ok());
    let imds = Imds::from_variables(|name| std::env::var(name).ok())?;
    Ok(imds.filter(|_| on_ec2))
}

/// Passes signals on to the agent until it has ended, or a second one says at once. Where its zone is `replaced`, it
/// hands over to the next of this process, and there is no code.
async fn steer(
    signals: &mut Signals,
    mut agent: Running,
    dry_run: bool,
    replaced: impl Future<Output = ()>,
) -> Option<u8> {
    tokio::pin!(replaced);
    let mut is_replaced = false;
    let (mut stopping, mut readiness) = (false, agent.readiness());
    readiness.mark_changed();
    loop {
        tokio::select! {
            biased;
            exit = agent.ended() => return (!is_replaced || exit != Exit::HandedOver).then(|| exit_code(&exit)),
            () = &mut replaced, if !is_replaced && !stopping => {
                is_replaced = true;
                agent.hand_over();
            }
            // Its board lives as long as the agent does.
            Ok(()) = readiness.changed() => manager::shows(&readiness.borrow_and_update().clone()),
            asked = signals.next() => match asked {
                Asked::Stop(code) if stopping => {
                    tracing::warn!(event = "second_signal", "a second signal: exiting at once, records are left as they are");
                    return Some(code);
                }
                Asked::Stop(_) if dry_run => {
                    tracing::info!(event = "plan_ended", "the plan ends here; nothing was written");
                    return Some(0);
                }
                Asked::Stop(code) => {
                    stopping = true;
                    manager::stopping();
                    // What `--on-term` says is for whoever manages services, not for a terminal.
                    if code == TERM { agent.stop() } else { agent.drain() }
                }
                Asked::HandOver if stopping => tracing::warn!(event = "hangup_too_late", "SIGHUP is too late: the drain goes on"),
                Asked::HandOver => {
                    manager::stopping();
                    agent.hand_over();
                }
            },
        }
    }
}
