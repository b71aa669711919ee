//! Asks targets over HTTP whether they serve, many at once and within the wait between two inspections. What follows
//! from the answers is [`health`](super::health)'s business.

use std::time::Duration;

use futures_util::StreamExt;

use super::health::{Answered, NoAnswer, Probed};
use crate::container::convention::HttpCheck;
use crate::container::convention::Timing;
use crate::container::offer::{At, EffectiveCheck};
use crate::edge::check::Checker;
use crate::machine::lifecycle::Target;

/// Of each target, before it counts as silent.
const TRIES: usize = 3;
/// Between them.
const TRY_PAUSE: Duration = Duration::from_millis(200);
/// Of each try.
const TRY_LIMIT: Duration = Duration::from_secs(2);
/// Targets that are asked at once.
const PROBES_AT_ONCE: usize = 64;
/// All probes are made while the second inspection is waited for.
const PROBES_LIMIT: Duration = Duration::from_secs(55);

/// Asks every target. One that could not be asked in time is not among the answers.
pub(super) async fn ask_all(checker: &dyn Checker, targets: Vec<Probed>, path: &str) -> Vec<Answered> {
    let ask = |probed: Probed| async {
        let answer = ask(checker, &probed, path).await;
        (probed, answer)
    };
    let mut answers = Vec::new();
    let mut asking = futures_util::stream::iter(targets).map(ask).buffer_unordered(PROBES_AT_ONCE);
    let all = async {
        while let Some(answer) = asking.next().await {
            answers.push(answer);
        }
    };
    if tokio::time::timeout(PROBES_LIMIT, all).await.is_err() {
        tracing::warn!(
            event = "checks_unfinished",
            asked = answers.len(),
            "the run's time was over before every target had answered"
        );
    }
    answers
}

async fn ask(checker: &dyn Checker, probed: &Probed, path: &str) -> Result<(), NoAnswer> {
    let target = Target {
        at: At::Task { address: *probed.address.ip(), port: probed.address.port() },
        check: EffectiveCheck::Http(HttpCheck::of_path(path)),
        timing: Timing { interval: TRY_LIMIT, timeout: TRY_LIMIT },
        is_led: false,
    };
    let mut answer = checker.check(&target).await;
    for _ in 1..TRIES {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(TRY_PAUSE).await;
        answer = checker.check(&target).await;
    }
    answer.map_err(|error| NoAnswer(error.to_string()))
}
