//! What of a command line holds, and what is refused.

use clap::Parser;

use super::*;
use crate::machine::agent::OnTerm;

fn read(arguments: &[&str]) -> Result<Config, Vec<String>> {
    let known = ["ecssd", "--local", "--hostname", "web1", "--address", "10.0.0.7"];
    let cli = Cli::try_parse_from(known.iter().chain(arguments)).unwrap();
    Config::read(&cli).map_err(|bad| bad.iter().map(ToString::to_string).collect())
}

#[test]
fn defaults_hold() {
    let config = read(&[]).unwrap();
    assert_eq!(config.zone, "servicediscovery.internal");
    let dns_listen = vec!["127.0.0.1:5333".parse().unwrap()];
    assert_eq!(config.registry, Registry::Local { dns_listen });
    assert_eq!((config.command, config.dry_run, config.pace()), (Command::Serve, false, Pace::LOCAL));
    assert_eq!(config.stop, StopPlan::default());
    assert_eq!(config.host.hostname.as_deref(), Some("web1"));
}

#[test]
fn lists_every_bad_setting() {
    let bad = read(&[
        "..",
        "--dns-listen",
        "nowhere",
        "--dns-listen",
        "127.0.0.1",
        "--state-dir",
        "relative",
        "--drain-timeout",
        "1h",
        "--log-format",
        "xml",
        "--log-level",
        "loud",
        "--docker-socket",
        "tcp://1.2.3.4:2375",
        "--ecs-introspection",
        "ftp://x",
    ])
    .unwrap_err();
    let settings: Vec<_> = bad.iter().map(|line| line.split(" (").next().unwrap()).collect();
    assert_eq!(
        settings,
        [
            "ZONE",
            "--dns-listen",
            "--dns-listen",
            "--state-dir",
            "--docker-socket",
            "--ecs-introspection",
            "--drain-timeout",
            "--log-format",
            "--log-level"
        ]
    );
}

#[test]
fn a_zone_is_taken_in_any_case_and_with_its_final_dot() {
    assert_eq!(read(&["SD.Internal."]).unwrap().zone, "sd.internal");
    for bad in ["", ".", "a..b", "a b", "*.b", "é.b", &"a".repeat(64)] {
        assert!(read(&[bad]).is_err(), "{bad}");
    }
}

#[test]
fn an_address_must_be_one_that_clients_can_reach() {
    for bad in [
        "::1",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.0.7",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "10.0.0",
        "host",
    ] {
        let cli = Cli::try_parse_from(["ecssd", "--local", "--hostname", "h", "--address", bad]).unwrap();
        assert!(Config::read(&cli).is_err(), "{bad}");
    }
    // What this host alone asks may lead to it alone.
    for (local, is_good) in [(&["--local"][..], true), (&[], false)] {
        let told = ["ecssd", "--hostname", "h", "--address", "127.0.0.1"];
        let cli = Cli::try_parse_from(told.iter().chain(local)).unwrap();
        assert_eq!(Config::read(&cli).is_ok(), is_good);
    }
}

fn route53(arguments: &[&str]) -> Config {
    let known = ["ecssd", "--hostname", "web1", "--address", "10.0.0.7"];
    Config::read(&Cli::try_parse_from(known.iter().chain(arguments)).unwrap()).unwrap()
}

#[test]
fn without_local_the_zone_is_in_route_53() {
    let wanted = |arguments: &[&str]| match route53(arguments).registry {
        Registry::Route53 { wanted, endpoint_url } => (wanted, endpoint_url),
        Registry::Local { .. } => panic!("it is here"),
    };
    let name = |name: &str| Wanted::Name(name.to_owned());
    assert_eq!(wanted(&[]), (name("servicediscovery.internal"), None));
    assert_eq!(wanted(&["sd.internal"]), (name("sd.internal"), None));
    let id = ["--zone-id", "/hostedzone/Z1", "--endpoint-url", "http://127.0.0.1:4566"];
    assert_eq!(wanted(&id), (Wanted::Id("Z1".into()), Some("http://127.0.0.1:4566".into())));
    assert_eq!(wanted(&["--zone-id", " "]).0, name("servicediscovery.internal"));
}

#[test]
fn the_pace_is_that_of_the_limits_unless_it_is_given() {
    assert_eq!(route53(&[]).pace(), Pace::ROUTE53);
    assert_eq!(route53(&["--limits", "legacy"]).pace(), Pace::LEGACY);
    let given = route53(&["--limits", "legacy", "--rate", "2.5", "--burst", "3"]).pace();
    assert_eq!(given.requests, Rate { per_second: 2.5, burst: 3.0 });
    assert_eq!(given.changes, None);
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (arguments, setting) in [
        (&["--sync", "--remove"][..], "--sync, --remove"),
        (&["--zone-id", "Z1"], "--local"),
        (&["--endpoint-url", "http://127.0.0.1:4566"], "--local"),
        (&["--zone-id", "Z 1"], "--zone-id"),
        (&["--endpoint-url", "127.0.0.1"], "--endpoint-url"),
        (&["--limits", "2025"], "--limits"),
        (&["--rate", "0"], "--rate"),
        (&["--rate", "NaN"], "--rate"),
        (&["--burst", "1.5"], "--burst"),
        (&["--resync", "0s"], "--resync"),
        (&["--on-term", "stop"], "--on-term"),
        (&["--drain-delay", "11m"], "--drain-delay"),
    ] {
        let bad = read(arguments).unwrap_err();
        assert!(bad.iter().any(|bad| bad.starts_with(setting)), "{arguments:?}: {bad:?}");
    }
}

#[test]
fn the_engine_is_the_one_that_docker_talks_to_unless_it_is_named() {
    let socket = |arguments: &[&str], docker_host: &str| {
        let mut cli =
            Cli::try_parse_from([&["ecssd", "--local", "--hostname", "web1"], arguments].concat()).unwrap();
        cli.variables.docker_host = Some(docker_host.to_owned());
        Config::read(&cli).map(|config| config.docker_socket).map_err(|bad| bad[0].to_string())
    };
    assert_eq!(read(&[]).unwrap().docker_socket, PathBuf::from("/var/run/docker.sock"));
    assert_eq!(socket(&[], "unix:///run/user/1000/docker.sock"), Ok("/run/user/1000/docker.sock".into()));
    assert_eq!(
        socket(&["--docker-socket", "/run/docker.sock"], "tcp://10.0.0.1:2375"),
        Ok("/run/docker.sock".into())
    );
    let refused = socket(&[], "tcp://10.0.0.1:2375").unwrap_err();
    assert!(refused.contains("tcp://10.0.0.1:2375") && refused.contains("DOCKER_HOST names it"), "{refused}");
}

#[test]
fn names_are_patterns_relative_to_the_zone() {
    let names =
        |arguments: &[&str]| read(arguments).map(|config| config.names.map(|names| names.to_string()));
    assert_eq!(names(&[]), Ok(None));
    assert_eq!(names(&["--names", " "]), Ok(None), "an empty variable is as good as none");
    assert_eq!(names(&["--names", " _Calc._tcp, *.web "]), Ok(Some("_calc._tcp,*.web".to_owned())));
    for (list, said) in [
        ("_calc._tcp,", "\"\" is no name; patterns are separated by single commas, such as _calc._tcp,*.web"),
        ("*,_a*", "\"_a*\" has a * within a label; "),
        ("a.internal.", "\"a.internal.\" ends with a dot; "),
        (
            "_a._tcp.SD.internal",
            "\"_a._tcp.sd.internal\" has the zone in it; patterns are relative to sd.internal, ",
        ),
    ] {
        let [bad] = &names(&["sd.internal", "--names", list]).unwrap_err()[..] else { panic!("{list}") };
        assert!(bad.starts_with(&format!("--names (ECSSD_NAMES): {said}")), "{bad}");
    }
    // Which zone is meant is not known then; that its name is bad is said.
    assert_eq!(names(&["..", "--names", "a"]).unwrap_err().len(), 1);
}

#[test]
fn the_longest_ttl_is_of_whole_seconds_and_at_most_a_day() {
    let ttl_max = |text: &str| read(&["--ttl-max", text]).map(|config| config.ttl_max);
    assert_eq!(read(&[]).map(|config| config.ttl_max), Ok(300));
    for (text, seconds) in [("0", 0), ("60", 60), ("5m", 300), ("24h", 86_400)] {
        assert_eq!(ttl_max(text), Ok(seconds));
    }
    for bad in ["1.5", "500ms", "86401", "25h", "soon"] {
        let bad = ttl_max(bad).unwrap_err();
        assert!(bad[0].starts_with("--ttl-max (ECSSD_TTL_MAX): "), "{bad:?}");
    }
}

#[test]
fn a_stop_is_as_it_is_planned() {
    let plan = read(&["--on-term", "auto", "--drain-delay", "1.5s", "--confirm"]).unwrap().stop;
    assert_eq!((plan.on_term, plan.delay, plan.confirm), (OnTerm::Auto, Duration::from_millis(1_500), true));
    assert_eq!(read(&["--on-term", "hand-over"]).unwrap().stop.on_term, OnTerm::HandOver);
}

#[test]
fn every_setting_has_a_flag_and_a_variable_of_its_name() {
    use clap::CommandFactory;
    for argument in Cli::command().get_arguments() {
        let id = argument.get_id().as_str();
        if ["help", "version"].contains(&id) {
            continue;
        }
        let variable = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
        // What only the janitor is told says so.
        let of_janitor = id != "janitor" && argument.get_help_heading() == Some("Janitor");
        let prefix = if of_janitor { "ECSSD_JANITOR" } else { "ECSSD" };
        assert_eq!(variable, format!("{prefix}_{}", id.to_uppercase()), "{id}");
        assert!(argument.get_help().is_some(), "{id}");
    }
}

#[test]
fn the_status_is_served_on_loopback_unless_told_otherwise_and_at_the_first_socket_that_can_be_had() {
    let status = |arguments: &[&str]| read(arguments).unwrap().status;
    let of_host = PathBuf::from("/run/ecssd/status.sock");
    assert_eq!(
        status(&["--state-dir", "/state"]),
        StatusAt { address: None, sockets: vec![of_host, "/state/status.sock".into()] }
    );
    for (text, address) in [
        ("9153", "127.0.0.1:9153"),
        (":9153", "127.0.0.1:9153"),
        ("0.0.0.0:80", "0.0.0.0:80"),
        ("[::1]:80", "[::1]:80"),
    ] {
        assert_eq!(status(&["--status-listen", text]).address, Some(address.parse().unwrap()), "{text}");
    }
    assert!(status(&["--status-socket", "off"]).sockets.is_empty());
    assert_eq!(status(&["--status-socket", "unix:///x.sock"]).sockets, [PathBuf::from("/x.sock")]);
    assert_eq!(read(&["--sd-listen", "9154"]).unwrap().sd_listen, Some("127.0.0.1:9154".parse().unwrap()));
    assert_eq!(read(&[]).unwrap().sd_listen, None);
    let bad = ["--status-listen", "localhost:9153", "--status-socket", "here", "--watch", "--sd-listen", "x"];
    let bad = read(&bad).unwrap_err();
    assert_eq!(
        bad,
        [
            "--watch (ECSSD_WATCH): it says how --status shows it: pass that too",
            "--status-listen (ECSSD_STATUS_LISTEN): \"localhost:9153\" is not a port such as 9153, or an address and port such as 10.0.0.7:9153",
            "--status-socket (ECSSD_STATUS_SOCKET): \"here\" is not a path that begins with /",
            "--sd-listen (ECSSD_SD_LISTEN): \"x\" is not a port such as 9153, or an address and port such as 10.0.0.7:9153",
        ]
    );
    assert!(read(&["--status", "--sync"]).is_err());
}
