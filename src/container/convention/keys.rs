//! Which keys of a container are ours: recognises them, lets the environment go first and the last of two count,
//! and holds the limit on their size. What their values mean is read in `ports` and `values`.

use std::collections::{BTreeMap, BTreeSet};

use super::quote::escaped;
use super::{BadKey, DATA_OCTETS_MAX, values};
use crate::nearest::nearest;

/// The keys of a port. In the order in which they count against the limit: the wish to be left alone first, then
/// the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PortKey {
    Ignore,
    Name,
    All,
    A,
    Weight,
    Ttl,
    Check,
    CheckHttp,
    CheckHttps,
    CheckHost,
    CheckStatus,
    CheckInterval,
    CheckTimeout,
}

impl PortKey {
    const ALL: [Self; 13] = [
        Self::Ignore,
        Self::Name,
        Self::All,
        Self::A,
        Self::Weight,
        Self::Ttl,
        Self::Check,
        Self::CheckHttp,
        Self::CheckHttps,
        Self::CheckHost,
        Self::CheckStatus,
        Self::CheckInterval,
        Self::CheckTimeout,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "IGNORE",
            Self::Name => "NAME",
            Self::All => "ALL",
            Self::A => "A",
            Self::Weight => "WEIGHT",
            Self::Ttl => "TTL",
            Self::Check => "CHECK",
            Self::CheckHttp => "CHECK_HTTP",
            Self::CheckHttps => "CHECK_HTTPS",
            Self::CheckHost => "CHECK_HOST",
            Self::CheckStatus => "CHECK_STATUS",
            Self::CheckInterval => "CHECK_INTERVAL",
            Self::CheckTimeout => "CHECK_TIMEOUT",
        }
    }

    fn from_ending(ending: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == ending)
    }
}

/// What a key sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Ignore,
    Port(u16, PortKey),
}

impl Slot {
    /// Whether the key asks to be left alone: a wish that holds however much else a container says.
    fn protects(self) -> bool {
        matches!(self, Self::Ignore | Self::Port(_, PortKey::Ignore))
    }
}

/// A key of ours as the container has it. Its value is trimmed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    key: &'a str,
    pub(super) value: &'a str,
}

impl<'a> Entry<'a> {
    fn new(key: &'a str, value: &'a str) -> Self {
        Self { key, value: value.trim_ascii() }
    }

    pub(super) fn bad(&self, reason: impl Into<String>) -> BadKey {
        BadKey { key: escaped(self.key), reason: reason.into() }
    }
}

/// The keys of one container, each once.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) ignore: Option<Entry<'a>>,
    pub(super) ports: BTreeMap<u16, BTreeMap<PortKey, Entry<'a>>>,
    pub(super) bad_keys: BTreeSet<BadKey>,
    /// Wishes to leave a port alone of which nobody can tell which port is meant: they hold for the container.
    pub(super) unclear_wishes: BTreeSet<BadKey>,
}

impl<'a> Found<'a> {
    pub(super) fn collect(
        env: impl IntoIterator<Item = &'a str>,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut found = Self::default();
        let mut slots = BTreeMap::new();
        let mut refused = BTreeSet::new();
        for (key, value) in last_of_each(env) {
            let entry = Entry::new(key, value);
            match recognise_in_environment(key) {
                Recognised::Foreign => {}
                Recognised::Ours(slot) => drop(slots.insert(slot, entry)),
                Recognised::Refused(refusal) => {
                    refused.insert(key.to_ascii_uppercase());
                    found.refuse(entry, refusal);
                }
            }
        }
        for (key, entry) in last_of_each_label(labels) {
            match recognise(&key) {
                Recognised::Foreign => {}
                Recognised::Ours(slot) => drop(slots.entry(slot).or_insert(entry)),
                Recognised::Refused(_) if refused.contains(&key) => {}
                Recognised::Refused(refusal) => found.refuse(entry, refusal),
            }
        }

        let mut octets = 0;
        for (slot, entry) in slots {
            found.take(slot, entry, &mut octets);
        }
        found
    }

    fn refuse(&mut self, entry: Entry<'a>, Refusal { reason, is_wish }: Refusal) {
        if is_wish && values::ignore(entry.value).0 {
            self.unclear_wishes.insert(entry.bad(format!("{reason}; the whole container is left alone")));
        } else {
            self.bad_keys.insert(entry.bad(reason));
        }
    }

    fn take(&mut self, slot: Slot, entry: Entry<'a>, octets: &mut usize) {
        let after = *octets + if slot.protects() { 0 } else { entry.key.len() + entry.value.len() };
        if after > DATA_OCTETS_MAX {
            self.bad_keys.insert(
                entry.bad(format!("is beyond the {DATA_OCTETS_MAX} octets of SERVICE_ data of a container")),
            );
            return;
        }
        *octets = after;
        match slot {
            Slot::Ignore => self.ignore = Some(entry),
            Slot::Port(port, key) => {
                self.ports.entry(port).or_default().insert(key, entry);
            }
        }
    }
}

/// The environment as the container's process gets it: of a key given twice the last counts, and one without `=`
/// is taken out again.
fn last_of_each<'a>(env: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, &'a str> {
    let mut last = BTreeMap::new();
    for entry in env {
        match entry.split_once('=') {
            Some((key, value)) => last.insert(key, value),
            None => last.remove(entry),
        };
    }
    last
}

/// The labels by their keys in upper case, since case makes no difference there: of those that are one key, the last
/// as it is written.
fn last_of_each_label<'a>(
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<String, Entry<'a>> {
    labels.into_iter().map(|(key, value)| (key.to_ascii_uppercase(), Entry::new(key, value))).collect()
}

enum Recognised {
    /// Somebody else's, whatever it says.
    Foreign,
    Refused(Refusal),
    Ours(Slot),
}

/// Why a key of ours cannot be taken, whatever its value.
struct Refusal {
    reason: String,
    /// It asks to leave a port alone, and the port cannot be read.
    is_wish: bool,
}

/// As [`recognise`]; and a variable's name tells upper from lower case, unlike a label's.
fn recognise_in_environment(key: &str) -> Recognised {
    let recognised = recognise(key);
    let upper = key.to_ascii_uppercase();
    match (&recognised, recognise(&upper)) {
        (Recognised::Foreign, Recognised::Ours(slot)) => Recognised::Refused(Refusal {
            reason: format!("is not read in lower case; did you mean {upper}?"),
            is_wish: slot.protects(),
        }),
        _ => recognised,
    }
}

fn recognise(key: &str) -> Recognised {
    match key {
        "SERVICE_IGNORE" => return Recognised::Ours(Slot::Ignore),
        // Registrator's commonest form.
        "SERVICE_NAME" => {
            let reason = "names no port, and registers nothing; did you mean SERVICE_<port>_NAME?".to_owned();
            return Recognised::Refused(Refusal { reason, is_wish: false });
        }
        _ => {}
    }
    let Some(rest) = key.strip_prefix("SERVICE_") else { return Recognised::Foreign };
    let without_port = rest.starts_with("CHECK_").then(|| meant("<port>", rest)).flatten();
    if let Some(meant) = without_port {
        let reason = format!("names no port, and checks nothing; {meant}");
        return Recognised::Refused(Refusal { reason, is_wish: false });
    }
    let (port, ending) = rest.split_once('_').unwrap_or((rest, ""));
    let known = PortKey::from_ending(ending);
    let all_digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let meant_as_port = all_digits || (port.starts_with(|c: char| c.is_ascii_digit()) && known.is_some());
    if !meant_as_port {
        return Recognised::Foreign;
    }
    match (read_port(port), known) {
        (Ok(port), Some(key)) => Recognised::Ours(Slot::Port(port, key)),
        (Ok(port), None) => Recognised::Refused(Refusal { reason: unknown(port, ending), is_wish: false }),
        (Err(reason), known) => {
            Recognised::Refused(Refusal { reason, is_wish: known == Some(PortKey::Ignore) })
        }
    }
}

fn read_port(text: &str) -> Result<u16, String> {
    if text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("port {} has a leading zero", escaped(text)));
    }
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("{} is not a port from 1 to 65535", escaped(text))),
    }
}

/// Suggests what may have been meant; a key that resembles none is told all of them.
fn unknown(port: u16, ending: &str) -> String {
    let upper: String = ending.chars().take(32).collect::<String>().to_ascii_uppercase();
    if let Some(meant) = meant(&port.to_string(), &upper) {
        return format!("is not a known key; {meant}");
    }
    match nearest(&upper, PortKey::ALL.map(PortKey::as_str)) {
        Some(key) => format!("is not a known key; did you mean SERVICE_{port}_{key}?"),
        None => format!(
            "is not a known key; those of a port are {}",
            PortKey::ALL.map(PortKey::as_str).join(", ")
        ),
    }
}

/// What is to be written for a key of ours or of registrator's, with this port; `None` of any other.
fn meant(port: &str, ending: &str) -> Option<String> {
    if PortKey::from_ending(ending).is_some() {
        return Some(format!("did you mean SERVICE_{port}_{ending}?"));
    }
    Some(match ending {
        "CHECK_TCP" => format!("did you mean SERVICE_{port}_CHECK=tcp?"),
        "CHECK_SCRIPT" | "CHECK_CMD" | "CHECK_TTL" | "CHECK_GRPC" => {
            format!("the image's HEALTHCHECK judges with SERVICE_{port}_CHECK=docker")
        }
        "CHECK_HTTP_METHOD" | "CHECK_HTTPS_METHOD" => "a check is a GET".to_owned(),
        "CHECK_INITIAL_STATUS" => "what has not passed is not registered".to_owned(),
        _ if ["ID", "TAGS"].contains(&ending) || ending.starts_with("EUREKA_") => {
            "nothing here stands for it".to_owned()
        }
        _ => return None,
    })
}
