//! Consumers as the predecessor's readme has them.

use std::path::Path;
use std::process::Command;

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::wait::unique;
use tempfile::TempDir;

/// A program that looks a service up as that readme does, in a container that knows the zone by `--dns`.
#[test]
fn a_go_program_finds_a_service_by_lookup_srv() {
    let engine = Engine::given();
    // Port 53 of the bridge is the only place where a container's resolver asks.
    let bridge = engine.bridge_address().to_string();
    let agent = Agent::start_with(&engine, &["--dns-listen", &format!("{bridge}:53")]);
    let name = unique("calc");
    let calc = engine.web(&name, &[]);
    let port = calc.host_port("80/tcp");
    agent.answers_with(&name, port);

    let dir = TempDir::new().unwrap();
    let source = include_str!("lookup.go");
    std::fs::write(dir.path().join("lookup.go"), source).unwrap();
    go_build(dir.path());
    let tar = dir.path().join("lookup.tar");
    let packed = Command::new("tar").arg("-C").arg(dir.path()).arg("-cf").arg(&tar).arg("lookup").status();
    assert!(packed.unwrap().success());
    let image = unique("ecssd-test-lookup");
    engine.docker(&["import", &tar.to_string_lossy(), &image]);
    let full = format!("{name}.servicediscovery.internal");
    let said = engine.docker(&["run", "--rm", "--dns", &bridge, &image, "/lookup", &full]);
    engine.docker(&["rmi", &image]);
    assert_eq!(said, format!("web1.servicediscovery.internal:{port}"));
}

fn go_build(dir: &Path) {
    let output = Command::new("go")
        .current_dir(dir)
        .args(["build", "-o", "lookup", "lookup.go"])
        .env("CGO_ENABLED", "0")
        .env("GOCACHE", dir.join("cache"))
        .env("GO111MODULE", "off")
        .output()
        .expect("go (Debian: golang-go)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
