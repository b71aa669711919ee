//! For how long resolvers remember that a name is not there, as this host's own resolver has it from the zone's SOA.
//!
//! Owns the reading. What is too long, and who is told, is for others.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};

use crate::aws::names::resolver;

/// What an SOA says of it: what is left of its TTL, and its minimum.
type Soa = (Duration, Duration);

/// Asks the host's resolver. `None` where it does not find the zone.
pub async fn read(zone: &str, fine: Duration) -> Option<Duration> {
    remembered(async || soa(&resolver().ok()?, zone).await, fine).await
}

/// The lesser of the SOA's TTL and its minimum counts. A resolver shows what is left of the TTL, so a small one beside a
/// long minimum is asked for again once the resolver has forgotten it.
async fn remembered(ask: impl AsyncFn() -> Option<Soa>, fine: Duration) -> Option<Duration> {
    let (left, minimum) = ask().await?;
    if minimum <= fine || left > fine {
        return Some(left.min(minimum));
    }
    tokio::time::sleep(left + Duration::from_secs(1)).await;
    let (ttl, minimum) = ask().await?;
    Some(ttl.min(minimum))
}

async fn soa(resolver: &TokioResolver, zone: &str) -> Option<Soa> {
    let answer = resolver.lookup(format!("{}.", zone.trim_end_matches('.')), RecordType::SOA).await;
    let answer =
        answer.inspect_err(|error| tracing::debug!(%error, zone, "the zone's SOA is not known")).ok()?;
    answer.answers().iter().find_map(|record| match &record.data {
        RData::SOA(soa) => {
            Some((Duration::from_secs(record.ttl.into()), Duration::from_secs(soa.minimum.into())))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::testing::resolver_of;
    use super::*;
    use crate::record::{Action, Change, RecordType as Kind};
    use crate::serve::dns::serve;
    use crate::zone::Zone;
    use crate::zone::embedded::{EmbeddedZone, Options};

    const FINE: Duration = Duration::from_secs(60);

    /// What is made of answers of these TTLs and minimums in turn, after how long.
    async fn told(answers: &[(u64, u64)]) -> (Option<u64>, u64) {
        let began = tokio::time::Instant::now();
        let left = RefCell::new(answers.iter());
        let ask = async || {
            let (ttl, minimum) = left.borrow_mut().next()?;
            Some((Duration::from_secs(*ttl), Duration::from_secs(*minimum)))
        };
        let remembered = remembered(ask, FINE).await.map(|remembered| remembered.as_secs());
        assert_eq!(left.into_inner().len(), 0, "each answer is asked for");
        (remembered, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn the_lesser_of_the_two_counts() {
        for (ttl, minimum, remembered) in [(900, 86_400, 900), (900, 5, 5), (300, 200, 200), (60, 60, 60)] {
            assert_eq!(told(&[(ttl, minimum)]).await, (Some(remembered), 0), "{ttl} and {minimum}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_a_ttl_is_not_taken_for_all_of_it() {
        assert_eq!(told(&[(20, 86_400), (900, 86_400)]).await, (Some(900), 21));
        assert_eq!(told(&[(20, 86_400), (30, 86_400)]).await, (Some(30), 21), "the TTL was lowered");
        assert_eq!(told(&[]).await, (None, 0));
    }

    #[tokio::test]
    async fn an_soa_is_read_by_dns_and_another_zone_has_none() {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let sets = zone.list(None, 300).await.unwrap().sets;
        let mut set = sets.into_iter().find(|set| set.kind == Kind::Soa).unwrap();
        set.ttl = 900;
        let (head, _) = set.values[0].rsplit_once(' ').unwrap();
        set.values = vec![format!("{head} 86400")];
        zone.change(&[Change { action: Action::Upsert, set }]).await.unwrap();
        let front = serve(zone.clone(), &["127.0.0.1:0".parse().unwrap()], 8).unwrap();
        let resolver = resolver_of(front.addresses()[0]);
        let seconds = |soa: Option<Soa>| soa.map(|(ttl, minimum)| (ttl.as_secs(), minimum.as_secs()));
        assert_eq!(seconds(soa(&resolver, "sd.internal").await), Some((900, 86_400)));
        assert_eq!(seconds(soa(&resolver, "other.internal").await), None);
    }
}
