//! A reply, and as much of it as a message may hold.
//!
//! Pure. What does not fit is left out by whole records: first of the additionals, which a client can ask for itself,
//! then of the answers, with the flag that says so (RFC 2181, section 9). A truncated reply is never empty where one
//! record fits: there are clients that do not ask again over TCP, and take an empty answer for "there is none".

use hickory_server::proto::op::{Edns, Metadata, Query, emit_message_parts};
use hickory_server::proto::rr::Record;
use hickory_server::proto::serialize::binary::BinEncoder;

use super::answer::Answer;

/// A whole reply, not yet on the wire.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) metadata: Metadata,
    /// As it was asked, its case kept. The names of the answers point to its name.
    pub(super) question: Option<Query>,
    pub(super) edns: Option<Edns>,
    pub(super) answer: Answer,
}

impl Reply {
    /// As much of it as goes into so many octets; `None` where not even the question does.
    pub(super) fn encode_within(mut self, octets_max: u16) -> Option<Vec<u8>> {
        let octets_max = usize::from(octets_max);
        let Answer { answers, authorities, additionals, .. } = &self.answer;
        let whole = [answers.len(), authorities.len(), additionals.len()];
        let fits = |reply: &Self, counts| reply.encode(counts).is_some_and(|bytes| bytes.len() <= octets_max);
        if fits(&self, whole) {
            return self.encode(whole);
        }
        let [answers, authorities, additionals] = whole;
        if fits(&self, [answers, authorities, 0]) {
            let fitting = most(additionals, |count| fits(&self, [answers, authorities, count]));
            return self.encode([answers, authorities, end_of_set(&self.answer.additionals, fitting)]);
        }
        self.metadata.truncation = true;
        let fitting = most(answers, |count| fits(&self, [count, 0, 0]));
        self.encode([fitting, 0, 0]).filter(|bytes| bytes.len() <= octets_max)
    }

    /// The message with so many answers, authorities and additionals. `None` where it cannot be put into 65,535
    /// octets.
    fn encode(&self, [answers, authorities, additionals]: [usize; 3]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let sent = emit_message_parts(
            &self.metadata,
            &mut self.question.iter(),
            &mut self.answer.answers.iter().take(answers),
            &mut self.answer.authorities.iter().take(authorities),
            &mut self.answer.additionals.iter().take(additionals),
            self.edns.as_ref(),
            None,
            &mut BinEncoder::new(&mut bytes),
        );
        // hickory cuts off at a record and sets the flag: the whole did not fit.
        (sent.ok()?.metadata.truncation == self.metadata.truncation).then_some(bytes)
    }
}

/// The largest of `0..=max` that fits, where every smaller one does too; 0 where none does.
fn most(max: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut fitting, mut beyond) = (0, max + 1);
    while beyond - fitting > 1 {
        let middle = fitting.midpoint(beyond);
        if fits(middle) { fitting = middle } else { beyond = middle }
    }
    fitting
}

/// The end of the last set of records, of one name and type, that is whole within the first `count`.
fn end_of_set(records: &[Record], count: usize) -> usize {
    let same = |a: &Record, b: &Record| a.name == b.name && a.record_type() == b.record_type();
    let parted = |&end: &usize| end > 0 && end < records.len() && same(&records[end - 1], &records[end]);
    (0..=count).rev().find(|end| !parted(end)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_server::proto::op::{Message, MessageType, OpCode};
    use hickory_server::proto::rr::rdata::{A, SRV};
    use hickory_server::proto::rr::{Name, RData, RecordType};
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_str(text).unwrap()
    }

    /// So many targets of one service, each with its address.
    fn reply(targets: u16, edns: bool) -> Reply {
        let asked = name("_calc-all._tcp.sd.internal.");
        let target = |n| name(&format!("i-{n:017x}.sd.internal."));
        let srv = |n| RData::SRV(SRV::new(1, 1, 32_768 + n, target(n)));
        let address = |n: u16| RData::A(A::new(10, 0, n.to_be_bytes()[0], n.to_be_bytes()[1]));
        let answer = Answer {
            answers: (0..targets).map(|n| Record::from_rdata(asked.clone(), 60, srv(n))).collect(),
            additionals: (0..targets).map(|n| Record::from_rdata(target(n), 60, address(n))).collect(),
            ..Answer::default()
        };
        let metadata = Metadata::new(7, MessageType::Response, OpCode::Query);
        let question = Some(Query::query(asked, RecordType::SRV));
        Reply { metadata, question, edns: edns.then(Edns::new), answer }
    }

    /// A name on the wire, uncompressed.
    fn spelt(name: &Name) -> Vec<u8> {
        let labels = name.iter().flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label].concat());
        labels.chain([0]).collect()
    }

    fn sent(reply: Reply, octets_max: u16) -> (Message, Vec<u8>) {
        let bytes = reply.encode_within(octets_max).unwrap();
        assert!(bytes.len() <= usize::from(octets_max), "{} octets", bytes.len());
        (Message::from_vec(&bytes).unwrap(), bytes)
    }

    #[test]
    fn sends_as_many_whole_records_as_fit_and_the_flag() {
        for (targets, octets_max, answers, additionals) in [
            (1, 512, 1, 1),
            (8, 512, 8, 3),
            (9, 512, 9, 0),
            (10, 512, 9, 0),
            (100, 1_232, 23, 0),
            (20, 4_096, 20, 20),
        ] {
            let (message, _) = sent(reply(targets, false), octets_max);
            assert_eq!(
                (message.answers.len(), message.additionals.len()),
                (answers, additionals),
                "{targets}"
            );
            assert_eq!(message.metadata.truncation, answers < usize::from(targets), "{targets}");
        }
    }

    #[test]
    fn each_answer_points_to_the_name_of_the_question_and_spells_its_target_out() {
        let (message, bytes) = sent(reply(3, false), u16::MAX);
        let targets = message.answers.iter().map(|record| match &record.data {
            RData::SRV(srv) => srv.target.clone(),
            other => panic!("{other}"),
        });
        // A header, the question; then for each answer a pointer to octet 12, type, class, TTL and length.
        let mut at = 12 + spelt(&name("_calc-all._tcp.sd.internal.")).len() + 4;
        for target in targets {
            assert_eq!(bytes[at..at + 2], [0xc0, 12]);
            at += 2 + 10 + 6;
            let target = spelt(&target);
            assert_eq!(bytes[at..at + target.len()], target);
            at += target.len();
        }
    }

    #[test]
    fn additionals_are_left_out_by_whole_sets() {
        let mut reply = reply(1, false);
        let address = |host: &str, last| Record::from_rdata(name(host), 0, RData::A(A::new(10, 0, 0, last)));
        reply.answer.additionals =
            (0..60).map(|n| address(["a.b.", "c.d."][usize::from(n >= 20)], n)).collect();
        let (message, _) = sent(reply, 512);
        assert_eq!((message.answers.len(), message.additionals.len()), (1, 20));
        assert!(!message.metadata.truncation);
    }

    #[test]
    fn what_does_not_hold_its_question_is_not_sent() {
        assert_eq!(reply(1, true).encode_within(40), None);
    }

    proptest! {
        #[test]
        fn finds_the_most_that_fit(max in 0..500_usize, limit in 0..600_usize) {
            prop_assert_eq!(most(max, |count| count <= limit), max.min(limit));
        }

        #[test]
        fn one_record_more_would_not_fit(targets in 1..120_u16, octets_max in 100..5_000_u16, edns: bool) {
            let whole = reply(targets, edns);
            let (message, _) = sent(reply(targets, edns), octets_max);
            prop_assert_eq!(message.edns.is_some(), edns);
            let [answers, additionals] = [message.answers.len(), message.additionals.len()];
            let more = if message.metadata.truncation { [answers + 1, 0, 0] } else { [answers, 0, additionals + 1] };
            let all = !message.metadata.truncation && additionals == usize::from(targets);
            let octets = whole.encode(more).unwrap().len();
            prop_assert!(all || octets > usize::from(octets_max), "{octets} for {more:?} in {octets_max}");
        }
    }
}
