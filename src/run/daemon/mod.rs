//! What the program does once its settings are read, from start to exit code: the daemon, or one of the commands
//! that are soon over.
//!
//! | | it |
//! |---|---|
//! | `serve` | keeps this host's records as they should be, until a signal |
//! | `--sync` | makes them so once, and says what it did |
//! | `--remove` | takes them out |
//!
//! `registry` opens what is written to, `dns` says when it is answered for, `signals` receives what an operator asks, `manager` is the service
//! manager.

mod descriptors;
mod dns;
mod manager;
mod registry;
mod signals;

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use self::descriptors::Descriptors;
use self::registry::Open;
use self::signals::{Asked, Signals, TERM};
use crate::actors::{Dependencies, Exit, Running, start};
use crate::clock::Clock;
use crate::config::{Command, Config};
use crate::container::convention::Scope;
use crate::edge::check::NetworkChecker;
use crate::edge::engine::{EcsIntrospection, UnixDocker};
use crate::edge::host::identity::{Given, Identity, Sources, looks_like_ec2};
use crate::edge::host::imds::Imds;
use crate::edge::host::notices::HostSources;
use crate::edge::host::notices::cluster::Cluster;
use crate::record::Key;
use crate::run::removal::{Removal, remove};
use crate::status::Board;

/// What was asked for is not to be had (`EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;
/// Actors kept failing (`EX_SOFTWARE`).
const GAVE_UP: u8 = 70;
/// Time ran out, or something is left; a next start goes on with it (`EX_TEMPFAIL`).
const LEFT_BEHIND: u8 = 75;
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

async fn run_command(config: Config) -> Result<u8, String> {
    let descriptors = Descriptors::raise();
    let mut signals = Signals::listen().map_err(|error| format!("signals cannot be received: {error}"))?;
    let opened = async {
        let identity = identity(&config).await?;
        let open = Open::open(&config, &identity, descriptors).await?;
        Ok::<_, String>((identity, open))
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
        asked = signals.next() => return Ok(asked_too_early(&config, asked)),
        open = tokio::time::timeout(limit, opened) => match open {
            Ok(open) => open?,
            Err(_) => {
                let seconds = COMMAND_LIMIT.as_secs();
                tracing::error!(event = "one_shot_timeout", "nothing was done: this host and its zone were not found within {seconds} s");
                return Ok(LEFT_BEHIND);
            }
        },
        never = waits => match never {},
    };
    match config.command {
        Command::Serve => serve(config, &identity, open, signals).await,
        Command::Sync => {
            tokio::select! {
                biased;
                asked = signals.next() => Ok(interrupted(asked)),
                code = sync(config, &identity, open) => code,
            }
        }
        Command::Remove => {
            tokio::select! {
                biased;
                asked = signals.next() => Ok(interrupted(asked)),
                code = remove_all(&open) => Ok(code),
            }
        }
    }
}

async fn serve(
    config: Config,
    identity: &Identity,
    mut open: Open,
    mut signals: Signals,
) -> Result<u8, String> {
    let dry_run = config.dry_run;
    let dependencies = dependencies(config, identity, &open, false)?;
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
    let agent = start(dependencies).await.map_err(text)?;
    let (heart, readiness) = (agent.heart(), agent.readiness());
    let answers = async {
        if let Err(error) = open.answer_dns(readiness).await {
            return error;
        }
        manager::ready();
        open.dns_failed().await
    };
    tokio::select! {
        biased;
        code = steer(&mut signals, agent, dry_run) => Ok(code),
        // Whoever starts it again gets the sockets anew; records stay.
        error = answers => Err(error.to_string()),
        never = manager::watch(async || heart.beats().await) => match never {},
    }
}

async fn sync(config: Config, identity: &Identity, open: Open) -> Result<u8, String> {
    let mut agent = start(dependencies(config, identity, &open, true)?).await.map_err(text)?;
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

async fn remove_all(open: &Open) -> u8 {
    let removal = remove(&*open.zone, open.settings(true), COMMAND_LIMIT).await;
    let changes = open.changes();
    match removal {
        Removal::Done | Removal::Unconfirmed if open.dry_run => {
            tracing::info!(event = "removal_planned", changes, "would remove this much; nothing was written");
            0
        }
        Removal::Done => {
            tracing::info!(
                event = "removed",
                changes,
                "nothing of this host is left, and every name server answers so"
            );
            0
        }
        Removal::Unconfirmed => {
            tracing::error!(
                event = "removed_unconfirmed",
                changes,
                "nothing of this host is left, but some name servers may answer with it yet"
            );
            LEFT_BEHIND
        }
        Removal::Left(left) => {
            say_left(&left);
            tracing::error!(
                event = "removal_incomplete",
                left = left.len(),
                "records are left; run --remove again"
            );
            LEFT_BEHIND
        }
        Removal::Unread => {
            tracing::error!(
                event = "removal_unread",
                "the zone could not be read: records may be left; run --remove again"
            );
            LEFT_BEHIND
        }
    }
}

fn dependencies(
    config: Config,
    identity: &Identity,
    open: &Open,
    once: bool,
) -> Result<Dependencies, String> {
    let writer = open.settings(once);
    let scope = Scope::new(&writer.registrant.zone, writer.registrant.owner.label());
    let ecs_agent = EcsIntrospection::new(&config.ecs_introspection).map_err(text)?;
    let notices = HostSources { imds: notifier(identity)?, cluster: Cluster::new(ecs_agent.clone()) };
    Ok(Dependencies {
        docker: Arc::new(UnixDocker::new(config.docker_socket, scope)),
        tasks: Arc::new(ecs_agent),
        checker: Arc::new(NetworkChecker { host_address: writer.registrant.address }),
        probes_max: open.descriptors.probes(),
        zone: open.zone.clone(),
        stop_belief: config.stop_belief,
        signals: open.signals(),
        writer,
        once,
        fleet: open.fleet(),
        notices: Some(Arc::new(notices)),
        stop: config.stop,
        board: Board::default(),
        clock: Clock::start(),
    })
}

async fn identity(config: &Config) -> Result<Identity, String> {
    let given = config.host.clone();
    // Nothing is left to ask when both were given.
    let imds = match given {
        Given { hostname: Some(_), address: Some(_) } => None,
        _ => Imds::from_variables(|name| std::env::var(name).ok()).map_err(text)?,
    };
    Sources::of_this_host(given, imds).identity().await.map_err(text)
}

/// The metadata service, where this is EC2: elsewhere others answer at its address, or nobody.
fn notifier(identity: &Identity) -> Result<Option<Imds>, String> {
    let on_ec2 = identity.is_instance || looks_like_ec2(|path| std::fs::read_to_string(path).ok());
    let imds = Imds::from_variables(|name| std::env::var(name).ok()).map_err(text)?;
    Ok(imds.filter(|_| on_ec2))
}

fn asked_too_early(config: &Config, asked: Asked) -> u8 {
    match (config.command, asked) {
        (Command::Serve, Asked::HandOver) => 0,
        (Command::Serve, Asked::Stop(_)) => {
            tracing::error!(
                event = "stopped_early",
                "stopped before this host or its zone was found: an earlier run's records may be left"
            );
            LEFT_BEHIND
        }
        (Command::Sync | Command::Remove, asked) => interrupted(asked),
    }
}

fn interrupted(asked: Asked) -> u8 {
    tracing::error!(event = "interrupted", "interrupted: it may be half done; run it again");
    match asked {
        Asked::Stop(code) => code,
        Asked::HandOver => LEFT_BEHIND,
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// Passes signals on to the agent until it has ended, or a second one says at once.
async fn steer(signals: &mut Signals, mut agent: Running, dry_run: bool) -> u8 {
    let (mut stopping, mut readiness) = (false, agent.readiness());
    readiness.mark_changed();
    loop {
        tokio::select! {
            biased;
            exit = agent.ended() => return exit_code(&exit),
            // Its board lives as long as the agent does.
            Ok(()) = readiness.changed() => manager::shows(&readiness.borrow_and_update().clone()),
            asked = signals.next() => match asked {
                Asked::Stop(code) if stopping => {
                    tracing::warn!(event = "second_signal", "a second signal: exiting at once, records are left as they are");
                    return code;
                }
                Asked::Stop(_) if dry_run => {
                    tracing::info!(event = "plan_ended", "the plan ends here; nothing was written");
                    return 0;
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

fn exit_code(exit: &Exit) -> u8 {
    match exit {
        Exit::Drained => {
            manager::safe_to_stop();
            tracing::info!(event = "drained", "every service of this host is withdrawn: safe to stop");
            0
        }
        Exit::Unconfirmed => {
            manager::says("withdrawn, but not every name server was seen to answer so");
            tracing::error!(
                event = "drained_unconfirmed",
                "every service of this host is withdrawn, but not every name server was seen to answer so in \
                 time: some clients may still be sent here"
            );
            LEFT_BEHIND
        }
        Exit::HandedOver => {
            manager::says("handed over: the records stay");
            tracing::info!(
                event = "handed_over",
                "handed over: the records stay for the next agent of this host"
            );
            0
        }
        Exit::Reconciled(left) if left.is_empty() => 0,
        Exit::Reconciled(left) => {
            say_left(left);
            tracing::error!(
                event = "sync_incomplete",
                left = left.len(),
                "not everything could be made as it should be"
            );
            LEFT_BEHIND
        }
        Exit::LeftBehind(Some(left)) => {
            manager::says(&format!("not safe to stop: {} records are left", left.len()));
            say_left(left);
            tracing::error!(
                event = "drain_incomplete",
                left = left.len(),
                "records are left, refused or out of time; start the agent again to remove them"
            );
            LEFT_BEHIND
        }
        Exit::LeftBehind(None) => {
            manager::says("not safe to stop: records may be left");
            tracing::error!(
                event = "drain_unread",
                "the drain's time is over before the zone could be read; records may be left"
            );
            LEFT_BEHIND
        }
        Exit::GaveUp => {
            tracing::error!(
                event = "gave_up",
                "actors kept failing: giving up, records stay; start the agent again"
            );
            GAVE_UP
        }
    }
}

fn say_left(left: &[Key]) {
    for key in left {
        tracing::error!(event = "left_behind", record = %key, "left behind");
    }
}
