//! Names: how they may be written, whose zone they are in, and the order that they are listed in.

use ecssd::record::{RecordSet, RecordType};
use ecssd::zone::refusal::Cause;

use crate::case::{Case, a, accepted, at, case, create, delete, exists, rejected, simple, srv, with};

pub fn cases() -> Vec<Case> {
    written().into_iter().chain(ordered()).collect()
}

fn named(name: &str) -> RecordSet {
    simple(name, RecordType::A, &["10.0.0.1"])
}

fn written() -> Vec<Case> {
    let dotted = || with(srv("web", "a", 1), |set| set.name = "web.@.".into());
    let long = || named(&format!("{}.@", "x".repeat(63)));
    let other = |words| rejected(Cause::Other, words);
    let listed = |name: &str| named(&format!("{name}.@"));
    vec![
        case("name-with-final-dot")
            .change([create(dotted())], accepted())
            .change([create(srv("web", "a", 1))], exists())
            .leaves([srv("web", "a", 1)]),
        case("name-without-final-dot-deleted-with")
            .given([srv("web", "a", 1)])
            .change([delete(dotted())], accepted()),
        case("name-of-a-service")
            .change([create(srv("_web._tcp", "a", 1)), create(a("ip-10-0-0-1", "10.0.0.1"))], accepted())
            .leaves([srv("_web._tcp", "a", 1), a("ip-10-0-0-1", "10.0.0.1")]),
        case("name-with-many-labels")
            .change([create(a("a.b.c.d.e.f", "10.0.0.1"))], accepted())
            .leaves([a("a.b.c.d.e.f", "10.0.0.1")]),
        case("name-with-a-label-of-63").change([create(long())], accepted()).leaves([long()]),
        case("name-that-is-refused")
            .change([create(named("web.example.com"))], other("is not permitted in zone"))
            .change([create(named("x@"))], other("is not permitted in zone"))
            .change([create(named("a..@"))], other("DomainLabelEmpty"))
            .change([create(named(&format!("{}.@", "x".repeat(64))))], other("DomainLabelTooLong")),
        case("name-in-upper-case")
            .given([srv("web", "a", 1)])
            .change([create(srv("WEB", "a", 1))], exists())
            .change([create(srv("API", "a", 1))], accepted())
            .change([delete(srv("WEB", "a", 1))], accepted())
            .list(at("API.@", None, None), 300, "api.@ SRV a")
            .leaves([srv("api", "a", 1)]),
        case("name-with-escapes")
            .change([create(named("*.@")), create(named(r"\141b.@")), create(named(r"a\056b.@"))], accepted())
            .change([delete(named(r"\052.@"))], accepted())
            .leaves([listed(r"a\056b"), listed("ab")]),
    ]
}

fn ordered() -> Vec<Case> {
    let labels = ["web", "a.web", "z.api", "api", "_x._tcp.api", "10", "0", "ab", "a"];
    let kinds = || {
        let value = |kind| match kind {
            RecordType::A => "10.0.0.1",
            RecordType::Aaaa => "::1",
            RecordType::Txt => r#""x""#,
            _ => "1 1 80 host.example",
        };
        [RecordType::Txt, RecordType::Srv, RecordType::Aaaa, RecordType::A]
            .map(|kind| simple("web.@", kind, &[value(kind)]))
    };
    let ids = ["b", "a1", "A", "a", "10", "9"];
    vec![
        case("order-by-reversed-labels")
            .change(labels.map(|label| create(a(label, "10.0.0.1"))), accepted())
            .leaves(
                ["0", "10", "a", "ab", "api", "_x._tcp.api", "z.api", "web", "a.web"]
                    .map(|label| a(label, "10.0.0.1")),
            ),
        case("order-by-type").change(kinds().map(create), accepted()).leaves(kinds().into_iter().rev()),
        case("order-by-identifier")
            .change(ids.map(|id| create(srv("web", id, 1))), accepted())
            .leaves(["10", "9", "A", "a", "a1", "b"].map(|id| srv("web", id, 1))),
        case("order-with-what-comes-before-a-dot")
            .change(["x.a", "a-b", "a"].map(|label| create(a(label, "10.0.0.1"))), accepted())
            .leaves(["a-b", "a", "x.a"].map(|label| a(label, "10.0.0.1"))),
    ]
}
