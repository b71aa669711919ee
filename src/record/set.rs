//! A record set as a registry lists it and takes it.

use std::fmt;

use super::mark::is_of_service;
use super::{Key, RecordType, Routing, Srv, canonical};

/// A resource record set, in the shape of the API. Not validated: a registry refuses what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct RecordSet {
    /// The owner name, with or without the final dot, in any case.
    pub name: String,
    /// The record type.
    pub kind: RecordType,
    /// Tells sets of one name and type apart; 1 to 128 characters. `None` for a simple set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_identifier: Option<String>,
    /// How it shares its name and type with others.
    #[serde(flatten)]
    pub routing: Routing,
    /// Seconds that a resolver may keep the answer.
    pub ttl: i64,
    /// The values in presentation form, such as `1 1 32768 host.zone`.
    pub values: Vec<String>,
}

impl RecordSet {
    /// The same set with its name in the form that names are compared in: registries list them with the
    /// final dot.
    pub fn canonical(mut self) -> Self {
        self.name = canonical(&self.name);
        self
    }

    /// Its share of the answers, if it is weighted.
    pub fn weight(&self) -> Option<i64> {
        self.routing.weight()
    }

    /// What its SRV values say, those apart that say nothing; none of another type.
    pub fn srv_values(&self) -> impl Iterator<Item = Srv> {
        let values = self.values.iter().filter(|_| self.kind == RecordType::Srv);
        values.filter_map(|value| value.parse().ok())
    }

    /// Whether clients find a service by it: an SRV, or the address of a service.
    pub fn is_of_service(&self) -> bool {
        is_of_service(self.kind, self.set_identifier.as_deref())
    }

    /// What identifies this set in its zone.
    pub fn key(&self) -> Key {
        Key { name: canonical(&self.name), kind: self.kind, set_identifier: self.set_identifier.clone() }
    }
}

/// One line for a log or a plan, in the manner of `dig`.
impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {} IN {} {}", canonical(&self.name), self.ttl, self.kind, self.values.join(", "))?;
        if self.routing != Routing::Simple {
            write!(f, " ; {}", self.routing)?;
        }
        match &self.set_identifier {
            Some(id) => write!(f, " ; {id}"),
            None => Ok(()),
        }
    }
}
