//! EC2's XML, read. Pure.
//!
//! What an answer must have and lacks makes it no answer: half of a page is worse than none.
//! Sources: EC2 API reference, DescribeInstances, DescribeVpcs and DescribeNetworkInterfaces.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};

use crate::janitor::evidence::{InstanceState, Network};
use crate::printable::printable;
use crate::record::Owner;

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
    /// The account that it is shown to, which is the one that asked.
    pub account: Option<String>,
}

/// A VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// The account that owns it.
    pub owner: String,
    /// Its addresses.
    pub networks: Vec<Network>,
}

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It cannot be read at all.
    #[error("no XML: {0}")]
    Xml(String),
    /// It answers another call.
    #[error("an answer of {found} and not of {expected}")]
    Other {
        /// Its root.
        found: String,
        /// That of such an answer.
        expected: &'static str,
    },
    /// Its list breaks off, or is missing.
    #[error("{0} is not there, or not all of it")]
    Partial(&'static str),
    /// An instance is nobody.
    #[error("an instance without an id")]
    NoId,
    /// An instance is in no state.
    #[error("{0} has no state")]
    NoState(Owner),
    /// An id is none.
    #[error("{0:?} is no instance id")]
    Id(String),
    /// A state is none that there is.
    #[error("{0:?} is no state of an instance")]
    State(String),
    /// A block of addresses is none.
    #[error("{0:?} is no IPv4 network")]
    Network(String),
}

/// Reads a page of instances.
///
/// # Errors
/// Where it is something else.
pub fn instances(text: &str) -> Result<Page<Instance>, AnswerError> {
    page(text, "DescribeInstancesResponse", "reservationSet", |reservation, items| {
        let (first, mut account) = (items.len(), None);
        while let Some(mut field) = reservation.next_tag() {
            match field.start_el().local() {
                "ownerId" => account = Some(data(&mut field)?),
                "instancesSet" => {
                    while let Some(mut item) = field.next_tag() {
                        items.push(instance(&mut item)?);
                    }
                }
                _ => {}
            }
        }
        items.iter_mut().skip(first).for_each(|instance| instance.account.clone_from(&account));
        Ok(())
    })
}

/// Reads a page of VPCs.
///
/// # Errors
/// Where it is something else.
pub fn vpcs(text: &str) -> Result<Page<Vpc>, AnswerError> {
    page(text, "DescribeVpcsResponse", "vpcSet", |item, items| {
        items.push(vpc(item)?);
        Ok(())
    })
}

/// Reads a page of interfaces: the instance that each is attached to.
///
/// # Errors
/// Where it is something else.
pub fn attached(text: &str) -> Result<Page<Option<Owner>>, AnswerError> {
    page(text, "DescribeNetworkInterfacesResponse", "networkInterfaceSet", |item, items| {
        items.push(instance_of(item)?);
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
    printable(text.lines().next().unwrap_or_default())
}

type Fields<'inp, 'a> = ScopedDecoder<'inp, 'a>;

fn page<T>(
    text: &str,
    root_name: &'static str,
    list: &'static str,
    read: impl Fn(&mut Fields<'_, '_>, &mut Vec<T>) -> Result<(), AnswerError>,
) -> Result<Page<T>, AnswerError> {
    let mut document = Document::new(text);
    let mut root = document.root_element().map_err(|error| AnswerError::Xml(error.to_string()))?;
    if root.start_el().local() != root_name {
        let found = root.start_el().local().to_owned();
        return Err(AnswerError::Other { found, expected: root_name });
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
    if whole && closed { Ok(page) } else { Err(AnswerError::Partial(list)) }
}

fn instance(item: &mut Fields<'_, '_>) -> Result<Instance, AnswerError> {
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
    let id = id.ok_or(AnswerError::NoId)?;
    let state = state.ok_or_else(|| AnswerError::NoState(id.clone()))?;
    Ok(Instance { id, state, vpc, account: None })
}

fn vpc(item: &mut Fields<'_, '_>) -> Result<Vpc, AnswerError> {
    let (mut id, mut owner, mut networks) = (None, None, Vec::new());
    while let Some(mut field) = item.next_tag() {
        match field.start_el().local() {
            "vpcId" => id = Some(data(&mut field)?),
            "ownerId" => owner = Some(data(&mut field)?),
            "cidrBlock" => networks.push(network(&mut field)?),
            "cidrBlockAssociationSet" => {
                while let Some(mut item) = field.next_tag() {
                    networks.extend(associated(&mut item)?);
                }
            }
            _ => {}
        }
    }
    let (Some(id), Some(owner)) = (id, owner) else {
        return Err(AnswerError::Partial("a VPC's id or owner"));
    };
    networks.sort_unstable();
    networks.dedup();
    Ok(Vpc { id, owner, networks })
}

/// A block of addresses, unless it is not yet, or no longer, the VPC's.
fn associated(item: &mut Fields<'_, '_>) -> Result<Option<Network>, AnswerError> {
    let (mut block, mut is_associated) = (None, false);
    while let Some(mut field) = item.next_tag() {
        match field.start_el().local() {
            "cidrBlock" => block = Some(network(&mut field)?),
            "cidrBlockState" => {
                while let Some(mut field) = field.next_tag() {
                    is_associated |= field.start_el().local() == "state" && data(&mut field)? == "associated";
                }
            }
            _ => {}
        }
    }
    Ok(block.filter(|_| is_associated))
}

fn instance_of(item: &mut Fields<'_, '_>) -> Result<Option<Owner>, AnswerError> {
    let mut instance = None;
    while let Some(mut field) = item.next_tag() {
        if field.start_el().local() == "attachment" {
            while let Some(mut field) = field.next_tag() {
                if field.start_el().local() == "instanceId" {
                    instance = Some(owner(&mut field)?);
                }
            }
        }
    }
    Ok(instance)
}

fn owner(field: &mut Fields<'_, '_>) -> Result<Owner, AnswerError> {
    let id = data(field)?;
    Owner::new(&id).map_err(|_| AnswerError::Id(id))
}

fn state(name: &str) -> Result<InstanceState, AnswerError> {
    Ok(match name {
        "pending" => InstanceState::Pending,
        "running" => InstanceState::Running,
        "stopping" => InstanceState::Stopping,
        "stopped" => InstanceState::Stopped,
        "shutting-down" => InstanceState::ShuttingDown,
        "terminated" => InstanceState::Terminated,
        other => return Err(AnswerError::State(other.to_owned())),
    })
}

fn data(field: &mut Fields<'_, '_>) -> Result<String, AnswerError> {
    try_data(field).map(|text| text.trim().to_owned()).map_err(|error| AnswerError::Xml(error.to_string()))
}

fn network(field: &mut Fields<'_, '_>) -> Result<Network, AnswerError> {
    let text = data(field)?;
    text.parse().map_err(|_| AnswerError::Network(text))
}

#[cfg(test)]
mod tests;
