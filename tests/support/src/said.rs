//! A client of a server that is not trusted: says octets, and takes what comes as it comes.

use std::io::{Read, Write};
use std::net::TcpStream;

/// An answer, as it came; 0 where there was none.
#[derive(Debug)]
pub struct Said {
    pub code: u16,
    pub head: String,
    pub body: String,
}

/// What is answered to these octets.
pub fn said(mut stream: impl Read + Write, octets: &[u8]) -> Said {
    // Whoever sends too much is cut off, perhaps in the middle of it.
    let _ = stream.write_all(octets);
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..length]);
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let code = head.split(' ').nth(1).map_or(0, |code| code.parse().unwrap());
    Said { code, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// How many of these the server has closed.
pub fn closed(streams: &mut [TcpStream]) -> usize {
    let is_closed = |stream: &mut TcpStream| {
        stream.set_nonblocking(true).unwrap();
        match stream.read(&mut [0; 64]) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    };
    streams.iter_mut().filter_map(|stream| is_closed(stream).then_some(())).count()
}
