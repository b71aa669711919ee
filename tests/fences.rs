//! The fences between the rooms of `src`: who may use whom, what the pure rooms may not touch, and that no actor
//! knows another. Reads the source as tokens, so that comments and texts count for nothing.
//!
//! The tables are the architecture. A line that is crossed belongs elsewhere, or the table has to change, with
//! the reason in the commit.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

/// Each room of `src`, from the inside out, and those that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    // What all sides speak, and what is decided in it.
    ("record", &[]),
    ("nearest", &[]),
    ("printable", &[]),
    ("shell_line", &[]),
    ("container", &["nearest", "record"]),
    // Tools.
    ("aws", &[]),
    ("backoff", &[]),
    ("moment", &[]),
    ("clock", &["moment"]),
    ("logs", &["printable"]),
    ("private_file", &[]),
    // What is wanted, and when; its watcher waits longer with each failure.
    ("machine", &["backoff", "container", "moment", "record"]),
    // What is asked, kept and served.
    ("zone", &["aws", "backoff", "moment", "printable", "private_file", "record"]),
    ("change", &["backoff", "moment", "record", "zone"]),
    // It remembers signals too.
    ("journal", &["container", "machine", "private_file", "record", "zone"]),
    // It writes what the machine wants.
    ("reconcile", &["backoff", "change", "journal", "machine", "moment", "record", "zone"]),
    // What an operator sees, made of what is known; and what he may ask the machine for.
    ("status", &["container", "machine", "moment", "record", "reconcile", "zone"]),
    ("serve", &["clock", "container", "machine", "moment", "record", "status", "zone"]),
    // A host asks the zone's name server for the size of the fleet.
    ("edge", &["aws", "backoff", "container", "machine", "printable", "record", "serve", "zone"]),
    // What is wrong with a host, by what was found out of it.
    ("doctor", &["container", "printable", "record", "zone"]),
    // Who does the work.
    (
        "actors",
        &[
            "clock",
            "container",
            "edge",
            "journal",
            "machine",
            "moment",
            "record",
            "reconcile",
            "status",
            "zone",
        ],
    ),
    (
        "janitor",
        &[
            "aws",
            "backoff",
            "change",
            "clock",
            "container",
            "edge",
            "machine",
            "moment",
            "printable",
            "record",
            "shell_line",
            "zone",
        ],
    ),
    ("zone_setup", &["aws", "change", "janitor", "record", "zone"]),
    // The door: settings go from the command line through config to the rest, and never back.
    ("cli", &["container", "nearest"]),
    (
        "config",
        &[
            "change",
            "cli",
            "container",
            "edge",
            "janitor",
            "logs",
            "machine",
            "nearest",
            "record",
            "shell_line",
            "zone",
        ],
    ),
    (
        "run",
        &[
            "actors",
            "aws",
            "change",
            "clock",
            "config",
            "container",
            "doctor",
            "edge",
            "journal",
            "logs",
            "machine",
            "moment",
            "printable",
            "reconcile",
            "record",
            "serve",
            "shell_line",
            "status",
            "zone",
        ],
    ),
    ("main", &["cli", "config", "janitor", "logs", "run", "zone_setup"]),
];

/// Each room of `src/edge`.
const EDGES: &[(&str, &[&str])] =
    &[("check", &[]), ("imds", &[]), ("engine", &["imds"]), ("host", &["engine", "imds"])];
/// Each module of `src/actors`, and those of its siblings that it may use: all know the messages, and nobody an
/// actor but whoever starts it.
const ACTORS: &[(&str, &[&str])] = &[
    ("messages", &[]),
    ("wake_timer", &[]),
    ("contained", &[]),
    ("dependencies", &[]),
    ("peers", &["messages"]),
    ("showing", &[]),
    ("docker_watcher", &["contained", "messages", "peers", "showing"]),
    ("task_resolver", &["wake_timer", "contained", "messages", "peers", "showing"]),
    ("health_prober", &["contained", "messages", "peers"]),
    ("registrar", &["wake_timer", "health_prober", "messages", "peers", "showing"]),
    ("host_watcher", &["contained", "messages", "peers"]),
    ("route53_writer", &["wake_timer", "contained", "messages", "peers", "showing"]),
    (
        "agent",
        &[
            "docker_watcher",
            "host_watcher",
            "messages",
            "peers",
            "registrar",
            "route53_writer",
            "dependencies",
            "task_resolver",
        ],
    ),
];

/// What decides, and touches nothing: rooms, and parts of rooms.
const PURE: &[&str] = &[
    "record",
    "moment",
    "nearest",
    "shell_line",
    "container",
    "doctor",
    "machine",
    "change/batch",
    "change/pacing",
    "reconcile/ledger",
    "reconcile/route53_writer",
    "reconcile/writer",
    "serve/targets/book",
    "serve/targets/groups",
    "serve/targets/name",
    "status/assemble",
    "status/metrics",
    "status/readiness",
    "status/schema",
    "status/text",
    "zone/embedded/contents",
    "zone/embedded/gate",
    "zone/embedded/limits",
    "zone/embedded/model",
    "zone/embedded/name",
    "zone/embedded/refusal",
    "zone/embedded/request",
    "zone/embedded/rules",
    "zone/embedded/value",
    "janitor/caps",
    "janitor/entry",
    "janitor/evidence",
    "janitor/fitness",
    "janitor/fleet",
    "janitor/forget/plan",
    "janitor/forget/text",
    "janitor/health",
    "janitor/report",
    "janitor/rules",
    "janitor/sweep",
    "janitor/verdict",
    "janitor/watch",
    "zone_setup/event",
    "zone_setup/plan",
];

/// The libraries that they may use: no vendor's, no runtime's.
const PURE_LIBRARIES: &[&str] =
    &["fastrand", "futures_util", "prometheus", "serde", "serde_json", "thiserror", "time", "tracing"];

/// What of the standard library, of those, and of the rooms that they may use otherwise, reaches the world: files,
/// sockets, processes, the clock.
const WORLD: &[&str] = &[
    "crate::aws",
    "crate::edge",
    "crate::clock",
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "tracing::subscriber",
];

/// The functions that read a clock, whatever they are reached by; and the method.
const CLOCKS: &[&str] = &["now", "now_local", "now_utc"];
const ELAPSED: &str = "elapsed";

/// Chance comes from a seed that is given.
const SEEDED: &[&str] = &["fastrand::Rng", "fastrand::Rng::with_seed"];

// === The fences ===

#[test]
fn rooms_use_only_rooms_that_are_further_in() {
    hold(ROOMS, &["crate"]);
}

#[test]
fn no_actor_knows_another_but_whoever_starts_it() {
    hold(ACTORS, &["crate", "actors"]);
}

#[test]
fn no_edge_knows_another_but_the_host_whom_it_asks() {
    hold(EDGES, &["crate", "edge"]);
}

/// Holds a table against the sources: its rooms lie below `parent`, as in `crate::<room>`.
fn hold(table: &[(&str, &[&str])], parent: &[&str]) {
    let folder = ["src"].iter().chain(&parent[1..]).copied().collect::<Vec<_>>().join("/");
    let (mut crossings, mut used) = (Vec::new(), BTreeSet::new());
    for source in sources(&folder) {
        let room = source.room(&folder);
        let Some((room, may)) = table.iter().find(|(name, _)| room.as_deref() == Some(name)) else {
            continue;
        };
        for path in source.paths() {
            let other = below(&path, parent).filter(|other| other != room);
            let Some((other, _)) = table.iter().find(|(name, _)| other == Some(name)) else { continue };
            used.insert((*room, *other));
            if !may.contains(other) {
                let why = format!("is of {room}, which may use {may:?}");
                crossings.push(source.crossing(&path.join("::"), &why));
            }
        }
    }
    assert!(crossings.is_empty(), "{}", crossings.join("\n"));
    let allowed = table.iter().flat_map(|(room, may)| may.iter().map(|other| (*room, *other)));
    let unused: Vec<_> = allowed.filter(|pair| !used.contains(pair)).collect();
    assert!(unused.is_empty(), "allowed and not used, so not to be allowed: {unused:?}");
}

#[test]
fn the_tables_have_no_circle_and_no_room_that_is_not_there() {
    for (table, folder) in [(ROOMS, "src"), (EDGES, "src/edge"), (ACTORS, "src/actors")] {
        let mut known = BTreeSet::new();
        for (room, may) in table {
            let outside: Vec<_> = may.iter().filter(|other| !known.contains(*other)).collect();
            assert!(outside.is_empty(), "{room} uses {outside:?}, which stand further out or nowhere");
            assert!(known.insert(room), "{room} stands twice in the table");
        }
        let there: BTreeSet<_> =
            sources(folder).into_iter().filter_map(|source| source.room(folder)).collect();
        assert_eq!(there, known.iter().map(|room| (**room).to_owned()).collect(), "rooms of {folder}");
    }
}

#[test]
fn what_decides_touches_nothing() {
    let (sources, libraries) = (sources("src"), libraries());
    let mut crossings = Vec::new();
    for part in PURE {
        let files: Vec<_> = sources.iter().filter(|source| source.is_of(part)).collect();
        assert!(!files.is_empty(), "{part} is not there");
        for source in files {
            let touched = source.paths().into_iter().filter(|path| is_of_the_world(path, &libraries));
            let read = source.calls(ELAPSED).then(|| ELAPSED.to_owned());
            let names = touched.map(|path| path.join("::")).chain(read);
            crossings.extend(names.map(|name| source.crossing(&name, "is pure")));
        }
    }
    assert!(crossings.is_empty(), "{}", crossings.join("\n"));
}

fn is_of_the_world(path: &[String], libraries: &BTreeSet<String>) -> bool {
    let (first, last, text) = (path[0].as_str(), path[path.len() - 1].as_str(), path.join("::"));
    libraries.contains(first) && !PURE_LIBRARIES.contains(&first)
        || WORLD.iter().any(|world| {
            text.strip_prefix(world).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
        || path.len() > 1 && CLOCKS.contains(&last)
        || first == "fastrand" && !SEEDED.contains(&&*text)
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<_> = ["src", "tests", "fuzz/fuzz_targets", "deploy"]
        .into_iter()
        .flat_map(sources)
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path)
        .collect();
    assert!(silent.is_empty(), "these do not open with //!: {silent:?}");
}

#[test]
fn no_file_is_a_module_of_two() {
    let including: Vec<_> = ["src", "tests"]
        .into_iter()
        .flat_map(sources)
        .filter(Source::includes_by_path)
        .map(|source| source.path)
        .collect();
    assert!(
        including.is_empty(),
        "what two need is a module of one that both use, not #[path]: {including:?}"
    );
}

// === How they are read ===

/// A file of source.
struct Source {
    path: PathBuf,
    text: String,
}

/// All files below a folder of this package.
fn sources(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(Source { text: std::fs::read_to_string(&path).unwrap(), path });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!files.is_empty(), "nothing is read below {folder}");
    files
}

impl Source {
    /// Its place below `src` without its ending, such as `change/batch`.
    fn place(&self) -> String {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let place = self.path.strip_prefix(source).unwrap_or(&self.path).with_extension("");
        place.to_str().unwrap().trim_end_matches("/mod").to_owned()
    }

    /// Whether it is this part of `src`, or of it.
    fn is_of(&self, part: &str) -> bool {
        self.place().strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The room of `folder` that it is of; none for the file that only lists them.
    fn room(&self, folder: &str) -> Option<String> {
        let folder = folder.trim_start_matches("src").trim_start_matches('/');
        let place = self.place();
        let rest = place.strip_prefix(folder)?.trim_start_matches('/');
        let room = rest.split('/').next().filter(|room| !["", "lib"].contains(room))?;
        Some(room.to_owned())
    }

    /// Its module, from `crate` on.
    fn module(&self) -> Vec<String> {
        let place = self.place();
        let place = place.split('/').filter(|part| !["lib", "main"].contains(part));
        std::iter::once("crate").chain(place).map(str::to_owned).collect()
    }

    fn tokens(&self) -> TokenStream {
        self.text.parse().unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// All paths that it names, whole: without `self`, `super` and braces.
    fn paths(&self) -> BTreeSet<Vec<String>> {
        let mut paths = BTreeSet::new();
        collect(self.tokens(), &self.module(), &[], &mut paths);
        paths
    }

    /// Whether it calls this method.
    fn calls(&self, method: &str) -> bool {
        anywhere(self.tokens(), &|tokens| {
            matches!(tokens, [TokenTree::Punct(dot), TokenTree::Ident(name), ..]
                if dot.as_char() == '.' && name == method)
        })
    }

    /// Whether it takes in a file from elsewhere as a module: `#[path = "…"]`.
    fn includes_by_path(&self) -> bool {
        anywhere(self.tokens(), &|tokens| {
            matches!(tokens, [TokenTree::Punct(hash), TokenTree::Group(attribute), ..]
                if hash.as_char() == '#' && attribute.stream().to_string().starts_with("path ="))
        })
    }

    fn crossing(&self, path: &str, why: &str) -> String {
        let file = self.path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&self.path);
        format!("{} names {path}: it {why}", file.display())
    }
}

/// What comes next in a path that begins with `parent`.
fn below<'a>(path: &'a [String], parent: &[&str]) -> Option<&'a str> {
    let begins = path.len() > parent.len() && path.iter().zip(parent).all(|(part, other)| part == other);
    begins.then(|| path[parent.len()].as_str())
}

/// The libraries that this package depends on, as paths name them.
fn libraries() -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    let names: BTreeSet<_> =
        names.filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect();
    assert!(names.contains("bollard") && names.contains("aws_config"), "{names:?}");
    names
}

fn collect(tokens: TokenStream, module: &[String], prefix: &[String], paths: &mut BTreeSet<Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = &tokens[..];
    while !rest.is_empty() {
        rest = match rest {
            // `mod name { … }`: inside, `self` is that module.
            [TokenTree::Ident(key), TokenTree::Ident(name), TokenTree::Group(body), rest @ ..]
                if key == "mod" =>
            {
                collect(body.stream(), &[module, &[name.to_string()]].concat(), &[], paths);
                rest
            }
            // Another name for a path is none.
            [TokenTree::Ident(key), TokenTree::Ident(_), rest @ ..] if key == "as" => rest,
            [TokenTree::Ident(_), ..] => collect_path(rest, module, prefix, paths),
            [TokenTree::Group(group), rest @ ..] => {
                collect(group.stream(), module, &[], paths);
                rest
            }
            [_, rest @ ..] => rest,
            [] => break,
        };
    }
}

/// Takes the path that begins here, in a `use` behind `prefix`; returns what comes after it.
fn collect_path<'a>(
    mut tokens: &'a [TokenTree],
    module: &[String],
    prefix: &[String],
    paths: &mut BTreeSet<Vec<String>>,
) -> &'a [TokenTree] {
    let mut path = prefix.to_vec();
    while let [TokenTree::Ident(name), rest @ ..] = tokens {
        match name.to_string().as_str() {
            "super" if path.is_empty() => path.extend_from_slice(&module[..module.len() - 1]),
            "super" => drop(path.pop()),
            "self" if path.is_empty() => path.extend_from_slice(module),
            "self" => {}
            // How the program names its library.
            "ecssd" if path.is_empty() => path.push("crate".to_owned()),
            name => path.push(name.to_owned()),
        }
        tokens = rest;
        match tokens {
            // `use a::{b, c}`
            [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Group(group), rest @ ..]
                if [one, two].iter().all(|punct| punct.as_char() == ':') =>
            {
                collect(group.stream(), module, &path, paths);
                return rest;
            }
            [TokenTree::Punct(one), TokenTree::Punct(two), rest @ ..]
                if [one, two].iter().all(|punct| punct.as_char() == ':') =>
            {
                tokens = rest;
            }
            _ => break,
        }
    }
    paths.insert(path);
    tokens
}

/// Whether there is a place from which on the tokens are like that, at any depth.
fn anywhere(tokens: TokenStream, is: &dyn Fn(&[TokenTree]) -> bool) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let here = (0..tokens.len()).any(|at| is(&tokens[at..]));
    here || tokens
        .into_iter()
        .any(|token| matches!(token, TokenTree::Group(group) if anywhere(group.stream(), is)))
}
