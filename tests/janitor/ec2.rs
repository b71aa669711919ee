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

/// The account that asks.
pub const ACCOUNT: &str = "111122223333";
/// The VPC that all instances are in.
pub const VPC: &str = "vpc-0123456789abcdef0";

/// An EC2 of our own, in pages.
#[derive(Clone, Default)]
pub struct Ec2 {
    pub instances: Arc<Mutex<Vec<Instance>>>,
    /// VPCs: an id, the account that owns it, its addresses.
    pub vpcs: Arc<Mutex<Vec<(String, String, String)>>>,
    /// Instances that an interface is attached to, whether they are shown or not.
    pub attached: Arc<Mutex<Vec<String>>>,
    /// Calls that are denied.
    pub denied: Arc<Mutex<Vec<&'static str>>>,
    /// All that was asked.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Ec2 {
    pub fn start(&self, delay: std::time::Duration) -> String {
        let service = self.clone();
        serve(move |request| {
            std::thread::sleep(delay);
            service.answer(request)
        })
    }

    /// How often this was asked.
    pub fn count(&self, call: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == call).count()
    }

    pub fn answer(&self, request: &Request) -> Answer {
        let fields: Vec<(&str, &str)> =
            request.body.split('&').filter_map(|field| field.split_once('=')).collect();
        let field = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let call = field("Action").unwrap();
        self.asked.lock().unwrap().push(call.to_owned());
        if self.denied.lock().unwrap().contains(&call) {
            let error = "<Code>UnauthorizedOperation</Code><Message>You are not authorized.</Message>";
            return (
                403,
                "text/xml",
                format!("<Response><Errors><Error>{error}</Error></Errors></Response>"),
            );
        }
        let wanted: Vec<&str> = (fields.iter())
            .filter(|(name, _)| name.starts_with("Filter.1.Value."))
            .map(|(_, value)| *value)
            .collect();
        let is_wanted = |id: &str| wanted.is_empty() || wanted.contains(&id);
        let (list, filter, items): (_, _, Vec<String>) = match call {
            "DescribeInstances" => {
                let instances = self.instances.lock().unwrap();
                let found = instances.iter().filter(|instance| is_wanted(&instance.0));
                ("reservationSet", "instance-id", found.map(item).collect())
            }
            "DescribeVpcs" => {
                let vpcs = self.vpcs.lock().unwrap();
                ("vpcSet", "vpc-id", vpcs.iter().filter(|vpc| is_wanted(&vpc.0)).map(vpc).collect())
            }
            "DescribeNetworkInterfaces" => {
                let attached = self.attached.lock().unwrap();
                let found = attached.iter().filter(|id| is_wanted(id));
                ("networkInterfaceSet", "attachment.instance-id", found.map(|id| interface(id)).collect())
            }
            other => panic!("{other} is not asked for"),
        };
        assert!(field("Filter.1.Name").is_none_or(|name| name == filter), "{}", request.body);
        let from: usize = field("NextToken").map_or(0, |token| token.parse().unwrap());
        let most: usize = field("MaxResults").unwrap().parse().unwrap();
        let to = items.len().min(from + most);
        let next = if to < items.len() { format!("<nextToken>{to}</nextToken>") } else { String::new() };
        let body = format!(
            "<{call}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
             <{list}>{}</{list}>{next}</{call}Response>",
            items[from..to].concat()
        );
        (200, "text/xml", body)
    }
}

fn vpc((id, owner, block): &(String, String, String)) -> String {
    format!(
        "<item><vpcId>{id}</vpcId><ownerId>{owner}</ownerId><state>available</state><cidrBlock>{block}</cidrBlock>\
         <cidrBlockAssociationSet><item><cidrBlock>{block}</cidrBlock><associationId>vpc-cidr-assoc-1</associationId>\
         <cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>\
         <dhcpOptionsId>dopt-1</dhcpOptionsId><instanceTenancy>default</instanceTenancy>\
         <isDefault>false</isDefault></item>"
    )
}

fn interface(instance: &str) -> String {
    format!(
        "<item><networkInterfaceId>eni-1</networkInterfaceId><vpcId>{VPC}</vpcId><status>in-use</status>\
         <privateIpAddress>10.77.0.9</privateIpAddress><attachment><attachmentId>eni-attach-1</attachmentId>\
         <instanceId>{instance}</instanceId><instanceOwnerId>444455556666</instanceOwnerId>\
         <deviceIndex>0</deviceIndex><status>attached</status></attachment></item>"
    )
}

/// About as much as the vendor says of one.
fn item((id, state, address): &Instance) -> String {
    let more: String = (0..60)
        .map(|n| format!("<item><key>tag-{n}</key><value>{id} in subnet {n}</value></item>"))
        .collect();
    format!(
        "<item><reservationId>r-1</reservationId><ownerId>{ACCOUNT}</ownerId><instancesSet><item>\
         <instanceId>{id}</instanceId><instanceState><code>0</code><name>{state}</name></instanceState>\
         <vpcId>{VPC}</vpcId>\
         <privateIpAddress>{address}</privateIpAddress><tagSet>{more}</tagSet></item></instancesSet></item>"
    )
}
