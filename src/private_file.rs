//! Files that are this program's alone, in a directory that others may be able to write to.
//!
//! An agent that runs as root writes what it finds under a name, and whoever can plant a link there has it write
//! elsewhere; a FIFO would hold it up beyond any signal. So no link is followed, only regular files are opened, and what
//! is made is the owner's alone: what root makes in another's directory, where the agent runs as that one, is that one's.
//! Hard links are the kernel's business (`fs.protected_hardlinks`): backups make some.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use rustix::fs::OFlags;

/// For the owner alone.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// What others may do.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Opens a file as `options` say; made anew, it is the owner's alone.
///
/// # Errors
/// As the system says, and where it is a link or no regular file.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // Without waiting for whoever has the other end of a FIFO.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.mode(FILE_MODE).custom_flags(flags.bits().cast_signed()).open(path);
    let file =
        file.map_err(|error| match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::LOOP) => odd("it is a link, and none is followed here"),
            Some(rustix::io::Errno::NXIO) => odd("it is no regular file"),
            _ => error,
        })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(odd("it is no regular file"));
    }
    // Nothing that may be known by another name, too, is given away.
    if metadata.len() == 0 && metadata.nlink() == 1 {
        give_to_owner(path.parent(), &file, metadata.uid());
    }
    Ok(file)
}

/// An agent that runs as the owner of the directory has to write what a command of root has made there.
fn give_to_owner(dir: Option<&Path>, file: &File, made_by: u32) {
    let owner = dir.and_then(|dir| dir.metadata().ok()).filter(|dir| dir.uid() != made_by);
    if let Some(owner) = owner {
        // Only root may.
        let _ = fchown(file, Some(owner.uid()), Some(owner.gid()));
    }
}

/// Opens a file to write it anew, in place of what it holds.
///
/// # Errors
/// As [`open`]; what it holds is untouched then.
pub fn rewrite(path: &Path) -> io::Result<File> {
    let file = open(path, OpenOptions::new().read(true).write(true).create(true))?;
    file.set_len(0)?;
    Ok(file)
}

/// Makes a directory, and those above it, where they are missing: the owner's alone.
///
/// # Errors
/// As the system says.
pub fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(path)
}

/// Whether others than its owner may write to a directory, as far as can be told.
pub fn is_open_to_others(dir: &Path) -> bool {
    dir.metadata().is_ok_and(|metadata| metadata.mode() & WRITABLE_BY_OTHERS != 0)
}

/// Whether this file is still the one under this name.
pub fn is_there(path: &Path, file: &File) -> bool {
    let same = |there: std::fs::Metadata, here: std::fs::Metadata| {
        (there.dev(), there.ino()) == (here.dev(), here.ino())
    };
    match (path.symlink_metadata(), file.metadata()) {
        (Ok(there), Ok(here)) => same(there, here),
        _ => false,
    }
}

fn odd(what: &str) -> io::Error {
    io::Error::other(what)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    fn said(path: &Path) -> String {
        rewrite(path).unwrap_err().to_string()
    }

    #[test]
    fn what_is_made_is_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/b");
        make_dir(&state).unwrap();
        assert_eq!(state.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(!is_open_to_others(&state));
        let path = state.join("file");
        let file = rewrite(&path).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(is_there(&path, &file));
        fs::remove_file(&path).unwrap();
        assert!(!is_there(&path, &file));
        fs::set_permissions(&state, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(is_open_to_others(&state));
    }

    #[test]
    fn what_root_makes_in_anothers_directory_is_that_ones() {
        const NOBODY: u32 = 65_534;
        let dir = tempfile::tempdir().unwrap();
        if chown(dir.path(), Some(NOBODY), Some(NOBODY)).is_err() {
            return;
        }
        let owner = |path: &Path| (path.metadata().unwrap().uid(), path.metadata().unwrap().gid());
        let (made, linked, full) =
            (dir.path().join("made"), dir.path().join("linked"), dir.path().join("full"));
        rewrite(&made).unwrap();
        assert_eq!(owner(&made), (NOBODY, NOBODY));
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("roots"), "").unwrap();
        fs::hard_link(other.path().join("roots"), &linked).unwrap();
        fs::write(&full, "roots").unwrap();
        for kept in [&linked, &full] {
            open(kept, OpenOptions::new().append(true)).unwrap();
            assert_ne!(owner(kept).0, NOBODY, "{}", kept.display());
        }
    }

    #[test]
    fn what_is_anothers_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("file"));
        fs::write(&victim, "kept").unwrap();
        symlink(&victim, &path).unwrap();
        assert_eq!(said(&path), "it is a link, and none is followed here");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }

    #[test]
    fn a_fifo_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        mkfifoat(CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
        assert_eq!(said(&path), "it is no regular file");
        let read = open(&path, OpenOptions::new().read(true)).unwrap_err();
        assert_eq!(read.to_string(), "it is no regular file");
    }
}
