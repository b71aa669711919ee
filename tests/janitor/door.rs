//! The program itself: settings, exit codes, and what it says where it can do nothing.

use std::process::{Command, Output};

fn ecssd(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecssd"));
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let Output { status, stderr, .. } =
        command.args(arguments).envs(variables.iter().copied()).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn what_cannot_be_is_said_before_anything_is_asked() {
    for (arguments, words) in [
        (&["--janitor", "--apply", "--dry-run"][..], "--apply, --dry-run"),
        (&["--janitor", "--local"], "--local"),
        (&["--janitor", "--remove"], "--sync, --remove"),
        (&["--apply"], "pass --janitor too"),
        (&["--force"], "--force (ECSSD_FORCE): it is of --forget"),
        (&["--janitor", "--force"], "--force (ECSSD_FORCE): it is of --forget"),
        (&["--forget", "web1", "--janitor"], "whoever forgets hosts does nothing else"),
        (&["--forget", "web1", "--status"], "whoever forgets hosts does nothing else"),
        (&["--forget", "web1", "--remove"], "not with --janitor or --forget"),
        (&["--forget", "web1", "--local"], "--local"),
        (&["--forget", "web1", "--apply", "--dry-run"], "--apply, --dry-run"),
        (&["--forget", "web 1"], "--forget (ECSSD_FORGET)"),
        (&["--soa-minimum", "5s"], "pass --janitor too"),
        (&["--janitor", "--soa-minimum", "soon"], "\"soon\" is not whole seconds such as 5s"),
        (&["--janitor", "--soa-minimum", "0.5s"], "from 1s to 900s"),
        (&["--janitor", "--soa-minimum", "16m"], "from 1s to 900s"),
        (&["--janitor", "--regions", "mars"], "\"mars\" is not a region"),
        (&["--janitor", "--clusters", "a/b"], "\"a/b\" is not a cluster"),
        (&["--janitor", "--assume-roles", "janitor"], "role's ARN"),
        (&["--janitor", "--home-networks", "10.0.0.0/0"], "is not an IPv4 network"),
        (&["--janitor", "--max-deletes", "few"], "--max-deletes"),
        (&["--janitor", "--stop-unhealthy"], "nothing is asked without --check-health"),
        (&["--janitor", "--check-health", "--check-health-path", "x"], "is not a path"),
    ] {
        let (code, errors) = ecssd(arguments, &[]);
        assert_eq!(code, Some(64), "{arguments:?}: {errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    }
    let (code, errors) = ecssd(&[], &[("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"), ("check_health", "maybe")]);
    assert_eq!(code, Some(64));
    assert!(errors.contains("check_health: maybe is not one of"), "{errors}");
    let (code, errors) = ecssd(&[], &[("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"), ("ECSSD_FORGET", "web1")]);
    assert_eq!(code, Some(64));
    assert!(errors.contains("use it from a shell"), "{errors}");
}

#[test]
fn without_a_region_or_credentials_it_says_what_is_missing() {
    let (code, errors) = ecssd(&["--janitor"], &[]);
    assert_eq!(code, Some(69), "{errors}");
    assert!(errors.contains("pass --regions, or set AWS_REGION"), "{errors}");
    let region = [("AWS_REGION", "eu-central-1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    let (code, errors) = ecssd(&["--janitor"], &region);
    assert_eq!(code, Some(69), "{errors}");
    assert!(errors.contains("credentials"), "{errors}");
}
