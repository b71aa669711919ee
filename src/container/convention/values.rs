//! The values of the optional keys: what is valid, what the defaults are, and what a bad one is told.
//!
//! Every function takes the trimmed value and returns it parsed, or a reason that quotes it.

use std::time::Duration;

use super::Check;
use super::quote::{character, quoted};

/// An equal share with the predecessor's records, which have weight 1.
pub const WEIGHT_DEFAULT: u8 = 1;

/// One day. Nobody can call an answer back from a cache, so a longer TTL would send clients to a container
/// for days after its end; common resolvers cut at a day (unbound's `cache-max-ttl`) anyway.
pub const TTL_SECONDS_MAX: u32 = 86_400;

/// The most characters of a check's path: long enough for any health check, and one probe stays one packet.
pub const PATH_CHARACTERS_MAX: usize = 1_024;

/// Between probes, unless set.
pub const INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
/// More often than once a second is load, not knowledge.
pub const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// Five minutes: a check that is rarer would find a fault after the clients.
pub const INTERVAL_MAX: Duration = Duration::from_secs(300);

/// Of one probe, unless set; cut to the interval where that is shorter.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);
/// Below this a busy host fails its own probes.
pub const TIMEOUT_MIN: Duration = Duration::from_millis(100);
/// Longer than any client waits.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(60);

const _: () = assert!(TIMEOUT_DEFAULT.as_millis() <= INTERVAL_DEFAULT.as_millis());
const _: () = assert!(TIMEOUT_MIN.as_millis() <= INTERVAL_MIN.as_millis());

pub(super) fn weight(value: &str) -> Result<u8, String> {
    number(value).ok_or_else(|| format!("{} is not a weight from 0 to 255", quoted(value)))
}

pub(super) fn ttl(value: &str) -> Result<u32, String> {
    // Intervals want a unit, and so it is written here too.
    number(value.strip_suffix('s').unwrap_or(value))
        .filter(|&seconds| seconds <= TTL_SECONDS_MAX)
        .ok_or_else(|| format!("{} is not a TTL from 0 to {TTL_SECONDS_MAX} seconds", quoted(value)))
}

/// Digits alone: `parse` would also take a sign.
fn number<N: std::str::FromStr>(value: &str) -> Option<N> {
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten()
}

pub(super) fn check(value: &str) -> Result<Check, String> {
    match value.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Check::Tcp),
        "none" => Ok(Check::None),
        "docker" => Ok(Check::Docker),
        "http" => {
            Err("http is chosen by a path in CHECK_HTTP; here it is one of tcp, none, docker".to_owned())
        }
        _ => Err(format!("{} is not one of tcp, none, docker", quoted(value))),
    }
}

pub(super) fn path(value: &str) -> Result<String, String> {
    if !value.starts_with('/') {
        return Err(format!("{} is not a path: it does not begin with /", quoted(value)));
    }
    if let Some(other) = value.chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
        return Err(format!(
            "{} has {}; a path is printable ASCII without spaces or #",
            quoted(value),
            character(other)
        ));
    }
    if value.len() > PATH_CHARACTERS_MAX {
        return Err(format!(
            "{} is a path of {} characters; {PATH_CHARACTERS_MAX} is the most",
            quoted(value),
            value.len()
        ));
    }
    Ok(value.to_owned())
}

pub(super) fn interval(value: &str) -> Result<Duration, String> {
    duration(value, INTERVAL_MIN, INTERVAL_MAX)
}

pub(super) fn timeout(value: &str) -> Result<Duration, String> {
    duration(value, TIMEOUT_MIN, TIMEOUT_MAX)
}

/// A duration such as `5`, `0.5`, `500ms`, `5s` or `1m`, within bounds; or a reason that quotes it.
pub fn duration(value: &str, min: Duration, max: Duration) -> Result<Duration, String> {
    let duration = read_duration(value)
        .ok_or_else(|| format!("{} is not a duration such as 5, 0.5, 500ms, 5s or 1m", quoted(value)))?;
    if duration < min || duration > max {
        return Err(format!("{} is not from {min:?} to {max:?}", quoted(value)));
    }
    Ok(duration)
}

/// A decimal number with a unit of `ms`, `s` (the default) or `m`. Nothing finer than a nanosecond.
fn read_duration(value: &str) -> Option<Duration> {
    const UNITS: [(&str, u128); 3] = [("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000)];
    let (decimal, unit_nanos) = UNITS
        .iter()
        .find_map(|&(unit, nanos)| value.strip_suffix(unit).map(|decimal| (decimal, nanos)))
        .unwrap_or((value, 1_000_000_000));
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, "0"));
    let is_number =
        |digits: &str| (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // In 128 bits: nine digits of minutes are more nanoseconds than 64 bits hold, and out of any range.
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let nanos =
        whole.parse::<u128>().ok()? * unit_nanos + fraction.parse::<u128>().ok()? * unit_nanos / scale;
    Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

/// A yes or a no, in any case: `1`, `true`, `yes`, `on`, or `0`, `false`, `no`, `off`; or a reason that quotes the
/// value. Everything of this system that is asked for a yes or a no reads it here.
pub fn truth(value: &str) -> Result<bool, String> {
    match value.trim_ascii().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("{} is not one of 1, true, yes, on, 0, false, no, off", quoted(value))),
    }
}

/// Whether a wish to be left alone holds, and what is wrong with its value. An empty value is no wish; any other
/// that is not a clear no is one, because a container that must not be registered is the worse mistake.
pub(super) fn ignore(value: &str) -> (bool, Option<String>) {
    if value.is_empty() {
        return (false, None);
    }
    match truth(value) {
        Ok(ignored) => (ignored, None),
        Err(reason) => (true, Some(reason)),
    }
}
