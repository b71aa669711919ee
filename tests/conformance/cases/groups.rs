//! Sets of one name and type: one policy, one TTL, at most a hundred. And the CNAME, which stands alone.

use ecssd::record::{RecordSet, RecordType};
use ecssd::zone::refusal::Cause;

use crate::case::{Case, a, accepted, case, create, delete, multivalue, rejected, simple, srv, upsert, with};

pub fn cases() -> Vec<Case> {
    policies().into_iter().chain(full_groups()).chain([misplaced_cname()]).collect()
}

fn weighted(label: &str, id: &str) -> RecordSet {
    RecordSet { set_identifier: Some(id.into()), weight: Some(1), ..a(label, "10.0.0.1") }
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
            .given([weighted("one", "a"), multivalue("two", "a", "10.0.0.1")])
            .change(
                [create(multivalue("one", "b", "10.0.0.2"))],
                rejected(Cause::Other, "a non-multivalue answer set exists"),
            )
            .change([create(weighted("two", "b"))], rejected(Cause::Other, "a non-weighted set exists"))
            .leaves([weighted("one", "a"), multivalue("two", "a", "10.0.0.1")]),
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
