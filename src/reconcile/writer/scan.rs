//! A read of the zone, page by page: all of it, or some names.
//!
//! Owns where the next page begins, and what is kept of the pages. When they are asked for is the
//! [writer](super)'s, what they teach the [ledger](crate::reconcile::ledger)'s.

use std::collections::{BTreeSet, VecDeque};

use crate::reconcile::ledger::Extent;
use crate::record::{RecordSet, canonical, list_order};
use crate::zone::{Course, Endless, ListStart, Page};

/// A read that is under way.
#[derive(Debug)]
pub(super) struct Scan {
    extent: Extent,
    /// Those of them that no page has reached yet, in the registry's order.
    left: VecDeque<String>,
    /// The one of them that the last page began with, or came to.
    current: Option<String>,
    start: Option<ListStart>,
    /// Of the pages of that one, or of the whole zone.
    course: Course<ListStart>,
    found: Vec<RecordSet>,
}

impl Scan {
    /// A read of the whole zone.
    pub(super) fn whole() -> Self {
        Self {
            extent: Extent::Zone,
            left: VecDeque::new(),
            current: None,
            start: None,
            course: Course::default(),
            found: Vec::new(),
        }
    }

    /// A read of these names; `None` where there are none.
    pub(super) fn of(names: BTreeSet<String>) -> Option<Self> {
        let mut left: Vec<String> = names.iter().cloned().collect();
        left.sort_by_cached_key(|name| list_order(name));
        let mut left = VecDeque::from(left);
        let current = left.pop_front()?;
        let start = Some(beginning(&current));
        let (extent, course) = (Extent::Names(names), Course::default());
        Some(Self { extent, left, current: Some(current), start, course, found: Vec::new() })
    }

    /// Where the next page begins.
    pub(super) fn start(&self) -> Option<&ListStart> {
        self.start.as_ref()
    }

    /// The same read from its beginning, with nothing found yet.
    pub(super) fn anew(&self) -> Self {
        match &self.extent {
            Extent::Zone => Self::whole(),
            Extent::Names(names) => Self::of(names.clone()).unwrap_or_else(Self::whole),
        }
    }

    /// Whether there is no end to this list, by a page of it that is not taken yet.
    pub(super) fn follow(&mut self, page: &Page) -> Result<(), Endless> {
        page.next.clone().map_or(Ok(()), |next| self.course.go_on(next))
    }

    /// Takes a page, and keeps of it what `keep` says. Returns whether it was the last.
    pub(super) fn on_page(&mut self, page: Page, keep: impl Fn(&RecordSet) -> bool) -> bool {
        self.found.extend(page.sets.into_iter().map(RecordSet::canonical).filter(keep));
        self.start = page.next;
        let (Extent::Names(_), Some(next)) = (&self.extent, &self.start) else { return self.start.is_none() };
        let at = next.name.as_deref().map(canonical).unwrap_or_default();
        if self.current.as_ref() == Some(&at) {
            return false;
        }
        // What comes before it has been covered. Each name is gone to once at most, so this ends in any order.
        while self.left.front().is_some_and(|name| list_order(name) < list_order(&at)) {
            self.left.pop_front();
        }
        self.current = self.left.pop_front();
        match &self.current {
            None => self.start = None,
            Some(name) if *name != at => {
                self.start = Some(beginning(name));
                self.course = Course::default();
            }
            Some(_) => {}
        }
        self.start.is_none()
    }

    /// What was kept, and of which keys it would have found something.
    pub(super) fn end(self) -> (Vec<RecordSet>, Extent) {
        (self.found, self.extent)
    }
}

fn beginning(name: &str) -> ListStart {
    ListStart { name: Some(name.to_owned()), kind: None, set_identifier: None }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::record::{Action, Change, RecordType, Routing};
    use crate::zone::Zone;
    use crate::zone::embedded::{EmbeddedZone, Options};

    /// In the order of their labels `_a` comes before `_a-b`, in that of a list after it.
    const NAMES: [&str; 7] = ["_a", "_a-b", "_a-c", "_a._tcp", "_b._tcp", "_c._udp", "_d._udp"];

    fn set(name: &str, id: usize) -> RecordSet {
        RecordSet {
            name: format!("{name}.sd.internal"),
            kind: RecordType::Srv,
            set_identifier: Some(format!("x{id:03}")),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec![format!("1 1 {id} h.sd.internal")],
        }
    }

    fn zone(sets: impl IntoIterator<Item = RecordSet>) -> EmbeddedZone {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        for set in sets {
            zone.change(&[Change { action: Action::Create, set }]).now_or_never().unwrap().unwrap();
        }
        zone
    }

    fn read(zone: &EmbeddedZone, mut scan: Scan, page: usize) -> (Vec<RecordSet>, usize) {
        for pages in 1.. {
            let answer = zone.list(scan.start(), page).now_or_never().unwrap().unwrap();
            if scan.on_page(answer, |set| set.set_identifier.is_some()) {
                return (scan.end().0, pages);
            }
        }
        unreachable!()
    }

    #[test]
    fn reads_each_set_of_the_zone_once_at_every_size_of_a_page() {
        let sets: Vec<_> = (0..30).map(|n| set(["_a._tcp", "_b._udp", "c"][n / 10], n)).collect();
        let zone = zone(sets.clone());
        for page in 1..40 {
            let (mut found, pages) = read(&zone, Scan::whole(), page);
            found.sort_by_key(|set| set.set_identifier.clone());
            // Beside them, the zone's own NS and SOA.
            assert_eq!((found, pages), (sets.clone(), 32_usize.div_ceil(page)), "{page}");
        }
    }

    #[test]
    fn reads_all_of_some_names_and_nothing_twice_at_every_size_of_a_page() {
        let sets: Vec<_> = (0..40).map(|n| set(NAMES[n % NAMES.len()], n)).collect();
        let zone = zone(sets.clone());
        let names: BTreeSet<String> =
            ["_a", "_a-c", "_a._tcp", "_d._udp", "_z._tcp"].map(|name| format!("{name}.sd.internal")).into();
        for page in 1..60 {
            let scan = Scan::of(names.clone()).unwrap();
            let (found, _) = read(&zone, scan, page);
            let mut found: Vec<_> = found.into_iter().filter(|set| names.contains(&set.name)).collect();
            found.sort_by_key(|set| set.set_identifier.clone());
            let wanted: Vec<_> = sets.iter().filter(|set| names.contains(&set.name)).cloned().collect();
            assert_eq!(found, wanted, "{page}");
        }
    }

    #[test]
    fn names_that_one_page_covers_cost_one_call() {
        let zone = zone((0..40).map(|n| set(["_a._tcp", "_b._tcp", "_c._udp", "_d._udp"][n % 4], n)));
        let names = ["_a._tcp", "_b._tcp", "_c._udp"].map(|name| format!("{name}.sd.internal"));
        assert_eq!(read(&zone, Scan::of(names.into()).unwrap(), 300).1, 1);
        assert!(Scan::of(BTreeSet::new()).is_none());
    }

    #[test]
    fn covers_what_it_read() {
        let key = |name: &str| set(name, 1).key();
        let (_, extent) = Scan::of([key("_a._tcp").name].into()).unwrap().end();
        assert!(extent.covers(&key("_a._tcp").name) && !extent.covers(&key("_b._tcp").name));
        assert!(Scan::whole().end().1.covers(&key("_b._tcp").name));
    }
}
