//! A moment by Docker's clock. With a container's id, the moment of its start names one life of it: a
//! restarted container keeps its id.

use std::fmt;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment to the nanosecond, in true order of time. Docker trims the zeros of the fraction, so its own
/// texts do not sort.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

/// Something else than RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its start is no time as RFC 3339 has it")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// Docker's `State.StartedAt`. None for a container that was never started: the year 1, or nothing.
    pub fn from_docker(text: &str) -> Result<Option<Self>, InvalidTimestamp> {
        if text.is_empty() {
            return Ok(None);
        }
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        Ok((at.year() > 1).then_some(Self(at)))
    }

    /// A moment given as nanoseconds since 1970, as Docker's events have it.
    pub fn from_unix_nanos(nanos: i64) -> Self {
        let since = time::Duration::nanoseconds(nanos);
        Self(OffsetDateTime::UNIX_EPOCH.saturating_add(since))
    }

    /// The same as nanoseconds since 1970; the nearest moment for which there are any.
    pub fn unix_nanos(self) -> i64 {
        let nanos = self.0.unix_timestamp_nanos();
        nanos.clamp(i64::MIN.into(), i64::MAX.into()).try_into().unwrap_or_default()
    }
}

impl Timestamp {
    /// How long ago that was, by this host's clock; nothing, where it is still to come.
    pub fn age(self, now: SystemTime) -> Duration {
        (OffsetDateTime::from(now) - self.0).try_into().unwrap_or_default()
    }

    /// How long it is until then, by this host's clock; nothing, where it has passed.
    pub fn until(self, now: SystemTime) -> Duration {
        self.after(Self::from(now))
    }

    /// How long after the other it is; nothing, where it is before.
    pub fn after(self, other: Self) -> Duration {
        (self.0 - other.0).try_into().unwrap_or_default()
    }
}

/// As RFC 3339 has it, to the second, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.0.to_offset(time::UtcOffset::UTC);
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time.into())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_docker(text).unwrap().unwrap()
    }

    #[test]
    fn orders_by_time_where_the_texts_do_not() {
        let in_order = [
            "2024-02-29T23:59:59.999999999Z",
            "2024-03-01T00:00:00Z",
            "2026-11-23T20:21:30Z",
            "2026-11-23T20:21:30.1Z",
            "2026-11-23T20:21:30.1234Z",
            "2026-11-23T21:21:30.2+01:00",
            "2026-11-23T15:51:31-04:30",
        ];
        assert!(in_order.windows(2).all(|pair| at(pair[0]) < at(pair[1])));
        assert_eq!(at("2026-11-23T20:21:30.5Z"), at("2026-11-23T22:21:30.500+02:00"));
    }

    #[test]
    fn an_event_s_nanoseconds_are_the_same_clock() {
        assert_eq!(at("1970-01-02T00:00:01.000000005Z"), Timestamp::from_unix_nanos(86_401_000_000_005));
        assert_eq!(at("1970-01-02T00:00:01.000000005Z").unix_nanos(), 86_401_000_000_005);
        assert_eq!(at("9999-01-01T00:00:00Z").unix_nanos(), i64::MAX);
        assert!(Timestamp::from_unix_nanos(i64::MIN) < Timestamp::from_unix_nanos(i64::MAX));
    }

    #[test]
    fn never_started_is_none() {
        assert_eq!(Timestamp::from_docker("0001-01-01T00:00:00Z"), Ok(None));
        assert_eq!(Timestamp::from_docker(""), Ok(None));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in
            ["now", "2026-11-23", "2026-11-23T20:21:30", "2026-02-29T20:21:30Z", "2026-13-01T20:21:30Z"]
        {
            assert_eq!(Timestamp::from_docker(text), Err(InvalidTimestamp), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_any_text_without_panic(text in ".*") {
            let _ = Timestamp::from_docker(&text);
        }
    }
}
