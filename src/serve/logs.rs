//! Logs: a JSON object a line on standard error.

use tracing_subscriber::EnvFilter;

/// Begins to log what `filter` lets through (`info`, `purlin=debug,warn`).
///
/// # Errors
///
/// If the filter is not valid.
pub fn begin(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|why| format!("`--log {filter}`: {why}"))?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|why| why.to_string())
}
