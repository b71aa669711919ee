//! A disk so small that it can be filled.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A file system of its own; gone when it is dropped.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Of this size, such as `64k`. `None` where mounting is not allowed.
    pub fn mount(size: &str) -> Option<Self> {
        let disk = Self(TempDir::new().unwrap());
        disk.run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).then_some(disk)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn fill(&self) {
        let mut filler = fs::File::create(self.path().join("filler")).unwrap();
        // What was just let go of may come back bit by bit.
        for _ in 0..3 {
            while filler.write_all(&[0; 512]).is_ok() {}
            let _ = filler.sync_all();
        }
    }

    pub fn empty(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }

    #[must_use]
    pub fn make_read_only(&self) -> bool {
        self.run("mount", &["-o", "remount,ro"])
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        Command::new(program).args(arguments).arg(self.path()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.run("umount", &["-l"]);
    }
}
