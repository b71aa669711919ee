//! CREATE and UPSERT of one set: what is new, what exists, and what tells sets apart.

use ecssd::record::RecordType;

use crate::case::{Case, a, accepted, case, create, delete, exists, multivalue, simple, srv, upsert, with};

pub fn cases() -> Vec<Case> {
    creates().into_iter().chain(keys()).chain(upserts()).collect()
}

fn creates() -> Vec<Case> {
    let text = || simple("note.@", RecordType::Txt, &[r#""a <b> & \"c\"" "d""#]);
    let v6 = || simple("www.@", RecordType::Aaaa, &["2001:db8::1"]);
    let alias = || simple("old.@", RecordType::Cname, &["www.example."]);
    vec![
        case("create-weighted").change([create(srv("web", "a", 1))], accepted()).leaves([srv("web", "a", 1)]),
        case("create-simple")
            .change([create(a("www", "10.0.0.1"))], accepted())
            .leaves([a("www", "10.0.0.1")]),
        case("create-multivalue")
            .change([create(multivalue("www", "a", "10.0.0.1"))], accepted())
            .leaves([multivalue("www", "a", "10.0.0.1")]),
        case("create-other-types")
            .change([create(v6()), create(text()), create(alias())], accepted())
            .leaves([text(), alias(), v6()]),
        case("create-what-exists")
            .given([srv("web", "a", 1)])
            .change([create(srv("web", "a", 1))], exists())
            .leaves([srv("web", "a", 1)]),
        case("create-with-another-value")
            .given([srv("web", "a", 1)])
            .change([create(with(srv("web", "a", 1), |set| set.values = vec!["1 1 81 b.".into()]))], exists())
            .leaves([srv("web", "a", 1)]),
        case("create-with-another-weight")
            .given([srv("web", "a", 1)])
            .change([create(srv("web", "a", 2))], exists())
            .leaves([srv("web", "a", 1)]),
        case("create-simple-that-exists")
            .given([a("www", "10.0.0.1")])
            .change([create(a("www", "10.0.0.2"))], exists())
            .leaves([a("www", "10.0.0.1")]),
        case("create-after-delete")
            .given([srv("web", "a", 1)])
            .change([delete(srv("web", "a", 1))], accepted())
            .change([create(srv("web", "a", 2))], accepted())
            .leaves([srv("web", "a", 2)]),
        // The API reference allows a weighted set one value; the service takes more
        // (hashicorp/terraform-provider-aws#20006).
        case("create-two-values-in-one-set")
            .change(
                [create(with(srv("web", "a", 1), |set| set.values.push("1 1 70 b.example".into())))],
                accepted(),
            )
            .leaves([with(srv("web", "a", 1), |set| set.values.push("1 1 70 b.example".into()))]),
    ]
}

fn keys() -> Vec<Case> {
    let address = || {
        with(srv("web", "a", 1), |set| {
            set.kind = RecordType::A;
            set.values = vec!["10.0.0.1".into()];
        })
    };
    vec![
        case("key-by-identifier")
            .given([srv("web", "a", 1)])
            .change([create(srv("web", "b", 1))], accepted())
            .leaves([srv("web", "a", 1), srv("web", "b", 1)]),
        case("key-by-type")
            .given([srv("web", "a", 1)])
            .change([create(address())], accepted())
            .leaves([address(), srv("web", "a", 1)]),
        case("key-by-name")
            .given([srv("web", "a", 1)])
            .change([create(srv("api", "a", 1))], accepted())
            .leaves([srv("api", "a", 1), srv("web", "a", 1)]),
        case("key-by-case-of-identifier")
            .given([srv("web", "a", 1)])
            .change([create(srv("web", "A", 1))], accepted())
            .leaves([srv("web", "A", 1), srv("web", "a", 1)]),
        case("key-with-odd-characters")
            .change(
                [create(with(srv("web", "a", 1), |set| set.set_identifier = Some("i-0/a:1 <&> '\"".into())))],
                accepted(),
            )
            .leaves([with(srv("web", "a", 1), |set| set.set_identifier = Some("i-0/a:1 <&> '\"".into()))]),
    ]
}

fn upserts() -> Vec<Case> {
    let moved = || with(srv("web", "a", 1), |set| set.values = vec!["1 1 81 b.example".into()]);
    let slower = || with(a("www", "10.0.0.1"), |set| set.ttl = 60);
    vec![
        case("upsert-what-is-new")
            .change([upsert(srv("web", "a", 1))], accepted())
            .leaves([srv("web", "a", 1)]),
        case("upsert-another-weight")
            .given([srv("web", "a", 1)])
            .change([upsert(srv("web", "a", 0))], accepted())
            .leaves([srv("web", "a", 0)]),
        case("upsert-another-value")
            .given([srv("web", "a", 1)])
            .change([upsert(moved())], accepted())
            .leaves([moved()]),
        case("upsert-another-ttl")
            .given([a("www", "10.0.0.1")])
            .change([upsert(slower())], accepted())
            .leaves([slower()]),
        case("upsert-the-same")
            .given([srv("web", "a", 1)])
            .change([upsert(srv("web", "a", 1))], accepted())
            .leaves([srv("web", "a", 1)]),
        case("upsert-one-of-two")
            .given([srv("web", "a", 1), srv("web", "b", 1)])
            .change([upsert(srv("web", "b", 9))], accepted())
            .leaves([srv("web", "a", 1), srv("web", "b", 9)]),
    ]
}
