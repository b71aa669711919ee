//! Sets of one name and type: one policy, one TTL, at most a hundred. And the CNAME, which stands alone.

use ecssd::record::{RecordSet, RecordType, Routing};
use ecssd::zone::refusal::Cause;

use crate::case::{
    Answer, Case, a, accepted, case, create, delete, multivalue, rejected, simple, srv, upsert, with,
};

pub fn cases() -> Vec<Case> {
    policies()
        .into_iter()
        .chain(full_groups())
        .chain(multivalue_groups())
        .chain([misplaced_cname()])
        .collect()
}

fn weighted(label: &str, id: &str) -> RecordSet {
    RecordSet { set_identifier: Some(id.into()), routing: Routing::Weighted(1), ..a(label, "10.0.0.1") }
}

fn policies() -> Vec<Case> {
    let slower = |label: &str| with(srv(label, "b", 1), |set| set.ttl = 60);
    vec![
        case("ttl-of-a-group")
            .given([srv("web", "a", 1), srv("web", "c", 1)])
            .change([create(slower("web"))], rejected(Cause::TtlDiffers, "must contain the same TTL"))
            .change(
                [upsert(with(srv("web", "c", 1), |set| set.ttl = 60))],
                rejected(Cause::TtlDiffers, "must contain the same TTL"),
            )
            .leaves([srv("web", "a", 1), srv("web", "c", 1)]),
        case("ttl-of-another-name")
            .given([srv("web", "a", 1)])
            .change([create(slower("api"))], accepted())
            .leaves([slower("api"), srv("web", "a", 1)]),
        case("ttl-of-a-group-of-one")
            .given([srv("web", "b", 1)])
            .change([upsert(slower("web"))], accepted())
            .leaves([slower("web")]),
        case("policies-mixed-with-simple")
            .given([a("one", "10.0.0.1"), weighted("two", "a")])
            .change([create(weighted("one", "a"))], rejected(Cause::Other, "a non-weighted set exists"))
            .change([create(a("two", "10.0.0.1"))], rejected(Cause::Other, "other RRSets exist"))
            .leaves([a("one", "10.0.0.1"), weighted("two", "a")]),
        case("policies-mixed-with-identifier")
            .given([a("none", "10.0.0.1"), weighted("one", "a"), multivalue("two", "a", "10.0.0.1")])
            .change([create(multivalue("none", "b", "10.0.0.2"))], not_multivalue())
            .change([create(multivalue("one", "b", "10.0.0.2"))], not_multivalue())
            .change([create(weighted("two", "b"))], rejected(Cause::Other, "a non-weighted set exists"))
            .change([create(a("two", "10.0.0.1"))], rejected(Cause::Other, "other RRSets exist"))
            .leaves([a("none", "10.0.0.1"), weighted("one", "a"), multivalue("two", "a", "10.0.0.1")]),
        case("policies-of-two-types")
            .given([a("web", "10.0.0.1")])
            .change([create(srv("web", "a", 1))], accepted())
            .leaves([a("web", "10.0.0.1"), srv("web", "a", 1)]),
        case("policy-changed-alone")
            .given([weighted("www", "a")])
            .change([upsert(multivalue("www", "a", "10.0.0.1"))], accepted())
            .leaves([multivalue("www", "a", "10.0.0.1")]),
    ]
}

fn not_multivalue() -> Answer {
    rejected(
        Cause::Other,
        "cannot be created because a non multivalue answer rrset exists with the same name and type.",
    )
}

/// All targets of a service, as the agent writes them: one set a target.
fn targets(count: usize) -> impl Iterator<Item = RecordSet> {
    (0..count).map(|n| {
        let set = srv("all", &format!("i{n:03}"), 1);
        RecordSet { routing: Routing::Multivalue, ..set }
    })
}

fn multivalue_groups() -> Vec<Case> {
    let two_values = || with(multivalue("www", "a", "10.0.0.1"), |set| set.values.push("10.0.0.2".into()));
    let one_value = || rejected(Cause::Other, "exactly one resource record");
    vec![
        case("multivalue-group-of-a-hundred")
            .change(targets(100).map(create), accepted())
            .leaves(targets(100)),
        case("multivalue-group-of-a-hundred-and-one")
            .given(targets(100))
            .change(
                targets(101).skip(100).map(create),
                rejected(Cause::GroupFull, "limit on number of multivalue answer RRSets"),
            )
            .leaves(targets(100)),
        case("multivalue-group-with-one-swapped")
            .given(targets(2))
            .change(targets(2).map(delete).take(1).chain(targets(3).skip(2).map(create)), accepted())
            .leaves(targets(3).skip(1)),
        case("multivalue-beside-weighted-of-another-name")
            .given(targets(2))
            .change([create(srv("web", "i000", 1)), create(srv("web", "i001", 1))], accepted())
            .leaves(targets(2).chain([srv("web", "i000", 1), srv("web", "i001", 1)])),
        case("multivalue-with-two-values")
            .given([multivalue("www", "b", "10.0.0.3")])
            .change([create(two_values())], one_value())
            .change([upsert(two_values())], one_value())
            .leaves([multivalue("www", "b", "10.0.0.3")]),
    ]
}

fn hundred() -> impl Iterator<Item = RecordSet> {
    (0..100).map(|n| srv("web", &format!("i{n:03}"), 1))
}

fn full_groups() -> Vec<Case> {
    let more = || srv("web", "more", 1);
    vec![
        case("group-of-a-hundred").change(hundred().map(create), accepted()).leaves(hundred()),
        case("group-of-a-hundred-and-one")
            .given(hundred())
            .change([create(more())], rejected(Cause::GroupFull, "limit on number of weighted RRSets"))
            .leaves(hundred()),
        case("group-of-a-hundred-with-one-changed")
            .given(hundred())
            .change([upsert(srv("web", "i099", 2))], accepted())
            .leaves(hundred().take(99).chain([srv("web", "i099", 2)])),
        case("group-of-a-hundred-with-one-replaced")
            .given(hundred())
            .change([delete(srv("web", "i099", 1)), create(more())], accepted())
            .leaves(hundred().take(99).chain([more()])),
        case("group-of-a-hundred-and-another-type")
            .given(hundred())
            .change([create(a("web", "10.0.0.1"))], accepted())
            .leaves([a("web", "10.0.0.1")].into_iter().chain(hundred())),
    ]
}

fn misplaced_cname() -> Case {
    let cname = |name: &str| simple(name, RecordType::Cname, &["x.example"]);
    let other = |words| rejected(Cause::Other, words);
    case("cname-beside-others")
        .given([cname("one.@"), a("two", "10.0.0.1")])
        .change([create(a("one", "10.0.0.1"))], other("conflicting RRSet of type  CNAME"))
        .change([create(cname("two.@"))], other("conflicts with other records"))
        .change([create(cname("@"))], other("not permitted at apex"))
        .leaves([cname("one.@"), a("two", "10.0.0.1")])
}
