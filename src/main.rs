//! The door: reads the settings, sets up logging and the runtime, and turns the end into an exit code.

use std::process::ExitCode;

use clap::Parser;
use ecssd::cli::{Cli, double_dashed};
use ecssd::config::Config;
use ecssd::{daemon, logs};

/// A setting is wrong (`EX_USAGE`).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(double_dashed(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let config = match Config::read(&cli) {
        Ok(config) => config,
        Err(bad) => {
            bad.iter().for_each(|setting| eprintln!("ecssd: {setting}"));
            eprintln!("ecssd: nothing was started; see ecssd --help");
            return ExitCode::from(USAGE);
        }
    };
    logs::init(config.log_format, config.log_level);
    if cli.cw_send_events {
        tracing::warn!(
            "-cw-send-events: this agent sends no events; watch the container events of ECS instead"
        );
    }
    // One thread: nothing here keeps a core busy, and a daemon on every host should be small.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ecssd: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(daemon::run(config))
}
