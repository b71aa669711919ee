//! Credentials that are renewed while the program runs: in a file, and by a process that prints them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use tempfile::TempDir;

use crate::PATIENCE;

const ZONE: &str = r#"<?xml version="1.0"?>
<GetHostedZoneResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZone><Id>/hostedzone/Z1</Id>
<Name>sd.internal.</Name><CallerReference>r</CallerReference><Config><PrivateZone>true</PrivateZone></Config>
<ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone><VPCs><VPC><VPCRegion>us-east-1</VPCRegion>
<VPCId>vpc-1</VPCId></VPC></VPCs></GetHostedZoneResponse>"#;
const EMPTY: &str = r#"<?xml version="1.0"?>
<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets/>
<IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"#;
const EXPIRED: &str = r#"<?xml version="1.0"?>
<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type>
<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error>
<RequestId>1</RequestId></ErrorResponse>"#;

/// An API that shows its zone to anybody and lists it to the key `NEW` alone; which key each list was asked with.
fn api() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, keys) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            thread::spawn(move || serve(stream, &sender));
        }
    });
    (url, keys)
}

fn serve(stream: TcpStream, sender: &mpsc::Sender<String>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut target, mut key, mut length) = (None, String::new(), 0);
        for line in stream.by_ref().lines() {
            let line = line.ok().filter(|line| !line.is_empty());
            let Some(line) = line else { break };
            let lower = line.to_ascii_lowercase();
            if let Some((_, credential)) = line.split_once("Credential=") {
                key = credential.split('/').next().unwrap_or_default().to_owned();
            } else if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            target.get_or_insert(line);
        }
        let target = target?;
        std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).ok()?;
        let (status, body) = match (target.contains("/rrset"), key.as_str()) {
            (false, _) => (200, ZONE),
            (true, "NEW") => (200, EMPTY),
            (true, _) => (403, EXPIRED),
        };
        if target.contains("/rrset") {
            let _ = sender.send(key);
        }
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.get_mut().write_all(answer.as_bytes()).ok()?;
    }
}

/// Takes out all records of a host that has none, which wants a list of the zone; renews the key when the first
/// list was refused. `sources` makes the configuration's files of a directory.
fn removes_with_a_renewed_key(sources: impl Fn(&TempDir, &str) -> Vec<(&'static str, String)>) {
    let (url, keys) = api();
    let dir = TempDir::new().unwrap();
    let variables = sources(&dir, "OLD");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecssd"));
    command.args([
        "sd.internal",
        "--zone-id",
        "Z1",
        "--remove",
        "--hostname",
        "web1",
        "--address",
        "10.0.0.7",
    ]);
    command.args(["--endpoint-url", &url, "--state-dir", dir.path().join("state").to_str().unwrap()]);
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nowhere");
    // An empty region is none.
    command.env("AWS_REGION", "");
    command.env("PATH", std::env::var_os("PATH").unwrap()).envs(variables);
    let mut removal = command.spawn().unwrap();
    assert_eq!(keys.recv_timeout(PATIENCE).as_deref(), Ok("OLD"));
    sources(&dir, "NEW");
    let ended = removal.wait().unwrap();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(keys.iter().find(|key| key == "NEW").as_deref(), Some("NEW"));
}

#[test]
fn a_key_that_is_renewed_in_a_file_is_used() {
    removes_with_a_renewed_key(|dir, key| {
        let file = dir.path().join("credentials");
        fs::write(&file, format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n"))
            .unwrap();
        vec![("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap().to_owned())]
    });
}

#[test]
fn a_key_that_a_process_prints_anew_is_used() {
    removes_with_a_renewed_key(|dir, key| {
        let (config, printed) = (dir.path().join("config"), dir.path().join("printed"));
        fs::write(&printed, format!(r#"{{"Version": 1, "AccessKeyId": "{key}", "SecretAccessKey": "s"}}"#))
            .unwrap();
        fs::write(&config, format!("[default]\ncredential_process = cat {}\n", printed.display())).unwrap();
        vec![("AWS_CONFIG_FILE", config.to_str().unwrap().to_owned())]
    });
}
