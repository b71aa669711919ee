//! Sockets for others, who may send what they like: [`dns`] answers from the embedded zone.

pub mod dns;
