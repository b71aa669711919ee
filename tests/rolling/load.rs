//! A consumer under way: every request finds the service afresh by DNS, and opens a connection of its own.
//!
//! Nothing is tried twice and nothing is remembered, so that whatever is wrong for a moment is counted. Requests
//! begin at a fixed pace whether or not earlier ones have ended: one that waits hides no others.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ecssd_testing::wait::PATIENCE;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

/// Between two requests: 62.5 a second.
const PERIOD: Duration = Duration::from_millis(16);
/// How long DNS may take, and then the service: a loaded machine is no failure.
const WITHIN: Duration = Duration::from_secs(5);

/// How many requests there are at least, by what happens meanwhile.
pub const WHILE_COPIES_ARE_REPLACED: usize = 2_000;
pub const WHILE_AGENTS_ARE_REPLACED: usize = 1_000;
pub const WHILE_ENGINES_RESTART: usize = 500;
pub const WHILE_OTHERS_CRASH: usize = 1_250;
/// One test of the first kind, two of the second, three of the third, and one of the last.
const ALL: usize = WHILE_COPIES_ARE_REPLACED
    + 2 * WHILE_AGENTS_ARE_REPLACED
    + 3 * WHILE_ENGINES_RESTART
    + WHILE_OTHERS_CRASH;
// So many that one failure in a thousand shows.
const _: () = assert!(ALL >= 5_000);

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// DNS did not answer, or not in time.
    NoAnswer,
    /// DNS says that there is no such name, or nothing of this type.
    NoSuchName,
    Refused,
    /// Reset, or closed before all was said.
    Reset,
    /// The host says that there is nobody at that address.
    Unreachable,
    Timeout,
    BadBody,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "no answer of DNS",
            Self::NoSuchName => "no such name",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::BadBody => "bad body",
        })
    }
}

/// From when to when.
pub type Interval = (Instant, Instant);

#[derive(Clone, Debug)]
struct Failure {
    began: Instant,
    ended: Instant,
    cause: Cause,
    detail: String,
}

/// What became of all requests.
#[derive(Debug)]
pub struct Report {
    pub requests: usize,
    took: Duration,
    failures: Vec<Failure>,
}

impl Report {
    pub fn failed(&self) -> usize {
        self.failures.len()
    }

    pub fn causes(&self) -> BTreeMap<Cause, usize> {
        let mut causes = BTreeMap::new();
        self.failures.iter().for_each(|failure| *causes.entry(failure.cause).or_default() += 1);
        causes
    }

    /// How many requests failed that began later than this.
    pub fn failed_after(&self, when: Instant) -> usize {
        self.failures.iter().filter(|failure| failure.began > when).count()
    }

    /// How many requests failed none of whose time was in one of these.
    pub fn failed_outside(&self, intervals: &[Interval]) -> usize {
        let outside = |failure: &&Failure| {
            intervals.iter().all(|(from, to)| failure.ended < *from || failure.began > *to)
        };
        self.failures.iter().filter(outside).count()
    }

    /// Says what it came to.
    pub fn tell(&self, what: &str) {
        println!("{what}: {self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, seconds) = (self.requests, self.took.as_secs_f64());
        write!(f, "{requests} requests in {seconds:.1} s, {} failed", self.failed())?;
        for (cause, count) in self.causes() {
            write!(f, ", {count} {cause}")?;
        }
        // One of each cause tells as much as all.
        for cause in self.causes().into_keys() {
            let first = self.failures.iter().find(|failure| failure.cause == cause);
            write!(f, "\n    {cause}: {}", first.map_or("", |failure| failure.detail.as_str()))?;
        }
        Ok(())
    }
}

/// Requests, until it is stopped.
pub struct Load {
    stop: oneshot::Sender<()>,
    done: Arc<AtomicUsize>,
    thread: JoinHandle<Report>,
}

impl Load {
    /// Asks this name server for `service`, a name in full.
    pub fn on(dns: SocketAddr, service: &str) -> Self {
        let service = Name::from_ascii(format!("{service}.")).unwrap();
        let (stop, stopped) = oneshot::channel();
        let done = Arc::new(AtomicUsize::new(0));
        let counter = done.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(dns, service, stopped, counter))
        });
        Self { stop, done, thread }
    }

    /// Waits until so many more requests have ended.
    pub fn more(&self, requests: usize) {
        self.until(self.done.load(Ordering::Relaxed) + requests);
    }

    /// Ends it, once there have been so many requests in all.
    pub fn stop_after(self, requests: usize) -> Report {
        self.until(requests);
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }

    fn until(&self, enough: usize) {
        let start = Instant::now();
        while self.done.load(Ordering::Relaxed) < enough {
            assert!(start.elapsed() < PATIENCE, "the load stands still");
            std::thread::sleep(PERIOD);
        }
    }
}

async fn run(
    dns: SocketAddr,
    service: Name,
    mut stopped: oneshot::Receiver<()>,
    done: Arc<AtomicUsize>,
) -> Report {
    let (resolver, service) = (Arc::new(resolver(dns)), Arc::new(service));
    let (start, mut pace, mut flying) = (Instant::now(), interval(PERIOD), JoinSet::new());
    let began = loop {
        tokio::select! {
            _ = &mut stopped => break start.elapsed(),
            _ = pace.tick() => {
                let (resolver, service, done) = (resolver.clone(), service.clone(), done.clone());
                flying.spawn(async move {
                    let began = Instant::now();
                    let failure = request(&resolver, &service).await.err();
                    done.fetch_add(1, Ordering::Relaxed);
                    failure.map(|(cause, detail)| Failure { began, ended: Instant::now(), cause, detail })
                });
            }
        }
    };
    let ended = flying.join_all().await;
    let requests = ended.len();
    let mut failures: Vec<Failure> = ended.into_iter().flatten().collect();
    failures.sort_by_key(|failure| failure.began);
    Report { requests, took: began, failures }
}

/// One that asks once, and keeps nothing.
fn resolver(dns: SocketAddr) -> TokioResolver {
    let mut connection = ConnectionConfig::udp();
    connection.port = dns.port();
    let server = NameServerConfig::new(dns.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.attempts = 0;
    options.timeout = WITHIN;
    builder.build().unwrap()
}

type Failed = (Cause, String);

async fn request(resolver: &TokioResolver, service: &Name) -> Result<(), Failed> {
    let address = find(resolver, service).await?;
    let late = |_| (Cause::Timeout, format!("{address} in {WITHIN:?}"));
    let answer = timeout(WITHIN, exchange(address)).await.map_err(late)?;
    let answer = answer.map_err(|error| (cause(&error), format!("{address}: {error}")))?;
    match answer.as_str() {
        "" => Err((Cause::Reset, format!("{address} closed without a word"))),
        text if text.contains(" 200 OK\r\n") && text.ends_with("\r\n\r\nok") => Ok(()),
        text => Err((Cause::BadBody, format!("{address}: {text:?}"))),
    }
}

async fn find(resolver: &TokioResolver, service: &Name) -> Result<SocketAddr, Failed> {
    let failed = |error: NetError| {
        let none = error.is_nx_domain() || error.is_no_records_found();
        (if none { Cause::NoSuchName } else { Cause::NoAnswer }, error.to_string())
    };
    let found = resolver.srv_lookup(service.clone()).await.map_err(failed)?;
    let servers = found.answers().iter().filter_map(|record| match &record.data {
        RData::SRV(srv) => Some(srv),
        _ => None,
    });
    // One answer a query, as a weighted group gives.
    let [server] = servers.collect::<Vec<_>>()[..] else { panic!("one server: {found:?}") };
    let target = resolver.ipv4_lookup(server.target.clone()).await.map_err(failed)?;
    let address = target.answers().iter().find_map(|record| match &record.data {
        RData::A(address) => Some(Ipv4Addr::from(*address)),
        _ => None,
    });
    let address = address.ok_or_else(|| (Cause::NoSuchName, format!("{} has no address", server.target)))?;
    Ok((address, server.port).into())
}

async fn exchange(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn cause(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::Refused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Cause::Unreachable,
        ErrorKind::TimedOut => Cause::Timeout,
        _ => Cause::Reset,
    }
}
