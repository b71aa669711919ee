//! EC2's XML, read. Pure.
//!
//! What an answer must have and lacks makes it no answer: half of a page is worse than none.
//! Sources: EC2 API reference, DescribeInstances and DescribeNetworkInterfaces.

use std::net::Ipv4Addr;

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};

use crate::janitor::evidence::InstanceState;
use crate::record::Owner;

/// The most of a text that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 300;

/// A page, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The token of the next, unless this is the last.
    pub next: Option<String>,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: Owner,
    /// Its state.
    pub state: InstanceState,
    /// The id of its VPC; none any more once it is terminated.
    pub vpc: Option<String>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// All of its private addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// The instance that it is attached to.
    pub instance: Option<Owner>,
}

/// Reads a page of instances.
///
/// # Errors
/// Where it is something else.
pub fn instances(text: &str) -> Result<Page<Instance>, String> {
    page(text, "DescribeInstancesResponse", "reservationSet", |reservation, items| {
        while let Some(mut field) = reservation.next_tag() {
            if field.start_el().local() == "instancesSet" {
                while let Some(mut item) = field.next_tag() {
                    items.push(instance(&mut item)?);
                }
            }
        }
        Ok(())
    })
}

/// Reads a page of interfaces.
///
/// # Errors
/// Where it is something else.
pub fn interfaces(text: &str) -> Result<Page<Interface>, String> {
    page(text, "DescribeNetworkInterfacesResponse", "networkInterfaceSet", |item, items| {
        items.push(interface(item)?);
        Ok(())
    })
}

/// What an answer of failure says.
pub fn error(text: &str) -> String {
    let read = || -> Option<String> {
        let mut document = Document::new(text);
        let mut root = document.root_element().ok()?;
        let (mut code, mut message) = (String::new(), String::new());
        while let Some(mut errors) = root.next_tag() {
            if errors.start_el().local() != "Errors" {
                continue;
            }
            while let Some(mut error) = errors.next_tag() {
                while let Some(mut field) = error.next_tag() {
                    match field.start_el().local() {
                        "Code" => code = try_data(&mut field).ok()?.trim().to_owned(),
                        "Message" => message = try_data(&mut field).ok()?.trim().to_owned(),
                        _ => {}
                    }
                }
            }
        }
        (!code.is_empty()).then(|| format!("{code}: {message}"))
    };
    let text = read().unwrap_or_else(|| text.trim().to_owned());
    text.lines().next().unwrap_or_default().chars().take(SHOWN_CHARS_MAX).collect()
}

type Fields<'inp, 'a> = ScopedDecoder<'inp, 'a>;

fn page<T>(
    text: &str,
    root_name: &str,
    list: &str,
    read: impl Fn(&mut Fields<'_, '_>, &mut Vec<T>) -> Result<(), String>,
) -> Result<Page<T>, String> {
    let mut document = Document::new(text);
    let mut root = document.root_element().map_err(|error| format!("no XML: {error}"))?;
    if root.start_el().local() != root_name {
        return Err(format!("an answer of {} and not of {root_name}", root.start_el().local()));
    }
    let (mut page, mut whole) = (Page { items: Vec::new(), next: None }, false);
    while let Some(mut field) = root.next_tag() {
        if field.start_el().local() == list {
            whole = true;
            while let Some(mut item) = field.next_tag() {
                read(&mut item, &mut page.items)?;
            }
        } else if field.start_el().local() == "nextToken" {
            page.next = Some(data(&mut field)?).filter(|token| !token.is_empty());
        }
    }
    drop(root);
    // What breaks off in the middle ends like a list that is over.
    let closed = text.trim_end().ends_with(&format!("{root_name}>"));
    if whole && closed { Ok(page) } else { Err(format!("{list} is not there, or not all of it")) }
}

fn instance(item: &mut Fields<'_, '_>) -> Result<Instance, String> {
    let (mut id, mut state, mut vpc) = (None, None, None);
    while let Some(mut field) = item.next_tag() {
        match field.start_el().local() {
            "instanceId" => id = Some(owner(&mut field)?),
            "instanceState" => {
                while let Some(mut field) = field.next_tag() {
                    if field.start_el().local() == "name" {
                        state = Some(self::state(&data(&mut field)?)?);
                    }
                }
            }
            "vpcId" => vpc = Some(data(&mut field)?),
            _ => {}
        }
    }
    let id = id.ok_or("an instance without an id")?;
    let state = state.ok_or_else(|| format!("{id} has no state"))?;
    Ok(Instance { id, state, vpc })
}

fn interface(item: &mut Fields<'_, '_>) -> Result<Interface, String> {
    let mut interface = Interface::default();
    while let Some(mut field) = item.next_tag() {
        match field.start_el().local() {
            "privateIpAddress" => interface.addresses.extend(address(&mut field)?),
            "privateIpAddressesSet" => {
                while let Some(mut item) = field.next_tag() {
                    while let Some(mut field) = item.next_tag() {
                        if field.start_el().local() == "privateIpAddress" {
                            interface.addresses.extend(address(&mut field)?);
                        }
                    }
                }
            }
            "attachment" => {
                while let Some(mut field) = field.next_tag() {
                    if field.start_el().local() == "instanceId" {
                        interface.instance = Some(owner(&mut field)?);
                    }
                }
            }
            _ => {}
        }
    }
    interface.addresses.sort_unstable();
    interface.addresses.dedup();
    Ok(interface)
}

fn owner(field: &mut Fields<'_, '_>) -> Result<Owner, String> {
    let id = data(field)?;
    Owner::new(&id).map_err(|_| format!("{id:?} is no instance id"))
}

fn state(name: &str) -> Result<InstanceState, String> {
    Ok(match name {
        "pending" => InstanceState::Pending,
        "running" => InstanceState::Running,
        "stopping" => InstanceState::Stopping,
        "stopped" => InstanceState::Stopped,
        "shutting-down" => InstanceState::ShuttingDown,
        "terminated" => InstanceState::Terminated,
        other => return Err(format!("{other:?} is no state of an instance")),
    })
}

fn data(field: &mut Fields<'_, '_>) -> Result<String, String> {
    try_data(field).map(|text| text.trim().to_owned()).map_err(|error| format!("no XML: {error}"))
}

fn address(field: &mut Fields<'_, '_>) -> Result<Option<Ipv4Addr>, String> {
    let text = data(field)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("{text:?} is no IPv4 address"))
}

#[cfg(test)]
mod tests {
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
}
