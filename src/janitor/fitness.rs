//! Whether two inspections bear a verdict: whole, in order, a minute apart, and not too old. Owns nothing of what
//! they show.

use super::Inspection;
use super::report::Standstill;
use super::rules::{APART, FRESH};
use crate::moment::Moment;

/// Why these inspections are no evidence, if they are not.
///
/// A clock that seems to go back leaves the order of things unknown, wherever it does so.
pub(super) fn check([first, last]: [&Inspection; 2], now: Moment) -> Result<(), Standstill> {
    let missing: Vec<String> = [&first.list.missing, &first.snapshot.missing]
        .into_iter()
        .chain([&last.list.missing, &last.snapshot.missing])
        .flatten()
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Err(Standstill::Incomplete(missing));
    }
    let forward = [
        first.list.began <= first.list.ended,
        first.snapshot.began <= first.snapshot.ended,
        last.list.began <= last.list.ended,
        last.snapshot.began <= last.snapshot.ended,
        last.snapshot.ended <= now,
    ];
    let list_first =
        [first, last].iter().all(|inspection| inspection.list.ended <= inspection.snapshot.began);
    if forward.contains(&false) || !list_first {
        return Err(Standstill::OutOfOrder);
    }
    match last.list.began.checked_sub(first.snapshot.ended) {
        None => return Err(Standstill::OutOfOrder),
        Some(apart) if apart < APART => return Err(Standstill::TooClose(apart)),
        _ => {}
    }
    let age = now - last.snapshot.ended;
    if age > FRESH { Err(Standstill::TooOld(age)) } else { Ok(()) }
}
