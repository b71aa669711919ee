//! What EC2 says of this instance's future. No such path means that nothing is about to happen.

use super::parse::{self, OddNotice};
use crate::edge::imds::Imds;
use crate::machine::departure::{AskError, Said, Source};

/// Asks the metadata service.
///
/// # Errors
/// When it does not answer, or oddly.
pub async fn ask(imds: &Imds, source: Source) -> Result<Said, AskError> {
    type Parse = fn(&str) -> Result<Said, OddNotice>;
    let (path, parse): (_, Parse) = match source {
        Source::Spot => ("spot/instance-action", parse::spot),
        Source::Scaling => ("autoscaling/target-lifecycle-state", parse::lifecycle),
        Source::Rebalance => ("events/recommendations/rebalance", parse::rebalance),
        Source::System | Source::Cluster => return Ok(Said::Nothing),
    };
    let session = imds.session().await.map_err(|error| AskError::Away(error.to_string()))?;
    let text = session.get(path).await.map_err(|error| AskError::Away(error.to_string()))?;
    let said = text.map_or(Ok(Said::Nothing), |text| parse(&text));
    said.map_err(|odd| AskError::Away(format!("{}/latest/meta-data/{path}: {odd}", imds.endpoint())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::imds::tests::{Manner, Server};

    #[tokio::test]
    async fn an_instance_that_is_left_alone_says_nothing() {
        let server = Server::start(Manner::Good).await;
        for source in [Source::Spot, Source::Scaling, Source::Rebalance] {
            assert_eq!(ask(&server.imds, source).await, Ok(Said::Nothing), "{source}");
        }
    }

    #[tokio::test]
    async fn each_notice_is_understood() {
        let server = Server::start(Manner::Leaving).await;
        let spot = ask(&server.imds, Source::Spot).await;
        assert!(matches!(spot, Ok(Said::HostEnds { at: Some(_), .. })), "{spot:?}");
        let scaling = ask(&server.imds, Source::Scaling).await;
        assert!(matches!(scaling, Ok(Said::HostEnds { at: None, .. })), "{scaling:?}");
        assert!(matches!(ask(&server.imds, Source::Rebalance).await, Ok(Said::Advice(_))));
    }

    #[tokio::test]
    async fn a_service_that_is_off_odd_or_gone_is_away() {
        for manner in [Manner::Off, Manner::Hangup, Manner::Garbage, Manner::Old(404), Manner::Endless] {
            let server = Server::start(manner).await;
            let answer = ask(&server.imds, Source::Spot).await;
            assert!(matches!(answer, Err(AskError::Away(_))), "{manner:?}: {answer:?}");
        }
    }
}
