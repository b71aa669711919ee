//! What may stand in the zone after a batch: nobody else's records are touched, no port is two containers'.

use std::collections::BTreeMap;

use ecssd::record::{Action, Change, Key, RecordSet, RecordType};

use super::mark;
use crate::world::State;

impl State {
    /// A batch was applied; `late`, if whoever asked for it does not know.
    pub fn court_applied(
        &mut self,
        host: usize,
        batch: &[Change],
        _before: &BTreeMap<Key, RecordSet>,
        late: bool,
    ) {
        self.court_deletes(batch);
        let unheard = late || !self.hosts[host].alive;
        for change in batch {
            let place = (host, change.set.key());
            // A delete, too: what was written anew meanwhile goes, until the next read.
            if late {
                self.court.late.insert(place.clone());
            }
            if unheard && change.action != Action::Delete {
                self.court.doubt([place]);
            } else {
                self.court.doubtful.remove(&place);
            }
        }
        self.court_foreign(batch.iter().map(|change| change.set.key()));
        self.court_ports(host);
        self.court_hunts_applied(host, batch);
    }

    /// S1: what others put there stands as they put it.
    pub(super) fn court_foreign(&mut self, keys: impl Iterator<Item = Key>) {
        let standing = self.account.standing();
        for key in keys {
            if let Some(foreign) = self.account.foreign.get(&key)
                && standing.get(&key) != Some(foreign)
            {
                let now = self.now;
                self.court.accuse("S1", now, format!("{key} is somebody else's, and was changed"));
            }
        }
    }

    /// S8: no address and port leads to two containers.
    fn court_ports(&mut self, host: usize) {
        let owner = self.hosts[host].owner.clone();
        let mut holders: BTreeMap<String, (String, Key)> = BTreeMap::new();
        let mut found = None;
        for (key, set) in self.account.standing() {
            let fields = mark(&set);
            if set.kind != RecordType::Srv || fields.first() != Some(&&*owner) || fields.len() != 3 {
                continue;
            }
            // Of a name's protocol there is one here, tcp.
            let (place, id) = (set.values.join(","), fields[1].to_owned());
            let doubtful = |key: &Key| self.court.doubtful.contains(&(host, key.clone()));
            match holders.get(&place) {
                Some((holder, other)) if *holder != id && !doubtful(&key) && !doubtful(other) => {
                    found = Some(format!("{place} leads to two containers: {other} and {key}"));
                }
                // What its host cannot know of is nobody's fault.
                _ if doubtful(&key) => {}
                _ => {
                    holders.insert(place, (id, key));
                }
            }
        }
        if let Some(text) = found {
            let now = self.now;
            self.court.accuse("S8", now, text);
        }
    }

    /// Somebody edited a record of a host, or deleted it.
    pub fn court_edited(&mut self, host: usize, key: Key) {
        self.court.doubt([(host, key)]);
    }
}
