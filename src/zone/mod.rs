//! A zone: where record sets live, what may be asked of it, and how it refuses.
//!
//! [`Zone`] is the seam between this system and a registry. It speaks of record sets and batches only;
//! containers, Docker and hosts are unknown here. The embedded zone and Route 53 stand behind it; [plan] stands before
//! either. Another registry is a room beside them that implements [`Zone`], and a case of
//! `config::Registry`: its pace, its journal and when it is first read are decided where that is matched. It has to hold
//! weights and a mark for each record, take a batch as a whole, and list in the order of names. What a
//! failure means for a caller is said in one place, [`ZoneError::meaning`].

mod course;
pub mod embedded;
mod error;
mod list_type;
pub mod plan;
pub mod refusal;
pub mod route53;

use async_trait::async_trait;

pub use self::course::{Course, Endless};
pub use self::error::{Meaning, Unauthenticated, ZoneError};
pub use self::list_type::ListType;
use crate::record::{Change, Key, RecordSet};

/// A hosted zone that can be changed and listed.
#[async_trait]
pub trait Zone: Send + Sync + 'static {
    /// The zone's name, lower case, without the final dot.
    fn name(&self) -> &str;

    /// The registry's id of the zone: one that was made anew under its old name is another.
    fn id(&self) -> &str;

    /// From now on there is little time: calls give up sooner, and a zone that answers DNS itself answers nobody any
    /// more.
    fn drain(&self) {}

    /// Applies all of `batch`, or nothing of it.
    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError>;

    /// One page of the zone's record sets, in the registry's order (by reversed labels, then type, then
    /// identifier). At most `max_items`, and at most [`PAGE_ITEMS_MAX`], are returned; none may be, although others
    /// follow. Whoever goes on to the next page follows a [`Course`].
    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError>;

    /// How far an accepted batch has got.
    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError>;
}

/// The most record sets that a page of a list holds.
/// Source: Route 53 API reference, ListResourceRecordSets.
pub const PAGE_ITEMS_MAX: usize = 300;

/// Where a list begins. Route 53 wants a name where there is a type, and both where there is an
/// identifier; the registry refuses the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ListStart {
    /// The first name, inclusive.
    pub name: Option<String>,
    /// The first type under that name.
    pub kind: Option<ListType>,
    /// The first identifier under that name and type.
    pub set_identifier: Option<String>,
}

impl From<Key> for ListStart {
    fn from(key: Key) -> Self {
        Self { name: Some(key.name), kind: Some(key.kind.into()), set_identifier: key.set_identifier }
    }
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The record sets, in order.
    pub sets: Vec<RecordSet>,
    /// Where the next page begins, unless this is the last.
    pub next: Option<ListStart>,
}

/// What a registry says of a batch that it accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeInfo {
    /// The change's id, for [`Zone::change_status`].
    pub id: String,
    /// Whether every name server answers with it.
    pub status: ChangeStatus,
}

/// How far an accepted batch has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeStatus {
    /// Accepted, on its way to the name servers.
    Pending,
    /// On every name server.
    InSync,
}
