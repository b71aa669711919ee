//! What consumers that others wrote see of a service's names: HAProxy, Prometheus, Go and dnspython, each with the
//! recipe that docs/consumers.md has for it.
//!
//! What happens to a host is tried on a real engine with an agent ([`host`]); where only the number of copies matters,
//! the zone is filled here with what agents would write, and answered for as `--local` does it ([`fleet`]). Figures that
//! come out are printed, and held to that page.
//!
//! Needs root, for port 53 of a loopback address and a resolv.conf of its own, `dockerd`, `docker`, a static `busybox`,
//! `ip`, `haproxy`, `prometheus`, `go`, `dnsmasq`, `unbound`, and dnspython for `/usr/bin/python3`; `tests/run consumers`
//! provides them, and runs one test at a time.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod fleet;
mod haproxy;
mod host;
mod load;
mod lookups;
mod prometheus;
mod resolvers;
mod surviving;

/// The page that is held to what is seen.
pub const PAGE: &str = include_str!("../../docs/consumers.md");

/// The recipe of this language on the page, for the zone under test.
pub fn recipe(language: &str) -> String {
    recipe_under("", language)
}

/// The first recipe of this language below this heading.
pub fn recipe_under(heading: &str, language: &str) -> String {
    let (_, page) = PAGE.split_once(heading).unwrap();
    let (_, rest) = page.split_once(&format!("```{language} run-by: tests/run consumers\n")).unwrap();
    let (recipe, _) = rest.split_once("\n```").unwrap();
    recipe.replace("127.0.0.1:5333", fleet::DNS)
}
