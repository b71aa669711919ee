//! Which planted mistake is on: `ECSSD_MUTANT` has its number. Where `ECSSD_MUTANTS_PASSED` names a file, none is, and
//! those that the program comes past are written down there.
//!
//! Part of the tree in which mistakes are planted, not of the program that plants them.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

enum Wanted {
    On(Option<usize>),
    Passed(File),
}

static WANTED: LazyLock<Wanted> = LazyLock::new(|| match env::var_os("ECSSD_MUTANTS_PASSED") {
    Some(path) => Wanted::Passed(OpenOptions::new().append(true).create(true).open(path).expect("the file opens")),
    None => Wanted::On(env::var("ECSSD_MUTANT").ok().map(|number| number.parse().expect("a number"))),
});

static PASSED: [AtomicBool; 16_384] = [const { AtomicBool::new(false) }; 16_384];

/// Whether this mistake is to be made.
#[inline]
pub fn on(number: usize) -> bool {
    match &*WANTED {
        Wanted::On(wanted) => *wanted == Some(number),
        Wanted::Passed(file) => {
            // In one write: other processes append to the same file.
            if !PASSED[number].swap(true, Ordering::Relaxed) {
                { file }.write_all(format!("{number}\n").as_bytes()).expect("the file can be written");
            }
            false
        }
    }
}

/// `original`, or nothing, or this one thing: a function that returns `impl Iterator` has one type to return.
pub fn iterator<I: Iterator>(instead: Option<Option<I::Item>>, original: I) -> impl Iterator<Item = I::Item> {
    let most = if instead.is_some() { 0 } else { usize::MAX };
    instead.flatten().into_iter().chain(original.take(most))
}
