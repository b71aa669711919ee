//! What was said, and where: on the command line, or by a variable. An empty flag is an error, where an empty variable
//! counts as absent: whoever types a flag means something by it, and a shell that knew no such variable left it empty.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Where something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the command line.
    Line,
    /// By a variable, and not as it would be without.
    Variable,
}

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The flags that were given, such as `--dry-run`, each with where; a switch that is off was not.
    pub given: Vec<(String, Source)>,
    /// The flags, or `ZONE`, that the command line gives without a value, such as `--zone-id (ECSSD_ZONE_ID)`.
    pub empty: Vec<String>,
}

impl Typed {
    /// Of a command line that `command` has read.
    pub(super) fn of(command: &Command, matches: &ArgMatches) -> Self {
        let mut typed = Self::default();
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let source = match matches.try_contains_id(id).map(|_| matches.value_source(id)) {
                Ok(Some(ValueSource::CommandLine)) => Source::Line,
                Ok(Some(ValueSource::EnvVariable)) => Source::Variable,
                Ok(_) | Err(_) => continue,
            };
            let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
            if is_switch && !matches.get_flag(id) {
                continue;
            }
            let values: Vec<OsString> =
                matches.get_raw(id).into_iter().flatten().map(ToOwned::to_owned).collect();
            let is_blank = |value: &OsString| value.to_string_lossy().trim().is_empty();
            if source == Source::Line && !is_switch && values.iter().all(is_blank) {
                typed.empty.push(setting(argument));
            }
            let is_default = || values.iter().eq(argument.get_default_values().iter().map(|value| &**value));
            if source == Source::Line || is_switch || !is_default() {
                typed.given.push((flag(argument), source));
            }
        }
        typed
    }
}

fn flag(argument: &Arg) -> String {
    match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_id().as_str().to_uppercase(),
    }
}

/// A flag with its variable.
fn setting(argument: &Arg) -> String {
    // A command that is read has lost the variables that count as absent; each has one of its flag's name.
    let known = <super::Cli as clap::CommandFactory>::command();
    let variable = known.get_arguments().find(|one| one.get_id() == argument.get_id()).and_then(Arg::get_env);
    match variable {
        Some(name) => format!("{} ({})", flag(argument), name.to_string_lossy()),
        None => flag(argument),
    }
}
