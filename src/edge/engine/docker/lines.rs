//! A stream of octets, cut into lines. Pure.
//!
//! An event carries all labels of its container. Of a line that is longer than events are, the beginning is kept, which
//! says whose it is.

use std::mem;

/// The most octets of a line that is read.
pub const LINE_OCTETS_MAX: usize = 1 << 20;
/// What is kept of one that is longer: what comes before the labels has a few hundred.
const KEPT_OCTETS: usize = 4 << 10;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// The beginning of one that is too long.
    Cut(Vec<u8>),
}

/// A line that has not ended yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    cut: bool,
}

impl Lines {
    /// What came next: the lines that end in it.
    pub(super) fn push(&mut self, octets: &[u8]) -> Vec<Line> {
        let mut ended = Vec::new();
        for (index, part) in octets.split(|octet| *octet == b'\n').enumerate() {
            if index > 0 {
                ended.extend(self.rest());
            }
            self.add(part);
        }
        ended
    }

    /// What has no end, once nothing more comes.
    pub(super) fn rest(&mut self) -> Option<Line> {
        let (line, cut) = (mem::take(&mut self.begun), mem::take(&mut self.cut));
        let line = if cut { Line::Cut(line) } else { Line::Whole(line) };
        (!matches!(&line, Line::Whole(line) if line.trim_ascii().is_empty())).then_some(line)
    }

    fn add(&mut self, part: &[u8]) {
        if self.cut {
            return;
        }
        let room = LINE_OCTETS_MAX - self.begun.len();
        self.begun.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() > room {
            self.cut = true;
            self.begun.truncate(KEPT_OCTETS);
            self.begun.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let text = b"one\ntwo\r\n\n\nthree";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut found: Vec<_> = text.chunks(size).flat_map(|piece| lines.push(piece)).collect();
            found.extend(lines.rest());
            assert_eq!(found, [whole("one"), whole("two\r"), whole("three")], "by {size}");
        }
    }

    #[test]
    fn of_a_line_without_end_a_beginning_is_kept_and_the_next_is_whole() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"begins"), []);
        let piece = vec![b'x'; 64 << 10];
        for _ in 0..1_000 {
            assert_eq!(lines.push(&piece), []);
            assert!(lines.begun.capacity() <= 2 * LINE_OCTETS_MAX);
        }
        let found = lines.push(b"\nnext\n");
        let [Line::Cut(kept), next] = &found[..] else { panic!("{} lines", found.len()) };
        assert!(kept.starts_with(b"beginsxx") && kept.len() == KEPT_OCTETS);
        assert_eq!(*next, whole("next"));
    }

    #[test]
    fn the_longest_line_is_whole() {
        let mut lines = Lines::default();
        let longest = vec![b'x'; LINE_OCTETS_MAX];
        assert_eq!(lines.push(&longest), []);
        assert_eq!(lines.push(b"\n"), [Line::Whole(longest)]);
    }
}
