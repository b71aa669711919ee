//! Which connections stay: never more than was said; the one that came first makes room.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::serve::connections::Connections;
use crate::serve::troubles::Troubles;

/// Accepts connections for ever, and has somebody talk on each; `say` tells of what cannot be accepted.
pub(in crate::serve) async fn accept_all<S, F, T>(
    accept: impl Fn() -> F,
    talk: impl Fn(S) -> T,
    connections_max: usize,
    say: impl Fn(&io::Error),
) -> std::convert::Infallible
where
    F: Future<Output = io::Result<S>>,
    T: Future<Output = ()> + Send + 'static,
{
    let open = Open(Arc::new(Mutex::new(Connections::new(connections_max))));
    let mut troubles = Troubles::default();
    loop {
        match accept().await {
            Ok(stream) => {
                let talk = |number| {
                    let (talk, open) = (talk(stream), open.clone());
                    tokio::spawn(async move {
                        talk.await;
                        open.get().closed(number);
                    })
                    .abort_handle()
                };
                if let (_, Some(oldest)) = open.get().admit(talk) {
                    oldest.abort();
                }
            }
            Err(error) => troubles.pause(|| say(&error)).await,
        }
    }
}

/// The connections that are open.
#[derive(Clone)]
struct Open(Arc<Mutex<Connections<AbortHandle>>>);

impl Open {
    fn get(&self) -> MutexGuard<'_, Connections<AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
