//! HTTP on a port of this machine: each request to a function, each answer back.

use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

use crate::http::Request;

/// A status, a content type, and a body.
pub type Answer = (u16, &'static str, String);

/// Serves until the process ends; returns the URL.
pub fn serve(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                // Whoever hangs up has read enough.
                while let Ok(Some(request)) = Request::read(&mut reader) {
                    let (status, kind, body) = answer(&request);
                    let head = format!(
                        "HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// The value of a header.
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let field = |header: &'a String| header.split_once(':');
    let mut fields = request.headers.iter().filter_map(field);
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
