//! A Docker engine that does as it is told: the four GETs that the agent sends, answered on a unix socket.
//!
//! Owns what it says of its containers, and counts what it is asked. It tells of events what Docker would after
//! the agent's filter, and waits until the agent has taken them, where Docker would drop some.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::docker::engine::Engine as Reached;
use crate::http::{Request, written};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;

/// Of the API; any that the agent's library speaks.
const VERSION: &str = "1.47";

/// An engine and its socket.
#[derive(Debug)]
pub struct Engine {
    told: Arc<Mutex<Told>>,
    streams: Arc<Mutex<Vec<UnixStream>>>,
    dir: TempDir,
}

#[derive(Debug, Default)]
struct Told {
    containers: BTreeMap<String, Container>,
    /// How often each container was looked at.
    looks: BTreeMap<String, usize>,
    /// The time of the latest event: no two have the same.
    latest: i64,
    /// How many octets of labels a container has, where it has some.
    labels: BTreeMap<String, usize>,
    /// Of so many answers one is a failure; none is, where this is 0.
    fails_one_in: usize,
    answers: usize,
}

#[derive(Debug)]
struct Container {
    image: String,
    environment: Vec<String>,
    ports: Vec<(u16, u16)>,
    /// What its HEALTHCHECK says, if it has one.
    health: Option<&'static str>,
    running: bool,
    started_at: i64,
    /// The end of the life before, or of this one.
    finished_at: Option<i64>,
}

/// What a container asks for, and where Docker publishes which of its ports.
#[derive(Debug)]
pub struct Image<'a> {
    pub name: &'a str,
    pub environment: &'a [String],
    pub ports: &'a [(u16, u16)],
    pub health: Option<&'static str>,
}

impl Engine {
    pub fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let listener = UnixListener::bind(dir.path().join("docker.sock")).unwrap();
        let engine = Self { told: Arc::default(), streams: Arc::default(), dir };
        let (told, streams) = (engine.told.clone(), engine.streams.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (told, streams) = (told.clone(), streams.clone());
                // Whoever hangs up is not asked why.
                thread::spawn(move || serve(stream, &told, &streams));
            }
        });
        engine
    }

    /// How an agent finds it.
    pub fn socket(&self) -> Reached {
        Reached { socket: self.dir.path().join("docker.sock").to_str().unwrap().to_owned() }
    }

    /// Starts a container, or starts it again.
    pub fn run(&self, id: &str, image: &Image<'_>) {
        let started_at = self.next_moment();
        let mut told = self.told.lock().unwrap();
        let before = told.containers.remove(id);
        let container = Container {
            image: image.name.to_owned(),
            environment: image.environment.to_vec(),
            ports: image.ports.to_vec(),
            health: image.health,
            running: true,
            started_at,
            finished_at: before.and_then(|before| before.finished_at),
        };
        told.containers.insert(id.to_owned(), container);
        drop(told);
        self.tell(&[(id, "start")]);
    }

    /// Gives a container so many octets of labels.
    pub fn label(&self, id: &str, octets: usize) {
        self.told.lock().unwrap().labels.insert(id.to_owned(), octets);
    }

    /// From now on one of so many answers is a failure.
    pub fn fail_one_in(&self, answers: usize) {
        self.told.lock().unwrap().fails_one_in = answers;
    }

    /// A container's process ends by itself.
    pub fn die(&self, id: &str) {
        let ended = self.next_moment();
        let mut told = self.told.lock().unwrap();
        let container = told.containers.get_mut(id).unwrap();
        (container.running, container.finished_at) = (false, Some(ended));
        drop(told);
        self.tell(&[(id, "die")]);
    }

    /// It is removed, once it has ended.
    pub fn remove(&self, id: &str) {
        self.told.lock().unwrap().containers.remove(id);
        self.tell(&[(id, "destroy")]);
    }

    /// A container is asked to stop, and ends.
    pub fn stop(&self, id: &str) {
        self.tell(&[(id, "kill")]);
        self.die(id);
    }

    /// Tells these events, each an action of a container; returns once the agent's socket has taken them.
    pub fn tell(&self, events: &[(&str, &str)]) {
        let mut chunks = Vec::new();
        for (id, action) in events {
            let nanos = self.next_moment();
            let mut attributes = self.told.lock().unwrap().labels(id);
            if *action == "kill" {
                attributes["signal"] = json!("15");
            }
            // As from Docker, whose event it is comes before the labels.
            let actor = format!(r#"{{"ID":"{id}","Attributes":{attributes}}}"#);
            let time = format!(r#""time":{},"timeNano":{nanos}"#, nanos / 1_000_000_000);
            let line =
                format!("{{\"Type\":\"container\",\"Action\":\"{action}\",\"Actor\":{actor},{time}}}\n");
            write!(chunks, "{:x}\r\n{line}\r\n", line.len()).unwrap();
        }
        self.streams.lock().unwrap().retain_mut(|stream| stream.write_all(&chunks).is_ok());
    }

    /// How often a container was looked at.
    pub fn looks(&self, id: &str) -> usize {
        self.told.lock().unwrap().looks.get(id).copied().unwrap_or_default()
    }

    /// How many containers were looked at.
    pub fn looked_at(&self) -> usize {
        self.told.lock().unwrap().looks.len()
    }

    /// How many streams of events there are.
    pub fn streams(&self) -> usize {
        self.streams.lock().unwrap().len()
    }

    fn next_moment(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let mut told = self.told.lock().unwrap();
        told.latest = i64::try_from(now).unwrap().max(told.latest + 1);
        told.latest
    }
}

/// Answers one connection's requests, one after another, until it is hung up or becomes a stream of events.
fn serve(stream: UnixStream, told: &Mutex<Told>, streams: &Mutex<Vec<UnixStream>>) -> io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut answers = stream;
    while let Some(request) = Request::read(&mut requests)? {
        let path = request.target().split('?').next().unwrap_or_default();
        let path = path.strip_prefix(&format!("/v{VERSION}")).unwrap_or(path);
        if path == "/events" && request.target().contains("until=") {
            // It remembers nothing.
            answers.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")?;
            continue;
        }
        if path == "/events" {
            answers.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            streams.lock().unwrap().push(answers.try_clone()?);
            continue;
        }
        let (status, body) = match answer(path, &mut told.lock().unwrap()) {
            Some(Ok(body)) => (200, body),
            Some(Err(Failed)) => (500, json!({ "message": "out of sorts" })),
            None => (404, json!({ "message": "no such container" })),
        };
        answers.write_all(&written(&(status, "application/json", body.to_string())))?;
    }
    Ok(())
}

/// An answer that says no more than that there is none.
struct Failed;

fn answer(path: &str, told: &mut Told) -> Option<Result<Value, Failed>> {
    told.answers += 1;
    if told.fails_one_in > 0 && told.answers.is_multiple_of(told.fails_one_in) {
        return Some(Err(Failed));
    }
    if path == "/version" {
        return Some(Ok(json!({ "Version": "28.0.0", "ApiVersion": VERSION })));
    }
    let Some(id) = path.strip_prefix("/containers/")?.strip_suffix("/json") else {
        let running = told.containers.iter().filter(|(_, container)| container.running);
        return Some(Ok(running.map(|(id, container)| container.line(id, told.labels(id))).collect()));
    };
    *told.looks.entry(id.to_owned()).or_default() += 1;
    told.containers.get(id).map(|container| Ok(container.inspect(id, told.labels(id))))
}

impl Told {
    fn labels(&self, id: &str) -> Value {
        match self.labels.get(id) {
            Some(octets) => json!({ "load": "x".repeat(*octets) }),
            None => json!({}),
        }
    }
}

impl Container {
    fn line(&self, id: &str, labels: Value) -> Value {
        let health = self.health.map(|health| format!(" ({health})")).unwrap_or_default();
        let port = |(private, public): &(u16, u16)| json!({ "IP": "0.0.0.0", "PrivatePort": private, "PublicPort": public, "Type": "tcp" });
        json!({
            "Id": id, "State": "running", "Status": format!("Up 2 seconds{health}"),
            "Ports": self.ports.iter().map(port).collect::<Vec<_>>(), "Labels": labels,
        })
    }

    fn inspect(&self, id: &str, labels: Value) -> Value {
        let binding = |(private, public): &(u16, u16)| {
            let bound = json!([{ "HostIp": "0.0.0.0", "HostPort": public.to_string() }]);
            (format!("{private}/tcp"), bound)
        };
        let bound: Value = self.ports.iter().map(binding).collect::<serde_json::Map<_, _>>().into();
        json!({
            "Id": id,
            "Name": format!("/c{}", &id[id.len() - 4..]),
            "State": {
                "Status": if self.running { "running" } else { "exited" },
                "Running": self.running,
                "StartedAt": rfc3339(self.started_at),
                "FinishedAt": self.finished_at.map(rfc3339),
                "Health": self.health.map(|health| json!({ "Status": health })),
            },
            "HostConfig": { "NetworkMode": "default" },
            "Config": { "Image": self.image, "Env": self.environment, "Labels": labels },
            "NetworkSettings": { "Ports": if self.running { bound } else { json!({}) } },
        })
    }
}

fn rfc3339(nanos: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos.into()).unwrap();
    let (month, (hour, minute, second, nano)) = (u8::from(at.month()), at.to_hms_nano());
    format!("{}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{nano:09}Z", at.year(), at.day())
}
