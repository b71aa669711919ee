//! Each setting's text, and what is wrong with it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::Limits;
use super::bad::BadValue;
use crate::cli::Cli;
use crate::container::convention::{AllowedNames, FullNames, InvalidPattern, TTL_SECONDS_MAX, duration};
use crate::logs;
use crate::machine::agent::OnTerm;
use crate::record::{Owner, canonical, is_target};

pub(super) fn listen(text: &str) -> Result<SocketAddr, BadValue> {
    text.trim().parse().map_err(|_| form(text, "an address and port such as 127.0.0.1:5333"))
}

/// An address and a port, or a port of this host alone.
pub(super) fn listen_or_port(text: &str) -> Result<SocketAddr, BadValue> {
    let text = text.trim();
    match text.trim_start_matches(':').parse::<u16>() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => {
            let wanted = "a port such as 9153, or an address and port such as 10.0.0.7:9153";
            text.parse().map_err(|_| form(text, wanted))
        }
    }
}

/// Where a socket is; nowhere, where it is off.
pub(super) fn socket(text: &str) -> Result<Vec<PathBuf>, BadValue> {
    match text.trim() {
        "off" => Ok(Vec::new()),
        text => path(text.trim_start_matches("unix://")).map(|path| vec![path]),
    }
}

/// Where the status is served unless told otherwise: at the first of these that can be had.
pub(super) fn status_sockets(state_dir: &Path) -> Vec<PathBuf> {
    vec![PathBuf::from("/run/ecssd/status.sock"), state_dir.join("status.sock")]
}

pub(super) fn full_names(text: &str) -> Result<FullNames, BadValue> {
    text.parse().map_err(BadValue::FullNames)
}

/// In this zone, where that is told.
pub(super) fn names(text: &str, zone: Option<&str>) -> Result<AllowedNames, BadValue> {
    let in_zone = |names: AllowedNames| match zone {
        Some(zone) => names.relative_to(zone),
        None => Ok::<_, InvalidPattern>(names),
    };
    text.parse().and_then(in_zone).map_err(BadValue::Names)
}

/// In seconds: DNS knows nothing finer.
pub(super) fn ttl_max(text: &str) -> Result<u32, BadValue> {
    let span = hours(text, Duration::ZERO, Duration::from_secs(TTL_SECONDS_MAX.into()))?;
    let seconds = u32::try_from(span.as_secs()).ok().filter(|_| span.subsec_nanos() == 0);
    seconds.ok_or_else(|| form(text, "a TTL in whole seconds such as 300s or 5m"))
}

pub(super) fn hostname(text: &str) -> Result<String, BadValue> {
    Ok(Owner::new(text)?.to_string())
}

pub(super) fn zone(text: &str) -> Result<String, BadValue> {
    let name = canonical(text.trim());
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    if let Some(meant) = meant_by(text.trim()) {
        return Err(BadValue::NoZone { given: name, meant });
    }
    // A service in the zone still has to fit: `_` + 63 characters + `._tcp.` is a fair share.
    if name.len() <= 180 && name.split('.').all(label) {
        Ok(name)
    } else {
        Err(form(
            text,
            "a zone's name: labels of 1 to 63 letters, digits, hyphens and underscores, at most 180 characters in all",
        ))
    }
}

/// What a word without a dot means where ZONE stands: nothing here has subcommands, as other programs do.
fn meant_by(word: &str) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let command = <Cli as clap::CommandFactory>::command();
    let mut flags = command.get_arguments().filter_map(|argument| argument.get_long());
    match &*word {
        "start" | "run" | "serve" | "daemon" => {
            Some("the daemon is started without a word, ecssd ZONE".into())
        }
        "stop" => Some("SIGTERM stops the daemon, and --remove takes out its records".into()),
        word if ["help", "version"].contains(&word) || flags.any(|flag| flag == word) => {
            Some(format!("did you mean --{word}?"))
        }
        _ => None,
    }
}

/// Source: Route 53 API reference, HostedZone: at most 32 characters, without what comes before the slash.
pub(super) fn zone_id(text: &str) -> Result<String, BadValue> {
    let id = text.strip_prefix("/hostedzone/").unwrap_or(text);
    if (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(id.to_owned())
    } else {
        Err(form(text, "a hosted zone's id such as Z0123456789ABCDEFGHIJ"))
    }
}

pub(super) fn endpoint_url(text: &str) -> Result<String, BadValue> {
    match text.parse::<hyper::Uri>() {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => {
            Ok(text.to_owned())
        }
        _ => Err(form(text, "a URL such as http://127.0.0.1:4566")),
    }
}

pub(super) fn limits(text: &str) -> Result<Limits, BadValue> {
    match text.trim() {
        "2026" => Ok(Limits::Current),
        "legacy" => Ok(Limits::Legacy),
        _ => Err(form(text, "one of 2026, legacy")),
    }
}

pub(super) fn rate(text: &str) -> Result<f64, BadValue> {
    match text.parse() {
        Ok(rate) if (0.1..=1_000.0).contains(&rate) => Ok(rate),
        _ => Err(form(text, "a number of requests a second from 0.1 to 1000")),
    }
}

pub(super) fn burst(text: &str) -> Result<u32, BadValue> {
    match text.parse() {
        Ok(burst) if (1..=1_000).contains(&burst) => Ok(burst),
        _ => Err(form(text, "a number of requests from 1 to 1000")),
    }
}

/// With `local`, DNS of this host alone is answered, and may lead to it alone.
pub(super) fn address(text: &str, local: bool) -> Result<Ipv4Addr, BadValue> {
    let address: Ipv4Addr =
        text.parse().map_err(|_| form(text, "an IPv4 address (IPv4 for now) such as 10.0.0.7"))?;
    if is_target(address) || local && address.is_loopback() {
        Ok(address)
    } else {
        Err(BadValue::NotConnectable(address))
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, BadValue> {
    let path = PathBuf::from(text.trim());
    if path.is_absolute() { Ok(path) } else { Err(form(text, "a path that begins with /")) }
}

/// An agent registers what runs on its own host: an engine elsewhere is none of its business.
pub(super) fn docker_socket(text: &str) -> Result<PathBuf, BadValue> {
    path(text.trim().trim_start_matches("unix://")).map_err(|_| {
        form(text, "the socket of this host's engine, such as /var/run/docker.sock (unless given, DOCKER_HOST names it)")
    })
}

pub(super) fn http_url(text: &str) -> Result<String, BadValue> {
    match text.trim().parse::<hyper::Uri>() {
        Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => Ok(text.trim().to_owned()),
        _ => Err(form(text, "a URL such as http://127.0.0.1:51678")),
    }
}

pub(super) fn on_term(text: &str) -> Result<OnTerm, BadValue> {
    match text.trim() {
        "drain" => Ok(OnTerm::Drain),
        "hand-over" => Ok(OnTerm::HandOver),
        "auto" => Ok(OnTerm::Auto),
        _ => Err(form(text, "one of drain, hand-over, auto")),
    }
}

pub(super) fn log_format(text: &str) -> Result<logs::Format, BadValue> {
    match text.trim() {
        "auto" => Ok(logs::Format::Auto),
        "human" => Ok(logs::Format::Human),
        "json" => Ok(logs::Format::Json),
        _ => Err(form(text, "one of human, json, auto")),
    }
}

pub(super) fn log_level(text: &str) -> Result<LevelFilter, BadValue> {
    match text.trim() {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        _ => Err(form(text, "one of error, warn, info, debug")),
    }
}

/// A duration that may be hours: `1h`, `90m`, `600s`.
pub(super) fn hours(text: &str, min: Duration, max: Duration) -> Result<Duration, BadValue> {
    let hours = text.strip_suffix('h').and_then(|hours| hours.parse::<u64>().ok());
    let minutes = hours.and_then(|hours| hours.checked_mul(60)).map(|minutes| format!("{minutes}m"));
    span(minutes.as_deref().unwrap_or(text), min, max)
}

/// A duration as the keys of a container have it.
pub(super) fn span(text: &str, min: Duration, max: Duration) -> Result<Duration, BadValue> {
    duration(text, min, max).map_err(|error| BadValue::Shared(error.to_string()))
}

pub(super) fn form(given: &str, expected: &'static str) -> BadValue {
    BadValue::Form { given: given.to_owned(), expected }
}
