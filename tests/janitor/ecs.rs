//! ECS as the API reference documents it, as far as the janitor asks: JSON 1.1 over HTTP, in pages. It throttles
//! and fails as it is told, and lets a test do something before any call.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use ecssd_testing::http::Request;
use ecssd_testing::http::{Answer, header, serve};

const ARN: &str = "arn:aws:ecs:us-east-1:111122223333";
const JSON: &str = "application/x-amz-json-1.1";
/// 1970 and two weeks: all that is there has been for long.
const LONG_AGO: f64 = 1_209_600.5;

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub instances: Vec<Instance>,
    pub tasks: Vec<Task>,
}

/// A registration of a host.
#[derive(Clone, Debug)]
pub struct Instance {
    pub ec2: String,
    pub connected: bool,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub definition: String,
    /// Its host; none on Fargate.
    pub host: Option<String>,
    pub status: &'static str,
    pub container: String,
    /// Port in the container, and on the host.
    pub binding: Option<(u16, u16)>,
    /// With `awsvpc`.
    pub address: Option<String>,
}

/// What a call comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Serve,
    Throttle,
    Deny,
    Fail,
    /// Half of the answer.
    Break,
    /// Something is asked for and not told of.
    Forget,
}

type Rule = Box<dyn FnMut(&str, usize) -> Act + Send>;

pub struct State {
    pub clusters: BTreeMap<String, Cluster>,
    /// Environments by name of the task definition.
    pub definitions: BTreeMap<String, Value>,
    pub page: usize,
    pub asked: Vec<String>,
    pub stopped: Vec<String>,
}

/// The service. A clone is another handle to it.
#[derive(Clone)]
pub struct Ecs {
    pub url: String,
    state: Arc<Mutex<State>>,
    rule: Arc<Mutex<Rule>>,
}

impl Ecs {
    pub fn start() -> Self {
        Self::slow(Duration::ZERO)
    }

    /// One that takes so long for each call.
    pub fn slow(delay: Duration) -> Self {
        let mut service = Self::silent();
        let serving = service.clone();
        service.url = serve(move |request| {
            std::thread::sleep(delay);
            serving.answer(request)
        });
        service
    }

    /// One that answers nobody by itself.
    pub fn silent() -> Self {
        let state = State {
            clusters: BTreeMap::new(),
            definitions: BTreeMap::new(),
            page: 100,
            asked: Vec::new(),
            stopped: Vec::new(),
        };
        let rule: Rule = Box::new(|_, _| Act::Serve);
        Self { url: String::new(), state: Arc::new(Mutex::new(state)), rule: Arc::new(Mutex::new(rule)) }
    }

    /// A look or a hand behind the API.
    pub fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.state.lock().unwrap())
    }

    /// What becomes of each call, by its name and its number among all: of one after another, so that it may count.
    pub fn rule(&self, rule: impl FnMut(&str, usize) -> Act + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// A definition whose one container asks for this on its port 80.
    pub fn define(&self, name: &str, mode: &str, service: &str) {
        let definition = json!({
            "taskDefinitionArn": format!("{ARN}:task-definition/{name}:1"),
            "family": name, "revision": 1, "status": "ACTIVE", "networkMode": mode,
            "containerDefinitions": [{
                "name": "web", "image": "web", "cpu": 0, "essential": true,
                "environment": [
                    {"name": "SERVICE_80_NAME", "value": service}, {"name": "SECRET", "value": "s3cret"},
                ],
                "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
            }],
        });
        self.with(|state| state.definitions.insert(name.to_owned(), definition));
    }

    pub fn host(&self, cluster: &str, ec2: &str) {
        let instance = Instance { ec2: ec2.to_owned(), connected: true };
        self.with(|state| state.clusters.entry(cluster.to_owned()).or_default().instances.push(instance));
    }

    pub fn task(&self, cluster: &str, task: Task) {
        self.with(|state| state.clusters.entry(cluster.to_owned()).or_default().tasks.push(task));
    }

    pub fn answer(&self, request: &Request) -> Answer {
        let target = header(request, "x-amz-target").unwrap_or_default();
        let action = target.strip_prefix("AmazonEC2ContainerServiceV20141113.").unwrap_or_default();
        let asked: Value = serde_json::from_str(&request.body).unwrap();
        let number = self.with(|state| {
            state.asked.push(action.to_owned());
            state.asked.len()
        });
        // Without the state's lock: the rule may want to change what is there.
        let act = (self.rule.lock().unwrap())(action, number);
        let Some(mut told) = self.with(|state| state.told(action, &asked)) else {
            return error("InvalidParameterException", &format!("{action} of {asked}"));
        };
        match act {
            Act::Throttle => error("ThrottlingException", "Rate exceeded"),
            Act::Deny => error("AccessDeniedException", "not authorized to perform this"),
            Act::Fail => (500, JSON, json!({"__type": "ServerException", "message": "oh"}).to_string()),
            Act::Break => {
                let text = told.to_string();
                (200, JSON, text[..text.len() / 2].to_owned())
            }
            Act::Forget => {
                for list in ["tasks", "containerInstances"] {
                    if let Some(list) = told[list].as_array_mut() {
                        list.pop();
                    }
                }
                (200, JSON, told.to_string())
            }
            Act::Serve => (200, JSON, told.to_string()),
        }
    }
}

fn error(code: &str, message: &str) -> Answer {
    (400, JSON, json!({"__type": code, "message": message}).to_string())
}

impl State {
    fn told(&mut self, action: &str, asked: &Value) -> Option<Value> {
        let name = |field: &str| Some(asked[field].as_str()?.rsplit('/').next()?.to_owned());
        let names = |field: &str| -> Option<Vec<String>> {
            let all = asked[field].as_array()?;
            assert!((1..=100).contains(&all.len()), "{action} of {}", all.len());
            Some(all.iter().map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect())
        };
        if action == "ListClusters" {
            let arns = self.clusters.keys().map(|name| format!("{ARN}:cluster/{name}")).collect();
            return Some(self.paged("clusterArns", arns, asked));
        }
        if action == "DescribeTaskDefinition" {
            let family = name("taskDefinition")?;
            let definition = self.definitions.get(family.split(':').next()?)?;
            return Some(json!({"taskDefinition": definition}));
        }
        let cluster_name = name("cluster")?;
        let cluster = self.clusters.get(&cluster_name)?;
        let arn = |kind: &str, name: &str| format!("{ARN}:{kind}/{cluster_name}/{name}");
        match action {
            "ListContainerInstances" => {
                let arns = cluster.instances.iter().map(|host| arn("container-instance", &host.ec2));
                Some(self.paged("containerInstanceArns", arns.collect(), asked))
            }
            "DescribeContainerInstances" => {
                let asked = names("containerInstances")?;
                let hosts = cluster.instances.iter().filter(|host| asked.contains(&host.ec2));
                let told: Vec<_> =
                    hosts.map(|host| host_json(host, &arn("container-instance", &host.ec2))).collect();
                Some(json!({"containerInstances": told, "failures": []}))
            }
            "ListTasks" => {
                let stopped = asked["desiredStatus"] == "STOPPED";
                let to_stop = |task: &&Task| matches!(task.status, "STOPPED" | "DEACTIVATING") == stopped;
                let ids = cluster.tasks.iter().filter(to_stop).map(|task| task.container[32..].to_owned());
                let mut page = self.paged("taskArns", ids.collect(), asked);
                let arns = page["taskArns"].as_array_mut().unwrap();
                arns.iter_mut().for_each(|id| *id = json!(arn("task", id.as_str().unwrap())));
                Some(page)
            }
            "DescribeTasks" => {
                let asked = names("tasks")?;
                let wanted: HashSet<&str> = asked.iter().map(String::as_str).collect();
                let is_wanted = |task: &&Task| wanted.contains(&task.container[32..]);
                let found: Vec<&Task> = cluster.tasks.iter().filter(is_wanted).collect();
                let told = found.iter().map(|task| task_json(task, &cluster_name));
                let there: HashSet<&str> = found.iter().map(|task| &task.container[32..]).collect();
                let missing = asked.iter().filter(|name| !there.contains(name.as_str()));
                let failures: Vec<_> =
                    missing.map(|name| json!({"arn": arn("task", name), "reason": "MISSING"})).collect();
                Some(json!({"tasks": told.collect::<Vec<_>>(), "failures": failures}))
            }
            "StopTask" => {
                let task = name("task")?;
                self.stopped.push(task);
                Some(json!({"task": {"lastStatus": "RUNNING", "desiredStatus": "STOPPED"}}))
            }
            _ => None,
        }
    }

    fn paged(&self, list: &str, all: Vec<String>, asked: &Value) -> Value {
        let from: usize = asked["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let most = asked["maxResults"].as_u64().unwrap_or(100).min(100);
        let to = all.len().min(from + self.page.min(usize::try_from(most).unwrap()));
        let mut page = json!({list: all[from..to]});
        if to < all.len() {
            page["nextToken"] = json!(to.to_string());
        }
        page
    }
}

fn host_json(host: &Instance, arn: &str) -> Value {
    json!({
        "containerInstanceArn": arn, "ec2InstanceId": (!host.ec2.is_empty()).then_some(&host.ec2), "version": 3, "status": "ACTIVE",
        "agentConnected": host.connected, "runningTasksCount": 1, "pendingTasksCount": 0,
        "registeredAt": LONG_AGO, "attachments": [], "tags": [],
        "versionInfo": {"agentVersion": "1.89.0", "dockerVersion": "DockerVersion: 25.0.8"},
        "attributes": [{"name": "ecs.instance-type", "value": "t3.micro"}],
    })
}

fn task_json(task: &Task, cluster: &str) -> Value {
    let arn = format!("{ARN}:task/{cluster}/{}", &task.container[32..]);
    let bindings: Vec<_> = task
        .binding
        .iter()
        .flat_map(|(container, host)| ["0.0.0.0", "::"].map(|ip| (ip, container, host)))
        .map(|(ip, container, host)| json!({"bindIP": ip, "containerPort": container, "hostPort": host, "protocol": "tcp"}))
        .collect();
    let fargate = task.host.is_none();
    let id = if fargate { format!("{}-527074092", &task.container[32..]) } else { task.container.clone() };
    let details: Vec<_> =
        task.address.iter().map(|ip| json!({"name": "privateIPv4Address", "value": ip})).collect();
    let attachments = match &task.address {
        Some(_) => {
            json!([{"id": "a", "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}])
        }
        None => json!([]),
    };
    let mut told = json!({
        "taskArn": arn, "clusterArn": format!("{ARN}:cluster/{cluster}"),
        "taskDefinitionArn": format!("{ARN}:task-definition/{}:1", task.definition),
        "lastStatus": task.status, "version": 4, "launchType": if fargate { "FARGATE" } else { "EC2" },
        "desiredStatus": if task.status == "STOPPED" { "STOPPED" } else { "RUNNING" },
        "overrides": {"containerOverrides": [{"name": "web"}], "inferenceAcceleratorOverrides": []},
        "attachments": attachments, "connectivity": "CONNECTED", "createdAt": LONG_AGO, "tags": [],
        "containers": [{
            "containerArn": format!("{ARN}:container/x"), "taskArn": arn, "name": "web", "image": "web",
            "runtimeId": id, "lastStatus": task.status, "networkBindings": bindings, "networkInterfaces": [],
            "healthStatus": "UNKNOWN", "cpu": "0",
        }],
    });
    if let Some(host) = &task.host {
        told["containerInstanceArn"] = json!(format!("{ARN}:container-instance/{cluster}/{host}"));
    }
    if task.status == "RUNNING" {
        told["startedAt"] = json!(LONG_AGO);
    }
    told
}
