//! Counts the work of a program in blocks of instructions: the same figure on an idle machine and on a busy one.
//!
//! valgrind runs a program block by block (straight code up to a jump), and counts how many it enters. Its tool `none`
//! does nothing else, and so takes a fraction of the time that callgrind takes for single instructions; between two runs
//! of one program the figures differ by less than a thousandth.

use std::io;
use std::path::Path;
use std::process::Command;

/// How many blocks a program enters, in a folder; it has one thread for the rules.
pub(crate) fn steps(program: &Path, arguments: &[String], folder: &Path) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=none", "--stats=yes"])
        .arg(program)
        .args(arguments)
        .current_dir(folder)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .map_err(|error| io::Error::other(format!("valgrind: {error}; install it")))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let found = text.lines().find_map(|it| {
        let count = it.split_once("scheduler: ")?.1.strip_suffix(" event checks.")?;
        count.replace(',', "").parse().ok()
    });
    // 0 and 1 are a check's answers; all else tells that it did not do its work.
    match (found, output.status.code()) {
        (Some(found), Some(0 | 1 | 3)) => Ok(found),
        (_, code) => {
            let last = text.lines().rfind(|it| !it.starts_with("--") && !it.starts_with("=="));
            let what = format!("{} {}", program.display(), arguments.join(" "));
            Err(io::Error::other(format!(
                "{what} ended with {code:?}: {}",
                last.unwrap_or_default()
            )))
        }
    }
}

/// By which power of two the work grows between two counts, without what is there whatever the size.
pub(crate) fn exponent(constant: u64, before: u64, after: u64) -> f64 {
    let work = |it: u64| it.saturating_sub(constant).max(1) as f64;
    (work(after) / work(before)).log2()
}
