//! The failures of a socket: said at the first of a row and then once a minute, with a pause after each.

use std::time::Duration;

use tokio::time::Instant;

/// The pause after a socket has failed: what is missing, a descriptor, say, is not there at once.
const PAUSE: Duration = Duration::from_millis(100);

/// How many troubles in a row are one line of the log: a minute of them.
const SAID_EVERY: u32 = 600;

/// The failures of a socket.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    row: u32,
    latest: Option<Instant>,
}

impl Troubles {
    /// Another failure: says so where it is time to, and pauses.
    pub(super) async fn pause(&mut self, say: impl FnOnce()) {
        let goes_on = self.latest.is_some_and(|latest| latest.elapsed() < PAUSE * 10);
        self.row = if goes_on { self.row + 1 } else { 0 };
        if self.row.is_multiple_of(SAID_EVERY) {
            say();
        }
        tokio::time::sleep(PAUSE).await;
        self.latest = Some(Instant::now());
    }
}
