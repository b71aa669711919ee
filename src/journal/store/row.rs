//! What stands in a row of the file.

use std::collections::BTreeMap;

use super::StoreError;
use crate::container::Timestamp;
use crate::machine::past::Signals;

/// Signals as they stand in the file: moments as nanoseconds since 1970.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Row {
    life: i64,
    kills: BTreeMap<u8, i64>,
}

impl From<&Signals> for Row {
    fn from(signals: &Signals) -> Self {
        let kills = signals.kills.iter().map(|(signal, time)| (*signal, time.unix_nanos())).collect();
        Self { life: signals.life.unix_nanos(), kills }
    }
}

impl From<Row> for Signals {
    fn from(row: Row) -> Self {
        let moment = Timestamp::from_unix_nanos;
        let kills = row.kills.into_iter().map(|(signal, time)| (signal, moment(time))).collect();
        Self { life: moment(row.life), kills }
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("neither record sets nor signals have odd keys or floats")
}

pub(super) fn read<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(json).map_err(|error| StoreError::Entry(error.to_string()))
}
