//! Where an agent that runs is asked for something, from any thread.

use ractor::ActorRef;
use tokio::sync::oneshot;

use crate::actors::messages::{AgentMessage, Ordered};
use crate::machine::cordon::{Order, Refused};

/// A way to ask an agent for something.
#[derive(Clone, Debug)]
pub struct Hand(ActorRef<AgentMessage>);

impl Hand {
    pub(super) fn of(agent: ActorRef<AgentMessage>) -> Self {
        Self(agent)
    }

    /// Has an order carried out. `None` where nobody is there any more who could.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn order(&self, order: Order) -> Option<Result<Ordered, Refused>> {
        let (reply, answered) = oneshot::channel();
        let _ = self.0.cast(AgentMessage::Order(order, reply));
        answered.await.ok()
    }
}
