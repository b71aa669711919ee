//! Which connections of clients stay: all while there is room, then the one that was used last the longest
//! ago makes room for the next.
//!
//! Pure; the connections themselves are others'.

use std::collections::BTreeMap;

/// Connections by their numbers, each with what closes it.
#[derive(Debug)]
pub(super) struct Connections<C> {
    max: usize,
    /// Counts every use: the lower, the longer ago.
    uses: u64,
    next: u64,
    open: BTreeMap<u64, (u64, C)>,
}

impl<C> Connections<C> {
    /// Room for `max` of them, one at least.
    pub(super) fn new(max: usize) -> Self {
        Self { max: max.max(1), uses: 0, next: 0, open: BTreeMap::new() }
    }

    /// Takes one in. Returns its number, and the one that has to close for it, if there is no room.
    pub(super) fn admit(&mut self, connection: impl FnOnce(u64) -> C) -> (u64, Option<C>) {
        let oldest = (self.open.len() >= self.max)
            .then(|| self.open.iter().min_by_key(|(_, (used, _))| *used).map(|(number, _)| *number));
        let closed = oldest.flatten().and_then(|number| self.open.remove(&number));
        let number = self.next;
        self.next += 1;
        self.uses += 1;
        self.open.insert(number, (self.uses, connection(number)));
        (number, closed.map(|(_, connection)| connection))
    }

    /// One was used.
    pub(super) fn used(&mut self, number: u64) {
        self.uses += 1;
        if let Some((used, _)) = self.open.get_mut(&number) {
            *used = self.uses;
        }
    }

    /// One has closed by itself.
    pub(super) fn closed(&mut self, number: u64) {
        self.open.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_used_last_the_longest_ago_makes_room() {
        let mut connections = Connections::new(3);
        for expected in 0..3 {
            assert_eq!(connections.admit(|number| number), (expected, None));
        }
        connections.used(0);
        assert_eq!(connections.admit(|number| number), (3, Some(1)));
        connections.closed(2);
        assert_eq!(connections.admit(|number| number), (4, None));
        assert_eq!(connections.admit(|number| number), (5, Some(0)));
        // One that is gone already has no use.
        connections.used(0);
        assert_eq!(connections.open.len(), 3);
    }
}
