//! Logs: a JSON object a line on standard error, and never what an object holds.
//!
//! The client library logs answers that it cannot read, and at `debug` the words of refusals; whatever it and others
//! below it log holds bodies or may come to hold them. So nobody but purlin logs, whatever `--log` says: what goes wrong
//! below comes back as an error, and is told here by its kind and place. A panic is told by its place, too, since its
//! words quote what a rule stumbled over (`byte index 3 is not a char boundary` quotes the whole text).

use std::cell::{Cell, RefCell};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to log what `filter` lets through (`info`, `purlin=debug,warn`).
///
/// # Errors
///
/// If the filter is not valid.
pub fn begin(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|why| format!("`--log {filter}`: {why}"))?;
    let ours = filter_fn(|it| it.target() == "purlin" || it.target().starts_with("purlin::"));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_filter(ours);
    let begun = tracing_subscriber::registry().with(filter).with(lines).try_init();
    begun.map_err(|why| why.to_string())?;
    IS_BEGUN.store(true, Ordering::Relaxed);
    catching(|| ());
    Ok(())
}

/// Whether panics go to the log, rather than where they go otherwise.
static IS_BEGUN: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Does work of which a panic is caught: nothing is printed of it, and [`last_panic`] tells where it was.
pub(super) fn catching<T>(work: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map_or_else(String::new, ToString::to_string);
            match IS_CAUGHT.get() {
                true => drop(PLACE.replace(place)),
                false if IS_BEGUN.load(Ordering::Relaxed) => tracing::error!(place, "a panic"),
                false => others(panic),
            }
        }));
    });
    IS_CAUGHT.set(true);
    let done = work();
    IS_CAUGHT.set(false);
    done
}

/// Where the last panic of this thread was.
pub(super) fn last_panic() -> String {
    PLACE.take()
}
