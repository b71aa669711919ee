//! Values: what a record's data may be.

use ecssd::record::{RecordSet, RecordType};
use ecssd::zone::refusal::Cause;

use crate::case::{Answer, Case, a, accepted, case, create, invalid, rejected, simple, srv, with};

pub fn cases() -> Vec<Case> {
    vec![srv_in_bounds(), srv_refused(), others_refused(), not_a_set(), kept_as_written()]
}

fn srv_of(id: &str, value: &str) -> RecordSet {
    with(srv("web", id, 1), |set| set.values = vec![value.into()])
}

fn srv_in_bounds() -> Case {
    let sets = || {
        [
            srv_of("a", "0 0 0 host.example"),
            srv_of("b", "65535 65535 65535 host.example"),
            srv_of("c", "1 1 80 ."),
            srv_of("d", "1 1 80 host.example."),
        ]
    };
    case("values-of-srv").change(sets().map(create), accepted()).leaves(sets())
}

fn srv_refused() -> Case {
    let other = |words| rejected(Cause::Other, words);
    case("values-that-are-no-srv")
        .change([create(srv_of("a", "1 1 80"))], other("SRVRRDATANotFourFields"))
        .change([create(srv_of("b", "1 1 80 host.example x"))], other("SRVRRDATANotFourFields"))
        .change([create(srv_of("c", "1 1 65536 host.example"))], other("SRVRRDATAIllegalPort"))
        .change([create(srv_of("d", "1 65536 80 host.example"))], other("SRVRRDATAIllegalWeight"))
        .change([create(srv_of("e", "-1 1 80 host.example"))], other("SRVRRDATAIllegalPriority"))
        .change([create(srv_of("f", "1 1 80 host..example"))], other("InvalidDomainName"))
}

fn others_refused() -> Case {
    let other = |words| rejected(Cause::Other, words);
    let too_long = format!("\"{}\"", "x".repeat(256));
    case("values-that-are-none-of-their-type")
        .change([create(a("a", "10.0.0.256"))], other("ARRDATAIllegalIPv4Address"))
        .change(
            [create(simple("b.@", RecordType::Aaaa, &["10.0.0.1"]))],
            other("AAAARRDATAIllegalIPv6Address"),
        )
        .change([create(simple("c.@", RecordType::Txt, &["plain"]))], other("InvalidCharacterString"))
        .change([create(simple("d.@", RecordType::Txt, &[&too_long]))], other("CharacterStringTooLong"))
        .change([create(simple("e.@", RecordType::Cname, &["a..b"]))], other("InvalidDomainName"))
}

fn not_a_set() -> Case {
    let same = || simple("b.@", RecordType::A, &["10.0.0.1", "10.0.0.1"]);
    let too_many = || with(a("c", ""), |set| set.values = addresses(401));
    let duplicate: Answer = rejected(Cause::Other, "Duplicate Resource Record");
    case("values-that-are-no-set")
        .change([create(simple("a.@", RecordType::A, &[]))], invalid("[AliasTarget, all of [TTL"))
        .change([create(same())], duplicate)
        .change([create(too_many())], rejected(Cause::Other, "more than 400 records"))
}

fn kept_as_written() -> Case {
    let backwards = || simple("www.@", RecordType::A, &["10.0.0.2", "10.0.0.1"]);
    let full = || with(a("full", ""), |set| set.values = addresses(400));
    case("values-in-their-order")
        .change([create(backwards()), create(full())], accepted())
        .leaves([full(), backwards()])
}

fn addresses(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("10.0.{}.{}", n / 256, n % 256)).collect()
}
