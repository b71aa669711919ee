//! The janitor in small worlds that know the truth.

mod absence;
mod any;
mod checks;
mod corners;
mod faults;
mod holds;
mod mutants;
mod story;
mod world;
