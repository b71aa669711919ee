//! The janitor in small worlds that know the truth.

mod any;
mod checks;
mod corners;
mod faults;
mod mutants;
mod story;
mod world;
