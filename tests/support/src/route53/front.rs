//! A front between an agent and the emulator: it counts what is asked, keeps the batches, and can come
//! between a request and its answer, so that a test knows exactly where an agent is.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use ecssd::record::{Action, Change};

use super::hosted::{emulator, read_changes};
use crate::agent::PATIENCE;
use crate::http::Request;

/// What is asked of Route 53.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ChangeResourceRecordSets`.
    Change,
    /// `ListResourceRecordSets`.
    List,
    /// `GetChange`.
    Status,
    /// Anything about zones.
    Zones,
}

/// What the front does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Passes it on, and the answer back.
    Pass,
    /// Says that the account's rate is used up.
    Throttle,
    /// Says that this host may not do it.
    Deny,
    /// Refuses the batch, for this reason.
    Reject(String),
    /// Keeps it until [`Front::cut`]; it never reaches the emulator.
    HoldBefore,
    /// Passes it on, and keeps the answer until [`Front::cut`]; it never reaches the agent.
    HoldAfter,
}

/// A request that was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    number: usize,
    pub kind: Kind,
    pub changes: Vec<Change>,
    pub act: Act,
    /// Whether the answer was passed back, or the request is where it is held.
    pub answered: bool,
}

/// How much was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub changes: usize,
    pub lists: usize,
    /// What the changes count against the account's rate of changes: an UPSERT twice.
    pub cost: usize,
}

type Rule = Box<dyn Fn(&Seen) -> Act + Send>;

struct State {
    rule: Rule,
    seen: Vec<Seen>,
    /// How many requests there have been.
    count: usize,
    cut: bool,
}

#[derive(Clone)]
pub struct Front {
    pub url: String,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Front {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State { rule: Box::new(|_| Act::Pass), seen: Vec::new(), count: 0, cut: false };
        let front = Self { url, state: Arc::new((Mutex::new(state), Condvar::new())) };
        let (serving, emulator) = (front.clone(), emulator());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (front, emulator) = (serving.clone(), emulator.clone());
                // An agent that was killed leaves broken connections.
                std::thread::spawn(move || drop(front.serve(stream.unwrap(), &emulator)));
            }
        });
        front
    }

    /// What is done with requests from now on.
    pub fn rule(&self, rule: impl Fn(&Seen) -> Act + Send + 'static) {
        self.state.0.lock().unwrap().rule = Box::new(rule);
    }

    /// Does this with every request of a kind, and passes the others.
    pub fn on(&self, kind: Kind, act: Act) {
        self.rule(move |seen| if seen.kind == kind { act.clone() } else { Act::Pass });
    }

    /// Passes everything again, and closes what is held without an answer.
    pub fn cut(&self) {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        state.rule = Box::new(|_| Act::Pass);
        state.cut = true;
        changed.notify_all();
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.0.lock().unwrap().seen.clone()
    }

    /// Waits until the requests seen are as `enough` wants them.
    pub fn wait_for(&self, what: &str, enough: impl Fn(&[Seen]) -> bool) {
        let (state, changed) = &*self.state;
        let guard = state.lock().unwrap();
        let (guard, timeout) =
            changed.wait_timeout_while(guard, PATIENCE, |state| !enough(&state.seen)).unwrap();
        assert!(!timeout.timed_out(), "the front waited in vain for {what}: {:#?}", guard.seen);
    }

    /// Counts from here on.
    pub fn forget(&self) {
        self.state.0.lock().unwrap().seen.clear();
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for seen in self.seen() {
            match seen.kind {
                Kind::Change => counts.changes += 1,
                Kind::List => counts.lists += 1,
                Kind::Status | Kind::Zones => {}
            }
            let cost = |change: &Change| if change.action == Action::Upsert { 2 } else { 1 };
            counts.cost += seen.changes.iter().map(cost).sum::<usize>();
        }
        counts
    }

    /// All changes that were asked for, batch by batch.
    pub fn batches(&self) -> Vec<Vec<Change>> {
        let of = |seen: Seen| (seen.kind == Kind::Change).then_some(seen.changes);
        self.seen().into_iter().filter_map(of).collect()
    }

    fn serve(&self, mut stream: TcpStream, emulator: &str) -> std::io::Result<()> {
        let Some(request) = Request::read(&mut BufReader::new(stream.try_clone()?))? else { return Ok(()) };
        let seen = self.note(&request);
        let answer = match &seen.act {
            Act::Pass => request.pass_on(emulator)?,
            Act::Throttle => refusal(400, "Throttling", "Rate exceeded"),
            Act::Deny => refusal(
                403,
                "AccessDenied",
                "User: arn:aws:sts::111122223333:assumed-role/hosts/i-0a is not authorized to perform: \
                 route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1",
            ),
            Act::Reject(reason) => refusal(400, "InvalidChangeBatch", &format!("[{reason}]")),
            Act::HoldBefore => return self.wait_for_cut(seen.number),
            Act::HoldAfter => {
                request.pass_on(emulator)?;
                return self.wait_for_cut(seen.number);
            }
        };
        stream.write_all(&answer)?;
        self.answered(seen.number);
        Ok(())
    }

    fn note(&self, request: &Request) -> Seen {
        let target = request.target();
        let kind = match (request.method(), target.contains("/rrset"), target.contains("/change/")) {
            (_, false, true) => Kind::Status,
            ("POST", true, _) => Kind::Change,
            (_, true, _) => Kind::List,
            _ => Kind::Zones,
        };
        let changes = read_changes(&request.body);
        let mut state = self.state.0.lock().unwrap();
        let mut seen = Seen { number: state.count, kind, changes, act: Act::Pass, answered: false };
        seen.act = (state.rule)(&seen);
        if matches!(seen.act, Act::HoldBefore | Act::HoldAfter) {
            state.cut = false;
        }
        state.count += 1;
        state.seen.push(seen.clone());
        self.state.1.notify_all();
        seen
    }

    fn answered(&self, number: usize) {
        let (state, changed) = &*self.state;
        if let Some(seen) = state.lock().unwrap().seen.iter_mut().find(|seen| seen.number == number) {
            seen.answered = true;
        }
        changed.notify_all();
    }

    fn wait_for_cut(&self, number: usize) -> std::io::Result<()> {
        self.answered(number);
        let (state, changed) = &*self.state;
        drop(changed.wait_while(state.lock().unwrap(), |state| !state.cut).unwrap());
        Ok(())
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Vec<u8> {
    let body = format!(
        "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    format!(
        "HTTP/1.1 {status} Refused\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
