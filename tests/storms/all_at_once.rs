//! All that one host can be besieged with at once, beside containers that are honest: these come and go at half the pace
//! that the same run measured while all was calm. What the agent takes meanwhile is held to the bounds of SECURITY.md.

use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::besiegers::{Pipelining, connect, question, run_patient};
use crate::engine::{Engine, Image};
use crate::host::{Host, id, listeners, named, port};
use crate::siege::nobody_was_shamed;
use crate::targets::Targets;

const HONEST: u16 = 12;
/// Clients of the DNS that ask without end, and that say nothing: more than there may be connections.
const PIPELINING: usize = 20;
const IDLE: usize = 150;
/// Labels that make every event of their container longer than is read.
const LABELS_OCTETS: usize = 4 << 20;
/// Of the engine's answers one in so many fails.
const FAILS_ONE_IN: usize = 100;
const CRASHING: u16 = 3_000;
const LABELLED: u16 = 3_001;

/// By how much the agent may grow, in kB: two inspections at once of what may be read of one, as octets and as values, and the
/// connections' buffers.
const GROWTH_MAX: u64 = 64 << 10;
/// Of DNS connections, checks, connections of the status, inspections, and what an agent has open by itself.
const DESCRIPTORS_MAX: usize = 128 + 64 + 64 + 16 + 32;
/// What is logged of each container that comes and goes, and of each second of the siege, in octets.
const LOGGED_OF_A_CONTAINER_MAX: usize = 8 << 10;
const LOGGED_OF_A_SECOND_MAX: usize = 4 << 10;

#[test]
fn all_at_once_hides_no_honest_start_or_end_and_costs_what_the_bounds_say() {
    let mut host = Host::start();
    host.run_unchecked(1, "_asked._tcp");
    host.registered("_asked._tcp");
    let healthy = listeners(3);
    for (number, listener) in (2..).zip(&healthy) {
        host.run_checked(number, &format!("_healthy-{number}._tcp"), port(listener));
        host.registered(&format!("_healthy-{number}._tcp"));
    }
    let calm = Instant::now();
    (100..100 + HONEST).for_each(|number| host.comes_and_goes(number, &format!("_calm-{number}._tcp")));
    // A start and an end took this long; twice as long passes now between two of either.
    let pause = calm.elapsed() / u32::from(HONEST) * 2;
    let (rss, logged, began) = (host.agent.memory().rss, host.agent.log().len(), Instant::now());

    let siege = All::start(&mut host, "_asked._tcp");
    let mut descriptors = 0;
    let honest = listeners(usize::from(HONEST));
    let name = |number: u16| format!("_honest-{number}._tcp");
    let mut run = Vec::new();
    for (number, listener) in (1_000..).zip(&honest) {
        run.push((number, host.run_checked(number, &name(number), port(listener))));
        thread::sleep(pause);
        descriptors = descriptors.max(host.agent.descriptors());
    }
    run.iter().for_each(|(number, _)| host.registered(&name(*number)));
    for (_, id) in &run {
        host.engine.die(id);
        thread::sleep(pause);
        descriptors = descriptors.max(host.agent.descriptors());
    }
    run.iter().for_each(|(number, _)| host.gone(&name(*number)));
    (2..5).for_each(|number| assert!(host.has(&format!("_healthy-{number}._tcp")), "a healthy one is gone"));

    let (lives, mutated) = siege.stop(&host);
    nobody_was_shamed(&host);
    let seconds = began.elapsed().as_secs() as usize + 1;
    let growth = host.agent.peak_rss().unwrap().saturating_sub(rss);
    let logged = host.agent.log().len() - logged;
    println!(
        "{lives} lives of one that crashes, {mutated} mutated questions, {growth} kB more than {rss}, {descriptors} \
         descriptors, {logged} octets of log in {seconds} s"
    );
    assert!(growth <= GROWTH_MAX, "grew by {growth} kB");
    assert!(descriptors <= DESCRIPTORS_MAX, "{descriptors} descriptors");
    let containers = usize::from(HONEST) + 4;
    let most = containers * LOGGED_OF_A_CONTAINER_MAX + seconds * LOGGED_OF_A_SECOND_MAX;
    assert!(logged <= most, "{logged} octets of log, of at most {most}: {}", host.agent.log());
    assert!(!host.agent.log().contains("log lines were dropped"), "{}", host.agent.log());
    assert_eq!(host.agent.drain(), Some(0));
}

/// All of them at once.
pub struct All {
    pipelining: Pipelining,
    idle: Vec<TcpStream>,
    siege: Siege,
    _targets: Targets,
}

impl All {
    /// Besieges a host where this service answers.
    pub fn start(host: &mut Host, asked: &str) -> Self {
        let targets = Targets::start(100);
        run_patient(host, 2_000, &targets.ports[..50]);
        run_patient(host, 2_001, &targets.ports[50..]);
        let pipelining = Pipelining::start(host, asked, PIPELINING);
        let idle = (0..IDLE).map(|_| connect(host.agent.dns())).collect();
        host.engine.fail_one_in(FAILS_ONE_IN);
        let siege = Siege::start(host, asked);
        host.wait_for("a siege", |_| targets.waiting() > 0 && siege.mutated() > 1_000 && siege.lives() > 10);
        Self { pipelining, idle, siege, _targets: targets }
    }

    /// Ends it; how many lives and questions there were.
    pub fn stop(self, host: &Host) -> (usize, usize) {
        let counts = self.siege.stop();
        self.pipelining.stop();
        drop(self.idle);
        host.engine.fail_one_in(0);
        counts
    }
}

/// Who besieges without being asked for more: a container that crashes, one with large labels of which much is told,
/// and questions that are none.
struct Siege {
    over: Arc<AtomicBool>,
    lives: Arc<AtomicUsize>,
    mutated: Arc<AtomicUsize>,
    besiegers: Vec<JoinHandle<()>>,
}

impl Siege {
    fn start(host: &Host, asked: &str) -> Self {
        let over = Arc::<AtomicBool>::default();
        let (lives, mutated) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let crashing = {
            let (engine, over, lives) = (host.engine.clone(), over.clone(), Arc::clone(&lives));
            thread::spawn(move || crash(&engine, &over, &lives))
        };
        let labelled = {
            let (engine, over) = (host.engine.clone(), over.clone());
            thread::spawn(move || tell_of_labels(&engine, &over))
        };
        let asking = {
            let (server, over, mutated) = (host.agent.dns(), over.clone(), Arc::clone(&mutated));
            let question = question(host, asked).split_off(2);
            thread::spawn(move || {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                let mut random = fastrand::Rng::with_seed(7);
                while !over.load(Ordering::Relaxed) {
                    let mut question = question.clone();
                    for _ in 0..random.usize(1..8) {
                        let at = random.usize(..question.len());
                        question[at] = random.u8(..);
                    }
                    question.truncate(random.usize(1..=question.len()));
                    let _ = socket.send_to(&question, server);
                    mutated.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_micros(500));
                }
            })
        };
        Self { over, lives, mutated, besiegers: vec![crashing, labelled, asking] }
    }

    fn lives(&self) -> usize {
        self.lives.load(Ordering::Relaxed)
    }

    fn mutated(&self) -> usize {
        self.mutated.load(Ordering::Relaxed)
    }

    /// Ends it; how many lives and questions there were.
    fn stop(self) -> (usize, usize) {
        self.over.store(true, Ordering::Relaxed);
        let counts = (self.lives.clone(), self.mutated.clone());
        self.besiegers.into_iter().for_each(|besieger| besieger.join().unwrap());
        (counts.0.load(Ordering::Relaxed), counts.1.load(Ordering::Relaxed))
    }
}

fn crash(engine: &Engine, over: &AtomicBool, lives: &AtomicUsize) {
    let (id, environment) = (id(CRASHING), [named("_crashing._tcp"), "SERVICE_80_CHECK=none".to_owned()]);
    let image = Image { name: "crashing", environment: &environment, ports: &[(80, CRASHING)], health: None };
    while !over.load(Ordering::Relaxed) {
        engine.run(&id, &image);
        thread::sleep(Duration::from_millis(25));
        engine.die(&id);
        thread::sleep(Duration::from_millis(25));
        lives.fetch_add(1, Ordering::Relaxed);
    }
}

fn tell_of_labels(engine: &Engine, over: &AtomicBool) {
    let (id, environment) = (id(LABELLED), [named("_labelled._tcp"), "SERVICE_80_CHECK=none".to_owned()]);
    let image = Image { name: "labelled", environment: &environment, ports: &[(80, LABELLED)], health: None };
    engine.label(&id, LABELS_OCTETS);
    engine.run(&id, &image);
    while !over.load(Ordering::Relaxed) {
        engine.tell(&[(&id, "health_status: healthy")]);
        thread::sleep(Duration::from_millis(500));
    }
}
