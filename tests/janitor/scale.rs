//! A zone of 10,000 records, 1,000 hosts of which 100 are dead, 40 ms a call: the program itself, in a process of
//! its own, with the true wait between its inspections. Calls are counted; time and memory are told.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ecssd_testing::spec;
use serde_json::Value;

use crate::ecs::{Ecs, Task};
use crate::route53::Route53;
use crate::scene::{docker_id, host_record, srv};

/// So long that a value has 57 characters, as the longest of EC2's own names make it.
const ZONE: &str = "names.eu-central-1.internal";
const HOSTS: u64 = 1_000;
const DEAD: u64 = 100;
const TASKS_PER_HOST: u64 = 9;
/// Host records, service records, and the zone's own two make 10,000.
const RECORDS: u64 = 10_000;
const DELAY: Duration = Duration::from_millis(40);

fn is_dead(host: u64) -> bool {
    host.is_multiple_of(HOSTS / DEAD)
}

fn host(n: u64) -> String {
    format!("i-{n:017x}")
}

#[test]
fn ten_thousand_records_take_34_calls_a_look_and_few_to_sweep() {
    let (route53, ecs) = (Route53::start(ZONE, DELAY), Ecs::slow(DELAY));
    let ec2 = crate::ec2::Ec2::default();
    let mut sets = Vec::new();
    for n in 0..HOSTS {
        let is_dead = is_dead(n);
        let address = format!("10.{}.{}.{}", n / 65_536, n / 256 % 256, n % 256);
        let state = if is_dead { "terminated" } else { "running" };
        ec2.instances.lock().unwrap().push((host(n), state, address.clone()));
        sets.push(host_record(ZONE, &host(n), &address));
        ecs.host(if n.is_multiple_of(2) { "blue" } else { "green" }, &host(n));
    }
    let services = RECORDS - 2 - HOSTS;
    let mut dead = 0;
    for n in 0..services {
        let (on, number) = (n / TASKS_PER_HOST, n % 100);
        let (host, is_dead) = (host(on), is_dead(on));
        dead += usize::from(is_dead);
        let (container, port) = (docker_id(n + 1), 32_768 + u16::try_from(n % 9).unwrap());
        let service = format!("_s{number}._tcp");
        sets.push(srv(ZONE, &service, &host, &container, port));
        let cluster = if on.is_multiple_of(2) { "blue" } else { "green" };
        ecs.define(&service, "bridge", &service);
        let task = Task {
            definition: service,
            host: Some(host),
            status: if is_dead { "STOPPED" } else { "RUNNING" },
            container,
            binding: Some((80, port)),
            address: None,
        };
        ecs.task(cluster, task);
    }
    let length = sets.last().unwrap().values[0].len();
    assert_eq!(length, 57);
    route53.create(sets);

    let began = Instant::now();
    let mut command = Command::new(program());
    command.env_clear().args([ZONE, "--janitor", "--apply", "--json", "--log-level", "warn"]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    command.env("AWS_ENDPOINT_URL_ROUTE_53", &route53.url).env("AWS_ENDPOINT_URL_ECS", &ecs.url);
    command.env("AWS_ENDPOINT_URL_EC2", ec2.start(DELAY));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory_kb(&status).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!(
        "{peak} kB at most, {:.1} s in all; {}, {}",
        began.elapsed().as_secs_f64(),
        summary["seconds"],
        summary["calls"]
    );
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert_eq!(summary["records"], RECORDS - 2 + 2, "its own two are of types that lists may have");
    assert_eq!(summary["verdicts"]["delete"]["HostTerminated"], dead);
    let (lists, batches) = route53.counts();
    spec::judge("janitor-reads", lists as f64 / 2.0, "calls");
    // How many hosts there are goes along.
    assert_eq!(dead, 900);
    spec::judge("janitor-deletes", batches.len() as f64, "calls");
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), dead + 1);
    let left = route53.marks();
    assert_eq!(left.len(), usize::try_from(RECORDS).unwrap() - 2 - dead);
}

/// The program under test, or another build of it.
pub fn program() -> PathBuf {
    std::env::var_os("ECSSD_TEST_AGENT").map_or_else(|| env!("CARGO_BIN_EXE_ecssd").into(), PathBuf::from)
}

pub fn peak_memory_kb(status: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
