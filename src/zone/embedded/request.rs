//! A batch as a request: what can be refused without looking at the zone.
//!
//! A malformed request is `InvalidInput`; one over a batch's limits, or with a value that is none, is
//! `InvalidChangeBatch`. Whether a change fits what the zone holds is asked in [`super::contents`].

use std::collections::BTreeSet;

use super::limits::{
    BATCH_RECORDS_MAX, BATCH_VALUE_CHARS_MAX, SET_IDENTIFIER_CHARS_MAX, SET_VALUES_MAX, TTL_SECONDS_MAX,
    WEIGHT_MAX,
};
use super::{refusal, value};
use crate::record::{Action, Change, RecordSet, Routing};
use crate::zone::refusal::Refusal;

/// Why a request is not well formed; the texts of `InvalidInput`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// It asks for nothing.
    #[error(
        "1 validation error detected: Value '[]' at 'changeBatch.changes' failed to satisfy constraint: Member must have length greater than or equal to 1"
    )]
    Empty,
    /// Members of it are not as they must be.
    #[error("{}", .0.join("; "))]
    Members(Vec<String>),
}

/// Whether the request is well formed. All faults come in one text.
///
/// # Errors
///
/// What `InvalidInput` says.
pub(super) fn check_shape(batch: &[Change]) -> Result<(), Malformed> {
    if batch.is_empty() {
        return Err(Malformed::Empty);
    }
    let faults: Vec<String> =
        batch.iter().enumerate().flat_map(|(index, change)| shape_faults(index, change)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Malformed::Members(faults)) }
}

fn shape_faults(index: usize, change: &Change) -> Vec<String> {
    let set = &change.set;
    let mut faults = Vec::new();
    let mut outside = |value: String, member, rule: String| {
        faults.push(refusal::constraint(&value, index, member, &rule));
    };
    if let Some(weight) = set.weight().filter(|weight| !(0..=WEIGHT_MAX).contains(weight)) {
        outside(weight.to_string(), "weight", format!("value between 0 and {WEIGHT_MAX}"));
    }
    if !(0..=TTL_SECONDS_MAX).contains(&set.ttl) {
        outside(set.ttl.to_string(), "tTL", format!("value between 0 and {TTL_SECONDS_MAX}"));
    }
    if let Some(id) = &set.set_identifier
        && !(1..=SET_IDENTIFIER_CHARS_MAX).contains(&id.chars().count())
    {
        let rule = format!("length between 1 and {SET_IDENTIFIER_CHARS_MAX}");
        outside(id.clone(), "setIdentifier", rule);
    }
    if set.values.is_empty() {
        faults.push(refusal::values_missing(change));
    }
    match (set.routing, &set.set_identifier) {
        (Routing::Simple, None) | (Routing::Weighted(_) | Routing::Multivalue, Some(_)) => {}
        (Routing::Simple, Some(_)) => faults.push(refusal::policy_missing(change)),
        (Routing::Weighted(_) | Routing::Multivalue, None) => {
            faults.push(refusal::identifier_missing(change))
        }
    }
    faults
}

/// Whether the batch is within the limits of one call.
///
/// # Errors
///
/// One refusal for each limit that it is over.
pub(super) fn check_limits(batch: &[Change]) -> Result<(), Vec<Refusal>> {
    let cost = |change: &Change| if change.action == Action::Upsert { 2 } else { 1 };
    let records: usize = batch.iter().map(|change| cost(change) * change.set.values.len()).sum();
    let characters: usize = batch
        .iter()
        .map(|change| {
            cost(change) * change.set.values.iter().map(|value| value.chars().count()).sum::<usize>()
        })
        .sum();
    let mut reasons = Vec::new();
    if records > BATCH_RECORDS_MAX {
        reasons.push(refusal::too_many_records());
    }
    if characters > BATCH_VALUE_CHARS_MAX {
        reasons.push(refusal::too_many_characters());
    }
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

/// What is wrong with the values of one set; nothing, if all is well.
pub(super) fn value_faults(set: &RecordSet) -> Vec<Refusal> {
    let malformed = set.values.iter().filter_map(|value| value::parse(set.kind, value).err());
    let mut faults: Vec<Refusal> = malformed.map(|fault| Refusal::unnamed(fault.to_string())).collect();
    let mut seen = BTreeSet::new();
    faults.extend(set.values.iter().filter(|value| !seen.insert(*value)).map(|v| refusal::value_twice(v)));
    if set.values.len() > SET_VALUES_MAX {
        faults.push(refusal::too_many_values());
    } else if set.routing == Routing::Multivalue && set.values.len() > 1 {
        faults.push(refusal::one_value());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordType;

    fn srv(id: &str) -> Change {
        let set = RecordSet {
            name: "web.sd.internal".to_owned(),
            kind: RecordType::Srv,
            set_identifier: Some(id.to_owned()),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec!["1 1 80 a.sd.internal".to_owned()],
        };
        Change { action: Action::Create, set }
    }

    fn fault(spoil: impl Fn(&mut RecordSet)) -> String {
        let mut change = srv("a");
        spoil(&mut change.set);
        check_shape(&[srv("b"), change]).unwrap_err().to_string()
    }

    #[test]
    fn refuses_an_empty_batch() {
        let empty = check_shape(&[]).unwrap_err();
        assert_eq!(empty, Malformed::Empty);
        assert!(empty.to_string().contains("'changeBatch.changes'"));
        assert_eq!(check_shape(&[srv("a")]), Ok(()));
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        assert!(
            fault(|set| set.routing = Routing::Weighted(256))
                .contains("Value '256' at 'changeBatch.changes.2.")
        );
        assert!(fault(|set| set.routing = Routing::Weighted(-1)).contains("Value '-1'"));
        assert!(fault(|set| set.ttl = -1).contains("Value '-1'"));
        assert!(fault(|set| set.ttl = 2_147_483_648).contains("Value '2147483648'"));
        assert!(fault(|set| set.set_identifier = Some("x".repeat(129))).contains("setIdentifier"));
        assert!(fault(|set| set.set_identifier = Some(String::new())).contains("setIdentifier"));
        let mut edge = srv(&"x".repeat(128));
        (edge.set.ttl, edge.set.routing) = (TTL_SECONDS_MAX, Routing::Weighted(255));
        assert_eq!(check_shape(&[edge]), Ok(()));
    }

    #[test]
    fn refuses_a_policy_without_identifier_and_the_other_way_round() {
        assert_eq!(
            fault(|set| set.set_identifier = None),
            "Invalid request: Missing field 'SetIdentifier' in Change with [Action=CREATE, Name=web.sd.internal, Type=SRV, SetIdentifier=null]"
        );
        assert!(fault(|set| set.routing = Routing::Simple).contains("but found none in"));
        assert!(fault(|set| set.values.clear()).contains("[AliasTarget, all of [TTL"));
    }

    #[test]
    fn counts_values_and_characters_and_upserts_twice() {
        let many = |action, sets: usize, values: usize| {
            let mut change = srv("a");
            change.action = action;
            change.set.values = vec!["x".to_owned(); values];
            vec![change; sets]
        };
        assert_eq!(check_limits(&many(Action::Create, 1_000, 1)), Ok(()));
        assert_eq!(check_limits(&many(Action::Upsert, 500, 1)), Ok(()));
        let records = Err(vec![Refusal::unnamed("Number of records limit of 1000 exceeded.")]);
        assert_eq!(check_limits(&many(Action::Delete, 1_001, 1)), records);
        assert_eq!(check_limits(&many(Action::Create, 4, 251)), records);
        assert_eq!(check_limits(&many(Action::Upsert, 501, 1)), records);

        let long = |action, characters| {
            let mut change = srv("a");
            change.action = action;
            change.set.values = vec!["x".repeat(characters)];
            [change]
        };
        let characters = Err(vec![Refusal::unnamed("RDATA character limit of 32000 exceeded.")]);
        assert_eq!(check_limits(&long(Action::Create, 32_000)), Ok(()));
        assert_eq!(check_limits(&long(Action::Create, 32_001)), characters);
        assert_eq!(check_limits(&long(Action::Upsert, 16_000)), Ok(()));
        assert_eq!(check_limits(&long(Action::Upsert, 16_001)), characters);
    }

    #[test]
    fn refuses_a_value_that_comes_twice_or_too_many() {
        let mut set = srv("a").set;
        set.kind = RecordType::A;
        set.values = vec!["10.0.0.1".to_owned(), "10.0.0.1".to_owned()];
        assert_eq!(value_faults(&set), [Refusal::unnamed("Duplicate Resource Record: '10.0.0.1'")]);
        set.values = (0..401).map(|n| format!("10.0.{}.{}", n / 256, n % 256)).collect();
        assert_eq!(value_faults(&set), [Refusal::unnamed("Cannot have more than 400 records in a RRSet.")]);
        set.values.pop();
        assert_eq!(value_faults(&set), []);
    }
}
