//! Bytes are what a client of the status says: the first octet tells whether over the network or at the socket. Whatever
//! it is, it is answered in HTTP or the connection is closed, and whoever comes next is answered.
#![no_main]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ecssd::serve::status::{Listen, Source, serve};
use ecssd::serve::web::Front;
use ecssd::status::schema::Status;
use ecssd::status::{Seen, assemble};
use libfuzzer_sys::fuzz_target;

/// An answer to what this agent knows, which is nothing.
const ANSWER_OCTETS_MAX: usize = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let Some((way, request)) = data.split_first() else { return };
    let (front, socket) = served();
    if way % 2 == 0 {
        let stream = UnixStream::connect(socket).expect("the socket");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let end = |stream: &UnixStream| drop(stream.shutdown(Shutdown::Write));
        said(stream, request, end);
    } else {
        let stream = TcpStream::connect(front.address().expect("an address")).expect("the server");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        said(stream, request, |stream| drop(stream.shutdown(Shutdown::Write)));
    }
});

fn said<S: Read + Write>(mut stream: S, request: &[u8], end: impl Fn(&S)) {
    // Whoever is cut off has said enough.
    let _ = stream.write_all(request);
    end(&stream);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{:?}", String::from_utf8_lossy(&answer));
    assert!(answer.len() <= ANSWER_OCTETS_MAX, "{} octets", answer.len());
}

struct Nothing;

impl Source for Nothing {
    fn look(&self) -> (Status, Seen) {
        let seen = Seen::default();
        (assemble(None, &seen), seen)
    }

    fn ask(&self, name: &str, kind: &str) -> Option<String> {
        Some(format!("{name:?} {kind:?}\n"))
    }
}

fn served() -> &'static (Front, PathBuf) {
    static SERVED: OnceLock<(Front, PathBuf)> = OnceLock::new();
    SERVED.get_or_init(|| {
        let socket = std::env::temp_dir().join(format!("ecssd-fuzz-{}.sock", std::process::id()));
        let listen = Listen { address: Some((Ipv4Addr::LOCALHOST, 0).into()), sockets: vec![socket.clone()] };
        let front = serve(listen, Nothing, 8).expect("a server");
        while front.address().is_none() || UnixStream::connect(&socket).is_err() {
            std::thread::yield_now();
        }
        (front, socket)
    })
}
