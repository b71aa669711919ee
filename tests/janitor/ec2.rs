//! Instances in the emulator, and instances of our own making where there have to be many of them.

use std::sync::{Arc, Mutex};

use ecssd_testing::http::Request;
use ecssd_testing::http::{Answer, serve};
use ecssd_testing::route53::hosted::emulator;

/// Starts an instance in the emulator: its id and its address.
pub fn run() -> (String, String) {
    let answer = query("Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1");
    let text = |tag: &str| {
        let (_, rest) = answer.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    (text("instanceId"), text("privateIpAddress"))
}

pub fn terminate(id: &str) {
    let answer = query(&format!("Action=TerminateInstances&Version=2016-11-15&InstanceId.1={id}"));
    assert!(answer.contains("<name>terminated</name>"), "{answer}");
}

/// The emulator tells its services apart by what a request is signed for.
fn query(body: &str) -> String {
    let scope = "Credential=test/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=x";
    let headers = vec![
        format!("Host: {}", emulator()),
        format!("Authorization: AWS4-HMAC-SHA256 {scope}"),
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        format!("Content-Length: {}", body.len()),
    ];
    let request = Request { line: "POST / HTTP/1.1".to_owned(), headers, body: body.to_owned() };
    let answer = String::from_utf8(request.pass_on(&emulator()).unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

/// An id, a state, and an address.
type Instance = (String, &'static str, String);

/// An EC2 of our own, in pages.
#[derive(Clone, Default)]
pub struct Ec2 {
    pub instances: Arc<Mutex<Vec<Instance>>>,
}

impl Ec2 {
    pub fn start(&self, delay: std::time::Duration) -> String {
        let service = self.clone();
        serve(move |request| {
            std::thread::sleep(delay);
            service.answer(request)
        })
    }

    pub fn answer(&self, request: &Request) -> Answer {
        let fields: Vec<(&str, &str)> =
            request.body.split('&').filter_map(|field| field.split_once('=')).collect();
        let field = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        assert_eq!(field("Action"), Some("DescribeInstances"));
        assert!(matches!(field("Filter.1.Name"), None | Some("instance-id")));
        let wanted: Vec<&str> = (fields.iter())
            .filter(|(name, _)| name.starts_with("Filter.1.Value."))
            .map(|(_, value)| *value)
            .collect();
        let instances = self.instances.lock().unwrap();
        let is_wanted = |instance: &&Instance| wanted.is_empty() || wanted.contains(&instance.0.as_str());
        let instances: Vec<&Instance> = instances.iter().filter(is_wanted).collect();
        let from: usize = field("NextToken").map_or(0, |token| token.parse().unwrap());
        let most: usize = field("MaxResults").unwrap().parse().unwrap();
        let to = instances.len().min(from + most);
        let items: String = instances[from..to].iter().map(|instance| item(instance)).collect();
        let next = if to < instances.len() { format!("<nextToken>{to}</nextToken>") } else { String::new() };
        let body = format!(
            "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
             <reservationSet>{items}</reservationSet>{next}</DescribeInstancesResponse>"
        );
        (200, "text/xml", body)
    }
}

/// About as much as the vendor says of one.
fn item((id, state, address): &Instance) -> String {
    let more: String = (0..60)
        .map(|n| format!("<item><key>tag-{n}</key><value>{id} in subnet {n}</value></item>"))
        .collect();
    format!(
        "<item><reservationId>r-1</reservationId><instancesSet><item><instanceId>{id}</instanceId>\
         <instanceState><code>0</code><name>{state}</name></instanceState>\
         <privateIpAddress>{address}</privateIpAddress><tagSet>{more}</tagSet></item></instancesSet></item>"
    )
}
