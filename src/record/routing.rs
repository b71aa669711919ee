//! How a record set shares its name and type with others.

use std::fmt;

/// The routing policies that this system reads and writes.
///
/// In JSON it is the API's two members, of which at most one is there: `weight`, or `multivalue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Members", into = "Members")]
pub enum Routing {
    /// Neither of the others: the set stands alone. One with an identifier is routed by what this system
    /// writes nothing of, such as latency, place or failover.
    Simple,
    /// One set of the group answers a query: by its share, 0 to 255.
    Weighted(i64),
    /// The whole group answers a query, or as much of it as the registry gives.
    Multivalue,
}

impl Routing {
    /// The policy in the API's members, of which at most one is given. `None` where both are.
    pub fn of_members(weight: Option<i64>, multivalue: bool) -> Option<Self> {
        match (weight, multivalue) {
            (None, false) => Some(Self::Simple),
            (Some(weight), false) => Some(Self::Weighted(weight)),
            (None, true) => Some(Self::Multivalue),
            (Some(_), true) => None,
        }
    }

    /// The share of a weighted set.
    pub fn weight(self) -> Option<i64> {
        if let Self::Weighted(weight) = self { Some(weight) } else { None }
    }

    /// Whether both are one policy, whatever their shares.
    pub fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple => f.write_str("simple"),
            Self::Weighted(weight) => write!(f, "weight {weight}"),
            Self::Multivalue => f.write_str("multivalue"),
        }
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Members {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    multivalue: bool,
}

impl From<Routing> for Members {
    fn from(routing: Routing) -> Self {
        Self { weight: routing.weight(), multivalue: routing == Routing::Multivalue }
    }
}

impl TryFrom<Members> for Routing {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, Self::Error> {
        Self::of_members(members.weight, members.multivalue)
            .ok_or("a set has a weight or is multivalue, not both")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordSet, RecordType};

    #[test]
    fn stands_in_a_set_as_the_members_that_it_always_had() {
        let set = |routing, set_identifier: Option<&str>| RecordSet {
            name: "web.sd.internal".into(),
            kind: RecordType::A,
            set_identifier: set_identifier.map(str::to_owned),
            routing,
            ttl: 0,
            values: vec!["10.0.0.7".into()],
        };
        for (set, json) in [
            (set(Routing::Simple, None), r#""ttl":0"#),
            (set(Routing::Weighted(0), Some("a")), r#""set_identifier":"a","weight":0,"ttl":0"#),
            (set(Routing::Multivalue, Some("a")), r#""set_identifier":"a","multivalue":true,"ttl":0"#),
        ] {
            let json = format!(r#"{{"name":"web.sd.internal","kind":"A",{json},"values":["10.0.0.7"]}}"#);
            assert_eq!(serde_json::to_string(&set).unwrap(), json);
            assert_eq!(serde_json::from_str::<RecordSet>(&json).unwrap(), set);
        }
        let both = r#"{"name":"a","kind":"A","weight":1,"multivalue":true,"ttl":0,"values":[]}"#;
        let refused = serde_json::from_str::<RecordSet>(both).unwrap_err().to_string();
        assert!(refused.starts_with("a set has a weight or is multivalue, not both"), "{refused}");
    }

    #[test]
    fn tells_policies_apart_and_not_shares() {
        let all = [Routing::Simple, Routing::Weighted(1), Routing::Multivalue];
        for (index, one) in all.iter().enumerate() {
            for (other_index, other) in all.iter().enumerate() {
                assert_eq!(one.is_like(*other), index == other_index, "{one}, {other}");
            }
        }
        assert!(Routing::Weighted(0).is_like(Routing::Weighted(255)));
    }
}
