//! A small world that knows the truth: hosts, containers, what became of them, and the records they left.
//! It shows itself in looks, page by page, while things happen; what it shows it does not judge.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::janitor::Look;
use crate::janitor::evidence::{Container, Hearing, Host, Network, Place, Power, Read, Snapshot};
use crate::machine::record::{Key, RecordSet, RecordType};
use crate::machine::registration::Owner;

pub(super) const ZONE: &str = "sd.internal";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ours,
    Former,
    /// In another account.
    Foreign,
    OffEc2,
}

#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub kind: Kind,
    pub power: Power,
    pub ecs: Hearing,
    /// Terminated so long ago that EC2 does not show it.
    pub forgotten: bool,
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
    pub vpc: bool,
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
    pub zone: BTreeMap<Key, RecordSet>,
    pub tags: BTreeMap<Key, Tag>,
}

pub(super) fn owner(n: usize) -> Owner {
    Owner::new(&format!("i-{n:017x}")).unwrap()
}

pub(super) fn service(n: u8) -> String {
    format!("_s{n}._tcp.{ZONE}")
}

pub(super) fn docker_id(n: usize) -> String {
    format!("{n:012x}{:052x}", n + 7)
}

pub(super) fn weighted(name: String, kind: RecordType, id: String, value: String) -> RecordSet {
    RecordSet {
        name,
        kind,
        set_identifier: Some(id),
        weight: Some(1),
        multivalue: false,
        ttl: 0,
        values: vec![value],
    }
}

impl World {
    pub(super) fn address(&self, machine: usize) -> Ipv4Addr {
        let n = u8::try_from(machine).unwrap();
        match self.machines[machine].kind {
            Kind::Ours | Kind::Former => [10, 0, 0, n].into(),
            Kind::Foreign => [172, 16, 0, n].into(),
            Kind::OffEc2 => [192, 168, 0, n].into(),
        }
    }

    pub(super) fn host_name(&self, machine: usize) -> String {
        match self.machines[machine].kind {
            Kind::Ours | Kind::Foreign => owner(machine).to_string(),
            Kind::Former => format!("ip-10-0-0-{machine}.ec2.internal"),
            Kind::OffEc2 => format!("db{machine}"),
        }
    }

    pub(super) fn put(&mut self, set: RecordSet, tag: Tag) {
        self.tags.insert(set.key(), tag);
        self.zone.insert(set.key(), set);
    }

    pub(super) fn machine(&mut self, machine: Machine) -> usize {
        self.machines.push(machine);
        let n = self.machines.len() - 1;
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
        let Job { machine, service: name, vpc, .. } = self.jobs[n];
        let (host, id, port) = (self.host_name(machine), docker_id(n), 32_000 + n);
        let former = self.machines[machine].kind == Kind::Former;
        let target = match (former, vpc) {
            (true, _) => host.clone(),
            (false, true) => format!("{}.{ZONE}", &id[..12]),
            (false, false) => format!("{host}.{ZONE}"),
        };
        if vpc && !former {
            let address = format!("10.0.1.{n}");
            let set = weighted(target.clone(), RecordType::A, format!("{host}:{id}"), address);
            self.put(set, Tag::Job(n));
        }
        let mark = if former { format!("{host}:{id}") } else { format!("{host}:{id}:80") };
        let set = weighted(service(name), RecordType::Srv, mark, format!("1 1 {port} {target}"));
        self.put(set, Tag::Job(n));
    }

    pub(super) fn unregister(&mut self, job: usize) {
        self.zone.retain(|key, _| self.tags[key] != Tag::Job(job));
    }

    pub(super) fn is_on(&self, machine: usize) -> bool {
        !matches!(self.machines[machine].power, Power::Stopped | Power::Terminated)
    }

    /// The truth.
    pub(super) fn runs(&self, job: usize) -> bool {
        self.jobs[job].alive && self.is_on(self.jobs[job].machine)
    }

    pub(super) fn is_alive(&self, key: &Key) -> bool {
        match self.tags[key] {
            Tag::Nobody => true,
            Tag::Job(job) => self.runs(job),
            Tag::Machine(machine) => self.machines[machine].power != Power::Terminated,
        }
    }

    pub(super) fn in_account(&self, machine: usize) -> bool {
        matches!(self.machines[machine].kind, Kind::Ours | Kind::Former)
    }

    pub(super) fn list(&self) -> Vec<RecordSet> {
        self.zone.values().cloned().collect()
    }

    pub(super) fn show_ecs(&self, snapshot: &mut Snapshot) {
        let hearing: Vec<_> = self.machines.iter().map(|machine| machine.ecs).collect();
        for (n, job) in self.jobs.iter().enumerate().filter(|(_, job)| job.ecs != EcsSays::Nothing) {
            if !self.in_account(job.machine) {
                continue;
            }
            let stopped = job.ecs == EcsSays::Stopped;
            let instance =
                (hearing[job.machine] != Hearing::Silent || n % 2 == 0).then(|| owner(job.machine));
            snapshot.containers.insert(docker_id(n).parse().unwrap(), Container { instance, stopped });
            if !stopped {
                snapshot.services.insert(service(job.service));
                let (address, port) = (self.address(job.machine), 32_000 + u16::try_from(n).unwrap());
                snapshot.places.insert(Place { address, port, service: service(job.service) });
            }
        }
    }

    pub(super) fn show_ec2(&self, snapshot: &mut Snapshot) {
        snapshot.home = vec![Network { address: [10, 0, 0, 0].into(), prefix: 16 }];
        for (n, machine) in self.machines.iter().enumerate() {
            if self.in_account(n) && !machine.forgotten {
                let here = machine.power != Power::Terminated;
                let addresses: Vec<_> = here.then(|| self.address(n)).into_iter().collect();
                snapshot.held.extend(&addresses);
                let host = Host { power: machine.power, addresses, ecs: machine.ecs };
                snapshot.hosts.insert(owner(n), host);
            }
        }
    }

    /// A look at a world in which nothing happens meanwhile.
    pub(super) fn look(&self, at: u64) -> Look {
        let mut snapshot = Snapshot::default();
        self.show_ecs(&mut snapshot);
        self.show_ec2(&mut snapshot);
        Look { list: read(at, self.list()), snapshot: read(at + 1, snapshot) }
    }

    /// Deletes exactly this, if it is there.
    pub(super) fn delete(&mut self, set: &RecordSet) {
        if self.zone.get(&set.key()) == Some(set) {
            self.zone.remove(&set.key());
        }
    }
}

pub(super) fn read<T>(at: u64, what: T) -> Read<T> {
    let at = Duration::from_secs(at);
    Read { began: at, ended: at, missing: Vec::new(), what }
}
