//! A small world that knows the truth: hosts, containers, what became of them, and the records they left.
//! It shows itself in inspections, page by page, while things happen; what it shows it does not judge.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::janitor::Inspection;
use crate::janitor::evidence::{AgentConnection, Container, Host, InstanceState, Network, Read, Snapshot};
use crate::janitor::sight;
use crate::moment::Moment;
use crate::record::{Key, Owner, RecordSet, RecordType, Routing};

pub(super) const ZONE: &str = "sd.internal";
/// The addresses of each VPC.
pub(super) const HOME: Network = Network { address: Ipv4Addr::new(10, 0, 0, 0), prefix: 16 };
/// Some of them, which nobody has.
pub(super) const EMPTY: Network = Network { address: Ipv4Addr::new(10, 0, 128, 0), prefix: 17 };

/// Who writes a machine's records, and under which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Our agent, by the id of the instance.
    Ours,
    /// The predecessor, by the name that EC2 makes of the address. Others elsewhere may have the same.
    Legacy,
    /// Our agent, by a name of the operator's.
    Named,
    /// Nobody: it has no part in this, but it has an address.
    Bystander,
}

/// Where a machine is. All but one have the same addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vpc {
    /// Two of the zone's, of accounts and regions that are looked at.
    Home,
    Second,
    /// A subnet of the first, for another account: that one alone is shown its instances.
    Shared,
    /// Of the zone, but of an account that is not looked at.
    Peer,
    /// It uses the zone by a profile: nothing shows it. Off EC2 as well.
    Hidden,
    /// The same, with addresses of its own.
    Profile,
    /// Looked at, but not of the zone. One that registers all the same uses it by a profile.
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub kind: Kind,
    pub vpc: Vpc,
    /// The last of its address; the next one that is free there.
    pub octet: u8,
    pub state: InstanceState,
    pub agent: AgentConnection,
    /// Terminated so long ago that EC2 does not show it.
    pub forgotten: bool,
    /// So new that EC2 does not show it yet, and its interface at the second look alone.
    pub late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EcsSays {
    Runs,
    Stopped,
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub machine: usize,
    pub service: u8,
    /// Runs whenever its host does.
    pub alive: bool,
    pub ecs: EcsSays,
    /// Its host was registered anew since: ECS has it on no container instance that there is.
    pub let_go: bool,
    pub vpc: bool,
    /// Whether it has a full name and an address beside its weighted name; the predecessor knows neither.
    pub all_names: bool,
}

/// What a record of the world truly speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Machine(usize),
    Job(usize),
    Nobody,
}

#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub machines: Vec<Machine>,
    pub jobs: Vec<Job>,
    /// Where an operator lets absence count; everywhere, if nowhere is said.
    pub said: Vec<Network>,
    pub zone: BTreeMap<Key, RecordSet>,
    pub tags: BTreeMap<Key, Tag>,
}

pub(super) fn owner(n: usize) -> Owner {
    Owner::new(&format!("i-{n:017x}")).unwrap()
}

pub(super) fn service(n: u8) -> String {
    format!("_s{n}._tcp.{ZONE}")
}

pub(super) fn full_name(n: u8) -> String {
    format!("_s{n}-all._tcp.{ZONE}")
}

pub(super) fn address_name(n: u8) -> String {
    format!("s{n}.{ZONE}")
}

pub(super) fn docker_id(n: usize) -> String {
    format!("{n:012x}{:052x}", n + 7)
}

pub(super) fn weighted(name: String, kind: RecordType, id: String, value: String) -> RecordSet {
    RecordSet {
        name,
        kind,
        set_identifier: Some(id),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![value],
    }
}

impl World {
    pub(super) fn address(&self, machine: usize) -> Ipv4Addr {
        let Machine { vpc, octet, .. } = self.machines[machine];
        [10, if vpc == Vpc::Profile { 9 } else { 0 }, 0, octet].into()
    }

    pub(super) fn host_name(&self, machine: usize) -> String {
        match self.machines[machine].kind {
            Kind::Ours | Kind::Bystander => owner(machine).to_string(),
            Kind::Legacy => format!("ip-10-0-0-{}.ec2.internal", self.machines[machine].octet),
            Kind::Named => format!("db{machine}"),
        }
    }

    pub(super) fn put(&mut self, set: RecordSet, tag: Tag) {
        self.tags.insert(set.key(), tag);
        self.zone.insert(set.key(), set);
    }

    /// Adds a machine, with the record of its address.
    pub(super) fn machine(&mut self, mut machine: Machine) -> usize {
        let network = |vpc| if vpc == Vpc::Shared { Vpc::Home } else { vpc };
        let there = self.machines.iter().filter(|other| network(other.vpc) == network(machine.vpc));
        let taken: Vec<u8> =
            there.filter(|other| other.state != InstanceState::Terminated).map(|other| other.octet).collect();
        while taken.contains(&machine.octet) {
            machine.octet += 1;
        }
        self.machines.push(machine);
        let n = self.machines.len() - 1;
        if self.machines[n].kind == Kind::Bystander {
            return n;
        }
        let name = self.host_name(n);
        let label = name.split('.').next().unwrap().to_owned();
        let address = self.address(n).to_string();
        self.put(weighted(format!("{label}.{ZONE}"), RecordType::A, name, address), Tag::Machine(n));
        n
    }

    pub(super) fn job(&mut self, job: Job) -> usize {
        self.jobs.push(job);
        self.register(self.jobs.len() - 1);
        self.jobs.len() - 1
    }

    /// Writes what the job's agent writes; again, if it was there.
    pub(super) fn register(&mut self, n: usize) {
        let Job { machine, service: name, vpc, all_names, .. } = self.jobs[n];
        let (host, id, port) = (self.host_name(machine), docker_id(n), 32_000 + n);
        let legacy = self.machines[machine].kind == Kind::Legacy;
        let target = match (legacy, vpc) {
            (true, _) => host.clone(),
            (false, true) => format!("{}.{ZONE}", &id[..12]),
            (false, false) => format!("{host}.{ZONE}"),
        };
        let own_address = format!("10.0.1.{n}");
        if vpc && !legacy {
            let set = weighted(target.clone(), RecordType::A, format!("{host}:{id}"), own_address.clone());
            self.put(set, Tag::Job(n));
        }
        let mark = if legacy { format!("{host}:{id}") } else { format!("{host}:{id}:80") };
        let set = weighted(service(name), RecordType::Srv, mark, format!("1 1 {port} {target}"));
        if all_names && !legacy {
            let full = RecordSet { name: full_name(name), routing: Routing::Multivalue, ..set.clone() };
            self.put(full, Tag::Job(n));
            let address = if vpc { own_address } else { self.address(machine).to_string() };
            let mark = format!("{host}:{id}:a");
            self.put(weighted(address_name(name), RecordType::A, mark, address), Tag::Job(n));
        }
        self.put(set, Tag::Job(n));
    }

    pub(super) fn unregister(&mut self, job: usize) {
        self.zone.retain(|key, _| self.tags[key] != Tag::Job(job));
    }

    pub(super) fn is_on(&self, machine: usize) -> bool {
        !matches!(self.machines[machine].state, InstanceState::Stopped | InstanceState::Terminated)
    }

    /// The truth.
    pub(super) fn runs(&self, job: usize) -> bool {
        self.jobs[job].alive && self.is_on(self.jobs[job].machine)
    }

    pub(super) fn is_alive(&self, key: &Key) -> bool {
        match self.tags[key] {
            Tag::Nobody => true,
            Tag::Job(job) => self.runs(job),
            // Whoever has this name.
            Tag::Machine(machine) => (0..self.machines.len()).any(|other| {
                let goes_by_it = self.host_name(other) == self.host_name(machine);
                goes_by_it && self.machines[other].state != InstanceState::Terminated
            }),
        }
    }

    pub(super) fn is_looked_at(&self, machine: usize) -> bool {
        matches!(self.machines[machine].vpc, Vpc::Home | Vpc::Second | Vpc::Other)
    }

    pub(super) fn list(&self) -> Vec<RecordSet> {
        self.zone.values().cloned().collect()
    }

    pub(super) fn show_ecs(&self, snapshot: &mut Snapshot) {
        let services = snapshot.services.insert(BTreeSet::new());
        let agents: Vec<_> = self.machines.iter().map(|machine| machine.agent).collect();
        for (n, job) in self.jobs.iter().enumerate().filter(|(_, job)| job.ecs != EcsSays::Nothing) {
            if !self.is_looked_at(job.machine) {
                continue;
            }
            let stopped = job.ecs == EcsSays::Stopped;
            let is_known = agents[job.machine] != AgentConnection::Disconnected || n % 2 == 0;
            let instance = (is_known && !job.let_go).then(|| owner(job.machine));
            snapshot.containers.insert(docker_id(n).parse().unwrap(), Container { instance, stopped });
            if !stopped {
                services.insert(service(job.service));
                if job.all_names {
                    services.extend([full_name(job.service), address_name(job.service)]);
                }
            }
        }
    }

    pub(super) fn show_ec2(&self, snapshot: &mut Snapshot, look: usize) {
        let mut places = BTreeMap::new();
        for (n, machine) in self.machines.iter().enumerate() {
            let is_off = machine.state == InstanceState::Terminated;
            if self.is_looked_at(n) && !machine.forgotten && !machine.late {
                snapshot.hosts.insert(owner(n), Host { state: machine.state, agent: machine.agent });
                if !is_off {
                    places.insert(owner(n), format!("{:?}", machine.vpc));
                }
                continue;
            }
            // Whose a VPC is, is shown its interfaces.
            let is_owned = self.is_looked_at(n) || machine.vpc == Vpc::Shared;
            if is_off || !is_owned || (machine.late && look == 0) {
                snapshot.unattached.insert(owner(n));
            }
        }
        let of_zone = self.machines.iter().filter_map(|machine| match machine.vpc {
            Vpc::Shared => Some(Vpc::Home),
            vpc @ (Vpc::Home | Vpc::Second | Vpc::Peer) => Some(vpc),
            Vpc::Hidden | Vpc::Profile | Vpc::Other => None,
        });
        let of_zone = of_zone.map(|vpc| format!("{vpc:?}")).collect();
        // A peer lets others use its subnets, and so its VPC is shown.
        let shown = [Vpc::Home, Vpc::Second, Vpc::Peer, Vpc::Other].map(|vpc| sight::Vpc {
            id: format!("{vpc:?}"),
            is_own: vpc != Vpc::Peer,
            networks: vec![HOME],
        });
        snapshot.sight = sight::of(&of_zone, &shown, &self.said, &places);
    }

    /// An inspection of a world in which nothing happens meanwhile.
    pub(super) fn inspect(&self, at: u64) -> Inspection {
        let mut snapshot = Snapshot::default();
        self.show_ecs(&mut snapshot);
        self.show_ec2(&mut snapshot, usize::from(at > 0));
        Inspection { list: read(at, self.list()), snapshot: read(at + 1, snapshot) }
    }

    /// Deletes exactly this, if it is there.
    pub(super) fn delete(&mut self, set: &RecordSet) {
        if self.zone.get(&set.key()) == Some(set) {
            self.zone.remove(&set.key());
        }
    }
}

pub(super) fn read<T>(at: u64, what: T) -> Read<T> {
    let at = Moment::after(Duration::from_secs(at));
    Read { began: at, ended: at, missing: Vec::new(), what }
}
