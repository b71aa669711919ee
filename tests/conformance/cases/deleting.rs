//! DELETE: exactly what exists, or nothing.

use ecssd::record::{RecordSet, RecordType, Routing};

use crate::case::{
    Answer, Case, a, accepted, case, create, delete, multivalue, not_found, simple, srv, upsert,
    values_differ, with,
};

pub fn cases() -> Vec<Case> {
    exact().into_iter().chain(inexact()).collect()
}

fn two_values(first: &str, second: &str) -> RecordSet {
    simple("www.@", RecordType::A, &[first, second])
}

fn exact() -> Vec<Case> {
    vec![
        case("delete-weighted").given([srv("web", "a", 1)]).change([delete(srv("web", "a", 1))], accepted()),
        case("delete-simple")
            .given([a("www", "10.0.0.1")])
            .change([delete(a("www", "10.0.0.1"))], accepted()),
        case("delete-multivalue")
            .given([multivalue("www", "a", "10.0.0.1")])
            .change([delete(multivalue("www", "a", "10.0.0.1"))], accepted()),
        case("delete-one-of-a-group")
            .given(["a", "b", "c"].map(|id| srv("web", id, 1)))
            .change([delete(srv("web", "b", 1))], accepted())
            .leaves(["a", "c"].map(|id| srv("web", id, 1))),
        case("delete-with-values-in-another-order")
            .given([two_values("10.0.0.1", "10.0.0.2")])
            .change([delete(two_values("10.0.0.2", "10.0.0.1"))], accepted()),
        case("delete-what-was-upserted-since")
            .given([srv("web", "a", 1)])
            .change([upsert(srv("web", "a", 5))], accepted())
            .change([delete(srv("web", "a", 1))], values_differ())
            .change([delete(srv("web", "a", 5))], accepted()),
        case("delete-twice")
            .given([srv("web", "a", 1)])
            .change([delete(srv("web", "a", 1))], accepted())
            .change([delete(srv("web", "a", 1))], not_found()),
        case("delete-and-create-elsewhere")
            .given([srv("web", "a", 1)])
            .change([delete(srv("web", "a", 1)), create(srv("api", "a", 1))], accepted())
            .leaves([srv("api", "a", 1)]),
    ]
}

/// A DELETE that is not quite what exists.
fn refused(name: &'static str, edit: impl FnOnce(&mut RecordSet), answer: Answer) -> Case {
    case(name)
        .given([srv("web", "a", 1), srv("web", "b", 1)])
        .change([delete(with(srv("web", "a", 1), edit))], answer)
        .leaves([srv("web", "a", 1), srv("web", "b", 1)])
}

fn inexact() -> Vec<Case> {
    let without_identifier = |set: &mut RecordSet| {
        set.set_identifier = None;
        set.routing = Routing::Simple;
    };
    let as_multivalue = |set: &mut RecordSet| set.routing = Routing::Multivalue;
    vec![
        refused("delete-another-ttl", |set| set.ttl = 60, values_differ()),
        refused("delete-another-weight", |set| set.routing = Routing::Weighted(2), values_differ()),
        refused("delete-weight-0", |set| set.routing = Routing::Weighted(0), values_differ()),
        refused("delete-another-value", |set| set.values[0] = "1 1 81 a.example".into(), values_differ()),
        refused(
            "delete-with-a-value-more",
            |set| set.values.push("1 1 81 a.example".into()),
            values_differ(),
        ),
        refused("delete-another-policy", as_multivalue, values_differ()),
        refused("delete-without-identifier", without_identifier, not_found()),
        refused("delete-another-identifier", |set| set.set_identifier = Some("c".into()), not_found()),
        refused("delete-another-name", |set| set.name = "api.@".into(), not_found()),
        refused("delete-a-name-below", |set| set.name = "x.web.@".into(), not_found()),
        refused(
            "delete-another-type",
            |set| {
                set.kind = RecordType::A;
                set.values = vec!["10.0.0.1".into()];
            },
            not_found(),
        ),
        case("delete-one-of-two-values")
            .given([two_values("10.0.0.1", "10.0.0.2")])
            .change([delete(a("www", "10.0.0.1"))], values_differ())
            .leaves([two_values("10.0.0.1", "10.0.0.2")]),
    ]
}
