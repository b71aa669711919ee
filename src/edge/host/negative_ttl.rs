//! For how long resolvers remember that a name is not there, as this host's own resolver has it from the zone's SOA.
//!
//! Owns the reading. What is too long, and who is told, is for others.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_server::proto::rr::{RData, RecordType};

use super::name_server::{ask, first};

/// Asks the host's resolver. `None` where it does not find the zone.
pub async fn read(zone: &str, fine: Duration) -> Option<Duration> {
    read_from(first().await?, zone, fine).await
}

/// The lesser of the SOA's TTL and its minimum counts. A resolver shows what is left of the TTL, so a small one beside a
/// long minimum is asked for again once the resolver has forgotten it.
async fn read_from(server: SocketAddr, zone: &str, fine: Duration) -> Option<Duration> {
    let (left, minimum) = soa(server, zone).await?;
    if minimum <= fine || left > fine {
        return Some(left.min(minimum));
    }
    tokio::time::sleep(left + Duration::from_secs(1)).await;
    let (ttl, minimum) = soa(server, zone).await?;
    Some(ttl.min(minimum))
}

/// The TTL and the minimum.
async fn soa(server: SocketAddr, zone: &str) -> Option<(Duration, Duration)> {
    let answer = ask(server, &format!("{}.", zone.trim_end_matches('.')), RecordType::SOA).await?;
    answer.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => {
            Some((Duration::from_secs(record.ttl.into()), Duration::from_secs(soa.minimum.into())))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Action, Change, RecordType as Kind};
    use crate::serve::dns::{DnsFront, serve};
    use crate::zone::Zone;
    use crate::zone::embedded::{EmbeddedZone, Options};

    const FINE: Duration = Duration::from_secs(60);

    /// A name server of a zone whose SOA says so.
    async fn server(ttl: i64, minimum: u32) -> (EmbeddedZone, DnsFront) {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        write(&zone, ttl, minimum).await;
        let front = serve(zone.clone(), &["127.0.0.1:0".parse().unwrap()], 8).unwrap();
        (zone, front)
    }

    async fn write(zone: &EmbeddedZone, ttl: i64, minimum: u32) {
        let sets = zone.list(None, 300).await.unwrap().sets;
        let mut set = sets.into_iter().find(|set| set.kind == Kind::Soa).unwrap();
        set.ttl = ttl;
        let (head, _) = set.values[0].rsplit_once(' ').unwrap();
        set.values = vec![format!("{head} {minimum}")];
        zone.change(&[Change { action: Action::Upsert, set }]).await.unwrap();
    }

    #[tokio::test]
    async fn the_lesser_of_the_two_counts() {
        for (ttl, minimum, remembered) in [(900, 86_400, 900), (900, 5, 5), (300, 200, 200), (60, 60, 60)] {
            let (_zone, front) = server(ttl, minimum).await;
            let read = read_from(front.addresses()[0], "sd.internal", FINE).await;
            assert_eq!(read, Some(Duration::from_secs(remembered)), "{ttl} and {minimum}");
        }
    }

    #[tokio::test]
    async fn what_is_left_of_a_ttl_is_not_taken_for_all_of_it() {
        let (zone, front) = server(1, 86_400).await;
        let again = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            write(&zone, 900, 86_400).await;
        };
        let (read, ()) = tokio::join!(read_from(front.addresses()[0], "sd.internal", FINE), again);
        assert_eq!(read, Some(Duration::from_secs(900)));
    }

    #[tokio::test]
    async fn another_zone_says_nothing() {
        let (_zone, front) = server(900, 900).await;
        assert_eq!(read_from(front.addresses()[0], "other.internal", FINE).await, None);
    }
}
