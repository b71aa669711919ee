//! How each record stands: what is desired beside what is observed, and whose it is.

use std::collections::{BTreeMap, BTreeSet};

use super::Seen;
use crate::container::convention::{Answer, Service};
use crate::reconcile::ledger::Row;
use crate::record::{ContainerId, Key, RecordSet, Registrant, Subject};
use crate::status::schema::{Record, RecordState};

/// The records of this host, each until it is taken by whomever it belongs to.
#[derive(Default)]
pub(super) struct Records {
    /// By the container's port, which a record of an address does not name: all ports that share its name share it.
    of_services: BTreeMap<(ContainerId, Option<u16>, String), Record>,
    shown: BTreeSet<(ContainerId, Option<u16>, String)>,
    of_containers: BTreeMap<ContainerId, Vec<Record>>,
    of_nobody: Vec<Record>,
}

impl Records {
    pub(super) fn of(registrant: &Registrant, seen: &Seen) -> Self {
        let mut records = Self {
            of_services: BTreeMap::new(),
            shown: BTreeSet::new(),
            of_containers: BTreeMap::new(),
            of_nobody: Vec::new(),
        };
        for row in seen.writer.iter().flat_map(|writer| &writer.rows) {
            let record = record(row, seen);
            match row.desired.as_ref().or(row.observed.as_ref()).and_then(|set| registrant.subject(set)) {
                Some(Subject::Service(id, port)) => {
                    records.of_services.insert((id, Some(port), row.key.name.clone()), record);
                }
                Some(Subject::ServiceAddress(id)) => {
                    records.of_services.insert((id, None, row.key.name.clone()), record);
                }
                Some(Subject::Container(id)) => records.of_containers.entry(id).or_default().push(record),
                Some(Subject::Host) | None => records.of_nobody.push(record),
            }
        }
        records
    }

    /// The record of a service.
    pub(super) fn of_service(&mut self, id: &ContainerId, service: &Service) -> Option<Record> {
        let port = (service.answer != Answer::Address).then_some(service.container_port);
        let key = (id.clone(), port, service.name.to_string());
        let record = self.of_services.get(&key).cloned();
        self.shown.extend(record.is_some().then_some(key));
        record
    }

    /// What else there is of a container.
    pub(super) fn take_container(&mut self, id: &ContainerId) -> Vec<Record> {
        let mut records = self.of_containers.remove(id).unwrap_or_default();
        let services = self.of_services.extract_if(.., |(other, ..), _| other == id);
        records.extend(services.filter(|(key, _)| !self.shown.contains(key)).map(|(_, record)| record));
        records
    }

    /// What nobody took.
    pub(super) fn rest(self) -> Vec<Record> {
        let Self { mut of_services, shown, of_containers, mut of_nobody } = self;
        of_services.retain(|key, _| !shown.contains(key));
        of_nobody.extend(of_containers.into_values().flatten());
        of_nobody.extend(of_services.into_values());
        of_nobody
    }
}

fn record(row: &Row, seen: &Seen) -> Record {
    let Key { name, kind, set_identifier } = &row.key;
    let refused = row.refused.as_ref();
    Record {
        name: name.clone(),
        r#type: kind.to_string(),
        id: set_identifier.clone(),
        desired: row.desired.as_deref().map(text),
        observed: row.observed.as_deref().map(text),
        weight: row.observed.as_deref().and_then(RecordSet::weight),
        state: state(row),
        refused: refused.map(|(_, reason)| reason.clone()),
        retried_in: refused.map(|(until, _)| seen.until(*until)),
    }
}

fn state(row: &Row) -> RecordState {
    match (&row.desired, &row.observed) {
        _ if row.refused.is_some() => RecordState::Refused,
        _ if !row.differs => RecordState::Registered,
        _ if !row.is_sure => RecordState::Unsure,
        (Some(_), None) => RecordState::ToCreate,
        (None, _) => RecordState::ToDelete,
        (Some(_), Some(_)) => RecordState::ToChange,
    }
}

/// As `dig` shows it, and the weight, which `dig` does not show.
fn text(set: &RecordSet) -> String {
    let RecordSet { name, kind, ttl, values, .. } = set;
    let weight = set.weight().map(|weight| format!(" ; weight {weight}")).unwrap_or_default();
    format!("{}. {ttl} IN {kind} {}{weight}", name.trim_end_matches('.'), values.join(", "))
}
