//! What an operator asks for, read from text.

use std::time::Duration;

use crate::record::{ContainerId, canonical};

/// The longest that a cordon lasts that ends by itself: 30 days.
pub const LASTS_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// No name is longer, nor an id.
const WHAT_OCTETS_MAX: usize = 255;

/// What an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Of what.
    pub what: What,
    /// What is to become of it.
    pub wish: Wish,
}

/// What is to become of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It has this weight.
    Cordon {
        /// The weight.
        weight: u8,
        /// How long; `None` until somebody ends it.
        lasts: Option<Duration>,
    },
    /// It has its own again.
    Uncordon,
}

/// Of what, as far as its text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Of this host.
    All,
    /// Of a name that begins with an underscore, as no container's does.
    Service(String),
    /// Of a container, by its name or id, or of a name that answers with an address.
    Named(String),
}

/// What cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "that is no container, no service and not all: pass a container's name or id, a service such as _web._tcp, or all"
)]
pub struct BadOrder;

impl What {
    /// Reads it.
    ///
    /// # Errors
    /// Where it can be neither a name nor an id.
    pub fn parse(text: &str) -> Result<Self, BadOrder> {
        // So Docker's API calls a container.
        let text = text.trim().trim_start_matches('/');
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > WHAT_OCTETS_MAX || !text.bytes().all(is_name) {
            return Err(BadOrder);
        }
        Ok(match text {
            "all" => Self::All,
            service if service.starts_with('_') => Self::Service(service.to_owned()),
            named => Self::Named(named.to_owned()),
        })
    }
}

impl What {
    /// Whether it begins as a service does, and no container can ask for it: a name with a protocol comes after the
    /// underscore.
    pub fn is_no_service(&self) -> bool {
        let is_protocol =
            |label: &str| label.eq_ignore_ascii_case("_tcp") || label.eq_ignore_ascii_case("_udp");
        matches!(self, Self::Service(text) if text.starts_with("_.") || !text.split('.').skip(1).any(is_protocol))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "all",
            Self::Service(text) | Self::Named(text) => text,
        }
    }
}

/// Whether an id begins so.
pub fn begins(id: &ContainerId, text: &str) -> bool {
    !text.is_empty() && id.as_str().starts_with(&text.to_ascii_lowercase())
}

/// A name as an operator writes it, whole and canonical; `None` where it lies in another zone, or is too long.
pub fn whole(name: &str, zone: &str) -> Option<String> {
    let (name, is_absolute) = (canonical(name), name.ends_with('.'));
    let is_whole = name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    let whole = match (is_whole, is_absolute) {
        (true, _) => name,
        (false, true) => return None,
        (false, false) => format!("{name}.{zone}"),
    };
    let is_good = whole.split('.').all(|label| (1..=63).contains(&label.len()));
    (is_good && whole.len() <= WHAT_OCTETS_MAX - 2).then_some(whole)
}
