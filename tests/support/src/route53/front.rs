//! A front before a Route 53, the emulator's or a model's: it counts what is asked, keeps the batches, and can
//! come between a request and its answer, so that a test knows exactly where an agent is.

use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};

use ecssd::record::{Action, Change};

use super::faults::denial;
use super::hosted::emulator;
use super::wire;
use crate::http::{Request, listen, say, written};
use crate::wait::PATIENCE;

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
    /// Passes it on, and says of a change that it is still on its way to name servers; the emulator has its own mind.
    Pend,
    /// Passes it on, and says of a change that it is everywhere.
    Spread,
    /// Keeps it until [`Front::cut`]; it never reaches the emulator.
    HoldBefore,
    /// Passes it on, and keeps the answer until [`Front::cut`]; it never reaches the agent.
    HoldAfter,
}

/// A request that was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its place among all, from 0.
    pub number: usize,
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

type Rule = Box<dyn FnMut(&Seen) -> Act + Send>;

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    /// How many requests there have been.
    count: usize,
    cut: bool,
}

#[derive(Clone)]
pub struct Front {
    pub url: String,
    /// With a lock of its own: it may want to see, or change, what is there.
    rule: Arc<Mutex<Rule>>,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Front {
    /// Before the emulator.
    pub fn start() -> Self {
        let emulator = emulator();
        Self::before(move |request| request.pass_on(&emulator).ok())
    }

    /// Before whatever answers like this.
    pub fn before(behind: impl Fn(&Request) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let rule: Rule = Box::new(|_| Act::Pass);
        let mut front = Self { url: String::new(), rule: Arc::new(Mutex::new(rule)), state: Arc::default() };
        let serving = front.clone();
        front.url = listen(move |request, stream| serving.hear(request, stream, &behind));
        front
    }

    /// What is done with requests from now on.
    pub fn rule(&self, rule: impl FnMut(&Seen) -> Act + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// Does this with every request of a kind, and passes the others.
    pub fn on(&self, kind: Kind, act: Act) {
        self.rule(move |seen| if seen.kind == kind { act.clone() } else { Act::Pass });
    }

    /// Passes everything again, and closes what is held without an answer.
    pub fn cut(&self) {
        self.rule(|_| Act::Pass);
        let (state, changed) = &*self.state;
        state.lock().unwrap().cut = true;
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

    fn hear(
        &self,
        request: &Request,
        stream: &mut TcpStream,
        behind: &dyn Fn(&Request) -> Option<Vec<u8>>,
    ) -> io::Result<bool> {
        let seen = self.note(request);
        let answer = match &seen.act {
            Act::Pass => behind(request),
            Act::Pend => behind(request).map(|answer| told(answer, ">INSYNC<", ">PENDING<")),
            Act::Spread => behind(request).map(|answer| told(answer, ">PENDING<", ">INSYNC<")),
            Act::Throttle => refusal(400, "Throttling", "Rate exceeded"),
            Act::Deny => refusal(403, "AccessDenied", &denial("ChangeResourceRecordSets")),
            Act::Reject(reason) => refusal(400, "InvalidChangeBatch", &format!("[{reason}]")),
            Act::HoldBefore => return Ok(self.wait_for_cut(seen.number)),
            Act::HoldAfter => {
                behind(request);
                return Ok(self.wait_for_cut(seen.number));
            }
        };
        let Some(answer) = answer else { return Ok(false) };
        let goes_on = say(stream, &answer)?;
        self.answered(seen.number);
        Ok(goes_on)
    }

    fn note(&self, request: &Request) -> Seen {
        let target = request.target();
        let kind = match (request.method(), target.contains("/rrset"), target.contains("/change/")) {
            (_, false, true) => Kind::Status,
            ("POST", true, _) => Kind::Change,
            (_, true, _) => Kind::List,
            _ => Kind::Zones,
        };
        let changes = if kind == Kind::Change { wire::read_batch(&request.body) } else { Vec::new() };
        let (state, changed) = &*self.state;
        let mut seen = Seen { number: 0, kind, changes, act: Act::Pass, answered: false };
        {
            let mut state = state.lock().unwrap();
            seen.number = state.count;
            state.count += 1;
            state.seen.push(seen.clone());
        }
        // Judged one after another, so that a rule may count; without the state's lock, so that it may look.
        seen.act = (self.rule.lock().unwrap())(&seen);
        let mut state = state.lock().unwrap();
        if matches!(seen.act, Act::HoldBefore | Act::HoldAfter) {
            state.cut = false;
        }
        if let Some(noted) = state.seen.iter_mut().find(|noted| noted.number == seen.number) {
            noted.act = seen.act.clone();
        }
        changed.notify_all();
        seen
    }

    fn answered(&self, number: usize) {
        let (state, changed) = &*self.state;
        if let Some(seen) = state.lock().unwrap().seen.iter_mut().find(|seen| seen.number == number) {
            seen.answered = true;
        }
        changed.notify_all();
    }

    /// Keeps a request until it is cut off: there is no answer.
    fn wait_for_cut(&self, number: usize) -> bool {
        self.answered(number);
        let (state, changed) = &*self.state;
        drop(changed.wait_while(state.lock().unwrap(), |state| !state.cut).unwrap());
        false
    }
}

/// An answer in which one word stands for another.
fn told(answer: Vec<u8>, of: &str, instead: &str) -> Vec<u8> {
    let text = String::from_utf8(answer).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    written(&(200, "text/xml", body.replace(of, instead)))
}

fn refusal(status: u16, code: &str, message: &str) -> Option<Vec<u8>> {
    let (status, xml) = wire::error(status, code, message);
    Some(written(&(status, "text/xml", xml)))
}
