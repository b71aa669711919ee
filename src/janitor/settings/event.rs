//! What a Lambda is told beside its variables: by its event, and by variables of the predecessor's names.

use serde::Deserialize;

use crate::cli::Cli;

/// What a Lambda's event may say. Everything else in it is somebody else's: a scheduled event has a dozen
/// fields of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Event {
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

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// Where one of our fields is of another type.
    pub fn read(event: serde_json::Value) -> Result<Self, String> {
        if !event.is_object() {
            return Ok(Self::default());
        }
        serde_json::from_value(event).map_err(|error| error.to_string())
    }

    /// What the predecessor's variables say, where ours say nothing.
    pub(super) fn of_predecessor(
        cli: &Cli,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let given =
            |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let ours = |name: &str| given(name).is_some();
        let truth = |name: &str| match given(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(None),
            Some("1" | "true" | "yes" | "on") => Ok(Some(true)),
            Some("0" | "false" | "no" | "off") => Ok(Some(false)),
            Some(other) => Err(format!("{name}: {other:?} is neither true nor false")),
        };
        let clusters = given("ecs_clusters").map(|text| match serde_json::from_str::<Vec<String>>(&text) {
            Ok(names) => names,
            Err(_) => text.split(',').map(str::to_owned).collect(),
        });
        Ok(Self {
            zone: given("zone").filter(|_| !ours("ECSSD_ZONE")),
            ecs_clusters: clusters.filter(|_| cli.janitor.clusters.is_empty()),
            check_health: truth("check_health")?.filter(|_| !ours("ECSSD_JANITOR_CHECK_HEALTH")),
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
        set(&mut cli.zone, self.zone);
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
