//! EC2's answers, whole, broken off and odd.

use super::*;

const INSTANCES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>r</requestId>
  <reservationSet>
    <item>
      <reservationId>r-1</reservationId>
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
    let (first, last) = (id("i-0123456789abcdef0"), id("i-0123456789abcdef1"));
    assert_eq!(
        page.items,
        [
            Instance { id: first, state: InstanceState::Running, vpc: Some("vpc-1".to_owned()) },
            Instance { id: last, state: InstanceState::Terminated, vpc: None }
        ]
    );
    assert_eq!(page.next.as_deref(), Some("more"));
}

#[test]
fn reads_what_interfaces_hold_and_who_holds_them() {
    let text = "<DescribeNetworkInterfacesResponse><networkInterfaceSet>\
                <item><privateIpAddress>10.0.3.9</privateIpAddress></item>\
                <item><privateIpAddress>10.0.3.4</privateIpAddress><attachment><instanceId>\
                i-0123456789abcdef0</instanceId></attachment><privateIpAddressesSet>\
                <item><privateIpAddress>10.0.3.4</privateIpAddress></item>\
                <item><privateIpAddress>10.0.3.5</privateIpAddress></item></privateIpAddressesSet></item>\
                </networkInterfaceSet></DescribeNetworkInterfacesResponse>";
    let page = interfaces(text).unwrap();
    let both = vec![[10, 0, 3, 4].into(), [10, 0, 3, 5].into()];
    assert_eq!(
        (page.items, page.next),
        (
            vec![
                Interface { addresses: vec![[10, 0, 3, 9].into()], instance: None },
                Interface { addresses: both, instance: Some(id("i-0123456789abcdef0")) }
            ],
            None
        )
    );
    assert!(interfaces(&text.replace("10.0.3.5", "10.0.3")).is_err());
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
