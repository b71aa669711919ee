//! How an agent ends, and how often it may start its actors anew: the pure twin of the actor of that name.
//!
//! Owns the phases from the first request to stop to the exit ([`Ending`]), what is planned for them ([`StopPlan`]),
//! and the budget of restarts ([`Restarts`]). Which actor is told what, and what an exit code means, is for others.

mod ending;
mod plan;
mod restarts;

pub use self::ending::{Ending, JUDGEMENT_LIMIT, REPORT_SLACK, Step};
pub use self::plan::{OnTerm, StopPlan};
pub use self::restarts::Restarts;
