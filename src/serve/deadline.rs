//! How long the API server waits for an answer, and how much of that is ours.

use jiff::SignedDuration;
use std::time::{Duration, Instant};

/// What the API server grants where it does not say: `timeoutSeconds` is 10 unless set.
const UNSAID: Duration = Duration::from_secs(10);

/// The most that the API server ever grants.
const MOST: Duration = Duration::from_secs(30);

/// Until when an answer is to be on its way: four fifths of `?timeout=3s`, the rest being for the network.
///
/// # Errors
///
/// What is wrong with the parameter.
pub(super) fn deadline(query: Option<&str>, received: Instant) -> Result<Instant, String> {
    let parameters = query.into_iter().flat_map(|it| it.split('&'));
    let timeout = parameters.filter_map(|it| it.strip_prefix("timeout=")).next_back();
    let granted = match timeout {
        None => UNSAID,
        Some(text) => duration(text)
            .filter(|it| !it.is_zero())
            .ok_or_else(|| format!("`timeout={text}` is not a duration such as `3s`"))?,
    };
    Ok(received + granted.min(MOST) * 4 / 5)
}

/// A duration as Go writes it (`1m30s`, `1.5s`, `500ms`).
fn duration(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_fifths_of_what_is_granted() {
        let now = Instant::now();
        let ours = |query| deadline(query, now).map(|it| it - now);
        assert_eq!(ours(Some("timeout=10s")), Ok(Duration::from_secs(8)));
        assert_eq!(ours(Some("a=b&timeout=1m0s")), Ok(Duration::from_secs(24)), "at most 30 s");
        assert_eq!(ours(Some("timeout=500ms")), Ok(Duration::from_millis(400)));
        assert_eq!(ours(None), Ok(Duration::from_secs(8)));
        for wrong in
            ["timeout=", "timeout=0s", "timeout=3", "timeout=s", "timeout=-1s", "timeout=3x"]
        {
            assert!(ours(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
