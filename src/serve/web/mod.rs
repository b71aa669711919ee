//! HTTP for clients of whom nothing is known: what holds for every server of this process that speaks it.
//!
//! | file | what it owns |
//! |---|---|
//! | `connection` | the bounds of one connection |
//! | `accept` | which connections stay |
//! | `address` | an address, as soon as it can be had |
//! | `front` | a server on a thread of its own |
//! | `host` | whether a request is for this host; pure |
//! | `reply` | what is refused whatever it asks for, and what stands in the head of each answer |
//!
//! What is answered to which path is the servers' own. HTTP is read and written by hyper.

mod accept;
mod address;
mod connection;
mod front;
mod host;
mod reply;

pub(super) use self::accept::accept_all;
pub(super) use self::address::{AGAIN, bind_address};
pub(super) use self::connection::talk;
pub use self::connection::{CONNECTION_TIME_MAX, HEAD_OCTETS_MAX, HEAD_TIME_MAX, HEADERS_MAX};
pub use self::front::Front;
pub(super) use self::reply::{Answer, JSON, TEXT, field, refused, strange, text, with_type};
