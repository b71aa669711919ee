//! Who has a port, case by case; and any sequence of claims, held against the rules told anew.

use proptest::prelude::*;

use super::*;
use crate::container::convention::{HttpCheck, Protocol};
use crate::container::offer::{At, EffectiveCheck};
use crate::container::testing::{at, offer};
use crate::machine::lifecycle::{Standing, Why};
use crate::record::testing::id;

use Standing::{Away, Failing, Passing, Unjudged, Unproven};

const PORT: u16 = 80;
const NOBODY: [u64; 0] = [];

/// What a container has to do with one port.
#[derive(Clone, Copy, Debug)]
struct Stake {
    port: u16,
    started_at: u64,
    /// The container that Docker publishes the port for.
    network: Option<u64>,
    standing: Standing,
    udp: bool,
}

/// A process on the host's network that started then.
fn bound(started_at: u64, standing: Standing) -> Stake {
    Stake { port: PORT, started_at, network: None, standing, udp: false }
}

impl Stake {
    /// Docker publishes the port for this container.
    fn published_for(self, container: u64) -> Self {
        Self { network: Some(container), ..self }
    }

    fn endpoint(self) -> Endpoint {
        let protocol = if self.udp { Protocol::Udp } else { Protocol::Tcp };
        Endpoint { at: At::Host { port: self.port }, protocol }
    }

    fn ports(self, container: u64) -> Ports {
        let weight = match self.standing {
            Passing => Some(5),
            Failing | Unjudged => Some(0),
            Away | Unproven => None,
        };
        let mut offer = offer(if self.udp { "_a._udp" } else { "_a._tcp" }, self.port, EffectiveCheck::None);
        if let Some(network) = self.network {
            // Of a network that is another's, the other started at first.
            let started_at = at(if network == container { self.started_at } else { 0 });
            offer.binder = Binder::Docker { container: id(network), started_at };
        }
        let own = self.network == Some(container);
        Ports {
            started_at: at(self.started_at),
            published: own.then(|| self.endpoint()).into_iter().collect(),
            claims: vec![Claim {
                offer,
                standing: self.standing,
                weight,
                serves: weight.is_some_and(|weight| weight > 0),
            }],
        }
    }
}

fn settled() -> Claims {
    let mut claims = Claims::default();
    claims.settle();
    claims
}

fn set(claims: &mut Claims, container: u64, stake: Stake) {
    claims.update(&id(container), Some(stake.ports(container)));
}

/// Which of the first containers has a record.
fn written(claims: &Claims) -> Vec<u64> {
    (1..=9).filter(|container| !claims.granted(&id(*container)).0.is_empty()).collect()
}

/// Who has the port that this container claims, and why.
fn taken(claims: &Claims, container: u64) -> Option<(ContainerId, Why, bool)> {
    let taken = claims.taken(&id(container)).into_values().next()?;
    Some((taken.by, taken.why, taken.keeps))
}

// === Where Docker publishes the port ===

#[test]
fn the_newest_publication_has_the_port_whoever_is_heard_of_first() {
    for order in [[1, 2], [2, 1]] {
        let mut claims = settled();
        for container in order {
            set(&mut claims, container, bound(container * 10, Passing).published_for(container));
        }
        assert_eq!(written(&claims), [2]);
        assert_eq!(claims.granted(&id(1)).1[0].taken.by, id(2));
        claims.update(&id(2), None);
        assert_eq!(written(&claims), [1], "the parked one returns");
    }
}

#[test]
fn the_record_stays_until_the_next_publication_can_serve() {
    let mut claims = settled();
    set(&mut claims, 1, bound(10, Passing).published_for(1));
    set(&mut claims, 2, bound(20, Unproven).published_for(2));
    assert_eq!((written(&claims), taken(&claims, 1)), (vec![1], Some((id(2), Why::Published, true))));
    set(&mut claims, 2, bound(20, Passing).published_for(2));
    assert_eq!((written(&claims), taken(&claims, 1)), (vec![2], Some((id(2), Why::Published, false))));
}

#[test]
fn a_publisher_has_the_port_before_any_process_of_the_hosts_network_and_whether_it_passes_or_not() {
    for standing in [Passing, Failing, Unproven, Away] {
        let mut claims = settled();
        set(&mut claims, 1, bound(20, standing).published_for(1));
        set(&mut claims, 2, bound(10, Passing));
        assert!(!written(&claims).contains(&2), "{standing:?}");
        assert_eq!(taken(&claims, 2), Some((id(1), Why::Published, false)), "{standing:?}");
        assert_eq!(taken(&claims, 1), None);
        claims.update(&id(1), None);
        assert_eq!((written(&claims), taken(&claims, 2)), (vec![2], None), "the publisher has left");
    }
}

#[test]
fn a_publisher_that_offers_nothing_has_the_port_too() {
    let mut claims = settled();
    let publishes = Ports { claims: Vec::new(), ..bound(20, Passing).published_for(1).ports(1) };
    claims.update(&id(1), Some(publishes));
    set(&mut claims, 2, bound(10, Passing));
    assert_eq!((written(&claims), taken(&claims, 2)), (vec![], Some((id(1), Why::Published, false))));
}

#[test]
fn those_that_share_a_published_network_are_told_apart_as_on_the_hosts() {
    let mut claims = settled();
    set(&mut claims, 2, bound(20, Passing).published_for(9));
    set(&mut claims, 1, bound(10, Passing).published_for(9));
    set(&mut claims, 3, bound(5, Passing));
    assert_eq!((written(&claims), taken(&claims, 1)), (vec![2], Some((id(2), Why::Serves, false))));
    assert_eq!(taken(&claims, 3), Some((id(9), Why::Published, false)), "it is not in that network");
    claims.update(&id(2), None);
    assert_eq!(written(&claims), [1]);
}

// === Where nobody publishes it ===

#[test]
fn who_had_the_port_keeps_it_from_older_and_younger_ones_while_it_passes() {
    let mut claims = settled();
    set(&mut claims, 2, bound(20, Passing));
    set(&mut claims, 1, bound(10, Passing));
    set(&mut claims, 3, bound(30, Passing));
    assert_eq!(written(&claims), [2]);
    assert_eq!(taken(&claims, 1), Some((id(2), Why::Serves, false)));
    set(&mut claims, 2, bound(20, Failing));
    assert_eq!(written(&claims), [1], "the oldest of those that pass");
    set(&mut claims, 2, bound(20, Passing));
    assert_eq!(written(&claims), [1]);
    set(&mut claims, 1, bound(40, Passing));
    assert_eq!(written(&claims), [2], "another life of it has had nothing");
}

#[test]
fn who_stops_or_is_paused_has_its_port_until_it_has_ended_and_its_record_is_nobodys() {
    let mut claims = settled();
    set(&mut claims, 1, bound(10, Passing));
    set(&mut claims, 2, bound(20, Passing));
    set(&mut claims, 1, bound(10, Away));
    assert_eq!((written(&claims), taken(&claims, 2)), (vec![], Some((id(1), Why::Lingers, false))));
    set(&mut claims, 1, bound(10, Passing));
    assert_eq!(written(&claims), [1]);
    claims.update(&id(1), None);
    assert_eq!(written(&claims), [2]);
}

#[test]
fn one_that_stops_and_never_had_the_port_keeps_it_from_nobody_who_had_it() {
    let mut claims = settled();
    set(&mut claims, 2, bound(20, Passing));
    set(&mut claims, 1, bound(10, Away));
    set(&mut claims, 2, bound(20, Failing));
    assert_eq!((written(&claims), taken(&claims, 2)), (vec![2], None));
}

#[test]
fn while_nobody_passes_the_record_stays_and_all_may_be_asked() {
    let mut claims = settled();
    set(&mut claims, 2, bound(20, Passing));
    set(&mut claims, 1, bound(10, Unproven));
    set(&mut claims, 2, bound(20, Failing));
    assert_eq!((written(&claims), taken(&claims, 1), taken(&claims, 2)), (vec![2], None, None));
}

#[test]
fn what_two_without_a_check_want_goes_to_who_came_first_and_then_to_the_other() {
    for udp in [false, true] {
        let mut claims = settled();
        set(&mut claims, 1, Stake { udp, ..bound(10, Passing) });
        set(&mut claims, 2, Stake { udp, ..bound(20, Passing) });
        assert_eq!((written(&claims), claims.granted(&id(2)).1.len()), (vec![1], 1));
        claims.update(&id(1), None);
        assert_eq!(written(&claims), [2]);
    }
}

#[test]
fn tcp_and_udp_are_different_ports_and_two_names_share_one() {
    let mut claims = settled();
    set(&mut claims, 1, Stake { udp: true, ..bound(10, Passing) });
    let mut both = bound(20, Passing).ports(2);
    both.claims.push(Claim { offer: offer("_b._tcp", PORT, EffectiveCheck::None), ..both.claims[0].clone() });
    claims.update(&id(2), Some(both));
    assert_eq!((claims.granted(&id(1)).0.len(), claims.granted(&id(2)).0.len()), (1, 2));
}

#[test]
fn nothing_is_kept_of_those_that_are_gone() {
    let mut claims = settled();
    set(&mut claims, 1, bound(10, Passing).published_for(1));
    set(&mut claims, 2, bound(20, Passing));
    claims.update(&id(2), None);
    claims.update(&id(1), None);
    assert_eq!(claims, settled());
}

// === After a restart of the agent ===

#[test]
fn who_was_registered_had_the_port_whoever_is_looked_at_first() {
    let registered = BTreeMap::from([(bound(0, Passing).endpoint(), id(2))]);
    let mut claims = Claims::default();
    set(&mut claims, 1, bound(10, Passing));
    claims.set_unseen(registered.clone());
    claims.adopt(&registered);
    assert_eq!(taken(&claims, 1), Some((id(2), Why::Unseen, false)));
    claims.settle();
    assert_eq!(written(&claims), NOBODY);
    set(&mut claims, 2, bound(20, Passing));
    claims.set_unseen(BTreeMap::new());
    assert_eq!((written(&claims), taken(&claims, 1)), (vec![2], Some((id(2), Why::Serves, false))));
}

#[test]
fn who_was_registered_keeps_the_port_until_its_check_has_answered() {
    let registered = BTreeMap::from([(bound(0, Passing).endpoint(), id(2))]);
    let mut claims = Claims::default();
    set(&mut claims, 1, bound(10, Passing));
    claims.set_unseen(registered.clone());
    claims.adopt(&registered);
    set(&mut claims, 2, bound(20, Unjudged));
    claims.set_unseen(BTreeMap::new());
    claims.settle();
    assert_eq!((written(&claims), taken(&claims, 1)), (vec![2], Some((id(2), Why::Unjudged, false))));
    set(&mut claims, 2, bound(20, Failing));
    assert_eq!((written(&claims), taken(&claims, 1)), (vec![1], None));
}

#[test]
fn who_was_registered_and_is_gone_had_nothing() {
    let registered = BTreeMap::from([(bound(0, Passing).endpoint(), id(2))]);
    let mut claims = Claims::default();
    claims.set_unseen(registered.clone());
    claims.adopt(&registered);
    set(&mut claims, 1, bound(10, Passing));
    claims.settle();
    claims.set_unseen(BTreeMap::new());
    assert_eq!((written(&claims), taken(&claims, 1)), (vec![1], None));
}

#[test]
fn before_anything_is_written_who_is_known_first_has_had_nothing_for_it() {
    let mut claims = Claims::default();
    set(&mut claims, 2, bound(20, Passing));
    set(&mut claims, 1, bound(10, Passing));
    claims.settle();
    assert_eq!(written(&claims), [1]);
}

// === Who was it that answered? ===

#[test]
fn an_answer_counts_for_who_had_the_port_or_else_started_first_of_those_that_ask_the_same() {
    let asking = |container: u64, started_at, standing, check: EffectiveCheck| {
        let mut ports = bound(started_at, standing).ports(container);
        ports.claims[0].offer.check = check;
        ports
    };
    let http = EffectiveCheck::Http(HttpCheck::of_path("/"));
    let mut claims = settled();
    claims.update(&id(1), Some(asking(1, 10, Unproven, http)));
    claims.update(&id(2), Some(asking(2, 20, Unproven, EffectiveCheck::Tcp)));
    claims.update(&id(3), Some(asking(3, 30, Unproven, EffectiveCheck::Tcp)));
    let target = Target::of(&asking(3, 30, Unproven, EffectiveCheck::Tcp).claims[0].offer).unwrap();
    let answers =
        |claims: &Claims, container| claims.answerer(&id(container), &target).map(|(id, _)| id.clone());
    assert_eq!((answers(&claims, 3), answers(&claims, 2)), (Some(id(2)), None));
    claims.update(&id(3), Some(asking(3, 30, Passing, EffectiveCheck::Tcp)));
    claims.update(&id(3), Some(asking(3, 30, Failing, EffectiveCheck::Tcp)));
    assert_eq!((answers(&claims, 3), answers(&claims, 2)), (None, Some(id(3))), "it had the port");
    set(&mut claims, 4, bound(40, Unproven).published_for(4));
    assert_eq!((answers(&claims, 3), answers(&claims, 2)), (None, None), "neither can have it");
}

#[test]
fn an_answer_is_credited_to_nobody_where_the_port_is_somebodys_or_who_asked_cannot_have_it() {
    let asking = |stake: Stake, container| {
        let mut ports = stake.ports(container);
        ports.claims[0].offer.check = EffectiveCheck::Tcp;
        ports
    };
    let target = Target::of(&asking(bound(10, Unproven), 1).claims[0].offer).unwrap();
    let answers =
        |claims: &Claims, container| claims.answerer(&id(container), &target).map(|(id, _)| id.clone());
    let mut claims = settled();
    claims.update(&id(1), Some(asking(bound(10, Passing), 1)));
    claims.update(&id(2), Some(asking(bound(20, Unproven), 2)));
    assert_eq!(answers(&claims, 2), None, "it is who passes that answers");
    claims.update(&id(1), Some(asking(bound(10, Unproven), 1)));
    assert_eq!(answers(&claims, 2), Some(id(1)));
    // One that had the port is asked something else, and one that stops nothing.
    let mut stopping = settled();
    set(&mut stopping, 3, bound(5, Passing));
    set(&mut stopping, 3, bound(5, Failing));
    stopping.update(&id(1), Some(asking(bound(10, Away), 1)));
    stopping.update(&id(2), Some(asking(bound(20, Unproven), 2)));
    assert_eq!(answers(&stopping, 2), None, "it is the first itself");
    // Docker publishes it: a process of the host's network cannot have answered, whoever else is asked.
    claims.update(&id(4), Some(asking(bound(40, Unproven).published_for(4), 4)));
    assert_eq!(answers(&claims, 2), None);
    assert_eq!(answers(&claims, 4), None, "it is the first itself");
}

#[test]
fn who_moved_to_another_port_has_nothing_to_do_with_the_one_it_left() {
    let mut claims = settled();
    set(&mut claims, 1, bound(10, Passing));
    set(&mut claims, 1, Stake { port: 81, ..bound(10, Passing) });
    let concerned = claims.update(&id(2), Some(bound(20, Passing).ports(2)));
    assert_eq!((concerned, written(&claims)), (BTreeSet::from([id(2)]), vec![1, 2]));
}

#[test]
fn what_waits_for_a_port_is_what_wants_a_record_or_has_not_passed_yet() {
    let mut claims = settled();
    set(&mut claims, 1, bound(10, Passing));
    for (standing, waits) in [(Passing, true), (Failing, true), (Unproven, true), (Away, false)] {
        set(&mut claims, 2, bound(20, standing));
        assert_eq!(claims.granted(&id(2)).1.len(), usize::from(waits), "{standing:?}");
    }
    // It passes, and is kept out of DNS.
    let mut held = bound(20, Passing).ports(2);
    held.claims[0].weight = None;
    claims.update(&id(2), Some(held));
    assert_eq!(claims.granted(&id(2)).1, []);
}

// === Anything ===

fn stake() -> impl Strategy<Value = Option<Stake>> {
    let standing = prop_oneof![4 => Just(Passing), 1 => Just(Unjudged), 2 => Just(Failing), 2 => Just(Unproven), 1 => Just(Away)];
    let network = prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)];
    let stake = (0..2_u16, 1..5_u64, network, standing, any::<bool>());
    let stake = stake.prop_map(|(port, started_at, network, standing, udp)| Stake {
        port,
        started_at,
        // The container's own is told when it is known whose.
        network: (network > 0).then_some(if network == 1 { 9 } else { 0 }),
        standing,
        udp,
    });
    proptest::option::weighted(0.9, stake)
}

/// The claims on one port, and who had its record before.
struct Model<'a> {
    stakes: Vec<(u64, &'a Stake)>,
    before: Option<(u64, u64)>,
}

impl Model<'_> {
    fn network(&self) -> Option<u64> {
        let start =
            |(id, stake): &(u64, &Stake)| if stake.network == Some(*id) { stake.started_at } else { 0 };
        let published = self.stakes.iter().filter(|(_, stake)| stake.network.is_some());
        published.max_by_key(|it| (start(it), it.1.network)).and_then(|(_, stake)| stake.network)
    }

    /// Whose record the port must have; `None` where the rules leave it open.
    fn expected(&self) -> Option<Option<u64>> {
        let network = self.network();
        let can = || self.stakes.iter().filter(|(_, stake)| stake.network == network);
        let had_it = self.before.and_then(|(id, life)| {
            self.stakes.iter().find(|(other, stake)| *other == id && stake.started_at == life)
        });
        let wants = |stake: &Stake| matches!(stake.standing, Passing | Unjudged | Failing);
        let passing = can().filter(|(_, stake)| stake.standing == Passing);
        let oldest = passing.min_by_key(|(id, stake)| (stake.started_at, *id)).map(|(id, _)| *id);
        let unjudged = can().filter(|(_, stake)| stake.standing == Unjudged);
        let unjudged = unjudged.min_by_key(|(id, stake)| (stake.started_at, *id)).map(|(id, _)| *id);
        match had_it {
            Some((id, stake)) if stake.network == network => match stake.standing {
                Passing | Unjudged => Some(Some(*id)),
                Away => Some(None),
                Failing => Some(oldest.or(Some(*id))),
                Unproven => oldest.map(Some),
            },
            _ if unjudged.is_some() => Some(unjudged),
            Some((id, stake)) if wants(stake) && (stake.network.is_some() || network.is_none()) => {
                let away = can().any(|(_, stake)| stake.standing == Away);
                let failing = can().filter(|(_, stake)| stake.standing == Failing && !away);
                let failing = failing.min_by_key(|(id, stake)| (stake.started_at, *id)).map(|(id, _)| *id);
                Some(oldest.or(failing).or(Some(*id)))
            }
            _ => oldest.map(Some),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_port_is_two_containers_and_each_is_whose_the_rules_say(
        updates in proptest::collection::vec((1..6_u64, stake()), 1..60)
    ) {
        let mut claims = settled();
        let mut stakes: BTreeMap<u64, Stake> = BTreeMap::new();
        let mut before: BTreeMap<Endpoint, (u64, u64)> = BTreeMap::new();
        let mut seen: BTreeMap<ContainerId, (Vec<Wanted>, BTreeMap<Endpoint, Taken>)> = BTreeMap::new();
        for (container, stake) in updates {
            let stake = stake.map(|stake| Stake {
                network: stake.network.map(|network| if network == 0 { container } else { network }),
                ..stake
            });
            match stake {
                Some(stake) => stakes.insert(container, stake),
                None => stakes.remove(&container),
            };
            // Whoever is affected is named: nothing changes for the others.
            for id in claims.update(&id(container), stake.map(|stake| stake.ports(container))) {
                let state = (claims.granted(&id).0, claims.taken(&id));
                seen.insert(id, state);
            }
            for (id, (granted, taken)) in &seen {
                prop_assert_eq!((granted, taken), (&claims.granted(id).0, &claims.taken(id)));
            }
            let ports: BTreeMap<_, _> = stakes.iter().map(|(n, stake)| (id(*n), stake.ports(*n))).collect();
            claims.check_invariants(&ports.iter().map(|(id, ports)| (id, ports.clone())).collect());
            let endpoints: BTreeSet<_> = stakes.values().map(|stake| stake.endpoint()).collect();
            before.retain(|endpoint, (n, life)| {
                stakes.get(n).is_some_and(|stake| stake.endpoint() == *endpoint && stake.started_at == *life)
            });
            for endpoint in endpoints {
                let at_it = stakes.iter().filter(|(_, stake)| stake.endpoint() == endpoint);
                let model = Model {
                    stakes: at_it.map(|(n, stake)| (*n, stake)).collect(),
                    before: before.get(&endpoint).copied(),
                };
                let is_written = |n: &u64| !claims.granted(&id(*n)).0.is_empty();
                let written = model.stakes.iter().map(|(n, _)| *n).find(is_written);
                if let Some(expected) = model.expected() {
                    prop_assert_eq!(written, expected, "{:?}: {:?}, before {:?}", endpoint, model.stakes, model.before);
                }
                if let Some(n) = written {
                    before.insert(endpoint, (n, stakes[&n].started_at));
                }
            }
        }
    }
}

#[test]
fn a_newer_life_touches_all_that_docker_publishes_and_the_same_one_what_is_other() {
    let endpoint = |port| Endpoint { at: At::Host { port }, protocol: Protocol::Tcp };
    let ports = |life, published: &[u16]| Ports {
        started_at: at(life),
        published: published.iter().copied().map(endpoint).collect(),
        claims: Vec::new(),
    };
    let of = |ports: &[u16]| ports.iter().copied().map(endpoint).collect::<BTreeSet<_>>();
    let before = ports(1, &[80, 81]);
    assert_eq!(touched(Some(&before), Some(&ports(1, &[81, 82]))), of(&[80, 82]));
    assert_eq!(touched(Some(&before), Some(&ports(2, &[81, 82]))), of(&[80, 81, 82]));
    assert_eq!(touched(Some(&before), None), of(&[80, 81]));
    assert_eq!(touched(None, Some(&before)), of(&[80, 81]));
}
