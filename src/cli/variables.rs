//! The environment's side of the settings, judged before the command line is read: an empty variable counts as
//! absent, whichever it is; a yes or a no must be one; and a variable that sets nothing is named.
//!
//! A word that nobody understands must not write: `ECSSD_REMOVE=never` is refused, not obeyed.

use clap::builder::Resettable;
use clap::{Arg, ArgAction, Command};

use crate::container::convention::truth;
use crate::nearest::nearest;

/// What the names of all variables of this program begin with.
const PREFIX: &str = "ECSSD_";
/// And behind it, those of what only the janitor is told.
const JANITOR: &str = "JANITOR_";

/// What is wrong with the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// Those that ask for a yes or a no and have neither.
    pub unclear: Vec<Unclear>,
    /// Those that begin as ours do and set nothing, each with what may have been meant.
    pub unknown: Vec<Unknown>,
    /// Where Docker's own client finds its engine, by `DOCKER_HOST`.
    pub docker_host: Option<String>,
}

/// A variable whose value is neither a yes nor a no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct Unclear {
    /// The flag that it stands for, and its name, such as `--remove (ECSSD_REMOVE)`.
    pub setting: String,
    /// What is wrong with its value.
    pub reason: String,
}

/// A variable that sets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Its name.
    pub name: String,
    /// The variable that may have been meant.
    pub meant: Option<String>,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} is no setting of ecssd and changes nothing", self.name)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean {meant}?"),
            None => f.write_str("; see ecssd --help"),
        }
    }
}

/// Judges `environment` against the settings of `command`, which is returned as it is to be read: without the
/// variables that count as absent.
pub fn judge(command: Command, environment: &[(String, String)]) -> (Command, Variables) {
    let mut known = Vec::new();
    let mut unclear = Vec::new();
    let command = command.mut_args(|argument| {
        let Some(name) = argument.get_env().map(|name| name.to_string_lossy().into_owned()) else {
            return argument;
        };
        let value = environment.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str());
        known.push(name.clone());
        match value.map(|value| counts(&argument, &name, value)) {
            None | Some(Ok(true)) => argument,
            Some(Ok(false)) => argument.env(Resettable::Reset),
            Some(Err(reason)) => {
                unclear.push(reason);
                argument.env(Resettable::Reset)
            }
        }
    });
    let unknown = environment.iter().filter_map(|(name, _)| unknown(name, &known)).collect();
    let docker_host =
        environment.iter().find(|(name, value)| name == "DOCKER_HOST" && !value.trim().is_empty());
    let docker_host = docker_host.map(|(_, value)| value.clone());
    (command, Variables { unclear, unknown, docker_host })
}

/// Whether a variable's value counts; or why it cannot be understood.
fn counts(argument: &Arg, name: &str, value: &str) -> Result<bool, Unclear> {
    if value.trim().is_empty() {
        return Ok(false);
    }
    match argument.get_action() {
        ArgAction::SetTrue => truth(value).map(|_| true).map_err(|error| {
            let flag = argument.get_long().unwrap_or_default();
            Unclear { setting: format!("--{flag} ({name})"), reason: error.to_string() }
        }),
        _ => Ok(true),
    }
}

fn unknown(name: &str, known: &[String]) -> Option<Unknown> {
    let upper = name.to_ascii_uppercase();
    if !upper.starts_with(PREFIX) || known.iter().any(|known| known == name) {
        return None;
    }
    let word = flag(&upper);
    let nearest = nearest(word, known.iter().map(|known| flag(known)));
    let meant = nearest.and_then(|meant| known.iter().find(|known| flag(known) == meant));
    Some(Unknown { name: name.to_owned(), meant: meant.cloned() })
}

/// What a variable has of its flag's name: who knows the flag does not know whether it is the janitor's.
fn flag(variable: &str) -> &str {
    let rest = variable.strip_prefix(PREFIX).unwrap_or(variable);
    rest.strip_prefix(JANITOR).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn judged(environment: &[(&str, &str)]) -> Variables {
        let owned: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        judge(Cli::command(), &owned).1
    }

    /// Every flag that is there or not, with its variable.
    fn switches() -> Vec<(String, String)> {
        let switches = Cli::command();
        let switches = switches.get_arguments().filter(|argument| {
            matches!(argument.get_action(), ArgAction::SetTrue) && argument.get_env().is_some()
        });
        let named = |argument: &Arg| {
            let variable = argument.get_env().unwrap().to_str().unwrap().to_owned();
            (format!("--{} ({variable})", argument.get_long().unwrap()), variable)
        };
        switches.map(named).collect()
    }

    #[test]
    fn every_switch_wants_a_clear_yes_or_no() {
        assert!(switches().len() >= 11, "{:?}", switches());
        for (setting, variable) in switches() {
            for word in ["never", "maybe", "y", "n", "t", "f", "2", "-1", "--", "nope", "disabled"] {
                let judged = judged(&[(&variable, word)]);
                let [unclear] = &judged.unclear[..] else { panic!("{variable}={word}: {judged:?}") };
                assert_eq!(unclear.setting, setting);
                assert!(unclear.reason.starts_with(word), "{}", unclear.reason);
            }
            for word in ["1", "true", "YES", "on", "0", "False", "no", "OFF", " off ", "", " "] {
                assert_eq!(judged(&[(&variable, word)]), Variables::default(), "{variable}={word}");
            }
        }
    }

    #[test]
    fn an_empty_variable_counts_as_absent_whichever_it_is() {
        let all = Cli::command();
        let all = all.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
        let environment: Vec<_> = all.map(|name| (name.to_owned(), " ".to_owned())).collect();
        assert!(environment.len() >= 30, "{}", environment.len());
        let (command, variables) = judge(Cli::command(), &environment);
        assert_eq!(variables, Variables::default());
        assert!(command.get_arguments().all(|argument| argument.get_env().is_none()));
    }

    #[test]
    fn the_engine_of_dockers_own_client_is_known_where_it_is_named() {
        let named = |value| judged(&[("DOCKER_HOST", value)]).docker_host;
        assert_eq!(
            named("unix:///run/user/1000/docker.sock").as_deref(),
            Some("unix:///run/user/1000/docker.sock")
        );
        assert_eq!((named(""), named(" "), judged(&[]).docker_host), (None, None, None));
    }

    #[test]
    fn a_variable_that_sets_nothing_is_named_with_what_was_meant() {
        let judged = judged(&[
            ("ECSSD_DRYRUN", "1"),
            ("ecssd_zone", "x"),
            ("ECSSD_SOMETHING_ELSE_AGAIN", "x"),
            ("ECSSD_ZONE", "sd.internal"),
            ("ECSSD_JANITOR", "yes"),
            ("ECSSD_APPLY", "1"),
            ("ECSSD_JSON", "1"),
            ("ECSSD_JANITOR_DRY_RUN", "1"),
            ("ECSSD_JANITOR_ZONE", "x"),
            ("ECSSD_JANITOR_CLUSTER", "x"),
            ("MY_ECSSD_ZONE", "x"),
        ]);
        let meant =
            judged.unknown.iter().map(|it| (it.name.as_str(), it.meant.as_deref())).collect::<Vec<_>>();
        assert_eq!(
            meant,
            [
                ("ECSSD_DRYRUN", Some("ECSSD_DRY_RUN")),
                ("ecssd_zone", Some("ECSSD_ZONE")),
                ("ECSSD_SOMETHING_ELSE_AGAIN", None),
                ("ECSSD_APPLY", Some("ECSSD_JANITOR_APPLY")),
                ("ECSSD_JSON", Some("ECSSD_JANITOR_JSON")),
                ("ECSSD_JANITOR_DRY_RUN", Some("ECSSD_DRY_RUN")),
                ("ECSSD_JANITOR_ZONE", Some("ECSSD_ZONE")),
                ("ECSSD_JANITOR_CLUSTER", Some("ECSSD_JANITOR_CLUSTERS")),
            ]
        );
    }
}
