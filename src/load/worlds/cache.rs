//! What was rendered before from the same files by the same program.
//!
//! The key is made of the contents of every file that goes in, by its way from the folder that is rendered, and of the
//! program's version: an answer is never stale, and is the same in every clone and for a commit that is laid out
//! elsewhere. What cannot be known that way is rendered anew each time. Entries hold what was rendered, secrets included,
//! and are readable by their owner only.

use super::paths::relative;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// More entries or bytes than these make those go that were not used for longest: a large repository has thousands of
/// kustomizations.
const MOST_ENTRIES: usize = 16_384;
const MOST_BYTES: u64 = 1 << 30;

/// Where purlin keeps what it rendered, unless told otherwise: below the user's folder for caches.
pub fn default_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let caches = set("XDG_CACHE_HOME")
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| set("HOME").map(|it| it.join(".cache")))?;
    Some(caches.join("purlin"))
}

/// Digests of files, each read once in a run.
#[derive(Default)]
pub(crate) struct Digests(Mutex<FxHashMap<PathBuf, [u8; 32]>>);

impl Digests {
    fn of(&self, path: &Path) -> Option<[u8; 32]> {
        // A thread that panicked left only whole entries.
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = known().get(path) {
            return Some(*digest);
        }
        let digest = digest(path)?;
        known().insert(path.to_path_buf(), digest);
        Some(digest)
    }
}

/// Of a regular file only: a pipe would wait for somebody to write.
fn digest(path: &Path) -> Option<[u8; 32]> {
    let is_file = fs::metadata(path).is_ok_and(|it| it.is_file());
    let bytes = is_file.then(|| fs::read(path).ok()).flatten()?;
    Some(Sha256::digest(bytes).into())
}

/// Where the result of a rendering is kept.
pub(crate) struct Slot {
    folder: PathBuf,
    name: String,
    parts: Vec<String>,
    /// The ways to the files, and these.
    files: Vec<(PathBuf, PathBuf)>,
}

impl Slot {
    /// The slot for what is rendered in a folder from these files, the parts being what else decides on the result.
    pub(crate) fn new(
        cache: &Path,
        parts: &[&str],
        folder: &Path,
        files: Vec<PathBuf>,
        digests: &Digests,
    ) -> Option<Slot> {
        let files = files.into_iter().map(|it| (relative(folder, &it), it));
        let mut files: Vec<_> = files.collect();
        files.sort();
        let parts: Vec<String> = parts.iter().map(|it| (*it).to_string()).collect();
        let name = name(&parts, &files, |it| digests.of(it))?;
        Some(Slot { folder: cache.to_path_buf(), name, parts, files })
    }

    /// What was kept, if it is whole.
    pub(crate) fn get(&self) -> Option<String> {
        let path = self.folder.join(&self.name);
        let text = fs::read_to_string(&path).ok()?;
        let (sum, text) = text.split_once('\n')?;
        if sum != hex(&Sha256::digest(text)) {
            return None;
        }
        // Used now, and so among the last to go. One that cannot be touched is none the worse.
        let _ = fs::File::options()
            .append(true)
            .open(&path)
            .and_then(|it| it.set_modified(std::time::SystemTime::now()));
        Some(text.to_string())
    }

    /// Keeps a text, unless a file has changed since. A cache that cannot be written is no reason to fail.
    pub(crate) fn put(&self, text: &str) {
        if name(&self.parts, &self.files, digest).as_ref() != Some(&self.name) {
            return;
        }
        let write = || -> std::io::Result<()> {
            make(&self.folder)?;
            // Renamed when it is whole, so that nobody reads a part of it.
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            writeln!(file, "{}", hex(&Sha256::digest(text)))?;
            file.write_all(text.as_bytes())?;
            file.persist(self.folder.join(&self.name))?;
            Ok(())
        };
        // A cache that is full is none the less right.
        let _ = write();
    }
}

/// The name of a slot; lengths keep two lists of parts from being the same bytes.
fn name(
    parts: &[String],
    files: &[(PathBuf, PathBuf)],
    digest: impl Fn(&Path) -> Option<[u8; 32]>,
) -> Option<String> {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    parts.iter().for_each(|it| add(it.as_bytes()));
    for (way, file) in files {
        add(way.as_os_str().as_encoded_bytes());
        add(&digest(file)?);
    }
    Some(hex(&hash.finalize()))
}

#[cfg(unix)]
fn make(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// Removes the entries that were not used for longest, where there are too many. Once in a run: every entry is looked at.
pub(crate) fn prune(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries
        .flatten()
        .filter_map(|it| {
            let known = it.metadata().ok()?;
            Some((known.modified().ok()?, known.len(), it.path()))
        })
        .collect();
    entries.sort();
    let (mut count, mut bytes) = (0, 0);
    for (_, size, path) in entries.iter().rev() {
        (count, bytes) = (count + 1, bytes + size);
        if count > MOST_ENTRIES || bytes > MOST_BYTES {
            // Another run may have removed it.
            let _ = fs::remove_file(path);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
