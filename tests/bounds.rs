//! What is read of others that never stop: no more than each bound says. Judged by the octets that such a server gets
//! rid of, those that the kernels hold between it and the agent among them.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixDatagram;

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_sdk_route53::Client;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use ecssd::aws::{self, ANSWER_OCTETS_MAX};
use ecssd::container::convention::Scope;
use ecssd::container::event::Happening;
use ecssd::edge::engine::{
    ANSWER_OCTETS_MAX as DOCKER_OCTETS_MAX, Docker, DockerError, EcsIntrospection, LINE_OCTETS_MAX,
    LIST_OCTETS_MAX, UnixDocker,
};
use ecssd::serve::dns::{DnsFront, serve};
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::agent::{alone, program};
use ecssd_testing::gusher::{Gusher, Says};
use ecssd_testing::process::Process;
use ecssd_testing::wait::PATIENCE;
use tempfile::TempDir;

/// What the kernels hold between two processes: the largest buffers that Linux gives a connection by itself.
const KERNELS: usize = 16 << 20;

const XML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<ListHostedZonesResponse><HostedZones>";
const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":\"";

#[tokio::test]
async fn an_answer_of_route_53_that_does_not_end() {
    let (gusher, url) = Gusher::over_tcp(|_| (XML, "<HostedZone/>"));
    let config = aws::config(Some(&url), Region::new("us-east-1")).await;
    let credentials = Credentials::new("key", "secret", None, None, "test");
    let config = aws_sdk_route53::config::Builder::from(&config).credentials_provider(credentials).build();
    let error = Client::from_conf(config).list_hosted_zones().send().await.unwrap_err();
    assert!(format!("{error:?}").contains("TooMuch"), "{error:?}");
    assert!(gusher.written() <= ANSWER_OCTETS_MAX + KERNELS, "{} octets", gusher.written());
}

#[tokio::test]
async fn an_answer_of_ec2_that_does_not_end() {
    let (gusher, url) = Gusher::over_tcp(|_| (XML, "<HostedZone/>"));
    let mut request = HttpRequest::empty();
    request.set_uri(url).unwrap();
    let answer = aws::connector().call(request).await.unwrap();
    let error = ByteStream::new(answer.into_body()).collect().await.unwrap_err();
    assert!(format!("{error:?}").contains("TooMuch"), "{error:?}");
    assert!(gusher.written() <= ANSWER_OCTETS_MAX + KERNELS, "{} octets", gusher.written());
}

#[test]
fn credentials_that_do_not_end() {
    let (gusher, url) = Gusher::over_tcp(|_| (JSON, "a"));
    let mut command = alone(program());
    command.args(["--doctor", "--hostname", "web1", "--address", "10.0.0.5", "--zone-id", "Z1"]);
    command.args(["--docker-socket", "/nonexistent", "--endpoint-url", "http://127.0.0.1:1"]);
    let output = command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{url}/")).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("the source of credentials fails"), "{said}");
    assert!(gusher.written() > ANSWER_OCTETS_MAX, "{} octets; {said}", gusher.written());
    // Whoever is given none asks again, within the time of the call.
    let most = gusher.asked() * (ANSWER_OCTETS_MAX + KERNELS);
    assert!(gusher.asked() <= 8 && gusher.written() <= most, "{} octets; {said}", gusher.written());
}

const VERSION: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
                       {\"ApiVersion\":\"1.47\",\"Version\":\"28\"}";
/// Of a container with labels that do not end.
const INSPECT: &str = "HTTP/1.1 200 OK\r\n\r\n{\"Id\":\"a\",\"Config\":{\"Labels\":{\"a\":\"";
const LIST: &str = "HTTP/1.1 200 OK\r\n\r\n[{\"Id\":\"a\",\"Labels\":{\"a\":\"";
const EVENT: &str = "HTTP/1.1 200 OK\r\n\r\n{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"\
                     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"Attributes\":{\"a\":\"";
const REFUSAL: &str = "HTTP/1.1 500 Oops\r\n\r\n";

/// An engine that says this, and the adapter before it.
fn engine(says: Says) -> (Gusher, UnixDocker, TempDir) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("docker.sock");
    let gusher = Gusher::at(&path, says);
    (gusher, UnixDocker::new(path, Scope::new("sd.internal", "web1")), dir)
}

#[tokio::test]
async fn an_inspection_that_does_not_end() {
    let (gusher, docker, _dir) =
        engine(|asked| if asked.contains("/version") { (VERSION, "") } else { (INSPECT, "a") });
    let error = docker.inspect(&"a".repeat(64).parse().unwrap()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Docker answered /containers/<id>/json with an error: more than 8 MiB came"
    );
    assert!(gusher.written() <= DOCKER_OCTETS_MAX + KERNELS, "{} octets", gusher.written());
}

#[tokio::test]
async fn a_version_or_a_refusal_that_does_not_end() {
    let (gusher, docker, _dir) = engine(|_| (LIST, "a"));
    assert!(docker.version().await.unwrap_err().to_string().contains("more than 8 MiB came"));
    assert!(gusher.written() <= DOCKER_OCTETS_MAX + KERNELS, "{} octets", gusher.written());
    let (gusher, docker, _dir) = engine(|_| (REFUSAL, "a"));
    assert!(docker.version().await.is_err());
    assert!(gusher.written() <= DOCKER_OCTETS_MAX + KERNELS, "{} octets", gusher.written());
    let (gusher, docker, _dir) =
        engine(|asked| if asked.contains("/version") { (VERSION, "") } else { (REFUSAL, "a") });
    assert!(docker.running().await.is_err());
    assert!(gusher.written() <= KERNELS, "{} octets", gusher.written());
}

#[tokio::test]
async fn a_list_that_does_not_end() {
    let (gusher, docker, _dir) =
        engine(|asked| if asked.contains("/version") { (VERSION, "") } else { (LIST, "a") });
    docker.running().await.unwrap_err();
    assert!(gusher.written() <= LIST_OCTETS_MAX + KERNELS, "{} octets", gusher.written());
}

#[tokio::test]
async fn an_event_that_does_not_end() {
    let (gusher, docker, _dir) =
        engine(|asked| if asked.contains("/version") { (VERSION, "") } else { (EVENT, "a") });
    let heard = tokio::time::timeout(PATIENCE, docker.events()).await.unwrap().unwrap();
    // Where it ends after all, no more is known of it than whose it was.
    assert!(heard.past.iter().all(|event| event.happening == Happening::Changed), "{:?}", heard.past);
    assert!(gusher.written() > 32 * LINE_OCTETS_MAX, "{} octets", gusher.written());
}

/// What an engine answers that would give orders to a service manager and to a terminal.
const ORDERS: &str = "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 54\r\n\r\n\
                      {\"message\":\"no\\nMAINPID=1\\nWATCHDOG=trigger\\u001b[2J\"}";

#[test]
fn what_docker_says_gives_no_orders_to_the_service_manager_or_a_terminal() {
    let dir = TempDir::new().unwrap();
    let (engine, notified) = (dir.path().join("docker.sock"), dir.path().join("notify.sock"));
    let _engine = Gusher::at(&engine, |_| (ORDERS, ""));
    let manager = UnixDatagram::bind(&notified).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = alone(program());
    command.args(["--local", "--address", "127.0.0.1", "--hostname", "web1", "--log-format", "human"]);
    command.args(["--dns-listen", "127.0.0.1:0"]).arg("--docker-socket").arg(&engine);
    command.arg("--state-dir").arg(dir.path().join("state")).env("NOTIFY_SOCKET", &notified);
    let mut agent = Process::start(command);
    let mut told = [0; 4_096];
    let said = loop {
        let length = manager.recv(&mut told).unwrap();
        let said = String::from_utf8(told[..length].to_vec()).unwrap();
        let keys = said.lines().map(|line| line.split('=').next().unwrap());
        assert!(keys.clone().all(|key| ["READY", "STATUS", "WATCHDOG"].contains(&key)), "{said}");
        assert!(!said.contains("WATCHDOG=trigger\n"), "{said}");
        if said.contains("MAINPID") {
            break said;
        }
    };
    assert!(said.contains(r"no\nMAINPID=1\nWATCHDOG=trigger\u{1b}[2J"), "{said}");
    agent.wait_for("its log", || agent.log().contains("MAINPID").then_some(()));
    assert!(!agent.log().contains('\u{1b}') && !agent.log().contains("\nMAINPID"), "{}", agent.log());
    agent.drain();
}

#[tokio::test]
async fn an_answer_of_the_ecs_agent_that_does_not_end() {
    let (gusher, url) = Gusher::over_tcp(|_| (JSON, "a"));
    let error = EcsIntrospection::new(&url, None).unwrap().container_instance().await.unwrap_err();
    assert!(error.to_string().contains("more than 65536 bytes came"), "{error}");
    assert!(gusher.written() <= KERNELS, "{} octets", gusher.written());
}

/// What is answered over TCP to a message of so many octets, none of which makes sense but those of a header.
fn answered_over_tcp(front: &DnsFront, octets: u16) -> usize {
    let mut stream = TcpStream::connect(front.addresses()[0]).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[&octets.to_be_bytes()[..], &vec![0; usize::from(octets)]].concat()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    // Closed with something unread, it is reset.
    let _ = stream.read_to_end(&mut answer);
    answer.len()
}

#[test]
fn a_dns_message_over_tcp_that_is_longer_than_4096_octets() {
    let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
    let front = serve(zone, &["127.0.0.1:0".parse().unwrap()], 8).unwrap();
    assert_eq!(answered_over_tcp(&front, 4_097), 0);
    assert!(answered_over_tcp(&front, 4_096) > 0);
}

/// On a clock that goes on by itself while everybody waits.
#[tokio::test(start_paused = true)]
async fn a_question_that_docker_does_not_answer() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("docker.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let docker = UnixDocker::new(path, Scope::new("sd.internal", "web1"));
    let began = tokio::time::Instant::now();
    assert_eq!(docker.running().await.unwrap_err(), DockerError::Timeout("/version"));
    assert_eq!(began.elapsed().as_secs(), 10);
    drop(listener);
}
