//! The keys of one port, read together: its names, and what they share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use super::checks::PortCheck;
use super::keys::{Entry, PortKey};
use super::name::{NameError, ServiceName};
use super::quote::quoted;
use super::{Answer, BadKey, Protocol, SERVICES_MAX, Scope, Service, Timing, values};
use crate::record::ADDRESS_TTL;

type Keys<'a> = BTreeMap<PortKey, Entry<'a>>;
type Parsed = Result<(ServiceName, Protocol), NameError>;

/// Adds the port's services, and what is wrong with its keys; of a port that is to be left alone nothing.
pub(super) fn read(
    port: u16,
    keys: &Keys<'_>,
    scope: &Scope,
    weighted: &BTreeSet<ServiceName>,
    services: &mut Vec<Service>,
    bad_keys: &mut BTreeSet<BadKey>,
) {
    if let Some(ignore) = keys.get(&PortKey::Ignore) {
        let (ignored, reason) = values::ignore(ignore.value);
        bad_keys.extend(reason.map(|reason| ignore.bad(format!("{reason}; the port is left alone"))));
        if ignored {
            return;
        }
    }
    let is_named = |key| matches!(key, PortKey::Name | PortKey::All | PortKey::A);
    if !keys.keys().any(|&key| is_named(key)) {
        bad_keys.extend(keys.values().map(|entry| entry.bad(format!("has no SERVICE_{port}_NAME"))));
        return;
    }
    let room = SERVICES_MAX - services.len();
    let names = Names { names: Vec::new(), room, scope, weighted }.read(keys, bad_keys);
    let mut reader = Reader { keys, bad_keys };
    let weight = reader.value(PortKey::Weight, values::weight, values::WEIGHT_DEFAULT);
    let ttl = reader.ttl(scope.ttl_max());
    let timing = reader.timing();
    let tcp_possible = names.is_empty() || names.iter().any(|named| named.protocol == Protocol::Tcp);
    let check = PortCheck::read(&mut reader, tcp_possible);
    services.extend(names.into_iter().map(|Named { name, answer, protocol }| Service {
        name,
        answer,
        container_port: port,
        protocol,
        weight,
        ttl: apart_from_hosts(answer, ttl),
        check: check.for_protocol(protocol),
        timing,
    }));
}

/// An address of a service never has the TTL that those of hosts have: a registry then refuses to put it beside one,
/// whoever called a host and a service alike, and nobody has to look before each write.
fn apart_from_hosts(answer: Answer, ttl: u32) -> u32 {
    let is_of_hosts = answer == Answer::Address && i64::from(ttl) == ADDRESS_TTL;
    ttl - u32::from(is_of_hosts)
}

/// The weighted names of all ports of a container.
pub(super) fn weighted<'a>(
    ports: impl Iterator<Item = &'a Keys<'a>>,
    scope: &Scope,
) -> BTreeSet<ServiceName> {
    let is_ignored =
        |keys: &Keys<'_>| keys.get(&PortKey::Ignore).is_some_and(|ignore| values::ignore(ignore.value).0);
    let lists = ports.filter(|keys| !is_ignored(keys)).filter_map(|keys| keys.get(&PortKey::Name));
    let names = lists.flat_map(|list| list.value.split(','));
    names.filter_map(|text| Some(ServiceName::parse(text.trim_ascii(), scope).ok()?.0)).collect()
}

/// A name of the port.
#[derive(PartialEq)]
struct Named {
    name: ServiceName,
    answer: Answer,
    protocol: Protocol,
}

/// The good names of a port, of all kinds.
struct Names<'a> {
    names: Vec<Named>,
    /// The most of them.
    room: usize,
    scope: &'a Scope,
    /// Those of the container that are no full names.
    weighted: &'a BTreeSet<ServiceName>,
}

impl Names<'_> {
    /// Reads them, and says of each key the first thing that is wrong with it.
    fn read(mut self, keys: &Keys<'_>, bad_keys: &mut BTreeSet<BadKey>) -> Vec<Named> {
        let (scope, weighted) = (self.scope, self.weighted);
        let srv = |text: &str| ServiceName::parse(text, scope);
        let full = |text: &str| kept_apart(ServiceName::parse(text, scope)?, weighted);
        let mut bad = |key, reason: Option<String>| {
            bad_keys.extend(keys.get(&key).zip(reason).map(|(entry, reason)| entry.bad(reason)));
        };
        let value = |key| keys.get(&key).map(|entry: &Entry<'_>| entry.value);

        let bad_name = value(PortKey::Name).and_then(|list| self.add(list, Answer::Weighted, &srv));
        let mut bad_full = None;
        match value(PortKey::All).map(|list| (list, values::truth(list))) {
            None => bad_full = self.add_full(),
            Some((_, Ok(false))) => {}
            // Any other word would be a name.
            Some((_, Ok(true))) => bad(
                PortKey::All,
                Some(
                    "is no name; write the one that is to have all targets, such as _web-all._tcp".to_owned(),
                ),
            ),
            Some((list, Err(_))) => bad(PortKey::All, self.add(list, Answer::All, &full)),
        }
        bad(PortKey::Name, bad_name.or(bad_full));
        let protocol = self.protocol_of_address();
        let address = |text: &str| Ok((ServiceName::parse_address(text, scope)?, protocol));
        bad(PortKey::A, value(PortKey::A).and_then(|list| self.add(list, Answer::Address, &address)));
        self.names
    }

    /// Adds the good names of a list, each once; the first thing that is wrong with the others, or else with where one
    /// of these leads.
    fn add(&mut self, list: &str, answer: Answer, parse: &dyn Fn(&str) -> Parsed) -> Option<String> {
        let mut first = None;
        let mut bad = 0_usize;
        let mut elsewhere = None;
        for text in list.split(',').map(str::trim_ascii) {
            let taken = match parse(text) {
                Ok((name, protocol)) => {
                    if self.scope.is_of_another(text) {
                        let zone = self.scope.zone();
                        elsewhere.get_or_insert_with(|| {
                            format!("{} does not end in {zone}, so it is published as {name}", quoted(text))
                        });
                    }
                    self.take(Named { name, answer, protocol })
                }
                Err(error) => Err(error.to_string()),
            };
            if let Err(reason) = taken {
                bad += 1;
                first.get_or_insert_with(|| format!("{} {reason}", quoted(text)));
            }
        }
        let first = first.map(|first| match bad {
            1 => first,
            _ => format!("{first} (and {} more)", bad - 1),
        });
        first.or(elsewhere)
    }

    /// Adds the full name beside each weighted one, where the scope has such; the first thing that is wrong with those
    /// that cannot be.
    fn add_full(&mut self) -> Option<String> {
        let full = |named: &Named| Some((named.name.to_string(), named.name.full(self.scope)?));
        let full: Vec<_> = self.names.iter().filter_map(full).collect();
        let mut first = None;
        for (weighted, full) in full {
            let taken = match full.and_then(|named| kept_apart(named, self.weighted)) {
                Ok((name, protocol)) => self.take(Named { name, answer: Answer::All, protocol }),
                Err(error) => Err(error.to_string()),
            };
            if let Err(reason) = taken {
                first.get_or_insert_with(|| format!("the full name of {weighted} {reason}"));
            }
        }
        first
    }

    /// Takes a name, unless it is there.
    fn take(&mut self, named: Named) -> Result<(), String> {
        if self.names.contains(&named) {
            return Ok(());
        }
        if self.names.len() >= self.room {
            return Err(format!("is beyond the {SERVICES_MAX} services of a container"));
        }
        self.names.push(named);
        Ok(())
    }

    fn protocol_of_address(&self) -> Protocol {
        let all_udp =
            !self.names.is_empty() && self.names.iter().all(|named| named.protocol == Protocol::Udp);
        if all_udp { Protocol::Udp } else { Protocol::Tcp }
    }
}

/// A full name, where it is no weighted one of the container.
fn kept_apart((name, protocol): (ServiceName, Protocol), weighted: &BTreeSet<ServiceName>) -> Parsed {
    if weighted.contains(&name) { Err(NameError::Weighted) } else { Ok((name, protocol)) }
}

/// The values of a port's keys, and what is told of them.
pub(super) struct Reader<'a, 'b> {
    keys: &'a Keys<'a>,
    bad_keys: &'b mut BTreeSet<BadKey>,
}

impl Reader<'_, '_> {
    /// The value where it is good, else the default; of a bad one it is said that this counts.
    fn value<T: Debug>(&mut self, key: PortKey, read: impl Fn(&str) -> Result<T, String>, default: T) -> T {
        let read = self.read(key, read, || format!("{default:?}"));
        read.unwrap_or(default)
    }

    /// The value where there is one and it is good; of a bad one it is said what counts instead.
    pub(super) fn read<T>(
        &mut self,
        key: PortKey,
        read: impl Fn(&str) -> Result<T, String>,
        counts: impl Fn() -> String,
    ) -> Option<T> {
        let entry = self.keys.get(&key)?;
        let bad = |reason| self.bad_keys.insert(entry.bad(format!("{reason}; {} counts", counts())));
        read(entry.value).map_err(bad).ok()
    }

    pub(super) fn entry(&self, key: PortKey) -> Option<&Entry<'_>> {
        self.keys.get(&key)
    }

    pub(super) fn has(&self, key: PortKey) -> bool {
        self.keys.contains_key(&key)
    }

    pub(super) fn report(&mut self, key: PortKey, reason: String) {
        self.bad_keys.extend(self.keys.get(&key).map(|entry| entry.bad(reason)));
    }

    /// Seconds, cut to the most of a new name: what the name has already, the writer finds out.
    fn ttl(&mut self, most: u32) -> u32 {
        let ttl = self.value(PortKey::Ttl, values::ttl, 0);
        if ttl > most {
            let counts = format!("{most} counts, unless its name has records with another");
            self.report(PortKey::Ttl, format!("{ttl} is more than --ttl-max, {most} seconds; {counts}"));
        }
        ttl.min(most)
    }

    fn timing(&mut self) -> Timing {
        let shown = |span: Duration| move || format!("{span:?}");
        let given = self.read(PortKey::CheckInterval, values::interval, shown(values::INTERVAL_DEFAULT));
        let interval = given.unwrap_or(values::INTERVAL_DEFAULT);
        let default = values::TIMEOUT_DEFAULT.min(interval);
        let timeout = match self.read(PortKey::CheckTimeout, values::timeout, shown(default)) {
            None => default,
            Some(timeout) if timeout <= interval => timeout,
            // A bad interval has been reported; the timeout may well be right for the one that was meant.
            Some(_) if given.is_none() && self.keys.contains_key(&PortKey::CheckInterval) => interval,
            Some(timeout) => {
                let reason =
                    format!("{timeout:?} is longer than the interval, {interval:?}; {default:?} counts");
                self.report(PortKey::CheckTimeout, reason);
                default
            }
        };
        Timing { interval, timeout }
    }
}
