//! Copies of services, each a web server at an address of its own, and the zone that names them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use ecssd::record::{Action, Change, Owner, RecordSet, RecordType, Registrant, Routing};
use ecssd::serve::dns::{DnsFront, serve};
use ecssd::serve::targets::{self, Directory};
use ecssd::serve::web::Front;
use ecssd::status::Discovery;
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::http::{Request, written};
use std::io::{BufReader, Write};

/// Where the zone is answered for. Port 53, because a resolv.conf knows no other.
pub const DNS: &str = "127.53.0.1:53";
/// Where every copy listens, each at its own address.
const PORT: u16 = 8_081;

/// Copies of one service.
#[derive(Debug)]
pub struct Fleet {
    zone: EmbeddedZone,
    service: &'static str,
    front: Option<DnsFront>,
    servers: Vec<Option<Server>>,
}

impl Fleet {
    /// So many copies, which serve and are registered.
    pub fn start(service: &'static str, copies: usize) -> Self {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let servers = (0..copies).map(|_| None).collect();
        let mut fleet = Self { zone, service, front: None, servers };
        fleet.change(Action::Create, (0..copies).map(host));
        (0..copies).for_each(|copy| fleet.serve(copy));
        (0..copies).for_each(|copy| fleet.register(copy));
        fleet.answer();
        fleet
    }

    pub fn register(&self, copy: usize) {
        self.change(Action::Create, self.records(copy));
    }

    pub fn withdraw(&self, copy: usize) {
        self.change(Action::Delete, self.records(copy));
    }

    pub fn serve(&mut self, copy: usize) {
        self.servers[copy] = Some(Server::start(address(copy)));
    }

    pub fn kill(&mut self, copy: usize) {
        self.servers[copy] = None;
    }

    /// DNS is back.
    pub fn answer(&mut self) {
        self.front = Some(serve(self.zone.clone(), &[DNS.parse().unwrap()], 64).unwrap());
    }

    /// DNS is away.
    pub fn silence(&mut self) {
        self.front = None;
    }

    /// Its targets over HTTP, at this address, as an agent serves them.
    pub fn tell(&self, at: SocketAddr) -> Front {
        let owner = Owner::new("web1").unwrap();
        let host = Registrant { owner, zone: "sd.internal".to_owned(), address: Ipv4Addr::LOCALHOST };
        let directory = Directory::new(Discovery::default());
        directory.open_here(&host, self.zone.clone());
        targets::serve(at, directory, 8).unwrap()
    }

    /// No copy, and an answer that says so.
    pub fn empty(service: &'static str) -> Self {
        Self::start(service, 0)
    }

    /// A copy more, which serves and is registered.
    pub fn grow(&mut self) {
        let copy = self.servers.len();
        self.servers.push(None);
        self.change(Action::Create, [host(copy)]);
        self.serve(copy);
        self.register(copy);
    }

    fn records(&self, copy: usize) -> [RecordSet; 2] {
        let value = format!("1 1 {PORT} {}.sd.internal", label(copy));
        let weighted =
            set(&format!("_{}._tcp", self.service), RecordType::Srv, Routing::Weighted(1), copy, value);
        let name = format!("_{}-all._tcp.sd.internal", self.service);
        [RecordSet { name, routing: Routing::Multivalue, ..weighted.clone() }, weighted]
    }

    fn change(&self, action: Action, sets: impl IntoIterator<Item = RecordSet>) {
        let batch: Vec<_> = sets.into_iter().map(|set| Change { action, set }).collect();
        if batch.is_empty() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(self.zone.change(&batch)).unwrap();
    }
}

fn label(copy: usize) -> String {
    format!("i-{:017x}", 0x0a1b_2c3d_4e5f_0000 + copy)
}

fn address(copy: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 53, 1, u8::try_from(copy).unwrap() + 1)
}

fn host(copy: usize) -> RecordSet {
    set(&label(copy), RecordType::A, Routing::Weighted(1), copy, address(copy).to_string())
}

fn set(name: &str, kind: RecordType, routing: Routing, copy: usize, value: String) -> RecordSet {
    let (name, set_identifier) = (format!("{name}.sd.internal"), Some(label(copy)));
    RecordSet { name, kind, set_identifier, routing, ttl: 0, values: vec![value] }
}

/// Answers every request with a page that Prometheus can read. Dropped, it listens no more.
#[derive(Debug)]
struct Server {
    at: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(address: Ipv4Addr) -> Self {
        let at = SocketAddr::from((address, PORT));
        let listener = TcpListener::bind(at).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                // Checks connect and say nothing.
                thread::spawn(move || stream.map(|stream| drop(answer(stream))));
            }
        });
        Self { at, over, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.at);
        let _ = self.thread.take().unwrap().join();
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    if Request::read(&mut BufReader::new(stream.try_clone()?))?.is_some() {
        stream.write_all(&written(&(200, "text/plain; version=0.0.4", "copy_serves 1\n".to_owned())))?;
    }
    Ok(())
}
