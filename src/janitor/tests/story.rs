//! One run of the janitor in a world that does not stand still: any hosts, any leftovers, any news in any
//! gap between two pages, any failed page.

use std::time::Duration;

use proptest::prelude::*;

use super::world::{
    EMPTY, EcsSays, HOME, Job, Kind, Machine, Tag, Vpc, World, ZONE, docker_id, owner, service, weighted,
};
use crate::janitor::evidence::{AgentConnection, InstanceState, Snapshot};
use crate::janitor::suspects::Suspects;
use crate::janitor::{Inspection, Report, judge};
use crate::moment::Moment;
use crate::record::{RecordSet, RecordType, Routing};

/// Reads of one run, and then its deletes: in each gap before one, something may happen.
const STEPS: u8 = 9;
/// The news that a host's agent registers it anew.
const REGISTERED_ANEW: u8 = 16;

#[derive(Clone, Debug)]
pub(super) struct Story {
    pub machines: Vec<u32>,
    pub jobs: Vec<u16>,
    pub home: bool,
    /// In which gap, what, to whom.
    pub news: Vec<(u8, u8, u8)>,
    pub fault: u8,
}

pub(super) fn stories() -> impl Strategy<Value = Story> {
    let news = proptest::collection::vec((0..STEPS, 0..=REGISTERED_ANEW, any::<u8>()), 0..8);
    let machines = proptest::collection::vec(any::<u32>(), 2..8);
    let jobs = proptest::collection::vec(any::<u16>(), 2..18);
    (machines, jobs, news, any::<u8>(), any::<bool>()).prop_map(|(machines, jobs, news, fault, home)| Story {
        machines,
        jobs,
        home,
        news,
        fault,
    })
}

/// All that there is to check.
#[derive(Debug)]
pub(super) struct Run {
    pub inspections: [Inspection; 2],
    /// The truth at the end of the first inspection, and when the deletes are made.
    pub worlds: [World; 2],
    pub now: Moment,
    pub report: Report,
    /// Between a list and its snapshot.
    pub registered_meanwhile: usize,
}

impl Story {
    pub(super) fn world(&self) -> World {
        let mut world = World::default();
        for bits in &self.machines {
            let (kind, vpc) = nature(bits >> 16);
            let state = match (bits >> 4) & 31 {
                0..=5 => InstanceState::Terminated,
                6 | 7 => InstanceState::Stopped,
                8 => InstanceState::Stopping,
                9 => InstanceState::ShuttingDown,
                10 => InstanceState::Pending,
                _ => InstanceState::Running,
            };
            let agent = match ((bits >> 9) & 7, state) {
                (0, _) | (_, InstanceState::Terminated) => AgentConnection::Absent,
                (1, _) | (_, InstanceState::Stopped) => AgentConnection::Disconnected,
                _ => AgentConnection::Connected,
            };
            let forgotten = state == InstanceState::Terminated && (bits >> 12) & 3 == 0;
            let octet = u8::try_from((bits >> 14) & 3).unwrap();
            let late = state == InstanceState::Running && (bits >> 24) & 7 == 0;
            world.machine(Machine { kind, vpc, octet, state, agent, forgotten, late });
        }
        // An operator knows of those that nothing shows, and that have the same addresses.
        let is_secret = |machine: &Machine| machine.kind == Kind::Ours && machine.vpc == Vpc::Hidden;
        world.said = match (world.machines.iter().any(is_secret), self.home) {
            (true, _) => vec![EMPTY],
            (false, true) => vec![HOME],
            (false, false) => Vec::new(),
        };
        for bits in &self.jobs {
            let machine = usize::from(bits & 15) % world.machines.len();
            if world.machines[machine].kind == Kind::Bystander {
                continue;
            }
            let (on, connected) =
                (world.is_on(machine), world.machines[machine].agent == AgentConnection::Connected);
            let alive = (bits >> 4) & 7 < 5;
            let ecs = match ((bits >> 7) & 3, alive && on, connected) {
                (0, ..) => EcsSays::Nothing,
                (_, true, true) | (1, _, false) => EcsSays::Runs,
                _ => EcsSays::Stopped,
            };
            // Only a host whose agent is not connected runs what ECS calls stopped.
            let alive = alive && !(connected && ecs == EcsSays::Stopped);
            let service = if (bits >> 9) & 3 == 0 { 1 } else { 0 };
            let (vpc, all_names) = ((bits >> 11) & 3 == 0, (bits >> 13) & 1 == 0);
            world.job(Job { machine, service, alive, ecs, let_go: false, vpc, all_names });
        }
        for set in others() {
            world.put(set, Tag::Nobody);
        }
        world
    }

    pub(super) fn run(&self, judge: impl Fn(&[Inspection; 2], Moment) -> Report) -> Run {
        let mut world = self.world();
        let fault = if self.fault < 64 { self.fault % 10 } else { u8::MAX };
        let wait = if fault == 0 { 59 } else { 60 };
        let late = if fault == 1 { 61 } else { 1 };
        let mut registered_meanwhile = 0;
        let mut inspections = [0, 1].map(|_| Inspection::default());
        let mut then = None;
        let mut clock = 100;
        for step in 0..STEPS {
            let before = world.jobs.len();
            let page = step % 4;
            // The second inspection may take its snapshot first.
            let page = if fault == 2 && step / 4 == 1 { (page + 2) % 4 } else { page };
            for &(_, what, who) in self.news.iter().filter(|news| news.0 == step) {
                // ECS tells of agents before it tells of tasks; here they are shown with EC2's part, which comes last.
                if what == REGISTERED_ANEW && page == 3 {
                    continue;
                }
                // What starts again after the last snapshot, no verdict can know, if it is quick.
                let hidden = step == STEPS - 1 && late == 1;
                news(&mut world, what, usize::from(who), hidden);
            }
            let inspection = usize::from(step / 4);
            // The list is read, ECS is not yet.
            if page == 2 {
                registered_meanwhile += world.jobs.len() - before;
            }
            let Some(seen) = inspections.get_mut(inspection) else { break };
            clock += if step == 4 { wait } else { 1 };
            let at = Moment::after(Duration::from_secs(clock));
            match page {
                0 | 1 => read_list(seen, &world, page, at),
                2 => {
                    world.show_ecs(&mut seen.snapshot.what);
                    (seen.snapshot.began, seen.snapshot.ended) = (at, at);
                }
                _ => {
                    world.show_ec2(&mut seen.snapshot.what, inspection);
                    seen.snapshot.ended = at;
                }
            }
            if step == 3 {
                then = Some(world.clone());
            }
        }
        match fault {
            3 | 4 => lose_list(&mut inspections[usize::from(fault - 3)]),
            5 | 6 => lose_snapshot(&mut inspections[usize::from(fault - 5)]),
            7 => inspections[1].list.began = Moment::after(Duration::from_secs(50)),
            8 => run_out_of_time(&mut inspections[0].snapshot.what),
            _ => {}
        }
        let now = Moment::after(Duration::from_secs(clock + late));
        let report = judge(&inspections, now);
        let inspections = asked(&inspections);
        Run { inspections, worlds: [then.unwrap(), world], now, report, registered_meanwhile }
    }
}

/// What a machine is, and where.
fn nature(bits: u32) -> (Kind, Vpc) {
    let kind = match bits & 15 {
        0..=7 => Kind::Ours,
        8..=11 => Kind::Legacy,
        12 | 13 => Kind::Named,
        _ => return (Kind::Bystander, if bits & 16 == 0 { Vpc::Other } else { Vpc::Second }),
    };
    let vpc = match (bits >> 4) & 15 {
        0..=7 => Vpc::Home,
        8 | 9 => Vpc::Second,
        10 => Vpc::Shared,
        11 => Vpc::Peer,
        12 => Vpc::Profile,
        13 => Vpc::Other,
        _ => Vpc::Hidden,
    };
    (kind, vpc)
}

/// Looks as a run takes them: at the second, EC2 and ECS are asked only about what looked dead at the first.
pub(super) fn asked([first, last]: &[Inspection; 2]) -> [Inspection; 2] {
    let suspects = Suspects::of(ZONE, first);
    let (before, mut last) = (&first.snapshot.what, last.clone());
    let snapshot = &mut last.snapshot.what;
    snapshot.sight.clone_from(&before.sight);
    snapshot.hosts.retain(|id, _| suspects.hosts.contains(id));
    snapshot.containers.retain(|id, _| suspects.containers.contains(id));
    snapshot.unattached.retain(|id| suspects.gone.contains(id));
    snapshot.services = match (suspects.empties, &before.services, snapshot.services.take()) {
        (true, Some(before), Some(now)) => Some(before.union(&now).cloned().collect()),
        _ => None,
    };
    [first.clone(), last]
}

/// The verdict on what a run is shown.
pub(super) fn judged(inspections: &[Inspection; 2], now: Moment) -> Report {
    let [first, last] = asked(inspections);
    judge(ZONE, &first, &last, now)
}

/// What has stopped was read, and half of what runs.
fn run_out_of_time(snapshot: &mut Snapshot) {
    let mut n = 0;
    snapshot.containers.retain(|_, container| {
        n += 1;
        container.stopped || n % 2 == 0
    });
    (snapshot.services, snapshot.unread) = (None, 1);
}

fn read_list(inspection: &mut Inspection, world: &World, page: u8, at: Moment) {
    // The second page begins after the last name of the first.
    let half = service(0);
    let is_here = |set: &&RecordSet| (set.name < half) == (page == 0);
    inspection.list.what.extend(world.list().iter().filter(is_here).cloned());
    inspection.list.ended = at;
    if page == 0 {
        inspection.list.began = at;
    }
}

fn lose_list(inspection: &mut Inspection) {
    inspection.list.missing.push("the last page was throttled".to_owned());
    let half = inspection.list.what.len() / 2;
    inspection.list.what.truncate(half);
}

fn lose_snapshot(inspection: &mut Inspection) {
    inspection.snapshot.missing.push("the second page failed".to_owned());
    let Snapshot { hosts, containers, services, .. } = &mut inspection.snapshot.what;
    let mut n = 0;
    let mut even = || {
        n += 1;
        n % 2 == 0
    };
    hosts.retain(|_, _| even());
    containers.retain(|_, _| even());
    *services = None;
}

fn news(world: &mut World, what: u8, who: usize, hidden: bool) {
    let machine = who % world.machines.len();
    let registers = world.machines[machine].kind != Kind::Bystander;
    let on = world.machines[machine].state == InstanceState::Running;
    if world.jobs.is_empty() {
        return;
    }
    let job = who % world.jobs.len();
    match what {
        0..=4 if on && registers => {
            let connected = world.machines[machine].agent == AgentConnection::Connected;
            let ecs = if what > 0 && connected { EcsSays::Runs } else { EcsSays::Nothing };
            let (vpc, all_names) = (what == 3, what == 4);
            world.job(Job { machine, service: 0, alive: true, ecs, let_go: false, vpc, all_names });
        }
        5 | 6 if world.runs(job) => {
            world.jobs[job].alive = false;
            if world.machines[world.jobs[job].machine].agent == AgentConnection::Connected
                && world.jobs[job].ecs == EcsSays::Runs
            {
                world.jobs[job].ecs = EcsSays::Stopped;
            }
            if what == 5 {
                world.unregister(job);
            }
        }
        7 => {
            world.machines[machine].state = InstanceState::Terminated;
            world.machines[machine].agent = AgentConnection::Absent;
        }
        8 if on => {
            world.machines[machine].state = InstanceState::Stopped;
            world.machines[machine].agent = AgentConnection::Disconnected;
        }
        9 if on => world.machines[machine].state = InstanceState::Stopping,
        10..=12 if world.machines[machine].state == InstanceState::Stopped && !hidden => {
            world.machines[machine].state = InstanceState::Running;
            let back: Vec<_> = (0..world.jobs.len())
                .filter(|&n| world.jobs[n].machine == machine && world.jobs[n].alive)
                .collect();
            back.into_iter().for_each(|n| world.register(n));
        }
        // ECS lets go of a host on which everything runs on.
        13 if on => {
            world.machines[machine].agent = AgentConnection::Absent;
            let known = |job: &&mut Job| job.machine == machine && job.ecs == EcsSays::Runs;
            world
                .jobs
                .iter_mut()
                .filter(known)
                .for_each(|job| (job.ecs, job.let_go) = (EcsSays::Stopped, true));
        }
        14 => world.machines[machine].agent = AgentConnection::Disconnected,
        // Its agent registers it anew, and what ECS let go of runs on.
        REGISTERED_ANEW if on && world.machines[machine].agent == AgentConnection::Absent => {
            world.machines[machine].agent = AgentConnection::Connected;
            let stopped = |job: &&mut Job| job.machine == machine && job.ecs == EcsSays::Stopped;
            world.jobs.iter_mut().filter(stopped).for_each(|job| job.let_go = true);
        }
        15 => {
            let key = world.tags.iter().find(|(_, tag)| **tag == Tag::Job(job)).map(|(key, _)| key.clone());
            if let Some(set) = key.and_then(|key| world.zone.get_mut(&key)) {
                set.routing = Routing::Weighted(0);
            }
        }
        _ => {}
    }
}

/// Records that others wrote, some of them confusing.
fn others() -> Vec<RecordSet> {
    let record = |name: &str, kind, id: &str, value: &str| {
        weighted(format!("{name}.{ZONE}"), kind, id.to_owned(), value.to_owned())
    };
    let simple = RecordSet {
        set_identifier: None,
        routing: Routing::Simple,
        ..record("www", RecordType::A, "", "10.0.0.0")
    };
    let (host, id) = (owner(0), docker_id(0));
    vec![
        simple,
        record("api", RecordType::A, "blue", "10.0.9.9"),
        record("blue", RecordType::A, "blue", "10.0.9.9"),
        // As if a host had been asked to lend its id.
        record("db", RecordType::A, host.as_str(), "10.0.9.9"),
        record("cache", RecordType::A, &format!("{host}:{id}"), "10.0.9.9"),
        record("_s0._tcp", RecordType::Srv, "by-hand", "1 1 80 www.sd.internal"),
        record("s0", RecordType::A, "by-hand", "10.0.9.9"),
        // Without a share, which the address of a service always has.
        RecordSet {
            routing: Routing::Multivalue,
            ..record("s2", RecordType::A, &format!("{host}:{id}:a"), "10.0.9.9")
        },
        record("_s2._tcp", RecordType::Srv, &format!("{host}:{id}:80"), "1 1 80 elsewhere.example"),
        record("note", RecordType::Txt, &format!("{host}:{id}:80"), "\"x\""),
    ]
}
