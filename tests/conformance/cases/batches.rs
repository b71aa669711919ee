//! A batch: all of it or nothing, and what may stand beside what in one.

use ecssd::record::{Change, RecordSet, Routing};
use ecssd::zone::refusal::Cause;

use crate::case::{
    Answer, Case, a, accepted, case, create, delete, exists, invalid, not_found, rejected, rejected_all, srv,
    upsert, values_differ, with,
};

pub fn cases() -> Vec<Case> {
    atomicity().into_iter().chain(swaps()).chain([keys_that_come_twice()]).collect()
}

/// A bad change between two good ones.
fn spoiled(name: &'static str, bad: Change, answer: Answer) -> Case {
    case(name)
        .given([srv("web", "a", 1)])
        .change([create(srv("web", "b", 1)), bad, create(srv("web", "c", 1))], answer)
        .leaves([srv("web", "a", 1)])
}

fn atomicity() -> Vec<Case> {
    let many = || (0..50).map(|n| srv(&format!("s{n:02}"), "a", 1));
    vec![
        spoiled("batch-with-a-delete-of-nothing", delete(srv("web", "x", 1)), not_found()),
        spoiled("batch-with-a-create-of-what-exists", create(srv("web", "a", 1)), exists()),
        spoiled("batch-with-a-stale-delete", delete(srv("web", "a", 2)), values_differ()),
        case("batch-that-begins-badly")
            .change([delete(srv("web", "x", 1)), create(srv("web", "a", 1))], not_found()),
        case("batch-that-ends-badly")
            .given([srv("web", "a", 1)])
            .change([delete(srv("web", "a", 1)), delete(srv("web", "x", 1))], not_found())
            .leaves([srv("web", "a", 1)]),
        case("batch-with-an-upsert-undone")
            .given([srv("web", "a", 1)])
            .change([upsert(srv("web", "a", 7)), delete(srv("web", "x", 1))], not_found())
            .leaves([srv("web", "a", 1)]),
        case("batch-of-fifty").change(many().map(create), accepted()).leaves(many()),
        case("batch-of-all-actions")
            .given([srv("web", "a", 1), srv("web", "b", 1)])
            .change(
                [create(srv("web", "c", 1)), upsert(srv("web", "b", 2)), delete(srv("web", "a", 1))],
                accepted(),
            )
            .leaves([srv("web", "b", 2), srv("web", "c", 1)]),
        case("batch-of-nothing").change([], invalid("'changeBatch.changes'")),
        case("batch-with-two-faults")
            .given([srv("web", "a", 1)])
            .change(
                [create(srv("web", "a", 1)), delete(srv("web", "x", 1))],
                rejected_all(&[
                    (Cause::AlreadyExists, "set-identifier='a'] but it already exists"),
                    (Cause::NotFound, "set-identifier='x'] but it was not found"),
                ]),
            )
            .leaves([srv("web", "a", 1)]),
    ]
}

fn swap(before: RecordSet, after: RecordSet) -> [Change; 2] {
    [delete(before), create(after)]
}

fn swaps() -> Vec<Case> {
    let slower = |id| with(srv("web", id, 1), |set| set.ttl = 60);
    vec![
        case("swap")
            .given([srv("web", "a", 1)])
            .change(swap(srv("web", "a", 1), srv("web", "a", 2)), accepted())
            .leaves([srv("web", "a", 2)]),
        case("swap-for-the-same")
            .given([srv("web", "a", 1)])
            .change(swap(srv("web", "a", 1), srv("web", "a", 1)), accepted())
            .leaves([srv("web", "a", 1)]),
        case("swap-what-is-not-so")
            .given([srv("web", "a", 1)])
            .change(
                swap(srv("web", "a", 5), srv("web", "a", 2)),
                rejected_all(&[
                    (Cause::ValuesDiffer, "do not match the current values"),
                    (Cause::AlreadyExists, "but it already exists"),
                ]),
            )
            .leaves([srv("web", "a", 1)]),
        case("swap-what-is-gone").change(swap(srv("web", "a", 1), srv("web", "a", 2)), not_found()),
        case("swap-two")
            .given([srv("web", "a", 1), srv("web", "b", 1)])
            .change(
                ["a", "b"]
                    .map(|id| delete(srv("web", id, 1)))
                    .into_iter()
                    .chain(["a", "b"].map(|id| create(srv("web", id, 2)))),
                accepted(),
            )
            .leaves([srv("web", "a", 2), srv("web", "b", 2)]),
        case("swap-the-ttl-of-a-group")
            .given([srv("web", "a", 1), srv("web", "b", 1)])
            .change(
                ["a", "b"]
                    .map(|id| delete(srv("web", id, 1)))
                    .into_iter()
                    .chain(["a", "b"].map(|id| create(slower(id)))),
                accepted(),
            )
            .leaves(["a", "b"].map(slower)),
        case("swap-simple-for-weighted")
            .given([a("www", "10.0.0.1")])
            .change(swap(a("www", "10.0.0.1"), weighted_a()), accepted())
            .leaves([weighted_a()]),
        case("swap-weighted-for-simple")
            .given([weighted_a()])
            .change(swap(weighted_a(), a("www", "10.0.0.1")), accepted())
            .leaves([a("www", "10.0.0.1")]),
    ]
}

fn weighted_a() -> RecordSet {
    RecordSet { set_identifier: Some("a".into()), routing: Routing::Weighted(1), ..a("www", "10.0.0.1") }
}

fn keys_that_come_twice() -> Case {
    let twice = || rejected(Cause::Other, "contains an invalid set of changes");
    let (old, new) = (|| srv("web", "a", 1), || srv("web", "b", 1));
    case("batch-with-a-key-twice")
        .given([old()])
        .change([create(new()), create(new())], twice())
        .change([delete(old()), delete(old())], twice())
        .change([create(new()), delete(new())], twice())
        .change([upsert(new()), upsert(new())], twice())
        .leaves([old()])
}
