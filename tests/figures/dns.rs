//! How many questions the agent's own DNS answers in a second, with few names and with many, and how long the agent's
//! other work waits meanwhile. Beside another build, where `ECSSD_BENCH_BEFORE` names one: both by turns, in one run.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ecssd_testing::agent::{Agent, program};
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::percentile::percentile;
use ecssd_testing::storm::host::Host;
use hickory_server::proto::op::{Message, MessageType, OpCode, Query};
use hickory_server::proto::rr::{Name, RecordType};

use crate::table::{Table, ms};
use crate::{Plan, say};

/// Questions of one client that wait for their answers.
const WINDOW: usize = 16;
const CLIENTS: usize = 4;
/// Containers that come and go while the clients ask.
const OTHERS: u16 = 9;
const FIRST_OTHER: u16 = 60_000;
/// By turns: a machine's other work falls on both.
const ROUNDS: usize = 3;

/// Measures both sizes.
pub fn measure(table: &mut Table, _: &Engine, plan: Plan) {
    let before = std::env::var_os("ECSSD_BENCH_BEFORE").map(PathBuf::from);
    for names in plan.names {
        say(&format!("DNS with {names} names"));
        let mut now = Side::start(&program(), names);
        let mut then = before.as_deref().map(|program| Side::start(program, names));
        for _ in 0..ROUNDS {
            now.round(plan.asking);
            if let Some(then) = &mut then {
                then.round(plan.asking);
            }
        }
        table.number(&format!("DNS, {names} names"), now.answers(), "answers/s");
        table.number(&format!("DNS, {names} names: start → answer meanwhile, p50"), now.latency(), "ms");
        if let Some(then) = then {
            table.number(&format!("DNS, {names} names, before"), then.answers(), "answers/s");
            table.judged("dns-beside-before", "DNS, now to before", now.answers() / then.answers(), "×");
        }
    }
}

/// An agent with so many names, and what came of asking it.
struct Side {
    host: Host,
    names: usize,
    answers: Vec<f64>,
    latencies: Vec<Duration>,
    others: u16,
}

impl Side {
    fn start(program: &Path, names: usize) -> Self {
        let mut host = Host::with(|engine| Agent::start_of(program, engine, &["--address", "127.0.0.1"]));
        for number in 0..names {
            host.run_unchecked(u16::try_from(number + 1).unwrap(), &name(number));
        }
        host.registered(&name(names - 1));
        Self { host, names, answers: Vec::new(), latencies: Vec::new(), others: FIRST_OTHER }
    }

    fn round(&mut self, asking: Duration) {
        let clients = Clients::start(self.host.agent.dns(), self.names, &self.host);
        let (began, before) = (Instant::now(), clients.answered());
        for _ in 0..OTHERS {
            self.others += 1;
            let name = format!("_other-{}._tcp", self.others);
            let begun = Instant::now();
            self.host.run_unchecked(self.others, &name);
            self.host.registered(&name);
            self.latencies.push(begun.elapsed());
        }
        std::thread::sleep(asking.saturating_sub(began.elapsed()));
        self.answers.push((clients.answered() - before) as f64 / began.elapsed().as_secs_f64());
        clients.stop();
    }

    /// The best round: what else the machine does only takes from it.
    fn answers(&self) -> f64 {
        self.answers.iter().copied().fold(0.0, f64::max)
    }

    fn latency(&self) -> f64 {
        ms(percentile(&self.latencies, 50))
    }
}

fn name(number: usize) -> String {
    format!("_name-{number}._tcp")
}

/// Those that ask, each with a window of questions under way.
struct Clients {
    answered: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Clients {
    fn start(server: SocketAddr, names: usize, host: &Host) -> Self {
        let question = |number: usize| {
            let name = Name::from_ascii(format!("{}.", host.agent.full(&name(number)))).unwrap();
            let mut query = Message::new(1, MessageType::Query, OpCode::Query);
            query.add_query(Query::query(name, RecordType::SRV));
            query.to_vec().unwrap()
        };
        let questions: Arc<Vec<Vec<u8>>> = Arc::new((0..names).map(question).collect());
        let (answered, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let client = |number: usize| {
            let (questions, answered, stop) = (questions.clone(), answered.clone(), stop.clone());
            std::thread::spawn(move || ask(server, &questions, number, &answered, &stop))
        };
        let threads = (0..CLIENTS).map(client).collect();
        Self { answered, stop, threads }
    }

    fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

fn ask(server: SocketAddr, questions: &[Vec<u8>], number: usize, answered: &AtomicU64, stop: &AtomicBool) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut next = questions.iter().cycle().skip(number * questions.len() / CLIENTS);
    let mut buffer = [0; 4_096];
    while !stop.load(Ordering::Relaxed) {
        (0..WINDOW).for_each(|_| drop(socket.send(next.next().unwrap())));
        for _ in 0..WINDOW {
            // A datagram that the kernel dropped is not waited for longer.
            if socket.recv(&mut buffer).is_err() {
                break;
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}
