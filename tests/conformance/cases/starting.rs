//! Where a list begins: by name, by name and type, by all three, or by less than that.

use ecssd::record::RecordType;

use super::paging::five;
use crate::case::{Case, accepted, at, case, delete, srv};

const WEB: &str = "web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A";

fn begins(name: &'static str, start: (&str, Option<RecordType>, Option<&str>), shown: &str) -> Case {
    case(name).given(five()).list(at(start.0, start.1, start.2), 300, shown).leaves(five())
}

pub fn cases() -> Vec<Case> {
    by_name().into_iter().chain(by_more()).collect()
}

fn by_name() -> Vec<Case> {
    let all = "@ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A";
    vec![
        begins("start-at-a-name", ("web.@", None, None), WEB),
        begins("start-at-a-name-with-final-dot", ("web.@.", None, None), WEB),
        begins("start-at-a-name-that-is-not-there", ("nothing.@", None, None), WEB),
        begins("start-at-the-last-name", ("www.@", None, None), "www.@ A"),
        begins("start-at-the-apex", ("@", None, None), all),
        begins("start-before-the-zone", ("0", None, None), all),
        begins("start-beyond-the-end", ("zzz.@", None, None), "nothing"),
        begins("start-below-a-name", ("x.web.@", None, None), "www.@ A"),
        case("start-at-a-name-and-stop")
            .given(five())
            .list(at("web.@", None, None), 2, "web.@ SRV a, web.@ SRV b, next web.@ SRV c")
            .leaves(five()),
    ]
}

fn by_more() -> Vec<Case> {
    let srv_type = Some(RecordType::Srv);
    vec![
        begins("start-at-a-type", ("web.@", srv_type, None), WEB),
        begins("start-before-a-type", ("web.@", Some(RecordType::A), None), WEB),
        begins("start-after-a-type", ("web.@", Some(RecordType::Txt), None), "www.@ A"),
        begins(
            "start-between-the-types-of-the-apex",
            ("@", Some(RecordType::Soa), None),
            &format!("@ SOA, api.@ SRV x, {WEB}"),
        ),
        begins("start-at-an-identifier", ("web.@", srv_type, Some("b")), "web.@ SRV b, web.@ SRV c, www.@ A"),
        begins("start-between-identifiers", ("web.@", srv_type, Some("bb")), "web.@ SRV c, www.@ A"),
        begins("start-after-the-identifiers", ("web.@", srv_type, Some("d")), "www.@ A"),
        begins(
            "start-at-an-identifier-that-no-simple-set-has",
            ("www.@", Some(RecordType::A), Some("a")),
            "nothing",
        ),
        case("start-at-what-was-deleted-meanwhile")
            .given(five())
            .change([delete(srv("web", "b", 1))], accepted())
            .list(at("web.@", srv_type, Some("b")), 300, "web.@ SRV c, www.@ A")
            .leaves(five().into_iter().filter(|set| set.set_identifier.as_deref() != Some("b"))),
        case("start-with-less-than-it-takes")
            .given(five())
            .list_refused(at("", srv_type, None), "StartRecordType requires StartRecordName")
            .list_refused(at("web.@", None, Some("b")), "StartRecordIdentifier requires")
            .list_refused(at("", None, Some("b")), "StartRecordIdentifier requires")
            .leaves(five()),
    ]
}
