//! A server on a thread of its own, until it is dropped: whoever asks it takes none of the agent's time.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

/// A server that runs, until it is dropped.
pub struct Front {
    address: Arc<OnceLock<SocketAddr>>,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Runs it on a thread of this name. It says by what it is given at which address it is bound; `failed` is told where
    /// it cannot run.
    ///
    /// # Errors
    /// Where there can be no thread for it.
    pub(in crate::serve) fn start<F: Future<Output = Infallible>>(
        name: &str,
        run: impl FnOnce(Arc<OnceLock<SocketAddr>>) -> F + Send + 'static,
        failed: fn(&io::Error),
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let address: Arc<OnceLock<SocketAddr>> = Arc::default();
        let bound = address.clone();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let served = runtime.map(|runtime| {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        never = run(bound) => match never {},
                    }
                });
            });
            if let Err(error) = served {
                failed(&error);
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it is served over the network, once it is.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("address", &self.address()).finish_non_exhaustive()
    }
}
