//! What the benches measure with.

use std::ffi::OsStr;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, io};

/// How long some work takes; what it makes is dropped after that.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> Duration {
    made(work).1
}

/// What some work makes, and how long that takes.
pub(crate) fn made<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = black_box(work());
    (made, start.elapsed())
}

/// The one in the middle.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The most memory, in bytes, that a process needs which this bench starts with the words `memory` and this one, and
/// which prints its [`high_water`].
pub(crate) fn peak(of: impl AsRef<OsStr>) -> io::Result<Option<u64>> {
    let output = Command::new(env::current_exe()?).arg("memory").arg(of).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim().parse().ok().filter(|it| *it > 0))
}

/// The most memory, in bytes, that this process has needed; `None` where there is no `/proc`.
pub(crate) fn high_water() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}
