//! Every documented error, and every way in which a connection can end: each is met once, and nothing is
//! lost or taken apart by it.

use std::time::Duration;

use ecssd::record::Change;
use ecssd_testing::route53::endpoint::Endpoint;
use ecssd_testing::route53::faults::{Act, Says};

use super::host::{Host, ZONE, own};
use super::rules;

/// 60 records come, and the first call ends like this.
async fn meets(act: Act) -> (Host, Vec<Vec<Change>>) {
    let endpoint = Endpoint::new(ZONE);
    endpoint.script([act]);
    let mut host = Host::new(&endpoint);
    (0..60).for_each(|n| host.want(own(n, 32_768)));
    host.told_all();
    host.settle().await;
    host.check_converged();
    rules::check(&host);
    let batches = rules::batches(&endpoint.history()).map(|(_, batch)| batch.clone()).collect();
    (host, batches)
}

fn keys(batch: &[Change]) -> Vec<String> {
    batch.iter().map(|change| change.set.key().to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_error_that_says_nothing_of_the_batch_never_takes_it_apart() {
    for says in Says::ALL.into_iter().filter(|says| !says.blames()) {
        let (_, batches) = meets(Act::Say(says)).await;
        assert_eq!(batches.len(), 2, "{says:?}");
        assert_eq!(keys(&batches[0]), keys(&batches[1]), "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_blames_the_batch_once_costs_a_few_calls() {
    for says in Says::ALL.into_iter().filter(|says| says.blames()) {
        let (_, batches) = meets(Act::Say(says)).await;
        // The first half is taken, so that the second is suspected; then it is taken too.
        assert!(batches.len() <= 1 + 7, "{says:?}: {} calls", batches.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_never_takes_a_batch_apart() {
    for act in [Act::CutBefore, Act::CutAfter, Act::LateBeforeNext, Act::LateAfterNext] {
        let (_, batches) = meets(act).await;
        assert_eq!(batches.len(), 2, "{act:?}");
        assert_eq!(keys(&batches[0]), keys(&batches[1]), "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_waited_for_10_s_and_then_its_batch_is_sent_again_whole() {
    for (seconds, calls) in [(1, 1), (9, 1), (11, 2), (30, 2)] {
        for act in [Act::AnswerAfter, Act::ServeAfter] {
            let (_, batches) = meets(act(Duration::from_secs(seconds))).await;
            assert_eq!(batches.len(), calls, "{seconds} s");
            assert_eq!(keys(&batches[0]), keys(batches.last().unwrap()), "{seconds} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_any_error_changes_nothing_and_then_all_goes_on() {
    for says in Says::ALL {
        let endpoint = Endpoint::new(ZONE);
        let mut host = Host::new(&endpoint);
        (0..5).for_each(|n| host.want(own(n, 32_768)));
        host.told_all();
        host.settle().await;
        let (before, foreign, count) = (host.own_sets(), host.foreign_sets(), endpoint.count());
        endpoint.otherwise(Act::Say(says));
        host.want(own(7, 32_768));
        host.pass(Duration::from_secs(3_600)).await;
        assert_eq!(host.own_sets(), before, "{says:?}");
        // Asked again and again, but no more often than its wait allows.
        let asked = endpoint.count() - count;
        let calls = asked.changes + asked.lists + asked.lookups;
        let most = if says == Says::PriorRequestNotComplete { 2_500 } else { 600 };
        assert!((2..=most).contains(&calls), "{says:?}: {calls} calls in an hour");
        assert!(says != Says::Throttling || !host.promises.is_empty(), "no wait was ever seen");
        endpoint.heal();
        host.settle().await;
        host.check_converged();
        rules::check(&host);
        assert_eq!(host.foreign_sets(), foreign);
        println!("{says:?}: {:?} in an hour", endpoint.count());
    }
}
