//! A metadata service of the tests, and what is read from it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, Instant};

use super::*;

/// How a metadata service of the tests behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge) enum Manner {
    Good,
    /// Answers 403 to all.
    Off,
    /// Takes the PUT and never answers it: its answer got lost on the second hop.
    Hops,
    /// Version 1 only: knows no PUT.
    Old(u16),
    /// Answers each request late.
    Slow,
    /// Values that are none.
    Garbage,
    /// Endless answers.
    Endless,
    /// Cuts the connection.
    Hangup,
    /// Has no interfaces and no region.
    Bare,
    /// Says that this is the host's address.
    Address(&'static str),
    /// Sends one elsewhere.
    Redirect,
    /// Is about to be interrupted, scaled in and rebalanced.
    Leaving,
}

/// A server that behaves as IMDSv2 does: 401 without its token, 403 when it is off.
pub(in crate::edge) struct Server {
    pub(in crate::edge) imds: Imds,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
}

const TOKEN: &str = "AQAEAJvNQ8-EXAMPLE==";

impl Server {
    pub(in crate::edge) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let imds = Imds::at(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let manner = Arc::new(Mutex::new(manner));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Self { imds, manner: manner.clone(), asked: asked.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = *manner.lock().unwrap();
                tokio::spawn(serve(stream, manner, asked.clone()));
            }
        });
        server
    }

    pub(in crate::edge) fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub(in crate::edge) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, asked: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap().to_ascii_lowercase();
    let line = request.lines().next().unwrap().trim_end_matches(" http/1.1").to_owned();
    asked.lock().unwrap().push(line.clone());
    let (status, body) = match manner {
        Manner::Hangup => return,
        Manner::Hops => std::future::pending().await,
        Manner::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
            return;
        }
        Manner::Slow => {
            tokio::time::sleep(Duration::from_millis(900)).await;
            answer(&line, &request, manner)
        }
        _ => answer(&line, &request, manner),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nLocation: /elsewhere\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

fn answer(line: &str, request: &str, manner: Manner) -> (u16, &'static str) {
    match manner {
        Manner::Off => return (403, ""),
        Manner::Redirect => return (302, ""),
        Manner::Old(status) if line.starts_with("put") => return (status, ""),
        _ => {}
    }
    if line == "put /latest/api/token" {
        let timed = request.contains("\nx-aws-ec2-metadata-token-ttl-seconds: 60\r");
        return if timed { (200, TOKEN) } else { (400, "") };
    }
    if !request.contains(&format!("\nx-aws-ec2-metadata-token: {TOKEN}\r").to_ascii_lowercase()) {
        return (401, "");
    }
    if line == "get /latest/dynamic/instance-identity/document" && manner != Manner::Bare {
        return (200, "{\"instanceId\": \"i-0123456789abcdef0\", \"pendingTime\": \"2026-11-24T20:00:00Z\"}");
    }
    let Some(path) = line.strip_prefix("get /latest/meta-data/") else { return (404, "") };
    match (path, manner) {
        ("spot/instance-action", Manner::Leaving) => {
            (200, "{\"action\": \"stop\", \"time\": \"2026-11-25T08:22:00Z\"}")
        }
        ("autoscaling/target-lifecycle-state", Manner::Leaving) => (200, "Terminated\n"),
        ("events/recommendations/rebalance", Manner::Leaving) => {
            (200, "{\"noticeTime\": \"2026-11-25T08:20:00Z\"}")
        }
        ("spot/instance-action" | "autoscaling/target-lifecycle-state", Manner::Garbage) => {
            (200, "<html>Please log in</html>")
        }
        ("instance-id", Manner::Garbage) => (200, "<html>Please log in</html>"),
        ("instance-id", _) => (200, "i-0123456789abcdef0\n"),
        ("local-ipv4", Manner::Address(address)) => (200, address),
        ("local-ipv4", _) => (200, "10.123.145.167"),
        ("placement/region" | "mac" | "local-hostname", Manner::Bare) => (404, "not found"),
        ("placement/region", _) => (200, "eu-central-1"),
        ("local-hostname", _) => (200, "ip-10-123-145-167.eu-central-1.compute.internal"),
        ("mac", _) => (200, "0a:1b:2c:3d:4e:5f"),
        ("network/interfaces/macs/0a:1b:2c:3d:4e:5f/vpc-id", _) => (200, "vpc-0fedcba9876543210"),
        ("network/interfaces/macs/0a:1b:2c:3d:4e:5f/vpc-ipv4-cidr-blocks", Manner::Garbage) => {
            (200, "10.123.0.0/16\n<html>")
        }
        ("network/interfaces/macs/0a:1b:2c:3d:4e:5f/vpc-ipv4-cidr-blocks", _) => {
            (200, "10.123.0.0/16\n100.64.0.0/20\n")
        }
        _ => (404, ""),
    }
}

pub(in crate::edge) fn instance() -> Instance {
    Instance {
        id: "i-0123456789abcdef0".into(),
        address: Ipv4Addr::new(10, 123, 145, 167),
        host_name: Some("ip-10-123-145-167.eu-central-1.compute.internal".into()),
        region: Some("eu-central-1".into()),
        vpc: Some("vpc-0fedcba9876543210".into()),
        launched: Timestamp::from_docker("2026-11-24T20:00:00Z").unwrap(),
    }
}

async fn asked_of(manner: Manner) -> Result<Instance, ImdsError> {
    Server::start(manner).await.imds.instance().await
}

#[tokio::test]
async fn reads_an_instance_with_one_token() {
    let server = Server::start(Manner::Good).await;
    assert_eq!(server.imds.instance().await, Ok(instance()));
    assert_eq!(server.asked().iter().filter(|line| line.starts_with("put")).count(), 1);
    let bare = Instance { host_name: None, region: None, vpc: None, launched: None, ..instance() };
    assert_eq!(asked_of(Manner::Bare).await, Ok(bare));
}

#[tokio::test]
async fn says_why_there_is_no_answer_and_what_to_do() {
    for (manner, part) in [
        (Manner::Off, "--http-endpoint enabled"),
        (Manner::Hops, "--http-put-response-hop-limit 2"),
        (Manner::Old(404), "/latest/api/token: it knows no tokens"),
        (Manner::Old(405), "/latest/api/token: it answers 405"),
        (Manner::Redirect, "/latest/api/token: it answers 302"),
        (Manner::Garbage, "/latest/meta-data/instance-id: what came cannot be one"),
        (Manner::Endless, "more than 4096 bytes came"),
        (Manner::Hangup, "/latest/api/token: "),
    ] {
        let error = asked_of(manner).await.unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("http://127.0.0.1:"), "{manner:?}: {error}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = Imds::at(&format!("http://{closed}")).unwrap().instance().await.unwrap_err();
    let ImdsError::Unreachable { reason, .. } = &error else { panic!("{error:?}") };
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn takes_no_address_that_nobody_can_connect_to() {
    for address in ["127.0.0.1", "169.254.1.1", "224.0.0.1", "0.0.0.7", "255.255.255.255", "fd00::1"] {
        let error = asked_of(Manner::Address(address)).await.unwrap_err().to_string();
        assert!(
            error.contains("/latest/meta-data/local-ipv4: what came cannot be one"),
            "{address}: {error}"
        );
    }
}

#[tokio::test]
async fn takes_two_seconds_at_most() {
    let began = Instant::now();
    assert!(matches!(asked_of(Manner::Slow).await, Err(ImdsError::Odd { .. })));
    assert!(began.elapsed() < TOTAL_TIMEOUT + Duration::from_millis(500));
}

#[tokio::test]
async fn follows_the_variables_of_the_sdks() {
    let with = |name: &'static str, value: &'static str| {
        Imds::from_variables(move |asked| (asked == name).then(|| value.to_owned()))
    };
    let endpoint = |imds: Option<Imds>| imds.map(|imds| imds.endpoint().to_owned());
    assert_eq!(endpoint(with("", "").unwrap()).as_deref(), Some(ENDPOINT));
    assert_eq!(
        endpoint(with(ENDPOINT_VARIABLE, " http://[::1]:1338/ ").unwrap()).as_deref(),
        Some("http://[::1]:1338")
    );
    assert_eq!(endpoint(with(ENDPOINT_VARIABLE, "").unwrap()).as_deref(), Some(ENDPOINT));
    assert!(with(DISABLED_VARIABLE, "True").unwrap().is_none());
    assert!(with(DISABLED_VARIABLE, "false").unwrap().is_some());
    for bad in ["169.254.169.254", "https://x", "ftp://x", "http://"] {
        assert_eq!(with(ENDPOINT_VARIABLE, bad).unwrap_err(), ImdsError::Endpoint(bad.to_owned()));
    }
}

/// An address that drops what wants to connect, as one off EC2 may: its queue is full.
#[tokio::test]
async fn an_address_that_says_nothing_is_given_up_fast() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        queued.push(stream);
    }
    let began = Instant::now();
    let error = Imds::at(&format!("http://{address}")).unwrap().instance().await.unwrap_err();
    assert!(matches!(error, ImdsError::Unreachable { .. }), "{error}");
    assert!(began.elapsed() < CONNECT_TIMEOUT * 2);
}
