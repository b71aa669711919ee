//! Dead or not, record by record: what each inspection says of it, and what both say together. Owns no numbers:
//! how much of the dead may go is decided in [`caps`](super::caps).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;

use super::Inspection;
use super::entry::{About, Entry, is_instance_id};
use super::evidence::{AgentConnection, Host, InstanceState, Snapshot};
use super::report::{Death, Kept};
use super::sight::Blind;
use crate::record::{Key, Owner, RecordSet};

/// A record, and whether it is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// As the last list has it.
    pub set: RecordSet,
    /// Its host, if it is marked.
    pub host: Option<Owner>,
    /// Whether it is that host's own address.
    pub is_host: bool,
    /// What is known of that host.
    pub host_is: HostIs,
    /// Why it is kept, or how it died.
    pub dead: Result<Death, Kept>,
}

/// What is known of a host, of all inspections that asked; the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostIs {
    OutOfSight,
    Alive,
    Dead,
}

/// Judges every record of the last list.
pub(super) fn of_all(zone: &str, [first, last]: [&Inspection; 2]) -> Vec<Judged> {
    let before: HashMap<Key, &RecordSet> = first.list.what.iter().map(|set| (set.key(), set)).collect();
    let scenes = [first, last].map(|inspection| Scene::new(zone, inspection));
    let verdict = |set: &RecordSet| {
        let set = set.clone();
        let entry = match Entry::read(&set, zone) {
            Ok(entry) => entry,
            Err(kept) => {
                return Judged {
                    set,
                    host: None,
                    is_host: false,
                    host_is: HostIs::OutOfSight,
                    dead: Err(kept),
                };
            }
        };
        let seen = scenes.each_ref().map(|scene| scene.of(&entry));
        // What lived at the first inspection was not asked about at the second, and is out of sight then: what was said
        // of its host counts. It may have been asked about for another record's sake, which counts as well.
        let host_is = seen[0].0.max(seen[1].0);
        let mut dead = match [seen[0].1, seen[1].1] {
            [Err(kept), _] | [_, Err(kept)] => Err(kept),
            [Ok(first), Ok(last)] => Ok(first.weaker(last)),
        };
        match before.get(&set.key()) {
            None => dead = Err(Kept::New),
            Some(&earlier) if *earlier != set => dead = dead.and(Err(Kept::Changed)),
            Some(_) => {}
        }
        let is_host = entry.container().is_none();
        Judged { set, host: Some(entry.host), is_host, host_is, dead }
    };
    last.list.what.iter().map(verdict).collect()
}

/// Why all is kept whose host EC2 does not show, where there was such a host.
pub(super) fn blind(zone: &str, inspections: [&Inspection; 2]) -> Option<Blind> {
    inspections.into_iter().find_map(|inspection| Scene::new(zone, inspection).blind().cloned())
}

/// One inspection, ready to be asked.
pub(super) struct Scene<'a> {
    snapshot: &'a Snapshot,
    /// Of hosts, by their own records.
    addresses: BTreeMap<Owner, Ipv4Addr>,
    /// Why nothing is gone that EC2 does not show.
    blind: Option<Blind>,
}

/// A record's host, as one inspection has it.
enum Found<'a> {
    Instance(&'a Owner, &'a Host),
    Gone,
    OutOfSight,
}

impl<'a> Scene<'a> {
    pub(super) fn new(zone: &str, inspection: &'a Inspection) -> Self {
        let (snapshot, list) = (&inspection.snapshot.what, &inspection.list.what);
        let (mut addresses, mut hosts) = (BTreeMap::new(), BTreeSet::new());
        for Entry { host, about } in list.iter().filter_map(|set| Entry::read(set, zone).ok()) {
            if let About::Host(address) = about {
                addresses.insert(host.clone(), address);
            }
            if is_instance_id(&host) {
                hosts.insert(host);
            }
        }
        let placed = hosts.iter().map(|host| (host, addresses.get(host).copied()));
        let outsider = snapshot.sight.outsider(placed, &snapshot.hosts).cloned();
        let blind = snapshot.sight.blind.clone().or_else(|| outsider.map(Blind::Outside));
        Self { snapshot, addresses, blind }
    }

    /// Why nothing is gone that EC2 does not show, where it was looked for.
    pub(super) fn blind(&self) -> Option<&Blind> {
        self.blind.as_ref()
    }

    /// The hosts that EC2 does not show, and that are gone by their address if by nothing else.
    pub(super) fn unseen(&self) -> BTreeSet<Owner> {
        let Snapshot { hosts, sight, .. } = self.snapshot;
        let is_unseen = |(host, address): &(&Owner, &Ipv4Addr)| {
            is_instance_id(host)
                && !hosts.contains_key(*host)
                && (sight.home.is_empty() || sight.is_home(**address))
        };
        self.addresses.iter().filter(is_unseen).map(|(host, _)| host.clone()).collect()
    }

    pub(super) fn of(&self, entry: &Entry) -> (HostIs, Result<Death, Kept>) {
        let found = self.host(entry);
        let host_is = match &found {
            Found::OutOfSight => HostIs::OutOfSight,
            Found::Gone => HostIs::Dead,
            Found::Instance(_, host)
                if matches!(host.state, InstanceState::Stopped | InstanceState::Terminated) =>
            {
                HostIs::Dead
            }
            Found::Instance(..) => HostIs::Alive,
        };
        (host_is, self.death(entry, found))
    }

    /// The instance that a record's host is. An id is what it is. Hosts elsewhere may have the same name or
    /// address as this one: of what is marked with a name, only ECS can say where it is, by the container's id.
    pub(super) fn instance<'b>(&'b self, entry: &'b Entry) -> Option<&'b Owner> {
        let known = || self.snapshot.containers.get(entry.container()?)?.instance.as_ref();
        if is_instance_id(&entry.host) { Some(&entry.host) } else { known() }
    }

    fn host(&self, entry: &Entry) -> Found<'a> {
        let snapshot = self.snapshot;
        let is_gone = || {
            let is_home = self.addresses.get(&entry.host).is_some_and(|it| snapshot.sight.is_home(*it));
            self.blind.is_none() && is_home && snapshot.unattached.contains(&entry.host)
        };
        match self.instance(entry).and_then(|id| snapshot.hosts.get_key_value(id)) {
            Some((id, host)) => Found::Instance(id, host),
            None if is_gone() => Found::Gone,
            None => Found::OutOfSight,
        }
    }

    fn death(&self, entry: &Entry, found: Found<'_>) -> Result<Death, Kept> {
        let known = entry.container().and_then(|id| self.snapshot.containers.get(id));
        let (id, host) = match found {
            Found::OutOfSight => return Err(Kept::HostOutOfSight),
            Found::Gone if known.is_some_and(|known| !known.stopped) => return Err(Kept::Runs),
            Found::Gone => return Ok(Death::HostGone),
            Found::Instance(id, host) => (id, host),
        };
        let elsewhere =
            known.and_then(|known| known.instance.as_ref()).is_some_and(|instance| instance != id);
        if elsewhere {
            return Err(Kept::HostsDiffer);
        }
        let is_host = entry.container().is_none();
        match host.state {
            InstanceState::Terminated => Ok(Death::HostTerminated),
            InstanceState::Stopped if is_host => Err(Kept::HostStopped),
            InstanceState::Stopped => Ok(Death::HostStopped),
            InstanceState::Pending | InstanceState::Stopping | InstanceState::ShuttingDown => {
                Err(Kept::HostUnsettled)
            }
            InstanceState::Running if is_host => Err(Kept::HostRuns),
            InstanceState::Running => match known {
                None => Err(Kept::OutsideEcs),
                Some(known) if !known.stopped => Err(Kept::Runs),
                Some(_) if host.agent != AgentConnection::Connected => Err(Kept::AgentDisconnected),
                // It ran on a registration of the host that is no more: whether it runs on, ECS does not know.
                Some(known) if known.instance.is_none() => Err(Kept::LetGo),
                Some(_) => Ok(Death::ContainerStopped),
            },
        }
    }
}
