//! Which names a task definition asks for, in its environment and labels.
//!
//! Of the environment, in which secrets stand, nothing but `SERVICE_*` is kept. Values that ECS fetches
//! elsewhere (`secrets`, `environmentFiles`) are not seen here.
//!
//! Names are read twice. As our agents read them, to say which container should have a record. And as they
//! are written, to say that a service is wanted somewhere: a name that our agents would refuse, the
//! predecessor may have registered, or an agent that is told other names than the janitor.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{ContainerDefinition, KeyValuePair, TaskDefinition};

use crate::container::convention::{Protocol, Scope, parse};
use crate::record::canonical;

/// A task definition, as far as it concerns this system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Those that have keys of ours, by name.
    containers: BTreeMap<String, Keys>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Keys {
    environment: BTreeMap<String, String>,
    labels: Vec<(String, String)>,
}

/// What a container asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Full names, as they are written, and all that an agent could register which is told of no others.
    pub named: BTreeSet<String>,
    /// Those that our agents register, and whether by TCP.
    pub registered: Vec<(u16, String, Protocol)>,
}

impl Definition {
    /// What of a definition is kept.
    pub fn read(definition: &TaskDefinition) -> Self {
        let keys = |container: &ContainerDefinition| {
            let labels = container.docker_labels.iter().flatten();
            let labels = labels.filter(|(key, _)| is_ours(key));
            let mut labels: Vec<_> = labels.map(|(key, value)| (key.clone(), value.clone())).collect();
            labels.sort_unstable();
            let keys = Keys { environment: ours(container.environment()), labels };
            (keys != Keys::default()).then(|| Some((container.name.clone()?, keys)))?
        };
        Self { containers: definition.container_definitions().iter().filter_map(keys).collect() }
    }

    /// What its container `name` asks for, where the task overrides this of the environment. Which host it comes to is
    /// not known here: the scope names none, and a service named like a host is refused there.
    pub fn wants(&self, name: &str, overrides: &[KeyValuePair], scope: &Scope) -> Wants {
        let mut keys = self.containers.get(name).cloned().unwrap_or_default();
        keys.environment.extend(ours(overrides));
        let environment: Vec<String> =
            keys.environment.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let labels = || keys.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let services = |scope: &Scope| {
            parse(environment.iter().map(String::as_str), labels(), scope).services.into_iter()
        };
        let registered = services(scope);
        let wanted = services(&scope.clone().with_allowed(None));
        let of_environment = keys.environment.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        Wants {
            named: of_environment
                .chain(labels())
                .flat_map(|(key, value)| named(key, value, scope.zone()))
                .chain(wanted.map(|service| service.name.as_str().to_owned()))
                .collect(),
            registered: registered
                .map(|service| (service.container_port, service.name.as_str().to_owned(), service.protocol))
                .collect(),
        }
    }
}

fn is_ours(key: &str) -> bool {
    key.get(..8).is_some_and(|prefix| prefix.eq_ignore_ascii_case("SERVICE_"))
}

fn ours(environment: &[KeyValuePair]) -> BTreeMap<String, String> {
    let pairs = environment.iter().filter_map(|pair| Some((pair.name.clone()?, pair.value.clone()?)));
    pairs.filter(|(key, _)| is_ours(key)).collect()
}

/// The names of `SERVICE_<port>_NAME`, as they are written.
fn named(key: &str, value: &str, zone: &str) -> Vec<String> {
    let key = key.to_ascii_uppercase();
    let port = key.strip_prefix("SERVICE_").and_then(|rest| rest.strip_suffix("_NAME"));
    if port.is_none_or(|port| port.parse::<u16>().is_err()) {
        return Vec::new();
    }
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| format!("{}.{zone}", canonical(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> KeyValuePair {
        KeyValuePair::builder().name(name).value(value).build()
    }

    fn scope() -> Scope {
        Scope::new("sd.internal", "")
    }

    fn definition() -> TaskDefinition {
        let web = ContainerDefinition::builder()
            .name("web")
            .environment(pair("SERVICE_80_NAME", "_web._tcp, Odd Name"))
            .environment(pair("PASSWORD", "secret"))
            .docker_labels("service_53_name", "_dns._udp")
            .build();
        let sidecar = ContainerDefinition::builder().name("log").environment(pair("A", "b")).build();
        TaskDefinition::builder().container_definitions(web).container_definitions(sidecar).build()
    }

    #[test]
    fn keeps_what_is_ours_and_no_secret() {
        let definition = Definition::read(&definition());
        assert!(!format!("{definition:?}").contains("secret"));
        let wants = definition.wants("web", &[], &scope());
        let registered = [
            (53, "_dns._udp.sd.internal".to_owned(), Protocol::Udp),
            (80, "_web._tcp.sd.internal".to_owned(), Protocol::Tcp),
        ];
        assert_eq!(wants.registered, registered);
        let named = ["_dns._udp.sd.internal", "_web._tcp.sd.internal", "odd name.sd.internal"];
        assert_eq!(wants.named, named.map(str::to_owned).into());
        assert_eq!(definition.wants("log", &[], &scope()), Wants::default());
    }

    #[test]
    fn all_kinds_of_names_are_registered_and_full_ones_where_each_name_has_one() {
        let keys =
            [("SERVICE_80_NAME", "_web._tcp"), ("SERVICE_80_A", "web"), ("SERVICE_81_ALL", "_api-all._tcp")];
        let container = ContainerDefinition::builder().name("web");
        let container = keys.iter().fold(container, |it, (key, value)| it.environment(pair(key, value)));
        let definition = TaskDefinition::builder().container_definitions(container.build()).build();
        let names = |scope: &Scope| -> Vec<_> {
            let wants = Definition::read(&definition).wants("web", &[], scope);
            let names = wants.registered.into_iter().map(|(_, name, _)| name.replace(".sd.internal", ""));
            names.collect::<BTreeSet<_>>().into_iter().collect()
        };
        assert_eq!(names(&scope()), ["_api-all._tcp", "_web._tcp", "web"]);
        let full = scope().with_full_names(Some("-all".parse().unwrap()));
        assert_eq!(names(&full), ["_api-all._tcp", "_web-all._tcp", "_web._tcp", "web"]);
        // What no agent registers is missed nowhere, and is wanted all the same: an agent may be told otherwise.
        let allowed = full.with_allowed(Some("*._tcp".parse().unwrap()));
        assert_eq!(names(&allowed), ["_api-all._tcp", "_web-all._tcp", "_web._tcp"]);
        let named = Definition::read(&definition).wants("web", &[], &allowed).named;
        assert!(
            named.contains("web.sd.internal") && named.contains("_web-all._tcp.sd.internal"),
            "{named:?}"
        );
    }

    #[test]
    fn a_task_may_ask_for_something_else_than_its_definition() {
        let definition = Definition::read(&definition());
        let wants = definition.wants("web", &[pair("SERVICE_80_NAME", "_new._tcp")], &scope());
        assert_eq!(wants.registered[1].1, "_new._tcp.sd.internal");
        let wants = definition.wants("log", &[pair("SERVICE_1_NAME", "x")], &scope());
        assert_eq!(wants.named, ["x.sd.internal".to_owned()].into());
    }
}
