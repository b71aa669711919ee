//! The `SERVICE_*` convention: what a container asks for in its environment and labels.
//!
//! [`parse`] reads the keys of one container once, at the edge; what it returns is valid, and the rest of
//! the agent never sees a raw value again. One bad key is reported once and spoils nothing else.
//!
//! | key | value | default | a value that is not understood |
//! |---|---|---|---|
//! | `SERVICE_<port>_NAME` | names, separated by commas: `_web._tcp`, `calc` | none: the port offers nothing | is not published; the good names of a list are |
//! | `SERVICE_<port>_ALL` | likewise, each answered with [all targets](Answer::All); `no`: none, whatever [`Scope::with_full_names`] says | none, or by that setting | likewise |
//! | `SERVICE_<port>_A` | likewise, each answered with [an address](Answer::Address): `calc` | none | likewise |
//! | `SERVICE_<port>_WEIGHT` | [`Service::weight`], 0 to 255 | 1 | 1: an equal share |
//! | `SERVICE_<port>_TTL` | seconds, 0 to [`TTL_SECONDS_MAX`]; what is beyond [`Scope::with_ttl_max`] is cut to it | 0 | 0: no cache holds what has ended |
//! | `SERVICE_<port>_CHECK` | `tcp`, `none`, `docker` | [`Check::Default`] | the default: never unchecked by mistake |
//! | `SERVICE_<port>_CHECK_HTTP`, `_CHECK_HTTPS` | `/path` | | likewise |
//! | `SERVICE_<port>_CHECK_HOST` | `shop.internal`, `shop.internal:8080` | the address | the address |
//! | `SERVICE_<port>_CHECK_STATUS` | [`Statuses`]: `200-399,401` | 200-399 | 200-399 |
//! | `SERVICE_<port>_CHECK_INTERVAL` | `5`, `0.5`, `500ms`, `5s`, `1m` | 5 s | 5 s |
//! | `SERVICE_<port>_CHECK_TIMEOUT` | likewise, not longer than the interval | 2 s | 2 s |
//! | `SERVICE_IGNORE`, `SERVICE_<port>_IGNORE` | [`truth`]: the container, or the port, is left alone | no | yes: left alone |
//!
//! Rules that the table does not show:
//!
//! - The environment's keys are upper case; a label's may be in any case. Where both have a key, the
//!   environment's counts, even if its value is bad: a typo must not quietly become another setting.
//! - Of a key that is given twice the last counts, as for the container's own process; in the environment one
//!   without `=` takes the key out again. Labels whose keys differ in case alone are one key, too. This and the
//!   rule before hold for keys that cannot be taken as well: each is reported once, and of a wish to be left
//!   alone the one that counts is obeyed.
//! - `SERVICE_` keys without a port number (`SERVICE_NAME`, `SERVICE_TAGS`, an application's own
//!   `SERVICE_URL`) belong to somebody else: they are no error and are not mentioned. A key whose port begins
//!   with a digit and whose ending is one of ours (`SERVICE_80a_NAME`) is a typo, and is. Where such a typo
//!   asks to be left alone (`SERVICE_080_IGNORE`), the whole container is.
//! - `CHECK` beats `CHECK_HTTP`, which beats `CHECK_HTTPS`: who writes `CHECK=none` wants no probe, so the path is
//!   what is reported.
//! - In a list of names that has a bad one, the good ones count.
//! - Every name is judged alike, of whichever key it is: what is [reserved](Reserved) and what the operator does not
//!   [allow](AllowedNames) is not published.
//! - A name that ends in the last label of the zone's name, and not in the zone, is published, and reported: it was most
//!   likely written with another zone.
//! - A name has one kind of answer: one in `ALL` that is in a `NAME` of the container is not published. An address may
//!   stand at either, being another type of record.
//! - An address is of udp where all other names of its port are.
//! - Where a port has names of both protocols, `CHECK=tcp` and `CHECK_HTTP(S)` speak of its tcp names; they are
//!   reported where it has udp names alone.
//!
//! Whether an image has a HEALTHCHECK and a port is published is known elsewhere: see
//! [`container`](super) and [`offer`](super::offer).

mod allowed;
mod checks;
mod http;
mod keys;
mod name;
mod ports;
mod quote;
mod reserved;
mod scope;
mod values;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

pub use allowed::{AllowedNames, InvalidPattern, PatternError};
pub use http::{HttpCheck, Statuses};
pub use name::{NameError, ServiceName};
pub use reserved::Reserved;
pub use scope::{FullNames, InvalidFullNames, Scope};
pub use values::{
    INTERVAL_DEFAULT, INTERVAL_MAX, INTERVAL_MIN, PATH_CHARACTERS_MAX, TIMEOUT_DEFAULT, TIMEOUT_MAX,
    TIMEOUT_MIN, TTL_SECONDS_MAX, WEIGHT_DEFAULT, duration, truth,
};

/// The most services of one container; those beyond, in order of their ports, are reported.
pub const SERVICES_MAX: usize = 64;

/// The most octets of keys and values that are read of one container. A key that no longer fits is reported,
/// and smaller ones after it still count. Keys that are not ours do not count.
pub const DATA_OCTETS_MAX: usize = 16 * 1024;

/// The most bad keys that are reported one by one; what is beyond is reported as a number, so that one
/// container cannot flood the log.
pub const BAD_KEYS_MAX: usize = 64;

/// The transport of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Names with `_tcp`, and plain names.
    Tcp,
    /// Names with `_udp`.
    Udp,
}

impl Protocol {
    /// `tcp` or `udp`, as Docker writes it after a port.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a container wants its service checked. What it comes to is
/// [`EffectiveCheck`](super::offer::EffectiveCheck).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The image's HEALTHCHECK where there is one; else a connect (tcp) or nothing (udp).
    #[default]
    Default,
    /// A TCP connect, whatever the image has.
    Tcp,
    /// None: the service counts as healthy while its container runs.
    None,
    /// The image's HEALTHCHECK.
    Docker,
    /// A GET that must answer with success.
    Http(Box<HttpCheck>),
}

/// When a check is made, and when it has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timing {
    /// Between the starts of two probes: [`INTERVAL_MIN`] to [`INTERVAL_MAX`].
    pub interval: Duration,
    /// Of one probe: [`TIMEOUT_MIN`] to [`TIMEOUT_MAX`], never longer than the interval.
    pub timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { interval: INTERVAL_DEFAULT, timeout: TIMEOUT_DEFAULT }
    }
}

/// What a query for a name is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// One target, by the weights of all: a weighted SRV set (`NAME`).
    Weighted,
    /// All targets, or as many as the registry gives, whatever their health: a multivalue SRV set (`ALL`).
    All,
    /// One address, by the weights of all: a weighted A set (`A`), for clients that know the port.
    Address,
}

/// One name that one port of a container asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    /// Under which it is found.
    pub name: ServiceName,
    /// With what.
    pub answer: Answer,
    /// On which the process listens, inside its network. Never 0.
    pub container_port: u16,
    /// By the name's `_tcp` or `_udp`.
    pub protocol: Protocol,
    /// The share of answers while healthy.
    pub weight: u8,
    /// Seconds that a resolver may keep the answer. A name has one TTL, that of its first record.
    pub ttl: u32,
    /// Before it is published, and while it is.
    pub check: Check,
    /// Of that check.
    pub timing: Timing,
}

/// A key that was not taken, or not as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BadKey {
    /// As the container has it; long ones cut, control characters escaped.
    pub key: String,
    /// Why. It may quote this key's own value, cut and escaped; never another's.
    pub reason: String,
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)
    }
}

/// What the keys of one container come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convention {
    /// In order, each once; at most [`SERVICES_MAX`].
    pub services: Vec<Service>,
    /// In order, each key once; at most [`BAD_KEYS_MAX`] and one that counts the rest.
    pub bad_keys: Vec<BadKey>,
    /// Whether the container is to be left alone. Then there are no services, and the only bad keys are those
    /// that ask for it unclearly.
    pub ignored: bool,
}

impl Convention {
    /// The same of an image without HEALTHCHECK: a check that it cannot make falls back to the default, and is
    /// reported once a port.
    #[must_use]
    pub fn without_healthcheck(mut self) -> Self {
        let mut ports = BTreeSet::new();
        for service in self.services.iter_mut().filter(|service| service.check == Check::Docker) {
            service.check = Check::Default;
            ports.insert(service.container_port);
        }
        self.bad_keys.extend(ports.into_iter().map(|port| BadKey {
            key: format!("SERVICE_{port}_CHECK"),
            reason: "docker needs a HEALTHCHECK, and the image has none".to_owned(),
        }));
        self
    }
}

/// Reads the keys of one container: its environment (`KEY=value`) and its labels, each as Docker lists them.
/// Order counts only between two of the same key.
pub fn parse<'a>(
    env: impl IntoIterator<Item = &'a str>,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    scope: &Scope,
) -> Convention {
    let found = keys::Found::collect(env, labels);
    let mut unclear = found.unclear_wishes;
    let mut ignored = !unclear.is_empty();
    if let Some(ignore) = &found.ignore {
        let (holds, reason) = values::ignore(ignore.value);
        ignored |= holds;
        unclear.extend(reason.map(|reason| ignore.bad(format!("{reason}; the container is left alone"))));
    }
    if ignored {
        return Convention { services: Vec::new(), bad_keys: bounded(unclear), ignored };
    }

    let mut bad_keys = found.bad_keys;
    let mut services = Vec::new();
    let weighted = ports::weighted(found.ports.values(), scope);
    for (port, keys) in &found.ports {
        ports::read(*port, keys, scope, &weighted, &mut services, &mut bad_keys);
    }
    services.sort_unstable();
    Convention { services, bad_keys: bounded(bad_keys), ignored: false }
}

/// The first of them, and the number of the rest.
fn bounded(bad_keys: BTreeSet<BadKey>) -> Vec<BadKey> {
    let more = bad_keys.len().saturating_sub(BAD_KEYS_MAX);
    let mut bounded: Vec<BadKey> = bad_keys.into_iter().take(BAD_KEYS_MAX).collect();
    if more > 0 {
        bounded.push(BadKey { key: "SERVICE_*".to_owned(), reason: format!("{more} more bad keys") });
    }
    bounded
}
