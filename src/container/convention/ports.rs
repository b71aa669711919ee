//! The keys of one port, read together: its names, and what they share.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{Entry, PortKey};
use super::name::{Scope, ServiceName};
use super::quote::quoted;
use super::{BadKey, Check, Protocol, SERVICES_MAX, Service, Timing, values};

type Keys<'a> = BTreeMap<PortKey, Entry<'a>>;

/// Adds the port's services, and what is wrong with its keys; of a port that is to be left alone nothing.
pub(super) fn read(
    port: u16,
    keys: &Keys<'_>,
    scope: &Scope,
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
    let Some(name) = keys.get(&PortKey::Name) else {
        bad_keys.extend(keys.values().map(|entry| entry.bad(format!("has no SERVICE_{port}_NAME"))));
        return;
    };
    let room = SERVICES_MAX - services.len();
    let (names, bad_name) = read_names(name.value, scope, room);
    bad_keys.extend(bad_name.map(|reason| name.bad(reason)));

    let mut reader = Reader { keys, bad_keys };
    let weight = reader.value(PortKey::Weight, values::weight).unwrap_or(values::WEIGHT_DEFAULT);
    let ttl = reader.value(PortKey::Ttl, values::ttl).unwrap_or(0);
    let timing = reader.timing();
    let tcp_possible = names.is_empty() || names.iter().any(|&(_, protocol)| protocol == Protocol::Tcp);
    let check = reader.check(tcp_possible);
    services.extend(names.into_iter().map(|(name, protocol)| Service {
        name,
        container_port: port,
        protocol,
        weight,
        ttl,
        check: check.for_protocol(protocol),
        timing,
    }));
}

/// The good names of a list, each once, and the first thing that is wrong with the others.
fn read_names(list: &str, scope: &Scope, room: usize) -> (Vec<(ServiceName, Protocol)>, Option<String>) {
    let mut names = Vec::new();
    let mut first = None;
    let mut bad = 0_usize;
    for text in list.split(',').map(str::trim_ascii) {
        let reason = match ServiceName::parse(text, scope) {
            Ok(name) if names.contains(&name) => continue,
            Ok(_) if names.len() >= room => {
                format!("{} is beyond the {SERVICES_MAX} services of a container", quoted(text))
            }
            Ok(name) => {
                names.push(name);
                continue;
            }
            Err(error) => format!("{} {error}", quoted(text)),
        };
        bad += 1;
        first.get_or_insert(reason);
    }
    let reason = first.map(|first| match bad {
        1 => first,
        _ => format!("{first} (and {} more)", bad - 1),
    });
    (names, reason)
}

struct Reader<'a, 'b> {
    keys: &'a Keys<'a>,
    bad_keys: &'b mut BTreeSet<BadKey>,
}

impl Reader<'_, '_> {
    /// The value where there is one and it is good.
    fn value<T>(&mut self, key: PortKey, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let entry = self.keys.get(&key)?;
        read(entry.value).map_err(|reason| self.bad_keys.insert(entry.bad(reason))).ok()
    }

    fn report(&mut self, key: PortKey, reason: String) {
        self.bad_keys.extend(self.keys.get(&key).map(|entry| entry.bad(reason)));
    }

    fn timing(&mut self) -> Timing {
        let given = self.value(PortKey::CheckInterval, values::interval);
        let interval = given.unwrap_or(values::INTERVAL_DEFAULT);
        let default = values::TIMEOUT_DEFAULT.min(interval);
        let timeout = match self.value(PortKey::CheckTimeout, values::timeout) {
            None => default,
            Some(timeout) if timeout <= interval => timeout,
            // A bad interval has been reported; the timeout may well be right for the one that was meant.
            Some(_) if given.is_none() && self.keys.contains_key(&PortKey::CheckInterval) => interval,
            Some(timeout) => {
                let reason = format!("{timeout:?} is longer than the interval, {interval:?}");
                self.report(PortKey::CheckTimeout, reason);
                default
            }
        };
        Timing { interval, timeout }
    }

    /// `CHECK` beats `CHECK_HTTP`, so that a port has one check and nobody needs to guess which.
    fn check(&mut self, tcp_possible: bool) -> PortCheck {
        let check = self.value(PortKey::Check, values::check);
        let path = self.value(PortKey::CheckHttp, values::path);
        match (check, path) {
            (Some(Check::Tcp), _) if !tcp_possible => {
                self.report(PortKey::Check, "tcp cannot check a udp name; docker or none can".to_owned());
                PortCheck(Check::Default)
            }
            (Some(check), Some(_)) => {
                self.report(
                    PortKey::CheckHttp,
                    "is not used, because this port's CHECK is set too".to_owned(),
                );
                PortCheck(check)
            }
            (Some(check), None) => PortCheck(check),
            (None, Some(_)) if !tcp_possible => {
                self.report(PortKey::CheckHttp, "cannot check a udp name".to_owned());
                PortCheck(Check::Default)
            }
            (None, Some(path)) => PortCheck(Check::Http { path }),
            (None, None) => PortCheck(Check::Default),
        }
    }
}

/// What the keys say, before it is known of which name.
struct PortCheck(Check);

impl PortCheck {
    fn for_protocol(&self, protocol: Protocol) -> Check {
        match (&self.0, protocol) {
            (Check::Tcp | Check::Http { .. }, Protocol::Udp) => Check::Default,
            (check, _) => check.clone(),
        }
    }
}
