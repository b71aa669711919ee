//! Where a host off EC2 is reached, and what its route out tells of that.

use std::net::Ipv4Addr;
use std::time::Duration;

use ecssd::moment::Moment;

use super::court::FOLLOWS;
use super::later::Later;
use super::world::State;

/// The way out of a host.
#[derive(Debug, Default)]
pub struct Route {
    /// Whether it tells where the host is reached; on EC2 the instance does.
    pub is_followed: bool,
    /// When the host's address changed last.
    pub changed: Moment,
    away_until: Moment,
    /// Until when it tells another address.
    astray: Option<(Moment, Ipv4Addr)>,
}

impl Route {
    pub fn new(is_followed: bool) -> Self {
        Self { is_followed, ..Self::default() }
    }

    /// The address that is read of it, where the host's is this.
    pub fn read(&self, address: Ipv4Addr, now: Moment) -> Option<Ipv4Addr> {
        match self.astray {
            _ if !self.is_followed => Some(address),
            _ if now < self.away_until => None,
            Some((until, other)) if now < until => Some(other),
            _ => Some(address),
        }
    }

    /// Since when, or from when on, it tells the host's address.
    pub fn right_since(&self) -> Moment {
        let astray = self.astray.map_or(Moment::START, |(until, _)| until);
        self.changed.max(self.away_until).max(astray)
    }

    pub fn heal(&mut self, now: Moment) {
        self.away_until = self.away_until.min(now);
        self.astray = self.astray.map(|(until, other)| (until.min(now), other));
    }
}

impl State {
    /// The host is reached at another of its addresses from now on.
    pub fn moves(&mut self, host: usize, to: u8) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let other = at(of.address, to);
        if !of.route.is_followed || other == of.address {
            return;
        }
        (of.address, of.route.changed) = (other, now);
        if of.alive {
            self.count("address moved under an agent");
        }
        self.tell(host, format_args!("has the address {other}"));
        self.is_to_be_followed(host);
    }

    /// No route leaves the host for so long.
    pub fn loses_route(&mut self, host: usize, lasts: Duration) {
        let now = self.now;
        let route = &mut self.hosts[host].route;
        route.away_until = route.away_until.max(now + lasts);
        self.is_to_be_followed(host);
    }

    /// Its route tells another address for so long.
    pub fn route_strays(&mut self, host: usize, lasts: Duration) {
        const ELSEWHERE: u8 = 99;
        let now = self.now;
        let of = &mut self.hosts[host];
        of.route.astray = Some((now + lasts, at(of.address, ELSEWHERE)));
        self.is_to_be_followed(host);
    }

    /// The court looks when that has had its time.
    fn is_to_be_followed(&mut self, host: usize) {
        let since = self.hosts[host].route.right_since();
        let stood_still = self.stood_still;
        self.later((since - self.now) + FOLLOWS, Later::Follow { host, since, stood_still });
    }
}

fn at(address: Ipv4Addr, network: u8) -> Ipv4Addr {
    let [a, b, _, last] = address.octets();
    [a, b, 100 + network, last].into()
}
