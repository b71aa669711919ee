//! `--remove`: takes every record of this host out of the zone, and makes sure of it.
//!
//! Asks neither Docker nor ECS: what carries this host's mark goes, its address included.

use std::time::Duration;

use crate::clock::Clock;
use crate::moment::Moment;
use crate::reconcile::writer::{Answer, Call, Next, Settings, Writer};
use crate::record::Key;
use crate::zone::Zone;

/// How a removal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Nothing of this host is left, and every name server answers so.
    Done,
    /// Nothing of this host is left, but not every name server was seen to answer so.
    Unconfirmed,
    /// These are left.
    Left(Vec<Key>),
    /// The zone could not be read in time: what is left is not known.
    Unread,
}

/// Removes what is this host's from `zone`, within `limit`.
pub async fn remove(zone: &dyn Zone, settings: Settings, limit: Duration) -> Removal {
    carry_out(zone, settings, limit, Writer::remove).await
}

/// The same, but for the host's address, which stays.
pub async fn withdraw(zone: &dyn Zone, settings: Settings, limit: Duration) -> Removal {
    carry_out(zone, settings, limit, Writer::drain).await
}

async fn carry_out(
    zone: &dyn Zone,
    settings: Settings,
    limit: Duration,
    end: impl FnOnce(&mut Writer, Moment, Moment),
) -> Removal {
    let clock = Clock::start();
    let deadline = clock.now() + limit;
    let mut writer = Writer::new(settings);
    end(&mut writer, clock.now(), deadline);
    writer.confirm(clock.now());
    // What was refused stays refused for longer than anybody waits for a removal.
    while !writer.progress(clock.now()).is_over() && clock.now() < deadline {
        match writer.next(clock.now()) {
            Next::Call(call) => {
                let answer = make(zone, &call, clock.until(deadline)).await;
                if answer.says_no_zone() {
                    break;
                }
                for news in writer.on_answer(call, answer, clock.now()) {
                    writer.log(&news, clock.now());
                }
            }
            Next::At(at) => tokio::time::sleep(clock.until(at.min(deadline))).await,
            Next::Nothing => break,
        }
    }
    if !writer.knows_all() {
        return Removal::Unread;
    }
    if !writer.progress(clock.now()).is_as_desired() {
        return Removal::Left(writer.unsettled().into_iter().collect());
    }
    if writer.confirmed() == Some(true) { Removal::Done } else { Removal::Unconfirmed }
}

async fn make(zone: &dyn Zone, call: &Call, limit: Duration) -> Answer {
    let answer = tokio::time::timeout(limit, call.make(zone)).await;
    answer.unwrap_or_else(|_| call.unanswered("no answer in time".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::writer::testing;
    use crate::record::testing::registrant;
    use crate::record::{Change, RecordSet, RecordType, Routing};
    use crate::run::testing::{self as zones, Denying};
    use crate::zone::embedded::{EmbeddedZone, Options};
    use crate::zone::{ChangeInfo, ListStart, Page, ZoneError};

    const HEX: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

    fn service(mark: &str, n: u16) -> RecordSet {
        RecordSet {
            name: format!("_s{}._tcp.sd.internal", n % 7),
            kind: RecordType::Srv,
            set_identifier: Some(format!("{mark}:{HEX}:{n}")),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec![format!("1 1 {n} {mark}.sd.internal")],
        }
    }

    fn all_targets(mark: &str, n: u16) -> RecordSet {
        let weighted = service(mark, n);
        let name = format!("_all{}", weighted.name);
        RecordSet { name, routing: Routing::Multivalue, ..weighted }
    }

    async fn zone_with(sets: impl IntoIterator<Item = RecordSet>) -> EmbeddedZone {
        let options = Options { insync_after: Duration::from_secs(30), ..Options::default() };
        zones::zone_with(sets, options).await
    }

    fn settings() -> Settings {
        testing::settings(registrant("i-0a"))
    }

    #[tokio::test(start_paused = true)]
    async fn all_of_this_host_goes_and_nothing_else() {
        let sets = |mark, of: fn(&str, u16) -> RecordSet, count| (0..count).map(move |n| of(mark, n));
        let own = sets("i-0a", service, 300).chain(sets("i-0a", all_targets, 90));
        let own = own.chain([registrant("i-0a").host_record()]);
        let foreign = sets("i-0b", service, 90).chain(sets("i-0b", all_targets, 90));
        let foreign = foreign.chain([registrant("i-0b").host_record()]);
        let zone = zone_with(own.chain(foreign)).await;
        let began = tokio::time::Instant::now();
        assert_eq!(remove(&zone, settings(), Duration::from_secs(60)).await, Removal::Done);
        assert!(began.elapsed() >= Duration::from_secs(28), "it was not waited for");
        let left: Vec<_> = zone.snapshot().into_iter().filter_map(|set| set.set_identifier).collect();
        assert_eq!(left.len(), 181);
        assert!(left.iter().all(|mark| mark.starts_with("i-0b")));
    }

    /// A zone that is no more.
    #[derive(Debug)]
    struct Gone(std::sync::atomic::AtomicUsize);

    #[async_trait::async_trait]
    impl Zone for Gone {
        fn name(&self) -> &str {
            "sd.internal"
        }

        fn id(&self) -> &str {
            "Z1"
        }

        async fn change(&self, _: &[Change]) -> Result<ChangeInfo, ZoneError> {
            Err(ZoneError::NoSuchZone("Z1".into()))
        }

        async fn list(&self, _: Option<&ListStart>, _: usize) -> Result<Page, ZoneError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Err(ZoneError::NoSuchZone("Z1".into()))
        }

        async fn change_status(&self, _: &str) -> Result<ChangeInfo, ZoneError> {
            Err(ZoneError::NoSuchZone("Z1".into()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_zone_that_is_no_more_is_asked_once() {
        let zone = Gone(Default::default());
        assert_eq!(remove(&zone, settings(), Duration::from_secs(60)).await, Removal::Unread);
        assert_eq!(zone.0.into_inner(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_not_be_removed_is_named_at_once_and_the_rest_is_gone() {
        let zone = zone_with((0..40).map(|n| service("i-0a", n))).await;
        let zone = Denying::new(zone, "_s3._tcp.sd.internal");
        let began = tokio::time::Instant::now();
        let Removal::Left(left) = remove(&zone, settings(), Duration::from_secs(600)).await else {
            panic!("nothing was denied")
        };
        let stuck: Vec<_> = zone.zone.snapshot().into_iter().filter(|set| set.weight().is_some()).collect();
        assert_eq!(left, stuck.iter().map(RecordSet::key).collect::<Vec<_>>());
        assert!(left.len() == 6 && left.iter().all(|key| key.name == zone.name));
        assert!(began.elapsed() < Duration::from_secs(60), "it waited for what was refused");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_to_remove_is_done() {
        let zone = zone_with([service("i-0b", 1)]).await;
        assert_eq!(remove(&zone, settings(), Duration::from_secs(60)).await, Removal::Done);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_seen_in_sync_in_time_is_said_to_be() {
        let zone = zone_with([service("i-0a", 1)]).await;
        assert_eq!(remove(&zone, settings(), Duration::from_secs(10)).await, Removal::Unconfirmed);
    }
}
