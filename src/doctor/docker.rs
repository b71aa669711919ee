//! The container engine, and what of it changes what a check means. Docker's `/info`, which tells its settings, is not
//! asked: they are read from the daemon's own files and process, where those can be seen.

use super::facts::{Away, AwayKind, Daemon, Engine, Facts};
use super::finding::Finding;

const SUBJECT: &str = "docker";
/// The first that runs HEALTHCHECKs on after a restart with live-restore.
const HEALTHCHECKS_GO_ON: u32 = 23;
/// The oldest whose API this agent speaks.
const VERSION_MIN: u32 = 18;

/// Judges the engine and its settings.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    match &facts.engine {
        Err(reason) => vec![away(reason)],
        Ok(engine) => {
            let mut findings = vec![version(engine)];
            findings.extend(checks(engine, facts.daemon.as_ref()));
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

fn major(engine: &Engine) -> Option<u32> {
    engine.version.split('.').next()?.parse().ok()
}

fn is_podman(engine: &Engine) -> bool {
    engine.parts.iter().any(|part| part.contains("Podman"))
}

fn freezes_healthchecks(engine: &Engine) -> bool {
    !is_podman(engine)
        && major(engine).is_some_and(|major| (VERSION_MIN..HEALTHCHECKS_GO_ON).contains(&major))
}

fn version(engine: &Engine) -> Finding {
    if is_podman(engine) {
        return Finding::warning(
            SUBJECT,
            format!(
                "this is Podman {}: it tells of no stopping signal, so a record goes when its process has ended",
                engine.version
            ),
            "let services serve on for a while after SIGTERM, or use Docker",
        );
    }
    match major(engine) {
        Some(major) if major < VERSION_MIN => Finding::broken(
            SUBJECT,
            format!("version {} is older than this agent speaks with", engine.version),
            "bring Docker up to date",
        ),
        _ => Finding::fine(SUBJECT, format!("version {} answers", engine.version)),
    }
}

/// Where a proxy holds each published port, a connect says nothing of the process behind it.
fn checks(engine: &Engine, daemon: Option<&Daemon>) -> Vec<Finding> {
    const SUBJECT: &str = "TCP checks";
    let remedy = "check by SERVICE_<port>_CHECK_HTTP=/path, or give the image a HEALTHCHECK";
    if engine.parts.iter().any(|part| part.contains("rootlesskit")) {
        let line = "Docker runs rootless: its proxy takes connections for every published port, also where nobody listens";
        return vec![Finding::warning(SUBJECT, line, remedy)];
    }
    let finding = match daemon {
        Some(Daemon { iptables: false, .. }) => Finding::warning(
            SUBJECT,
            "Docker leads published ports by its proxy alone (iptables off), which takes connections also where nobody \
             listens",
            remedy,
        ),
        Some(Daemon { userland_proxy: true, .. }) => Finding::fine(
            SUBJECT,
            "the kernel leads published ports to the containers; Docker's proxy only what comes from loopback",
        ),
        Some(Daemon { userland_proxy: false, .. }) => {
            Finding::fine(SUBJECT, "the kernel leads published ports to the containers; there is no proxy")
        }
        None => Finding::fine(
            SUBJECT,
            "whether a proxy holds published ports cannot be seen from here: the daemon's settings are out of sight",
        ),
    };
    vec![finding]
}

fn live_restore(engine: &Engine, daemon: Option<&Daemon>) -> Finding {
    const SUBJECT: &str = "live-restore";
    match daemon {
        None => Finding::fine(SUBJECT, "cannot be seen from here: the daemon's settings are out of sight"),
        Some(Daemon { live_restore: false, .. }) => {
            Finding::fine(SUBJECT, "off: a restart of Docker ends all containers, and withdraws them first")
        }
        Some(_) if freezes_healthchecks(engine) => Finding::warning(
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
