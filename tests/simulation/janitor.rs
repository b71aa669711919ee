//! Runs of the janitor, beside the agents.

use super::world::State;

impl State {
    pub fn janitor_looks(&mut self) {}
    pub fn janitor_looks_again(&mut self) {}
}
