//! What the command line reads, and in whose words.

use super::*;

fn read(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(double_dashed(["ecssd"].iter().chain(arguments).map(OsString::from)))
}

#[test]
fn the_predecessors_flags_keep_working() {
    let cli = read(&["-sync", "-hostname", "web1", "-cw-send-events", "sd.internal"]).unwrap();
    assert!(cli.sync && cli.cw_send_events && !cli.remove);
    assert_eq!((cli.hostname.as_deref(), cli.zone.as_deref()), (Some("web1"), Some("sd.internal")));
    let cli = read(&["-hostname=web1", "-remove"]).unwrap();
    assert!(cli.remove);
    assert_eq!((cli.hostname.as_deref(), cli.zone), (Some("web1"), None));
}

#[test]
fn other_single_dashes_are_refused_as_ever() {
    for argument in ["-local", "-h0stname", "-syncs"] {
        assert!(read(&[argument]).is_err(), "{argument}");
    }
}
