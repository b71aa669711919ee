//! What stands in a row of the file, and the tables that a journal of before may lack.

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableTable, TableDefinition};

use super::StoreError;
use crate::container::Timestamp;
use crate::machine::past::Signals;
use crate::record::ContainerId;

pub(super) const SIGNALS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("signals");
pub(super) const DOUBTS: TableDefinition<'_, &str, ()> = TableDefinition::new("doubts");

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

pub(super) fn read_doubts(transaction: &redb::ReadTransaction) -> Result<BTreeSet<String>, StoreError> {
    let table = match transaction.open_table(DOUBTS) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(BTreeSet::new()),
        Err(error) => return Err(error.into()),
    };
    table.iter()?.map(|row| Ok(row?.0.value().to_owned())).collect()
}

pub(super) fn read_signals(
    transaction: &redb::ReadTransaction,
) -> Result<Vec<(ContainerId, Signals)>, StoreError> {
    let table = match transaction.open_table(SIGNALS) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for row in table.iter()? {
        let (container, row) = row?;
        let row: Row = read(row.value())?;
        all.push((container.value().parse()?, row.into()));
    }
    Ok(all)
}
