//! What holds of every run, read off the requests alone: pace, limits, and whose records are touched.

use std::collections::BTreeMap;

use ecssd::record::{Action, Change, Key};
use ecssd_testing::route53::endpoint::{Endpoint, Request, cost};
use ecssd_testing::route53::wire::Asked;
use tokio::time::Instant;

use super::host::{Host, registrant};

/// A share of what an account may do: requests and changes a second, and at once.
const REQUESTS: (f64, f64) = (8.0, 40.0);
const CHANGES: (f64, f64) = (100.0, 1_500.0);
/// What rounding to nanoseconds may add up to, in tokens.
const ROUNDING: f64 = 1e-3;

/// All of them, of this host's run.
pub fn check(host: &Host) {
    check_endpoint(&host.endpoint);
    check_promises(&host.endpoint.history(), &host.promises);
}

/// Those that need no more than the history.
pub fn check_endpoint(endpoint: &Endpoint) {
    let history = endpoint.history();
    check_rate(history.iter().map(|request| (request.at, 1)), REQUESTS);
    let changes = batches(&history).map(|(at, batch)| (at, batch.iter().map(cost).sum()));
    check_rate(changes, CHANGES);
    check_endpoint_batches(endpoint);
}

/// The limits alone: a process that starts anew has a full bucket, and the account's is not known to it.
pub fn check_endpoint_batches(endpoint: &Endpoint) {
    batches(&endpoint.history()).for_each(|(_, batch)| check_batch(batch));
}

/// The batches that were asked for, and when.
pub fn batches(history: &[Request]) -> impl Iterator<Item = (Instant, &Vec<Change>)> {
    history.iter().filter_map(|request| match &request.asked {
        Asked::Change(batch) => Some((request.at, batch)),
        _ => None,
    })
}

/// A leaking bucket that starts empty and may never hold more than the burst.
fn check_rate(spent: impl Iterator<Item = (Instant, usize)>, (per_second, burst): (f64, f64)) {
    let (mut level, mut last) = (0.0_f64, None);
    for (at, tokens) in spent {
        let passed = last.map_or(0.0, |last| at.duration_since(last).as_secs_f64());
        level = (level - passed * per_second).max(0.0) + tokens as f64;
        last = Some(at);
        assert!(level <= burst + ROUNDING, "{level} tokens in a bucket of {burst}");
    }
}

fn check_promises(history: &[Request], promises: &[(Instant, Instant)]) {
    for (from, until) in promises {
        let inside = history.iter().find(|request| request.at > *from && request.at < *until);
        assert!(inside.is_none(), "a call inside the wait after a throttle");
    }
}

fn check_batch(batch: &[Change]) {
    let (mut elements, mut characters) = (0, 0);
    let mut actions: BTreeMap<Key, Vec<Action>> = BTreeMap::new();
    for change in batch {
        let mark = change.set.set_identifier.as_deref().unwrap_or_default();
        let owner = registrant().owner;
        assert!(mark.split(':').next() == Some(owner.as_str()), "somebody else's record: {change}");
        elements += cost(change) * change.set.values.len();
        characters += cost(change) * change.set.values.iter().map(String::len).sum::<usize>();
        actions.entry(change.set.key()).or_default().push(change.action);
    }
    assert!(elements <= 1_000 && characters <= 32_000, "{elements} elements, {characters} characters");
    for (key, actions) in actions {
        let once = actions.len() == 1 || actions == [Action::Delete, Action::Create];
        assert!(once, "{key} is in a batch as {actions:?}");
    }
}
