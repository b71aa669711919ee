//! All cases, by theme.

mod apex;
mod batches;
mod creating;
mod deleting;
mod groups;
mod limits;
mod names;
mod paging;
mod ranges;
mod starting;
mod status;
mod values;

use crate::case::Case;

pub fn all() -> Vec<Case> {
    let themes = [
        creating::cases(),
        deleting::cases(),
        batches::cases(),
        values::cases(),
        ranges::cases(),
        groups::cases(),
        limits::cases(),
        names::cases(),
        apex::cases(),
        paging::cases(),
        starting::cases(),
        status::cases(),
    ];
    themes.into_iter().flatten().collect()
}
