//! Bytes become an answer of Docker, as the client library reads it; whatever it says, what is made of it
//! can be published or says why not, and none of the environment is kept.
//!
//! Input that begins with `{` is the JSON itself. Any other is changes to a real answer, so that a mutation
//! reaches our code instead of ending at a bracket: parts that end with a NUL, of which the first octet
//! chooses a field, and the rest is its new value, as JSON or else as text.
#![no_main]

use std::net::Ipv4Addr;

use bollard::models::ContainerInspectResponse;
use ecssd::container::convention::Scope;
use ecssd::container::offer::{At, offers};
use ecssd::edge::engine::inspect;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const BASE: &str = include_str!("../corpus/docker_json/small-bridge.json");

/// What a change may change; `Env/0` is a variable, `80~1tcp` a port.
const FIELDS: [&str; 20] = [
    "/Config/Env/0",
    "/Config/Env/1",
    "/Config/Labels/service_81_name",
    "/Config/StopSignal",
    "/Config/StopTimeout",
    "/HostConfig/NetworkMode",
    "/Id",
    "/Name",
    "/NetworkSettings/Ports",
    "/NetworkSettings/Ports/80~1tcp",
    "/NetworkSettings/Ports/80~1tcp/0/HostIp",
    "/NetworkSettings/Ports/80~1tcp/0/HostPort",
    "/NetworkSettings/Ports/80~1tcp/1/HostIp",
    "/NetworkSettings/Ports/80~1tcp/1/HostPort",
    "/NetworkSettings/Ports/81~1tcp",
    "/State",
    "/State/Running",
    "/State/StartedAt",
    "/State/Status",
    "/Config/Env",
];

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

fuzz_target!(|data: &[u8]| {
    let inspect = if data.starts_with(b"{") { serde_json::from_slice(data) } else { changed(data) };
    let Ok(inspect) = inspect else { return };
    let scope = Scope::new("servicediscovery.internal", "web1");
    let Ok(container) = inspect::read(&inspect, &scope) else { return };
    assert_eq!(inspect::read(&inspect, &scope).as_ref(), Ok(&container), "not the same twice");

    for owner in [None, Some(&container)] {
        for task in [None, Some(Ipv4Addr::new(10, 0, 0, 77))] {
            let (offers, unpublished) = offers(&container, owner, task, HOST);
            assert!(offers.len() + unpublished.len() <= container.services.len());
            for offer in &offers {
                let (At::Host { port } | At::Task { port, .. }) = offer.at;
                assert!(port > 0 && container.services.contains(&offer.service));
            }
            assert!(unpublished.iter().all(|service| !service.reason.to_string().is_empty()));
        }
    }
});

fn changed(data: &[u8]) -> serde_json::Result<ContainerInspectResponse> {
    let mut answer: Value = serde_json::from_str(BASE).expect("a seed is JSON");
    for change in data.split(|&byte| byte == 0) {
        let Some((&field, value)) = change.split_first() else { continue };
        // Printable choices, `A` for the first, so that a seed can be read.
        let field = FIELDS[usize::from(field.wrapping_sub(b'A')) % FIELDS.len()];
        if let Some(place) = answer.pointer_mut(field) {
            let text = String::from_utf8_lossy(value);
            *place = serde_json::from_str(&text).unwrap_or_else(|_| text.into_owned().into());
        }
    }
    serde_json::from_value(answer)
}
