//! An address, as soon as it can be had.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

/// How long it takes until what could not be had is tried again.
pub(in crate::serve) const AGAIN: Duration = Duration::from_secs(2);

/// Binds the address. Each time that it cannot be had `failed` is told, and it is tried again for ever: an earlier agent
/// of this host may be about to end, an address to come up.
pub(in crate::serve) async fn bind_address(
    address: SocketAddr,
    mut failed: impl FnMut(&io::Error),
) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => failed(&error),
        }
        tokio::time::sleep(AGAIN).await;
    }
}
