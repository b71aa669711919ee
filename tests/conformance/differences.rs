//! Where the emulator does otherwise than the vendor documents, and so than the embedded zone.
//!
//! Nothing here is about the embedded zone: for that there are no exceptions. An entry holds how each
//! step comes out in the emulator, and how many sets it leaves, so one that has become right, or wrong in
//! another way, is noticed.

use crate::trial::Transcript;

pub struct Difference {
    pub case: &'static str,
    /// What the emulator does, in words.
    pub does: &'static str,
    /// The same as the transcript has it: see [`unlike`].
    pub shows: &'static [&'static str],
    /// What the vendor documents, or is seen to do.
    pub vendor: &'static str,
    /// Where that is written.
    pub source: &'static str,
}

/// The steps that came out otherwise in `theirs`, and how many sets it left where those are others.
pub fn unlike(ours: &Transcript, theirs: &Transcript) -> Vec<String> {
    let steps = theirs.steps.iter().zip(&ours.steps).filter(|(theirs, ours)| theirs != ours);
    let mut unlike: Vec<String> = steps.map(|(theirs, _)| theirs.clone()).collect();
    if theirs.zone != ours.zone {
        unlike.push(format!("zone: {} lines", theirs.zone.len()));
    }
    unlike
}

const CHANGE_BATCH: &str = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeBatch.html";
const LIST: &str = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html";
const MULTIVALUE: &str =
    "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-multivalue.html";
const NAMES: &str = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html";
const QUOTAS: &str = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html";
const SET: &str = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html";
const TYPES: &str = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html";

pub const DIFFERENCES: &[Difference] = &[
    Difference {
        case: "batch-of-nothing",
        does: "accepts it",
        shows: &["step 1: accepted"],
        vendor: "a batch has at least one change",
        source: CHANGE_BATCH,
    },
    Difference {
        case: "batch-with-two-faults",
        does: "tells the first fault only",
        shows: &["step 1: rejected: AlreadyExists"],
        vendor: "one message lists every change that is wrong",
        source: "https://github.com/kubernetes-sigs/external-dns/issues/5939",
    },
    Difference {
        case: "swap-what-is-not-so",
        does: "tells the first fault only",
        shows: &["step 1: rejected: ValuesDiffer"],
        vendor: "one message lists every change that is wrong; that the CREATE counts as one is assumed",
        source: "https://github.com/kubernetes-sigs/external-dns/issues/5939",
    },
    Difference {
        case: "batch-with-a-key-twice",
        does: "applies the changes of one key one after another",
        shows: &[
            "step 1: rejected: AlreadyExists",
            "step 2: rejected: NotFound",
            "step 3: accepted",
            "step 4: accepted",
            "zone: 2 lines",
        ],
        vendor: "deleting a set twice is InvalidChangeBatch; other repetitions are an invalid set of changes",
        source: "https://github.com/barnybug/cli53/issues/81",
    },
    Difference {
        case: "values-that-are-no-srv",
        does: "takes any text for a value",
        shows: &[
            "step 1: accepted",
            "step 2: accepted",
            "step 3: accepted",
            "step 4: accepted",
            "step 5: accepted",
            "step 6: accepted",
            "zone: 6 lines",
        ],
        vendor: "an SRV value has four fields: three numbers from 0 to 65535, and a domain name",
        source: TYPES,
    },
    Difference {
        case: "values-that-are-none-of-their-type",
        does: "takes any text for a value",
        shows: &[
            "step 1: accepted",
            "step 2: accepted",
            "step 3: accepted",
            "step 4: accepted",
            "step 5: accepted",
            "zone: 5 lines",
        ],
        vendor: "each type has its form; a TXT string is quoted and has at most 255 characters",
        source: TYPES,
    },
    Difference {
        case: "values-that-are-no-set",
        does: "takes none, the same twice, and more than 400",
        shows: &["step 1: accepted", "step 2: accepted", "step 3: accepted", "zone: 3 lines"],
        vendor: "at least one value, each once (external-dns#6019), at most 400",
        source: QUOTAS,
    },
    Difference {
        case: "weight-out-of-range",
        does: "accepts 256 and -1",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 2 lines"],
        vendor: "Weight: minimum 0, maximum 255",
        source: SET,
    },
    Difference {
        case: "ttl-out-of-range",
        does: "accepts -1 and 2147483648",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 2 lines"],
        vendor: "TTL: minimum 0, maximum 2147483647",
        source: SET,
    },
    Difference {
        case: "identifier-out-of-range",
        does: "accepts 129 characters and none",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 2 lines"],
        vendor: "SetIdentifier: 1 to 128 characters",
        source: SET,
    },
    Difference {
        case: "policy-without-identifier",
        does: "accepts a weight without identifier, and an identifier without policy",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 2 lines"],
        vendor: "a set that is not simple has an identifier and one policy",
        source: SET,
    },
    Difference {
        case: "ttl-of-a-group",
        does: "lets each set of a weighted group have its own TTL",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 3 lines"],
        vendor: "weighted sets of one name and type must contain the same TTL",
        source: "https://github.com/aws/aws-sdk-go-v2/issues/518",
    },
    Difference {
        case: "policies-mixed-with-simple",
        does: "lets simple and weighted sets stand under one name and type",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 4 lines"],
        vendor: "a weighted set cannot be created where a simple one exists, nor the other way round",
        source: "https://github.com/kubernetes-sigs/external-dns/issues/1411",
    },
    Difference {
        case: "policies-mixed-with-identifier",
        does: "lets simple, weighted and multivalue sets stand under one name and type",
        shows: &[
            "step 1: accepted",
            "step 2: accepted",
            "step 3: accepted",
            "step 4: accepted",
            "zone: 7 lines",
        ],
        vendor: "sets of one name and type have one policy",
        source: "https://github.com/cert-manager/cert-manager/issues/5388",
    },
    Difference {
        case: "group-of-a-hundred-and-one",
        does: "has no quota",
        shows: &["step 1: accepted", "zone: 101 lines"],
        vendor: "at most 100 weighted sets of one name and type",
        source: QUOTAS,
    },
    Difference {
        case: "multivalue-group-of-a-hundred-and-one",
        does: "has no quota",
        shows: &["step 1: accepted", "zone: 101 lines"],
        vendor: "at most 100 multivalue sets of one name and type",
        source: QUOTAS,
    },
    Difference {
        case: "multivalue-with-two-values",
        does: "takes any number of values",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 2 lines"],
        vendor: "a multivalue set is made for each resource, and holds its one value",
        source: MULTIVALUE,
    },
    Difference {
        case: "cname-beside-others",
        does: "lets a CNAME stand beside other types, and at the apex",
        shows: &["step 1: accepted", "step 2: accepted", "step 3: accepted", "zone: 5 lines"],
        vendor: "a CNAME is alone under its name, and never at the apex",
        source: TYPES,
    },
    Difference {
        case: "elements-1001",
        does: "has no limit",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 1001 lines"],
        vendor: "at most 1,000 ResourceRecord elements in a request, those of an UPSERT counted twice",
        source: QUOTAS,
    },
    Difference {
        case: "characters-32001",
        does: "has no limit",
        shows: &["step 1: accepted", "step 2: accepted", "zone: 1 lines"],
        vendor: "at most 32,000 characters of values in a request, those of an UPSERT counted twice",
        source: QUOTAS,
    },
    Difference {
        case: "name-that-is-refused",
        does: "takes any name, whatever zone it is in",
        shows: &[
            "step 1: accepted",
            "step 2: accepted",
            "step 3: accepted",
            "step 4: accepted",
            "zone: 4 lines",
        ],
        vendor: "a label has 1 to 63 octets; a name outside is `not permitted in zone` \
                 (meltwater/terraform-aws-asg-dns-handler#38)",
        source: NAMES,
    },
    Difference {
        case: "name-in-upper-case",
        does: "keeps names as they are typed, so WEB and web are two",
        shows: &["step 1: accepted", "step 4: api.@ SRV a, web.@ SRV a", "zone: 2 lines"],
        vendor: "letters are stored as lower-case letters, however they are specified",
        source: NAMES,
    },
    Difference {
        case: "name-with-escapes",
        does: "keeps names as they are typed, so `*` and `\\052` are two",
        shows: &["step 2: rejected: NotFound", "zone: 3 lines"],
        vendor: "all but a-z, 0-9, - and _ is listed as an octal escape, however it was specified",
        source: NAMES,
    },
    Difference {
        case: "order-with-what-comes-before-a-dot",
        does: "orders label by label, so a comes before a-b",
        shows: &["zone: 3 lines"],
        vendor: "the order is that of the reversed name with its final dot, which comes after a hyphen",
        source: LIST,
    },
    Difference {
        case: "apex-guarded",
        does: "lets the SOA and the name servers be deleted, and another SOA be made below",
        shows: &["step 1: accepted", "step 2: accepted", "step 3: accepted", "zone: 3 lines"],
        vendor: "exactly one SOA, and at least one NS for the zone itself",
        source: "https://github.com/DNSControl/dnscontrol/issues/4402",
    },
    Difference {
        case: "start-with-less-than-it-takes",
        does: "ignores the type and the identifier",
        shows: &[
            "step 1: @ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A",
            "step 2: web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A",
            "step 3: @ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A",
        ],
        vendor: "a type without a name is InvalidInput; so is an identifier without both (assumed)",
        source: LIST,
    },
];

#[test]
fn every_difference_says_where_the_vendor_or_somebody_says_so() {
    for Difference { case, does, vendor, source, .. } in DIFFERENCES {
        assert!(!does.is_empty() && !vendor.is_empty() && source.starts_with("https://"), "{case}");
    }
}
