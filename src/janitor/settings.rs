//! What a run of the janitor is told, as values that hold.

use super::options::RunOptions;
use crate::shell_line::ShellLine;
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

impl Settings {
    /// The command line that looks at the same zone of this name with the same eyes.
    pub fn command(&self, zone: &str) -> String {
        let joined = |values: &[String]| (!values.is_empty()).then(|| values.join(","));
        let id = match &self.wanted {
            Wanted::Id(id) => Some(id),
            Wanted::Name(_) => None,
        };
        ShellLine::of_zone(zone)
            .with("--zone-id", id)
            .with("--endpoint-url", self.endpoint_url.as_ref())
            .with("--clusters", joined(&self.options.scope.clusters))
            .with("--regions", joined(&self.regions))
            .with("--assume-roles", joined(&self.assume_roles))
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::pacing::Pace;
    use crate::janitor::reader::Scope;

    #[test]
    fn the_command_looks_at_the_same_zone_with_the_same_eyes() {
        let options = RunOptions {
            scope: Scope::default(),
            apply: true,
            deletes_max: None,
            pace: Pace::ROUTE53,
            health: None,
            deadline: None,
        };
        let mut settings = Settings {
            zone: "servicediscovery.internal".to_owned(),
            wanted: Wanted::Name("sd.internal".to_owned()),
            endpoint_url: None,
            regions: Vec::new(),
            assume_roles: Vec::new(),
            options,
            json: false,
        };
        assert_eq!(settings.command("sd.internal"), "ecssd sd.internal");
        settings.wanted = Wanted::Id("Z1".to_owned());
        settings.endpoint_url = Some("http://it's/?a&b".to_owned());
        settings.options.scope.clusters = vec!["web".to_owned()];
        settings.regions = vec!["eu-west-1".to_owned(), "eu-west-2".to_owned()];
        settings.assume_roles = vec!["arn:aws:iam::111122223333:role/janitor".to_owned()];
        assert_eq!(
            settings.command("sd.internal"),
            r"ecssd sd.internal --zone-id Z1 --endpoint-url 'http://it'\''s/?a&b' --clusters web --regions eu-west-1,eu-west-2 --assume-roles arn:aws:iam::111122223333:role/janitor"
        );
    }
}
