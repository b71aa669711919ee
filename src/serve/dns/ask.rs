//! A question to the zone from within, and the answer as `dig` shows it: for whoever has no `dig` at hand.

use fastrand::Rng;
use hickory_server::proto::op::{Query, ResponseCode};
use hickory_server::proto::rr::{Name, Record, RecordType};

use super::answer::answer;
use crate::zone::Zone;
use crate::zone::embedded::EmbeddedZone;

/// The answer to a question for `name` and this type of record. A name that does not end as the zone's is taken as one
/// in it. Every call may draw other sets of a group, as for any client.
pub fn ask(zone: &EmbeddedZone, name: &str, kind: &str) -> String {
    let Ok(kind) = kind.to_ascii_uppercase().parse::<RecordType>() else {
        return format!("; {kind:?} is no type of record such as SRV or A\n");
    };
    let Some(name) = in_zone(name, zone.name()) else {
        return format!("; {name:?} is no name\n");
    };
    let query = Query::query(name, kind);
    let answer = zone.view_for_client(|contents| answer(contents, &query, &mut Rng::new()));
    let Some(answer) = answer else { return "; the zone is drained, and answers nobody\n".to_owned() };
    let mut text = format!("; {} {kind}: {}\n", query.name(), words(answer.code));
    let lines = |records: &[Record]| records.iter().map(|record| format!("{record}\n")).collect::<String>();
    text.push_str(&lines(&answer.answers));
    if !answer.additionals.is_empty() {
        text.push_str("; and\n");
        text.push_str(&lines(&answer.additionals));
    }
    text
}

/// All that the zone has, a line each.
pub fn list(zone: &EmbeddedZone) -> String {
    zone.snapshot().iter().map(|set| format!("{set}\n")).collect()
}

fn in_zone(name: &str, zone: &str) -> Option<Name> {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_whole = name == zone || name.ends_with(&format!(".{zone}"));
    let whole = match (name.as_str(), is_whole) {
        ("" | "@", _) => zone.to_owned(),
        (_, true) => name,
        (_, false) => format!("{name}.{zone}"),
    };
    Name::from_ascii(format!("{whole}.")).ok()
}

fn words(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::NoError => "answered",
        ResponseCode::NXDomain => "there is no such name",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::embedded::Options;
    use crate::zone::embedded::testing::{a, change, srv};

    fn zone() -> EmbeddedZone {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let batch = [srv("_web._tcp", "a", 1), a("i-a", &["10.0.0.7"])].map(change);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(zone.change(&batch)).unwrap();
        zone
    }

    #[test]
    fn answers_as_dig_would_whether_the_zone_is_named_or_not() {
        let zone = zone();
        for name in ["_web._tcp", "_WEB._tcp.sd.internal", " _web._tcp.sd.internal. "] {
            let text = ask(&zone, name, "srv");
            assert!(
                text.starts_with("; _web._tcp.sd.internal. SRV: answered\n_web._tcp.sd.internal. 0 IN SRV "),
                "{text}"
            );
        }
        let text = ask(&zone, "i-a", "A");
        assert!(text.contains("i-a.sd.internal. ") && text.contains(" IN A 10.0.0.7\n"), "{text}");
        assert!(list(&zone).contains("_web._tcp.sd.internal. 0 IN SRV "), "{}", list(&zone));
    }

    #[test]
    fn says_what_is_no_question_and_what_there_is_not() {
        let zone = zone();
        assert_eq!(ask(&zone, "_none._tcp", "SRV"), "; _none._tcp.sd.internal. SRV: there is no such name\n");
        assert_eq!(ask(&zone, "_web._tcp", "A"), "; _web._tcp.sd.internal. A: answered\n");
        assert_eq!(
            ask(&zone, "_web._tcp", "NONSENSE"),
            "; \"NONSENSE\" is no type of record such as SRV or A\n"
        );
        assert!(ask(&zone, &"x".repeat(300), "A").ends_with(" is no name\n"));
        zone.drain();
        assert_eq!(ask(&zone, "_web._tcp", "SRV"), "; the zone is drained, and answers nobody\n");
    }
}
