//! Bytes are the event of a Lambda, of the janitor and of the zone's setup. Whatever it says, it is settings or is
//! refused with words, and an answer to CloudFormation fits where it goes.
#![no_main]

use clap::Parser;
use ecssd::cli::Cli;
use ecssd::config::janitor::JanitorConfig;
use ecssd::zone_setup::event::{Caller, Properties};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The most octets of a response. Source: CloudFormation user guide, "Custom resource response objects".
const RESPONSE_OCTETS_MAX: usize = 4_096;

fuzz_target!(|data: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Value>(data) else { return };
    let cli = Cli::try_parse_from(["ecssd", "--janitor", "sd.internal"]).expect("a command line");
    if let Err(bad) = JanitorConfig::of_lambda(&cli, |_| None, event.clone()) {
        assert!(!bad.is_empty() && bad.iter().all(|bad| !bad.to_string().is_empty()));
    }
    let properties = Properties::read(&event);
    let Ok(caller) = Caller::read(&event) else { return };
    let outcome = properties.as_ref().map(|_| ()).map_err(String::as_str);
    let answer = caller.answer(properties.as_ref().ok(), outcome).to_string();
    // What the caller says of itself comes back, and is as long as it is.
    assert!(answer.len() <= RESPONSE_OCTETS_MAX + 6 * data.len(), "{} octets", answer.len());
});
