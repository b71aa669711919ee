//! Flags that change nothing beside the others that were given, so that nobody relies on one.

use super::{Config, Registry, given};
use crate::cli::{Cli, DNS_LISTEN, LIMITS};

/// A line for each of them.
pub fn idle(cli: &Cli, config: &Config) -> Vec<&'static str> {
    let is_local = matches!(config.registry, Registry::Local { .. });
    let asks = |flag: &Option<String>| given(flag).is_some();
    let rates = asks(&cli.rate) || asks(&cli.burst) || cli.limits != LIMITS;
    let all = [
        (
            !is_local && cli.dns_listen != [DNS_LISTEN],
            "--dns-listen changes nothing without --local: Route 53 answers for the zone",
        ),
        (
            is_local && (rates || cli.confirm),
            "--rate, --burst, --limits and --confirm change nothing with --local: no API is called",
        ),
        (
            cli.cw_send_events,
            "-cw-send-events: this agent sends no events; watch the container events of ECS instead",
        ),
    ];
    all.into_iter().filter(|(is_idle, _)| *is_idle).map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(change: impl FnOnce(&mut Cli)) -> Vec<&'static str> {
        let mut cli = <Cli as clap::Parser>::parse_from(["ecssd"]);
        change(&mut cli);
        idle(&cli, &Config::read(&cli).expect("good settings"))
    }

    #[test]
    fn what_has_an_effect_is_not_named() {
        let none: [&str; 0] = [];
        assert_eq!(lines(|_| {}), none);
        assert_eq!(lines(|cli| (cli.local, cli.dns_listen) = (true, vec!["127.0.0.1:53".into()])), none);
        assert_eq!(lines(|cli| (cli.rate, cli.confirm) = (Some("2".into()), true)), none);
    }

    #[test]
    fn each_flag_that_has_none_is_named() {
        let named = |flag: &str, lines: Vec<&str>| matches!(&lines[..], [line] if line.contains(flag));
        assert!(named("--dns-listen", lines(|cli| cli.dns_listen = vec!["10.0.0.7:53".into()])));
        for change in [
            |cli: &mut Cli| cli.rate = Some("2".into()),
            |cli: &mut Cli| cli.burst = Some("2".into()),
            |cli: &mut Cli| cli.limits = "legacy".into(),
            |cli: &mut Cli| cli.confirm = true,
        ] {
            let idle = lines(|cli| {
                cli.local = true;
                change(cli);
            });
            assert!(named("--rate", idle));
        }
        assert!(named("-cw-send-events", lines(|cli| cli.cw_send_events = true)));
    }
}
