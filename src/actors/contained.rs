//! Runs what is the world's, so that its panic is not the actor's.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// Runs something of the world's; a panic in it is a failure of that one thing.
pub(super) async fn contained<T>(asked: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(asked).catch_unwind().await.map_err(|_| "it panicked".to_owned())
}
