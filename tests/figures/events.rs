//! The engine's own events, with its own times.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// When what first happened to which container, from the moment of subscribing on, by this host's clock: the engine
/// stamps its events with the same one.
#[derive(Clone, Debug)]
pub struct Events(Arc<Mutex<BTreeMap<(String, String), SystemTime>>>);

impl Events {
    /// Follows the engine until this process ends.
    pub fn follow(socket: &str) -> Self {
        let mut stream = UnixStream::connect(socket).unwrap();
        // HTTP/1.0, so that the answer comes as it is, without chunks.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        write!(stream, "GET /events?since={since} HTTP/1.0\r\nHost: docker\r\n\r\n").unwrap();
        let events = Self(Arc::default());
        let writer = events.clone();
        std::thread::spawn(move || {
            let lines = BufReader::new(stream).lines().map(|line| line.expect("the engine's events"));
            for line in lines.skip_while(|line| !line.is_empty()).skip(1) {
                writer.note(&serde_json::from_str(&line).expect("an event in JSON"));
            }
        });
        events
    }

    /// When this happened to this container, once it did.
    pub fn time(&self, container: &str, action: &str) -> Option<SystemTime> {
        self.0.lock().unwrap().get(&(container.to_owned(), action.to_owned())).copied()
    }

    fn note(&self, event: &Value) {
        let fields = (event["Actor"]["ID"].as_str(), event["Action"].as_str(), event["timeNano"].as_u64());
        if let (Some(id), Some(action), Some(nanos)) = fields {
            let key = (id.to_owned(), action.to_owned());
            self.0.lock().unwrap().entry(key).or_insert_with(|| UNIX_EPOCH + Duration::from_nanos(nanos));
        }
    }
}
