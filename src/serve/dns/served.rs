//! The zone as clients ask it, by whatever transport: each question is answered and counted.

use fastrand::Rng;

use super::message::answer_and_tell;
use super::transport::Transport;
use crate::status::Questions;
use crate::zone::embedded::EmbeddedZone;

/// A zone that is served.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) zone: EmbeddedZone,
    pub(super) questions: Questions,
}

impl Served {
    /// The reply to one packet; `None` for what gets none.
    pub(super) fn answer(&self, packet: &[u8], over: Transport, random: &mut Rng) -> Option<Vec<u8>> {
        let answer = self.zone.view_for_client(|contents| answer_and_tell(contents, packet, over, random));
        let (reply, kind) = answer.flatten()?;
        self.questions.on_answered(kind);
        Some(reply)
    }
}

#[cfg(test)]
mod tests {
    use hickory_server::proto::op::{Message, MessageType, OpCode, Query};
    use hickory_server::proto::rr::{Name, RecordType};

    use super::*;
    use crate::zone::embedded::Options;

    fn question(name: &str, kind: RecordType) -> Vec<u8> {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        message.to_vec().unwrap()
    }

    #[test]
    fn counts_what_was_asked_and_answered_by_names_from_a_list() {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let served = Served { zone, questions: Questions::default() };
        let ask = |packet: &[u8]| served.answer(packet, Transport::Tcp, &mut Rng::new());
        for _ in 0..2 {
            assert!(ask(&question("sd.internal.", RecordType::SOA)).is_some());
        }
        ask(&question("none.sd.internal.", RecordType::SRV));
        ask(&question("example.com.", RecordType::A));
        // Types without number: one series.
        ask(&question("sd.internal.", RecordType::Unknown(65_000)));
        ask(&question("sd.internal.", RecordType::Unknown(65_001)));
        assert_eq!(ask(&[1, 2, 3]), None);
        let totals = [
            (("SOA", "NOERROR"), 2),
            (("SRV", "NXDOMAIN"), 1),
            (("A", "REFUSED"), 1),
            (("other", "NOERROR"), 2),
        ];
        assert_eq!(served.questions.totals(), totals.into());
    }
}
