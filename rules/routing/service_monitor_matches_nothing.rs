//! ServiceMonitors and PodMonitors that select nothing, or name a port that nothing has.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::monitors::Monitor;
use crate::analyze::selection::selector::Selector;
use crate::analyze::selection::services::Service;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "service-monitor-matches-nothing",
    title: "a monitor selects nothing to scrape",
    severity: Severity::Warning,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::ServiceMonitor, Kind::PodMonitor, Kind::Service, Kind::Namespace],
    like: &["kube-linter:dangling-servicemonitor"],
    parameters: &[],
    page: include_str!("service_monitor_matches_nothing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for monitor in cx.facts.monitors().iter() {
        let object = cx.object(monitor.object);
        let Some(selector) = object.field(&["spec", "selector"]) else { continue };
        match object.kind {
            Kind::ServiceMonitor => services(cx, monitor, selector, out),
            _ if monitor.workloads.is_empty() => nothing(cx, monitor, selector, "pod", out),
            _ => {}
        }
    }
}

/// The labels of Service `default/kubernetes`, which every cluster has
/// (`pkg/controlplane/controller/kubernetesservice/controller.go`, CreateOrUpdateMasterServiceIfNeeded).
const KUBERNETES: [(&str, &str); 2] = [("component", "apiserver"), ("provider", "kubernetes")];

fn services(cx: &Cx<'_, '_>, monitor: &Monitor<'_>, selector: Node<'_>, out: &mut Out) {
    let object = cx.object(monitor.object);
    let matched = monitor.services.iter().map(|it| cx.facts.services().get(*it));
    let matched: Vec<&Service<'_>> = matched.collect();
    let is_of_the_cluster = || monitor.selector.matches(&KUBERNETES);
    let namespaces = monitor.looked_in.as_deref();
    if matched.is_empty()
        && namespaces.is_none_or(|it| it.contains(&"default"))
        && is_of_the_cluster()
    {
        return;
    }
    if matched.is_empty() {
        return nothing(cx, monitor, selector, "Service", out);
    }
    for port in object
        .field(&["spec"])
        .into_iter()
        .flat_map(|it| it.list("endpoints"))
        .filter_map(|it| it.get("port"))
    {
        let Some(name) = port.str() else { continue };
        if matched.iter().all(|it| it.named(name).is_none()) {
            let message =
                format!("`{object}` scrapes port `{name}`, which none of its Services has");
            let mut finding = Finding::new(message, object.place(port), "no such port");
            for service in matched.iter().take(4) {
                let names: Vec<_> = service.ports.iter().filter_map(|it| it.name).collect();
                let names = if names.is_empty() {
                    "its ports have no names".into()
                } else {
                    format!("has {}", names.join(", "))
                };
                finding = finding.label(cx.object(service.object).at("spec.ports"), names);
            }
            out.find(
                finding
                    .help("name the port of the Service, or use `targetPort` for one of the pods"),
            );
        }
    }
}

fn nothing(cx: &Cx<'_, '_>, monitor: &Monitor<'_>, selector: Node<'_>, what: &str, out: &mut Out) {
    let object = cx.object(monitor.object);
    let Some(names) = &monitor.looked_in else {
        return out.cannot_tell(
            object,
            "which Services and pods there are in namespaces that are not in the input",
        );
    };
    let anything = Selector::default();
    for namespace in names {
        // A Service is deployed with its pods, so where these are in the input it would be, too.
        let pods = Wanted::Pods { namespace, selector: &anything };
        let unseen = match what {
            "Service" => cx.unseen(Wanted::any(Kind::Service, namespace)),
            _ => None,
        };
        let absence = match unseen {
            Some(missing) => Absence::CannotTell(missing),
            None => cx.absence_of(pods),
        };
        if let Absence::CannotTell(missing) = absence {
            return out.cannot_tell(object, missing);
        }
    }
    let text = Selector::parse(selector).to_string();
    let message = format!("`{object}` selects no {what} in {}", quoted(names));
    let finding = Finding::new(message, object.place(selector), text);
    let finding = match what {
        "Service" => finding.note(
            "a ServiceMonitor selects Services by their own labels, not by those of their pods",
        ),
        _ => finding,
    };
    out.find(
        finding.help("correct the selector or `namespaceSelector`; nothing is scraped until then"),
    );
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
    names.join(", ")
}
