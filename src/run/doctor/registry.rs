//! What Route 53 says: which zone it is, what the role may do, all records, and its clock.

use std::time::{Duration, SystemTime};

use crate::change::pacing::Pace;
use crate::config::{self, Config};
use crate::doctor::facts::{Call, Registry, Route53};
use crate::edge::host::identity::Identity;
use crate::record::{Mark, RecordSet, RecordType};
use crate::zone::route53::{self, harmless};
use crate::zone::{PAGE_ITEMS_MAX, Zone, ZoneError};

/// More pages than a zone has.
const PAGES_MAX: usize = 100;
/// A page that is throttled is asked for again so often.
const TRIES: usize = 4;
/// And so much later.
const TRY_PAUSE: Duration = Duration::from_secs(1);

/// Asks all of it.
pub(super) async fn ask(config: &Config, identity: Option<&Identity>) -> Registry {
    let (wanted, endpoint_url) = match &config.registry {
        config::Registry::Local { .. } => {
            return Registry::Local { place: config.state_dir.display().to_string() };
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
        call("route53:GetChange", "--confirm and --remove", false, of_change),
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
    for _ in 0..PAGES_MAX {
        let page = match zone.list(start.as_ref(), PAGE_ITEMS_MAX).await {
            Err(ZoneError::Throttled(_)) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(TRY_PAUSE).await;
                continue;
            }
            page => page?,
        };
        sets.extend(page.sets.into_iter().map(RecordSet::canonical));
        match page.next {
            Some(next) => start = Some(next),
            None => return Ok(sets),
        }
        tokio::time::sleep(apart).await;
    }
    Err(ZoneError::Unknown(format!("the list has no end after {PAGES_MAX} pages")))
}
