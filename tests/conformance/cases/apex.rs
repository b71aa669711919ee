//! The apex: the SOA and the name servers, which a zone is made with and never without.

use ecssd::record::{RecordSet, RecordType};
use ecssd::zone::refusal::Cause;

use crate::case::{
    Case, accepted, as_made, case, create, delete, exists, rejected, simple, srv, upsert, values_differ, with,
};

const LOW_SOA: &str = "ns.example. hostmaster.example. 1 7200 900 1209600 5";

fn low_soa() -> RecordSet {
    with(simple("@", RecordType::Soa, &[LOW_SOA]), |set| set.ttl = 5)
}

pub fn cases() -> Vec<Case> {
    let other = |words| rejected(Cause::Other, words);
    let servers =
        || with(simple("@", RecordType::Ns, &["ns.example.", "ns.example.net."]), |set| set.ttl = 60);
    let below = || simple("sub.@", RecordType::Ns, &["ns.example."]);
    let at_apex = || with(srv("web", "a", 1), |set| set.name = "@".into());
    let stale = || with(low_soa(), |set| set.ttl = 900);
    vec![
        case("apex-as-made").first_page(300, "@ NS, @ SOA"),
        case("apex-soa-upserted").change([upsert(low_soa())], accepted()).leaves([low_soa()]),
        case("apex-soa-swapped")
            .change([delete(as_made(RecordType::Soa)), create(low_soa())], accepted())
            .leaves([low_soa()]),
        case("apex-soa-created").change([create(low_soa())], exists()),
        case("apex-soa-deleted-inexactly").change([delete(stale())], values_differ()),
        case("apex-ns-upserted").change([upsert(servers())], accepted()).leaves([servers()]),
        case("apex-beside-others").change([create(at_apex())], accepted()).leaves([at_apex()]),
        case("apex-of-a-delegation").change([create(below())], accepted()).leaves([below()]),
        case("apex-guarded")
            .change([delete(as_made(RecordType::Soa))], other("must contain exactly one SOA"))
            .change([delete(as_made(RecordType::Ns))], other("must contain at least one NS"))
            .change(
                [create(RecordSet { name: "sub.@".into(), ..low_soa() })],
                other("is not permitted in zone"),
            ),
    ]
}
