//! The shortest way to ask for a service: one datagram out, one back.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_server::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_server::proto::rr::{Name, RecordType};

/// How long one answer may take, on a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

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
