//! Route 53: zones in an emulator, a model in this process, a front before either, and the API's XML.

pub mod endpoint;
pub mod faults;
pub mod front;
pub mod hosted;
pub mod model;
pub mod served;
pub mod wire;
