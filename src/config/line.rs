//! The command lines that mean the same zone, or the same host in it, as these settings.

use std::path::Path;

use super::{Config, Registry, values};
use crate::cli;
use crate::shell_line::ShellLine;
use crate::zone::route53::Wanted;

impl Config {
    /// For what is done to the zone from anywhere; by this name, which its id may have told.
    pub fn zone_line(&self, zone: &str) -> ShellLine {
        let line = ShellLine::of_zone(zone);
        match &self.registry {
            Registry::Local { .. } => line.switched("--local", true),
            Registry::Route53 { wanted, endpoint_url } => {
                let id = match wanted {
                    Wanted::Id(id) => Some(id),
                    Wanted::Name(_) => None,
                };
                line.with("--zone-id", id).with("--endpoint-url", endpoint_url.as_ref())
            }
        }
    }

    /// For the removal of all that is another owner's, in a zone of this name and id.
    pub fn removal_line(&self, zone: &str, zone_id: &str, owner: &str) -> ShellLine {
        let endpoint_url = match &self.registry {
            Registry::Route53 { endpoint_url, .. } => endpoint_url.as_ref(),
            Registry::Local { .. } => None,
        };
        // By its id, which a zone that was made anew under its old name does not have.
        let line =
            ShellLine::of_zone(zone).with("--zone-id", Some(zone_id)).with("--endpoint-url", endpoint_url);
        let is_told_dir = self.state_dir != Path::new(cli::STATE_DIR);
        line.switched("--remove", true)
            .with("--hostname", Some(owner))
            .with("--state-dir", is_told_dir.then(|| self.state_dir.to_string_lossy()))
    }

    /// For what is done to the records of this host: with all that says which host it is, and what it has.
    pub fn host_line(&self) -> ShellLine {
        let unless = |path: &Path, default: &str| {
            (path != Path::new(default)).then(|| path.to_string_lossy().into_owned())
        };
        let is_told_socket = self.status.sockets != values::status_sockets(&self.state_dir);
        let socket = self.status.sockets.first().filter(|_| is_told_socket);
        let ttl_max = format!("{}s", self.ttl_max);
        let ecs = (self.ecs_introspection != cli::ECS_INTROSPECTION).then_some(&self.ecs_introspection);
        self.zone_line(&self.zone)
            .with("--hostname", self.host.hostname.as_ref())
            .with("--address", self.host.address.map(|address| address.to_string()))
            .with("--state-dir", unless(&self.state_dir, cli::STATE_DIR))
            .with("--status-socket", socket.map(|path| path.to_string_lossy()))
            .with("--docker-socket", unless(&self.docker_socket, cli::DOCKER_SOCKET))
            .with("--ecs-introspection", ecs)
            .with("--full-names", self.full_names.as_ref().map(ToString::to_string))
            .with("--names", self.names.as_ref().map(ToString::to_string))
            .with("--ttl-max", (ttl_max != cli::TTL_MAX).then_some(ttl_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(arguments: &[&str]) -> [String; 2] {
        let cli = <cli::Cli as clap::Parser>::parse_from(["ecssd", "sd.internal"].iter().chain(arguments));
        let config = Config::read(&cli).expect("good settings");
        [config.zone_line("sd.internal").to_string(), config.host_line().to_string()]
    }

    #[test]
    fn what_is_as_it_is_unless_told_is_left_out() {
        assert_eq!(lines(&[]), ["ecssd sd.internal"; 2]);
        assert_eq!(lines(&["--local"]), ["ecssd sd.internal --local"; 2]);
    }

    #[test]
    fn another_host_or_zone_is_never_meant() {
        let told = "--zone-id Z1 --endpoint-url http://127.0.0.1:1 --hostname web1 --address 10.0.0.7 --state-dir \
                    /srv/state --status-socket /srv/status.sock --docker-socket /srv/docker.sock --ecs-introspection \
                    http://127.0.0.1:2 --full-names -all --names _calc._tcp,a.web --ttl-max 60s";
        let arguments: Vec<&str> = told.split(' ').collect();
        let [zone, host] = lines(&arguments);
        assert_eq!(zone, "ecssd sd.internal --zone-id Z1 --endpoint-url http://127.0.0.1:1");
        assert_eq!(host, format!("ecssd sd.internal {told}"));
        let [_, host] = lines(&["--state-dir", "/srv/my state"]);
        assert_eq!(host, "ecssd sd.internal --state-dir '/srv/my state'");
    }
    #[test]
    fn what_another_left_is_removed_under_its_own_name_and_zone() {
        let line = |arguments: &[&str], zone: &str| {
            let cli =
                <cli::Cli as clap::Parser>::parse_from(["ecssd", "sd.internal"].iter().chain(arguments));
            Config::read(&cli).expect("good settings").removal_line(zone, "Z9", "web1").to_string()
        };
        assert_eq!(
            line(&["--hostname", "web2"], "sd.internal"),
            "ecssd sd.internal --zone-id Z9 --remove --hostname web1"
        );
        assert_eq!(
            line(&["--state-dir", "/srv/state"], "old.internal"),
            "ecssd old.internal --zone-id Z9 --remove --hostname web1 --state-dir /srv/state"
        );
    }
}
