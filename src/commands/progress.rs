//! How far long work is, on standard error, where that is a terminal: one line, which goes when the work is done.

use purlin::text::visible::visible;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Takes the cursor to the start of its line, and what stands there away.
const CLEAR: &str = "\r\x1b[K";

/// The line.
pub(super) struct Progress {
    /// How wide it may be; `None` where nobody watches.
    width: Option<usize>,
    /// Whether there is something to take away.
    is_shown: AtomicBool,
}

impl Progress {
    /// Nothing is shown yet.
    pub(super) fn new() -> Progress {
        let is_dumb = std::env::var_os("TERM").is_some_and(|it| it == "dumb");
        let is_watched = io::stderr().is_terminal() && !is_dumb;
        let width = || terminal_size::terminal_size_of(io::stderr()).map(|it| usize::from(it.0.0));
        // A line that is broken could not be taken away.
        let width = is_watched.then(|| width().unwrap_or(80).saturating_sub(1));
        Progress { width, is_shown: AtomicBool::new(false) }
    }

    /// Shows this instead of what stood there.
    pub(super) fn show(&self, text: &str) {
        let Some(width) = self.width else { return };
        let text: String = visible(text).chars().take(width).collect();
        self.is_shown.store(true, Ordering::Relaxed);
        write(&format!("{CLEAR}{text}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown.load(Ordering::Relaxed) {
            write(CLEAR);
        }
    }
}

/// In one piece, since others write there too.
fn write(text: &str) {
    let mut out = io::stderr().lock();
    // Where nobody listens there is nobody to tell.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
