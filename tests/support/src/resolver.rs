//! Programs that ask another name server than this machine does.

use std::path::Path;
use std::process::Command;

use crate::agent::alone;

/// The same command, with its variables and no others, where /etc/resolv.conf names the server at this address, port 53,
/// and no other. The file is kept in `dir`. Takes root, and `unshare`.
pub fn resolving(command: &Command, dir: &Path, address: &str) -> Command {
    let file = dir.join("resolv.conf");
    std::fs::write(&file, format!("nameserver {address}\n")).unwrap();
    let mut within = alone("unshare");
    within.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    within.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""]);
    within.arg(file).arg(command.get_program()).args(command.get_args());
    within
}
