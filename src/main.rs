//! The door of `ecssd`.

fn main() {}
