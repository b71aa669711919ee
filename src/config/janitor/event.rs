//! What a Lambda is told beside its variables: by its event, and by variables of the predecessor's names.

use serde::Deserialize;

use crate::cli::Cli;
use crate::config::{BadEvent, BadValue};
use crate::container::convention::truth;
use crate::nearest::nearest;

/// What a Lambda's event may say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    zone: Option<String>,
    zone_id: Option<String>,
    #[serde(alias = "clusters")]
    ecs_clusters: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    assume_roles: Option<Vec<String>>,
    home_networks: Option<Vec<String>>,
    max_deletes: Option<u32>,
    check_health: Option<bool>,
    check_health_path: Option<String>,
    stop_unhealthy: Option<bool>,
    dry_run: Option<bool>,
}

/// The names of its fields.
const FIELDS: [&str; 12] = [
    "zone",
    "zone_id",
    "ecs_clusters",
    "clusters",
    "regions",
    "assume_roles",
    "home_networks",
    "max_deletes",
    "check_health",
    "check_health_path",
    "stop_unhealthy",
    "dry_run",
];

impl Event {
    /// Reads an event: an object, or nothing. A field that is not ours is refused, as it may have been meant to
    /// hold the janitor back (`dryRun`), unless a scheduler sent the event: those have a dozen fields of their own.
    ///
    /// # Errors
    /// Where it is something else, has a field that nobody knows, or one of ours is of another type.
    pub(super) fn read(event: serde_json::Value) -> Result<Self, BadEvent> {
        let fields = match &event {
            serde_json::Value::Null => return Ok(Self::default()),
            serde_json::Value::Object(fields) => fields,
            _ => return Err(BadEvent::NoObject),
        };
        // One zip is two functions: whoever waits for an answer to this would wait for an hour.
        if ["RequestType", "ResponseURL"].iter().all(|name| fields.contains_key(*name)) {
            return Err(BadEvent::CustomResource);
        }
        let scheduled =
            ["source", "detail-type"].iter().all(|name| fields.get(*name).is_some_and(|it| it.is_string()));
        let unknown = fields.keys().find(|name| !FIELDS.contains(&name.as_str()));
        if let Some(name) = unknown.filter(|_| !scheduled) {
            return Err(match nearest(&name.to_ascii_lowercase(), FIELDS) {
                Some(meant) => BadEvent::Resembling { name: name.clone(), meant },
                None => BadEvent::UnknownField { name: name.clone(), fields: FIELDS.join(", ") },
            });
        }
        if let Some(name) =
            FIELDS.iter().find(|name| fields.get(**name).is_some_and(serde_json::Value::is_null))
        {
            return Err(BadEvent::NullField(name));
        }
        serde_json::from_value(event).map_err(|error| BadEvent::Type(error.to_string()))
    }

    /// What the predecessor's variables say, where ours say nothing.
    pub(super) fn of_predecessor(
        cli: &Cli,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BadEvent> {
        let given =
            |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let ours = |name: &str| given(name).is_some();
        let switch = |name: &str| {
            let unclear = |reason: String| BadEvent::Variable {
                name: name.to_owned(),
                reason: BadValue::Shared(reason),
            };
            given(name).map(|text| truth(&text).map_err(|error| unclear(error.to_string()))).transpose()
        };
        let clusters = given("ecs_clusters").map(|text| match serde_json::from_str::<Vec<String>>(&text) {
            Ok(names) => names,
            Err(_) => text.split(',').map(str::to_owned).collect(),
        });
        Ok(Self {
            zone: given("zone").filter(|_| !ours("ECSSD_ZONE")),
            ecs_clusters: clusters.filter(|_| cli.janitor.clusters.is_empty()),
            check_health: switch("check_health")?.filter(|_| !ours("ECSSD_JANITOR_CHECK_HEALTH")),
            check_health_path: given("check_health_path")
                .filter(|_| !ours("ECSSD_JANITOR_CHECK_HEALTH_PATH")),
            ..Self::default()
        })
    }

    /// What it says counts more than variables.
    pub(super) fn tell(self, cli: &mut Cli) {
        let arguments = &mut cli.janitor;
        if self.zone.is_some() || self.zone_id.is_some() {
            // An id that a variable gives is that of another zone.
            cli.zone_id = self.zone_id;
        }
        set(&mut cli.zone, self.zone.map(Some));
        set(&mut arguments.clusters, self.ecs_clusters);
        set(&mut arguments.regions, self.regions);
        set(&mut arguments.assume_roles, self.assume_roles);
        set(&mut arguments.home_networks, self.home_networks);
        set(&mut arguments.max_deletes, self.max_deletes.map(|most| Some(most.to_string())));
        set(&mut arguments.check_health, self.check_health);
        set(&mut arguments.check_health_path, self.check_health_path);
        set(&mut arguments.stop_unhealthy, self.stop_unhealthy);
        set(&mut cli.dry_run, self.dry_run);
    }
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}
