//! What a run of the janitor is told, as values that hold.

use super::options::RunOptions;
use crate::zone::route53::Wanted;

/// What a run is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The zone's name, lower case, without the final dot.
    pub zone: String,
    /// Which hosted zone it is.
    pub wanted: Wanted,
    /// Another endpoint of Route 53 than the vendor's.
    pub endpoint_url: Option<String>,
    /// Regions; none for the one that the environment names.
    pub regions: Vec<String>,
    /// Roles of other accounts.
    pub assume_roles: Vec<String>,
    /// What to do.
    pub options: RunOptions,
    /// Whether the report is for machines.
    pub json: bool,
}
