//! Route 53: zones in an emulator, a front before it, and the API's XML.

pub mod front;
pub mod hosted;
pub mod wire;
