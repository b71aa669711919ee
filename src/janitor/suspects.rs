//! What looked dead in a first inspection, and so has to be asked about in the second. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Inspection;
use super::entry::Entry;
use super::report::Death;
use super::verdict::Scene;
use crate::record::{ContainerId, Owner, RecordType};

/// What to ask about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspects {
    /// Instances.
    pub hosts: BTreeSet<Owner>,
    /// Containers that ECS knows.
    pub containers: BTreeSet<ContainerId>,
    /// Instances that EC2 does not show.
    pub gone: BTreeSet<Owner>,
    /// Whether a name could be emptied: then it counts which services are wanted by now.
    pub empties: bool,
}

impl Suspects {
    /// Those of a first inspection of `zone`.
    pub fn of(zone: &str, first: &Inspection) -> Self {
        let (scene, snapshot) = (Scene::new(zone, first), &first.snapshot.what);
        let (mut suspects, mut targets) = (Self::default(), BTreeMap::<(String, RecordType), usize>::new());
        let mut certain = BTreeSet::new();
        for set in &first.list.what {
            let is_target = set.kind == RecordType::Srv || set.is_of_service();
            if is_target {
                *targets.entry((set.key().name, set.kind)).or_default() += 1;
            }
            let Ok(entry) = Entry::read(set, zone) else { continue };
            let (_, Ok(death)) = scene.of(&entry) else { continue };
            suspects.hosts.extend(scene.instance(&entry).cloned());
            let known = entry.container().filter(|id| snapshot.containers.contains_key(id));
            suspects.containers.extend(known.cloned());
            if death == Death::HostGone {
                suspects.gone.insert(entry.host.clone());
            }
            if is_target && death.is_positive() {
                certain.insert((set.key().name, set.kind));
            }
        }
        let is_wanted = |name| snapshot.services.as_ref().is_none_or(|services| services.contains(name));
        suspects.empties = certain.iter().any(|name| targets.get(name) == Some(&1) && !is_wanted(&name.0));
        suspects
    }
}
