//! The ECS agent's introspection: for the address of a task that has its own, and which container instance
//! this host is.
//!
//! Docker does not know that address: the ECS agent plugs a network interface into the task's pause
//! container behind Docker's back. Whoever listens at that port could say anything, so nobody is asked of a task who
//! names no cluster, and on EC2 an address counts only within the VPC.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use super::{Tasks, TasksError};
use crate::aws::names::Names;
use crate::edge::imds::vpc::Vpc;
use crate::printable::printable;
use crate::record::{ContainerId, is_target};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// The most bytes of an answer; a task of ten containers has 4 kB.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// The most octets of an ARN.
const NAME_OCTETS_MAX: usize = 2_048;

/// The ECS agent of this host, port 51678 unless told otherwise.
#[derive(Clone, Debug)]
pub struct EcsIntrospection {
    url: String,
    client: reqwest::Client,
    /// Which addresses a task can have; off EC2 that is not known.
    vpc: Option<Arc<Vpc>>,
    /// Whether it has named a cluster.
    has_cluster: Arc<AtomicBool>,
}

impl EcsIntrospection {
    /// The ECS agent at this base URL, of a host in this VPC.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn new(url: &str, vpc: Option<Vpc>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(Names::shared())
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_TIMEOUT)
            .pool_max_idle_per_host(0)
            .build()?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { url, client, vpc: vpc.map(Arc::new), has_cluster: Arc::default() })
    }
}

/// Which container instance a host is, and of which cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerInstance {
    /// The cluster's name or ARN.
    pub cluster: String,
    /// The container instance's ARN.
    pub instance: String,
}

impl ContainerInstance {
    /// The region that it is in: `arn:aws:ecs:<region>:…`.
    pub fn region(&self) -> Option<&str> {
        self.instance.split(':').nth(3).filter(|region| !region.is_empty())
    }
}

impl EcsIntrospection {
    /// Which container instance this host is; `None` until the ECS agent has registered it.
    ///
    /// # Errors
    /// When nobody answers, or oddly.
    pub async fn container_instance(&self) -> Result<Option<ContainerInstance>, TasksError> {
        let metadata: Metadata = self.get("/v1/metadata").await?;
        Ok(metadata.container_instance())
    }

    async fn task(&self, id: &ContainerId) -> Result<Task, TasksError> {
        if !self.has_cluster.load(Ordering::Relaxed) {
            let metadata: Metadata = self.get("/v1/metadata").await?;
            if metadata.cluster.is_none_or(|name| name.is_empty()) {
                return Err(TasksError::NoCluster { url: self.url.clone() });
            }
            self.has_cluster.store(true, Ordering::Relaxed);
        }
        self.get(&format!("/v1/tasks?dockerid={id}")).await
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, TasksError> {
        let url = format!("{}{path}", self.url);
        let failed = |error: &dyn std::error::Error| TasksError::Unanswered {
            url: url.clone(),
            reason: printable(&error.to_string()),
        };
        let answer = self.client.get(&url).send().await.map_err(|error| failed(&error.without_url()))?;
        let mut answer = answer.error_for_status().map_err(|error| failed(&error.without_url()))?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error.without_url()))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                let reason = format!("more than {ANSWER_BYTES_MAX} bytes came");
                return Err(TasksError::Unanswered { url: url.clone(), reason });
            }
        }
        serde_json::from_slice(&body).map_err(|error| failed(&error))
    }
}

#[async_trait]
impl Tasks for EcsIntrospection {
    async fn address(&self, id: &ContainerId) -> Result<Option<Ipv4Addr>, TasksError> {
        let address = self.task(id).await?.address(id);
        if let (Some(address), Some(vpc)) = (address, &self.vpc)
            && !vpc.has(address).await.map_err(TasksError::VpcUnknown)?
        {
            return Err(TasksError::Elsewhere { address });
        }
        Ok(address)
    }

    async fn is_to_stop(&self, id: &ContainerId) -> Result<bool, TasksError> {
        Ok(self.task(id).await?.desired_status == "STOPPED")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(default)]
    cluster: Option<String>,
    #[serde(default)]
    container_instance_arn: Option<String>,
}

impl Metadata {
    fn container_instance(self) -> Option<ContainerInstance> {
        let is_name = |text: &String| {
            (1..=NAME_OCTETS_MAX).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic())
        };
        let given = |text: Option<String>| text.filter(is_name);
        Some(ContainerInstance {
            cluster: given(self.cluster)?,
            instance: given(self.container_instance_arn)?,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    #[serde(default)]
    desired_status: String,
    #[serde(default)]
    containers: Vec<TaskContainer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaskContainer {
    docker_id: String,
    #[serde(default)]
    networks: Vec<Network>,
}

#[derive(Debug, Deserialize)]
struct Network {
    #[serde(rename = "NetworkMode", default)]
    mode: String,
    #[serde(rename = "IPv4Addresses", default)]
    addresses: Vec<Ipv4Addr>,
}

impl Task {
    fn address(&self, id: &ContainerId) -> Option<Ipv4Addr> {
        let id = id.to_string();
        let container = self.containers.iter().find(|container| container.docker_id == id)?;
        let own = container.networks.iter().find(|network| network.mode == "awsvpc")?;
        own.addresses.first().copied().filter(|address| is_target(*address))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::edge::imds::Imds;
    use crate::record::testing::{HEX, id};

    const VPC: &str = "10.1.0.0/16\n10.0.0.0/16";

    /// An ECS agent that answers so when it is asked for itself, and of each container that its task has this address;
    /// a metadata service too. And what it was asked.
    async fn agent(metadata: &'static str, address: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let length = stream.read(&mut request).await.unwrap();
                let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap().to_owned();
                let body = match line.split(' ').nth(1).unwrap() {
                    "/v1/metadata" => metadata.to_owned(),
                    "/latest/api/token" => "TOKEN".to_owned(),
                    "/latest/meta-data/mac" => "0a:1b:2c:3d:4e:5f".to_owned(),
                    path if path.ends_with("/vpc-ipv4-cidr-blocks") => VPC.to_owned(),
                    _ => format!(
                        r#"{{"DesiredStatus":"RUNNING","Containers":[{{"DockerId":"{HEX}","Networks":[
                        {{"NetworkMode":"awsvpc","IPv4Addresses":["{address}"]}}]}}]}}"#
                    ),
                };
                heard.lock().unwrap().push(line);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close", body.len());
                let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
            }
        });
        (url, asked)
    }

    #[tokio::test]
    async fn who_names_no_cluster_is_asked_of_no_task() {
        let container = id(0xab);
        for metadata in ["{}", r#"{"Cluster":""}"#, r#"{"Cluster":null,"ContainerInstanceArn":"arn:x"}"#] {
            let (url, asked) = agent(metadata, "10.0.3.9").await;
            let tasks = EcsIntrospection::new(&url, None).unwrap();
            assert!(
                matches!(tasks.address(&container).await, Err(TasksError::NoCluster { .. })),
                "{metadata}"
            );
            assert!(matches!(tasks.is_to_stop(&container).await, Err(TasksError::NoCluster { .. })));
            assert!(asked.lock().unwrap().iter().all(|line| line.contains("/v1/metadata")), "{metadata}");
        }
        let (url, asked) = agent(r#"{"Cluster":"c"}"#, "10.0.3.9").await;
        let tasks = EcsIntrospection::new(&url, None).unwrap();
        for _ in 0..2 {
            assert_eq!(tasks.address(&container).await, Ok(Some([10, 0, 3, 9].into())));
        }
        let of_itself = asked.lock().unwrap().iter().filter(|line| line.contains("/v1/metadata")).count();
        assert_eq!(of_itself, 1, "once it is known, it is not asked again");
    }

    #[tokio::test]
    async fn on_ec2_an_address_counts_only_where_the_vpc_is_known_to_have_it() {
        let (url, _) = agent(r#"{"Cluster":"c"}"#, "10.0.3.9").await;
        let nobody = Imds::at("http://127.0.0.1:1").unwrap();
        let tasks = EcsIntrospection::new(&url, Some(Vpc::of(nobody))).unwrap();
        assert!(matches!(tasks.address(&id(0xab)).await, Err(TasksError::VpcUnknown(_))));
        for (address, expected) in [
            ("10.0.3.9", Ok(Some([10, 0, 3, 9].into()))),
            ("10.2.3.9", Err(TasksError::Elsewhere { address: [10, 2, 3, 9].into() })),
        ] {
            let (url, _) = agent(r#"{"Cluster":"c"}"#, address).await;
            let vpc = Vpc::of(Imds::at(&url).unwrap());
            let tasks = EcsIntrospection::new(&url, Some(vpc)).unwrap();
            assert_eq!(tasks.address(&id(0xab)).await, expected, "{address}");
        }
    }

    #[test]
    fn reads_which_container_instance_it_is() {
        let here = |json: &str| serde_json::from_str::<Metadata>(json).unwrap().container_instance();
        let instance = "arn:aws:ecs:eu-central-1:1:container-instance/c/0123";
        let told = here(&format!(r#"{{"Cluster":"c","ContainerInstanceArn":"{instance}","Version":"1.9"}}"#));
        assert_eq!(told, Some(ContainerInstance { cluster: "c".into(), instance: instance.into() }));
        assert_eq!(told.unwrap().region(), Some("eu-central-1"));
        // Before it is registered.
        assert_eq!(here(r#"{"Cluster":"c","ContainerInstanceArn":null}"#), None);
        assert_eq!(here(r#"{"Cluster":"","ContainerInstanceArn":""}"#), None);
        assert_eq!(here(&format!(r#"{{"Cluster":"c\n","ContainerInstanceArn":"{instance}"}}"#)), None);
    }

    #[test]
    fn reads_the_address_of_an_awsvpc_task() {
        let id = "a".repeat(64);
        let json = format!(
            r#"{{"Arn":"arn:aws:ecs:eu-central-1:1:task/c/1","DesiredStatus":"RUNNING","KnownStatus":"RUNNING",
            "Family":"web","Version":"3","Containers":[
            {{"DockerId":"{id}","DockerName":"web","Name":"web",
              "Networks":[{{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.1.7"]}}]}}]}}"#
        );
        let task: Task = serde_json::from_str(&json).unwrap();
        assert_eq!(task.address(&id.parse().unwrap()), Some(Ipv4Addr::new(10, 0, 1, 7)));
        assert_eq!(task.address(&"b".repeat(64).parse().unwrap()), None);
        let nowhere = json.replace("10.0.1.7", "169.254.170.2");
        assert_eq!(serde_json::from_str::<Task>(&nowhere).unwrap().address(&id.parse().unwrap()), None);
        let bridge = json.replace("awsvpc", "bridge");
        assert_eq!(serde_json::from_str::<Task>(&bridge).unwrap().address(&id.parse().unwrap()), None);
    }
}
