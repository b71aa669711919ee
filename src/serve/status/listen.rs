//! Where the status is served in the file system.
//!
//! What cannot be had is said once and tried again for ever: an earlier agent of this host may be about to end, an
//! address to come up; and an agent without a status page does its work all the same.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::serve::web::AGAIN;

/// Binds the first of these places that can be had, as soon as one can.
pub(super) async fn bind_socket(places: &[PathBuf]) -> (UnixListener, Place) {
    let mut is_said = false;
    loop {
        let mut failed = None;
        for place in places {
            match bind_place(place) {
                Ok(listener) => {
                    tracing::info!(event = "status_served", socket = %place.display(), "serving the status");
                    return (listener, Place(place.clone()));
                }
                Err(error) => failed = Some((place, error)),
            }
        }
        if let Some((place, error)) = failed {
            not_yet(&mut is_said, &place.display().to_string(), &error);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Says once that the status cannot be served there.
pub(super) fn not_yet(is_said: &mut bool, place: &str, error: &io::Error) {
    if !std::mem::replace(is_said, true) {
        tracing::warn!(
            event = "status_not_served",
            place,
            %error,
            "the status cannot be served there yet: tried again until it can, all else goes on"
        );
    }
}

/// A socket in the file system; it is taken away with its listener.
#[derive(Debug)]
pub(super) struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// For its owner alone, and root: whoever may connect may read the names of containers, and give them other weights.
fn bind_place(place: &Path) -> io::Result<UnixListener> {
    let listener = match UnixListener::bind(place) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_behind(place) => {
            std::fs::remove_file(place)?;
            UnixListener::bind(place)?
        }
        other => other?,
    };
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Whether it is a socket, and nobody listens there any more.
fn is_left_behind(place: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(place).is_ok_and(|file| file.file_type().is_socket());
    is_socket && UnixStream::connect(place).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_taken_and_one_in_use_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one.sock"), dir.path().join("two.sock"));
        // As a process that was killed leaves it.
        drop(std::os::unix::net::UnixListener::bind(&one).unwrap());
        let places = [one.clone(), two.clone()];
        let (_first, place) = bind_socket(&places).await;
        assert_eq!(place.0, one);
        let mode = std::fs::metadata(&one).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (_second, other) = bind_socket(&places).await;
        assert_eq!(other.0, two);
        drop(other);
        assert!(!two.exists() && one.exists());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (file, missing, good) =
            (dir.path().join("file"), dir.path().join("no/such"), dir.path().join("good"));
        std::fs::write(&file, "mine").unwrap();
        let (_listener, place) = bind_socket(&[file.clone(), missing, good.clone()]).await;
        assert_eq!((&place.0, std::fs::read_to_string(file).unwrap().as_str()), (&good, "mine"));
    }
}
