//! Before an ECS in memory that speaks JSON, in pages.

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_ecs::config::{BehaviorVersion, Config};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use serde_json::{Value, json};

use super::*;

#[derive(Clone, Debug, Default)]
struct Ecs(Arc<Mutex<Service>>);

#[derive(Debug, Default)]
struct Service {
    status: &'static str,
    /// By ARN: who started it.
    tasks: Vec<(String, &'static str)>,
    denies: bool,
    asked: Vec<String>,
}

impl HttpClient for Ecs {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Ecs {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap().rsplit('.').next().unwrap().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = self.0.lock().unwrap().serve(&target, &body);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            status.try_into().unwrap(),
            SdkBody::from(answer.to_string()),
        )))
    }
}

impl Service {
    fn serve(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.asked.push(target.to_owned());
        assert_eq!(body["cluster"], "c");
        if self.denies {
            let message = format!("User is not authorized to perform: ecs:{target}");
            return (400, json!({"__type": "AccessDeniedException", "message": message}));
        }
        let arn = &here().instance;
        match target {
            "DescribeContainerInstances" if self.status.is_empty() => {
                assert_eq!(body["containerInstances"], json!([arn]));
                (200, json!({"containerInstances": [], "failures": [{"arn": arn, "reason": "MISSING"}]}))
            }
            "DescribeContainerInstances" => {
                let instance = json!({"containerInstanceArn": arn, "status": self.status});
                (200, json!({"containerInstances": [instance], "failures": []}))
            }
            "ListTasks" => {
                assert_eq!(body["containerInstance"], json!(arn));
                let from: usize = body["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
                let to = self
                    .tasks
                    .len()
                    .min(from + usize::try_from(body["maxResults"].as_u64().unwrap()).unwrap());
                let arns: Vec<_> = self.tasks[from..to].iter().map(|(arn, _)| arn).collect();
                let next = (to < self.tasks.len()).then(|| to.to_string());
                (200, json!({"taskArns": arns, "nextToken": next}))
            }
            "DescribeTasks" => {
                let asked = body["tasks"].as_array().unwrap();
                assert!(asked.len() <= 100);
                let of = |(arn, by): &(String, &str)| json!({"taskArn": arn, "startedBy": by});
                let tasks: Vec<_> =
                    self.tasks.iter().filter(|(arn, _)| asked.contains(&json!(arn))).map(of).collect();
                (200, json!({"tasks": tasks, "failures": []}))
            }
            other => panic!("{other}"),
        }
    }
}

fn here() -> ContainerInstance {
    let instance = "arn:aws:ecs:eu-central-1:1:container-instance/c/0123".to_owned();
    ContainerInstance { cluster: "c".to_owned(), instance }
}

/// A host whose ECS agent has said where it is, and is away now.
fn cluster(ecs: &Ecs) -> Cluster {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(ecs.clone());
    let client = Client::from_conf(config.build());
    Cluster {
        last: Mutex::new(Some(here())),
        client: Mutex::new(Some(("eu-central-1".to_owned(), client))),
        ..off_ecs()
    }
}

fn off_ecs() -> Cluster {
    Cluster::new(EcsIntrospection::new("http://127.0.0.1:1", None).unwrap())
}

#[tokio::test]
async fn off_ecs_nothing_is_asked_and_nothing_is_wrong() {
    assert_eq!(off_ecs().ask().await, Ok(Said::Nothing));
}

#[tokio::test]
async fn a_container_instance_that_is_active_costs_one_call() {
    let ecs = Ecs::default();
    ecs.0.lock().unwrap().status = "ACTIVE";
    assert_eq!(cluster(&ecs).ask().await, Ok(Said::Nothing));
    assert_eq!(ecs.0.lock().unwrap().asked, ["DescribeContainerInstances"]);
}

#[tokio::test]
async fn one_that_drains_stops_the_tasks_of_its_services_however_many_pages_they_fill() {
    let ecs = Ecs::default();
    let task = |n: usize| {
        let by = if n.is_multiple_of(5) { "alice" } else { "ecs-svc/7" };
        (format!("arn:aws:ecs:eu-central-1:1:task/c/{n}"), by)
    };
    {
        let mut service = ecs.0.lock().unwrap();
        service.status = "DRAINING";
        service.tasks = (0..250).map(task).collect();
    }
    let Ok(Said::TasksEnd { tasks, .. }) = cluster(&ecs).ask().await else { panic!("it drains") };
    assert_eq!(tasks.len(), 200);
    assert!(!tasks.contains(&task(5).0));
    let asked = ecs.0.lock().unwrap().asked.clone();
    assert_eq!((asked.len(), asked.iter().filter(|target| *target == "ListTasks").count()), (7, 3));
}

#[tokio::test]
async fn what_may_not_be_asked_is_told_from_what_does_not_answer() {
    let ecs = Ecs::default();
    let Err(AskError::Away(missing)) = cluster(&ecs).ask().await else { panic!("it is missing") };
    assert!(missing.contains("MISSING"), "{missing}");
    ecs.0.lock().unwrap().denies = true;
    let Err(AskError::Denied(reason)) = cluster(&ecs).ask().await else { panic!("it is denied") };
    assert!(reason.contains("ecs:DescribeContainerInstances"), "{reason}");
}
