//! The portal between a name server and the two services: what it shows, and what it says when one of
//! them is missing.

// The exemption for tests does not reach their helpers.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use axum::http::StatusCode;
use common::{CALC, PORTAL, Service, TIME};
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use serde_json::json;
use tokio::net::UdpSocket;

/// Where the services of the test's zone are: a name and a port for each record.
type Zone = Vec<(&'static str, u16)>;

/// Stands for a name that has no SRV record.
const NO_RECORD: u16 = 0;

const TARGET: &str = "host-1.test.internal.";

/// A name server that holds `zone`, and an A record for the target of all; it answers until the test ends.
async fn name_server(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1024];
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let answer = answer(&zone, question).to_vec().unwrap();
            socket.send_to(&answer, client).await.unwrap();
        }
    });
    address
}

fn answer(zone: &Zone, mut message: Message) -> Message {
    message.metadata.message_type = MessageType::Response;
    let query = message.queries[0].clone();
    let target: Name = TARGET.parse().unwrap();
    let name = query.name().to_utf8();
    let ports = zone.iter().filter(|(service, _)| name == format!("{service}.test.internal."));
    let ports: Vec<u16> = ports.map(|(_, port)| *port).collect();
    match query.query_type() {
        RecordType::SRV if !ports.is_empty() => {
            for port in ports.into_iter().filter(|port| *port != NO_RECORD) {
                let srv = RData::SRV(SRV::new(1, 2, port, target.clone()));
                message.add_answer(Record::from_rdata(query.name().clone(), 0, srv));
            }
        }
        RecordType::A if *query.name() == target => {
            message.add_answer(Record::from_rdata(target, 0, RData::A(A(Ipv4Addr::LOCALHOST))));
        }
        RecordType::AAAA if *query.name() == target => {}
        _ => message.metadata.response_code = ResponseCode::NXDomain,
    }
    message
}

async fn portal(zone: Zone) -> Service {
    let resolver = name_server(zone).await.to_string();
    Service::start(PORTAL, &[("ZONE", "test.internal"), ("RESOLVER", &resolver)])
}

#[tokio::test]
async fn an_answer_comes_with_the_way_to_it() {
    let (time, calc) = (Service::start(TIME, &[]), Service::start(CALC, &[]));
    let portal = portal(vec![("_time._tcp", time.address.port()), ("_calc._tcp", calc.address.port())]).await;
    let (status, outcome) = portal.get_json("/api/calc?formula=(1%2B1)*3").await;
    let srv = json!({
        "name": "_calc._tcp.test.internal", "target": "host-1.test.internal", "address": "127.0.0.1",
        "port": calc.address.port(), "priority": 1, "weight": 2, "ttl": 0,
    });
    let expected =
        json!({ "state": "ok", "value": "6", "containerid": "c1", "instanceid": "i-1", "srv": srv });
    assert_eq!((status, outcome), (StatusCode::OK, expected));
    for layout in ["..", "a/b?c#d%", "<b>&\"'", "é {{value}}", "x+y\\^|"] {
        let query: String = layout.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let (_, outcome) = portal.get_json(&format!("/api/time?layout={query}")).await;
        assert_eq!(outcome["value"], layout, "{outcome}");
    }
}

#[tokio::test]
async fn the_page_works_without_its_script() {
    let (time, calc) = (Service::start(TIME, &[]), Service::start(CALC, &[]));
    let portal = portal(vec![("_time._tcp", time.address.port()), ("_calc._tcp", calc.address.port())]).await;
    let (status, page) = portal.get("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.len() < 15_000, "the page is to be small: {}", page.len());
    for id in ["time-input", "time-go", "time-answer", "calc-input", "calc-go", "calc-answer"] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    assert!(!page.contains("{{") && !page.contains("<!--"), "an open slot is left");
    assert!(page.contains("The answer will come from <code>_time._tcp.test.internal</code>"));

    // A space typed in a form arrives as a plus, and a plus as %2B.
    let (_, page) = portal.get("/?formula=%281%2B1%29+*+21").await;
    assert!(page.contains(r#"id="calc-answer" data-state="ok""#), "{page}");
    assert!(page.contains(r#"data-slot="value">42</p>"#), "{page}");
    assert!(page.contains(r#"value="(1+1) * 21""#), "{page}");

    let (_, page) = portal.get("/?layout=%22%3E%3Cscript%3Ealert()").await;
    assert!(page.contains(r#"data-slot="value">&quot;&gt;&lt;script&gt;alert()</p>"#), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
}

#[tokio::test]
async fn a_missing_service_is_an_error_that_says_what_to_check() {
    let calc = Service::start(CALC, &[]);
    // Nobody listens at port 1.
    let portal = portal(vec![("_time._tcp", 1), ("_calc._tcp", calc.address.port())]).await;
    let (status, outcome) = portal.get_json("/api/time?layout=15").await;
    assert_eq!(
        (status, &outcome["error"]),
        (StatusCode::BAD_GATEWAY, &json!("127.0.0.1:1 refused the connection"))
    );
    assert_eq!(outcome["asked"], "GET http://127.0.0.1:1/time/15");
    assert_eq!(outcome["srv"]["port"], 1);

    let (status, outcome) = portal.get_json("/api/calc?formula=2%2B*3").await;
    assert_eq!((status, &outcome["position"]), (StatusCode::BAD_REQUEST, &json!(3)));
    let (status, outcome) = portal.get_json("/api/calc?formula=").await;
    assert_eq!((status, &outcome["error"]), (StatusCode::BAD_REQUEST, &json!("nothing was typed")));
    let (_, page) = portal.get("/?layout=15").await;
    assert!(page.contains(r#"id="time-answer" data-state="error""#), "{page}");
    assert_eq!(portal.get("/health").await, (StatusCode::OK, "ok".to_owned()));
}

#[tokio::test]
async fn what_dns_does_not_tell_is_named() {
    let portal = portal(vec![("_calc._tcp", NO_RECORD)]).await;
    let (_, outcome) = portal.get_json("/api/calc?formula=1").await;
    assert_eq!(outcome["error"], "the name has no SRV record");
    let (status, outcome) = portal.get_json("/api/time?layout=15").await;
    assert_eq!((status, &outcome["error"]), (StatusCode::BAD_GATEWAY, &json!("DNS has no such name")));
    assert_eq!(outcome["asked"], "_time._tcp.test.internal SRV");

    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let portal = Service::start(PORTAL, &[("RESOLVER", &resolver), ("TIME_SERVICE", "_time._tcp.elsewhere")]);
    let (_, outcome) = portal.get_json("/api/time?layout=15").await;
    assert_eq!(outcome["error"], "the resolver did not answer within 3s");
    assert_eq!(outcome["asked"], "_time._tcp.elsewhere SRV");
}

#[tokio::test]
async fn a_server_that_has_gone_is_passed_over() {
    let calc = Service::start(CALC, &[]);
    let port = calc.address.port();
    let portal = portal(vec![("_calc._tcp", 1), ("_calc._tcp", port), ("_calc._tcp", 2)]).await;
    for _ in 0..8 {
        let (_, outcome) = portal.get_json("/api/calc?formula=1").await;
        assert_eq!((&outcome["state"], &outcome["srv"]["port"]), (&json!("ok"), &json!(port)));
    }
}

#[tokio::test]
async fn another_program_at_the_port_is_no_answer() {
    let calc = Service::start(CALC, &[]);
    let portal = portal(vec![("_time._tcp", calc.address.port())]).await;
    let (status, outcome) = portal.get_json("/api/time?layout=15").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(outcome["error"].as_str().unwrap().contains("404"), "{outcome}");
}
