//! Weights, TTLs and identifiers: in their range, at its ends, and outside.

use ecssd::record::Routing;

use crate::case::{Case, accepted, case, create, invalid, srv, with};

pub fn cases() -> Vec<Case> {
    let ttl = |label: &str, ttl| with(srv(label, "a", 1), |set| set.ttl = ttl);
    let long = |chars| with(srv("web", "a", 1), |set| set.set_identifier = Some("x".repeat(chars)));
    let loose = || with(srv("web", "a", 1), |set| set.set_identifier = None);
    let bare = || with(srv("web", "a", 1), |set| set.routing = Routing::Simple);
    vec![
        case("weight-at-its-ends")
            .change([create(srv("web", "a", 0)), create(srv("web", "b", 255))], accepted())
            .leaves([srv("web", "a", 0), srv("web", "b", 255)]),
        case("weight-out-of-range")
            .change([create(srv("web", "a", 256))], invalid("Value '256'"))
            .change([create(srv("web", "b", -1))], invalid("Value '-1'")),
        case("ttl-at-its-ends")
            .change([create(ttl("a", 0)), create(ttl("b", 2_147_483_647))], accepted())
            .leaves([ttl("a", 0), ttl("b", 2_147_483_647)]),
        case("ttl-out-of-range")
            .change([create(ttl("a", -1))], invalid("Value '-1'"))
            .change([create(ttl("b", 2_147_483_648))], invalid("Value '2147483648'")),
        case("identifier-of-128").change([create(long(128))], accepted()).leaves([long(128)]),
        case("identifier-out-of-range")
            .change([create(long(129))], invalid("length between 1 and 128"))
            .change([create(long(0))], invalid("length between 1 and 128")),
        case("policy-without-identifier")
            .change([create(loose())], invalid("Missing field 'SetIdentifier'"))
            .change([create(bare())], invalid("but found none")),
    ]
}
