//! Gives this host what the zone of this process has [under another name](crate::machine::renamed).
//!
//! Before anything is written or answered: so no name is empty between the two, and what runs no more is dropped as after
//! any other start.

use std::collections::BTreeSet;

use crate::change::batch::{Unit, pack};
use crate::machine::renamed;
use crate::record::{Mark, Owner, RecordSet, Registrant};
use crate::zone::Zone;

/// Gives it to `own` in this zone, of which `sets` is all that there is.
pub async fn take_over(zone: &dyn Zone, sets: &[RecordSet], own: &Registrant) {
    let units: Vec<_> = renamed::changes(sets, own).into_iter().map(|changes| Unit { changes }).collect();
    let mut left = &units[..];
    while !left.is_empty() {
        let batch = pack(left);
        let changes: Vec<_> = batch.iter().flat_map(|unit| unit.changes.iter().cloned()).collect();
        if let Err(error) = zone.change(&changes).await {
            tracing::error!(event = "former_not_taken_over", %error, left = left.len(), "records under another name stay in this zone: the next start goes on with them");
            return;
        }
        left = &left[batch.len()..];
    }
    if !units.is_empty() {
        let owners = others(sets, own).iter().map(Owner::to_string).collect::<Vec<_>>().join(", ");
        tracing::info!(
            event = "former_taken_over",
            owner = owners,
            count = units.len(),
            "this zone had these records under another name: they are this host's now"
        );
    }
}

fn others(sets: &[RecordSet], own: &Registrant) -> BTreeSet<Owner> {
    let owners = sets.iter().filter_map(|set| Mark::of(set, &own.zone)).map(|mark| mark.owner);
    owners.filter(|owner| *owner != own.owner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{id, registrant};
    use crate::record::{Action, Change, RecordType, Subject};
    use crate::run::testing::{Denying, zone_with};
    use crate::zone::embedded::{EmbeddedZone, Options};

    fn owned(zone: &EmbeddedZone, by: &Registrant) -> usize {
        zone.snapshot().iter().filter(|set| by.owns(set)).count()
    }

    /// So many services, of 20 names.
    fn services(of: &Registrant, count: u64) -> Vec<RecordSet> {
        let service = |n| RecordSet {
            name: format!("_s{}._tcp.sd.internal", n % 20),
            kind: RecordType::Srv,
            set_identifier: Some(of.mark(Subject::Service(id(n), 80)).to_string()),
            values: vec![format!("1 1 80 {}", of.host_name())],
            ..of.host_record()
        };
        (1..=count).map(service).collect()
    }

    #[tokio::test]
    async fn as_much_as_takes_several_calls_is_taken_over_once() {
        let (own, former) = (registrant("web1"), registrant("web2"));
        let zone = zone_with(services(&former, 450), Options::default()).await;
        let more = services(&former, 900).split_off(450);
        let create = |set| Change { action: Action::Create, set };
        zone.change(&more.into_iter().map(create).collect::<Vec<_>>()).await.unwrap();
        for _ in 0..2 {
            take_over(&zone, &zone.snapshot(), &own).await;
            assert_eq!((owned(&zone, &former), owned(&zone, &own)), (0, 900));
        }
    }

    #[tokio::test]
    async fn what_could_not_be_taken_over_is_what_the_next_start_goes_on_with() {
        let (own, former) = (registrant("web1"), registrant("web2"));
        let all = services(&former, 3);
        let denying = Denying::new(zone_with(all.clone(), Options::default()).await, &all[0].name);
        take_over(&denying, &denying.zone.snapshot(), &own).await;
        assert_eq!((owned(&denying.zone, &former), owned(&denying.zone, &own)), (3, 0));
        denying.is_allowed.store(true, std::sync::atomic::Ordering::Relaxed);
        take_over(&denying, &denying.zone.snapshot(), &own).await;
        assert_eq!((owned(&denying.zone, &former), owned(&denying.zone, &own)), (0, 3));
        assert!(denying.zone.snapshot().iter().any(|set| set.kind == RecordType::Soa));
    }
}
