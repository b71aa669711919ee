//! The reasons in the one message of a refused batch, told apart.
//!
//! The message is a bracketed list, parted by `, ` like the words within a reason. So it is cut only where
//! a known beginning of a reason follows, and never within brackets or quotes that are open, where a value
//! stands that somebody chose. A text that cannot be cut stays whole: its reasons then come to light one
//! after another.
//!
//! Sources of the texts: kubernetes-sigs/external-dns issues 5939, 1929 and 1411, aws/aws-sdk-go-v2 issue
//! 518, barnybug/cli53 issue 81, hashicorp/terraform issue 9732; further texts as in
//! [`embedded`](crate::zone::embedded).

const BEGINNINGS: &[&str] = &[
    "Tried to ",
    "RRSet with ",
    "RRSet of type ",
    "Invalid ",
    "Duplicate ",
    "The request ",
    "The resource ",
    "The record ",
    "Number of ",
    "Cannot have more than ",
    "Exceeded limit ",
    "RDATA character limit ",
    "A HostedZone must ",
    "FATAL problem: ",
];

/// The reasons in `message`, with or without the brackets around them; none in an empty one.
pub fn split(message: &str) -> Vec<String> {
    let list = message.trim();
    let list = list.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(list);
    let mut reasons = Vec::new();
    let mut began = 0;
    for (comma, _) in list.match_indices(", ") {
        let (reason, next) = (&list[began..comma], comma + 2);
        if is_closed(reason) && BEGINNINGS.iter().any(|words| list[next..].starts_with(words)) {
            reasons.push(reason.to_owned());
            began = next;
        }
    }
    reasons.push(list[began..].to_owned());
    reasons.retain(|reason| !reason.is_empty());
    reasons
}

/// Whether `text` ends outside brackets and quotes.
fn is_closed(text: &str) -> bool {
    let bytes = text.as_bytes();
    let count = |wanted: u8| bytes.iter().filter(|&&byte| byte == wanted).count();
    // An apostrophe within a word, as in "doesn't", quotes nothing.
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    let within = |at: usize| at > 0 && letter(bytes.get(at - 1)) && letter(bytes.get(at + 1));
    let quotes = (0..bytes.len()).filter(|&at| bytes[at] == b'\'' && !within(at)).count();
    count(b'[') == count(b']') && quotes.is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_reasons_apart() {
        let create = "Tried to create resource record set [name='a.sd.internal.', type='SRV', set-identifier='one'] but it already exists";
        let delete = "Tried to delete resource record set [name='a.sd.internal.', type='SRV'] but the values provided do not match the current values";
        let ttl = "RRSet with DNS name a.sd.internal., type SRV, SetIdentifier one cannot be created as weighted sets must contain the same TTL.";
        let apex =
            "RRSet of type CNAME with DNS name sd.internal. is not permitted at apex in zone sd.internal.";
        let value = "Invalid Resource Record: 'FATAL problem: SRVRRDATANotFourFields (Value is not four fields: priority, weight, port, target) encountered with '1 1''";
        let twice = "Duplicate Resource Record: '10.0.0.1'";
        let fields = "FATAL problem: SRV record doesn't have 4 fields";
        let full = "Exceeded limit MAX_RRSETS_BY_ZONE for zone: sd.internal.";
        let quoted = "Tried to create resource record set [name='a.', type='TXT', set-identifier='x, Tried to y'] but it already exists";
        let cases: Vec<(String, Vec<&str>)> = vec![
            (format!("[{create}]"), vec![create]),
            (format!("[{create}, {delete}]"), vec![create, delete]),
            (format!("[{delete}, {ttl}, {create}]"), vec![delete, ttl, create]),
            (format!("[{ttl}, {apex}, {value}, {twice}, {twice}]"), vec![ttl, apex, value, twice, twice]),
            (format!("[{quoted}, {delete}]"), vec![quoted, delete]),
            (format!("{create}, {delete}"), vec![create, delete]),
            (create.to_owned(), vec![create]),
            (
                "Number of records limit of 1000 exceeded.".to_owned(),
                vec!["Number of records limit of 1000 exceeded."],
            ),
            ("[one thing, another]".to_owned(), vec!["one thing, another"]),
            ("['open, Tried to say]".to_owned(), vec!["'open, Tried to say"]),
            (format!("[{fields}, {create}, {full}, {twice}]"), vec![fields, create, full, twice]),
            ("[unclosed".to_owned(), vec!["[unclosed"]),
            ("[]".to_owned(), vec![]),
            (String::new(), vec![]),
        ];
        for (message, reasons) in cases {
            assert_eq!(split(&message), reasons, "{message}");
        }
    }
}
