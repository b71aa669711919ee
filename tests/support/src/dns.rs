//! The shortest way to ask for a service: one datagram out, one back.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hickory_server::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_server::proto::rr::{Name, RData, RecordType};

/// How long one answer may take, on a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How often [`Steady`] asks.
const ASKS_EVERY: Duration = Duration::from_millis(5);

/// Someone who asks one name server.
#[derive(Debug)]
pub struct Client {
    socket: UdpSocket,
    last_id: u16,
}

impl Client {
    pub fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        Self { socket, last_id: 0 }
    }

    /// Whether the name has SRV records.
    pub fn has(&mut self, name: &Name) -> bool {
        self.last_id = self.last_id.wrapping_add(1);
        let mut query = Message::new(self.last_id, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(name.clone(), RecordType::SRV));
        self.socket.send(&query.to_vec().unwrap()).unwrap();
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{name}: {error}"));
        let answer = Message::from_vec(&buffer[..length]).unwrap();
        assert_eq!(answer.metadata.id, self.last_id, "one question at a time: {answer}");
        let code = answer.metadata.response_code;
        assert!(matches!(code, ResponseCode::NoError | ResponseCode::NXDomain), "{answer}");
        !answer.answers.is_empty()
    }
}

/// Someone who asks for one service 200 times a second, whether anybody listens or not.
#[derive(Debug)]
pub struct Steady {
    stop: Arc<AtomicBool>,
    client: JoinHandle<Heard>,
}

/// What somebody was told, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub asked: u32,
    /// The service is there.
    pub there: u32,
    /// It is not, or there is no such name.
    pub not_there: u32,
    /// Whoever was asked does not know.
    pub unknown: u32,
    /// For how many seconds it may be remembered that it is not there, at the most.
    pub remembered_for: u32,
    /// The longest time without an answer that it is there, once there was one.
    pub blind: Duration,
}

impl Steady {
    pub fn start(server: SocketAddr, name: &Name) -> Self {
        let mut query = Message::new(1, MessageType::Query, OpCode::Query);
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(name.clone(), RecordType::SRV));
        let query = query.to_vec().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let client = thread::spawn(move || ask(server, &query, &stopped));
        Self { stop, client }
    }

    pub fn stop(self) -> Heard {
        self.stop.store(true, Ordering::Relaxed);
        self.client.join().unwrap()
    }
}

fn ask(server: SocketAddr, query: &[u8], stopped: &AtomicBool) -> Heard {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(ASKS_EVERY)).unwrap();
    let (mut heard, mut buffer) = (Heard::default(), [0; 4096]);
    let mut seen: Option<Instant> = None;
    while !stopped.load(Ordering::Relaxed) {
        let next = Instant::now() + ASKS_EVERY;
        heard.asked += 1;
        // Refused or unanswered, it hears nothing.
        if let Ok(length) = socket.send(query).and_then(|_| socket.recv(&mut buffer)) {
            let answer = Message::from_vec(&buffer[..length]).unwrap();
            match answer.metadata.response_code {
                ResponseCode::NoError if !answer.answers.is_empty() => {
                    heard.there += 1;
                    heard.blind = heard.blind.max(since(seen.replace(Instant::now())));
                }
                ResponseCode::NoError | ResponseCode::NXDomain => {
                    heard.not_there += 1;
                    heard.remembered_for = heard.remembered_for.max(remembered_for(&answer));
                }
                // "I could not find out."
                _ => heard.unknown += 1,
            }
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    heard.blind = heard.blind.max(since(seen));
    heard
}

fn since(moment: Option<Instant>) -> Duration {
    moment.map_or(Duration::ZERO, |moment| moment.elapsed())
}

/// Source: RFC 2308, section 5.
fn remembered_for(negative: &Message) -> u32 {
    let soa = negative.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    });
    soa.unwrap_or_default()
}
