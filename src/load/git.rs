//! What a git repository held at some commit, laid out in a folder of its own: the working tree and the index are left
//! alone.

use super::worlds::paths::normal;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The files of a commit; removed when dropped.
#[derive(Debug)]
pub struct Snapshot {
    folder: TempDir,
    /// The repository's own folder.
    top: PathBuf,
    /// The current folder.
    here: PathBuf,
}

/// Lays out the files of a commit of the repository that the current folder is in.
///
/// # Errors
///
/// When git is not there, this is no repository, or it has no such commit.
pub fn snapshot(reference: &str) -> Result<Snapshot, String> {
    let here = std::env::current_dir().and_then(|it| it.canonicalize());
    let here = here.map_err(|error| format!("cannot tell the current folder: {error}"))?;
    let top = git(&["rev-parse", "--show-toplevel"]).map_err(|why| {
        let why = why.trim_start_matches("fatal: ");
        format!("`--since` compares with a commit, and git finds none here: {why}")
    })?;
    let top = PathBuf::from(top).canonicalize().map_err(|error| error.to_string())?;
    // What begins with a dash would be an option.
    let commit = format!("{reference}^{{commit}}");
    let commit = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
        .map_err(|_| no_such_commit(reference))?;
    let folder = tempfile::Builder::new().prefix("purlin-").tempdir();
    let folder = folder.map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let snapshot = Snapshot { folder, top, here };
    snapshot.fill(&commit).map_err(|why| format!("cannot read `{reference}` from git: {why}"))?;
    Ok(snapshot)
}

fn no_such_commit(reference: &str) -> String {
    let is_shallow =
        git(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer == "true");
    let hint = match is_shallow {
        true => "; this clone is shallow, fetch more of it (`fetch-depth: 0` of actions/checkout)",
        false => "; `git fetch` may bring it",
    };
    format!("git knows no commit `{reference}`{hint}")
}

impl Snapshot {
    /// Where a path of the working tree is in the snapshot; `None` if it was not there.
    ///
    /// # Errors
    ///
    /// When the path is not in the repository.
    pub fn path(&self, path: &Path) -> Result<Option<PathBuf>, String> {
        let full = normal(&self.here.join(path));
        // What is still there may be named by way of a link.
        let full = full.canonicalize().unwrap_or(full);
        let Ok(inside) = full.strip_prefix(&self.top) else {
            return Err(format!("`{}` is not in the git repository", path.display()));
        };
        let inside = self.folder.path().join(inside);
        Ok(inside.exists().then_some(inside))
    }

    /// The name that a file of the snapshot has in the working tree, as seen from the current folder.
    pub fn name(&self, name: &str) -> String {
        let Ok(inside) = Path::new(name).strip_prefix(self.folder.path()) else {
            return name.to_string();
        };
        let below = self.here.strip_prefix(&self.top).unwrap_or(Path::new(""));
        inside.strip_prefix(below).unwrap_or(inside).to_string_lossy().into_owned()
    }

    fn fill(&self, commit: &str) -> Result<(), String> {
        let list = run(&["-C", &self.top.to_string_lossy(), "ls-tree", "-r", "-z", commit])?;
        let list = String::from_utf8_lossy(&list);
        let mut batch = Batch::start(&self.top)?;
        for line in list.split_terminator('\0') {
            let Some((head, path)) = line.split_once('\t') else { continue };
            let mut words = head.split(' ');
            let (Some(mode), Some("blob"), Some(id)) = (words.next(), words.next(), words.next())
            else {
                continue; // a submodule
            };
            let Some(target) = self.target(path) else { continue };
            let content = batch.read(id)?;
            let folder = target.parent().unwrap_or(self.folder.path());
            let written = fs::create_dir_all(folder).and_then(|()| match mode {
                "120000" => link(&content, &target),
                _ => fs::write(&target, content),
            });
            written.map_err(|error| format!("cannot write `{path}`: {error}"))?;
        }
        batch.end()
    }

    /// Git refuses such names itself; a snapshot is never written elsewhere.
    fn target(&self, path: &str) -> Option<PathBuf> {
        let is_plain = Path::new(path).components().all(|it| matches!(it, Component::Normal(_)));
        is_plain.then(|| self.folder.path().join(path))
    }
}

/// `git cat-file --batch`: one process for all files.
struct Batch {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Batch {
    fn start(top: &Path) -> Result<Batch, String> {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(top)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        Ok(Batch { child, output })
    }

    /// The content of a blob.
    fn read(&mut self, id: &str) -> Result<Vec<u8>, String> {
        let input = self.child.stdin.as_mut().expect("its input is piped, and closed at the end");
        writeln!(input, "{id}").map_err(|error| error.to_string())?;
        let mut head = String::new();
        self.output.read_line(&mut head).map_err(|error| error.to_string())?;
        // `<id> blob <size>`, or `<id> missing` in a clone without all objects.
        let size = head
            .trim_end()
            .rsplit_once(" blob ")
            .map_or("", |_| head.trim_end().rsplit(' ').next().unwrap_or(""));
        let size: u64 = size.parse().map_err(|_| format!("object {}", head.trim_end()))?;
        let mut content = Vec::new();
        let read = (&mut self.output).take(size + 1).read_to_end(&mut content);
        read.map_err(|error| error.to_string())?;
        content.pop();
        Ok(content)
    }

    fn end(mut self) -> Result<(), String> {
        drop(self.child.stdin.take());
        self.child.wait().map(|_| ()).map_err(|error| error.to_string())
    }
}

/// A link inside the snapshot; what it leads to elsewhere was not part of the commit.
#[cfg(unix)]
fn link(target: &[u8], at: &Path) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let target = Path::new(std::ffi::OsStr::from_bytes(target));
    if target.is_absolute() { Ok(()) } else { std::os::unix::fs::symlink(target, at) }
}

/// Links are files with a path in them, as git makes them where there are none.
#[cfg(not(unix))]
fn link(target: &[u8], at: &Path) -> std::io::Result<()> {
    fs::write(at, target)
}

/// The first line that a git command prints.
fn git(args: &[&str]) -> Result<String, String> {
    let output = run(args)?;
    Ok(String::from_utf8_lossy(&output).trim_end_matches(['\n', '\r']).to_string())
}

fn run(args: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git").args(args).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("git does not run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(error.trim().lines().next().unwrap_or("git fails").to_string())
}
