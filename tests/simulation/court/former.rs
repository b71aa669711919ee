//! S1, where a host was called otherwise before: what it may remove of that by itself. L7: that it does.

use ecssd::record::{Action, Change, Key, RecordSet, RecordType};

use super::{content, mark};
use crate::disk::HERE;
use crate::truth::ZONE;
use crate::world::State;

impl State {
    /// What a process that gave up left is of another name from now on.
    pub fn court_renames(&mut self, host: usize) {
        self.court.left.remove(&host);
    }

    /// A process asks for a batch of another owner's records.
    pub fn court_asks_for_former(&mut self, host: usize, process: u64, owner: &str, batch: &[Change]) {
        let now = self.now;
        self.court_paces(host, batch);
        self.court_limits(batch);
        let (of, place) = (&self.hosts[host], (host, process, owner.to_owned()));
        let is_former = of.route.is_followed && of.names.contains(owner) && of.owner != owner;
        let leads = self.former_leads_to(owner);
        let leads_here =
            leads.is_some() && leads == self.court.started_at(host, process).map(|at| at.to_string());
        if !is_former || !(leads_here || self.court.clearing.contains(&place)) {
            let text = format!("host {host} removes what is of {owner}, which leads to {leads:?}");
            return self.court.accuse("S1", now, text);
        }
        self.court.clearing.insert(place);
        for change in batch {
            let known = self.court.contents.get(&(host, change.set.key()));
            if change.action != Action::Delete || mark(&change.set).first() != Some(&owner) {
                return self.court.accuse(
                    "S1",
                    now,
                    format!("host {host} asks for {change}, having been {owner}"),
                );
            }
            if known.is_none_or(|known| !known.contains(&content(&change.set))) {
                let text = format!("host {host} deletes {}, which it neither wrote nor read", change.set);
                return self.court.accuse("S4", now, text);
            }
        }
    }

    /// L7: it takes what it wrote as that owner for gone.
    pub fn court_forgets_former(&mut self, host: usize, owner: &str) {
        let now = self.now;
        let standing = self.account.standing();
        let is_late = |key: &Key| {
            let places = self.court.late.iter().chain(&self.court.doubtful);
            places.into_iter().any(|(of, late)| *of == host && late == key)
        };
        let is_its = |set: &&RecordSet| mark(set).first() == Some(&owner);
        let mut left = standing.values().filter(is_its).map(RecordSet::key);
        let left = left.find(|key| !is_late(key) && !self.account.foreign.contains_key(key));
        if let Some(key) = left {
            self.court.accuse("L7", now, format!("{key} is left, and forgotten"));
        }
    }

    /// L7: what of another name is left where the host knows of it, and can tell that it is its own.
    pub(super) fn left_of_former(&self, host: usize) -> Option<String> {
        let of = &self.hosts[host];
        let is_own = |zone: &str, owner: &str| {
            zone == HERE && of.names.contains(owner) && of.owner != owner && of.route.is_followed
        };
        let mut left = of.disk.asides().filter(|(zone, owner, _)| is_own(zone, owner));
        let (_, owner, _) =
            left.find(|(_, owner, _)| self.former_leads_to(owner) == Some(of.address.to_string()))?;
        Some(format!("what host {host} wrote as {owner} is left, and leads to it"))
    }

    /// Where the address record of an owner leads.
    fn former_leads_to(&self, owner: &str) -> Option<String> {
        let key = Key {
            name: format!("{owner}.{ZONE}"),
            kind: RecordType::A,
            set_identifier: Some(owner.to_owned()),
        };
        self.account.standing().remove(&key)?.values.pop()
    }
}
