//! Route 53's XML and addresses, read and written here anew: a mistake in the agent's own hands would not
//! be made twice.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use ecssd::record::{Action, Change, RecordSet, Routing};
use ecssd::zone::refusal::Refusal;
use ecssd::zone::{ChangeInfo, ChangeStatus, ListStart, Page, ZoneError};

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Change(Vec<Change>),
    List { start: Option<ListStart>, items: usize },
    Status(String),
}

/// Reads a request to the zone `id`.
pub fn read(method: &str, target: &str, body: &str, id: &str) -> Asked {
    let target = target.strip_prefix("https://route53.amazonaws.com/2013-04-01/").expect("the vendor's host");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if let Some(change) = path.strip_prefix("change/") {
        return Asked::Status(format!("/change/{change}"));
    }
    assert_eq!(path.trim_end_matches('/'), format!("hostedzone/{id}/rrset"), "another zone");
    match method {
        "POST" => Asked::Change(read_batch(body)),
        "GET" => read_list(query),
        other => panic!("{other} {target}"),
    }
}

fn read_list(query: &str) -> Asked {
    let mut start = ListStart::default();
    let mut items = 300;
    for (name, value) in query.split('&').filter_map(|field| field.split_once('=')) {
        let value = percent_decoded(value);
        match name {
            "name" => start.name = Some(value),
            "type" => start.kind = Some(value.into()),
            "identifier" => start.set_identifier = Some(value),
            "maxitems" => items = value.parse().unwrap(),
            other => panic!("{other} is not asked for"),
        }
    }
    Asked::List { start: (start != ListStart::default()).then_some(start), items }
}

fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let octet = u8::from_str_radix(&part[..2], 16).unwrap();
        assert!(octet.is_ascii(), "nothing here is outside ASCII");
        text + &char::from(octet).to_string() + &part[2..]
    })
}

/// The changes of a request's body.
pub fn read_batch(body: &str) -> Vec<Change> {
    let mut document = Document::new(body);
    let mut root = document.root_element().unwrap();
    assert_eq!(root.start_el().local(), "ChangeResourceRecordSetsRequest");
    let mut batch = root.next_tag().unwrap();
    let mut changes = Vec::new();
    while let Some(mut list) = batch.next_tag() {
        while let Some(mut change) = list.next_tag() {
            changes.push(read_change(&mut change));
        }
    }
    changes
}

fn read_change(tag: &mut ScopedDecoder<'_, '_>) -> Change {
    let (mut action, mut set) = (None, None);
    while let Some(mut field) = tag.next_tag() {
        match field.start_el().local() {
            "Action" => {
                action = Some(match &*try_data(&mut field).unwrap() {
                    "CREATE" => Action::Create,
                    "DELETE" => Action::Delete,
                    "UPSERT" => Action::Upsert,
                    other => panic!("{other} is no action"),
                });
            }
            _ => set = Some(read_set(&mut field)),
        }
    }
    Change { action: action.unwrap(), set: set.unwrap() }
}

pub fn read_set(tag: &mut ScopedDecoder<'_, '_>) -> RecordSet {
    let (mut name, mut kind, mut ttl) = (None, None, None);
    let (mut set_identifier, mut weight, mut multivalue, mut values) = (None, None, false, Vec::new());
    while let Some(mut field) = tag.next_tag() {
        if field.start_el().local() == "ResourceRecords" {
            while let Some(mut record) = field.next_tag() {
                values.push(try_data(&mut record.next_tag().unwrap()).unwrap().into_owned());
            }
            continue;
        }
        let member = field.start_el().local().to_owned();
        let text = try_data(&mut field).unwrap().into_owned();
        match &*member {
            "Name" => name = Some(text.trim_end_matches('.').to_owned()),
            "Type" => kind = Some(text.parse().unwrap()),
            "SetIdentifier" => set_identifier = Some(text),
            "Weight" => weight = Some(text.parse().unwrap()),
            "MultiValueAnswer" => multivalue = text == "true",
            "TTL" => ttl = Some(text.parse().unwrap()),
            other => panic!("{other} is not written"),
        }
    }
    let (name, kind, ttl) = (name.unwrap(), kind.unwrap(), ttl.unwrap());
    let routing = Routing::of_members(weight, multivalue).unwrap();
    RecordSet { name, kind, set_identifier, routing, ttl, values }
}

/// An answer: a status and XML.
pub type Reply = (u16, String);

/// An accepted change, or how far one has got.
pub fn accepted(response: &str, info: &ChangeInfo) -> Reply {
    let status = if info.status == ChangeStatus::InSync { "INSYNC" } else { "PENDING" };
    let xml = format!(
        "<{response}><ChangeInfo><Id>{}</Id><Status>{status}</Status>\
         <SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></{response}>",
        info.id
    );
    (200, xml)
}

/// A page.
pub fn page(page: &Page, items: usize) -> Reply {
    let sets: String = page.sets.iter().map(set).collect();
    let next = page.next.as_ref().map(|next| {
        let kind = next.kind.as_ref().map_or("", |kind| kind.as_str());
        tag("NextRecordName", next.name.as_deref())
            + &tag("NextRecordType", Some(kind))
            + &tag("NextRecordIdentifier", next.set_identifier.as_deref())
    });
    let xml = format!(
        "<ListResourceRecordSetsResponse><ResourceRecordSets>{sets}</ResourceRecordSets>\
         <IsTruncated>{}</IsTruncated>{}<MaxItems>{items}</MaxItems></ListResourceRecordSetsResponse>",
        next.is_some(),
        next.unwrap_or_default()
    );
    (200, xml)
}

/// A record set, with its name as a list spells it: with the final dot.
pub fn set(set: &RecordSet) -> String {
    let values: String = set.values.iter().map(|value| record(value)).collect();
    let weight = set.weight().map(|weight| weight.to_string());
    format!(
        "<ResourceRecordSet>{}<Type>{}</Type>{}{}{}<TTL>{}</TTL><ResourceRecords>{values}</ResourceRecords>\
         </ResourceRecordSet>",
        tag("Name", Some(&format!("{}.", set.name.trim_end_matches('.')))),
        set.kind,
        tag("SetIdentifier", set.set_identifier.as_deref()),
        tag("Weight", weight.as_deref()),
        tag("MultiValueAnswer", (set.routing == Routing::Multivalue).then_some("true")),
        set.ttl
    )
}

fn record(value: &str) -> String {
    format!("<ResourceRecord>{}</ResourceRecord>", tag("Value", Some(value)))
}

fn tag(name: &str, text: Option<&str>) -> String {
    text.map(|text| format!("<{name}>{}</{name}>", escaped(text))).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An error in the form that most have.
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    let xml = format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error>\
         <RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>",
        escaped(message)
    );
    (status, xml)
}

/// How a refused batch is told: there are two forms of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As all errors, the reasons in one text.
    Common,
    /// With a root of its own, each reason by itself.
    Own,
}

/// A refused batch.
pub fn refused(refusals: &[Refusal], form: Form) -> Reply {
    let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    match form {
        Form::Common => error(400, "InvalidChangeBatch", &format!("[{}]", reasons.join(", "))),
        Form::Own => {
            let messages: String = reasons.iter().map(|reason| tag("Message", Some(reason))).collect();
            let xml = format!(
                "<?xml version=\"1.0\"?><InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/\
                 2013-04-01/\"><Messages>{messages}</Messages><RequestId>b25f48e8</RequestId>\
                 </InvalidChangeBatch>"
            );
            (400, xml)
        }
    }
}

/// What the embedded zone says, as the service would.
pub fn zone_error(zone_error: &ZoneError, form: Form) -> Reply {
    match zone_error {
        ZoneError::Rejected(refusals) => refused(refusals, form),
        ZoneError::Invalid(message) => error(400, "InvalidInput", message),
        ZoneError::NoSuchChange(id) => error(404, "NoSuchChange", id),
        other => panic!("the zone is not told to say {other}"),
    }
}
