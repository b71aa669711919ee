//! Once all faults are over: the zone is what the containers are (L1), and nothing that lives is missing (L4).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecssd::container::Health;
use ecssd::record::{ContainerId, Key, RecordSet, RecordType};

use crate::scenario::SpecCheck;
use crate::truth::{Kind, Truth, WITHDRAWN, ZONE};
use crate::world::State;

/// How long it may take until a pause is heard of: the next list.
const HEEDED: Duration = Duration::from_secs(90);

/// What a service record says: where it leads, its weight.
type Line = (String, i64);
/// What stands, by name and mark.
type Stands = BTreeMap<(String, String), Line>;
/// What may stand: where it leads, and at which weights.
type Lines = BTreeMap<(String, String), (String, BTreeSet<i64>)>;

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
            if let Some(text) = self.left_of_former(host) {
                return Some(("L7", text));
            }
            let (stands, rightful) = (self.stands(host), self.rightful(host));
            let is_led_to = rightful.iter().any(|port| !port.serving.is_empty());
            if let Some(text) = self.astray(host).filter(|_| is_led_to) {
                return Some(("L1", text));
            }
            // One that seems to have started after the owner of its network claims what that one has.
            let misled = self.hosts[host].containers.values().any(|it| it.alive && it.misdated);
            if let Some(wrong) = rightful.iter().filter(|_| !misled).find_map(|port| port.missing(&stands)) {
                return Some(("L4", format!("host {host}: {wrong}")));
            }
            if let Some(wrong) = rightful.iter().find_map(|port| port.shared(&stands)) {
                return Some(("S8", format!("host {host}: {wrong}")));
            }
            let containers = &self.hosts[host].containers;
            // The port of one that starts again and again is another's in between.
            let comes_and_goes =
                |port| containers.values().any(|it| it.ports.contains(&port) && it.crash_loops(self.now));
            // The kernel answers at the port of one that is frozen, and nobody can tell for whom.
            let is_frozen =
                |port| containers.values().any(|it| it.paused.is_some() && it.ports.contains(&port));
            let excused = |(_, mark): &(String, String)| {
                let id = mark.split(':').nth(1).and_then(|id| id.parse::<ContainerId>().ok());
                let it = id.and_then(|id| containers.get(&id));
                it.is_some_and(|it| {
                    it.misdated || comes_and_goes(it.port) || it.paused.is_none() && is_frozen(it.port)
                })
            };
            let right = |place, line| rightful.iter().any(|port| port.allows(place, line));
            let more = stands.iter().find(|(place, line)| !right(place, line) && !excused(place));
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

    fn stands(&self, host: usize) -> Stands {
        let line = |set: &RecordSet| {
            let place = (set.key().name, set.set_identifier.clone().unwrap_or_default());
            (place, (set.values.join(","), set.weight().unwrap_or(-1)))
        };
        self.standing_of(host).iter().map(line).collect()
    }

    /// By port, of whom something has to stand, or may.
    fn rightful(&self, host: usize) -> Vec<Port> {
        let of = &self.hosts[host];
        let alive = || of.containers.values().filter(|it| it.alive);
        let ports: BTreeSet<u16> = alive().map(|it| it.port).collect();
        let rightful = |port| {
            let here = || alive().filter(move |it| it.port == port);
            let stays = here().filter(|it| !it.is_touched(self.now));
            let can: Vec<_> = stays.filter(|it| it.can_have_its_port(here())).collect();
            let passes = |it: &&&Truth| self.passes(host, it);
            let lines = |it: &Truth, weight| self.lines(host, it, weight);
            let serving: Vec<_> =
                can.iter().filter(passes).map(|it| lines(it, Some(it.spec.weight))).collect();
            let failing = can.iter().filter(|it| serving.is_empty() && self.may_have_served(host, it));
            let failing = failing.flat_map(|it| {
                // While a HEALTHCHECK says nothing, what was registered before stays as it is.
                let unsaid = it.spec.check == SpecCheck::Docker && it.health == Health::Starting;
                [Some(lines(it, None)), unsaid.then(|| lines(it, Some(it.spec.weight)))]
            });
            let frozen = here().filter(|it| it.paused.is_some() && self.may_have_served(host, it));
            let frozen = frozen.flat_map(|it| self.lines_frozen(host, it));
            let failing = failing.flatten().chain(frozen).collect();
            // Who stops, is paused or restarts too often may have the port still, and has no record.
            let is_had = here().any(|it| it.is_touched(self.now));
            Port { number: port, serving, failing, is_had }
        };
        ports.into_iter().map(rightful).collect()
    }

    /// What does not stand of a container, as it should where its check passes.
    pub(super) fn missing_of(&self, host: usize, it: &Truth) -> Option<String> {
        let (stands, lines) = (self.stands(host), self.lines(host, it, Some(it.spec.weight)));
        let doubtful = |name: &str, mark: &str| {
            let is = |key: &Key| key.name == name && key.set_identifier.as_deref() == Some(mark);
            self.court.doubtful.iter().chain(&self.court.late).any(|(of, key)| *of == host && is(key))
        };
        let stand =
            |place: &(String, String)| stands.get(place).is_some_and(|line| allows(&lines, place, line));
        let missing = lines.keys().find(|place| !stand(place) && !doubtful(&place.0, &place.1))?;
        Some(format!("{} {} is {:?}", missing.0, missing.1, stands.get(missing)))
    }

    /// What may stand of a container that is paused: its full name; and until a minute is over the rest.
    fn lines_frozen(&self, host: usize, it: &Truth) -> Vec<Lines> {
        let lately = it.paused.is_some_and(|since| self.now < since + WITHDRAWN + HEEDED);
        let full = |mut lines: Lines| {
            lines.retain(|_, (_, weights)| lately || weights.iter().all(|weight| *weight < 0));
            lines
        };
        [None, Some(it.spec.weight)].map(|weight| full(self.lines(host, it, weight))).into()
    }

    /// What may stand of a container at its own weight, or the one that was given by hand for that; `None` at 0, whatever
    /// was given.
    fn lines(&self, host: usize, it: &Truth, own: Option<u8>) -> Lines {
        let of = &self.hosts[host];
        let owner = &of.owner;
        let target = format!("1 1 {} {owner}.{ZONE}", it.port);
        let line = |(name, kind): (String, Kind)| {
            let weights = match own {
                Some(own) => of.given.weights(&it.id, &name, own, self.now, of.jumped_at),
                None => [0].into(),
            };
            let line = match kind {
                Kind::Weighted => (target.clone(), weights),
                Kind::Full => (target.clone(), [-1].into()),
                Kind::Address => (of.address.to_string(), weights),
            };
            ((name, it.mark(owner, kind)), line)
        };
        it.records().into_iter().map(line).collect()
    }

    /// Whether its check passes, as far as anybody can see from outside.
    fn passes(&self, host: usize, it: &Truth) -> bool {
        let of = &self.hosts[host];
        match it.spec.check {
            SpecCheck::None => true,
            SpecCheck::Tcp => of.answerer(it.port, self.now).is_some_and(|it| it.serves(self.now)),
            SpecCheck::Docker => it.is_healthy(),
        }
    }

    /// Whether its check can have passed in this life.
    fn may_have_served(&self, host: usize, it: &Truth) -> bool {
        let others = || self.hosts[host].containers.values();
        let mut on_port = others().filter(|other| other.port == it.port);
        // Somebody else who had its port meanwhile may have answered.
        let mut before =
            others().filter(|other| other.ports.contains(&it.port) && other.touched() >= it.started);
        match it.spec.check {
            SpecCheck::None => true,
            // What an earlier life was registered for stays at weight 0, where nobody can tell the two apart.
            _ if it.lives > 1 => true,
            SpecCheck::Tcp => {
                on_port.any(|other| other.could_serve(self.now)) || before.any(|other| other.id != it.id)
            }
            SpecCheck::Docker => it.could_serve(self.now),
        }
    }
}

/// Those that claim a port.
struct Port {
    number: u16,
    /// Of whom one has to have it, where there are any.
    serving: Vec<Lines>,
    /// Of whom one may, where there are none of those.
    failing: Vec<Lines>,
    /// Whether one may have it of whom nothing is wanted.
    is_had: bool,
}

impl Port {
    /// What is not there, of whoever it is.
    fn missing(&self, stands: &Stands) -> Option<String> {
        let stands = |lines: &&Lines| {
            lines.keys().all(|place| stands.get(place).is_some_and(|line| allows(lines, place, line)))
        };
        let first = self.serving.first().filter(|_| !self.is_had)?;
        (!self.serving.iter().any(|lines| stands(&lines)))
            .then(|| format!("of port {} nothing right stands, as {first:?} would be", self.number))
    }

    /// Whose records stand beside another's.
    fn shared(&self, stands: &Stands) -> Option<String> {
        let suffix = format!(" {} ", self.number);
        let marks =
            stands.iter().filter(|(_, (value, _))| value.contains(&suffix)).map(|((_, mark), _)| mark);
        let marks: BTreeSet<_> = marks.collect();
        (marks.len() > 1).then(|| format!("port {} leads to {marks:?}", self.number))
    }

    fn allows(&self, place: &(String, String), line: &Line) -> bool {
        self.serving.iter().chain(&self.failing).any(|lines| allows(lines, place, line))
    }
}

fn allows(lines: &Lines, place: &(String, String), (value, weight): &Line) -> bool {
    lines.get(place).is_some_and(|(of, weights)| of == value && weights.contains(weight))
}
