//! `--cordon` and `--uncordon` as they are typed, with no agent there.

use ecssd_testing::agent::run;
use tempfile::TempDir;

#[test]
fn without_an_agent_it_is_said_where_one_was_sought() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("status.sock");
    for flag in ["--cordon", "--uncordon"] {
        let (code, log) = run(&[flag, "web", "--status-socket", socket.to_str().unwrap()], &[]);
        assert_eq!(code, Some(75), "{log}");
        assert!(log.contains("no agent answers at") && log.contains("status.sock"), "{log}");
    }
}

#[test]
fn what_cannot_be_meant_is_said_before_anybody_is_asked() {
    for (arguments, said) in [
        (&["--cordon", "a b"][..], "--cordon (ECSSD_CORDON): that is no container"),
        (&["--uncordon", "a/b"], "--uncordon (ECSSD_UNCORDON): that is no container"),
        (
            &["--cordon", "web", "--weight", "256"],
            "--weight (ECSSD_WEIGHT): \"256\" is not a weight from 0 to 255",
        ),
        (&["--cordon", "web", "--weight", "-1"], "-1"),
        (&["--cordon", "web", "--for", "721h"], "--for (ECSSD_FOR)"),
        (&["--cordon", "web", "--for", "0s"], "--for (ECSSD_FOR)"),
        (&["--cordon", "web", "--for", "soon"], "--for (ECSSD_FOR)"),
        (&["--cordon", "web", "--uncordon", "web"], "pass one of them alone"),
        (&["--cordon", "web", "--status"], "pass one of them alone"),
        (&["--cordon", "web", "--dry-run"], "pass one of them alone"),
        (&["--cordon", "web", "--janitor"], "pass one of them alone"),
        (&["--uncordon", "web", "--weight", "5"], "it is of --cordon"),
        (&["--for", "30m"], "it is of --cordon"),
        (&["--cordon"], "--cordon"),
    ] {
        let (code, log) = run(arguments, &[]);
        assert_eq!(code, Some(64), "{arguments:?}: {log}");
        assert!(log.contains(said), "{arguments:?}: {log}");
    }
}
