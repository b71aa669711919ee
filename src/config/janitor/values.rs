//! Each setting's text, and what is wrong with it.

use std::time::Duration;

use crate::config::BadValue;
use crate::config::values::form;
use crate::container::convention::duration;
use crate::janitor::evidence::Network;

/// The most characters of a path.
const PATH_CHARACTERS_MAX: usize = 1_024;

/// Source: ECS API reference, CreateCluster: up to 255 letters, digits, underscores and hyphens.
pub(super) fn cluster(text: &str) -> Result<(), BadValue> {
    let name = match text.strip_prefix("arn:") {
        Some(rest) => rest.split_once(":cluster/").map_or("", |(_, name)| name),
        None => text,
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let fits = (1..=255).contains(&name.len()) && name.bytes().all(good);
    if fits { Ok(()) } else { Err(form(text, "a cluster's name or ARN")) }
}

pub(super) fn region(text: &str) -> Result<(), BadValue> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = text.split('-').count() >= 3 && text.bytes().all(good) && !text.starts_with('-');
    if fits { Ok(()) } else { Err(form(text, "a region such as eu-central-1")) }
}

pub(super) fn role(text: &str) -> Result<(), BadValue> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields[..] {
        ["arn", _, "iam", "", account, role]
            if account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty()) =>
        {
            Ok(())
        }
        _ => Err(form(text, "a role's ARN such as arn:aws:iam::111122223333:role/janitor")),
    }
}

pub(super) fn network(text: &str) -> Result<Network, BadValue> {
    text.parse().map_err(|_| form(text, "an IPv4 network such as 10.0.0.0/16"))
}

/// The longest is a new zone's own.
pub(super) fn soa_minimum(text: &str) -> Result<u32, BadValue> {
    let expected = "whole seconds such as 5s, from 1s to 900s";
    let limits = (Duration::from_secs(1), Duration::from_secs(900));
    let read = duration(text, limits.0, limits.1).ok().filter(|span| span.subsec_nanos() == 0);
    read.and_then(|span| u32::try_from(span.as_secs()).ok()).ok_or_else(|| form(text, expected))
}

pub(super) fn path(text: &str) -> Result<(), BadValue> {
    let fits = text.starts_with('/')
        && text.len() <= PATH_CHARACTERS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if fits { Ok(()) } else { Err(form(text, "a path such as /health")) }
}
