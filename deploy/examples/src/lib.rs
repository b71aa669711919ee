//! What the three example services share: how they serve and stop, who they say they are, the frame
//! around `time` and `calc`, and the one kind of HTTP request they make themselves.
//!
//! What a service *does* is in its own folder: `time`, `calc`, and the `portal` that finds the two.
//! Nothing here knows of the registrar. That is the point of it: a service is an ordinary program, and
//! labels on its container are all that it takes to be found.

#![forbid(unsafe_code)]

pub mod exchange;
pub mod identity;
pub mod serve;
pub mod service;
pub mod settings;
