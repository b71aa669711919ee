//! The host is reached at another address from now on: what hangs on it follows, in one word to the writer.

use std::net::Ipv4Addr;

use super::{Output, Registrar};

impl Registrar {
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
