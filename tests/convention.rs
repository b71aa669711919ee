//! The `SERVICE_*` convention as its users write it: what is accepted, what is refused and with which words,
//! and that a refusal costs nothing but itself.

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::container::convention::{
    Answer, BAD_KEYS_MAX, Check, Convention, DATA_OCTETS_MAX, FullNames, HttpCheck, Protocol, SERVICES_MAX,
    Scope, Service, ServiceName, parse,
};
use proptest::prelude::*;

const ZONE: &str = "servicediscovery.internal";
const NEIGHBOUR: &str = "SERVICE_9999_NAME=_neighbour._tcp";

fn scope() -> Scope {
    Scope::new(ZONE, "i-0123456789abcdef0")
}

fn parse_env(env: &[&str]) -> Convention {
    parse(env.iter().copied(), [], &scope())
}

fn lines(convention: &Convention) -> Vec<String> {
    convention.bad_keys.iter().map(ToString::to_string).collect()
}

/// One line a service: `name port/protocol`, names relative to the zone.
fn shown(service: &Service) -> String {
    let name = service.name.as_str().strip_suffix(ZONE).expect("inside the zone").trim_end_matches('.');
    format!("{name} {}/{}", service.container_port, service.protocol)
}

/// Each one in a container with a good neighbour, and the one message that it gives.
const BAD: &[(&str, &str)] = &[
    // Names.
    ("SERVICE_80_NAME=", "SERVICE_80_NAME: an empty value is not a name"),
    ("SERVICE_80_NAME= \t", "SERVICE_80_NAME: an empty value is not a name"),
    ("SERVICE_80_NAME=_web", "SERVICE_80_NAME: _web begins with _ but has no _tcp or _udp after that"),
    ("SERVICE_80_NAME=_tcp", "SERVICE_80_NAME: _tcp begins with _ but has no _tcp or _udp after that"),
    (
        "SERVICE_80_NAME=_web._sctp",
        "SERVICE_80_NAME: _web._sctp begins with _ but has no _tcp or _udp after that",
    ),
    (
        "SERVICE_80_NAME=_web.tcp",
        "SERVICE_80_NAME: _web.tcp begins with _ but has no _tcp or _udp after that",
    ),
    ("SERVICE_80_NAME=_dns._tcp._udp", "SERVICE_80_NAME: _dns._tcp._udp has both _tcp and _udp"),
    (
        "SERVICE_80_NAME=servicediscovery.internal",
        "SERVICE_80_NAME: servicediscovery.internal is the zone itself",
    ),
    (
        "SERVICE_80_NAME=ServiceDiscovery.Internal.",
        "SERVICE_80_NAME: ServiceDiscovery.Internal. is the zone itself",
    ),
    ("SERVICE_80_NAME=@", "SERVICE_80_NAME: @ is the zone itself"),
    ("SERVICE_80_NAME=.", "SERVICE_80_NAME: . is not inside the zone servicediscovery.internal"),
    (
        "SERVICE_80_NAME=_web._tcp.example.com.",
        "SERVICE_80_NAME: _web._tcp.example.com. is not inside the zone servicediscovery.internal",
    ),
    ("SERVICE_80_NAME=web.", "SERVICE_80_NAME: web. is not inside the zone servicediscovery.internal"),
    (
        "SERVICE_80_NAME=xservicediscovery.internal.",
        "SERVICE_80_NAME: xservicediscovery.internal. is not inside the zone servicediscovery.internal",
    ),
    (
        "SERVICE_80_NAME=.servicediscovery.internal",
        "SERVICE_80_NAME: .servicediscovery.internal has an empty label",
    ),
    ("SERVICE_80_NAME=*", "SERVICE_80_NAME: * is a wildcard"),
    ("SERVICE_80_NAME=*._tcp", "SERVICE_80_NAME: *._tcp is a wildcard"),
    ("SERVICE_80_NAME=_web\\._tcp", "SERVICE_80_NAME: _web\\\\._tcp has an escape"),
    ("SERVICE_80_NAME=\\052", "SERVICE_80_NAME: \\\\052 has an escape"),
    ("SERVICE_80_NAME=_web.._tcp", "SERVICE_80_NAME: _web.._tcp has an empty label"),
    ("SERVICE_80_NAME=.web", "SERVICE_80_NAME: .web has an empty label"),
    ("SERVICE_80_NAME=my web", "SERVICE_80_NAME: my web has a space; labels take letters, digits, - and _"),
    // Full names and addresses, each of a port of its own.
    ("SERVICE_80_ALL=", "SERVICE_80_ALL: an empty value is not a name"),
    ("SERVICE_80_ALL=_web", "SERVICE_80_ALL: _web begins with _ but has no _tcp or _udp after that"),
    (
        "SERVICE_80_ALL=yes",
        "SERVICE_80_ALL: is no name; write the one that is to have all targets, such as _web-all._tcp",
    ),
    (
        "SERVICE_80_ALL=i-0123456789abcdef0",
        "SERVICE_80_ALL: i-0123456789abcdef0 is an address name of a host or a task",
    ),
    (
        "SERVICE_80_ALL=_Neighbour._tcp",
        "SERVICE_80_ALL: _Neighbour._tcp is in a NAME of this container, and a name has one kind of answer",
    ),
    ("SERVICE_80_A=*", "SERVICE_80_A: * is a wildcard"),
    ("SERVICE_80_A=_web._tcp", "SERVICE_80_A: _web._tcp has _, which the name of an address cannot have"),
    ("SERVICE_80_A=web_1", "SERVICE_80_A: web_1 has _, which the name of an address cannot have"),
    (
        "SERVICE_80_A=web-.eu",
        "SERVICE_80_A: web-.eu has a label that begins or ends with -, which the name of an address cannot have",
    ),
    ("SERVICE_80_A=ip-10-0-0-1", "SERVICE_80_A: ip-10-0-0-1 is an address name of a host or a task"),
    ("SERVICE_80_A=0123456789ab", "SERVICE_80_A: 0123456789ab is an address name of a host or a task"),
    ("SERVICE_80_NAME=web/v1", "SERVICE_80_NAME: web/v1 has /; labels take letters, digits, - and _"),
    ("SERVICE_80_NAME=web:80", "SERVICE_80_NAME: web:80 has :; labels take letters, digits, - and _"),
    (
        "SERVICE_80_NAME=bücher",
        "SERVICE_80_NAME: b\\u{fc}cher has \\u{fc}; labels take letters, digits, - and _",
    ),
    (
        "SERVICE_80_NAME=a\nFAKE LOG LINE",
        "SERVICE_80_NAME: a\\nFAKE LOG LINE has \\n; labels take letters, digits, - and _",
    ),
    (
        "SERVICE_80_NAME=\u{1b}[31mred",
        "SERVICE_80_NAME: \\u{1b}[31mred has \\u{1b}; labels take letters, digits, - and _",
    ),
    ("SERVICE_80_NAME=a\u{0}b", "SERVICE_80_NAME: a\\u{0}b has \\u{0}; labels take letters, digits, - and _"),
    (
        "SERVICE_80_NAME=i-0123456789abcdef0",
        "SERVICE_80_NAME: i-0123456789abcdef0 is an address name of a host or a task",
    ),
    ("SERVICE_80_NAME=i-fedcba98", "SERVICE_80_NAME: i-fedcba98 is an address name of a host or a task"),
    (
        "SERVICE_80_NAME=i-fedcba9876543210f",
        "SERVICE_80_NAME: i-fedcba9876543210f is an address name of a host or a task",
    ),
    ("SERVICE_80_NAME=I-FEDCBA98", "SERVICE_80_NAME: I-FEDCBA98 is an address name of a host or a task"),
    ("SERVICE_80_NAME=deadbeefcafe", "SERVICE_80_NAME: deadbeefcafe is an address name of a host or a task"),
    (
        "SERVICE_80_NAME=ip-10-123-145-167",
        "SERVICE_80_NAME: ip-10-123-145-167 is an address name of a host or a task",
    ),
    (
        "SERVICE_80_NAME=ip-10-0-0-5.servicediscovery.internal.",
        "SERVICE_80_NAME: ip-10-0-0-5.servicediscovery.internal. is an address name of a host or a task",
    ),
    // What clients look up by themselves, of each kind.
    (
        "SERVICE_80_NAME=_web._tcp.LocalHost",
        "SERVICE_80_NAME: _web._tcp.LocalHost has the label localhost, by which every host means itself",
    ),
    (
        "SERVICE_80_A=localhost",
        "SERVICE_80_A: localhost has the label localhost, by which every host means itself",
    ),
    ("SERVICE_80_A=wpad", "SERVICE_80_A: wpad begins with wpad, where browsers look for their proxy"),
    (
        "SERVICE_80_ALL=wpad.prod._tcp",
        "SERVICE_80_ALL: wpad.prod._tcp begins with wpad, where browsers look for their proxy",
    ),
    ("SERVICE_80_A=isatap", "SERVICE_80_A: isatap begins with isatap, where Windows looks for a router"),
    (
        "SERVICE_80_NAME=_ldap._tcp.dc._msdcs",
        "SERVICE_80_NAME: _ldap._tcp.dc._msdcs has the label _msdcs, where domain controllers are looked for",
    ),
    ("SERVICE_80_A=ns", "SERVICE_80_A: ns is what a name server of the zone is called"),
    (
        "SERVICE_80_NAME=NS2.servicediscovery.internal.",
        "SERVICE_80_NAME: NS2.servicediscovery.internal. is what a name server of the zone is called",
    ),
    ("SERVICE_80_NAME=,", "SERVICE_80_NAME: an empty value is not a name (and 1 more)"),
    // Ports.
    ("SERVICE_0_NAME=web", "SERVICE_0_NAME: 0 is not a port from 1 to 65535"),
    ("SERVICE_65536_NAME=web", "SERVICE_65536_NAME: 65536 is not a port from 1 to 65535"),
    (
        "SERVICE_99999999999999999999_NAME=web",
        "SERVICE_99999999999999999999_NAME: 99999999999999999999 is not a port from 1 to 65535",
    ),
    ("SERVICE_080_NAME=web", "SERVICE_080_NAME: port 080 has a leading zero"),
    ("SERVICE_00_NAME=web", "SERVICE_00_NAME: port 00 has a leading zero"),
    ("SERVICE_80a_NAME=web", "SERVICE_80a_NAME: 80a is not a port from 1 to 65535"),
    ("SERVICE_80/udp_NAME=web", "SERVICE_80/udp_NAME: 80/udp is not a port from 1 to 65535"),
    ("SERVICE_8080-8090_NAME=web", "SERVICE_8080-8090_NAME: 8080-8090 is not a port from 1 to 65535"),
    // Keys.
    ("SERVICE_80_NMAE=web", "SERVICE_80_NMAE: is not a known key; did you mean SERVICE_80_NAME?"),
    ("SERVICE_80_name=web", "SERVICE_80_name: is not a known key; did you mean SERVICE_80_NAME?"),
    ("SERVICE_80_WIEGHT=1", "SERVICE_80_WIEGHT: is not a known key; did you mean SERVICE_80_WEIGHT?"),
    (
        "SERVICE_80_CHECK_HTTPX=/x",
        "SERVICE_80_CHECK_HTTPX: is not a known key; did you mean SERVICE_80_CHECK_HTTP?",
    ),
    (
        "SERVICE_80_CHECK-HTTP=/x",
        "SERVICE_80_CHECK-HTTP: is not a known key; did you mean SERVICE_80_CHECK_HTTP?",
    ),
    (
        "SERVICE_80_CHECK_TIME=1",
        "SERVICE_80_CHECK_TIME: is not a known key; did you mean SERVICE_80_CHECK_TIMEOUT?",
    ),
    ("SERVICE_80_IGNORD=1", "SERVICE_80_IGNORD: is not a known key; did you mean SERVICE_80_IGNORE?"),
    ("SERVICE_80_IGNORE=no", "SERVICE_80_IGNORE: has no SERVICE_80_NAME"),
    (
        "SERVICE_80_IGNORE=always",
        "SERVICE_80_IGNORE: always is not one of 1, true, yes, on, 0, false, no, off; the port is left alone",
    ),
    ("SERVICE_080_IGNORE=off", "SERVICE_080_IGNORE: port 080 has a leading zero"),
    (
        "SERVICE_80_REGION=us",
        "SERVICE_80_REGION: is not a known key; those of a port are IGNORE, NAME, ALL, A, WEIGHT, TTL, CHECK, CHECK_HTTP, CHECK_HTTPS, CHECK_HOST, CHECK_STATUS, CHECK_INTERVAL, CHECK_TIMEOUT",
    ),
    (
        "SERVICE_80=web",
        "SERVICE_80: is not a known key; those of a port are IGNORE, NAME, ALL, A, WEIGHT, TTL, CHECK, CHECK_HTTP, CHECK_HTTPS, CHECK_HOST, CHECK_STATUS, CHECK_INTERVAL, CHECK_TIMEOUT",
    ),
    (
        "SERVICE_80_=web",
        "SERVICE_80_: is not a known key; those of a port are IGNORE, NAME, ALL, A, WEIGHT, TTL, CHECK, CHECK_HTTP, CHECK_HTTPS, CHECK_HOST, CHECK_STATUS, CHECK_INTERVAL, CHECK_TIMEOUT",
    ),
    // Registrator's, and what a label may be written as.
    (
        "SERVICE_NAME=web",
        "SERVICE_NAME: names no port, and registers nothing; did you mean SERVICE_<port>_NAME?",
    ),
    (
        "SERVICE_80_CHECK_TCP=true",
        "SERVICE_80_CHECK_TCP: is not a known key; did you mean SERVICE_80_CHECK=tcp?",
    ),
    (
        "SERVICE_80_CHECK_SCRIPT=curl",
        "SERVICE_80_CHECK_SCRIPT: is not a known key; the image's HEALTHCHECK judges with SERVICE_80_CHECK=docker",
    ),
    (
        "SERVICE_80_CHECK_GRPC=1",
        "SERVICE_80_CHECK_GRPC: is not a known key; the image's HEALTHCHECK judges with SERVICE_80_CHECK=docker",
    ),
    (
        "SERVICE_80_CHECK_INITIAL_STATUS=passing",
        "SERVICE_80_CHECK_INITIAL_STATUS: is not a known key; what has not passed is not registered",
    ),
    (
        "SERVICE_80_CHECK_HTTP_METHOD=HEAD",
        "SERVICE_80_CHECK_HTTP_METHOD: is not a known key; a check is a GET",
    ),
    (
        "SERVICE_80_EUREKA_STATUS=UP",
        "SERVICE_80_EUREKA_STATUS: is not a known key; nothing here stands for it",
    ),
    ("SERVICE_80_TAGS=blue", "SERVICE_80_TAGS: is not a known key; nothing here stands for it"),
    (
        "SERVICE_CHECK_HTTP=/health",
        "SERVICE_CHECK_HTTP: names no port, and checks nothing; did you mean SERVICE_<port>_CHECK_HTTP?",
    ),
    (
        "SERVICE_CHECK_TTL=30s",
        "SERVICE_CHECK_TTL: names no port, and checks nothing; the image's HEALTHCHECK judges with SERVICE_<port>_CHECK=docker",
    ),
    ("service_80_name=web", "service_80_name: is not read in lower case; did you mean SERVICE_80_NAME?"),
    ("SERVICE_80_WEIGHT=5", "SERVICE_80_WEIGHT: has no SERVICE_80_NAME"),
    ("SERVICE_80_CHECK_HTTP=/health", "SERVICE_80_CHECK_HTTP: has no SERVICE_80_NAME"),
    // Optional keys of the neighbour itself.
    ("SERVICE_9999_WEIGHT=256", "SERVICE_9999_WEIGHT: 256 is not a weight from 0 to 255; 1 counts"),
    ("SERVICE_9999_WEIGHT=-1", "SERVICE_9999_WEIGHT: -1 is not a weight from 0 to 255; 1 counts"),
    ("SERVICE_9999_WEIGHT=+1", "SERVICE_9999_WEIGHT: +1 is not a weight from 0 to 255; 1 counts"),
    ("SERVICE_9999_WEIGHT=1.5", "SERVICE_9999_WEIGHT: 1.5 is not a weight from 0 to 255; 1 counts"),
    ("SERVICE_9999_WEIGHT=", "SERVICE_9999_WEIGHT: an empty value is not a weight from 0 to 255; 1 counts"),
    ("SERVICE_9999_TTL=86401", "SERVICE_9999_TTL: 86401 is not a TTL from 0 to 86400 seconds; 0 counts"),
    ("SERVICE_9999_TTL=1m", "SERVICE_9999_TTL: 1m is not a TTL from 0 to 86400 seconds; 0 counts"),
    (
        "SERVICE_9999_TTL=99999999999",
        "SERVICE_9999_TTL: 99999999999 is not a TTL from 0 to 86400 seconds; 0 counts",
    ),
    (
        "SERVICE_9999_CHECK=ping",
        "SERVICE_9999_CHECK: ping is not one of tcp, none, docker; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK=http",
        "SERVICE_9999_CHECK: http is chosen by a path in CHECK_HTTP; here it is one of tcp, none, docker; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK_HTTP=health",
        "SERVICE_9999_CHECK_HTTP: health is not a path: it does not begin with /; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK_HTTP=http://169.254.169.254/",
        "SERVICE_9999_CHECK_HTTP: http://169.254.169.254/ is not a path: it does not begin with /; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK_HTTP=/a b",
        "SERVICE_9999_CHECK_HTTP: /a b has a space; a path is printable ASCII without spaces or #; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK_HTTP=/a#b",
        "SERVICE_9999_CHECK_HTTP: /a#b has #; a path is printable ASCII without spaces or #; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK_HTTP=/a\r\nX-Evil: 1",
        "SERVICE_9999_CHECK_HTTP: /a\\r\\nX-Evil: 1 has \\r; a path is printable ASCII without spaces or #; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK_HTTPS=https://shop.internal/",
        "SERVICE_9999_CHECK_HTTPS: https://shop.internal/ is not a path: it does not begin with /; the default check counts",
    ),
    (
        "SERVICE_9999_CHECK_HOST=shop.internal",
        "SERVICE_9999_CHECK_HOST: is not used, because this port has no CHECK_HTTP or CHECK_HTTPS",
    ),
    (
        "SERVICE_9999_CHECK_STATUS=200",
        "SERVICE_9999_CHECK_STATUS: is not used, because this port has no CHECK_HTTP or CHECK_HTTPS",
    ),
    (
        "SERVICE_9999_CHECK_HOST=http://shop",
        "SERVICE_9999_CHECK_HOST: http://shop is not a host such as shop.internal or shop.internal:8080; the address counts",
    ),
    (
        "SERVICE_9999_CHECK_HOST=a\r\nX-Evil: 1",
        "SERVICE_9999_CHECK_HOST: a\\r\\nX-Evil: 1 has \\r; a host is a name such as shop.internal; the address counts",
    ),
    (
        "SERVICE_9999_CHECK_STATUS=2xx",
        "SERVICE_9999_CHECK_STATUS: 2xx is not a status from 200 to 599, or a range such as 200-399; 200-399 counts",
    ),
    (
        "SERVICE_9999_CHECK_INTERVAL=soon",
        "SERVICE_9999_CHECK_INTERVAL: soon is not a duration such as 5, 0.5, 500ms, 5s or 1m; 5s counts",
    ),
    (
        "SERVICE_9999_CHECK_INTERVAL=1h",
        "SERVICE_9999_CHECK_INTERVAL: 1h is not a duration such as 5, 0.5, 500ms, 5s or 1m; 5s counts",
    ),
    (
        "SERVICE_9999_CHECK_INTERVAL=5.0000000001",
        "SERVICE_9999_CHECK_INTERVAL: 5.0000000001 is not a duration such as 5, 0.5, 500ms, 5s or 1m; 5s counts",
    ),
    (
        "SERVICE_9999_CHECK_INTERVAL=.5",
        "SERVICE_9999_CHECK_INTERVAL: .5 is not a duration such as 5, 0.5, 500ms, 5s or 1m; 5s counts",
    ),
    ("SERVICE_9999_CHECK_INTERVAL=0.5", "SERVICE_9999_CHECK_INTERVAL: 0.5 is not from 1s to 300s; 5s counts"),
    ("SERVICE_9999_CHECK_INTERVAL=6m", "SERVICE_9999_CHECK_INTERVAL: 6m is not from 1s to 300s; 5s counts"),
    (
        "SERVICE_9999_CHECK_INTERVAL=999999999m",
        "SERVICE_9999_CHECK_INTERVAL: 999999999m is not from 1s to 300s; 5s counts",
    ),
    (
        "SERVICE_9999_CHECK_TIMEOUT=99ms",
        "SERVICE_9999_CHECK_TIMEOUT: 99ms is not from 100ms to 60s; 2s counts",
    ),
    ("SERVICE_9999_CHECK_TIMEOUT=61", "SERVICE_9999_CHECK_TIMEOUT: 61 is not from 100ms to 60s; 2s counts"),
    (
        "SERVICE_9999_CHECK_TIMEOUT=6",
        "SERVICE_9999_CHECK_TIMEOUT: 6s is longer than the interval, 5s; 2s counts",
    ),
];

#[test]
fn each_bad_key_is_reported_once_and_spoils_nothing_else() {
    assert!(BAD.len() >= 60, "{}", BAD.len());
    for &(entry, message) in BAD {
        let convention = parse_env(&[entry, NEIGHBOUR]);
        assert_eq!(lines(&convention), [message], "{entry}");
        assert_eq!(convention.services, parse_env(&[NEIGHBOUR]).services, "{entry}");
    }
}

#[test]
fn each_bad_label_is_reported_once_and_spoils_nothing_else() {
    // In a label the case of a key does not matter, so these are good there.
    let good_as_label = ["SERVICE_80_name=web", "service_80_name=web"];
    for &(entry, message) in BAD.iter().filter(|(entry, _)| !good_as_label.contains(entry)) {
        let convention = parse([NEIGHBOUR], entry.split_once('='), &scope());
        // A port is shown as it was compared, in upper case, where it is no number.
        let lower = |line: &str| line.to_ascii_lowercase();
        assert_eq!(lines(&convention).iter().map(|line| lower(line)).collect::<Vec<_>>(), [lower(message)]);
        assert_eq!(convention.services, parse_env(&[NEIGHBOUR]).services, "{entry}");
    }
}

#[test]
fn long_names_are_refused_at_the_octet() {
    let label = "a".repeat(63);
    assert_eq!(lines(&parse_env(&[&format!("SERVICE_80_NAME={label}")])), [""; 0]);
    let message = format!("SERVICE_80_NAME: {label}a has a label of 64 octets; 63 is the most");
    assert_eq!(lines(&parse_env(&[&format!("SERVICE_80_NAME={label}a")])), [message]);

    // Three labels of 64 octets on the wire; the zone takes 27, its root included: 36 are left.
    let long = |last: usize| format!("{label}.{label}.{label}.{}", "b".repeat(last));
    let name = ServiceName::parse(&long(35), &scope()).unwrap().0;
    assert_eq!(name.as_str().len() + 2, 255);
    let error = ServiceName::parse(&long(36), &scope()).unwrap_err();
    assert_eq!(error.to_string(), "takes 256 octets with its zone; 255 is the most");
}

#[test]
fn long_paths_are_refused_at_the_character() {
    let path = format!("/{}", "a".repeat(1_023));
    let with = |path: &str| parse_env(&[NEIGHBOUR, &format!("SERVICE_9999_CHECK_HTTP={path}")]);
    assert_eq!(with(&path).services[0].check, Check::Http(HttpCheck::of_path(path.clone())));
    let message = format!(
        "SERVICE_9999_CHECK_HTTP: {}... is a path of 1025 characters; 1024 is the most; the default check counts",
        &path[..64]
    );
    assert_eq!(lines(&with(&format!("{path}a"))), [message]);
}

#[test]
fn conflicting_keys_are_reported_and_one_of_them_counts() {
    let cases: [(&[&str], &str, Check); 8] = [
        (
            &["SERVICE_80_NAME=web", "SERVICE_80_CHECK=none", "SERVICE_80_CHECK_HTTP=x"],
            "SERVICE_80_CHECK_HTTP: x is not a path: it does not begin with /; this port's CHECK counts",
            Check::None,
        ),
        (
            &["SERVICE_80_NAME=web", "SERVICE_80_CHECK=none", "SERVICE_80_CHECK_HTTP=/x"],
            "SERVICE_80_CHECK_HTTP: is not used, because this port's CHECK is set too",
            Check::None,
        ),
        (
            &["SERVICE_80_NAME=web", "SERVICE_80_CHECK=docker", "SERVICE_80_CHECK_HTTP=/x"],
            "SERVICE_80_CHECK_HTTP: is not used, because this port's CHECK is set too",
            Check::Docker,
        ),
        (
            &["SERVICE_80_NAME=web", "SERVICE_80_CHECK=ping", "SERVICE_80_CHECK_HTTP=/x"],
            "SERVICE_80_CHECK: ping is not one of tcp, none, docker; this port's CHECK_HTTP counts",
            Check::Http(HttpCheck::of_path("/x")),
        ),
        (
            &["SERVICE_80_NAME=web", "SERVICE_80_CHECK_HTTP=/x", "SERVICE_80_CHECK_HTTPS=/y"],
            "SERVICE_80_CHECK_HTTPS: is not used, because this port's CHECK_HTTP is set too",
            Check::Http(HttpCheck::of_path("/x")),
        ),
        (
            &["SERVICE_80_NAME=web", "SERVICE_80_CHECK_HTTP=x", "SERVICE_80_CHECK_HTTPS=/y"],
            "SERVICE_80_CHECK_HTTP: x is not a path: it does not begin with /; this port's CHECK_HTTPS counts",
            Check::Http(Box::new(HttpCheck { tls: true, ..*HttpCheck::of_path("/y") })),
        ),
        (
            &["SERVICE_80_NAME=_x._udp", "SERVICE_80_CHECK_HTTP=/x"],
            "SERVICE_80_CHECK_HTTP: cannot check a udp name",
            Check::Default,
        ),
        (
            &["SERVICE_80_NAME=_x._udp", "SERVICE_80_CHECK=tcp"],
            "SERVICE_80_CHECK: tcp cannot check a udp name; docker or none can",
            Check::Default,
        ),
    ];
    for (env, message, check) in cases {
        let convention = parse_env(env);
        assert_eq!(lines(&convention), [message]);
        assert_eq!(convention.services[0].check, check);
    }
}

#[test]
fn good_names_of_a_list_survive_its_bad_ones() {
    let convention = parse_env(&["SERVICE_80_NAME=_web._tcp,_bad,*, calc ,"]);
    assert_eq!(
        convention.services.iter().map(shown).collect::<Vec<_>>(),
        ["_web._tcp 80/tcp", "calc 80/tcp"]
    );
    assert_eq!(
        lines(&convention),
        ["SERVICE_80_NAME: _bad begins with _ but has no _tcp or _udp after that (and 2 more)"]
    );
}

#[test]
fn a_name_that_was_written_with_another_zone_is_published_and_reported() {
    let convention =
        parse_env(&["SERVICE_80_NAME=_api._tcp,_web._tcp.Prod.internal", "SERVICE_81_A=db.internal"]);
    assert_eq!(
        lines(&convention),
        [
            format!(
                "SERVICE_80_NAME: _web._tcp.Prod.internal does not end in {ZONE}, so it is published as \
                 _web._tcp.prod.internal.{ZONE}"
            ),
            format!(
                "SERVICE_81_A: db.internal does not end in {ZONE}, so it is published as db.internal.{ZONE}"
            ),
        ]
    );
    let shown: Vec<_> = convention.services.iter().map(shown).collect();
    assert_eq!(shown, ["_api._tcp 80/tcp", "_web._tcp.prod.internal 80/tcp", "db.internal 81/tcp"]);
    for name in ["internal", "db.external", "_web._tcp.internal.servicediscovery.internal", "internal.db"] {
        assert_eq!(parse_env(&[&format!("SERVICE_80_NAME={name}")]).bad_keys, [], "{name}");
    }
    let of_one_label = Scope::new("internal", "web1");
    assert_eq!(parse(["SERVICE_80_NAME=db.internal"], [], &of_one_label).bad_keys, []);
}

#[test]
fn accepted_forms() {
    let forms: &[(&[&str], &[&str])] = &[
        (&["SERVICE_8081_NAME=_calc._tcp"], &["_calc._tcp 8081/tcp"]),
        (&["SERVICE_8081_NAME=calc"], &["calc 8081/tcp"]),
        (&["SERVICE_8081_NAME=_Calc._TCP"], &["_calc._tcp 8081/tcp"]),
        (&["SERVICE_53_NAME=_dns._tcp,_dns._udp"], &["_dns._tcp 53/tcp", "_dns._udp 53/udp"]),
        (&["SERVICE_53_NAME= _dns._tcp , _dns._udp "], &["_dns._tcp 53/tcp", "_dns._udp 53/udp"]),
        (&["SERVICE_80_NAME=_web._tcp.servicediscovery.internal."], &["_web._tcp 80/tcp"]),
        (&["SERVICE_80_NAME=_web._tcp.ServiceDiscovery.internal"], &["_web._tcp 80/tcp"]),
        (&["SERVICE_80_NAME=_web._tcp,_web._tcp,_WEB._tcp"], &["_web._tcp 80/tcp"]),
        (&["SERVICE_80_NAME=web", "SERVICE_81_NAME=web"], &["web 80/tcp", "web 81/tcp"]),
        (&["SERVICE_1_NAME=a", "SERVICE_65535_NAME=b"], &["a 1/tcp", "b 65535/tcp"]),
        (&["SERVICE_80_NAME=v2.api._http._tcp"], &["v2.api._http._tcp 80/tcp"]),
        (&["SERVICE_80_NAME=_printer._sub._ipp._udp"], &["_printer._sub._ipp._udp 80/udp"]),
        (&["SERVICE_80_NAME=_tcp._tcp"], &["_tcp._tcp 80/tcp"]),
        (&["SERVICE_80_NAME=_x._tcp.i-fedcba98"], &["_x._tcp.i-fedcba98 80/tcp"]),
        (
            &["SERVICE_80_NAME=i-fedcba9,ip-10-0-0-256,deadbeefcaf"],
            &["deadbeefcaf 80/tcp", "i-fedcba9 80/tcp", "ip-10-0-0-256 80/tcp"],
        ),
        (&["SERVICE_80_NAME=web", "SERVICE_IGNORE=0"], &["web 80/tcp"]),
        (&["SERVICE_80_NAME=web", "SERVICE_IGNORE=No"], &["web 80/tcp"]),
        (&["SERVICE_80_NAME=web", "SERVICE_IGNORE="], &["web 80/tcp"]),
        // Somebody else's keys.
        (&["SERVICE_TAGS=a", "SERVICE_URL=http://x", "SERVICE_HTTP_NAME=y"], &[]),
        (&["SERVICE_3RD_PARTY=x", "SERVICE__NAME=x", "SERVICE_=x", "SERVICE=x", "SERVICE_-1_NAME=x"], &[]),
        (&["SERVICE_80_NAME", "MY_SERVICE_80_NAME=x", "=x", ""], &[]),
    ];
    for (env, expected) in forms {
        let convention = parse_env(env);
        assert_eq!(convention.services.iter().map(shown).collect::<Vec<_>>(), *expected, "{env:?}");
        assert_eq!(lines(&convention), [""; 0], "{env:?}");
    }
}

/// With the kind of answer.
fn kinds(convention: &Convention) -> Vec<String> {
    let kind = |service: &Service| match service.answer {
        Answer::Weighted => "",
        Answer::All => "all ",
        Answer::Address => "address ",
    };
    convention.services.iter().map(|service| format!("{}{}", kind(service), shown(service))).collect()
}

#[test]
fn a_ttl_may_say_that_it_is_in_seconds() {
    let ttl = |value: &str| {
        parse_env(&["SERVICE_80_NAME=_web._tcp", &format!("SERVICE_80_TTL={value}")]).services[0].ttl
    };
    assert_eq!((ttl("60"), ttl("60s"), ttl("s"), ttl("60 s")), (60, 60, 0, 0));
}

#[test]
fn a_ttl_beyond_the_most_of_the_host_is_cut_to_it_and_said() {
    let read = |value: &str| {
        let env = ["SERVICE_80_NAME=_web._tcp,_api._tcp", &format!("SERVICE_80_TTL={value}")];
        let convention = parse(env, [], &scope().with_ttl_max(300));
        (convention.services.iter().map(|service| service.ttl).collect::<Vec<_>>(), lines(&convention))
    };
    assert_eq!(read("300"), (vec![300, 300], vec![]));
    let said = "SERVICE_80_TTL: 301 is more than --ttl-max, 300 seconds; 300 counts, unless its name has records with another";
    assert_eq!(read("301s"), (vec![300, 300], vec![said.to_owned()]));
    // What was never a TTL is none.
    assert_eq!(read("86401").0, [0, 0]);
}

#[test]
fn an_address_of_a_service_has_never_the_ttl_of_a_hosts() {
    for (value, ttls) in [("59", [59, 59]), ("60", [60, 59]), ("61", [61, 61]), ("0", [0, 0])] {
        let ttl = format!("SERVICE_80_TTL={value}");
        let services = parse_env(&["SERVICE_80_NAME=_web._tcp", "SERVICE_80_A=web", &ttl]).services;
        assert_eq!(services.iter().map(|service| service.ttl).collect::<Vec<_>>(), ttls, "{value}");
    }
}

#[test]
fn a_port_has_names_of_three_kinds_and_each_may_stand_alone() {
    let forms: &[(&[&str], &[&str])] = &[
        (
            &["SERVICE_80_NAME=_calc._tcp,c", "SERVICE_80_ALL=_calc-all._tcp, all", "SERVICE_80_A=calc,c"],
            &[
                "all _calc-all._tcp 80/tcp",
                "_calc._tcp 80/tcp",
                "all all 80/tcp",
                "c 80/tcp",
                "address c 80/tcp",
                "address calc 80/tcp",
            ],
        ),
        (&["SERVICE_80_ALL=_x._tcp"], &["all _x._tcp 80/tcp"]),
        (&["SERVICE_80_A=x.y"], &["address x.y 80/tcp"]),
        (&["SERVICE_80_ALL=no", "SERVICE_80_NAME=x"], &["x 80/tcp"]),
        // The address of a port that speaks udp alone.
        (&["SERVICE_53_A=dns", "SERVICE_53_NAME=_dns._udp"], &["_dns._udp 53/udp", "address dns 53/udp"]),
        (
            &["SERVICE_53_A=dns", "SERVICE_53_NAME=_dns._udp,_dns._tcp"],
            &["_dns._tcp 53/tcp", "_dns._udp 53/udp", "address dns 53/tcp"],
        ),
        (&["SERVICE_80_A=web", "SERVICE_81_A=web"], &["address web 80/tcp", "address web 81/tcp"]),
        // A port that is left alone says nothing about the others.
        (&["SERVICE_80_NAME=x", "SERVICE_80_IGNORE=1", "SERVICE_81_ALL=x"], &["all x 81/tcp"]),
    ];
    for (env, expected) in forms {
        let convention = parse_env(env);
        assert_eq!(
            (kinds(&convention), lines(&convention)),
            (expected.iter().map(|it| (*it).to_owned()).collect(), vec![]),
            "{env:?}"
        );
    }
    let convention = parse_env(&["SERVICE_80_ALL=no", "SERVICE_80_TTL=1"]);
    assert_eq!(convention.services, [], "nothing is asked for");
}

#[test]
fn a_fleet_gives_each_weighted_name_a_full_one_unless_a_container_says_otherwise() {
    let scope = scope().with_full_names(Some("-ALL".parse().unwrap()));
    let read = |env: &[&str]| {
        let convention = parse(env.iter().copied(), [], &scope);
        (kinds(&convention), lines(&convention))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        read(&["SERVICE_80_NAME=_calc._tcp,web", "SERVICE_80_A=calc"]).0,
        names(&[
            "all _calc-all._tcp 80/tcp",
            "_calc._tcp 80/tcp",
            "address calc 80/tcp",
            "all web-all 80/tcp",
            "web 80/tcp"
        ])
    );
    for (value, full) in [("no", None), ("OFF", None), ("_x._tcp", Some("all _x._tcp 80/tcp"))] {
        let found = read(&["SERVICE_80_NAME=_calc._tcp", &format!("SERVICE_80_ALL={value}")]);
        let expected = ["_calc._tcp 80/tcp"].into_iter().chain(full).collect::<Vec<_>>();
        assert_eq!(found, (names(&expected), vec![]), "{value}");
    }
    let long = "x".repeat(61);
    assert_eq!(
        read(&[&format!("SERVICE_80_NAME={long},*"), "SERVICE_81_NAME=_a._tcp,_a-all._tcp"]),
        (
            names(&["all _a-all-all._tcp 81/tcp", "_a-all._tcp 81/tcp", "_a._tcp 81/tcp", &format!("{long} 80/tcp")]),
            vec![
                "SERVICE_80_NAME: * is a wildcard".to_owned(),
                "SERVICE_81_NAME: the full name of _a._tcp.servicediscovery.internal is in a NAME of this container, and a name has one kind of answer".to_owned(),
            ]
        )
    );
    for bad in ["", "-", "all-", "-a.b", "_all", "-all ", "12345678901234567"] {
        assert!(bad.parse::<FullNames>().is_err(), "{bad}");
    }
}

#[test]
fn of_all_kinds_of_names_those_are_taken_that_are_allowed_and_each_key_says_what_is_not() {
    let allowed = Some("_calc._tcp, *.web".parse().unwrap());
    let scope = scope().with_allowed(allowed).with_full_names(Some("-all".parse().unwrap()));
    let read = |env: &[&str]| {
        let convention = parse(env.iter().copied(), [], &scope);
        (kinds(&convention), lines(&convention))
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        read(&[
            "SERVICE_80_NAME=_Calc._tcp.web,_db._tcp",
            "SERVICE_80_A=a.web,web",
            "SERVICE_81_ALL=_x._tcp,_x._tcp.web"
        ]),
        (
            texts(&[
                "all _calc-all._tcp.web 80/tcp",
                "_calc._tcp.web 80/tcp",
                "all _x._tcp.web 81/tcp",
                "address a.web 80/tcp"
            ]),
            texts(&[
                "SERVICE_80_A: web is none of the names that --names allows here: _calc._tcp, *.web",
                "SERVICE_80_NAME: _db._tcp is none of the names that --names allows here: _calc._tcp, *.web",
                "SERVICE_81_ALL: _x._tcp is none of the names that --names allows here: _calc._tcp, *.web",
            ])
        )
    );
    // The name as a whole is as good, and a full name that is not allowed takes nothing of the weighted one.
    assert_eq!(
        read(&["SERVICE_80_NAME=_calc._tcp.ServiceDiscovery.internal."]),
        (
            texts(&["_calc._tcp 80/tcp"]),
            texts(&[
                "SERVICE_80_NAME: the full name of _calc._tcp.servicediscovery.internal is none of the names that --names allows here: _calc._tcp, *.web"
            ])
        )
    );
    // No pattern allows what is never given.
    let (services, said) = read(&["SERVICE_80_A=wpad.web,localhost.web"]);
    assert_eq!((services.len(), said.len()), (0, 1), "{services:?}");
}

#[test]
fn optional_keys_say_what_they_set() {
    let convention = parse_env(&[
        "SERVICE_80_NAME=_web._tcp",
        "SERVICE_80_WEIGHT=0",
        "SERVICE_80_TTL=86400",
        "SERVICE_80_CHECK_HTTP=/health?full=1",
        "SERVICE_80_CHECK_INTERVAL=1.5",
        "SERVICE_80_CHECK_TIMEOUT=250ms",
    ]);
    let [service] = &convention.services[..] else { panic!("{convention:?}") };
    assert_eq!(service.name.as_str(), "_web._tcp.servicediscovery.internal");
    assert_eq!((service.container_port, service.protocol), (80, Protocol::Tcp));
    assert_eq!((service.weight, service.ttl), (0, 86_400));
    assert_eq!(service.check, Check::Http(HttpCheck::of_path("/health?full=1")));
    assert_eq!(service.timing.interval, Duration::from_millis(1_500));
    assert_eq!(service.timing.timeout, Duration::from_millis(250));
}

#[test]
fn a_check_by_http_has_a_host_and_statuses_of_its_own() {
    let convention = parse_env(&[
        "SERVICE_80_NAME=_web._tcp",
        "SERVICE_80_CHECK_HTTPS=/health",
        "SERVICE_80_CHECK_HOST=shop.internal:8443",
        "SERVICE_80_CHECK_STATUS=200-204, 401",
    ]);
    assert_eq!(lines(&convention), [""; 0]);
    let Check::Http(http) = &convention.services[0].check else { panic!("{convention:?}") };
    assert!(http.tls);
    assert_eq!((http.path.as_str(), http.host.as_deref()), ("/health", Some("shop.internal:8443")));
    let passing: Vec<u16> = (0..1_000).filter(|&status| http.statuses.contain(status)).collect();
    assert_eq!(passing, [200, 201, 202, 203, 204, 401]);
    // Bad ones change nothing else.
    let convention = parse_env(&[
        "SERVICE_80_NAME=_web._tcp",
        "SERVICE_80_CHECK_HTTP=/",
        "SERVICE_80_CHECK_HOST=[::1]",
        "SERVICE_80_CHECK_STATUS=ok",
    ]);
    assert_eq!(convention.bad_keys.len(), 2);
    assert_eq!(convention.services[0].check, Check::Http(HttpCheck::of_path("/")));
    // One word of a path that does not count is enough.
    let convention = parse_env(&[
        "SERVICE_80_NAME=_web._tcp",
        "SERVICE_80_CHECK=none",
        "SERVICE_80_CHECK_HTTP=/",
        "SERVICE_80_CHECK_HOST=shop",
    ]);
    assert_eq!(
        lines(&convention),
        ["SERVICE_80_CHECK_HTTP: is not used, because this port's CHECK is set too"]
    );
}

#[test]
fn defaults_are_the_predecessors_and_a_short_interval_cuts_the_timeout() {
    let plain = &parse_env(&["SERVICE_80_NAME=web"]).services[0];
    assert_eq!((plain.weight, plain.ttl, &plain.check), (1, 0, &Check::Default));
    assert_eq!(
        (plain.timing.interval, plain.timing.timeout),
        (Duration::from_secs(5), Duration::from_secs(2))
    );
    let quick = &parse_env(&["SERVICE_80_NAME=web", "SERVICE_80_CHECK_INTERVAL=1s"]).services[0];
    assert_eq!(
        (quick.timing.interval, quick.timing.timeout),
        (Duration::from_secs(1), Duration::from_secs(1))
    );
}

#[test]
fn bounds_of_durations_are_within_them() {
    for (interval, timeout) in [("1s", "100ms"), ("300s", "60s")] {
        let entries =
            [format!("SERVICE_80_CHECK_INTERVAL={interval}"), format!("SERVICE_80_CHECK_TIMEOUT={timeout}")];
        let convention = parse_env(&["SERVICE_80_NAME=web", &entries[0], &entries[1]]);
        assert_eq!(lines(&convention), [""; 0]);
        let timing = convention.services[0].timing;
        assert_eq!(format!("{:?} {:?}", timing.interval, timing.timeout), format!("{interval} {timeout}"));
    }
}

#[test]
fn a_bad_interval_is_not_reported_again_by_its_timeout() {
    let convention =
        parse_env(&["SERVICE_80_NAME=web", "SERVICE_80_CHECK_INTERVAL=1h", "SERVICE_80_CHECK_TIMEOUT=10"]);
    assert_eq!(convention.bad_keys.len(), 1);
    assert_eq!(convention.services[0].timing.timeout, Duration::from_secs(5));
}

#[test]
fn http_check_of_a_port_with_both_protocols_is_for_its_tcp_names() {
    let convention = parse_env(&["SERVICE_53_NAME=_dns._tcp,_dns._udp", "SERVICE_53_CHECK_HTTP=/health"]);
    assert_eq!(lines(&convention), [""; 0]);
    let checks: Vec<&Check> = convention.services.iter().map(|service| &service.check).collect();
    assert_eq!(checks, [&Check::Http(HttpCheck::of_path("/health")), &Check::Default]);
}

#[test]
fn labels_in_any_case_come_after_the_environment() {
    let labels = [("service_80_name", "fromlabel"), ("Service_80_Weight", "7"), ("SERVICE_81_NAME", "other")];
    let alone = parse([], labels, &scope());
    assert_eq!(alone.services.iter().map(shown).collect::<Vec<_>>(), ["fromlabel 80/tcp", "other 81/tcp"]);
    assert_eq!(alone.services[0].weight, 7);
    let both = parse(["SERVICE_80_NAME=fromenv"], labels, &scope());
    assert_eq!(both.services.iter().map(shown).collect::<Vec<_>>(), ["fromenv 80/tcp", "other 81/tcp"]);
    assert_eq!(both.services[0].weight, 7);
    // A bad one in the environment is not quietly replaced.
    let bad = parse(["SERVICE_80_NAME=*"], labels, &scope());
    assert_eq!(bad.services.iter().map(shown).collect::<Vec<_>>(), ["other 81/tcp"]);
}

#[test]
fn of_a_key_given_twice_the_last_counts_as_for_the_process() {
    let names = |env: &[&str]| parse_env(env).services.iter().map(shown).collect::<Vec<_>>();
    // `--env-file` comes before `-e`.
    let twice = ["SERVICE_80_NAME=file", "SERVICE_80_WEIGHT=9", "SERVICE_80_NAME=flag"];
    assert_eq!(names(&twice), ["flag 80/tcp"]);
    assert_eq!(lines(&parse_env(&twice)), [""; 0]);
    assert_eq!(names(&["SERVICE_80_NAME=flag", "SERVICE_80_NAME=file"]), ["file 80/tcp"]);
    // The last counts even where it is bad: the process has no other value either.
    let bad = parse_env(&["SERVICE_80_NAME=web", "SERVICE_80_NAME=*", NEIGHBOUR]);
    assert_eq!(bad.services, parse_env(&[NEIGHBOUR]).services);
    assert_eq!(lines(&bad), ["SERVICE_80_NAME: * is a wildcard"]);
    // One without `=` takes the key out of the process' environment.
    assert_eq!(names(&["SERVICE_80_NAME=web", "SERVICE_80_NAME"]), [""; 0]);
    assert_eq!(names(&["SERVICE_80_NAME=web", "SERVICE_80_NAME", "SERVICE_80_NAME=back"]), ["back 80/tcp"]);

    for (key, first, last) in [
        ("SERVICE_80_WEIGHT", "1", "7"),
        ("SERVICE_80_TTL", "0", "30"),
        ("SERVICE_80_CHECK", "none", "tcp"),
        ("SERVICE_80_CHECK_HTTP", "/a", "/b"),
        ("SERVICE_80_CHECK_HTTPS", "/a", "/b"),
        ("SERVICE_80_CHECK_INTERVAL", "9s", "8s"),
        ("SERVICE_80_CHECK_TIMEOUT", "900ms", "800ms"),
        ("SERVICE_80_IGNORE", "no", "yes"),
        ("SERVICE_80_IGNORE", "yes", "no"),
        ("SERVICE_IGNORE", "no", "yes"),
        ("SERVICE_IGNORE", "yes", "no"),
    ] {
        let [first, last] = [first, last].map(|value| format!("{key}={value}"));
        let once = parse_env(&["SERVICE_80_NAME=web", &last]);
        assert_eq!(parse_env(&["SERVICE_80_NAME=web", &first, &last]), once, "{key}");
        let label =
            |entry: &str| entry.split_once('=').map(|(key, value)| (key.to_lowercase(), value.to_owned()));
        let labels = [label(&first), label(&last)].map(Option::unwrap);
        let labels = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        assert_eq!(parse(["SERVICE_80_NAME=web"], labels, &scope()), once, "{key} as a label");
    }
}

#[test]
fn of_a_key_that_cannot_be_taken_the_last_counts_too() {
    for (upper, lower) in [("CHECK", "check"), ("IGNORE", "ignore")] {
        let [first, last] = [upper, lower].map(|ending| format!("SERVICE_808\u{fffd}1_{ending}"));
        let convention = parse([], [(&*first, "no"), (&*last, "no"), ("Service_9999_Name", "x")], &scope());
        let said = format!("SERVICE_808\\u{{fffd}}1_{lower}: 808\\u{{fffd}}1 is not a port from 1 to 65535");
        assert_eq!((lines(&convention), convention.services.len()), (vec![said], 1));
    }
    let wish = |first: &str, last: &str| {
        parse([], [("service_080_ignore", first), ("SERVICE_080_IGNORE", last)], &scope())
    };
    assert!(wish("no", "yes").ignored);
    assert!(!wish("yes", "no").ignored);
    assert_eq!(lines(&wish("yes", "no")), ["SERVICE_080_IGNORE: port 080 has a leading zero"]);
    let known = [("SERVICE_80_TOKEN", "a"), ("service_80_token", "b")];
    let [line] = &lines(&parse([], known, &scope()))[..] else { panic!("not once") };
    assert!(line.starts_with("service_80_token: is not a known key"), "{line}");
    // The process has no variable any more that could be a typo.
    assert_eq!(parse_env(&["SERVICE_080_IGNORE=yes", "SERVICE_080_IGNORE"]), Convention::default());
}

#[test]
fn of_a_key_that_cannot_be_taken_the_environments_counts_too() {
    let both = |env: &str, label: &str, value: &str| parse([env], [(label, value)], &scope());
    let said = ["SERVICE_080_NAME: port 080 has a leading zero"];
    assert_eq!(lines(&both("SERVICE_080_NAME=x", "service_080_name", "y")), said);
    let said = ["SERVICE_8a_NAME: 8a is not a port from 1 to 65535"];
    for label in ["SERVICE_8a_NAME", "service_8A_name"] {
        assert_eq!(lines(&both("SERVICE_8a_NAME=x", label, "y")), said, "{label}");
    }
    assert!(!both("SERVICE_080_IGNORE=no", "service_080_ignore", "yes").ignored);
    assert!(both("SERVICE_080_IGNORE=yes", "service_080_ignore", "no").ignored);
    // Whoever has no such key has said nothing of it, and one in another case is a key of its own.
    assert!(both("SERVICE_080_IGNORE", "service_080_ignore", "yes").ignored);
    let other = both("SERVICE_80_name=x", "service_80_name", "web");
    assert_eq!(other.services.iter().map(shown).collect::<Vec<_>>(), ["web 80/tcp"]);
    assert_eq!(lines(&other), ["SERVICE_80_name: is not a known key; did you mean SERVICE_80_NAME?"]);
}

#[test]
fn an_ignored_container_offers_and_reports_nothing() {
    for value in ["1", "true", "TRUE", "yes", "Yes", "on", " 1 "] {
        let ignore = format!("SERVICE_IGNORE={value}");
        let convention = parse_env(&["SERVICE_80_NAME=web", "SERVICE_81_NAME=*", &ignore]);
        assert_eq!(convention, Convention { ignored: true, ..Convention::default() }, "{value}");
    }
    assert!(parse([], [("service_ignore", "true")], &scope()).ignored);
    assert!(!parse(["SERVICE_IGNORE=0"], [("service_ignore", "true")], &scope()).ignored);
}

#[test]
fn a_wish_to_be_left_alone_that_is_not_understood_is_obeyed_and_said() {
    for value in ["always", "y", "n", "2", "-1", "enabled", "true,", "\"no\"", &"x".repeat(DATA_OCTETS_MAX)] {
        let ignore = format!("SERVICE_IGNORE={value}");
        let convention = parse_env(&["SERVICE_80_NAME=web", "SERVICE_81_NAME=*", &ignore]);
        assert!(convention.ignored && convention.services.is_empty(), "{value}");
        let [line] = &lines(&convention)[..] else { panic!("{convention:?}") };
        assert!(line.starts_with("SERVICE_IGNORE: "), "{line}");
        assert!(
            line.ends_with("is not one of 1, true, yes, on, 0, false, no, off; the container is left alone")
        );

        let ignore = format!("SERVICE_80_IGNORE={value}");
        let convention = parse_env(&["SERVICE_80_NAME=web", "SERVICE_80_WEIGHT=x", &ignore, NEIGHBOUR]);
        assert_eq!(convention.services, parse_env(&[NEIGHBOUR]).services, "{value}");
        let [line] = &lines(&convention)[..] else { panic!("{convention:?}") };
        assert!(
            line.starts_with("SERVICE_80_IGNORE: ") && line.ends_with("; the port is left alone"),
            "{line}"
        );
    }
    for value in ["0", "false", "no", "off", "OFF", " no ", ""] {
        let [all, port] = ["SERVICE_IGNORE", "SERVICE_9999_IGNORE"].map(|key| format!("{key}={value}"));
        assert_eq!(parse_env(&[&all, &port, NEIGHBOUR]), parse_env(&[NEIGHBOUR]), "{value}");
    }
}

#[test]
fn a_port_can_be_left_alone_by_itself() {
    let convention =
        parse_env(&["SERVICE_80_NAME=web", "SERVICE_80_WEIGHT=x", "SERVICE_80_IGNORE=1", NEIGHBOUR]);
    assert_eq!(convention, parse_env(&[NEIGHBOUR]));
    // As registrator's users write it, for ports that have no name here.
    assert_eq!(parse_env(&["SERVICE_9998_IGNORE=true", NEIGHBOUR]), parse_env(&[NEIGHBOUR]));
}

#[test]
fn where_nobody_can_tell_which_port_is_to_be_left_alone_the_container_is() {
    for key in ["SERVICE_080_IGNORE", "SERVICE_80/tcp_IGNORE", "SERVICE_80-90_IGNORE", "SERVICE_99999_IGNORE"]
    {
        let wish = format!("{key}=1");
        let convention = parse_env(&["SERVICE_80_NAME=web", "SERVICE_80_WEIGHT=x", &wish]);
        assert!(convention.ignored && convention.services.is_empty(), "{key}");
        let [line] = &lines(&convention)[..] else { panic!("{convention:?}") };
        assert!(line.starts_with(key) && line.ends_with("; the whole container is left alone"), "{line}");
    }
}

#[test]
fn the_65th_service_is_refused_and_the_first_64_stay() {
    let names: Vec<String> = (0..60).map(|i| format!("name{i}")).collect();
    let first = format!("SERVICE_80_NAME={}", names.join(","));
    let convention = parse_env(&["SERVICE_90_NAME=v,w,x,y,z", &first, "SERVICE_91_NAME=late"]);
    assert_eq!(convention.services.len(), SERVICES_MAX);
    assert_eq!(
        lines(&convention),
        [
            "SERVICE_90_NAME: z is beyond the 64 services of a container",
            "SERVICE_91_NAME: late is beyond the 64 services of a container",
        ]
    );
}

#[test]
fn a_key_beyond_the_data_limit_is_refused_and_smaller_ones_stay() {
    let huge = format!("SERVICE_80_NAME={}", "a".repeat(DATA_OCTETS_MAX));
    let convention = parse_env(&[&huge, NEIGHBOUR]);
    assert_eq!(
        lines(&convention),
        ["SERVICE_80_NAME: is beyond the 16384 octets of SERVICE_ data of a container"]
    );
    assert_eq!(convention.services, parse_env(&[NEIGHBOUR]).services);
    // To the last octet it is read.
    let key = "SERVICE_80_NAME";
    for (octets, fits) in [(DATA_OCTETS_MAX, true), (DATA_OCTETS_MAX + 1, false)] {
        let convention = parse_env(&[&format!("{key}={}", "a".repeat(octets - key.len()))]);
        assert_eq!(lines(&convention)[0].contains("beyond"), !fits, "{octets}");
    }
    // Another application's data does not count.
    let foreign = format!("SERVICE_ACCOUNT_JSON={}", "a".repeat(DATA_OCTETS_MAX));
    assert_eq!(parse_env(&[&foreign, NEIGHBOUR]), parse_env(&[NEIGHBOUR]));
}

#[test]
fn a_flood_of_bad_keys_is_counted_rather_than_told() {
    let env: Vec<String> = (1..=1_000).map(|port| format!("SERVICE_{port}_NMAE=x")).collect();
    let convention = parse(env.iter().map(String::as_str).chain([NEIGHBOUR]), [], &scope());
    assert_eq!(convention.bad_keys.len(), BAD_KEYS_MAX + 1);
    assert_eq!(lines(&convention)[BAD_KEYS_MAX], "SERVICE_*: 936 more bad keys");
    assert_eq!(convention.services.len(), 1);
}

#[test]
fn long_keys_and_values_are_cut() {
    let key = format!("SERVICE_80_{}\n", "X".repeat(10_000));
    let value = "v".repeat(10_000);
    let convention = parse_env(&[
        &format!("{key}=1"),
        &format!("SERVICE_81_NAME=*{value}"),
        &format!("SERVICE_{}_NAME=x", "9".repeat(10_000)),
    ]);
    assert_eq!(convention.bad_keys.len(), 3);
    for line in lines(&convention) {
        assert!(line.len() < 260 && !line.contains('\n'), "{line}");
    }
}

#[test]
fn no_message_or_debug_shows_another_value() {
    let env = [
        "DATABASE_PASSWORD=canary-password",
        "SERVICE_URL=http://canary-url",
        "SERVICE_ACCOUNT_KEY=canary-account",
        "SERVICE_80_PASSWORD=canary-unknown-key",
        "SERVICE_080_NAME=canary-bad-port",
        "SERVICE_81_WEIGHT=canary-without-name",
        "SERVICE_82_NAME=*",
        "SERVICE_82_WEIGHT=300",
        "AWS_SECRET_ACCESS_KEY=canary-aws",
        "canary-without-equals",
        NEIGHBOUR,
    ];
    let labels = [("org.example.token", "canary-label"), ("service_80_token", "canary-label-of-port")];
    let convention = parse(env, labels, &scope());
    assert!(convention.bad_keys.len() >= 6);
    let everything = format!("{convention:?} {}", lines(&convention).join("\n"));
    assert!(!everything.contains("canary"), "{everything}");
}

/// Keys near the grammar, so that random ones reach beyond its first check. Of some there are so few that one comes
/// twice, or differs from another in case alone.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => "SERVICE_[0-9]{1,6}_(NAME|ALL|A|WEIGHT|TTL|CHECK|CHECK_HTTPS?|CHECK_HOST|CHECK_STATUS|CHECK_INTERVAL|CHECK_TIMEOUT)",
        1 => "SERVICE_8[01]_(NAME|ALL|A)",
        1 => "SERVICE_(IGNORE|URL|80_IGNORE|80_[A-Z_]{0,12})",
        4 => "(SERVICE|SERVICE|Service)_(80|080|8[aA]|8\u{fffd})_(NAME|NAmE|ALL|A|IGNORE|ignore|TOKEN)",
        1 => ".*",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "(_?[a-zA-Z0-9-]{1,6}\\.){0,3}(_tcp|_udp|[a-z0-9]{1,12})",
        "(wpad|a|[nN][sS][0-9]?|localhost)(\\.(localhost|_msdcs|_tcp|b)){0,2}",
        "[_a-z0-9.,@*\\\\ ]{0,20}",
        "[0-9.]{0,5}(ms|s|m)?",
        "(tcp|none|docker|/[ -~]{0,9}|[a-z]{1,5}(:[0-9]{0,5})?|([2-5][0-9]{2}[-,]){0,3}[1-6][0-9]{2}|ip-[0-9]{1,3}-0-0-1|i-[0-9a-f]{8}|yes|no)",
        ".*",
    ]
}

/// Now and then one without `=`, which takes a variable out.
fn entries() -> impl Strategy<Value = Vec<String>> {
    let set = (key(), value()).prop_map(|(key, value)| format!("{key}={value}"));
    prop::collection::vec(prop_oneof![9 => set, 1 => key()], 0..12)
}

fn labels() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((key(), value()), 0..12)
}

fn read(env: &[String], labels: &[(String, String)]) -> Convention {
    let labels = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    parse(env.iter().map(String::as_str), labels, &scope())
}

fn variable(entry: &str) -> &str {
    entry.split('=').next().unwrap_or_default()
}

/// The last of each key.
fn last_of_each<T: Clone>(entries: &[T], key: impl Fn(&T) -> String) -> Vec<T> {
    let last: BTreeMap<String, T> = entries.iter().map(|entry| (key(entry), entry.clone())).collect();
    last.into_values().collect()
}

fn once_a_variable(env: &[String]) -> Vec<String> {
    last_of_each(env, |entry| variable(entry).to_owned())
}

/// A label's key has no case.
fn once_a_label(labels: &[(String, String)]) -> Vec<(String, String)> {
    last_of_each(labels, |(key, _)| key.to_ascii_uppercase())
}

fn shuffled<T: Clone + std::fmt::Debug>(entries: Vec<T>) -> impl Strategy<Value = (Vec<T>, Vec<T>)> {
    (Just(entries.clone()), Just(entries).prop_shuffle())
}

/// A second opinion of the grammar, which shares nothing with the parser.
fn is_publishable(name: &str) -> bool {
    let Some(relative) = name.strip_suffix(&format!(".{ZONE}")) else { return false };
    let labels: Vec<&str> = relative.split('.').collect();
    let hex = |text: &str| text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    let address = labels.len() == 1
        && ((relative.len() == 12 && hex(relative))
            || relative.strip_prefix("i-").is_some_and(|id| [8, 17].contains(&id.len()) && hex(id)));
    let service =
        !relative.starts_with('_') || labels[1..].iter().any(|label| ["_tcp", "_udp"].contains(label));
    let number = relative.trim_start_matches("ns");
    let trusted = labels.iter().any(|label| ["localhost", "_msdcs"].contains(label))
        || ["wpad", "isatap"].contains(&labels[0])
        || (relative.len() == number.len() + 2 && number.chars().all(|c| c.is_ascii_digit()));
    name.len() <= 253
        && !address
        && !trusted
        && service
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
        })
}

proptest! {
    #[test]
    fn what_is_accepted_satisfies_an_independent_grammar(env in entries()) {
        let convention = parse(env.iter().map(String::as_str), [], &scope());
        for service in &convention.services {
            prop_assert!(is_publishable(service.name.as_str()), "{}", service.name);
            let is_host_name = !service.name.as_str().split('.').any(|label| {
                label.starts_with(['_', '-']) || label.ends_with('-') || label.contains('_')
            });
            prop_assert!(service.answer != Answer::Address || is_host_name, "{}", service.name);
            let clashes = |other: &Service| other.name == service.name && other.answer != service.answer;
            let is_srv = |service: &Service| service.answer != Answer::Address;
            prop_assert!(!convention.services.iter().any(|other| is_srv(other) && is_srv(service) && clashes(other)));
            prop_assert!(service.ttl <= 86_400 && service.container_port > 0);
            prop_assert!(service.timing.timeout <= service.timing.interval);
        }
        for line in lines(&convention) {
            prop_assert!(line.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}", line);
        }
    }

    #[test]
    fn the_order_of_different_keys_does_not_matter(
        (env, shuffled_env) in entries().prop_flat_map(|env| shuffled(once_a_variable(&env))),
        (labels, shuffled_labels) in labels().prop_flat_map(|labels| shuffled(once_a_label(&labels))),
    ) {
        prop_assert_eq!(read(&env, &labels), read(&shuffled_env, &shuffled_labels));
    }

    #[test]
    fn a_key_that_is_given_again_later_counts_as_if_it_had_been_given_once(env in entries(), labels in labels()) {
        let convention = read(&env, &labels);
        prop_assert_eq!(&convention, &read(&once_a_variable(&env), &labels));
        prop_assert_eq!(&convention, &read(&env, &once_a_label(&labels)));
    }

    #[test]
    fn a_label_that_the_environment_has_too_counts_as_if_it_were_not_there(env in entries(), labels in labels()) {
        let env: Vec<String> = once_a_variable(&env);
        let has = |upper: &str| env.iter().any(|entry| entry.contains('=') && variable(entry) == upper);
        let rest: Vec<_> = labels.iter().filter(|(key, _)| !has(&key.to_ascii_uppercase())).cloned().collect();
        prop_assert_eq!(read(&env, &labels), read(&env, &rest));
    }

    #[test]
    fn each_bad_key_is_told_once(env in entries(), labels in labels()) {
        // In lower case it is no key of the environment, and one of a label.
        let differs = |(key, _): &&(String, String)| env.iter().all(|entry| variable(entry) != key);
        let labels: Vec<_> = labels.iter().filter(differs).cloned().collect();
        let bad_keys = read(&env, &labels).bad_keys;
        let whole: Vec<_> = bad_keys.iter().map(|bad| &bad.key).filter(|key| !key.ends_with("...")).collect();
        prop_assert!(whole.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", whole);
    }

    #[test]
    fn any_environment_and_any_zone_are_read_without_panic(env in prop::collection::vec(".*", 0..8), zone in ".*", host in ".*") {
        let labels = env.iter().filter_map(|entry| entry.split_once('='));
        parse(env.iter().map(String::as_str), labels, &Scope::new(&zone, &host));
    }
}
