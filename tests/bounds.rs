//! What is read of others that never stop: no more than each bound says. Judged by the octets that such a server gets
//! rid of, those that the kernels hold between it and the agent among them.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_sdk_route53::Client;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use ecssd::aws::{self, ANSWER_OCTETS_MAX};
use ecssd::container::convention::Scope;
use ecssd::edge::engine::{
    ANSWER_OCTETS_MAX as DOCKER_OCTETS_MAX, Docker, LINE_OCTETS_MAX, LIST_OCTETS_MAX, UnixDocker,
};
use ecssd_testing::agent::{alone, program};
use ecssd_testing::gusher::{Gusher, Says};
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
    assert!(heard.past.is_empty() && gusher.written() > 32 * LINE_OCTETS_MAX, "{} octets", gusher.written());
}
