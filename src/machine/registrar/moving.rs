//! The host is reached at another address from now on: what hangs on it follows, in one word to the writer.

use std::net::Ipv4Addr;

use super::{Output, Registrar};

impl Registrar {
    /// The host's address is that of its route, and may change. Before anything else is told.
    pub fn follow_route(&mut self) {
        self.adoption.follow_route();
    }

    /// The host has this address from now on.
    pub fn on_moved(&mut self, address: Ipv4Addr) -> Output {
        self.registrant.address = address;
        self.adoption.on_moved(address);
        let says = self.adoption.is_open() && !self.departure.has_drained();
        if says {
            self.publication.say_all(self.granted_records());
        }
        Output::Moved(address, says.then(|| self.all_wants()))
    }
}
