//! A server that never stops: it answers whoever asks with a beginning, and then with the same again and again, and
//! counts the octets that it could get rid of.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What a client that reads without a bound is sent at the most: enough to tell, little enough to take.
const GUSHED_MAX: usize = 320 << 20;

/// The server; it runs until the process ends.
#[derive(Clone, Debug, Default)]
pub struct Gusher {
    asked: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
}

/// What it says: what comes first, by the first line of the request, and what then comes for ever.
pub type Says = fn(&str) -> (&'static str, &'static str);

impl Gusher {
    /// One over TCP, and its URL.
    pub fn over_tcp(says: Says) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gusher = Self::default();
        let server = gusher.clone();
        thread::spawn(move || {
            listener.incoming().map_while(Result::ok).for_each(|stream| server.answer(stream, says));
        });
        (gusher, url)
    }

    /// One at a unix socket.
    pub fn at(path: &Path, says: Says) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let gusher = Self::default();
        let server = gusher.clone();
        thread::spawn(move || {
            listener.incoming().map_while(Result::ok).for_each(|stream| server.answer(stream, says));
        });
        gusher
    }

    /// How many octets went out; what the kernel holds for a client is among them.
    pub fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn answer(&self, mut stream: impl Read + Write + Send + 'static, says: Says) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let written = self.written.clone();
        thread::spawn(move || {
            let mut request = vec![0; 64 << 10];
            let length = stream.read(&mut request).unwrap_or_default();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let (first, again) = says(request.lines().next().unwrap_or_default());
            let again = again.repeat((64 << 10) / again.len().max(1) + 1);
            if stream.write_all(first.as_bytes()).is_err() {
                return;
            }
            let mut left = GUSHED_MAX;
            while left > 0 {
                match stream.write(again.as_bytes()) {
                    Ok(length) if length > 0 => {
                        written.fetch_add(length, Ordering::Relaxed);
                        left = left.saturating_sub(length);
                    }
                    _ => return,
                }
            }
        });
    }
}
