//! What an operator asks the agent of this host for: a weight by hand, or the end of one.

use std::time::Duration;

use super::bad::BadValue;
use super::values::{form, hours};
use super::{Conflict, Judge, given};
use crate::cli::Cli;
use crate::machine::cordon::{LASTS_MAX, Order, What, Wish};

const LASTS_MIN: Duration = Duration::from_secs(1);

/// What is asked for; nothing where something is wrong with it, or no cordon is spoken of.
pub(super) fn order(cli: &Cli, judge: &mut Judge) -> Option<Order> {
    let cordon = &cli.cordon;
    let (on, off) = (given(&cordon.cordon), given(&cordon.uncordon));
    let is_more = cli.sync || cli.remove || cli.status || cli.doctor || cli.dry_run;
    let is_janitor = cli.janitor.janitor || !cli.forget.is_empty();
    if (on.is_some() || off.is_some()) && (is_more || is_janitor) || on.is_some() && off.is_some() {
        judge.note("--cordon, --uncordon", Conflict::CordonAndMore);
    }
    let weight = judge.takes_given("--weight", &cordon.weight, weight);
    let lasts = judge.takes_given("--for", &cordon.lasts, |text| hours(text, LASTS_MIN, LASTS_MAX));
    if on.is_none() {
        for (flag, text) in [("--weight", &cordon.weight), ("--for", &cordon.lasts)] {
            if given(text).is_some() {
                judge.note(flag, Conflict::WithoutCordon);
            }
        }
    }
    let (flag, text) = match (on, off) {
        (Some(text), _) => ("--cordon", text),
        (None, Some(text)) => ("--uncordon", text),
        (None, None) => return None,
    };
    let what = judge.takes(flag, What::parse(text).map_err(|error| BadValue::Shared(error.to_string())))?;
    let wish = match on {
        Some(_) => Wish::Cordon { weight: weight?.unwrap_or(0), lasts: lasts? },
        None => Wish::Uncordon,
    };
    Some(Order { what, wish })
}

fn weight(text: &str) -> Result<u8, BadValue> {
    text.trim().parse().map_err(|_| form(text, "a weight from 0 to 255"))
}
