//! The status server as its clients meet it, well-meant or not: over real sockets, with what they send spelt out.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ecssd::machine::cordon::{Order, What, Wish};
use ecssd::serve::status::{Listen, Ordered, Source, client, serve};
use ecssd::serve::web::{Front, HEAD_OCTETS_MAX, HEADERS_MAX};
use ecssd::status::schema::{Host, Status};
use ecssd::status::{Part, Seen, assemble};
use ecssd_testing::said::{Said, closed, said};
use futures_util::future::BoxFuture;

/// The most connections of the servers here.
const CONNECTIONS_MAX: usize = 4;

/// A server, and how often it looked at what it serves.
struct Served {
    front: Front,
    looks: Arc<AtomicUsize>,
    dir: tempfile::TempDir,
}

/// A status that is always the same.
struct Counted {
    looks: Arc<AtomicUsize>,
    status: Status,
}

impl Source for Counted {
    fn look(&self) -> (Status, Seen) {
        self.looks.fetch_add(1, Ordering::Relaxed);
        (self.status.clone(), Seen::default())
    }

    fn order(&self, order: Order) -> BoxFuture<'static, Ordered> {
        let said = format!("{order:?}");
        let refused = order.what == What::Named("unknown".to_owned());
        Box::pin(async move { if refused { Ordered::Refused(said) } else { Ordered::Done(said) } })
    }

    fn ask(&self, name: &str, kind: &str) -> Option<String> {
        (name != "elsewhere").then(|| format!("{name:?} {kind:?}"))
    }
}

impl Served {
    fn ready() -> Self {
        Self::with(status(&[]))
    }

    fn with(status: Status) -> Self {
        let (looks, dir) = (Arc::new(AtomicUsize::new(0)), tempfile::tempdir().unwrap());
        let listen = Listen {
            address: Some((Ipv4Addr::LOCALHOST, 0).into()),
            sockets: vec![dir.path().join("status.sock")],
        };
        let source = Counted { looks: looks.clone(), status };
        let front = serve(listen, source, CONNECTIONS_MAX).unwrap();
        let served = Self { front, looks, dir };
        while served.front.address().is_none() || !served.socket().exists() {
            thread::yield_now();
        }
        served
    }

    fn address(&self) -> SocketAddr {
        self.front.address().unwrap()
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("status.sock")
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).unwrap()
    }

    /// What is answered to these octets.
    fn say(&self, octets: &[u8]) -> Said {
        said(self.connect(), octets)
    }

    /// What is answered to a question for this path.
    fn get(&self, path: &str) -> Said {
        self.say(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
    }
}

/// Of an agent that is ready, but for these parts.
fn status(reasons: &[(Part, &str)]) -> Status {
    let reasons = reasons.iter().map(|(part, reason)| (*part, Some((*reason).to_owned()), Duration::ZERO));
    let seen = Seen { readiness: reasons.collect(), ..Seen::default() };
    let host = Host { owner: "web1".into(), name: "web1.sd.internal".into(), address: "10.0.0.7".into() };
    Status { host: Some(host), ..assemble(None, &seen) }
}

#[test]
fn every_path_shows_what_it_is_for() {
    let served = Served::ready();
    let live = served.get("/health/live");
    assert_eq!((live.code, live.body.as_str()), (200, "alive\n"));
    let ready = served.get("/health/ready");
    assert_eq!((ready.code, ready.body.as_str()), (200, "ready\n"));
    let json = served.get("/status.json?of=all");
    let value: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!((json.code, value["ready"].as_bool(), value["schema"].as_u64()), (200, Some(true), Some(1)));
    assert!(json.head.contains("content-type: application/json"), "{}", json.head);
    for header in ["cache-control: no-store", "x-content-type-options: nosniff", "content-security-policy: "]
    {
        assert!(json.head.contains(header), "{header}: {}", json.head);
    }
    assert!(served.get("/status.txt").body.contains("\nready\n"));
    let metrics = served.get("/metrics");
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.head);
    assert!(metrics.body.contains("\necssd_ready 1\n"), "{}", metrics.body);
    let page = served.get("/");
    assert!(
        page.head.contains("content-type: text/html") && page.body.contains("\nready\n"),
        "{}",
        page.head
    );
    let nonce =
        page.head.split("script-src 'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    assert!(
        page.body.contains(&format!("<script nonce=\"{nonce}\">")),
        "a browser runs the page's own script"
    );
    assert!(!served.get("/").head.contains(nonce), "each answer has a nonce of its own");
}

#[test]
fn a_zone_in_this_process_is_asked_as_a_form_asks() {
    let served = Served::ready();
    for (query, answer) in [
        ("name=_web._tcp&type=A", "\"_web._tcp\" \"A\""),
        ("type=SRV&name=%5Fweb%2E_tcp+x", "\"_web._tcp x\" \"SRV\""),
        ("name=%3Cb%3E", "\"<b>\" \"SRV\""),
    ] {
        let said = served.get(&format!("/ask?{query}"));
        assert_eq!((said.code, said.body.as_str()), (200, answer), "{query}");
        assert!(said.head.contains("content-type: text/plain"), "{}", said.head);
    }
    for (query, code) in [("", 400), ("name", 400), ("name=%ff", 400), ("name=elsewhere", 404)] {
        assert_eq!(served.get(&format!("/ask?{query}")).code, code, "{query}");
    }
    assert_eq!(served.get("/zone.txt").code, 404);
}

#[test]
fn who_is_not_ready_says_why() {
    let served = Served::with(status(&[(Part::Docker, "it is away"), (Part::Zone, "no credentials")]));
    let ready = served.get("/health/ready");
    assert_eq!(ready.code, 503);
    assert_eq!(ready.body, "not ready\ndocker: it is away\nzone: no credentials\n");
    assert_eq!(served.get("/health/live").code, 200, "it lives all the same");
}

#[test]
fn a_part_that_hangs_is_no_life() {
    let mut status = status(&[]);
    let part = |name: &str, heard_ago| ecssd::status::schema::Part { name: name.to_owned(), heard_ago };
    status.parts = vec![part("Registrar", 61.0), part("Route53Writer", 1.0)];
    let live = Served::with(status).get("/health/live");
    assert_eq!((live.code, live.body.as_str()), (503, "not alive\nRegistrar: not heard of for 61 s\n"));
}

#[test]
fn a_head_has_no_body() {
    let served = Served::ready();
    let head = served.say(b"HEAD /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((head.code, head.body.as_str()), (200, ""));
    let length = served.get("/status.json").body.len();
    assert!(head.head.contains(&format!("content-length: {length}")), "{}", head.head);
}

#[test]
fn nothing_but_get_and_head_is_answered() {
    let served = Served::ready();
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"] {
        let answer =
            served.say(format!("{method} /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        assert_eq!(answer.code, 405, "{method}");
        assert!(answer.head.contains("allow: get, head"), "{method}: {}", answer.head);
    }
    for request in
        ["CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", "HELLO\r\n\r\n", "\0\0\0\r\n\r\n"]
    {
        assert!(served.say(request.as_bytes()).code >= 400, "{request:?}");
    }
    assert_eq!(served.looks.load(Ordering::Relaxed), 0);
}

#[test]
fn a_question_has_no_body() {
    let served = Served::ready();
    for body in
        ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]
    {
        let answer = served.say(format!("GET /status.json HTTP/1.1\r\nHost: localhost\r\n{body}").as_bytes());
        assert_eq!(answer.code, 413, "{body:?}");
    }
}

#[test]
fn a_path_is_taken_as_it_is() {
    let served = Served::ready();
    for path in [
        "/health/../status.json",
        "/./status.json",
        "//status.json",
        "/status.json/",
        "/status.json%00",
        "/%73tatus.json",
        "/STATUS.JSON",
        "/..%2f..%2fetc/passwd",
        "/../../etc/passwd",
        "/health",
        "/status",
        "*",
    ] {
        assert!(served.get(path).code >= 400, "{path}");
    }
}

#[test]
fn a_page_elsewhere_cannot_have_its_visitors_read_this_host() {
    let served = Served::ready();
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "sd.internal", ""] {
        let answer = served.say(format!("GET /status.json HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(answer.code, 421, "{host}");
        assert!(!answer.body.contains("web1"), "{}", answer.body);
    }
    let absolute = "GET http://evil.example/status.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(served.say(absolute.as_bytes()).code, 421);
    assert_eq!(served.say(b"GET /status.json HTTP/1.1\r\n\r\n").code, 400);
    let twice = "GET /status.json HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n";
    assert_eq!(served.say(twice.as_bytes()).code, 400);
    for host in ["127.0.0.1:9153", "[::1]", "web1.sd.internal:9153", "WEB1"] {
        let answer = served.say(format!("GET /status.json HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(answer.code, 200, "{host}");
    }
    // No browser opens a socket of the file system.
    let stream = UnixStream::connect(served.socket()).unwrap();
    assert_eq!(said(stream, b"GET /status.json HTTP/1.1\r\nHost: anything\r\n\r\n").code, 200);
}

#[test]
fn a_head_that_is_too_long_is_cut_off() {
    let served = Served::ready();
    let with = |headers: String| format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes();
    for request in [
        with(format!("X: {}\r\n", "x".repeat(HEAD_OCTETS_MAX))),
        with(format!("X: {}\r\n", "x".repeat(1 << 20))),
        with("X: y\r\n".repeat(HEADERS_MAX + 1)),
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
    ] {
        let code = served.say(&request).code;
        assert!([0, 414, 431].contains(&code), "{} octets: {code}", request.len());
    }
    assert_eq!(served.get("/health/live").code, 200);
}

#[test]
fn whoever_opens_many_connections_holds_up_nobody() {
    const MANY: usize = 300;
    let served = Served::ready();
    let mut idle: Vec<_> = (0..MANY)
        .map(|number| {
            let mut stream = served.connect();
            // Half of them begin a question that never ends.
            if number % 2 == 0 {
                let _ = stream.write_all(b"GET /status.json HTTP/1.1\r\nHost: local");
            }
            stream
        })
        .collect();
    assert_eq!(served.get("/health/live").code, 200);
    // Each connection beyond the bound closed the oldest, and so did the question.
    let mut at_most = 0;
    while at_most < MANY - CONNECTIONS_MAX + 1 {
        at_most = closed(&mut idle);
        thread::yield_now();
    }
    assert_eq!(
        said(UnixStream::connect(served.socket()).unwrap(), b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            .code,
        200
    );
}

#[test]
fn a_question_that_never_ends_is_ended() {
    let served = Served::ready();
    let mut slow = served.connect();
    slow.write_all(b"GET /status.json HTTP/1.1\r\nHo").unwrap();
    let mut rest = Vec::new();
    // Returns when the server closes it.
    let _ = slow.read_to_end(&mut rest);
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
}

#[test]
fn however_many_ask_it_looks_a_few_times_a_second() {
    const MANY: usize = 400;
    let served = Served::ready();
    let began = std::time::Instant::now();
    for _ in 0..MANY {
        assert_eq!(served.get("/status.json").code, 200);
    }
    let periods = usize::try_from(began.elapsed().as_millis() / 250).unwrap();
    let looks = served.looks.load(Ordering::Relaxed);
    assert!(looks <= periods + 1, "{looks} looks in {periods} periods");
}

#[tokio::test]
async fn a_command_asks_over_the_socket() {
    let served = Served::with(status(&[(Part::Zone, "no credentials")]));
    let places = [Path::new("/no/such.sock").to_owned(), served.socket()];
    let ready = client::ask(&places, "/health/ready").await.unwrap();
    assert_eq!((ready.status.as_u16(), &ready.body[..]), (503, &b"not ready\nzone: no credentials\n"[..]));
    let socket = served.socket();
    drop(served.front);
    assert!(!socket.exists(), "it is taken away at the end");
    let nobody = client::ask(&places, "/health/ready").await.unwrap_err().to_string();
    assert!(
        nobody.contains("no agent answers at /no/such.sock or ") && nobody.contains("--status-socket"),
        "{nobody}"
    );
}

#[tokio::test]
async fn an_order_goes_over_the_socket_and_over_nothing_else() {
    let served = Served::ready();
    let order = |text: &str, wish| Order { what: What::parse(text).unwrap(), wish };
    let wish = Wish::Cordon { weight: 7, lasts: Some(Duration::from_secs(90)) };
    for (order, code) in
        [(order("web", wish), 200), (order("_web._tcp", Wish::Uncordon), 200), (order("unknown", wish), 409)]
    {
        let answer = client::order(&[served.socket()], &order).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (code, format!("{order:?}").as_bytes()));
    }
    let request = |line: &str| format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for line in ["PUT /cordons/web", "DELETE /cordons/web"] {
        assert_eq!(served.say(request(line).as_bytes()).code, 405, "{line} over the network");
    }
    let over_the_socket = |request: &str| {
        let stream = UnixStream::connect(served.socket()).unwrap();
        said(stream, request.as_bytes()).code
    };
    for (line, code) in [
        ("PUT /cordons/web", 200),
        ("PUT /cordons/web?weight=256", 400),
        ("PUT /cordons/a%20b", 400),
        ("POST /cordons/web", 405),
        ("PUT /status.json", 405),
        ("GET /cordons/web", 404),
    ] {
        assert_eq!(over_the_socket(&request(line)), code, "{line}");
    }
    let body = "PUT /cordons/web HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(over_the_socket(body), 405, "an order has no body");
}

#[test]
fn who_goes_away_in_the_middle_takes_nothing_along() {
    let served = Served::ready();
    for _ in 0..3 * CONNECTIONS_MAX {
        let mut stream = served.connect();
        stream.write_all(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let _ = stream.shutdown(Shutdown::Both);
    }
    assert_eq!(served.get("/status.json").code, 200);
}
