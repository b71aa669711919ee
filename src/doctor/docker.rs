//! The container engine, and what of it changes what a check means. Docker's `/info`, which tells its settings, is not
//! asked: they are read from the daemon's own files and process, where those can be seen.

use super::facts::{Away, AwayKind, Daemon, Engine, Facts};
use super::finding::Finding;
use crate::container::engine::Proxy;

const SUBJECT: &str = "docker";
/// The oldest whose API this agent speaks.
const VERSION_MIN: u32 = 18;

/// Judges the engine and its settings.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    match &facts.engine {
        Err(reason) => vec![away(reason)],
        Ok(engine) => {
            let mut findings = vec![version(engine)];
            findings.push(checks(engine, facts));
            findings.push(live_restore(engine, facts.daemon.as_ref()));
            findings
        }
    }
}

fn away(away: &Away) -> Finding {
    let remedy = match away.kind {
        AwayKind::NotAllowed => {
            "run the agent as root or in the group docker; in a container mount the socket"
        }
        AwayKind::NotThere => "start Docker: the socket is there, and nobody answers at it",
        AwayKind::NoSocket => {
            "start Docker, or say where its socket is: --docker-socket; in a container mount it"
        }
        AwayKind::Hangs => "Docker hangs: see its log, and restart it",
        AwayKind::Broken => "see Docker's log, and --docker-socket",
    };
    Finding::broken(SUBJECT, &away.reason, remedy)
}

fn is_too_old(engine: &Engine) -> bool {
    engine.major().is_some_and(|major| major < VERSION_MIN)
}

fn version(engine: &Engine) -> Finding {
    if engine.is_podman() {
        return Finding::warning(
            SUBJECT,
            format!(
                "this is Podman {}: it tells of no stopping signal, so a record goes when its process has ended",
                engine.version
            ),
            "let services serve on for a while after SIGTERM, or use Docker",
        );
    }
    if is_too_old(engine) {
        return Finding::broken(
            SUBJECT,
            format!("version {} is older than this agent speaks with", engine.version),
            "bring Docker up to date",
        );
    }
    Finding::fine(SUBJECT, format!("version {} answers", engine.version))
}

/// Where a proxy takes connections, one says little of the process behind it.
fn checks(engine: &Engine, facts: &Facts) -> Finding {
    const SUBJECT: &str = "TCP checks";
    if let Some(proxy) = Proxy::before(engine, facts.daemon, facts.has_own_network) {
        let line =
            format!("{proxy}; a check tells that a process has begun to listen, and not that it goes on");
        let remedy = match proxy {
            Proxy::Rootless | Proxy::NoNat => {
                "check by SERVICE_<port>_CHECK_HTTP=/path, or give the image a HEALTHCHECK"
            }
            Proxy::OwnNetwork => {
                "run the agent with the host's network (--network host), or check by SERVICE_<port>_CHECK_HTTP=/path"
            }
        };
        return Finding::warning(SUBJECT, line, remedy);
    }
    Finding::fine(
        SUBJECT,
        match facts.daemon {
            Some(Daemon { userland_proxy: true, .. }) => {
                "the kernel leads published ports to the containers; Docker's proxy only what comes from loopback"
            }
            Some(Daemon { userland_proxy: false, .. }) => {
                "the kernel leads published ports to the containers; there is no proxy"
            }
            None => {
                "whether a proxy holds published ports cannot be seen from here: the daemon's settings are out of sight"
            }
        },
    )
}

fn live_restore(engine: &Engine, daemon: Option<&Daemon>) -> Finding {
    const SUBJECT: &str = "live-restore";
    match daemon {
        None => Finding::fine(SUBJECT, "cannot be seen from here: the daemon's settings are out of sight"),
        Some(Daemon { live_restore: false, .. }) => {
            Finding::fine(SUBJECT, "off: a restart of Docker ends all containers, and withdraws them first")
        }
        Some(_) if engine.freezes_healthchecks() && !is_too_old(engine) => Finding::warning(
            SUBJECT,
            format!(
                "on, and Docker {} runs no HEALTHCHECK any more after its restart: the last result stands",
                engine.version
            ),
            "bring Docker to 23 or later, or restart the containers after it",
        ),
        Some(_) => Finding::fine(SUBJECT, "on: containers and records outlive a restart of Docker"),
    }
}
