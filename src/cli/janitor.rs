//! The janitor's flags.

use clap::Args;

use crate::container::convention::truth;

/// The janitor's flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Janitor")]
pub struct Janitor {
    /// Look for records that outlived their hosts or tasks, in two inspections a minute apart; print what would be
    /// deleted, and exit.
    #[arg(long, env = "ECSSD_JANITOR", value_parser = truth)]
    pub janitor: bool,

    /// Delete it; so with --forget. A Lambda does so unless it is told --dry-run.
    #[arg(long, env = "ECSSD_JANITOR_APPLY", value_parser = truth)]
    pub apply: bool,

    /// ECS clusters by name or ARN, separated by commas. [default: all]
    #[arg(long, value_name = "CLUSTERS", env = "ECSSD_JANITOR_CLUSTERS", value_delimiter = ',')]
    pub clusters: Vec<String>,

    /// Regions in which to look at ECS and EC2, separated by commas. [default: this one]
    #[arg(long, value_name = "REGIONS", env = "ECSSD_JANITOR_REGIONS", value_delimiter = ',')]
    pub regions: Vec<String>,

    /// Roles of other accounts in which to look too, by ARN, separated by commas.
    #[arg(long, value_name = "ARNS", env = "ECSSD_JANITOR_ASSUME_ROLES", value_delimiter = ',')]
    pub assume_roles: Vec<String>,

    /// Networks such as 10.0.0.0/16, separated by commas, within the VPCs of the zone: only there is an instance gone
    /// that EC2 has forgotten. All of those VPCs, unless given.
    #[arg(long, value_name = "NETWORKS", env = "ECSSD_JANITOR_HOME_NETWORKS", value_delimiter = ',')]
    pub home_networks: Vec<String>,

    /// Delete at most so many records in a run, whatever the shares of zone and service allow.
    #[arg(long, value_name = "N", env = "ECSSD_JANITOR_MAX_DELETES")]
    pub max_deletes: Option<String>,

    /// Ask every target over HTTP, and report those that do not answer.
    #[arg(long, env = "ECSSD_JANITOR_CHECK_HEALTH", value_parser = truth)]
    pub check_health: bool,

    /// What they are asked for.
    #[arg(long, value_name = "PATH", env = "ECSSD_JANITOR_CHECK_HEALTH_PATH", default_value = "/health")]
    pub check_health_path: String,

    /// Stop the task of a target that does not answer, at most one of a service in a run.
    #[arg(long, env = "ECSSD_JANITOR_STOP_UNHEALTHY", value_parser = truth)]
    pub stop_unhealthy: bool,

    /// Instead of looking for records, lower how long resolvers remember that a name is not there: 900 s in a new zone,
    /// during which whoever asked for a service too early does not find it. 1s to 900s, such as 5s; --apply writes it.
    #[arg(long, value_name = "DURATION", env = "ECSSD_JANITOR_SOA_MINIMUM")]
    pub soa_minimum: Option<String>,

    /// Print the report, or what --status or --doctor shows, as JSON.
    #[arg(long, env = "ECSSD_JANITOR_JSON", value_parser = truth)]
    pub json: bool,
}
