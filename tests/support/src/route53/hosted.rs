//! A hosted zone in the emulator, asked past the agent and its code: over plain HTTP, in the API's own XML.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_smithy_xml::decode::Document;
use ecssd::record::{Action, RecordSet};

use super::wire;
use crate::http;

const ENDPOINT: &str = "ECSSD_TEST_ROUTE53_ENDPOINT";
const API: &str = "/2013-04-01/hostedzone";
const XMLNS: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Where the emulator is.
pub fn emulator_url() -> String {
    let url = std::env::var(ENDPOINT).ok().filter(|url| !url.is_empty());
    url.unwrap_or_else(|| {
        panic!("{ENDPOINT} is not set: these tests need a Route 53 emulator, run them by tests/run")
    })
}

/// The same: address and port.
pub fn emulator() -> String {
    emulator_url().trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// This name, under one that no other run uses: the emulator may be anybody's.
pub fn own_name(label: &str) -> String {
    static RUN: OnceLock<u128> = OnceLock::new();
    let run = RUN.get_or_init(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos());
    format!("{label}.r{run}.internal")
}

/// A zone's name that nobody else uses.
pub fn unique_zone(label: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    own_name(&format!("{label}{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

#[derive(Clone, Debug)]
pub struct HostedZone {
    pub name: String,
    pub id: String,
    /// The VPC that sees it, where it is private.
    pub vpc: String,
}

impl HostedZone {
    /// One that is still to be made.
    pub fn absent(name: &str) -> Self {
        Self { name: name.to_owned(), id: String::new(), vpc: String::new() }
    }

    /// Makes a zone; private ones are seen by a VPC of their own.
    pub fn make(name: &str, private: bool) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Not of the eight digits that the emulator's own VPC has, in which its instances are.
        let vpc = format!("vpc-{number:017x}");
        let seen_by = format!("<VPC><VPCRegion>eu-central-1</VPCRegion><VPCId>{vpc}</VPCId></VPC>");
        let body = format!(
            "<CreateHostedZoneRequest xmlns=\"{XMLNS}\"><Name>{name}</Name>{}\
             <CallerReference>{name}-{number}</CallerReference></CreateHostedZoneRequest>",
            if private { seen_by.as_str() } else { "" }
        );
        let (status, answer) = http::ask(&emulator(), "POST", API, &body);
        assert_eq!(status, 201, "{answer}");
        let id = text(&answer, "Id").unwrap().trim_start_matches("/hostedzone/").to_owned();
        Self { name: name.to_owned(), id, vpc }
    }

    /// Deletes the zone, with all that is in it.
    pub fn remove(&self) {
        let sets = self.sets();
        if !sets.is_empty() {
            self.delete(&sets);
        }
        let (status, answer) = http::ask(&emulator(), "DELETE", &format!("{API}/{}", self.id), "");
        assert_eq!(status, 200, "{answer}");
    }

    /// The XML of every record set but the zone's own NS and SOA, in the zone's order.
    pub fn raw(&self) -> Vec<String> {
        let (mut sets, mut start) = (Vec::new(), String::new());
        loop {
            let target = format!("{API}/{}/rrset?maxitems=300{start}", self.id);
            let (status, page) = http::ask(&emulator(), "GET", &target, "");
            assert_eq!(status, 200, "{page}");
            sets.extend(blocks(&page, "ResourceRecordSet").map(str::to_owned));
            if text(&page, "IsTruncated").as_deref() != Some("true") {
                break;
            }
            let next = |tag, parameter| {
                text(&page, tag).map(|value| format!("&{parameter}={value}")).unwrap_or_default()
            };
            let after = next("NextRecordName", "name")
                + &next("NextRecordType", "type")
                + &next("NextRecordIdentifier", "identifier");
            assert_ne!(after, start, "the list goes round");
            start = after;
        }
        sets.retain(|set| !matches!(text(set, "Type").as_deref(), Some("NS" | "SOA")));
        sets
    }

    /// Every record set but the zone's own.
    pub fn sets(&self) -> Vec<RecordSet> {
        self.raw().iter().map(|xml| read_set(xml)).collect()
    }

    /// The record sets of one service or host of the zone.
    pub fn named(&self, label: &str) -> Vec<RecordSet> {
        let name = self.full(label);
        self.sets().into_iter().filter(|set| set.name == name).collect()
    }

    pub fn full(&self, label: &str) -> String {
        format!("{label}.{}", self.name)
    }

    /// Changes it, by hand or as somebody else; the answer where that is refused.
    pub fn change(&self, action: Action, sets: &[RecordSet]) -> Result<(), String> {
        let changes: String = sets
            .iter()
            .map(|set| format!("<Change><Action>{action}</Action>{}</Change>", wire::set(set)))
            .collect();
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"{XMLNS}\"><ChangeBatch><Changes>{changes}</Changes>\
             </ChangeBatch></ChangeResourceRecordSetsRequest>"
        );
        let target = format!("{API}/{}/rrset", self.id);
        let (status, answer) = http::ask(&emulator(), "POST", &target, &body);
        if status == 200 { Ok(()) } else { Err(answer) }
    }

    pub fn create(&self, sets: &[RecordSet]) {
        self.change(Action::Create, sets).unwrap();
    }

    pub fn delete(&self, sets: &[RecordSet]) {
        self.change(Action::Delete, sets).unwrap();
    }
}

/// A record set, from the insides of its XML.
pub fn read_set(xml: &str) -> RecordSet {
    let xml = format!("<ResourceRecordSet>{xml}</ResourceRecordSet>");
    wire::read_set(&mut Document::new(&xml).root_element().unwrap())
}

/// The insides of all `<tag>` elements, which do not nest here.
fn blocks<'a>(xml: &'a str, tag: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let pieces: Vec<&str> = xml.split(&open).skip(1).collect();
    pieces.into_iter().filter_map(move |piece| piece.split(&close).next())
}

fn text(xml: &str, tag: &str) -> Option<String> {
    blocks(xml, tag).next().map(str::to_owned)
}
