//! As much HTTP as tests need, plain and blocking: requests as they come and go, and a server.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method, target and version.
    pub line: String,
    pub headers: Vec<String>,
    pub body: String,
}

impl Request {
    pub fn method(&self) -> &str {
        self.line.split(' ').next().unwrap()
    }

    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }

    /// The next one of a connection; `None` at its end.
    pub fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let (mut headers, mut length) = (Vec::new(), 0);
        loop {
            let mut header = String::new();
            if from.read_line(&mut header)? == 0 {
                return Ok(None);
            }
            let header = header.trim_end().to_owned();
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
            headers.push(header);
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(Some(Self { line: line.trim_end().to_owned(), headers, body: String::from_utf8(body).unwrap() }))
    }

    /// Puts it to somebody else, and returns the whole answer.
    pub fn pass_on(&self, authority: &str) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(authority)?;
        let connection = |header: &&String| header.to_ascii_lowercase().starts_with("connection:");
        let kept = self.headers.iter().filter(|header| !connection(header)).cloned();
        let lines: Vec<String> =
            [self.line.clone()].into_iter().chain(kept).chain(["Connection: close".into()]).collect();
        stream.write_all(format!("{}\r\n\r\n{}", lines.join("\r\n"), self.body).as_bytes())?;
        let mut answer = Vec::new();
        BufReader::new(stream).read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// Asks, and returns status and body.
pub fn ask(authority: &str, method: &str, target: &str, body: &str) -> (u16, String) {
    let headers = vec![format!("Host: {authority}"), format!("Content-Length: {}", body.len())];
    let request = Request { line: format!("{method} {target} HTTP/1.1"), headers, body: body.to_owned() };
    let answer = String::from_utf8(request.pass_on(authority).unwrap()).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A status, a content type, and a body.
pub type Answer = (u16, &'static str, String);

/// The same, as it is sent.
pub fn written((status, kind, body): &Answer) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    (head + body).into_bytes()
}

/// Serves until the process ends: each request to a function, each answer back. Returns the URL.
pub fn serve(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> String {
    listen(move |request, stream| say(stream, &written(&answer(request))))
}

/// The value of a header.
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut fields = request.headers.iter().filter_map(|header| header.split_once(':'));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Writes an answer. Whether the conversation goes on after it.
pub fn say(stream: &mut impl Write, answer: &[u8]) -> io::Result<bool> {
    stream.write_all(answer)?;
    let head = String::from_utf8_lossy(&answer[..answer.len().min(1_024)]).to_ascii_lowercase();
    Ok(!head.contains("connection: close"))
}

/// Listens until the process ends; whoever hears a request answers, and says whether there may be another.
/// Returns the URL.
pub fn listen(hear: impl Fn(&Request, &mut TcpStream) -> io::Result<bool> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hear = Arc::new(hear);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, hear) = (stream.unwrap(), Arc::clone(&hear));
            // Whoever hangs up has read enough.
            std::thread::spawn(move || drop(converse(stream, &*hear)));
        }
    });
    url
}

fn converse(
    mut stream: TcpStream,
    hear: &dyn Fn(&Request, &mut TcpStream) -> io::Result<bool>,
) -> io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    while let Some(request) = Request::read(&mut requests)? {
        if !hear(&request, &mut stream)? || header(&request, "connection") == Some("close") {
            break;
        }
    }
    Ok(())
}
