//! What an operator sees of an agent: whether it can do its work and, where it cannot, why; and all that it knows.
//!
//! | file | what it owns |
//! |---|---|
//! | `readiness` | whether each part can work, and why not |
//! | `board`, `feed`, `checks`, `questions`, `discovery` | where the parts say so and show what they know, and who looks |
//! | [`schema`] | [`Status`](schema::Status): all of it as one value, in JSON |
//! | `assemble` and what is below it | that value, made of what the parts show; pure |
//! | [`text`], [`metrics`] | the same for a terminal, and for a monitor; pure |
//!
//! Shows, and decides nothing: no part of the agent reads it. Nothing of a container's environment is in it, but the
//! services that it asks for.

mod assemble;
mod board;
mod checks;
mod discovery;
mod feed;
pub mod metrics;
mod questions;
mod readiness;
pub mod schema;
pub mod text;

pub use self::assemble::{Facts, Journal, Seen, assemble};
pub use self::board::{Board, Ending, Watch};
pub use self::checks::{Answers, Checked, Checks, Outcome};
pub use self::discovery::{Discovered, Discovery};
pub use self::feed::{Feed, View};
pub use self::questions::{Kind as QuestionKind, Questions};
pub use self::readiness::{Part, Readiness};
