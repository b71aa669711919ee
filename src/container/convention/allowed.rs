//! Which names an operator lets containers have, as patterns.
//!
//! A pattern is a name relative to the zone: `_calc._tcp`. A label of it may be `*`: the first one then stands for one
//! label or more, as in a wildcard of DNS, so that `*.web` allows `_calc._tcp.web`; any other stands for exactly one.

use std::fmt;
use std::str::FromStr;

use super::NameError;
use super::name::check_labels;

/// How many patterns a refusal quotes.
const SHOWN_MAX: usize = 8;

/// The names that containers may have: one pattern or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedNames(Vec<Pattern>);

/// Lower case, valid label by label.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern(String);

/// What is no pattern, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} {reason}")]
pub struct InvalidPattern {
    /// As it was given.
    pattern: String,
    /// What is wrong with it.
    reason: PatternError,
}

/// Why a text is no pattern. Written to follow the pattern itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Two commas, or one at an end.
    #[error("is no name; patterns are separated by single commas, such as _calc._tcp,*.web")]
    Empty,
    /// It would not be relative.
    #[error("ends with a dot; patterns are relative to the zone, such as _calc._tcp")]
    Absolute,
    /// The zone's own name is put behind it anyway.
    #[error("has the zone in it; patterns are relative to {0}, such as _calc._tcp")]
    InZone(String),
    /// `_calc*`.
    #[error(
        "has a * within a label; a * is a whole one: the first stands for one label or more, another one for one, \
         such as *._tcp"
    )]
    PartOfLabel,
    /// No name could match it.
    #[error(transparent)]
    Label(NameError),
}

impl AllowedNames {
    /// Whether this lower-case name, relative to the zone, may be given.
    pub(super) fn contains(&self, relative: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(relative))
    }

    /// The same, where no pattern has the zone's own name at its end: names are compared without it, and such a pattern
    /// would allow nothing.
    ///
    /// # Errors
    /// The first pattern that has it.
    pub fn relative_to(self, zone: &str) -> Result<Self, InvalidPattern> {
        let in_zone = |Pattern(pattern): &&Pattern| {
            pattern.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        match self.0.iter().find(in_zone) {
            Some(Pattern(pattern)) => Err(InvalidPattern {
                pattern: pattern.clone(),
                reason: PatternError::InZone(zone.to_owned()),
            }),
            None => Ok(self),
        }
    }

    /// For whoever is told that a name is not among them: all, or the first few.
    pub(super) fn shown(&self) -> String {
        let shown = self.0.iter().take(SHOWN_MAX).map(|Pattern(pattern)| pattern.as_str());
        let shown = shown.collect::<Vec<_>>().join(", ");
        match self.0.len().saturating_sub(SHOWN_MAX) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }
}

impl Pattern {
    fn matches(&self, relative: &str) -> bool {
        let matches = |pattern: &str, name: &str| {
            let (mut pattern, mut name) = (pattern.split('.'), name.split('.'));
            loop {
                match (pattern.next(), name.next()) {
                    (None, None) => return true,
                    (Some(wanted), Some(label)) if wanted == "*" || wanted == label => {}
                    _ => return false,
                }
            }
        };
        match self.0.strip_prefix("*") {
            None => matches(&self.0, relative),
            Some("") => true,
            // The dot before what follows the `*` is one of those in the name: at least a label comes before it.
            Some(end) => {
                let end = &end[1..];
                let mut ends = relative.match_indices('.').map(|(at, _)| &relative[at + 1..]);
                ends.any(|rest| matches(end, rest))
            }
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pattern = text.to_ascii_lowercase();
        if pattern.is_empty() {
            return Err(PatternError::Empty);
        }
        if pattern.ends_with('.') {
            return Err(PatternError::Absolute);
        }
        if pattern.split('.').any(|label| label != "*" && label.contains('*')) {
            return Err(PatternError::PartOfLabel);
        }
        check_labels(&pattern.replace('*', "x")).map_err(PatternError::Label)?;
        Ok(Self(pattern))
    }
}

impl FromStr for AllowedNames {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pattern = |text: &str| {
            let text = text.trim();
            text.parse().map_err(|reason| InvalidPattern { pattern: text.to_owned(), reason })
        };
        text.split(',').map(pattern).collect::<Result<_, _>>().map(Self)
    }
}

/// As it may be given again.
impl fmt::Display for AllowedNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Pattern(pattern)) in self.0.iter().enumerate() {
            write!(f, "{}{pattern}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowed(text: &str) -> AllowedNames {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_is_one_label_or_more_where_it_comes_first_and_one_elsewhere() {
        for (pattern, names, others) in [
            (
                "_calc._tcp",
                &["_calc._tcp"][..],
                &["_calc._tcp.web", "a._calc._tcp", "_calc-all._tcp", "calc"][..],
            ),
            ("*.web", &["a.web", "_calc._tcp.web", "a.b.c.web"], &["web", "xweb", "a.xweb", "a.web.b"]),
            ("*._tcp", &["_calc._tcp", "a._calc._tcp"], &["_calc._udp", "_tcp", "_calc._tcp.web"]),
            ("_calc._tcp.*", &["_calc._tcp.web"], &["_calc._tcp", "_calc._tcp.a.b", "_web._tcp.a"]),
            ("_calc.*.web", &["_calc._tcp.web", "_calc._udp.web"], &["_calc.web", "_calc.a.b.web"]),
            ("*.*", &["a.b", "a.b.c"], &["a"]),
            ("*", &["a", "_calc._tcp", "a.b.c"], &[]),
            ("_A._TCP, B", &["_a._tcp", "b"], &["a", "_a._tcp,b"]),
        ] {
            let allowed = allowed(pattern);
            names.iter().for_each(|name| assert!(allowed.contains(name), "{pattern}: {name}"));
            others.iter().for_each(|name| assert!(!allowed.contains(name), "{pattern}: {name}"));
        }
    }

    #[test]
    fn what_could_match_no_name_is_no_pattern() {
        for (text, said) in [
            ("", "\"\" is no name; patterns are separated by single commas"),
            ("a,", "\"\" is no name"),
            ("a,,b", "\"\" is no name"),
            ("a.", "\"a.\" ends with a dot; patterns are relative to the zone"),
            (".a", "\".a\" has an empty label"),
            ("a..b", "\"a..b\" has an empty label"),
            ("_calc*", "\"_calc*\" has a * within a label"),
            ("_calc-*._tcp", "\"_calc-*._tcp\" has a * within a label"),
            ("**", "\"**\" has a * within a label"),
            ("a b", "\"a b\" has a space; labels take letters, digits, - and _"),
            ("a;b", "\"a;b\" has ;; labels take"),
            ("a\\052", "\"a\\\\052\" has \\\\; labels take"),
        ] {
            let error = text.parse::<AllowedNames>().unwrap_err().to_string();
            assert!(error.starts_with(said), "{text:?}: {error}");
        }
        assert!("a".repeat(64).parse::<AllowedNames>().is_err());
    }

    #[test]
    fn a_pattern_with_the_zone_in_it_is_refused_with_what_to_leave_out() {
        let refused =
            |text: &str| allowed(text).relative_to("sd.internal").map_err(|error| error.to_string());
        let said = "\"_calc._tcp.sd.internal\" has the zone in it; patterns are relative to sd.internal, such as _calc._tcp";
        assert_eq!(refused("a,_calc._tcp.SD.internal"), Err(said.to_owned()));
        assert!(refused("sd.internal").is_err() && refused("*.sd.internal").is_err());
        assert!(
            refused("_calc._tcp.xsd.internal").is_ok() && refused("*").is_ok() && refused("internal").is_ok()
        );
    }

    #[test]
    fn a_long_list_is_shown_by_its_first_few() {
        let list = (0..10).map(|n| format!("n{n}")).collect::<Vec<_>>();
        assert_eq!(allowed("*.a,B").shown(), "*.a, b");
        assert_eq!(allowed(&list.join(",")).shown(), "n0, n1, n2, n3, n4, n5, n6, n7 and 2 more");
    }

    /// A second opinion, which shares nothing with the matching: every pattern as the names of up to five labels that it
    /// stands for, label by label.
    fn is_meant(pattern: &str, name: &str) -> bool {
        let (pattern, name): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), name.split('.').collect());
        let Some(more) = name.len().checked_sub(pattern.len()) else { return false };
        let repeat = if pattern[0] == "*" {
            more
        } else if more == 0 {
            0
        } else {
            return false;
        };
        let spelt = std::iter::repeat_n("*", repeat).chain(pattern);
        spelt.zip(name).all(|(wanted, label)| wanted == "*" || wanted == label)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_name_is_allowed_where_a_pattern_stands_for_it(
            patterns in prop::collection::vec("(\\*|a|b)(\\.(\\*|a|b)){0,3}", 1..4),
            name in "(a|b)(\\.(a|b)){0,4}",
        ) {
            let meant = patterns.iter().any(|pattern| is_meant(pattern, &name));
            prop_assert_eq!(allowed(&patterns.join(",")).contains(&name), meant);
        }

        #[test]
        fn what_is_read_comes_back_from_its_text_and_nothing_panics(text in "[a-zA-Z*_., -]{0,24}", name in ".*") {
            if let Ok(allowed) = text.parse::<AllowedNames>() {
                allowed.contains(&name);
                prop_assert_eq!(allowed.to_string().parse(), Ok(allowed));
            }
        }
    }
}
