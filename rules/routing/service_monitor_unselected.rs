//! Monitors that no Prometheus of the input selects.
//!
//! `prometheus-operator/pkg/apis/monitoring/v1/prometheus_types.go`, CommonPrometheusFields: a selector that is absent
//! selects nothing, an empty one everything; an absent namespace selector is the Prometheus' own namespace.

use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::load::cluster::coverage::Coverage;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "service-monitor-unselected",
    title: "no Prometheus selects a monitor",
    severity: Severity::Warning,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Namespace, Kind::PodMonitor, Kind::Prometheus, Kind::ServiceMonitor],
    like: &[],
    parameters: &[],
    page: include_str!("service_monitor_unselected.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let agents = cx
        .model
        .of_kind(Kind::Custom)
        .filter(|it| it.kind_name == "PrometheusAgent" && it.group() == "monitoring.coreos.com");
    let scrapers: Vec<_> = cx.model.of_kind(Kind::Prometheus).chain(agents).collect();
    // Most applications bring monitors for a Prometheus that is elsewhere.
    if scrapers.is_empty() {
        return;
    }
    for (kind, field) in
        [(Kind::ServiceMonitor, "serviceMonitor"), (Kind::PodMonitor, "podMonitor")]
    {
        let looks: Vec<_> = scrapers.iter().map(|it| Look::of(it, field)).collect();
        for monitor in cx.model.of_kind(kind) {
            judge(cx, monitor, &looks, out);
        }
    }
}

/// By what a Prometheus finds monitors of a kind.
struct Look<'c, 'd> {
    prometheus: &'c Object<'d>,
    field: &'static str,
    /// Whether its configuration is not the operator's but somebody else's: it has no selector of any kind.
    is_unmanaged: bool,
    selector: Option<Selector<'d>>,
    namespaces: Option<Selector<'d>>,
}

impl<'c, 'd> Look<'c, 'd> {
    fn of(prometheus: &'c Object<'d>, field: &'static str) -> Look<'c, 'd> {
        let spec = prometheus.field(&["spec"]);
        let selector = |name: String| spec.and_then(|it| it.get(&name)).map(Selector::parse);
        let all = ["podMonitor", "probe", "scrapeConfig", "serviceMonitor"];
        Look {
            prometheus,
            field,
            is_unmanaged: all.iter().all(|it| selector(format!("{it}Selector")).is_none()),
            selector: selector(format!("{field}Selector")),
            namespaces: selector(format!("{field}NamespaceSelector")),
        }
    }

    /// Whether it looks into a namespace; `None` where the labels of the namespace are not in the input.
    fn looks_into(&self, cx: &Cx<'_, '_>, namespace: &str) -> Option<bool> {
        match &self.namespaces {
            None => Some(self.prometheus.namespace == namespace),
            Some(selector) => cx.facts.namespaces().is_selected(namespace, selector),
        }
    }
}

fn judge(cx: &Cx<'_, '_>, monitor: &Object<'_>, looks: &[Look<'_, '_>], out: &mut Out) {
    let labels = monitor.labels();
    let (mut looks_there, mut unknown) = (false, false);
    for look in looks {
        if look.is_unmanaged {
            unknown = true;
            continue;
        }
        let by_labels = look.selector.as_ref().is_some_and(|it| it.matches(&labels));
        match look.looks_into(cx, monitor.namespace) {
            Some(true) if by_labels => return,
            Some(true) => looks_there = true,
            None => unknown |= by_labels,
            Some(false) => {}
        }
    }
    // Another Prometheus may be in the cluster; one that looks into the namespace and passes the monitor over is most
    // likely the one that was meant.
    if unknown || !(looks_there || has_every_prometheus(cx)) {
        return out.cannot_tell(
            monitor,
            "whether a Prometheus that is not in the input selects it, or one of the input by labels of the namespace",
        );
    }
    out.find(finding(cx, monitor, looks));
}

/// Whether the input holds every Prometheus that there is.
fn has_every_prometheus(cx: &Cx<'_, '_>) -> bool {
    let coverage = cx.model.loaded.coverage.as_ref();
    let has_all = |it: &Coverage| it.has_looked_for(Kind::Prometheus.name(), "*", "*");
    cx.is_whole() || coverage.is_some_and(has_all)
}

fn finding(cx: &Cx<'_, '_>, monitor: &Object<'_>, looks: &[Look<'_, '_>]) -> Finding {
    let mut finding = Finding::new(
        format!("no Prometheus selects `{monitor}`, so nobody scrapes what it names"),
        monitor.at("metadata.labels"),
        "by its labels and its namespace",
    );
    for look in looks.iter().take(4) {
        let prometheus = look.prometheus;
        let (path, text) = match &look.selector {
            None => (
                format!("spec.{}Selector", look.field),
                "no such selector, which selects nothing".to_string(),
            ),
            Some(it) if it.matches(&monitor.labels()) => (
                format!("spec.{}NamespaceSelector", look.field),
                match &look.namespaces {
                    None => format!(
                        "absent, so it looks into namespace `{}` alone",
                        prometheus.namespace
                    ),
                    Some(it) => format!("looks into namespaces with `{it}`"),
                },
            ),
            Some(it) => (format!("spec.{}Selector", look.field), format!("selects `{it}`")),
        };
        finding = finding.label(prometheus.at(&path), text);
    }
    let wanted = looks.iter().find(|it| it.looks_into(cx, monitor.namespace) == Some(true));
    let help = match wanted.and_then(|it| it.selector.as_ref()).filter(|it| !it.is_empty()) {
        Some(selector) => {
            format!("give the monitor the labels that the Prometheus selects: `{selector}`")
        }
        None => format!(
            "let a Prometheus select it: `{}Selector` for its labels, `{}NamespaceSelector` for namespace `{}`",
            looks[0].field, looks[0].field, monitor.namespace
        ),
    };
    finding.help(help)
}
