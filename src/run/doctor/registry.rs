//! What Route 53 says: which zone it is, what the role may do, all records, and its clock.

use std::time::{Duration, SystemTime};

use crate::change::pacing::Pace;
use crate::config::{self, Config};
use crate::doctor::facts::{Call, Registry, Route53};
use crate::edge::host::identity::Identity;
use crate::record::{Mark, RecordSet, RecordType};
use crate::zone::route53::{self, harmless};
use crate::zone::{Course, PAGE_ITEMS_MAX, Zone, ZoneError};

/// A page that is throttled is asked for again so often.
const TRIES: usize = 4;
/// And so much later.
const TRY_PAUSE: Duration = Duration::from_secs(1);

/// Asks all of it.
pub(super) async fn ask(config: &Config, identity: Option<&Identity>) -> Registry {
    let (wanted, endpoint_url) = match &config.registry {
        config::Registry::Local { dns_listen } => {
            let dns = dns_listen.iter().map(ToString::to_string).collect();
            return Registry::Local { place: config.state_dir.display().to_string(), dns };
        }
        config::Registry::Route53 { wanted, endpoint_url } => (wanted.clone(), endpoint_url.clone()),
    };
    let region = identity.and_then(|identity| identity.region.clone());
    let vpc = identity.and_then(|identity| identity.vpc.clone());
    let client = route53::client(endpoint_url.as_deref(), region.clone()).await;
    let settings = route53::Settings { wanted, endpoint_url, region, vpc };
    let ((of_change, date), found) =
        tokio::join!(harmless::ask_for_no_change(&client), route53::look(&settings));
    let clock = date.map(ahead_of).ok_or_else(|| match &of_change {
        Ok(()) => "its answer had no date".to_owned(),
        Err(error) => error.kind().to_owned(),
    });
    let (zone, seen) = match found {
        Ok((zone, seen)) => (zone, seen),
        Err(error) => {
            return Registry::Route53(Box::new(Route53 {
                clock,
                zone: Err(error),
                calls: Vec::new(),
                records: None,
            }));
        }
    };
    let (records, listed) = match records(&zone, config.pace()).await {
        Ok(records) => (Some(records), Ok(())),
        Err(error) => (None, Err(error)),
    };
    let is_own = |set: &&RecordSet| {
        let mark = Mark::of(set, zone.name());
        set.kind == RecordType::Srv && mark.map(|mark| mark.owner).as_ref() == identity.map(|it| &it.owner)
    };
    let own = records.iter().flatten().find(|set| identity.is_some() && is_own(set));
    let deleted = harmless::delete_nothing(&zone, own.map(|set| &*set.name)).await;
    let call = |action, needed_for, vital, answer| Call { action, needed_for, vital, answer };
    let calls = vec![
        call("route53:ListResourceRecordSets", "reading what is there", true, listed),
        call("route53:ChangeResourceRecordSets", "writing", true, deleted),
        call("route53:GetChange", "--confirm, --remove and telling who stops too early", false, of_change),
    ];
    Registry::Route53(Box::new(Route53 { clock, zone: Ok(seen), calls, records }))
}

/// How many seconds this host's clock is ahead of this time, which is a second's beginning.
fn ahead_of(date: SystemTime) -> i64 {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(date) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

/// All of the zone, no faster than an agent may ask.
async fn records(zone: &dyn Zone, pace: Pace) -> Result<Vec<RecordSet>, ZoneError> {
    let apart = Duration::try_from_secs_f64(1.0 / pace.requests.per_second).unwrap_or(TRY_PAUSE);
    let (mut sets, mut start, mut tries) = (Vec::new(), None, 0);
    let mut course = Course::default();
    loop {
        let page = match zone.list(start.as_ref(), PAGE_ITEMS_MAX).await {
            Err(ZoneError::Throttled(_)) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(TRY_PAUSE).await;
                continue;
            }
            page => page?,
        };
        tries = 0;
        sets.extend(page.sets.into_iter().map(RecordSet::canonical));
        let Some(next) = page.next else { return Ok(sets) };
        course.go_on(next.clone()).map_err(|endless| ZoneError::Unknown(endless.to_string()))?;
        start = Some(next);
        tokio::time::sleep(apart).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::record::Change;
    use crate::zone::{ChangeInfo, ListStart, Page};

    /// Three pages, each of which is throttled so often before it comes.
    #[derive(Debug)]
    struct Busy {
        throttled: usize,
        calls: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl Zone for Busy {
        fn name(&self) -> &str {
            "sd.internal"
        }

        fn id(&self) -> &str {
            "Z1"
        }

        async fn change(&self, _: &[Change]) -> Result<ChangeInfo, ZoneError> {
            Err(ZoneError::Unknown("nothing is written here".to_owned()))
        }

        async fn list(&self, _: Option<&ListStart>, _: usize) -> Result<Page, ZoneError> {
            let (page, tries) = {
                let call = self.calls.fetch_add(1, Ordering::Relaxed);
                (call / (self.throttled + 1), call % (self.throttled + 1))
            };
            if tries < self.throttled {
                return Err(ZoneError::Throttled("Rate exceeded".to_owned()));
            }
            let next = ListStart { name: Some(format!("{page}.x")), ..ListStart::default() };
            Ok(Page { sets: Vec::new(), next: (page < 2).then_some(next) })
        }

        async fn change_status(&self, _: &str) -> Result<ChangeInfo, ZoneError> {
            Err(ZoneError::Unknown("nothing was written here".to_owned()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_page_is_asked_for_as_often() {
        let busy = |throttled| Busy { throttled, calls: AtomicUsize::new(0) };
        assert_eq!(records(&busy(TRIES), Pace::ROUTE53).await, Ok(Vec::new()));
        assert!(matches!(records(&busy(TRIES + 1), Pace::ROUTE53).await, Err(ZoneError::Throttled(_))));
    }
}
