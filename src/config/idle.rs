//! Flags that change nothing beside the others that were given, so that nobody relies on one: one that was typed is
//! refused, and a variable's, which may be of an environment that several tasks share, is told.
//!
//! What says which zone, host, engine or records are meant is understood by every task, and the settings of the daemon
//! may stand beside one: whoever looks adds a flag to the line that starts the daemon.

use super::{BadSetting, Conflict};
use crate::cli::{Cli, Source};

/// What a process is for, as far as flags depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The daemon, `--sync` or `--remove`.
    Agent,
    /// `--status`.
    Status,
    /// `--doctor`.
    Doctor,
    /// `--cordon` or `--uncordon`.
    Cordon,
    /// `--janitor`.
    Janitor,
    /// `--forget`.
    Forget,
}

/// Flags that have an effect under the same condition.
struct Row {
    flags: &'static [&'static str],
    has_effect: fn(Mode, &Cli) -> bool,
    /// Behind "it changes nothing".
    otherwise: &'static str,
}

const ROWS: [Row; 5] = [
    Row {
        flags: &["--dns-listen"],
        has_effect: |_, cli| cli.local,
        otherwise: "without --local: Route 53 answers for the zone",
    },
    Row {
        flags: &["--rate", "--burst", "--limits", "--confirm"],
        has_effect: |_, cli| !cli.local,
        otherwise: "with --local: no API is called",
    },
    Row {
        flags: &["--json"],
        has_effect: |mode, _| matches!(mode, Mode::Status | Mode::Doctor | Mode::Janitor | Mode::Forget),
        otherwise: "here: it is of --status, --doctor, --janitor and --forget; the log's is --log-format json",
    },
    Row {
        flags: &["--clusters", "--regions", "--assume-roles", "--home-networks"],
        has_effect: |mode, _| matches!(mode, Mode::Janitor | Mode::Forget),
        otherwise: "here: it is of --janitor and --forget",
    },
    Row {
        flags: &["--max-deletes", "--check-health", "--check-health-path", "--stop-unhealthy"],
        has_effect: |mode, _| mode == Mode::Janitor,
        otherwise: "here: it is of --janitor",
    },
];

/// What changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Idle {
    /// What was typed.
    pub refused: Vec<BadSetting>,
    /// A line for each that a variable says, or that the predecessor's command line may have.
    pub told: Vec<String>,
}

/// Which flags change nothing in this mode.
pub fn idle(cli: &Cli, mode: Mode) -> Idle {
    let mut idle = Idle::default();
    for (flag, source) in &cli.typed.given {
        let is_its = |row: &&Row| row.flags.contains(&flag.as_str());
        let Some(row) = ROWS.iter().find(is_its).filter(|row| !(row.has_effect)(mode, cli)) else { continue };
        let bad = BadSetting::alone(flag, Conflict::Idle(row.otherwise));
        match source {
            Source::Line => idle.refused.push(bad),
            Source::Variable => idle.told.push(bad.to_string()),
        }
    }
    if cli.cw_send_events {
        let line = "-cw-send-events: this agent sends no events; watch the container events of ECS instead";
        idle.told.push(line.to_owned());
    }
    // A status in an agent's container has the agent's environment, and asks every few seconds.
    if matches!(mode, Mode::Status | Mode::Doctor | Mode::Cordon) {
        idle.told.clear();
    }
    idle
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;

    use super::*;

    fn read(arguments: &[&str]) -> Cli {
        crate::cli::read(["ecssd"].iter().chain(arguments).map(OsString::from), &[]).expect("known flags")
    }

    fn refused(mode: Mode, arguments: &[&str]) -> Vec<String> {
        idle(&read(arguments), mode).refused.iter().map(ToString::to_string).collect()
    }

    /// Each flag of the table, with a value where it takes one.
    fn typed(flag: &'static str) -> Vec<&'static str> {
        let command = Cli::command();
        let argument = command.get_arguments().find(|it| it.get_long() == Some(&flag[2..]));
        let takes_value = argument.expect("a flag of the command line").get_action().takes_values();
        if takes_value { vec![flag, "1"] } else { vec![flag] }
    }

    #[test]
    fn what_has_an_effect_is_not_named() {
        let none: [&str; 0] = [];
        assert_eq!(refused(Mode::Agent, &[]), none);
        assert_eq!(refused(Mode::Agent, &["--local", "--dns-listen", "127.0.0.1:53"]), none);
        assert_eq!(refused(Mode::Agent, &["--rate", "2", "--confirm"]), none);
        for mode in [Mode::Status, Mode::Doctor, Mode::Janitor, Mode::Forget] {
            assert_eq!(refused(mode, &["--json"]), none, "{mode:?}");
        }
        for flag in ROWS[3].flags.iter().chain(ROWS[4].flags) {
            assert_eq!(refused(Mode::Janitor, &typed(flag)), none, "{flag}");
        }
        // The line that starts a daemon, and one flag more.
        let daemon =
            ["--local", "--dns-listen", "127.0.0.1:53", "--status-listen", "9153", "--on-term", "auto"];
        for mode in [Mode::Status, Mode::Doctor, Mode::Cordon] {
            assert_eq!(refused(mode, &daemon), none, "{mode:?}");
        }
    }

    #[test]
    fn each_flag_that_has_none_is_refused_where_it_is_typed_and_told_where_a_variable_says_so() {
        let cases = ROWS.iter().flat_map(|row| row.flags.iter().map(move |flag| (*flag, row)));
        for (flag, row) in cases {
            let mut arguments = typed(flag);
            if flag != "--dns-listen" {
                arguments.push("--local");
            }
            let mut cli = read(&arguments);
            let found = idle(&cli, Mode::Agent);
            let [bad] = &found.refused[..] else { panic!("{flag}: {found:?}") };
            assert_eq!(bad.to_string(), format!("{flag}: it changes nothing {}", row.otherwise));
            assert!(found.told.is_empty(), "{found:?}");
            cli.typed.given.iter_mut().for_each(|(_, source)| *source = Source::Variable);
            let found = idle(&cli, Mode::Agent);
            assert_eq!((found.refused.len(), found.told.len()), (0, 1), "{found:?}");
            assert_eq!(idle(&cli, Mode::Cordon).told.len(), 0, "{flag}");
        }
    }

    #[test]
    fn what_the_predecessor_knew_is_told_and_not_refused() {
        let found = idle(&read(&["-cw-send-events"]), Mode::Agent);
        assert!(found.refused.is_empty() && found.told.len() == 1, "{found:?}");
    }
}
