//! When the zone in this process is answered for by DNS.
//!
//! | moment | the sockets |
//! |---|---|
//! | the start | are tried: an address that cannot be had ends it at once |
//! | what there was at the start is written, or [`WAIT_MAX`] is over | are bound |
//! | a drain sends its deletes | are [closed](crate::serve::dns) |
//!
//! Before and after, the zone may lack services that run. Who asks a closed socket asks again, but who hears "there is
//! none" remembers it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::serve::dns::{DnsError, DnsFront, serve_and_count, try_addresses};
use crate::status::{Part, Questions, Readiness};
use crate::zone::embedded::EmbeddedZone;

/// How long clients wait at the most, whatever Docker does meanwhile: they have the zone as it was left then.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The DNS of a zone, from its start on.
#[derive(Debug)]
pub(super) struct Dns {
    zone: EmbeddedZone,
    listen: Vec<SocketAddr>,
    connections_max: usize,
    questions: Questions,
    front: Option<DnsFront>,
}

impl Dns {
    /// For `zone` at these addresses, with at most so many TCP connections. They can be had now.
    pub(super) fn at(
        listen: &[SocketAddr],
        zone: EmbeddedZone,
        connections_max: usize,
        questions: Questions,
    ) -> Result<Self, DnsError> {
        try_addresses(listen)?;
        Ok(Self { zone, listen: listen.to_vec(), connections_max, questions, front: None })
    }

    /// What it answers for.
    pub(super) fn zone(&self) -> &EmbeddedZone {
        &self.zone
    }

    /// Waits for its time, then answers. Returns when it does; never where the zone is drained before.
    pub(super) async fn answer(&mut self, mut readiness: watch::Receiver<Readiness>) -> Result<(), DnsError> {
        tokio::select! {
            biased;
            () = self.zone.drained() => std::future::pending().await,
            // Whoever is ready no more, because it has ended, is waited for no longer than the others.
            _ = timeout(WAIT_MAX, readiness.wait_for(is_settled)) => {}
        }
        let front =
            serve_and_count(self.zone.clone(), &self.listen, self.connections_max, self.questions.clone())?;
        for address in front.addresses() {
            tracing::info!(event = "dns_answers", %address, zone = crate::zone::Zone::name(&self.zone), "answering DNS");
        }
        self.front = Some(front);
        Ok(())
    }

    /// Returns when it has failed; never, while it does not answer.
    pub(super) async fn failed(&mut self) -> DnsError {
        match &mut self.front {
            Some(front) => front.failed().await,
            None => std::future::pending().await,
        }
    }
}

/// Whether the zone has what runs on this host.
fn is_settled(readiness: &Readiness) -> bool {
    readiness.reason(Part::Start).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::dns::serve;
    use crate::status::Board;
    use crate::zone::Zone;
    use crate::zone::embedded::Options;

    fn dns() -> Dns {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        Dns::at(&["127.0.0.1:0".parse().unwrap()], zone, 8, Questions::default()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn answers_once_what_there_was_at_the_start_is_written() {
        let (mut dns, board) = (dns(), Board::default());
        let began = tokio::time::Instant::now();
        let settled = async {
            board.set(Part::Docker, Err("it is away".to_owned()));
            tokio::time::sleep(Duration::from_millis(700)).await;
            board.set(Part::Start, Ok(()));
        };
        let (answers, ()) = tokio::join!(dns.answer(board.readiness()), settled);
        answers.unwrap();
        assert_eq!(began.elapsed(), Duration::from_millis(700));
        assert_ne!(dns.front.unwrap().addresses()[0].port(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_after_five_seconds_whatever_is_not_settled() {
        let (mut dns, board) = (dns(), Board::default());
        let began = tokio::time::Instant::now();
        dns.answer(board.readiness()).await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(5));
        assert!(dns.front.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_zone_that_is_drained_meanwhile_is_never_answered_for() {
        let (mut dns, board) = (dns(), Board::default());
        dns.zone.drain();
        board.set(Part::Start, Ok(()));
        let answers = timeout(WAIT_MAX * 10, dns.answer(board.readiness())).await;
        assert!(answers.is_err() && dns.front.is_none());
    }

    #[test]
    fn an_address_that_is_taken_ends_the_start() {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let held = serve(zone.clone(), &["127.0.0.1:0".parse().unwrap()], 8).unwrap();
        let refused = Dns::at(held.addresses(), zone, 8, Questions::default()).unwrap_err().to_string();
        assert!(refused.starts_with("cannot serve DNS on UDP 127.0.0.1:"), "{refused}");
    }
}
