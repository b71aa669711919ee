//! Route 53: a private hosted zone over the vendor's API.
//!
//! One call of [`Zone`] is one request, never repeated here: when to call again is for whoever paces the
//! calls, since the account's few requests a second are shared with all that runs in it.
//!
//! | file | what it owns |
//! |---|---|
//! | `client` | the SDK's client: endpoint and region |
//! | [`mod@find`] | which zone it is |
//! | [`harmless`] | calls that change nothing: what a role may do, and the clock |
//! | `records` | record sets in the SDK's types and in ours; pure |
//! | `fault` | what a failed call means |
//! | [`answer`] | what an error's XML means; pure |
//! | [`reasons`] | the reasons in one message, told apart; pure |

pub mod answer;
mod client;
mod fault;
pub mod find;
pub mod harmless;
pub mod reasons;
mod records;
pub(crate) mod refusal;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsOutput;
use aws_sdk_route53::types::RrType;
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::client::client;
pub(crate) use self::fault::chain;
use self::fault::zone_error;
pub use self::find::{FindError, Settings, Wanted, find, look, wait_for};
pub use crate::aws::CALL_LIMIT;
use crate::record::{Change, RecordSet, canonical};
use crate::zone::{ChangeInfo, ListStart, PAGE_ITEMS_MAX, Page, Zone, ZoneError};

/// The longest that a call may still take once there is little time.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// A hosted zone of Route 53 whose id is known.
pub struct Route53Zone {
    client: Client,
    name: String,
    id: String,
    draining: watch::Sender<bool>,
}

impl fmt::Debug for Route53Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route53Zone").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Route53Zone {
    /// The zone `id`, which may carry its `/hostedzone/`, and whose name is `name`. Asks nothing.
    pub fn new(client: Client, name: String, id: String) -> Self {
        let draining = watch::Sender::new(false);
        Self { client, name: canonical(&name), id: bare_id(&id).to_owned(), draining }
    }

    /// The VPCs that use the zone, by id; those of other accounts too, but none that do so by a Route 53 Profile.
    ///
    /// # Errors
    /// As [`Zone::list`].
    pub async fn vpcs(&self) -> Result<Vec<String>, ZoneError> {
        let request = self.client.get_hosted_zone().id(&self.id);
        let answer = self.within_limit(async { request.send().await.map_err(zone_error) }).await?;
        Ok(answer.vpcs.unwrap_or_default().into_iter().filter_map(|vpc| vpc.vpc_id).collect())
    }

    /// Gives `call` until its time is up; where there turns out to be little, that comes sooner.
    async fn within_limit<T>(
        &self,
        call: impl Future<Output = Result<T, ZoneError>>,
    ) -> Result<T, ZoneError> {
        let began = Instant::now();
        let mut draining = self.draining.subscribe();
        let time_is_up = async {
            let latest = began + CALL_LIMIT;
            let little_time = async {
                // It cannot fail while `self` is there to send.
                let _ = draining.wait_for(|draining| *draining).await;
            };
            tokio::select! {
                () = tokio::time::sleep_until(latest) => {}
                () = little_time => {
                    tokio::time::sleep_until(latest.min(Instant::now() + DRAIN_LIMIT)).await;
                }
            }
        };
        tokio::select! {
            answer = call => answer,
            () = time_is_up => {
                let waited = began.elapsed().as_secs_f64();
                Err(ZoneError::Unknown(format!("no answer within {waited:.0} s")))
            }
        }
    }

    async fn request_page(&self, start: &RawStart, items: usize) -> Result<RawPage, ZoneError> {
        let request = self
            .client
            .list_resource_record_sets()
            .hosted_zone_id(&self.id)
            .set_start_record_name(start.name.clone())
            .set_start_record_type(start.kind.clone())
            .set_start_record_identifier(start.set_identifier.clone())
            .max_items(i32::try_from(items).unwrap_or(i32::MAX));
        RawPage::read(request.send().await.map_err(zone_error)?)
    }

    async fn list_from(&self, start: RawStart, max_items: usize) -> Result<Page, ZoneError> {
        let mut page = self.request_page(&start, max_items).await?;
        let mut sets = page.sets;
        while let Some(next) = page.next {
            if let Some(next) = next.in_our_types() {
                return Ok(Page { sets, next: Some(next) });
            }
            // The next set is of a type that a `ListStart` cannot say, and without the type the list would
            // begin again at the name's first: read on to the next that it can.
            page = self.request_page(&next, PAGE_ITEMS_MAX).await?;
            let mut more = std::mem::take(&mut page.sets).into_iter();
            sets.extend(more.by_ref().take(max_items.saturating_sub(sets.len())));
            if let Some(left_over) = more.next() {
                return Ok(Page { sets, next: Some(left_over.key().into()) });
            }
        }
        Ok(Page { sets, next: None })
    }
}

#[async_trait]
impl Zone for Route53Zone {
    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> &str {
        &self.id
    }

    /// From now on a call gives up after [`DRAIN_LIMIT`]; so does one that is under way.
    fn drain(&self) {
        self.draining.send_replace(true);
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        let batch = records::change_batch(batch)?;
        let request = self.client.change_resource_record_sets().hosted_zone_id(&self.id).change_batch(batch);
        let answer = self.within_limit(async { request.send().await.map_err(zone_error) }).await?;
        records::change_info(answer.change_info)
    }

    /// As [`Zone::list`]. Sets of types that [`crate::record::RecordType`] does not have are left
    /// out, so a page may be short or empty although others follow; an alias is a set without values. Where
    /// a page ends before a set that is left out, this takes one request more.
    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        let start = start.map(RawStart::from).unwrap_or_default();
        self.within_limit(self.list_from(start, max_items.clamp(1, PAGE_ITEMS_MAX))).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        let request = self.client.get_change().id(bare_id(id));
        let answer = self.within_limit(async { request.send().await.map_err(zone_error) }).await?;
        records::change_info(answer.change_info)
    }
}

/// Where a list begins, in the API's own types, which has more of them than ours.
#[derive(Clone, Debug, Default)]
struct RawStart {
    name: Option<String>,
    kind: Option<RrType>,
    set_identifier: Option<String>,
}

impl From<&ListStart> for RawStart {
    fn from(start: &ListStart) -> Self {
        Self {
            name: start.name.clone(),
            kind: start.kind.map(|kind| RrType::from(kind.as_str())),
            set_identifier: start.set_identifier.clone(),
        }
    }
}

impl RawStart {
    fn in_our_types(&self) -> Option<ListStart> {
        let kind = self.kind.as_ref().map(|kind| kind.as_str().parse()).transpose().ok()?;
        let name = self.name.as_deref().map(canonical);
        Some(ListStart { name, kind, set_identifier: self.set_identifier.clone() })
    }
}

struct RawPage {
    sets: Vec<RecordSet>,
    next: Option<RawStart>,
}

impl RawPage {
    fn read(answer: ListResourceRecordSetsOutput) -> Result<Self, ZoneError> {
        let sets = answer.resource_record_sets.into_iter().filter_map(records::record_set).collect();
        // Without a name a list begins at the zone's first set: that would go round for ever.
        if answer.is_truncated && answer.next_record_name.is_none() {
            return Err(ZoneError::Unknown(
                "a page that is not the last, without where the next begins".to_owned(),
            ));
        }
        let next = answer.is_truncated.then_some(RawStart {
            name: answer.next_record_name,
            kind: answer.next_record_type,
            set_identifier: answer.next_record_identifier,
        });
        Ok(Self { sets, next })
    }
}

/// An id as the API takes it: it gives ids of zones and changes as paths.
fn bare_id(id: &str) -> &str {
    let id = id.trim_start_matches('/');
    ["hostedzone/", "change/"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id)
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
