//! Against servers that answer as they are told, on loopback.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion, version};

use super::*;
use crate::container::convention::{Check, Scope, Timing, parse};
use crate::container::offer::{At, EffectiveCheck};
use crate::edge::check::{Checker, NetworkChecker};
use crate::machine::lifecycle::Target;

static HERE: NetworkChecker = NetworkChecker::of(Ipv4Addr::LOCALHOST);
const PASSES: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

async fn asked(port: u16, check: Box<HttpCheck>) -> Result<(), CheckError> {
    let timing = Timing { interval: Duration::from_secs(5), timeout: Duration::from_secs(5) };
    let check = EffectiveCheck::Http(check);
    HERE.check(&Target { at: At::Host { port }, check, timing, is_led: false }).await
}

/// What keys of a port come to.
fn wished(keys: &[&str]) -> Box<HttpCheck> {
    let keys = keys.iter().map(|key| format!("SERVICE_80_{key}"));
    let env: Vec<String> = keys.chain(["SERVICE_80_NAME=_web._tcp".to_owned()]).collect();
    let convention = parse(env.iter().map(String::as_str), [], &Scope::new("sd.internal", "host"));
    match &convention.services[..] {
        [service] if convention.bad_keys.is_empty() => match &service.check {
            Check::Http(http) => http.clone(),
            other => panic!("{other:?}"),
        },
        _ => panic!("{convention:?}"),
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Answers one connection with `answer` after a request came; tells the request, and how many bytes it could get
/// rid of.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) -> (String, usize) {
    let mut request = [0; 2048];
    let length = stream.read(&mut request).await.unwrap();
    assert_ne!(length, 0);
    let mut written = 0;
    while written < answer.len() {
        match stream.write(&answer[written..]).await {
            Ok(n) if n > 0 => written += n,
            _ => break,
        }
    }
    let _ = stream.flush().await;
    (String::from_utf8_lossy(&request[..length]).into_owned(), written)
}

async fn server(answer: impl Into<Vec<u8>>) -> (u16, JoinHandle<(String, usize)>) {
    let (listener, port) = listener().await;
    let answer = answer.into();
    (port, tokio::spawn(async move { serve(listener.accept().await.unwrap().0, &answer).await }))
}

async fn http(answer: impl Into<Vec<u8>>) -> Result<(), CheckError> {
    let (port, _served) = server(answer).await;
    asked(port, HttpCheck::of_path("/health")).await
}

#[tokio::test]
async fn takes_2xx_and_3xx_for_healthy() {
    for status in ["200 OK", "204 No Content", "301 Moved", "399 Odd"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(http(answer).await, Ok(()), "{status}");
    }
    for status in ["400 Bad Request", "404 Not Found", "500 Oops", "503 Busy"] {
        let error = http(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await.unwrap_err();
        assert!(error.to_string().contains(&status[..3]), "{error}");
    }
}

#[tokio::test]
async fn takes_the_statuses_that_it_is_told() {
    for (status, passes) in [(200, true), (299, true), (300, false), (401, true), (403, false)] {
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
        let (port, _served) = server(answer).await;
        let answered = asked(port, wished(&["CHECK_HTTP=/", "CHECK_STATUS=200-299,401"])).await;
        assert_eq!(answered.is_ok(), passes, "{status}: {answered:?}");
    }
}

#[tokio::test]
async fn names_the_host_that_it_is_told_and_else_the_address() {
    let (port, served) = server(PASSES).await;
    assert_eq!(asked(port, wished(&["CHECK_HTTP=/up?full=1", "CHECK_HOST=shop.internal"])).await, Ok(()));
    let request = served.await.unwrap().0;
    assert!(request.starts_with("GET /up?full=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nhost: shop.internal\r\n"), "{request}");

    let (port, served) = server(PASSES).await;
    assert_eq!(asked(port, wished(&["CHECK_HTTP=/"])).await, Ok(()));
    let request = served.await.unwrap().0;
    assert!(request.contains(&format!("\r\nhost: 127.0.0.1:{port}\r\n")), "{request}");
}

#[tokio::test]
async fn refuses_what_is_not_http_or_has_a_huge_head() {
    assert!(http("SSH-2.0-OpenSSH_9.2\r\n\r\n").await.is_err());
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    assert!(http(huge).await.is_err());
}

#[tokio::test]
async fn reads_neither_an_endless_body_nor_interim_answers_without_end() {
    let mut body = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    body.resize(64 << 20, b'x');
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(3 << 20);
    for (answer, passes) in [(body, true), (interim, false)] {
        let (port, served) = server(answer).await;
        let answered = asked(port, HttpCheck::of_path("/")).await;
        assert_eq!(answered.is_ok(), passes, "{answered:?}");
        // What the kernels buffer between them is not read by the prober.
        assert!(served.await.unwrap().1 < 16 << 20);
    }
    // A few of them are no answer yet, and stand in nobody's way.
    let some = format!("{}{PASSES}", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(9));
    assert_eq!(http(some).await, Ok(()));
}

/// As `server`, over TLS with a self-signed certificate for somebody else that has expired; tells the name that was
/// asked for, and the request.
async fn tls_server(
    versions: &[&'static SupportedProtocolVersion],
) -> (u16, JoinHandle<(Option<String>, String)>) {
    let certificate = include_bytes!("../../../../tests/fixtures/tls/certificate.der");
    let key = include_bytes!("../../../../tests/fixtures/tls/key.der");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.to_vec())],
            PrivatePkcs8KeyDer::from(key.to_vec()).into(),
        )
        .unwrap();
    let (listener, port) = listener().await;
    let served = tokio::spawn(async move {
        let stream = listener.accept().await.unwrap().0;
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
        let request = serve(&mut stream, PASSES.as_bytes()).await.0;
        (stream.get_ref().1.server_name().map(str::to_owned), request)
    });
    (port, served)
}

#[tokio::test]
async fn takes_any_certificate_and_asks_for_the_name_that_it_is_told() {
    for versions in [&[&version::TLS12], &[&version::TLS13]] {
        for (host, name) in [("shop.internal:8443", Some("shop.internal")), ("10.0.0.1", None)] {
            let (port, served) = tls_server(versions).await;
            let check = wished(&["CHECK_HTTPS=/up", &format!("CHECK_HOST={host}")]);
            assert_eq!(asked(port, check).await, Ok(()));
            let (asked_for, request) = served.await.unwrap();
            assert_eq!(asked_for.as_deref(), name);
            assert!(request.starts_with("GET /up HTTP/1.1\r\n"), "{request}");
            assert!(request.contains(&format!("\r\nhost: {host}\r\n")), "{request}");
        }
    }
    let (port, served) = tls_server(&[&version::TLS13]).await;
    assert_eq!(asked(port, wished(&["CHECK_HTTPS=/"])).await, Ok(()));
    assert_eq!(served.await.unwrap().0, None);
}

#[tokio::test]
async fn says_of_what_speaks_no_tls_what_was_asked() {
    let (port, _served) = server(PASSES).await;
    let error = asked(port, wished(&["CHECK_HTTPS=/up"])).await.unwrap_err();
    assert!(matches!(error, CheckError::Refused(_)), "{error}");
    assert!(error.to_string().starts_with(&format!("https://127.0.0.1:{port}/up: ")), "{error}");
}

#[tokio::test]
async fn reads_no_handshake_without_end() {
    // A record of TLS alerts that are warnings, again and again.
    let (port, served) = server(b"\x15\x03\x03\x00\x02\x01\x00".repeat(8 << 20)).await;
    assert!(asked(port, wished(&["CHECK_HTTPS=/"])).await.is_err());
    assert!(served.await.unwrap().1 < 16 << 20);
}
