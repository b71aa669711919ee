//! Record sets in the shape of Prometheus' `http_sd_configs`. Pure.
//!
//! A target is what the SRV record points to, by name: it is what `dns_sd_configs` gives, so that a job keeps its
//! `instance` labels when it moves from one to the other; and Prometheus looks the address up at each scrape, so that a
//! host's new address needs no new answer.

use std::sync::Arc;

use crate::record::{Mark, RecordSet, Subject};

/// What is answered for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups {
    /// All its targets, in JSON.
    pub(super) json: Arc<str>,
    /// Whether there are none.
    pub(super) is_empty: bool,
}

/// The targets of these sets, all of one name of `zone`: a group for each set, with what its mark says.
pub(super) fn of<'a>(sets: impl IntoIterator<Item = &'a RecordSet>, zone: &str) -> Groups {
    let mut groups: Vec<_> =
        sets.into_iter().map(|set| Group::of(set, zone)).filter(|group| !group.targets.is_empty()).collect();
    groups.sort();
    let json = serde_json::to_string(&groups).unwrap_or_default();
    Groups { json: json.into(), is_empty: groups.is_empty() }
}

/// One set's targets.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
struct Group {
    targets: Vec<String>,
    labels: Labels,
}

/// What is not known has no label, which Prometheus takes as an empty one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
struct Labels {
    #[serde(rename = "__meta_ecssd_host", skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(rename = "__meta_ecssd_container", skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    #[serde(rename = "__meta_ecssd_weight", skip_serializing_if = "Option::is_none")]
    weight: Option<String>,
}

impl Group {
    fn of(set: &RecordSet, zone: &str) -> Self {
        // An empty target says that there is no such service.
        let values = set.srv_values().filter(|srv| !srv.target.is_empty());
        let mark = Mark::of(set, zone);
        let container = mark.as_ref().and_then(|mark| match &mark.subject {
            Subject::Service(id, _) => Some(id.to_string()),
            _ => None,
        });
        Self {
            targets: values.map(|srv| format!("{}:{}", srv.target, srv.port)).collect(),
            labels: Labels {
                host: mark.map(|mark| mark.owner.to_string()),
                container,
                weight: set.weight().map(|weight| weight.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::HEX;
    use crate::record::{RecordType, Routing};

    fn set(identifier: &str, routing: Routing, values: &[&str]) -> RecordSet {
        RecordSet {
            name: "_calc._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some(identifier.into()),
            routing,
            ttl: 0,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    #[test]
    fn a_set_is_a_group_with_what_its_mark_says() {
        let marked = format!("i-0a:{HEX}:80");
        let sets = [
            set(&marked, Routing::Weighted(0), &["1 1 32768 i-0a.sd.internal"]),
            set("by hand", Routing::Multivalue, &["1 1 80 a.example.", "1 1 81 b.example"]),
            set("nobody", Routing::Simple, &["0 0 0 ."]),
            set("broken", Routing::Simple, &["x"]),
        ];
        let groups = of(&sets, "sd.internal");
        let ours = format!(
            r#"{{"targets":["i-0a.sd.internal:32768"],"labels":{{"__meta_ecssd_host":"i-0a","__meta_ecssd_container":"{HEX}","__meta_ecssd_weight":"0"}}}}"#
        );
        assert_eq!(
            &*groups.json,
            format!(r#"[{{"targets":["a.example:80","b.example:81"],"labels":{{}}}},{ours}]"#)
        );
        assert!(!groups.is_empty);
    }

    #[test]
    fn a_name_that_nobody_has_has_no_targets() {
        assert_eq!(of(&[], "sd.internal"), Groups { json: "[]".into(), is_empty: true });
    }
}
