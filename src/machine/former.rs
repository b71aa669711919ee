//! Whether a host may remove by itself what it wrote under another name.
//!
//! A journal of another owner says who wrote, not who is gone: a copied disk carries the journal of a host that lives.
//! So all of these have to hold, and where one does not, an operator removes what is named.
//!
//! | what has to hold | for else |
//! |---|---|
//! | neither the host nor the owner is of EC2 | an instance's disk is copied with its image, and its id is never used again |
//! | the journal is of the zone that is written to | what is in another zone, nobody here sees |
//! | it was written on this machine | it came with a disk or a backup |
//! | the owner's address record stands, and leads to this host now | the name, or the address, is another host's |

use std::net::Ipv4Addr;

/// What a journal that was set aside says of who wrote it, and what stands of that now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Who wrote it.
    pub owner: String,
    /// The id of the zone that it is of.
    pub zone_id: String,
    /// The machine that wrote it; `None` where that was not noted.
    pub machine: Option<String>,
    /// Where the address record of that owner leads; `None` where there is none.
    pub address: Option<Ipv4Addr>,
}

/// The host that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Whether it is on EC2, as far as can be told.
    pub on_ec2: bool,
    /// The id of the zone that it writes to.
    pub zone_id: String,
    /// Its machine; `None` where that has no id.
    pub machine: Option<String>,
    /// Where clients reach it.
    pub address: Ipv4Addr,
}

/// Why what a host wrote under another name stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stays {
    /// EC2 is where disks are copied.
    #[error("on EC2 nothing of another owner is removed by itself")]
    Ec2,
    /// Of another zone.
    #[error("it is of another zone")]
    Zone,
    /// Of another machine, or nobody knows of which.
    #[error("it is not known to be of this machine")]
    Machine,
    /// Nothing says that its owner was this host.
    #[error("its owner's address record does not lead to this host")]
    Address,
}

impl Present {
    /// Whether this host may remove the records of that owner.
    ///
    /// # Errors
    /// Where it may not.
    pub fn may_remove(&self, former: &Former) -> Result<(), Stays> {
        if self.on_ec2 || is_instance(&former.owner) {
            return Err(Stays::Ec2);
        }
        if former.zone_id != self.zone_id {
            return Err(Stays::Zone);
        }
        if former.machine.is_none() || former.machine != self.machine {
            return Err(Stays::Machine);
        }
        if former.address != Some(self.address) {
            return Err(Stays::Address);
        }
        Ok(())
    }
}

/// Whether an owner is called as an instance of EC2 is.
fn is_instance(owner: &str) -> bool {
    owner.strip_prefix("i-").is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn former() -> Former {
        Former {
            owner: "web1".into(),
            zone_id: "Z1".into(),
            machine: Some("0123".into()),
            address: Some([10, 0, 0, 7].into()),
        }
    }

    fn present() -> Present {
        Present {
            on_ec2: false,
            zone_id: "Z1".into(),
            machine: Some("0123".into()),
            address: [10, 0, 0, 7].into(),
        }
    }

    #[test]
    fn a_host_that_was_renamed_may_remove_what_it_wrote() {
        assert_eq!(present().may_remove(&former()), Ok(()));
        // Not every name that begins so is an instance's.
        for owner in ["i-am-web1", "i-am-webserver", "i-abc"].map(str::to_owned) {
            assert_eq!(present().may_remove(&Former { owner, ..former() }), Ok(()));
        }
    }

    #[test]
    fn each_condition_alone_keeps_it() {
        let is = |present: Present, former: Former, stays| {
            assert_eq!(present.may_remove(&former), Err(stays), "{present:?} {former:?}");
        };
        is(Present { on_ec2: true, ..present() }, former(), Stays::Ec2);
        is(present(), Former { owner: "i-0123456789abcdef0".into(), ..former() }, Stays::Ec2);
        is(present(), Former { zone_id: "Z2".into(), ..former() }, Stays::Zone);
        is(present(), Former { machine: Some("4567".into()), ..former() }, Stays::Machine);
        is(present(), Former { machine: None, ..former() }, Stays::Machine);
        is(Present { machine: None, ..present() }, former(), Stays::Machine);
        is(Present { machine: None, ..present() }, Former { machine: None, ..former() }, Stays::Machine);
        is(present(), Former { address: Some([10, 0, 0, 8].into()), ..former() }, Stays::Address);
        is(present(), Former { address: None, ..former() }, Stays::Address);
        is(Present { address: [10, 0, 0, 8].into(), ..present() }, former(), Stays::Address);
    }
}
