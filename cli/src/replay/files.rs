//! Which inputs there are: the paths that were named, and all that lies in them.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File, ReadDir};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tripmeter_model::bounded;

/// Files that are looked at together, so that the large ones can be begun first. Bounds what a queue keeps,
/// however many files there are.
const BATCH: usize = 16_384;

/// One input.
pub(crate) enum Input {
    /// A file (or a pipe that was named like one).
    File { path: PathBuf, len: u64 },
    /// What is piped in.
    Stdin,
}

impl Input {
    /// Its name, safe to print.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File { path, .. } => printable(path),
            Self::Stdin => "stdin".to_owned(),
        }
    }

    /// Its size in bytes as the file system tells it; 0 where it cannot.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::File { len, .. } => *len,
            Self::Stdin => 0,
        }
    }

    /// Opens it.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::File { path, .. } => Box::new(File::open(path)?),
            Self::Stdin => Box::new(io::stdin().lock()),
        })
    }
}

/// A path as text that a terminal may be given: file names are chosen by whoever wrote the files.
pub(crate) fn printable(path: &Path) -> String {
    bounded(&path.to_string_lossy(), 1_024)
}

/// An input that could not be opened, read or looked into, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Unreadable {
    pub(crate) file: String,
    pub(crate) error: String,
}

impl Unreadable {
    pub(crate) fn new(file: String, error: &dyn std::fmt::Display) -> Self {
        Self {
            file,
            error: bounded(&error.to_string(), 256),
        }
    }
}

/// Everything that is to be read, handed out one by one, the largest of a batch first.
pub(crate) struct Queue {
    walk: Walk,
    /// Sorted by size, the largest last.
    batch: Vec<Input>,
    bytes: u64,
}

impl Queue {
    /// Over the paths of the command line; what is named twice, or lies in a directory that is named too, is read
    /// once.
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        Self {
            walk: Walk {
                roots: distinct(paths).into_iter(),
                open: Vec::new(),
            },
            batch: Vec::new(),
            bytes: 0,
        }
    }

    /// The next input; `None` when there is none left. What stands in the way is handed to `unreadable`.
    pub(crate) fn next(&mut self, mut unreadable: impl FnMut(Unreadable)) -> Option<Input> {
        if self.batch.is_empty() {
            while self.batch.len() < BATCH
                && let Some(found) = self.walk.next()
            {
                match found {
                    Ok(input) => {
                        self.bytes += input.len();
                        self.batch.push(input);
                    }
                    Err(error) => unreadable(error),
                }
            }
            self.batch.sort_by_key(Input::len);
        }
        self.batch.pop()
    }

    /// The size of everything that was found so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The paths without those that another one covers.
fn distinct(paths: &[PathBuf]) -> Vec<PathBuf> {
    let real: BTreeSet<PathBuf> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut seen = BTreeSet::new();
    let covered = |path: &Path| path.ancestors().skip(1).any(|above| real.contains(above));
    paths
        .iter()
        .filter(|path| match path.canonicalize() {
            Ok(canonical) => !covered(&canonical) && seen.insert(canonical),
            // Stdin, or what is not there and will be said to be missing.
            Err(_) => seen.insert((*path).clone()),
        })
        .cloned()
        .collect()
}

/// Walks directories without keeping their listings.
struct Walk {
    roots: std::vec::IntoIter<PathBuf>,
    /// The directories that are being looked through, the innermost last.
    open: Vec<(PathBuf, ReadDir)>,
}

impl Iterator for Walk {
    type Item = Result<Input, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = match self.open.last_mut() {
                None => match self.roots.next()? {
                    path if path.as_os_str() == "-" => return Some(Ok(Input::Stdin)),
                    path => self.root(path),
                },
                Some((directory, entries)) => match entries.next() {
                    Some(Ok(entry)) => self.entry(&entry),
                    Some(Err(error)) => Err(Unreadable::new(printable(directory), &error)),
                    None => {
                        self.open.pop();
                        continue;
                    }
                },
            };
            if let Some(found) = found.transpose() {
                return Some(found);
            }
        }
    }
}

impl Walk {
    /// A path that was named: whatever it is, it is meant.
    fn root(&mut self, path: PathBuf) -> Result<Option<Input>, Unreadable> {
        let metadata = fs::metadata(&path).map_err(|error| Unreadable::new(printable(&path), &error))?;
        if metadata.is_dir() {
            return self.enter(path);
        }
        Ok(Some(Input::File {
            path,
            len: metadata.len(),
        }))
    }

    /// What lies in a directory: files and directories; sockets, pipes and devices are no logs.
    fn entry(&mut self, entry: &DirEntry) -> Result<Option<Input>, Unreadable> {
        let path = entry.path();
        let failed = |error: &io::Error| Unreadable::new(printable(&path), error);
        let linked = entry.file_type().map_err(|error| failed(&error))?.is_symlink();
        let metadata = fs::metadata(&path).map_err(|error| failed(&error))?;
        if metadata.is_dir() && linked {
            // Links may go round in circles.
            let error = "a link to a directory is not followed; name the directory itself";
            return Err(Unreadable::new(printable(&path), &error));
        }
        if metadata.is_dir() {
            return self.enter(path);
        }
        let len = metadata.len();
        Ok(metadata.is_file().then_some(Input::File { path, len }))
    }

    fn enter(&mut self, path: PathBuf) -> Result<Option<Input>, Unreadable> {
        let entries = fs::read_dir(&path).map_err(|error| Unreadable::new(printable(&path), &error))?;
        self.open.push((path, entries));
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[PathBuf]) -> (Vec<String>, Vec<Unreadable>) {
        let mut unreadable = Vec::new();
        let mut queue = Queue::new(paths);
        let mut names = Vec::new();
        while let Some(input) = queue.next(|trouble| unreadable.push(trouble)) {
            let name = input.name();
            names.push(name.rsplit('/').next().unwrap_or_default().to_owned());
        }
        (names, unreadable)
    }

    #[test]
    fn directories_are_read_to_their_ends_the_largest_file_first() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b/c")).unwrap();
        fs::write(root.path().join("a/b/c/large"), "333").unwrap();
        fs::write(root.path().join("a/middle"), "22").unwrap();
        fs::write(root.path().join("small"), "1").unwrap();

        let (names, unreadable) = names(&[root.path().to_owned()]);

        assert_eq!(names, ["large", "middle", "small"]);
        assert!(unreadable.is_empty());
    }

    #[test]
    fn what_is_named_twice_is_read_once() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("log");
        fs::write(&file, "1").unwrap();
        let twice = [
            file.clone(),
            root.path().to_owned(),
            file.clone(),
            root.path().join("../").join(file),
        ];

        assert_eq!(names(&twice).0, ["log"]);
    }

    #[test]
    fn what_is_not_there_is_named_and_the_rest_goes_on() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("log"), "1").unwrap();

        let (names, unreadable) = names(&[root.path().join("gone\u{1b}[31m"), root.path().to_owned()]);

        assert_eq!(names, ["log"]);
        assert!(unreadable[0].file.ends_with("gone?[31m"), "{unreadable:?}");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_go_round_in_circles_end() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("log"), "1").unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("round")).unwrap();
        std::os::unix::fs::symlink(root.path().join("log"), root.path().join("same")).unwrap();

        let (mut names, unreadable) = names(&[root.path().to_owned()]);
        names.sort();

        assert_eq!(names, ["log", "same"]);
        assert!(unreadable[0].error.contains("link to a directory"), "{unreadable:?}");
    }
}
