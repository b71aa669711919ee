//! Warns of a zone whose absent names resolvers remember for long: who asks for a service a moment before it is
//! registered does not find it for that time.

use std::convert::Infallible;
use std::time::Duration;

use crate::edge::host::negative_ttl::read;

/// Longer than this is worth a line: services start in any order, and a client that waits a minute has waited.
const FINE: Duration = Duration::from_secs(60);
/// When the resolver is asked again that did not find the zone: it may have been made a moment ago.
const AGAIN: Duration = Duration::from_secs(300);

/// Says so once, if so; never returns.
pub(super) async fn watch(zone: &str) -> Infallible {
    let remembered = loop {
        match read(zone, FINE).await {
            Some(remembered) => break remembered,
            None => tokio::time::sleep(AGAIN).await,
        }
    };
    if let Some(line) = warning(zone, remembered) {
        tracing::warn!(event = "negative_ttl_long", seconds = remembered.as_secs(), "{line}");
    }
    std::future::pending().await
}

fn warning(zone: &str, remembered: Duration) -> Option<String> {
    (remembered > FINE).then(|| {
        format!(
            "resolvers remember for {} s that a name is not there: whoever asks for a service before it is registered \
             does not find it for so long. An operator lowers that with: ecssd {zone} --janitor --soa-minimum 5s --apply",
            remembered.as_secs()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_fine_and_more_is_said_with_the_command() {
        assert_eq!(warning("sd.internal", FINE), None);
        let line = warning("sd.internal", Duration::from_secs(900)).unwrap();
        assert!(
            line.contains("for 900 s")
                && line.ends_with("ecssd sd.internal --janitor --soa-minimum 5s --apply")
        );
    }
}
