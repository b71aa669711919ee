//! Which name of the zone somebody means.

use crate::container::convention::{NameError, Scope, ServiceName};

/// Why there can be no targets of a name. Written to follow the name itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotOfZone {
    /// No container can have it.
    #[error(transparent)]
    Bad(#[from] NameError),
    /// It may be a name of another zone.
    #[error("is not inside the zone {0}; only a name such as _calc._tcp is taken without its zone")]
    Elsewhere(String),
}

/// The whole name, as it stands in the zone: by the grammar of what containers are called. A short one is taken as one
/// in the zone where it ends as services do, so that a whole name of another zone is not.
pub(super) fn whole(text: &str, scope: &Scope) -> Result<String, NotOfZone> {
    let text = text.trim();
    let (name, _) = ServiceName::parse(text, scope)?;
    let name = name.as_str();
    let is_whole = text.trim_end_matches('.').eq_ignore_ascii_case(name);
    let is_short = match text.rsplit_once('.') {
        Some((_, last)) => ["_tcp", "_udp"].iter().any(|protocol| last.eq_ignore_ascii_case(protocol)),
        None => true,
    };
    if is_whole || is_short {
        Ok(name.to_owned())
    } else {
        Err(NotOfZone::Elsewhere(scope.zone().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        whole(text, &Scope::new("sd.internal", "web1")).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn a_name_is_whole_or_short() {
        for text in ["_calc._tcp", " _CALC._TCP ", "_calc._tcp.sd.internal", "_Calc._tcp.SD.internal."] {
            assert_eq!(said(text), "_calc._tcp.sd.internal", "{text}");
        }
        assert_eq!(said("calc"), "calc.sd.internal");
        assert_eq!(said("_calc._tcp.prod.sd.internal"), "_calc._tcp.prod.sd.internal");
    }

    #[test]
    fn what_lies_elsewhere_is_refused_with_the_reason() {
        let elsewhere = "is not inside the zone sd.internal";
        for text in
            ["_calc._tcp.", "_calc._tcp.other.internal.", "_calc._tcp.xsd.internal", "_calc._tcp.prod"]
        {
            assert!(said(text).starts_with(elsewhere), "{text}: {}", said(text));
        }
        for (text, reason) in [
            ("", "is not a name"),
            ("sd.internal", "is the zone itself"),
            ("_a b._tcp", "has a space; labels take letters, digits, - and _"),
            ("*._tcp", "is a wildcard"),
        ] {
            assert_eq!(said(text), reason, "{text:?}");
        }
        assert!(said(&"x".repeat(300)).contains("octets"), "{}", said(&"x".repeat(300)));
    }
}
