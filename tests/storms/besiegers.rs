//! Who lays siege to an agent: containers whose checks hang, and clients of its DNS that never let up.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hickory_server::proto::op::{Message, MessageType, OpCode, Query};
use hickory_server::proto::rr::{Name, RecordType};

use crate::engine::Image;
use crate::host::{Host, id};

/// How many questions a client sends before it reads an answer.
const BURST: usize = 50;

/// A container that offers a service at each of these ports, asked as patiently as can be.
pub fn run_patient(host: &Host, number: u16, ports: &[u16]) {
    let container_port = |index: usize| u16::try_from(index + 1).unwrap();
    let keys = |index: usize| {
        let port = container_port(index);
        ["CHECK_HTTP=/", "CHECK_INTERVAL=60", "CHECK_TIMEOUT=60"]
            .map(|key| format!("SERVICE_{port}_{key}"))
            .into_iter()
            .chain([format!("SERVICE_{port}_NAME=_hung-{number}-{port}._tcp")])
    };
    let environment: Vec<_> = (0..ports.len()).flat_map(keys).collect();
    let ports: Vec<_> =
        ports.iter().enumerate().map(|(index, port)| (container_port(index), *port)).collect();
    host.engine.run(
        &id(number),
        &Image { name: "besieger", environment: &environment, ports: &ports, health: None },
    );
}

/// A question for a name of the zone, as it goes over TCP.
pub fn question(host: &Host, name: &str) -> Vec<u8> {
    let mut query = Message::new(7, MessageType::Query, OpCode::Query);
    query.add_query(Query::query(
        Name::from_ascii(format!("{}.", host.agent.full(name))).unwrap(),
        RecordType::SRV,
    ));
    let message = query.to_vec().unwrap();
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat()
}

/// Reads one answer; `None` when the other side has hung up.
pub fn answer(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

/// A connection to the DNS.
pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Clients over TCP that send questions faster than they read answers, and come back when they are turned away.
#[derive(Debug)]
pub struct Pipelining {
    over: Arc<AtomicBool>,
    answered: Arc<Vec<AtomicUsize>>,
    clients: Vec<JoinHandle<()>>,
}

impl Pipelining {
    pub fn start(host: &Host, name: &str, number: usize) -> Self {
        let (asked, over) = (question(host, name).repeat(BURST), Arc::new(AtomicBool::new(false)));
        let answered: Arc<Vec<AtomicUsize>> = Arc::new((0..number).map(|_| AtomicUsize::new(0)).collect());
        let clients = (0..number).map(|client| {
            let (server, burst) = (host.agent.dns(), asked.clone());
            let (over, answered) = (over.clone(), answered.clone());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let mut stream = connect(server);
                    while !over.load(Ordering::Relaxed) && stream.write_all(&burst).is_ok() {
                        let count = (0..BURST).map_while(|_| answer(&mut stream)).count();
                        answered[client].fetch_add(count, Ordering::Relaxed);
                        if count < BURST {
                            break;
                        }
                    }
                }
            })
        });
        let clients = clients.collect();
        Self { over, answered, clients }
    }

    pub fn all_were_answered(&self) -> bool {
        self.answered.iter().all(|count| count.load(Ordering::Relaxed) > 0)
    }

    pub fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.clients.into_iter().for_each(|client| client.join().unwrap());
    }
}
