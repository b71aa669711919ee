//! Once all faults are over: the zone is what the containers are (L1), and nothing that lives is missing (L4).

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::machine::container::Health;
use ecssd::record::{ContainerId, Key, RecordSet, RecordType};

use crate::scenario::SpecCheck;
use crate::truth::{Truth, ZONE};
use crate::world::State;

/// What a service record says: its name and mark, where it leads, its weight.
type Lines = BTreeMap<(String, String), (String, i64)>;

impl State {
    /// What is wrong with the zone, if anything.
    pub fn unrest(&self) -> Option<(&'static str, String)> {
        for host in 0..self.hosts.len() {
            if self.hosts[host].terminated.is_some() {
                // Nobody but the janitor is there for it; and it keeps the last target of what may run somewhere.
                let standing = self.standing_of(host);
                if let Some(set) = standing.iter().find(|set| !self.may_run(&set.key().name)) {
                    return Some(("L1", format!("{} is left of a host that ended", set.key())));
                }
                continue;
            }
            let (stands, (wanted, allowed)) = (self.stands(host), self.wanted(host));
            if let Some(text) = self.astray(host).filter(|_| !wanted.is_empty()) {
                return Some(("L1", text));
            }
            for (place, line) in &wanted {
                let unsaid = self.is_unsaid(host, place);
                match stands.get(place) {
                    // While a HEALTHCHECK says nothing, what was registered before stays as it is.
                    Some((value, _)) if unsaid && *value == line.0 => {}
                    None => {
                        return Some((
                            "L4",
                            format!("{} {} of host {host} is missing: {line:?}", place.0, place.1),
                        ));
                    }
                    Some(other) if other != line => {
                        return Some((
                            "L1",
                            format!("{} {} is {other:?}, and should be {line:?}", place.0, place.1),
                        ));
                    }
                    Some(_) => {}
                }
            }
            // What comes late under a key that was settled before, after whoever asked for it has ended or panicked,
            // nobody is left to know of: the agent's one known gap.
            let known = |(name, mark): &(String, String)| {
                let key =
                    Key { name: name.clone(), kind: RecordType::Srv, set_identifier: Some(mark.clone()) };
                !self.court.late.contains(&(host, key))
                    || self.hosts[host].life == 1 && !self.panicked_since(host, Duration::ZERO)
            };
            let misdated = |(_, mark): &(String, String)| {
                let id = mark.split(':').nth(1).and_then(|id| id.parse::<ContainerId>().ok());
                id.and_then(|id| self.hosts[host].containers.get(&id)).is_some_and(|it| it.misdated)
            };
            let known = |place: &(String, String)| known(place) && !misdated(place);
            let right = |place, line: &(String, i64)| {
                let allowed: Option<&(String, i64)> = allowed.get(place);
                wanted.contains_key(place)
                    || allowed.is_some_and(|it| it == line || self.is_unsaid(host, place) && it.0 == line.0)
            };
            let more = stands.iter().find(|(place, line)| !right(*place, line) && known(place));
            if let Some((place, line)) = more {
                return Some(("L1", format!("{} {} is {line:?}, and should not be", place.0, place.1)));
            }
        }
        None
    }

    /// Where a host's name leads, if that is not to the host.
    fn astray(&self, host: usize) -> Option<String> {
        let of = &self.hosts[host];
        let key = Key {
            name: format!("{}.{ZONE}", of.owner),
            kind: RecordType::A,
            set_identifier: Some(of.owner.clone()),
        };
        let values = self.account.standing().remove(&key).map(|set| set.values);
        let right = values.as_ref().is_some_and(|values| *values == [of.address.to_string()]);
        (!right).then(|| format!("{key} leads to {values:?}, and host {host} is at {}", of.address))
    }

    /// Whether ECS has a task that asks for this name.
    fn may_run(&self, name: &str) -> bool {
        let there = self.hosts.iter().filter(|host| host.terminated.is_none());
        let mut containers = there.flat_map(|host| host.containers.values()).filter(|it| !it.removed);
        containers.any(|it| it.names().iter().any(|other| other == name))
    }

    /// Holds the zone against the truth, for good.
    pub fn court_peace(&mut self) {
        let now = self.now;
        let foreign: Vec<_> = self.account.foreign.keys().cloned().collect();
        self.court_foreign(foreign.into_iter());
        if let Some((invariant, text)) = self.unrest() {
            self.court.accuse(invariant, now, text);
        }
    }

    fn is_unsaid(&self, host: usize, (_, mark): &(String, String)) -> bool {
        let id = mark.split(':').nth(1).and_then(|id| id.parse().ok());
        let it = id.and_then(|id: ContainerId| self.hosts[host].containers.get(&id));
        it.is_some_and(|it| it.spec.check == SpecCheck::Docker && it.health == Health::Starting)
    }

    fn stands(&self, host: usize) -> Lines {
        let line = |set: &RecordSet| {
            let place = (set.key().name, set.set_identifier.clone().unwrap_or_default());
            (place, (set.values.join(","), set.weight.unwrap_or(-1)))
        };
        self.standing_of(host).iter().map(line).collect()
    }

    /// What has to stand, and what may: at weight 0 what does not serve now, and has in this life.
    fn wanted(&self, host: usize) -> (Lines, Lines) {
        let of = &self.hosts[host];
        let mut holders: BTreeMap<u16, &Truth> = BTreeMap::new();
        for it in
            of.containers.values().filter(|it| !it.has_reason(self.now) && self.may_have_served(host, it))
        {
            let holder = holders.entry(it.port).or_insert(it);
            if (it.started_wall, &it.id) > (holder.started_wall, &holder.id) {
                *holder = it;
            }
        }
        let (mut wanted, mut allowed) = (Lines::new(), Lines::new());
        for it in holders.values() {
            let serves = match it.spec.check {
                SpecCheck::None => true,
                SpecCheck::Tcp => of.answerer(it.port, self.now).is_some_and(|it| it.serves(self.now)),
                SpecCheck::Docker => it.is_healthy(),
            };
            let (lines, weight) =
                if serves { (&mut wanted, it.spec.weight.into()) } else { (&mut allowed, 0) };
            for name in it.names() {
                let mark = format!("{}:{}:{}", of.owner, it.id, it.inside());
                lines.insert((name, mark), (format!("1 1 {} {}.{ZONE}", it.port, of.owner), weight));
            }
        }
        (wanted, allowed)
    }

    /// Whether its check can have passed in this life.
    fn may_have_served(&self, host: usize, it: &Truth) -> bool {
        let mut on_port = self.hosts[host].containers.values().filter(|other| other.port == it.port);
        match it.spec.check {
            SpecCheck::None => true,
            SpecCheck::Tcp => on_port.any(|other| other.could_serve(self.now)),
            SpecCheck::Docker => it.could_serve(self.now),
        }
    }
}
