//! The README, the promises, and the pages of `docs` and `deploy`, held against what is there: their commands run, their links
//! lead somewhere, and what they name exists.
//!
//! A fenced block says in its first line what it is:
//!
//! | | |
//! |---|---|
//! | `sh` | commands; all those of a page are run in one shell, in an empty directory, with the agent in its path |
//! | `LANGUAGE not-run: REASON` | what no test can run, and why |
//! | `sh run-by: tests/run demo` | commands that this step runs, in the checkout itself |
//! | `text`, `json` | no commands: a picture, what a program says, a policy |
//!
//! Needs what the tests in `tests/docker` need; `tests/run` provides it.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod blocks;
mod bounds;
mod links;
mod names;
mod page;
mod promises;
