//! What Prometheus is told.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::fmt;

/// How an answer came out.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Outcome {
    /// `allow`, `warn`, `deny`, or why there was no verdict.
    pub(super) verdict: &'static str,
}

/// A rule, and what it had the webhook do.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ByRule {
    pub(super) rule: &'static str,
    pub(super) verdict: &'static str,
}

/// A rule.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OfRule {
    pub(super) rule: &'static str,
}

/// A kind of object.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OfKind {
    pub(super) kind: String,
}

/// What Prometheus is told.
pub(super) struct Metrics {
    registry: Registry,
    pub(super) requests: Family<Outcome, Counter>,
    pub(super) findings: Family<ByRule, Counter>,
    pub(super) seconds: Histogram,
    pub(super) waiting: Gauge,
    pub(super) connections: Gauge,
    pub(super) connections_refused: Counter,
    pub(super) slow: Gauge,
    pub(super) staleness: Family<OfKind, Gauge<f64, std::sync::atomic::AtomicU64>>,
    pub(super) watch_failures: Family<OfKind, Counter>,
    pub(super) unreadable: Family<OfKind, Gauge>,
    pub(super) restorations: Counter,
    pub(super) objects: Gauge,
    pub(super) overlay: Gauge,
    pub(super) certificate_expiry: Gauge,
    pub(super) certificate_reloads: Counter,
    pub(super) certificate_failures: Counter,
    pub(super) certificate_lease: Gauge,
    pub(super) handshake_failures: Counter,
    pub(super) policy_reloads: Counter,
    pub(super) policy_failures: Counter,
    pub(super) races: Family<OfRule, Counter>,
    pub(super) spared: Counter,
    pub(super) reports: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("purlin"),
            requests: Family::default(),
            findings: Family::default(),
            // A tenth of a millisecond to a good three seconds.
            seconds: Histogram::new((0..16).map(|it| 0.0001 * f64::from(1 << it))),
            waiting: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            slow: Gauge::default(),
            staleness: Family::default(),
            watch_failures: Family::default(),
            unreadable: Family::default(),
            restorations: Counter::default(),
            objects: Gauge::default(),
            overlay: Gauge::default(),
            certificate_expiry: Gauge::default(),
            certificate_reloads: Counter::default(),
            certificate_failures: Counter::default(),
            certificate_lease: Gauge::default(),
            handshake_failures: Counter::default(),
            policy_reloads: Counter::default(),
            policy_failures: Counter::default(),
            races: Family::default(),
            spared: Counter::default(),
            reports: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let it = &mut self.registry;
        it.register("requests", "Reviews, by what was answered", self.requests.clone());
        it.register("findings", "Findings of reviews, by rule", self.findings.clone());
        it.register("review_seconds", "From request to answer", self.seconds.clone());
        it.register("reviews_waiting", "Reviews under way", self.waiting.clone());
        it.register("connections", "Open connections", self.connections.clone());
        it.register(
            "connections_refused",
            "Connections that were closed to make room for others",
            self.connections_refused.clone(),
        );
        it.register(
            "reviews_slow",
            "Reviews that hold up a thread, some of them past their deadline",
            self.slow.clone(),
        );
        it.register(
            "watch_staleness_seconds",
            "For how long nothing was heard of a kind; 0 while its watch is open",
            self.staleness.clone(),
        );
        it.register("watch_failures", "Watches that broke off", self.watch_failures.clone());
        it.register(
            "unreadable_objects",
            "Objects that are there and cannot be read",
            self.unreadable.clone(),
        );
        it.register(
            "api_server_restorations",
            "Times that the API server was found to have gone back in time",
            self.restorations.clone(),
        );
        it.register("objects", "Objects known", self.objects.clone());
        it.register(
            "overlay_entries",
            "Objects allowed and not seen on a watch yet",
            self.overlay.clone(),
        );
        it.register(
            "certificate_expiry_timestamp_seconds",
            "When the certificate expires",
            self.certificate_expiry.clone(),
        );
        it.register(
            "certificate_reloads",
            "Certificates taken on after the first",
            self.certificate_reloads.clone(),
        );
        it.register(
            "certificate_failures",
            "Certificates that could not be used",
            self.certificate_failures.clone(),
        );
        it.register(
            "certificate_lease_held",
            "1 for the replica that renews the certificate that all share",
            self.certificate_lease.clone(),
        );
        it.register(
            "handshake_failures",
            "TLS handshakes that failed",
            self.handshake_failures.clone(),
        );
        it.register(
            "policy_reloads",
            "Policies taken on after the first",
            self.policy_reloads.clone(),
        );
        it.register(
            "policy_failures",
            "Policies that could not be used",
            self.policy_failures.clone(),
        );
        it.register(
            "race_admitted",
            "Contradictions found between objects after they were written",
            self.races.clone(),
        );
        it.register(
            "denials_spared",
            "Denials taken back after a look at the live objects",
            self.spared.clone(),
        );
        it.register("reported_findings", "Findings in written reports", self.reports.clone());
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    ///
    /// None that a `String` could give.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
