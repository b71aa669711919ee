//! Whether EC2 shows every host there may be at an address, so that one that it does not show is gone. Pure.
//!
//! EC2 forgets an instance about an hour after its end. What it does not show may as well run in another account, or in
//! a VPC that a Route 53 Profile leads to the zone. So a host that goes by its id is gone only where all of this holds,
//! in both inspections:
//!
//! - EC2 shows its id nowhere that is read.
//! - Its address lies in a VPC of the zone, and an account that is read owns that VPC, as it does every VPC of the zone.
//!   An owner sees all interfaces in its VPC, those of the accounts that it is shared with too.
//! - No interface there is attached to it. An instance has one before it has an agent, and while it is stopped.
//! - No host of the zone is outside those VPCs. One shows that there are ways into the zone that the API does not show.
//!
//! Where the addresses of two VPCs overlap, hosts of the one cannot reach those of the other; where both register in one
//! zone all the same, and the API shows only one, `--home-networks` says which addresses only that one has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use super::evidence::{Host, InstanceState, Network};
use crate::record::Owner;

/// A VPC, as an account that is read sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// Whether that account owns it.
    pub is_own: bool,
    /// Its addresses.
    pub networks: Vec<Network>,
}

/// How far EC2 shows what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The addresses of the zone's VPCs; none where that was not asked, or one of them is not seen through.
    pub vpcs: Vec<Network>,
    /// Of these, where what EC2 does not show is gone.
    pub home: Vec<Network>,
    /// Instances in other VPCs.
    pub elsewhere: BTreeSet<Owner>,
    /// Why there is no home, where it was looked for.
    pub blind: Option<Blind>,
}

/// Why nothing is gone that EC2 does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blind {
    /// Something was not told.
    Untold(String),
    /// By the API's word nobody sees the zone.
    NoVpc,
    /// No account that is read owns this VPC.
    OthersVpc(String),
    /// These addresses, which an operator named, are not those of a VPC of the zone.
    NotHome(Network),
    /// A host of the zone is in none of its VPCs.
    Outside(Owner),
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untold(reason) => write!(f, "not all that it takes was told: {reason}"),
            Self::NoVpc => f.write_str("by the API's word no VPC sees the zone"),
            Self::OthersVpc(vpc) => write!(
                f,
                "{vpc} sees the zone, and no account and region that is read owns it: see --assume-roles and --regions"
            ),
            Self::NotHome(network) => {
                write!(f, "{network} of --home-networks is not within a VPC of the zone")
            }
            Self::Outside(host) => write!(
                f,
                "{host} is in no VPC of the zone: where it lives, others may register by a Route 53 Profile that EC2 \
                 does not show either; where it is dead, --forget {host}"
            ),
        }
    }
}

/// What is seen of a zone that these VPCs see, by its own word, of which EC2 shows so much. `said` is where an operator
/// lets absence count: everywhere, if nothing is.
pub fn of(
    of_zone: &BTreeSet<String>,
    shown: &[Vpc],
    said: &[Network],
    places: &BTreeMap<Owner, String>,
) -> Sight {
    let own = |id: &&String| shown.iter().any(|vpc| vpc.is_own && vpc.id == **id);
    if let Some(others) = of_zone.iter().find(|id| !own(id)) {
        return Sight::blind(Blind::OthersVpc(others.clone()));
    }
    let vpcs: Vec<Network> = shown
        .iter()
        .filter(|vpc| vpc.is_own && of_zone.contains(&vpc.id))
        .flat_map(|vpc| vpc.networks.clone())
        .collect();
    if vpcs.is_empty() {
        return Sight::blind(Blind::NoVpc);
    }
    if let Some(network) = said.iter().find(|said| !vpcs.iter().any(|vpc| vpc.contains(**said))) {
        return Sight::blind(Blind::NotHome(*network));
    }
    let home = if said.is_empty() { vpcs.clone() } else { said.to_vec() };
    let elsewhere =
        places.iter().filter(|(_, vpc)| !of_zone.contains(*vpc)).map(|(id, _)| id.clone()).collect();
    Sight { vpcs, home, elsewhere, blind: None }
}

impl Sight {
    /// None, for this reason.
    pub fn blind(reason: Blind) -> Self {
        Self { blind: Some(reason), ..Self::default() }
    }

    /// Whether a host that EC2 does not show is gone from this address, if nothing else speaks for it.
    pub fn is_home(&self, address: Ipv4Addr) -> bool {
        self.home.iter().any(|network| network.holds(address))
    }

    /// One of these hosts of the zone, some of which have an address of their own, that is in none of its VPCs. Of
    /// what is terminated that says nothing.
    pub fn outsider<'a>(
        &self,
        mut hosts: impl Iterator<Item = (&'a Owner, Option<Ipv4Addr>)>,
        shown: &BTreeMap<Owner, Host>,
    ) -> Option<&'a Owner> {
        if self.vpcs.is_empty() {
            return None;
        }
        let is_outside = |(id, address): &(&Owner, Option<Ipv4Addr>)| {
            let is_dead = shown.get(*id).is_some_and(|host| host.state == InstanceState::Terminated);
            let in_none = |address| !self.vpcs.iter().any(|network| network.holds(address));
            !is_dead && (self.elsewhere.contains(*id) || address.is_some_and(in_none))
        };
        hosts.find(is_outside).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(third: u8, prefix: u8) -> Network {
        Network { address: [10, third, 0, 0].into(), prefix }
    }

    fn vpc(id: &str, is_own: bool, third: u8) -> Vpc {
        Vpc { id: id.to_owned(), is_own, networks: vec![network(third, 16)] }
    }

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    fn owner(n: usize) -> Owner {
        Owner::new(&format!("i-{n:017x}")).unwrap()
    }

    #[test]
    fn every_vpc_of_the_zone_has_to_be_owned_by_an_account_that_is_read() {
        let of = |of_zone: &[&str], shown: &[Vpc]| of(&ids(of_zone), shown, &[], &BTreeMap::new());
        let both = [vpc("vpc-a", true, 0), vpc("vpc-b", true, 1), vpc("vpc-c", true, 2)];
        assert_eq!(of(&["vpc-a", "vpc-b"], &both).home, [network(0, 16), network(1, 16)]);
        // A participant sees a VPC that is shared with it, and not all that is in there.
        let shared = [vpc("vpc-a", true, 0), vpc("vpc-b", false, 1)];
        for (of_zone, shown) in [(&["vpc-a", "vpc-b"][..], &shared[..]), (&["vpc-a", "vpc-b"], &both[..1])] {
            assert_eq!(of(of_zone, shown).blind, Some(Blind::OthersVpc("vpc-b".to_owned())));
        }
        assert_eq!(of(&[], &both).blind, Some(Blind::NoVpc));
    }

    #[test]
    fn an_operator_narrows_where_absence_counts_to_what_is_a_vpcs() {
        let of = |said: &[Network]| of(&ids(&["vpc-a"]), &[vpc("vpc-a", true, 0)], said, &BTreeMap::new());
        let half = Network { address: [10, 0, 128, 0].into(), prefix: 17 };
        let sight = of(&[half]);
        assert!(sight.is_home([10, 0, 200, 1].into()) && !sight.is_home([10, 0, 0, 1].into()));
        for wrong in [network(1, 16), network(0, 8)] {
            assert_eq!(of(&[half, wrong]).blind, Some(Blind::NotHome(wrong)));
        }
        assert_eq!(Blind::NotHome(half).to_string().split(' ').next(), Some("10.0.128.0/17"));
    }

    #[test]
    fn a_host_of_the_zone_outside_its_vpcs_shows_that_there_are_other_ways_in() {
        let places = BTreeMap::from([(owner(1), "vpc-a".to_owned()), (owner(2), "vpc-x".to_owned())]);
        let sight = of(&ids(&["vpc-a"]), &[vpc("vpc-a", true, 0)], &[], &places);
        let (inside, far) = (Some([10, 0, 0, 7].into()), Some([10, 9, 0, 7].into()));
        let shown = |state| BTreeMap::from([(owner(2), Host { state, agent: Default::default() })]);
        let outsider = |hosts: &[(Owner, Option<Ipv4Addr>)], state| {
            let hosts: Vec<_> = hosts.iter().map(|(id, address)| (id, *address)).collect();
            sight.outsider(hosts.into_iter(), &shown(state)).cloned()
        };
        let running = InstanceState::Running;
        assert_eq!(outsider(&[(owner(1), inside), (owner(3), inside), (owner(4), None)], running), None);
        // The same addresses, but another VPC; and one that nothing shows, at another address.
        assert_eq!(outsider(&[(owner(2), inside)], running), Some(owner(2)));
        assert_eq!(outsider(&[(owner(2), None)], InstanceState::Stopped), Some(owner(2)));
        assert_eq!(outsider(&[(owner(3), far)], running), Some(owner(3)));
        assert_eq!(outsider(&[(owner(2), far)], InstanceState::Terminated), None);
    }
}
