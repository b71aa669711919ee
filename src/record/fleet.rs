//! The fleet hint: how many hosts register in a zone, published in that zone's own DNS.
//!
//! `_fleet.<zone> TXT "hosts=300"`. It makes waits fair when a whole fleet starts at once; without it nothing
//! fails.

use std::fmt;

use super::{RecordSet, RecordType, Routing};

/// Seconds that a resolver may keep it. Agents ask every five minutes.
const TTL: i64 = 60;
/// More hosts than this share no account: such a hint is wrong.
const HOSTS_MAX: u32 = 100_000;

/// How many hosts register in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetHint {
    hosts: u32,
}

impl FleetHint {
    /// Of so many hosts. `None` for none, and for more than share an account.
    pub fn new(hosts: usize) -> Option<Self> {
        let hosts = u32::try_from(hosts).ok().filter(|hosts| (1..=HOSTS_MAX).contains(hosts))?;
        Some(Self { hosts })
    }

    /// How many.
    pub fn hosts(self) -> u32 {
        self.hosts
    }

    /// The name that it stands under in `zone`.
    pub fn name_in(zone: &str) -> String {
        format!("_fleet.{zone}")
    }

    /// Its record set in `zone`.
    pub fn record(self, zone: &str) -> RecordSet {
        RecordSet {
            name: Self::name_in(zone),
            kind: RecordType::Txt,
            set_identifier: None,
            routing: Routing::Simple,
            ttl: TTL,
            values: vec![format!("\"{self}\"")],
        }
    }

    /// Reads the text of a TXT record: `hosts=N`, perhaps among other words.
    pub fn read(text: &str) -> Option<Self> {
        let hosts = text.split_whitespace().find_map(|word| word.strip_prefix("hosts="))?;
        Self::new(hosts.parse().ok()?)
    }

    /// What a record set of `zone` says, if this system wrote it: one that says anything else besides is
    /// somebody else's.
    pub fn of(set: &RecordSet, zone: &str) -> Option<Self> {
        let [value] = &set.values[..] else { return None };
        let hint = Self::read(value.trim_matches('"'))?;
        (RecordSet { ttl: set.ttl, ..hint.record(zone) } == set.clone().canonical()).then_some(hint)
    }
}

impl fmt::Display for FleetHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hosts={}", self.hosts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_number_of_hosts_and_nothing_else() {
        let hosts = |text| FleetHint::read(text).map(FleetHint::hosts);
        assert_eq!(hosts("hosts=300"), Some(300));
        assert_eq!(hosts("since=2026 hosts=7"), Some(7));
        for other in [
            "",
            "hosts",
            "hosts=",
            "hosts=0",
            "hosts=-1",
            "hosts=many",
            "ghosts=3",
            "hosts=100001",
            "hosts=99999999999",
        ] {
            assert_eq!(hosts(other), None, "{other}");
        }
    }

    #[test]
    fn knows_its_own_record_whatever_its_ttl() {
        let hint = FleetHint::new(7).unwrap();
        let own = hint.record("sd.internal");
        assert_eq!(
            (own.name.as_str(), &own.values[..]),
            ("_fleet.sd.internal", &["\"hosts=7\"".to_owned()][..])
        );
        let listed = RecordSet { name: "_fleet.sd.internal.".into(), ttl: 300, ..own.clone() };
        assert_eq!(FleetHint::of(&listed, "sd.internal"), Some(hint));
        for value in ["\"since=2026 hosts=7\"", "\"hosts=07\"", "hosts=7", "\"v=spf1 -all\""] {
            let other = RecordSet { values: vec![value.into()], ..own.clone() };
            assert_eq!(FleetHint::of(&other, "sd.internal"), None, "{value}");
        }
        assert_eq!(FleetHint::of(&own, "other.internal"), None);
        let weighted = RecordSet { set_identifier: Some("a".into()), routing: Routing::Weighted(1), ..own };
        assert_eq!(FleetHint::of(&weighted, "sd.internal"), None);
    }
}
