//! Short hands for the tests of this room: sets under `sd.internal`, and changes of them.

use crate::record::{Action, Change, RecordSet, RecordType, Routing};

fn simple(label: &str, kind: RecordType, values: &[&str]) -> RecordSet {
    RecordSet {
        name: format!("{label}.sd.internal"),
        kind,
        set_identifier: None,
        routing: Routing::Simple,
        ttl: 0,
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

pub(crate) fn a(label: &str, values: &[&str]) -> RecordSet {
    simple(label, RecordType::A, values)
}

pub(crate) fn cname(label: &str, target: &str) -> RecordSet {
    simple(label, RecordType::Cname, &[target])
}

pub(crate) fn srv(label: &str, id: &str, weight: i64) -> RecordSet {
    let value = format!("1 1 80 i-{id}.sd.internal");
    let simple = simple(label, RecordType::Srv, &[&value]);
    RecordSet { set_identifier: Some(id.to_owned()), routing: Routing::Weighted(weight), ..simple }
}

pub(crate) fn multivalue(label: &str, id: &str, address: &str) -> RecordSet {
    let simple = simple(label, RecordType::A, &[address]);
    RecordSet { set_identifier: Some(id.to_owned()), routing: Routing::Multivalue, ..simple }
}

pub(crate) fn change(set: RecordSet) -> Change {
    Change { action: Action::Create, set }
}

pub(crate) fn delete(set: RecordSet) -> Change {
    Change { action: Action::Delete, set }
}

pub(crate) fn upsert(set: RecordSet) -> Change {
    Change { action: Action::Upsert, set }
}
