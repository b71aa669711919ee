//! The keys that say how a port is checked, read together: of several wishes one counts, and each other is told.

use super::http::{self, HttpCheck, Statuses};
use super::keys::{Entry, PortKey};
use super::ports::Reader;
use super::{Check, Protocol, values};

/// The keys that choose a check, each before those after it: `CHECK=none` is a wish for no probe at all, and
/// registrator reads `CHECK_HTTP` before `CHECK_HTTPS`.
const CHOICES: [PortKey; 3] = [PortKey::Check, PortKey::CheckHttp, PortKey::CheckHttps];

/// What the keys say, before it is known of which name.
pub(super) struct PortCheck(Check);

impl PortCheck {
    /// Reads it. `tcp_possible` where the port may have a name of tcp.
    pub(super) fn read(reader: &mut Reader<'_, '_>, tcp_possible: bool) -> Self {
        let mut check = chosen(reader, tcp_possible);
        let host = reader.read(PortKey::CheckHost, http::host, || "the address".to_owned());
        let statuses = reader.read(PortKey::CheckStatus, http::statuses, || Statuses::default().to_string());
        if let Check::Http(http) = &mut check {
            http.host = host;
            http.statuses = statuses.unwrap_or_default();
        } else if ![PortKey::CheckHttp, PortKey::CheckHttps].iter().any(|key| reader.has(*key)) {
            // Where there is a path that does not count, that has been told.
            let unused = [(PortKey::CheckHost, host.is_some()), (PortKey::CheckStatus, statuses.is_some())];
            for (key, _) in unused.into_iter().filter(|(_, is_good)| *is_good) {
                reader.report(
                    key,
                    "is not used, because this port has no CHECK_HTTP or CHECK_HTTPS".to_owned(),
                );
            }
        }
        Self(check)
    }

    /// Of a name of this protocol.
    pub(super) fn for_protocol(&self, protocol: Protocol) -> Check {
        match (&self.0, protocol) {
            (Check::Tcp | Check::Http(_), Protocol::Udp) => Check::Default,
            (check, _) => check.clone(),
        }
    }
}

/// The first good choice, so that a port has one check and nobody needs to guess which.
fn chosen(reader: &mut Reader<'_, '_>, tcp_possible: bool) -> Check {
    let choice = |key| Some((key, choice(key, reader.entry(key)?)));
    let choices: Vec<(PortKey, Result<Check, String>)> = CHOICES.into_iter().filter_map(choice).collect();
    let first = choices.iter().find_map(|(key, read)| Some((*key, read.as_ref().ok()?.clone())));
    for (key, read) in choices {
        match (read, &first) {
            (Err(reason), None) => reader.report(key, format!("{reason}; the default check counts")),
            (Err(reason), Some((counts, _))) => {
                reader.report(key, format!("{reason}; this port's {} counts", counts.as_str()));
            }
            (Ok(_), Some((counts, _))) if *counts != key => {
                let reason = format!("is not used, because this port's {} is set too", counts.as_str());
                reader.report(key, reason);
            }
            (Ok(_), _) => {}
        }
    }
    match first {
        Some((key, Check::Tcp)) if !tcp_possible => {
            reader.report(key, "tcp cannot check a udp name; docker or none can".to_owned());
            Check::Default
        }
        Some((key, Check::Http(_))) if !tcp_possible => {
            reader.report(key, "cannot check a udp name".to_owned());
            Check::Default
        }
        Some((_, check)) => check,
        None => Check::Default,
    }
}

fn choice(key: PortKey, entry: &Entry<'_>) -> Result<Check, String> {
    if key == PortKey::Check {
        return values::check(entry.value);
    }
    let path = values::path(entry.value)?;
    Ok(Check::Http(Box::new(HttpCheck { tls: key == PortKey::CheckHttps, ..*HttpCheck::of_path(path) })))
}
