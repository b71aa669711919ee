//! What an operator asks for, from the order to the answer: given once it is in force and remembered.

use std::sync::Arc;
use std::time::SystemTime;

use crate::actors::messages::{Ordered, Reply};
use crate::journal::cordons::{CordonMemory, Keeping};
use crate::machine::cordon::{Cordon, Order, Report};
use crate::machine::registrar::{Output, Registrar};
use crate::moment::Moment;

/// The orders of one message: at most one, and at most one thing to remember.
pub(super) struct Orders {
    memory: Option<Arc<dyn CordonMemory>>,
    /// Who waits for an answer, and what it is but for its being remembered.
    asked: Option<(Report, Reply)>,
    keeping: Option<Keeping>,
}

impl Orders {
    /// Remembers weights there, where that is anywhere.
    pub(super) fn remembered_by(memory: Option<Arc<dyn CordonMemory>>) -> Self {
        Self { memory, asked: None, keeping: None }
    }

    /// What is remembered is in force from the start.
    pub(super) fn restore(&self, registrar: &mut Registrar, now: Moment) -> Vec<Output> {
        let kept = self.memory.as_ref().map(|memory| memory.load()).unwrap_or_default();
        registrar.restore_cordons(kept, self.wall_clock(), now)
    }

    /// Somebody asks for something. What is refused is answered at once.
    pub(super) fn take(
        &mut self,
        order: &Order,
        reply: Reply,
        registrar: &mut Registrar,
        now: Moment,
    ) -> Vec<Output> {
        match registrar.on_order(order, self.wall_clock(), now) {
            Ok((report, outputs)) => {
                self.asked = Some((report, reply));
                outputs
            }
            Err(refused) => {
                let _ = reply.send(Err(refused));
                Vec::new()
            }
        }
    }

    /// These are all weights that are given by hand.
    pub(super) fn keep(&mut self, all: Vec<Cordon>) {
        self.keeping = self.memory.as_ref().map(|memory| memory.keep(all));
    }

    /// All that came of a message is carried out: answers, once it is remembered.
    pub(super) fn settle(&mut self) {
        let (asked, keeping) = (self.asked.take(), self.keeping.take());
        if asked.is_none() && keeping.is_none() {
            return;
        }
        tokio::spawn(async move {
            let kept = match keeping {
                Some(keeping) => keeping.await,
                None => Ok(()),
            };
            if let Err(error) = &kept {
                tracing::error!(event = "cordons_not_kept", %error, "the weights that were given by hand are in force, and would be forgotten at a restart: mend the state directory, and give one again");
            }
            if let Some((report, reply)) = asked {
                let _ = reply.send(Ok(Ordered { report, kept }));
            }
        });
    }

    fn wall_clock(&self) -> SystemTime {
        self.memory.as_ref().map_or_else(SystemTime::now, |memory| memory.wall_clock())
    }
}
