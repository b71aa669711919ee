//! Ports that checks are made at, and a count of those that are under way.
//!
//! Who only connects is accepted by the kernel, and leaves no trace of how long it was there; who asks over HTTP
//! waits for an answer, and nothing is answered before the gate opens.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Listeners of this process, each at a port of its own.
#[derive(Debug)]
pub struct Targets {
    pub ports: Vec<u16>,
    count: Arc<Count>,
    gate: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Count {
    open: AtomicUsize,
    peak: AtomicUsize,
    answered: AtomicUsize,
}

impl Targets {
    pub fn start(number: usize) -> Self {
        let listeners: Vec<_> = (0..number).map(|_| listener()).collect();
        let ports = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let (count, (gate, opened)) = (Arc::<Count>::default(), watch::channel(false));
        let shared = count.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listeners = listeners.into_iter().map(|listener| {
                    tokio::spawn(listen(
                        TcpListener::from_std(listener).unwrap(),
                        shared.clone(),
                        opened.clone(),
                    ))
                });
                for listener in listeners.collect::<Vec<_>>() {
                    listener.await.unwrap();
                }
            });
        });
        Self { ports, count, gate }
    }

    /// From now on everybody is answered.
    pub fn open(&self) {
        self.gate.send_replace(true);
    }

    /// How many wait for their answer.
    pub fn waiting(&self) -> usize {
        self.count.open.load(Ordering::SeqCst)
    }

    /// The most that ever waited at once.
    pub fn peak(&self) -> usize {
        self.count.peak.load(Ordering::SeqCst)
    }

    pub fn answered(&self) -> usize {
        self.count.answered.load(Ordering::SeqCst)
    }
}

fn listener() -> std::net::TcpListener {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

async fn listen(listener: TcpListener, count: Arc<Count>, opened: watch::Receiver<bool>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever hangs up is not asked why.
        tokio::spawn(answer(stream, count.clone(), opened.clone()));
    }
}

async fn answer(mut stream: TcpStream, count: Arc<Count>, mut opened: watch::Receiver<bool>) -> Option<()> {
    let mut request = [0; 1024];
    let asked = stream.read(&mut request).await.ok().filter(|length| *length > 0);
    asked?;
    let open = count.open.fetch_add(1, Ordering::SeqCst) + 1;
    count.peak.fetch_max(open, Ordering::SeqCst);
    let gate = opened.wait_for(|open| *open).await.is_ok();
    count.open.fetch_sub(1, Ordering::SeqCst);
    count.answered.fetch_add(1, Ordering::SeqCst);
    let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    stream.write_all(answer).await.ok().filter(|()| gate)
}
