//! EC2's answers, whole, broken off and odd.

use super::*;

const INSTANCES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>r</requestId>
  <reservationSet>
    <item>
      <reservationId>r-1</reservationId>
      <ownerId>111122223333</ownerId>
      <groupSet/>
      <instancesSet>
        <item>
          <instanceId>i-0123456789abcdef0</instanceId>
          <instanceState><code>16</code><name>running</name></instanceState>
          <privateIpAddress>10.0.0.7</privateIpAddress>
          <subnetId>subnet-1</subnetId>
          <vpcId>vpc-1</vpcId>
          <networkInterfaceSet><item><vpcId>vpc-2</vpcId></item></networkInterfaceSet>
        </item>
        <item>
          <instanceId>i-0123456789abcdef1</instanceId>
          <instanceState><code>48</code><name>terminated</name></instanceState>
          <stateReason><code>Client.UserInitiatedShutdown</code></stateReason>
          <networkInterfaceSet/>
        </item>
      </instancesSet>
    </item>
  </reservationSet>
  <nextToken>more</nextToken>
</DescribeInstancesResponse>"#;

fn id(text: &str) -> Owner {
    Owner::new(text).unwrap()
}

#[test]
fn reads_states_and_where_an_instance_is() {
    let page = instances(INSTANCES).unwrap();
    let account = || Some("111122223333".to_owned());
    let (first, last) = (id("i-0123456789abcdef0"), id("i-0123456789abcdef1"));
    assert_eq!(
        page.items,
        [
            Instance {
                id: first,
                state: InstanceState::Running,
                vpc: Some("vpc-1".to_owned()),
                account: account()
            },
            Instance { id: last, state: InstanceState::Terminated, vpc: None, account: account() }
        ]
    );
    assert_eq!(page.next.as_deref(), Some("more"));
}

#[test]
fn reads_whose_a_vpc_is_and_the_addresses_that_are_its_own_by_now() {
    let block = |block: &str, state: &str| {
        format!(
            "<item><cidrBlock>{block}</cidrBlock><associationId>vpc-cidr-assoc-1</associationId>\
             <cidrBlockState><state>{state}</state></cidrBlockState></item>"
        )
    };
    let text = format!(
        "<DescribeVpcsResponse><requestId>r</requestId><vpcSet><item><vpcId>vpc-1</vpcId>\
         <ownerId>111122223333</ownerId><state>available</state><cidrBlock>10.0.0.0/16</cidrBlock>\
         <cidrBlockAssociationSet>{}{}{}</cidrBlockAssociationSet><isDefault>false</isDefault></item></vpcSet>\
         </DescribeVpcsResponse>",
        block("10.0.0.0/16", "associated"),
        block("100.64.0.0/20", "associated"),
        block("10.7.0.0/16", "disassociating")
    );
    let network = |address: [u8; 4], prefix| Network { address: address.into(), prefix };
    let networks = vec![network([10, 0, 0, 0], 16), network([100, 64, 0, 0], 20)];
    let expected = Vpc { id: "vpc-1".to_owned(), owner: "111122223333".to_owned(), networks };
    assert_eq!(vpcs(&text), Ok(Page { items: vec![expected], next: None }));
    for (part, broken) in
        [("<ownerId>111122223333</ownerId>", ""), ("10.0.0.0/16", "10.0.0.0/33"), ("/16", "")]
    {
        assert!(vpcs(&text.replace(part, broken)).is_err(), "{part}");
    }
}

#[test]
fn reads_which_instance_an_interface_is_attached_to() {
    let text = "<DescribeNetworkInterfacesResponse><networkInterfaceSet>\
                <item><privateIpAddress>10.0.3.9</privateIpAddress></item>\
                <item><privateIpAddress>10.0.3.4</privateIpAddress><attachment><instanceId>\
                i-0123456789abcdef0</instanceId></attachment><privateIpAddressesSet>\
                <item><privateIpAddress>10.0.3.4</privateIpAddress></item></privateIpAddressesSet></item>\
                </networkInterfaceSet></DescribeNetworkInterfacesResponse>";
    let items = vec![None, Some(id("i-0123456789abcdef0"))];
    assert_eq!(attached(text), Ok(Page { items, next: None }));
}

#[test]
fn half_an_answer_is_none() {
    for end in 0..INSTANCES.len() - 1 {
        assert!(instances(&INSTANCES[..end]).is_err(), "the first {end} octets");
    }
    for other in ["<a/>", "<DescribeInstancesResponse></DescribeInstancesResponse>", "no", "{}"] {
        assert!(instances(other).is_err(), "{other}");
    }
    assert!(instances(&INSTANCES.replace("terminated", "asleep")).is_err());
}

#[test]
fn says_why_it_failed() {
    let text = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit \
                exceeded.</Message></Error></Errors><RequestID>r</RequestID></Response>";
    assert_eq!(error(text), "RequestLimitExceeded: Request limit exceeded.");
    assert_eq!(error("<html>\nx"), "<html>");
}
