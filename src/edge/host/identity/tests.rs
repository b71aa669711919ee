//! Who a host is, on EC2 and elsewhere.

use super::*;
use crate::edge::imds::tests::{Manner, Server, instance};

fn fallback() -> Fallback {
    Fallback {
        name: Ok("web1.example".into()),
        address: Ok(Ipv4Addr::new(192, 168, 1, 7)),
        is_bridged: false,
    }
}

fn given(hostname: Option<&str>, address: Option<&str>) -> Given {
    Given { hostname: hostname.map(Into::into), address: address.map(|text| text.parse().unwrap()) }
}

#[test]
fn what_is_given_counts_first_then_ec2_then_the_host() {
    let here = instance();
    for (hostname, address, instance, owner, expected) in [
        (None, None, None, "web1.example", "192.168.1.7"),
        (None, None, Some(&here), "i-0123456789abcdef0", "10.123.145.167"),
        (Some("Web2"), None, Some(&here), "web2", "10.123.145.167"),
        (None, Some("10.0.0.9"), Some(&here), "i-0123456789abcdef0", "10.0.0.9"),
        (Some("web2"), Some("10.0.0.9"), None, "web2", "10.0.0.9"),
    ] {
        let identity = choose(&given(hostname, address), instance, &fallback()).unwrap();
        assert_eq!((identity.owner.as_str(), &*identity.address.to_string()), (owner, expected));
        let own_id = hostname.is_none() && instance.is_some();
        assert_eq!(identity.launched.is_some(), own_id);
        assert_eq!(identity.vpc, instance.and_then(|instance| instance.vpc.clone()));
        assert_eq!(identity.region, instance.and_then(|instance| instance.region.clone()));
    }
}

#[test]
fn says_what_to_pass_where_a_host_cannot_be_told() {
    let nameless = Fallback { name: Err(NameUnknown("permission denied".into())), ..fallback() };
    let lost = Fallback { address: Err(AddressUnknown), ..fallback() };
    let long = Fallback { name: Ok("a-host.".repeat(9) + "internal"), ..fallback() };
    for (fallback, part) in [
        (nameless, "pass one with --hostname"),
        (lost, "clients reach its ports at with --address"),
        (long, "at most 57 with --hostname"),
    ] {
        let error = choose(&Given::default(), None, &fallback).unwrap_err().to_string();
        assert!(error.ends_with(part), "{error}");
        // Who it is on EC2 does not depend on the host's name.
        choose(&Given::default(), Some(&instance()), &fallback).unwrap();
    }
}

#[test]
fn what_a_container_of_its_own_network_says_of_itself_is_no_hosts() {
    let bridged = Fallback { is_bridged: true, ..fallback() };
    for (hostname, address) in [(None, None), (Some("web1"), None), (None, Some("10.0.0.9"))] {
        let refused = choose(&given(hostname, address), None, &bridged);
        assert_eq!(refused, Err(IdentityError::Bridged));
        choose(&given(hostname, address), Some(&instance()), &bridged).unwrap();
    }
    choose(&given(Some("web1"), Some("10.0.0.9")), None, &bridged).unwrap();
}

#[test]
fn knows_ec2_by_its_firmware() {
    for (vendor, uuid, hypervisor, ec2) in [
        (Some("Amazon EC2\n"), None, None, true),
        (Some("Xen"), Some("EC2E1916-9099-7CAF-FD21-012345ABCDEF"), None, true),
        (Some("Xen"), None, Some("ec2e1916-9099-7caf-fd21-012345abcdef"), true),
        (Some("Xen"), Some("12345678"), None, false),
        (None, Some("ec2e1916"), None, true),
        (Some("QEMU"), Some("ec2e1916"), None, false),
        (Some("Dell Inc."), None, None, false),
        (None, None, None, false),
    ] {
        let read = |path: &str| match path {
            "/sys/class/dmi/id/sys_vendor" => vendor.map(str::to_owned),
            "/sys/class/dmi/id/product_uuid" => uuid.map(str::to_owned),
            "/sys/hypervisor/uuid" => hypervisor.map(str::to_owned),
            _ => None,
        };
        assert_eq!(looks_like_ec2(read), ec2, "{vendor:?} {uuid:?} {hypervisor:?}");
    }
}

fn sources(server: Option<&Server>, on_ec2: bool, given: Given) -> Sources {
    Sources { given, imds: server.map(|server| server.imds.clone()), on_ec2, fallback: fallback() }
}

#[tokio::test]
async fn off_ec2_a_host_goes_by_its_name_at_once() {
    let server = Server::start(Manner::Old(404)).await;
    let identity = sources(Some(&server), false, Given::default()).identity().await.unwrap();
    assert_eq!(identity.owner.as_str(), "web1.example");
    assert_eq!(server.asked().len(), 1);
    let switched_off = sources(None, true, Given::default()).identity().await.unwrap();
    assert_eq!(switched_off, identity);
}

#[tokio::test]
async fn on_ec2_it_waits_rather_than_go_by_another_name() {
    let server = Server::start(Manner::Off).await;
    let sources = sources(Some(&server), true, Given::default());
    let asked = tokio::spawn(async move { sources.identity().await });
    for manner in [Manner::Off, Manner::Hangup, Manner::Garbage] {
        let before = server.asked().len();
        server.becomes(manner);
        while server.asked().len() < before + 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!asked.is_finished());
    }
    server.becomes(Manner::Good);
    let identity = asked.await.unwrap().unwrap();
    assert_eq!((identity.owner.as_str(), identity.launched.is_some()), ("i-0123456789abcdef0", true));
}

#[tokio::test]
async fn on_ec2_it_does_not_wait_where_all_is_given() {
    let server = Server::start(Manner::Off).await;
    let given = given(Some("web2"), Some("10.0.0.9"));
    let identity = sources(Some(&server), true, given).identity().await.unwrap();
    assert_eq!((identity.owner.as_str(), identity.launched), ("web2", None));
}
