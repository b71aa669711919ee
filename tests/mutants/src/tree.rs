//! A copy of the tree, with mistakes in it. What is the same as before is not written again, so that cargo builds only
//! what changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mutants::Mutant;
use crate::plant::{self, Planted, Said, Unplanted};

/// The copy.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    copy: PathBuf,
    planted: HashMap<String, Planted>,
}

impl Tree {
    /// A copy of what is at `root`, as it is, but for the files that these mistakes will be planted in.
    pub fn of(root: &Path, copy: PathBuf, mutants: &[Mutant]) -> Result<Self, String> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git does not start: {error}"))?;
        if !listed.status.success() {
            return Err(format!("git lists no files: {}", String::from_utf8_lossy(&listed.stderr)));
        }
        let tree = Self { root: root.to_owned(), copy, planted: HashMap::new() };
        for file in String::from_utf8_lossy(&listed.stdout).split_terminator('\0') {
            // One that is deleted and not yet committed is listed as well.
            let later = file == "src/lib.rs" || mutants.iter().any(|mutant| mutant.file == file);
            if root.join(file).is_file() && !later {
                let text =
                    fs::read(root.join(file)).map_err(|error| format!("{file} cannot be read: {error}"))?;
                tree.write(file, &text)?;
                tree.keep_mode(file)?;
            }
        }
        tree.write("src/mutant.rs", include_bytes!("switch.rs"))?;
        let lib = format!("{}\n#[allow(missing_docs)]\npub mod mutant;\n", tree.original("src/lib.rs")?);
        tree.write("src/lib.rs", lib.as_bytes())?;
        Ok(tree)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.copy
    }

    /// Plants all that are not in `without`, of which these are known to be `viable`; what cannot be, and why.
    pub fn plant(
        &mut self,
        mutants: &[Mutant],
        without: &HashSet<usize>,
        viable: &HashSet<usize>,
    ) -> Result<Vec<(usize, Unplanted)>, String> {
        let mut files: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in mutants.iter().enumerate() {
            let of_file = files.entry(&mutant.file).or_default();
            if !without.contains(&number) {
                of_file.push((number, mutant));
            }
        }
        let mut unplanted = Vec::new();
        for (file, mutants) in files {
            let (planted, not) = plant::plant(&self.original(file)?, &mutants, viable)
                .map_err(|error| format!("{file}: {error}"))?;
            self.write(file, planted.text.as_bytes())?;
            self.planted.insert(file.to_owned(), planted);
            unplanted.extend(not);
        }
        Ok(unplanted)
    }

    /// Plants this one alone in its file, without a switch.
    pub fn plant_plainly(&self, mutant: &Mutant) -> Result<(), String> {
        self.write(&mutant.file, plant::plainly(&self.original(&mutant.file)?, mutant).as_bytes())
    }

    /// Takes back what `plant_plainly` did.
    pub fn plant_switched(&self, mutant: &Mutant) -> Result<(), String> {
        self.write(&mutant.file, self.planted[&mutant.file].text.as_bytes())
    }

    /// Who says what stands there; nobody, in a file without mistakes.
    pub fn who_says(&self, file: &str, bytes: &Range<usize>) -> Option<Said> {
        self.planted.get(file).map(|planted| planted.who_says(bytes))
    }

    fn original(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(file)).map_err(|error| format!("{file} cannot be read: {error}"))
    }

    fn write(&self, file: &str, text: &[u8]) -> Result<(), String> {
        let path = self.copy.join(file);
        let say = |error| format!("{} cannot be written: {error}", path.display());
        match fs::read(&path) {
            Ok(there) if there == text => return Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(say(error)),
            _ => {}
        }
        fs::create_dir_all(path.parent().unwrap_or(&self.copy))
            .and_then(|()| fs::write(&path, text))
            .map_err(say)
    }

    fn keep_mode(&self, file: &str) -> Result<(), String> {
        fs::metadata(self.root.join(file))
            .and_then(|metadata| fs::set_permissions(self.copy.join(file), metadata.permissions()))
            .map_err(|error| format!("{file} cannot be made as it was: {error}"))
    }
}
