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
pub(crate) use self::fault::said;
use self::fault::zone_error;
pub use self::find::{FindError, Settings, Wanted, find, look, wait_for, wait_for_another};
pub use crate::aws::CALL_LIMIT;
use crate::record::{Change, canonical};
use crate::zone::{ChangeInfo, ListStart, PAGE_ITEMS_MAX, Page, Zone, ZoneError};

/// The longest that a call may still take once there is little time.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// A hosted zone of Route 53 whose id is known.
pub struct Route53Zone {
    client: Client,
    name: String,
    id: String,
    draining: watch::Sender<bool>,
    /// Whether a call was told that there is no such zone.
    gone: watch::Sender<bool>,
}

impl fmt::Debug for Route53Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route53Zone").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Route53Zone {
    /// The zone `id`, which may carry its `/hostedzone/`, and whose name is `name`. Asks nothing.
    pub fn new(client: Client, name: String, id: String) -> Self {
        let (draining, gone) = (watch::Sender::new(false), watch::Sender::new(false));
        Self { client, name: canonical(&name), id: bare_id(&id).to_owned(), draining, gone }
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

    /// Returns once a call was told that there is no such zone.
    pub async fn gone(&self) {
        // It cannot fail while `self` is there to send.
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
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
            answer = call => {
                if matches!(answer, Err(ZoneError::NoSuchZone(_))) {
                    self.gone.send_replace(true);
                }
                answer
            }
            () = time_is_up => {
                let waited = began.elapsed().as_secs_f64();
                Err(ZoneError::Unknown(format!("no answer within {waited:.0} s")))
            }
        }
    }

    async fn request_page(&self, start: Option<&ListStart>, items: usize) -> Result<Page, ZoneError> {
        let start = start.cloned().unwrap_or_default();
        let request = self
            .client
            .list_resource_record_sets()
            .hosted_zone_id(&self.id)
            .set_start_record_name(start.name)
            .set_start_record_type(start.kind.map(|kind| RrType::from(kind.as_str())))
            .set_start_record_identifier(start.set_identifier)
            .max_items(i32::try_from(items).unwrap_or(i32::MAX));
        page(request.send().await.map_err(zone_error)?)
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
    /// out, so a page may be short or empty although others follow; an alias is a set without values.
    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.within_limit(self.request_page(start, max_items.clamp(1, PAGE_ITEMS_MAX))).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        let request = self.client.get_change().id(bare_id(id));
        let answer = self.within_limit(async { request.send().await.map_err(zone_error) }).await?;
        records::change_info(answer.change_info)
    }
}

fn page(answer: ListResourceRecordSetsOutput) -> Result<Page, ZoneError> {
    let sets = answer.resource_record_sets.into_iter().filter_map(records::record_set).collect();
    if !answer.is_truncated {
        return Ok(Page { sets, next: None });
    }
    // Without a name a list begins at the zone's first set: that would go round for ever.
    let Some(name) = answer.next_record_name else {
        let reason = "a page that is not the last, without where the next begins";
        return Err(ZoneError::Unknown(reason.to_owned()));
    };
    let next = ListStart {
        name: Some(canonical(&name)),
        kind: answer.next_record_type.map(|kind| kind.as_str().to_owned().into()),
        set_identifier: answer.next_record_identifier,
    };
    Ok(Page { sets, next: Some(next) })
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
