//! Names that no container is given, whatever is allowed: clients look them up by themselves and trust whoever answers.
//!
//! | name | where | who trusts it |
//! |---|---|---|
//! | `localhost` | any label | browsers and programs, which take it for the host that they run on |
//! | `wpad` | the first label | browsers, which take their proxy from it |
//! | `isatap` | the first label | Windows, which takes a router from it |
//! | `_msdcs` | any label | members of an Active Directory, which find their domain controllers there |
//! | `ns`, `ns1` | directly under the zone | whoever delegates to the zone, as its name servers are called so |
//!
//! Clients put the zone, or a name below it, at the end of what they look up, so that the first label counts at any
//! depth.
//! Sources: RFC 6761, section 6.3 (`localhost`); Microsoft, "DNS server global query block list" (`wpad`, `isatap`) and
//! [MS-ADTS], section 6.3.2.3 (`_msdcs`).

/// A name that no container is given. Written to follow the name itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reserved {
    /// It means the host that asks.
    #[error("has the label localhost, by which every host means itself")]
    Localhost,
    /// Web Proxy Auto-Discovery.
    #[error("begins with wpad, where browsers look for their proxy")]
    Wpad,
    /// Intra-Site Automatic Tunnel Addressing.
    #[error("begins with isatap, where Windows looks for a router")]
    Isatap,
    /// Of an Active Directory.
    #[error("has the label _msdcs, where domain controllers are looked for")]
    Msdcs,
    /// Of the zone itself.
    #[error("is what a name server of the zone is called")]
    NameServer,
}

impl Reserved {
    /// What a lower-case name, relative to its zone, is reserved for.
    pub(super) fn of(relative: &str) -> Option<Self> {
        let has = |wanted: &str| relative.split('.').any(|label| label == wanted);
        let number = relative.strip_prefix("ns");
        match relative.split('.').next() {
            _ if has("localhost") => Some(Self::Localhost),
            _ if has("_msdcs") => Some(Self::Msdcs),
            Some("wpad") => Some(Self::Wpad),
            Some("isatap") => Some(Self::Isatap),
            _ if number.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit())) => {
                Some(Self::NameServer)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_reserved_where_it_does_harm() {
        for (name, reserved) in [
            ("localhost", Some(Reserved::Localhost)),
            ("_web._tcp.localhost", Some(Reserved::Localhost)),
            ("localhost.prod", Some(Reserved::Localhost)),
            ("wpad", Some(Reserved::Wpad)),
            ("wpad.prod", Some(Reserved::Wpad)),
            ("wpad._tcp", Some(Reserved::Wpad)),
            ("isatap.prod", Some(Reserved::Isatap)),
            ("_ldap._tcp.dc._msdcs", Some(Reserved::Msdcs)),
            ("ns", Some(Reserved::NameServer)),
            ("ns12", Some(Reserved::NameServer)),
            // Nobody looks for anything there.
            ("ns.prod", None),
            ("ns-1", None),
            ("_ns._tcp", None),
            ("nsd", None),
            ("_web._tcp.wpad", None),
            ("_wpad._tcp", None),
            ("wpad-test", None),
            ("localhost-1", None),
            ("_ldap._tcp", None),
        ] {
            assert_eq!(Reserved::of(name), reserved, "{name}");
        }
    }
}
