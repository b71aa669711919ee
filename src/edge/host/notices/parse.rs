//! The words of the sources, understood. Pure.

use serde::Deserialize;

use crate::container::Timestamp;
use crate::machine::departure::Said;

/// Words of a source that say nothing that is known here.
#[derive(Debug, thiserror::Error)]
pub enum OddNotice {
    /// They are not the JSON that they should be.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Something other than the end of an instance is announced.
    #[error("it announces {0:?}, which is not known here")]
    Action(String),
    /// A scaling group has another state for it.
    #[error("{0:?} is a state that is not known here")]
    State(String),
    /// A service manager says something else than a system's state.
    #[error("{0:?} is no answer")]
    NoAnswer(String),
    /// A time is none.
    #[error("{0:?} is no time such as 2026-11-25T08:22:00Z")]
    Time(String),
}

/// `spot/instance-action`: `{"action": "terminate", "time": "2026-11-25T08:22:00Z"}`.
/// Source: EC2 user guide, "Spot Instance interruption notices".
///
/// # Errors
/// What is odd about it.
pub fn spot(json: &str) -> Result<Said, OddNotice> {
    #[derive(Deserialize)]
    struct Action {
        action: String,
        time: String,
    }
    let Action { action, time } = serde_json::from_str(json)?;
    if !["terminate", "stop", "hibernate"].contains(&action.as_str()) {
        return Err(OddNotice::Action(action));
    }
    let at = moment(&time)?;
    Ok(Said::HostEnds { what: format!("spot interruption ({action}) at {time}"), at: Some(at) })
}

/// `events/recommendations/rebalance`: `{"noticeTime": "2026-11-25T08:22:00Z"}`.
/// Source: EC2 user guide, "EC2 instance rebalance recommendations".
///
/// # Errors
/// What is odd about it.
pub fn rebalance(json: &str) -> Result<Said, OddNotice> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Recommendation {
        notice_time: String,
    }
    let Recommendation { notice_time } = serde_json::from_str(json)?;
    moment(&notice_time)?;
    // It stops nothing by itself: it may come hours before an interruption, or without one, and to most of a
    // group at once. Whoever acts on it does so by scaling in or by draining, and those are notices of their
    // own. Taking the traffic off on its word alone would take it off hosts that stay.
    Ok(Said::Advice(format!("a rebalance is recommended since {notice_time}")))
}

/// `autoscaling/target-lifecycle-state`: `InService`, `Terminated` and others.
/// Source: EC2 Auto Scaling user guide, "Retrieve the target lifecycle state through instance metadata".
///
/// # Errors
/// What is odd about it.
pub fn lifecycle(text: &str) -> Result<Said, OddNotice> {
    match text {
        "InService" | "Standby" | "Detached" | "Warmed:Running" => Ok(Said::Nothing),
        // A warm pool's instance is stopped, hibernated or ended in it.
        "Terminated" | "Warmed:Terminated" | "Warmed:Stopped" | "Warmed:Hibernated" => {
            Ok(Said::HostEnds { what: format!("its scaling group takes it to {text}"), at: None })
        }
        other => Err(OddNotice::State(other.to_owned())),
    }
}

/// Whether a task belongs to a service: when its container instance drains, ECS stops those, and lets
/// others run on. Source: ECS API reference, Task (`group`, `startedBy`) and "Draining Amazon ECS container
/// instances".
pub fn of_a_service(started_by: Option<&str>, group: Option<&str>) -> bool {
    started_by.is_some_and(|text| text.starts_with("ecs-svc/"))
        || group.is_some_and(|text| text.starts_with("service:"))
}

/// What the service manager says of its system. Source: systemctl(1), "is-system-running".
///
/// # Errors
/// What is no state of a system: it could not be asked, or was ended before it had an answer.
pub fn system(text: &str) -> Result<Said, OddNotice> {
    match text.trim() {
        "stopping" => Ok(system_ends()),
        "initializing" | "starting" | "running" | "degraded" | "maintenance" | "offline" => Ok(Said::Nothing),
        // "unknown" is its word for a manager that did not answer.
        other => Err(OddNotice::NoAnswer(other.to_owned())),
    }
}

/// The system goes down.
pub fn system_ends() -> Said {
    Said::HostEnds { what: "the system goes down".to_owned(), at: None }
}

fn moment(text: &str) -> Result<Timestamp, OddNotice> {
    Timestamp::from_docker(text).ok().flatten().ok_or_else(|| OddNotice::Time(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_spot_notice_says_what_and_when() {
        for action in ["terminate", "stop", "hibernate"] {
            let json = format!(r#"{{"action": "{action}", "time": "2026-11-25T08:22:00Z"}}"#);
            let Ok(Said::HostEnds { what, at: Some(at) }) = spot(&json) else { panic!("{json}") };
            assert!(what.contains(action) && what.contains("2026-11-25"), "{what}");
            assert_eq!(at, moment("2026-11-25T08:22:00Z").unwrap());
        }
        for odd in [
            "",
            "{}",
            "<html>",
            r#"{"action": "dance", "time": "2026-11-25T08:22:00Z"}"#,
            r#"{"action": "stop", "time": "soon"}"#,
            r#"{"action": "stop", "time": ""}"#,
        ] {
            assert!(spot(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_recommendation_is_advice() {
        let said = rebalance(r#"{"noticeTime":"2026-11-25T08:22:00Z"}"#);
        assert!(matches!(said, Ok(Said::Advice(text)) if text.contains("2026-11-25")));
        assert!(rebalance("{}").is_err());
    }

    #[test]
    fn a_scaling_group_takes_a_host_out_of_service() {
        let ends = |text| lifecycle(text).unwrap() != Said::Nothing;
        assert_eq!(["InService", "Standby", "Warmed:Running"].map(ends), [false, false, false]);
        assert_eq!(["Terminated", "Warmed:Stopped"].map(ends), [true, true]);
        assert!(lifecycle("<html>").is_err());
    }

    #[test]
    fn tasks_of_services_are_told_from_standalone_ones() {
        assert!(of_a_service(Some("ecs-svc/0123456789"), Some("service:web")));
        assert!(of_a_service(None, Some("service:web")));
        assert!(of_a_service(Some("ecs-svc/0123456789"), None));
        assert!(!of_a_service(Some("alice"), Some("family:batch")));
        assert!(!of_a_service(None, None));
    }

    #[test]
    fn a_system_that_stops_ends_and_what_is_no_state_is_no_answer() {
        assert!(matches!(system("stopping\n"), Ok(Said::HostEnds { at: None, .. })));
        for other in ["running", "degraded\n", "maintenance", "offline", "starting", "initializing"] {
            assert_eq!(system(other).unwrap(), Said::Nothing, "{other}");
        }
        for odd in ["", "unknown\n", "stop", "Failed to connect to bus"] {
            assert!(system(odd).is_err(), "{odd}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            let _ = (spot(&text), rebalance(&text), lifecycle(&text), system(&text));
        }
    }
}
