//! DNS over TCP: accepts connections, and answers the messages of each in turn.
//!
//! ## Guarantees
//!
//! - One answer a turn: a client that sends hundreds of questions at once waits behind those of the others.
//! - There are never more connections than was said; an idle one makes room, see [`connections`](crate::serve::connections).
//! - A message, an answer and the silence between them take at most [`TCP_IDLE_MAX`] each, and a message has at
//!   most [`MESSAGE_OCTETS_MAX`]: a connection that goes beyond is closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::served::Served;
use super::transport::Transport;
use super::{TCP_IDLE_MAX, say_trouble};
use crate::serve::connections::Connections;
use crate::serve::troubles::Troubles;

/// The most octets of a message that are read. A question has at most 255 octets of name (RFC 1035, section 3.1);
/// the rest leaves room for EDNS options.
const MESSAGE_OCTETS_MAX: u16 = 4_096;

/// The connections of all listeners.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Connections<AbortHandle>>>);

impl Shared {
    pub(super) fn new(max: usize) -> Self {
        Self(Arc::new(Mutex::new(Connections::new(max))))
    }

    fn get(&self) -> MutexGuard<'_, Connections<AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections for ever.
pub(super) async fn accept(listener: TcpListener, served: Served, shared: Shared) {
    let mut troubles = Troubles::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let serve = |number| {
                    let (served, shared) = (served.clone(), shared.clone());
                    tokio::spawn(async move {
                        talk(stream, &served, || shared.get().used(number)).await;
                        shared.get().closed(number);
                    })
                    .abort_handle()
                };
                if let (_, Some(oldest)) = shared.get().admit(serve) {
                    oldest.abort();
                }
            }
            Err(error) => troubles.pause(|| say_trouble("TCP connections cannot be accepted", &error)).await,
        }
    }
}

/// Answers one client until it is silent for too long, says something too long, or goes.
async fn talk(stream: TcpStream, served: &Served, used: impl Fn()) {
    let mut stream = BufReader::with_capacity(usize::from(MESSAGE_OCTETS_MAX), stream);
    let mut random = fastrand::Rng::new();
    while let Ok(Some(message)) = timeout(TCP_IDLE_MAX, read(&mut stream)).await {
        used();
        if let Some(answer) = served.answer(&message, Transport::Tcp, &mut random) {
            let Ok(length) = u16::try_from(answer.len()) else { return };
            let framed = [&length.to_be_bytes()[..], &answer].concat();
            match timeout(TCP_IDLE_MAX, stream.write_all(&framed)).await {
                Ok(Ok(())) => {}
                _ => return,
            }
        }
        tokio::task::yield_now().await;
    }
}

/// The next message; `None` where there is none.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let length = stream.read_u16().await.ok().filter(|length| *length <= MESSAGE_OCTETS_MAX)?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}
