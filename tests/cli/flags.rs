//! Command lines that mean something else than they say: words for flags, empty values, flags without an effect.

use std::net::UdpSocket;

use ecssd_testing::agent::run;
use tempfile::TempDir;

fn refused(arguments: &[&str]) -> String {
    let (code, errors) = run(arguments, &[]);
    assert_eq!(code, Some(64), "{arguments:?}: {errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

#[test]
fn a_word_that_is_a_flag_elsewhere_is_no_zone() {
    let flags = ["status", "doctor", "sync", "remove", "janitor", "forget", "cordon", "dry-run", "Status"];
    for word in flags.into_iter().chain(["help", "version", "local"]) {
        let errors = refused(&[word]);
        let meant = format!("ZONE (ECSSD_ZONE): {:?} is no zone's name", word.to_lowercase());
        assert!(errors.contains(&meant), "{errors}");
        assert!(errors.contains(&format!("did you mean --{}?", word.to_lowercase())), "{errors}");
    }
    assert!(refused(&["stop"]).contains("SIGTERM"));
    assert!(refused(&["start"]).contains("ecssd ZONE"));
    assert!(refused(&["status", "--janitor"]).contains("did you mean --status?"));
}

#[test]
fn an_unknown_flag_is_not_said_to_be_a_zone() {
    for flag in ["--zone", "--statsu", "--hostnme"] {
        let errors = refused(&[flag, "x"]);
        assert!(errors.contains(flag) && !errors.contains("-- --"), "{errors}");
    }
}

#[test]
fn an_empty_flag_is_an_error_whichever_it_is() {
    for (arguments, setting) in [
        (&["--hostname", ""][..], "--hostname (ECSSD_HOSTNAME)"),
        (&["--zone-id="], "--zone-id (ECSSD_ZONE_ID)"),
        (&["--log-level", " "], "--log-level (ECSSD_LOG_LEVEL)"),
        (&["--dns-listen", "", "--local"], "--dns-listen (ECSSD_DNS_LISTEN)"),
        (&["--forget", ""], "--forget (ECSSD_FORGET)"),
        (&["--cordon", ""], "--cordon (ECSSD_CORDON)"),
        (&["--janitor", "--regions", ""], "--regions (ECSSD_JANITOR_REGIONS)"),
        (&[""], "ZONE (ECSSD_ZONE)"),
    ] {
        let errors = refused(arguments);
        assert!(errors.contains(&format!("{setting}: it is empty: give it a value")), "{errors}");
        assert_eq!(errors.matches(setting).count(), 1, "{errors}");
    }
}

#[test]
fn a_flag_that_changes_nothing_is_refused() {
    for (arguments, said) in [
        (&["--dns-listen", "127.0.0.1:53"][..], "--dns-listen: it changes nothing without --local"),
        (&["--local", "--rate", "2"], "--rate: it changes nothing with --local"),
        (&["--json"], "--json: it changes nothing here"),
        (&["--sync", "--max-deletes", "3"], "--max-deletes: it changes nothing here: it is of --janitor"),
        (&["--cordon", "web", "--json"], "--json: it changes nothing here"),
        (&["sd.internal", "--forget", "web1", "--check-health"], "--check-health: it changes nothing here"),
        (&["--watch"], "--watch (ECSSD_WATCH): it says how --status shows it"),
    ] {
        let errors = refused(arguments);
        assert!(errors.contains(said), "{errors}");
    }
}

#[test]
fn a_variable_that_changes_nothing_is_told() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = TempDir::new().unwrap();
    let state = dir.path().to_str().unwrap();
    let arguments = ["--local", "--address", "127.0.0.1", "--state-dir", state, "--dns-listen", &address];
    let variables =
        [("ECSSD_JANITOR_JSON", "1"), ("ECSSD_RATE", "2"), ("ECSSD_CONFIRM", "0"), ("ECSSD_LIMITS", "2026")];
    let (code, log) = run(&arguments, &variables);
    // It was started, and found its address taken.
    assert_eq!(code, Some(69), "{log}");
    assert_eq!(log.matches("flag_ignored").count(), 2, "{log}");
    for said in ["--json: it changes nothing here", "--rate: it changes nothing with --local"] {
        assert!(log.contains(said), "{said}: {log}");
    }
}
