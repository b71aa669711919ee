//! Bytes become an environment and labels; whatever they say, what comes out is valid and bounded.
//!
//! A line is a variable, `KEY=value`; a line that begins with `#` is a label. Lines end with a NUL, so that
//! values can hold anything else.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use ecssd::container::convention::{
    BAD_KEYS_MAX, BadKey, Check, Convention, HttpCheck, INTERVAL_MAX, INTERVAL_MIN, SERVICES_MAX, Scope,
    ServiceName, TIMEOUT_MIN, TTL_SECONDS_MAX, parse,
};
use libfuzzer_sys::fuzz_target;

const ZONE: &str = "servicediscovery.internal";

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (labels, env): (Vec<&str>, Vec<&str>) = text.split('\0').partition(|line| line.starts_with('#'));
    let labels: Vec<(&str, &str)> = labels.iter().filter_map(|line| line[1..].split_once('=')).collect();
    let scope = Scope::new(ZONE, "i-0123456789abcdef0");

    let convention = parse(env.iter().copied(), labels.iter().copied(), &scope);
    check_invariants(&convention, &scope);
    // Order counts between two of one key alone, and there the last counts.
    let env = last_of_each(&env, |entry| entry.split('=').next().unwrap_or_default().to_owned());
    let labels = last_of_each(&labels, |(key, _)| key.to_ascii_uppercase());
    let reversed = parse(env.iter().copied().rev(), labels.iter().copied().rev(), &scope);
    assert_eq!(convention, reversed, "the order of different keys mattered");
    // A label that the environment has too does not count.
    let variables: BTreeSet<&str> = env.iter().filter_map(|entry| Some(entry.split_once('=')?.0)).collect();
    let labels = labels.into_iter().filter(|(key, _)| !variables.contains(&*key.to_ascii_uppercase()));
    assert_eq!(convention, parse(env.iter().copied(), labels, &scope), "a label beat the environment");
});

fn last_of_each<T: Copy>(entries: &[T], key: impl Fn(&T) -> String) -> Vec<T> {
    let last: BTreeMap<String, T> = entries.iter().map(|entry| (key(entry), *entry)).collect();
    last.into_values().collect()
}

fn check_invariants(convention: &Convention, scope: &Scope) {
    assert!(convention.services.len() <= SERVICES_MAX);
    assert!(convention.services.windows(2).all(|pair| pair[0] < pair[1]), "not sorted, or twice");
    assert!(convention.bad_keys.len() <= BAD_KEYS_MAX + 1);
    convention.bad_keys.iter().for_each(check_bad_key);
    // Long ones are cut, and what is left of two may be the same.
    let told = convention.bad_keys.iter().take(BAD_KEYS_MAX).map(|bad| &bad.key);
    let whole: Vec<&String> = told.filter(|key| !key.ends_with("...")).collect();
    assert!(convention.bad_keys.windows(2).all(|pair| pair[0] != pair[1]), "the same was told twice");
    // A variable and a label may be written alike.
    assert!(
        whole.windows(3).all(|three| three[0] < three[2]),
        "a key was told of more often than there are such"
    );
    if convention.ignored {
        let wish = |bad: &BadKey| {
            bad.key.to_ascii_uppercase().ends_with("IGNORE")
                || bad.key.ends_with("...")
                || bad.key == "SERVICE_*"
        };
        assert!(convention.services.is_empty() && convention.bad_keys.iter().all(wish));
    }
    for service in &convention.services {
        check_name(service.name.as_str());
        let again = ServiceName::parse(service.name.as_str(), scope).expect("a made name is a valid one");
        assert_eq!(again, (service.name.clone(), service.protocol));
        assert!(service.container_port > 0 && service.ttl <= TTL_SECONDS_MAX);
        let timing = service.timing;
        assert!((INTERVAL_MIN..=INTERVAL_MAX).contains(&timing.interval));
        assert!((TIMEOUT_MIN..=timing.interval).contains(&timing.timeout));
        if let Check::Http(http) = &service.check {
            let HttpCheck { path, host, statuses, .. } = &**http;
            assert!(path.starts_with('/') && path.len() <= 1_024);
            assert!(path.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'#'));
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
            assert!(host.iter().all(|host| !host.is_empty() && host.len() <= 259 && host.bytes().all(fits)));
            assert!((200..=599).any(|status| statuses.contain(status)));
            assert!(!(0..200).chain(600..=999).any(|status| statuses.contain(status)));
        }
    }
}

/// A second opinion of the grammar, which shares no code with the parser.
fn check_name(name: &str) {
    let relative = name.strip_suffix(ZONE).and_then(|name| name.strip_suffix('.')).expect("inside the zone");
    assert!(name.len() <= 253 && !relative.is_empty());
    for label in relative.split('.') {
        assert!((1..=63).contains(&label.len()), "{name}");
        assert!(
            label.bytes().all(|byte| b"abcdefghijklmnopqrstuvwxyz0123456789-_".contains(&byte)),
            "{name}"
        );
    }
    assert_ne!(relative, "i-0123456789abcdef0");
}

fn check_bad_key(bad: &BadKey) {
    let line = bad.to_string();
    assert!(line.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line:?}");
    // Twice 64 characters at ten octets each, escaped, and the words around them.
    assert!(line.len() < 1_600, "{line}");
}
