//! A Docker engine and its containers, by the `docker` command.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::output;
use crate::wait::unique;

/// A Docker engine.
#[derive(Clone, Debug)]
pub struct Engine {
    pub socket: String,
}

impl Engine {
    /// The engine that this run of the tests was given, with the test image in it.
    pub fn given() -> Self {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        ENGINE
            .get_or_init(|| {
                let socket = std::env::var("ECSSD_TEST_DOCKER_SOCKET").expect(
                    "ECSSD_TEST_DOCKER_SOCKET is not set: these tests need a Docker engine, run them by tests/run",
                );
                let engine = Self { socket };
                engine.import_image();
                engine
            })
            .clone()
    }

    /// Makes the image `ecssd-test` from a static busybox: nothing is pulled.
    pub fn import_image(&self) {
        let root = TempDir::new().unwrap();
        let bin = root.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::copy("/bin/busybox", bin.join("busybox"))
            .expect("a static busybox (Debian: busybox-static)");
        for applet in ["sh", "sleep", "httpd", "nc", "echo", "true", "false", "test", "touch", "rm", "kill"] {
            std::os::unix::fs::symlink("busybox", bin.join(applet)).unwrap();
        }
        std::fs::create_dir(root.path().join("www")).unwrap();
        std::fs::write(root.path().join("www/health"), "ok").unwrap();
        let tar = root.path().join("../").canonicalize().unwrap().join(format!("{}.tar", unique("image")));
        output(Command::new("tar").arg("-C").arg(root.path()).arg("-cf").arg(&tar).arg("."));
        self.docker(&["import", &tar.to_string_lossy(), "ecssd-test"]);
        std::fs::remove_file(tar).unwrap();
    }

    /// `docker ARGS`, which must succeed; its output.
    pub fn docker(&self, arguments: &[&str]) -> String {
        output(&mut self.command(arguments))
    }

    /// `docker ARGS`, to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.socket)).args(arguments);
        command
    }

    /// `docker create OPTIONS ecssd-test COMMAND`.
    pub fn create(&self, options: &[&str], command: &[&str]) -> Container {
        let all: Vec<&str> =
            ["create"].iter().chain(options).chain(&["ecssd-test"]).chain(command).copied().collect();
        Container { id: self.docker(&all), engine: self.clone() }
    }

    /// `docker run -d OPTIONS ecssd-test COMMAND`.
    pub fn run(&self, options: &[&str], command: &[&str]) -> Container {
        let container = self.create(options, command);
        container.docker(&["start"]);
        container
    }

    /// A container that serves HTTP on its port 80, published at a random port.
    pub fn web(&self, name: &str, options: &[&str]) -> Container {
        let service = format!("SERVICE_80_NAME={name}");
        let options: Vec<&str> = ["-p", "80", "-e", &service].iter().chain(options).copied().collect();
        self.run(&options, &["httpd", "-f", "-p", "80", "-h", "/www"])
    }

    /// A container that this signal asks to stop, and that goes on until it is told that it may end: see
    /// [`Container::stop_around`].
    pub fn graceful(&self, signal: &str, options: &[&str]) -> Container {
        let command = format!(
            "trap 'while ! test -e /gone; do sleep 0.02; done; exit 0' {signal}; while :; do sleep 0.1; done"
        );
        let options = [&["--stop-signal", signal, "-p", "80"], options].concat();
        self.run(&options, &["sh", "-c", &command])
    }

    /// The address of the host on the engine's default bridge.
    pub fn bridge_address(&self) -> Ipv4Addr {
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let gateway = self.docker(&["network", "inspect", "bridge", "--format", format]);
        // Docker 20.10 does not name the gateway of a bridge that it chose itself.
        if let Ok(address) = gateway.parse() {
            return address;
        }
        let subnet =
            self.docker(&["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"]);
        let network: Ipv4Addr = subnet.split('/').next().unwrap().parse().unwrap();
        Ipv4Addr::from(u32::from(network) + 1)
    }
}

/// A container, removed when it is dropped.
#[derive(Debug)]
pub struct Container {
    pub id: String,
    engine: Engine,
}

impl Container {
    pub fn inspect(&self) -> Value {
        let json = self.engine.docker(&["inspect", &self.id]);
        serde_json::from_str::<Value>(&json).unwrap()[0].take()
    }

    /// The lowest IPv4 host port of a container port such as `80/tcp`.
    pub fn host_port(&self, port: &str) -> u16 {
        let inspect = self.inspect();
        let bindings =
            inspect["NetworkSettings"]["Ports"][port].as_array().expect("a published port").clone();
        let ports = bindings.iter().filter(|binding| binding["HostIp"] == "0.0.0.0");
        ports.map(|binding| binding["HostPort"].as_str().unwrap().parse().unwrap()).min().unwrap()
    }

    pub fn is_running(&self) -> bool {
        self.inspect()["State"]["Running"] == true
    }

    /// `docker VERB CONTAINER`.
    pub fn docker(&self, verb: &[&str]) {
        let all: Vec<&str> = verb.iter().copied().chain([self.id.as_str()]).collect();
        self.engine.docker(&all);
    }

    /// `docker stop` of a graceful one: it is told that it may end once something is over, and ran until then.
    pub fn stop_around(&self, something: impl FnOnce()) {
        let mut stop =
            self.engine.command(&["stop", "-t", "30", &self.id]).stdout(Stdio::null()).spawn().unwrap();
        something();
        assert!(self.is_running());
        self.exec(&["touch", "/gone"]);
        assert!(stop.wait().unwrap().success());
    }

    /// `docker exec CONTAINER COMMAND`.
    pub fn exec(&self, command: &[&str]) {
        let all: Vec<&str> = ["exec", &self.id].iter().chain(command).copied().collect();
        self.engine.docker(&all);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.engine.command(&["rm", "-f", &self.id]).output();
    }
}
