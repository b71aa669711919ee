//! How Docker's daemon is set up: what its API says of that under `/info` alone, read from its file and its command line,
//! where this process can see them; and whether this process is in a container itself.

use std::fs;
use std::path::Path;

use crate::container::engine::Daemon;

const FILE: &str = "/etc/docker/daemon.json";
/// Where the daemon of this host listens unless told otherwise.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];

/// The daemon behind `socket`, where it is the one of this host.
pub fn of_this_host(socket: &Path) -> Option<Daemon> {
    let socket = socket.to_str()?;
    let lines = command_lines("dockerd");
    let mine = lines.into_iter().find(|line| {
        let names_one = line.iter().any(|word| word.contains("unix://"));
        line.iter().any(|word| word.contains(socket)) || !names_one && SOCKETS.contains(&socket)
    });
    let file = fs::read_to_string(FILE).ok().filter(|_| SOCKETS.contains(&socket));
    (mine.is_some() || file.is_some()).then(|| settings(file.as_deref(), &mine.unwrap_or_default()))
}

/// Whether this is in a container, and not on its host's network.
pub fn has_own_network() -> bool {
    let is_there = |path: &&str| Path::new(path).exists();
    ["/.dockerenv", "/run/.containerenv"].iter().any(is_there)
        && !Path::new("/sys/class/net/docker0").exists()
}

/// The command lines of all processes of this name that can be seen.
fn command_lines(name: &str) -> Vec<Vec<String>> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let named =
        processes.filter(|path| fs::read_to_string(path.join("comm")).is_ok_and(|it| it.trim() == name));
    let line = |path: std::path::PathBuf| {
        let line = String::from_utf8(fs::read(path.join("cmdline")).ok()?).ok()?;
        Some(line.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect())
    };
    named.filter_map(line).collect()
}

/// What a file and a command line say. Source: dockerd's reference: `live-restore`, `userland-proxy`, `iptables`.
fn settings(file: Option<&str>, line: &[String]) -> Daemon {
    let file: serde_json::Value = file.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let of_line = |name: &str| {
        line.iter().find_map(|word| match word.trim_start_matches('-').strip_prefix(name)? {
            "" => Some(true),
            rest => rest.strip_prefix('=')?.parse().ok(),
        })
    };
    let given = |name: &str, default| of_line(name).or_else(|| file[name].as_bool()).unwrap_or(default);
    Daemon {
        live_restore: given("live-restore", false),
        userland_proxy: given("userland-proxy", true),
        iptables: given("iptables", true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_counts_more_than_the_file_and_what_neither_says_is_the_vendors() {
        let line = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let vendors = Daemon { live_restore: false, userland_proxy: true, iptables: true };
        assert_eq!(settings(None, &[]), vendors);
        assert_eq!(settings(Some("no JSON"), &line(&["dockerd", "--iptables-x"])), vendors);
        let file = r#"{"live-restore": true, "userland-proxy": false, "log-level": "warn"}"#;
        let of_file = Daemon { live_restore: true, userland_proxy: false, iptables: true };
        assert_eq!(settings(Some(file), &[]), of_file);
        let of_line = settings(
            Some(file),
            &line(&["dockerd", "--live-restore=false", "--userland-proxy", "--iptables=false"]),
        );
        assert_eq!(of_line, Daemon { live_restore: false, userland_proxy: true, iptables: false });
    }
}
