//! The daemon: an agent, its zone and its DNS, from start to exit code.

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::actors::{Exit, Running, Surroundings, start};
use crate::check::NetworkChecker;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{EcsIntrospection, UnixDocker};
use crate::host::identity::{Given, Identity, Sources};
use crate::host::imds::Imds;
use crate::machine::registration::Registrant;
use crate::machine::service::Scope;
use crate::zone::dns;
use crate::zone::embedded::{EmbeddedZone, Options};
use crate::zone::pacing::Pace;

/// What was asked for is not to be had (`EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;
/// Actors kept failing (`EX_SOFTWARE`).
const GAVE_UP: u8 = 70;
/// A drain ran out of time; a next start goes on with it (`EX_TEMPFAIL`).
const LEFT_BEHIND: u8 = 75;

/// Runs until a signal, or until the agent gives up.
pub async fn run(config: Config) -> ExitCode {
    match run_until_signal(config).await {
        Ok(code) => ExitCode::from(code),
        Err(reason) => {
            tracing::error!("{reason}");
            ExitCode::from(UNAVAILABLE)
        }
    }
}

async fn run_until_signal(config: Config) -> Result<u8, String> {
    let mut signals = Signals::listen().map_err(|error| format!("signals cannot be received: {error}"))?;
    let identity = tokio::select! {
        biased;
        identity = identity(&config) => identity?,
        // On EC2 it waits for the metadata service as long as it takes, but not past a signal.
        asked = signals.next() => return Ok(asked_too_early(&asked)),
    };
    let Identity { owner, address, .. } = identity;
    let zone = EmbeddedZone::open(&config.state_dir, &config.zone, Options::default()).map_err(text)?;
    let mut dns = dns::serve(zone.clone(), &config.dns_listen).await.map_err(text)?;
    for address in dns.addresses() {
        tracing::info!(%address, zone = config.zone, "answering DNS");
    }
    let scope = Scope::new(&config.zone, owner.label());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        %owner,
        %address,
        docker = %config.docker_socket.display(),
        "agent starts"
    );
    let surroundings = Surroundings {
        docker: Arc::new(UnixDocker::new(config.docker_socket, scope)),
        tasks: Arc::new(EcsIntrospection::new(&config.ecs_introspection).map_err(text)?),
        checker: Arc::new(NetworkChecker { host_address: address }),
        zone: Arc::new(zone),
        registrant: Registrant { owner, zone: config.zone, address },
        journal: None,
        read_first: true,
        once: false,
        pace: Pace::LOCAL,
        fleet: tokio::sync::watch::channel(None).1,
        resync: Duration::from_secs(1_800),
        drain_timeout: config.drain_timeout,
        clock: Clock::start(),
        seed: fastrand::u64(..),
    };
    let agent = start(surroundings).await.map_err(text)?;
    tokio::select! {
        biased;
        code = signals.steer(agent) => Ok(code),
        // Whoever starts it again gets the sockets anew; records stay.
        error = dns.failed() => Err(error.to_string()),
    }
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

fn asked_too_early(asked: &Asked) -> u8 {
    match asked {
        Asked::HandOver => 0,
        Asked::Stop(_) => {
            tracing::error!(
                "stopped before it was known which host this is: an earlier run's records may be left"
            );
            LEFT_BEHIND
        }
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

struct Signals {
    term: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

enum Asked {
    Stop(u8),
    HandOver,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.term.recv() => Asked::Stop(143),
            _ = self.interrupt.recv() => Asked::Stop(130),
            _ = self.hang_up.recv() => Asked::HandOver,
        }
    }

    /// Passes signals on to the agent until it has ended, or a second one says at once.
    async fn steer(&mut self, mut agent: Running) -> u8 {
        let mut draining = false;
        loop {
            tokio::select! {
                biased;
                exit = agent.ended() => return exit_code(&exit),
                asked = self.next() => match asked {
                    Asked::Stop(code) if draining => {
                        tracing::warn!("a second signal: exiting at once, records are left as they are");
                        return code;
                    }
                    Asked::Stop(_) => {
                        tracing::info!("withdrawing every service of this host");
                        draining = true;
                        agent.drain();
                    }
                    Asked::HandOver if draining => tracing::warn!("SIGHUP is too late: the drain goes on"),
                    Asked::HandOver => agent.hand_over(),
                },
            }
        }
    }
}

fn exit_code(exit: &Exit) -> u8 {
    match exit {
        Exit::Drained => {
            tracing::info!("every service of this host is withdrawn: safe to stop");
            0
        }
        Exit::HandedOver => {
            tracing::info!("handed over: the records stay for the next agent of this host");
            0
        }
        Exit::LeftBehind(Some(left)) => {
            for key in left {
                tracing::error!(record = %key, "left behind");
            }
            tracing::error!(
                left = left.len(),
                "the drain's time is over and records are left; start the agent again to remove them"
            );
            LEFT_BEHIND
        }
        Exit::LeftBehind(None) => {
            tracing::error!("the drain's time is over before the zone could be read; records may be left");
            LEFT_BEHIND
        }
        Exit::Reconciled(_) => 0,
        Exit::GaveUp => {
            tracing::error!("actors kept failing: giving up, records stay; start the agent again");
            GAVE_UP
        }
    }
}
