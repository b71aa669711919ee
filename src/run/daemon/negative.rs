//! Warns of a zone whose absent names resolvers remember for long: who asks for a service a moment before it is
//! registered does not find it for that time.

use std::convert::Infallible;
use std::time::Duration;

use crate::doctor::zone::NEGATIVE_FINE;
use crate::edge::host::negative_ttl::read;
use crate::shell_line::ShellLine;

/// When the resolver is asked again that did not find the zone: it may have been made a moment ago.
const AGAIN: Duration = Duration::from_secs(300);

/// Says so once, if so, with the command that looks at the zone; never returns.
pub(super) async fn watch(zone: &str, command: &ShellLine) -> Infallible {
    let remembered = loop {
        match read(zone, NEGATIVE_FINE).await {
            Some(remembered) => break remembered,
            None => tokio::time::sleep(AGAIN).await,
        }
    };
    if let Some(line) = warning(command, remembered) {
        tracing::warn!(event = "negative_ttl_long", seconds = remembered.as_secs(), "{line}");
    }
    std::future::pending().await
}

fn warning(command: &ShellLine, remembered: Duration) -> Option<String> {
    (remembered > NEGATIVE_FINE).then(|| {
        format!(
            "resolvers remember for {} s that a name is not there: whoever asks for a service before it is registered \
             does not find it for so long. An operator lowers that with: {command} --janitor --soa-minimum 5s --apply",
            remembered.as_secs()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_fine_and_more_is_said_with_the_command() {
        let command = ShellLine::of_zone("sd.internal").with("--zone-id", Some("Z1"));
        assert_eq!(warning(&command, NEGATIVE_FINE), None);
        let line = warning(&command, Duration::from_secs(900)).unwrap();
        assert!(
            line.contains("for 900 s")
                && line.ends_with("with: ecssd sd.internal --zone-id Z1 --janitor --soa-minimum 5s --apply")
        );
    }
}
