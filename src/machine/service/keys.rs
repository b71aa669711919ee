//! Which keys of a container are ours: recognises them, lets the environment go first, and holds the limit
//! on their size. What their values mean is read in `ports` and `values`.

use std::collections::{BTreeMap, BTreeSet};

use super::quote::escaped;
use super::{BadKey, DATA_OCTETS_MAX};

/// The keys of a port. In the order in which they count against the limit: the name first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PortKey {
    Name,
    Weight,
    Ttl,
    Check,
    CheckHttp,
    CheckInterval,
    CheckTimeout,
}

impl PortKey {
    const ALL: [Self; 7] = [
        Self::Name,
        Self::Weight,
        Self::Ttl,
        Self::Check,
        Self::CheckHttp,
        Self::CheckInterval,
        Self::CheckTimeout,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Weight => "WEIGHT",
            Self::Ttl => "TTL",
            Self::Check => "CHECK",
            Self::CheckHttp => "CHECK_HTTP",
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

/// A key of ours as the container has it. Its value is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry<'a> {
    key: &'a str,
    pub(super) value: &'a str,
}

impl Entry<'_> {
    pub(super) fn bad(&self, reason: impl Into<String>) -> BadKey {
        bad(self.key, reason)
    }
}

fn bad(key: &str, reason: impl Into<String>) -> BadKey {
    BadKey { key: escaped(key), reason: reason.into() }
}

/// The keys of one container, each once.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) ignore: Option<Entry<'a>>,
    pub(super) ports: BTreeMap<u16, BTreeMap<PortKey, Entry<'a>>>,
    pub(super) bad_keys: BTreeSet<BadKey>,
}

impl<'a> Found<'a> {
    pub(super) fn collect(
        env: impl IntoIterator<Item = &'a str>,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut found = Self::default();
        let env = env.into_iter().filter_map(|entry| entry.split_once('='));
        let mut slots = found.slots(env, recognise);
        let labels = found.slots(labels, |key| recognise(&key.to_ascii_uppercase()));
        for (slot, entries) in labels {
            slots.entry(slot).or_insert(entries);
        }

        let mut octets = 0;
        for (slot, entries) in slots {
            found.take(slot, &entries, &mut octets);
        }
        found
    }

    /// All that one source says of each slot; what it says wrongly becomes a bad key.
    fn slots(
        &mut self,
        source: impl IntoIterator<Item = (&'a str, &'a str)>,
        recognise: impl Fn(&str) -> Recognised,
    ) -> BTreeMap<Slot, BTreeSet<Entry<'a>>> {
        let mut slots: BTreeMap<Slot, BTreeSet<Entry<'a>>> = BTreeMap::new();
        for (key, value) in source {
            match recognise(key) {
                Recognised::Foreign => {}
                Recognised::Bad(reason) => {
                    self.bad_keys.insert(bad(key, reason));
                }
                Recognised::Ours(slot) => {
                    slots.entry(slot).or_default().insert(Entry { key, value: value.trim_ascii() });
                }
            }
        }
        slots
    }

    fn take(&mut self, slot: Slot, entries: &BTreeSet<Entry<'a>>, octets: &mut usize) {
        // The first in order, so that the order in which Docker lists them does not matter.
        let Some(&entry) = entries.first() else { return };
        if entries.iter().any(|other| other.value != entry.value) {
            self.bad_keys.insert(entry.bad("is set twice, with different values"));
            return;
        }
        let after = *octets + entry.key.len() + entry.value.len();
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

enum Recognised {
    /// Somebody else's, whatever it says.
    Foreign,
    Bad(String),
    Ours(Slot),
}

fn recognise(key: &str) -> Recognised {
    if key == "SERVICE_IGNORE" {
        return Recognised::Ours(Slot::Ignore);
    }
    let Some(rest) = key.strip_prefix("SERVICE_") else { return Recognised::Foreign };
    let (port, ending) = rest.split_once('_').unwrap_or((rest, ""));
    let known = PortKey::from_ending(ending);
    let all_digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let meant_as_port = all_digits || (port.starts_with(|c: char| c.is_ascii_digit()) && known.is_some());
    if !meant_as_port {
        return Recognised::Foreign;
    }
    match (read_port(port), known) {
        (Err(reason), _) => Recognised::Bad(reason),
        (Ok(port), Some(key)) => Recognised::Ours(Slot::Port(port, key)),
        (Ok(port), None) => Recognised::Bad(unknown(port, ending)),
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
    if ending.eq_ignore_ascii_case("IGNORE") {
        return "is not a known key; SERVICE_IGNORE is for the whole container".to_owned();
    }
    let upper: String = ending.chars().take(32).collect::<String>().to_ascii_uppercase();
    let nearest = PortKey::ALL
        .into_iter()
        .map(|key| (distance(key.as_str(), &upper), key.as_str()))
        .filter(|&(distance, key)| distance <= key.len() / 2)
        .min_by_key(|&(distance, _)| distance);
    match nearest {
        Some((_, key)) => format!("is not a known key; did you mean SERVICE_{port}_{key}?"),
        None => format!(
            "is not a known key; those of a port are {}",
            PortKey::ALL.map(PortKey::as_str).join(", ")
        ),
    }
}

/// Levenshtein's: how many characters to add, drop or replace.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}
