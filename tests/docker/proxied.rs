//! Docker's proxy, which takes connections for a published port whether or not somebody listens in the container. The
//! kernel leads all but what comes from loopback past it.

use std::net::Ipv4Addr;
use std::time::Duration;

use ecssd::container::convention::Timing;
use ecssd::container::offer::{At, EffectiveCheck};
use ecssd::edge::check::{CheckError, Checker, NetworkChecker};
use ecssd::machine::lifecycle::Target;
use ecssd::machine::probe::CONFIRM;
use ecssd_testing::docker::engine::Engine;

#[tokio::test]
async fn a_first_connection_through_it_passes_only_where_somebody_listens() {
    let engine = Engine::given();
    let silent = engine.run(&["-p", "80"], &["sleep", "600"]);
    let web = engine.run(&["-p", "80"], &["httpd", "-f", "-p", "80", "-h", "/www"]);
    let checker = NetworkChecker::of(Ipv4Addr::LOCALHOST);
    let target = |port| Target {
        at: At::Host { port },
        check: EffectiveCheck::Tcp,
        timing: Timing::default(),
        is_led: true,
    };
    let (silent, web) = (target(silent.host_port("80/tcp")), target(web.host_port("80/tcp")));
    assert_eq!(checker.check_first(&silent, CONFIRM).await, Ok(()), "is this no proxy?");
    checker.on_proxy(true);
    // Until the proxy has the port, nobody takes the connection.
    let mut answer = checker.check_first(&silent, CONFIRM).await;
    while matches!(answer, Err(CheckError::Refused(_))) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = checker.check_first(&silent, CONFIRM).await;
    }
    assert!(matches!(answer, Err(CheckError::Closed(_))), "{answer:?}");
    let mut answer = checker.check_first(&web, CONFIRM).await;
    while answer.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = checker.check_first(&web, CONFIRM).await;
    }
    assert_eq!(checker.check(&silent).await, Ok(()), "later connections are not held");
}
