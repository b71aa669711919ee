//! The DNS front: the embedded zone as a name server, over UDP and TCP.
//!
//! It answers for its one zone and refuses the rest; it is no resolver. Nothing is cached: each query looks
//! at the zone, so a change is visible to the next one.
//!
//! | file | what it owns |
//! |---|---|
//! | [`answer`], [`pick`] | which records, and which of a group's sets; pure |
//! | [`ask`] | a question from within this process |
//! | [`message`], `reply` | from a message to its reply, and what of it fits; pure |
//! | `rdata` | the zone's values on the wire; pure |
//! | [`transport`] | how many octets fit; pure |
//! | `served` | each question, answered and counted |
//! | `bind` | which addresses can be had, and what to do where one cannot |
//! | `udp`, `tcp` | the sockets |
//!
//! The sockets have a thread of their own, so that no client of DNS, however busy, takes the agent's time.
//!
//! When the zone is drained, they close before anybody can be told that something is gone: an answer is cached, a
//! closed socket is not.
//!
//! Messages are read and written by hickory. Its server is not used: it counts no connections, and tries again at
//! once what cannot be accepted.
//!
//! ## Caveats
//!
//! On a wildcard address of a host with several, a UDP reply leaves by the address that the system
//! chooses: give the addresses themselves.

pub mod answer;
pub mod ask;
mod bind;
pub mod message;
pub mod pick;
mod rdata;
mod reply;
mod served;
mod tcp;
pub mod transport;
mod udp;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use self::bind::bind;
pub use self::bind::{DnsError, try_addresses};
pub use self::message::answer_packet;
use self::served::Served;
pub use self::transport::Transport;
use crate::status::Questions;
use crate::zone::embedded::EmbeddedZone;

/// How long a TCP connection may say nothing. RFC 7766, section 6.2.3, asks for seconds.
pub const TCP_IDLE_MAX: Duration = Duration::from_secs(10);

/// A served zone. It runs until it is dropped or the zone is drained; then its sockets are closed.
pub struct DnsFront {
    addresses: Vec<SocketAddr>,
    failure: oneshot::Receiver<String>,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Serves `zone` on every address of `listen`, each over UDP and TCP, with at most `connections_max` TCP
/// connections in all. Port 0 is any free port, the same for both.
///
/// # Errors
///
/// Where `listen` is empty or an address cannot be bound; nothing is served then.
pub fn serve(
    zone: EmbeddedZone,
    listen: &[SocketAddr],
    connections_max: usize,
) -> Result<DnsFront, DnsError> {
    serve_and_count(zone, listen, connections_max, Questions::default())
}

/// As [`serve`], and counts what is asked.
///
/// # Errors
///
/// As those of [`serve`].
pub fn serve_and_count(
    zone: EmbeddedZone,
    listen: &[SocketAddr],
    connections_max: usize,
    questions: Questions,
) -> Result<DnsFront, DnsError> {
    if listen.is_empty() {
        return Err(DnsError::NoAddress);
    }
    let bound = listen.iter().map(|address| bind(*address)).collect::<Result<Vec<_>, _>>()?;
    let addresses = bound.iter().map(|(address, ..)| *address).collect();
    let sockets: Vec<_> = bound.into_iter().map(|(_, udp, tcp)| (udp, tcp)).collect();
    let served = Served { zone, questions };
    let (stop, mut stopped) = oneshot::channel();
    let (failed, failure) = oneshot::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // It goes with its runtime, and all its sockets with it.
        let ended =
            runtime.and_then(|runtime| runtime.block_on(run(served, sockets, connections_max, &mut stopped)));
        match ended {
            Ok(End::Stopped) => {}
            // There is nothing more to do, and nothing has failed.
            Ok(End::Drained) => drop(stopped.blocking_recv()),
            Err(error) => drop(failed.send(error.to_string())),
        }
    };
    let thread = thread::Builder::new().name("dns".to_owned()).spawn(run);
    let thread = thread.map_err(|error| DnsError::Stopped(error.to_string()))?;
    Ok(DnsFront { addresses, failure, stop: Some(stop), thread: Some(thread) })
}

impl DnsFront {
    /// Where it listens, in the order that was asked for, with the ports that were chosen.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns when it has failed, which is not expected of a healthy system.
    pub async fn failed(&mut self) -> DnsError {
        DnsError::Stopped((&mut self.failure).await.unwrap_or_else(|_| "its thread has ended".to_owned()))
    }
}

impl Drop for DnsFront {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for DnsFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsFront").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// How serving ends, if nothing fails.
enum End {
    Stopped,
    Drained,
}

/// Serves until it is stopped or the zone is drained.
async fn run(
    served: Served,
    sockets: Vec<(UdpSocket, TcpListener)>,
    connections_max: usize,
    stopped: &mut oneshot::Receiver<()>,
) -> io::Result<End> {
    let shared = tcp::Shared::new(connections_max);
    let mut servers = JoinSet::new();
    for (udp, tcp) in sockets {
        servers.spawn(udp::answer(tokio::net::UdpSocket::from_std(udp)?, served.clone()));
        let tcp = tokio::net::TcpListener::from_std(tcp)?;
        servers.spawn(tcp::accept(tcp, served.clone(), shared.clone()));
    }
    tokio::select! {
        _ = stopped => Ok(End::Stopped),
        () = served.zone.drained() => Ok(End::Drained),
        // They end in a panic alone.
        Some(ended) = servers.join_next() => ended.map(|()| End::Stopped).map_err(io::Error::other),
    }
}

fn say_trouble(what: &str, error: &io::Error) {
    tracing::warn!(event = "dns_trouble", %error, "{what}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;
    use crate::zone::embedded::Options;

    fn zone() -> EmbeddedZone {
        EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap()
    }

    fn any_port() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    fn served(listen: &[SocketAddr]) -> Result<DnsFront, DnsError> {
        serve(zone(), listen, 8)
    }

    #[test]
    fn reports_the_ports_that_it_got() {
        let front = served(&[any_port(), any_port()]).unwrap();
        let [one, two] = front.addresses() else { panic!("{front:?}") };
        assert!(one.port() != 0 && two.port() != 0 && one != two);
    }

    #[test]
    fn says_which_address_fails_and_what_to_do() {
        let held = served(&[any_port()]).unwrap();
        let address = held.addresses()[0];
        let text = served(&[any_port(), address]).unwrap_err().to_string();
        assert!(text.starts_with(&format!("cannot serve DNS on UDP {address}: ")), "{text}");
        assert!(text.contains(&format!("sport = :{}", address.port())), "{text}");
        let elsewhere = "192.0.2.1:0".parse().unwrap();
        let text = served(&[elsewhere]).unwrap_err().to_string();
        assert!(text.contains("no interface of this host"), "{text}");
        assert!(matches!(served(&[]), Err(DnsError::NoAddress)));
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(bind::remedy(&denied, "0.0.0.0:53".parse().unwrap()).contains("CAP_NET_BIND_SERVICE"));
    }

    #[test]
    fn frees_its_ports_when_dropped() {
        let front = served(&["127.53.0.1:0".parse().unwrap()]).unwrap();
        let address = front.addresses()[0];
        drop(front);
        served(&[address]).unwrap();
    }

    #[tokio::test]
    async fn frees_its_ports_when_the_zone_is_drained_and_has_not_failed() {
        let zone = zone();
        let mut front = serve(zone.clone(), &["127.53.0.2:0".parse().unwrap()], 8).unwrap();
        let address = front.addresses()[0];
        assert!(try_addresses(&[address]).is_err());
        zone.drain();
        while try_addresses(&[address]).is_err() {
            tokio::task::yield_now().await;
        }
        tokio::select! {
            biased;
            error = front.failed() => panic!("{error}"),
            () = tokio::task::yield_now() => {}
        }
        drop(front);
    }

    #[tokio::test]
    async fn says_that_its_thread_is_gone() {
        let mut front = served(&[any_port()]).unwrap();
        front.stop = None;
        assert!(front.failed().await.to_string().contains("its thread has ended"));
    }
}
