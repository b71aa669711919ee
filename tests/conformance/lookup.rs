//! Zones by their name and by their id, as a real list of zones gives them: it begins at the name, goes on
//! with what follows, and knows several zones of one name. The embedded zone has no list of zones.

use std::process::{Command, Stdio};

use ecssd::record::{Change, RecordSet};
use ecssd::zone::route53::{self, FindError, Route53Zone, Settings, Wanted};
use ecssd::zone::{Zone, ZoneError};
use ecssd_testing::route53::hosted::{HostedZone, emulator_url, own_name};

use crate::case::{create, srv};
use crate::emulator::Emulator;

/// Which zones there are, by label and by whether they are private, and which is asked for.
struct Lookup {
    name: &'static str,
    made: &'static [(&'static str, bool)],
    wanted: Ask,
    /// The VPC that the asking host is in.
    vpc: Option<Vpc>,
    answer: Answer,
}

enum Ask {
    /// This text, in which `@` is a name that nobody else has zones under.
    Name(&'static str),
    /// The id of the zone that was made at this place, after this prefix.
    Id(&'static str, usize),
    Unknown(&'static str),
}

enum Vpc {
    Of(usize),
    Another,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Zone(usize),
    Error(&'static str),
}

const PRIVATE: bool = true;
const PUBLIC: bool = false;

#[rustfmt::skip]
const LOOKUPS: &[Lookup] = &[
    look("exact", &[("sd.@", PRIVATE)], Ask::Name("sd.@"), None, Answer::Zone(0)),
    look("upper-case-and-dot", &[("sd.@", PRIVATE)], Ask::Name("SD.@."), None, Answer::Zone(0)),
    look("among-others", &[("a.@", PRIVATE), ("b.@", PRIVATE), ("c.@", PRIVATE)], Ask::Name("b.@"), None, Answer::Zone(1)),
    look("none", &[], Ask::Name("sd.@"), None, Answer::Error("absent")),
    look("only-what-follows", &[("se.@", PRIVATE), ("zz.@", PRIVATE)], Ask::Name("sd.@"), None, Answer::Error("absent")),
    look("only-what-comes-before", &[("sc.@", PRIVATE)], Ask::Name("sd.@"), None, Answer::Error("absent")),
    look("only-below", &[("x.sd.@", PRIVATE)], Ask::Name("sd.@"), None, Answer::Error("absent")),
    look("only-above", &[("sd.@", PRIVATE)], Ask::Name("x.sd.@"), None, Answer::Error("absent")),
    look("only-longer", &[("sd.@.com", PRIVATE)], Ask::Name("sd.@"), None, Answer::Error("absent")),
    look("twins", &[("sd.@", PRIVATE), ("sd.@", PRIVATE)], Ask::Name("sd.@"), None, Answer::Error("several")),
    look("twins-first-vpc", &[("sd.@", PRIVATE), ("sd.@", PRIVATE)], Ask::Name("sd.@"), Some(Vpc::Of(0)), Answer::Zone(0)),
    look("twins-second-vpc", &[("sd.@", PRIVATE), ("sd.@", PRIVATE)], Ask::Name("sd.@"), Some(Vpc::Of(1)), Answer::Zone(1)),
    look("twins-another-vpc", &[("sd.@", PRIVATE), ("sd.@", PRIVATE)], Ask::Name("sd.@"), Some(Vpc::Another), Answer::Error("elsewhere")),
    look("one-and-its-vpc", &[("sd.@", PRIVATE)], Ask::Name("sd.@"), Some(Vpc::Of(0)), Answer::Zone(0)),
    look("one-and-another-vpc", &[("sd.@", PRIVATE)], Ask::Name("sd.@"), Some(Vpc::Another), Answer::Error("elsewhere")),
    look("public-twin", &[("sd.@", PUBLIC), ("sd.@", PRIVATE)], Ask::Name("sd.@"), None, Answer::Zone(1)),
    look("public-twin-and-vpc", &[("sd.@", PUBLIC), ("sd.@", PRIVATE)], Ask::Name("sd.@"), Some(Vpc::Of(1)), Answer::Zone(1)),
    look("only-public", &[("sd.@", PUBLIC)], Ask::Name("sd.@"), None, Answer::Error("only public")),
    look("id", &[("sd.@", PRIVATE)], Ask::Id("", 0), None, Answer::Zone(0)),
    look("id-as-a-path", &[("sd.@", PRIVATE)], Ask::Id("/hostedzone/", 0), None, Answer::Zone(0)),
    look("id-of-a-twin", &[("sd.@", PRIVATE), ("sd.@", PRIVATE)], Ask::Id("", 1), None, Answer::Zone(1)),
    look("id-that-another-vpc-sees", &[("sd.@", PRIVATE)], Ask::Id("", 0), Some(Vpc::Another), Answer::Zone(0)),
    look("id-of-a-public-one", &[("sd.@", PUBLIC)], Ask::Id("", 0), None, Answer::Error("public")),
    look("id-of-none", &[("sd.@", PRIVATE)], Ask::Unknown("Z0UNKNOWN"), None, Answer::Error("absent id")),
];

const fn look(
    name: &'static str,
    made: &'static [(&'static str, bool)],
    wanted: Ask,
    vpc: Option<Vpc>,
    answer: Answer,
) -> Lookup {
    Lookup { name, made, wanted, vpc, answer }
}

impl Lookup {
    async fn run(&self) -> Answer {
        let own = |text: &str| text.replace('@', &own_name(self.name));
        let made: Vec<_> =
            self.made.iter().map(|(name, private)| HostedZone::make(&own(name), *private)).collect();
        let settings = Settings {
            wanted: match self.wanted {
                Ask::Name(name) => Wanted::Name(own(name)),
                Ask::Id(prefix, place) => Wanted::Id(format!("{prefix}{}", made[place].id)),
                Ask::Unknown(id) => Wanted::Id(id.to_owned()),
            },
            endpoint_url: Some(emulator_url()),
            region: None,
            vpc: self.vpc.as_ref().map(|vpc| match vpc {
                Vpc::Of(place) => made[*place].vpc.clone(),
                Vpc::Another => "vpc-another".to_owned(),
            }),
        };
        match route53::find(&settings).await {
            Ok(found) => {
                let place = made.iter().position(|zone| zone.id == found.id()).unwrap();
                assert_eq!(found.name(), own(self.made[place].0), "{}", self.name);
                Answer::Zone(place)
            }
            Err(error) => Answer::Error(kind(&error)),
        }
    }
}

fn kind(error: &FindError) -> &'static str {
    match error {
        FindError::Absent { .. } => "absent",
        FindError::OnlyPublic { .. } => "only public",
        FindError::Elsewhere { .. } => "elsewhere",
        FindError::Several { .. } => "several",
        FindError::AbsentId { .. } => "absent id",
        FindError::Public { .. } => "public",
        FindError::Owned { .. } => "owned",
        FindError::Unanswered { .. } => "unanswered",
    }
}

/// What the access key is called that is nobody's.
const KEY: &str = "conformance";

#[tokio::test]
async fn zones_are_found_by_name_and_id() {
    if std::env::var("AWS_ACCESS_KEY_ID").is_ok_and(|key| key == KEY) {
        for lookup in LOOKUPS {
            assert_eq!(lookup.run().await, lookup.answer, "{}", lookup.name);
        }
        crate::say(&format!("{} lookups of zones, all as the vendor documents", LOOKUPS.len()));
    } else {
        run_again_with_a_key("lookup::zones_are_found_by_name_and_id");
    }
}

/// A lookup takes its credentials from the environment, as the agent does, and a process cannot safely
/// change its own.
fn run_again_with_a_key(test: &str) {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        again.env_remove(name);
    }
    again.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    again.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", KEY);
    let output = again.stderr(Stdio::inherit()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn a_zone_that_is_not_there_is_said_so() {
    let emulator = Emulator::of_this_run().await;
    let name = own_name("nowhere");
    let zone = Route53Zone::new(emulator.client.clone(), name.clone(), "Z0UNKNOWN".to_owned());
    let set = RecordSet { name: format!("web.{name}"), ..srv("web", "a", 1) };
    let batch: [Change; 1] = [create(set)];
    assert!(matches!(zone.change(&batch).await, Err(ZoneError::NoSuchZone(_))));
    assert!(matches!(zone.list(None, 300).await, Err(ZoneError::NoSuchZone(_))));
}
