//! Namespaces whose quota, limits, isolation or Pod Security level are not as promised.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::policies::Direction;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::architecture::Promise;
use crate::architecture::statements::{Access, Namespace, Section};
use crate::model::{Object, Place};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "quota-differs",
    title: "a namespace's quota, limits, isolation or level is not as promised",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::LimitRange, Kind::Namespace, Kind::NetworkPolicy, Kind::ResourceQuota],
    like: &[],
    parameters: &[],
    page: include_str!("quota_differs.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Namespaces, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for promise in cx.promises() {
        for (name, namespace) in &promise.value.namespaces {
            let first = out.findings.len();
            let of = Of { cx, promise, name };
            of.quota(namespace, out);
            of.limits(namespace, out);
            of.level(namespace, out);
            of.isolation(namespace, out);
            if namespace.observed {
                let own = out.findings[first..].iter_mut();
                own.for_each(|it| it.severity = Some(Severity::Note));
            }
        }
    }
}

struct Of<'o, 'c, 'd> {
    cx: &'o Cx<'c, 'd>,
    promise: &'o Promise,
    name: &'o str,
}

/// A line that differs: what it is, what is promised and what is there, with the places.
type Line = (String, (String, Place), (String, Place));

impl<'o, 'd> Of<'o, '_, 'd> {
    fn stated(&self, path: &[&str]) -> Option<Node<'o>> {
        self.promise.at(&["namespaces", self.name])?.at(path)
    }

    fn place(&self, node: Node<'_>) -> Place {
        self.promise.place(self.cx.model, node)
    }

    /// The objects of a kind in the namespace.
    fn objects(&self, kind: Kind) -> Vec<&'o Object<'d>> {
        let all = self.cx.model.of_kind(kind);
        all.filter(|it| it.namespace == self.name).collect()
    }

    /// That there is no object of a kind, which is absent or not in the input.
    fn none(&self, kind: Kind, at: Node<'_>, out: &mut Out) {
        let wanted = Wanted::any(kind, self.name);
        let message =
            format!("namespace `{}` is to have a {}, and has none", self.name, kind.name());
        let finding = Finding::new(message, self.place(at), "promised here");
        out.report_absent(
            self.cx.model.own(self.promise.document()),
            self.cx.absence_of(wanted),
            || finding,
        );
    }

    fn tell(&self, what: &str, lines: Vec<Line>, out: &mut Out) {
        let told = lines.iter().map(|(what, promised, there)| {
            format!("`{what}` {} promised, {} there", promised.0, there.0)
        });
        let told: Vec<_> = told.collect();
        let mut lines = lines.into_iter();
        let Some((_, promised, there)) = lines.next() else { return };
        let message = format!(
            "{what} of namespace `{}` is not as the architecture promises: {}",
            self.name,
            told.join(", ")
        );
        let mut finding = Finding::new(message, there.1, format!("{} here", there.0))
            .label(promised.1, format!("{} promised", promised.0));
        for (_, promised, there) in lines {
            finding = finding
                .label(there.1, format!("{} here", there.0))
                .label(promised.1, format!("{} promised", promised.0));
        }
        out.find(finding);
    }

    fn quota(&self, namespace: &Namespace, out: &mut Out) {
        let Some(section) = self.stated(&["quota"]).filter(|_| !namespace.quota.is_empty()) else {
            return;
        };
        let quotas = self.objects(Kind::ResourceQuota);
        let Some(first) = quotas.first() else {
            return self.none(Kind::ResourceQuota, section, out);
        };
        let lines = namespace.quota.iter().filter_map(|(resource, promised)| {
            let at = section.get(resource)?;
            // `cpu` is `requests.cpu` (`pkg/quota/v1/evaluator/core/pods.go`).
            let plain = resource.strip_prefix("requests.").unwrap_or(resource);
            let fields = quotas.iter().filter_map(|it| {
                let hard = it.field(&["spec", "hard"])?;
                Some((*it, hard.get(resource).or_else(|| hard.get(plain))?))
            });
            // Of several quotas the smallest counts.
            let smallest = fields
                .filter_map(|(object, node)| Some((amount(node)?, object, node)))
                .min_by(|a, b| a.0.cmp(&b.0));
            let shown = promised.0.show(resource);
            match smallest {
                Some((found, _, _)) if found == promised.0 => None,
                Some((found, object, node)) => Some((
                    resource.clone(),
                    (shown, self.place(at)),
                    (found.show(resource), object.place(node)),
                )),
                None => Some((
                    resource.clone(),
                    (shown, self.place(at)),
                    ("no line".into(), first.at("spec.hard")),
                )),
            }
        });
        self.tell("the quota", lines.collect(), out);
    }

    fn limits(&self, namespace: &Namespace, out: &mut Out) {
        let limits = &namespace.limits;
        let parts = [
            ("default", &limits.default),
            ("defaultRequest", &limits.default_request),
            ("min", &limits.min),
            ("max", &limits.max),
        ];
        let Some(section) =
            self.stated(&["limits"]).filter(|_| parts.iter().any(|it| !it.1.is_empty()))
        else {
            return;
        };
        let ranges = self.objects(Kind::LimitRange);
        let Some(first) = ranges.first() else { return self.none(Kind::LimitRange, section, out) };
        let items = ranges.iter().flat_map(|object| {
            let items = object.field(&["spec", "limits"]).into_iter().flat_map(Node::items);
            items.filter(|it| it.text("type") == Some("Container")).map(move |it| (*object, it))
        });
        let items: Vec<_> = items.collect();
        let mut lines = Vec::new();
        for (part, amounts) in parts {
            for (resource, promised) in amounts {
                let Some(at) = section.at(&[part, resource]) else { continue };
                let found =
                    items.iter().find_map(|(object, it)| Some((object, it.at(&[part, resource])?)));
                let there = found.and_then(|it| amount(it.1));
                if there.is_some_and(|it| it == promised.0) {
                    continue;
                }
                let place =
                    found.map_or_else(|| first.at("spec.limits"), |(object, it)| object.place(it));
                let shown = there.map_or_else(|| "nothing".to_string(), |it| it.show(resource));
                let said = (promised.0.show(resource), self.place(at));
                lines.push((format!("{part}.{resource}"), said, (shown, place)));
            }
        }
        self.tell("the LimitRange", lines, out);
    }

    fn level(&self, namespace: &Namespace, out: &mut Out) {
        let Some((level, at)) = namespace.pod_security.zip(self.stated(&["podSecurity"])) else {
            return;
        };
        // Without its Namespace the input does not tell.
        let Some(object) = self.cx.model.find(Kind::Namespace, "", self.name) else { return };
        let labels = object.labels();
        let found = labels.iter().find(|it| it.0 == "pod-security.kubernetes.io/enforce");
        if found.is_some_and(|it| it.1 == level.name()) {
            return;
        }
        let shown = found.map_or("none", |it| it.1).to_string();
        let line = (
            "podSecurity".to_string(),
            (level.name().to_string(), self.place(at)),
            (shown, object.at("metadata.labels")),
        );
        self.tell("the Pod Security level", vec![line], out);
    }

    /// What nobody opened is denied only to pods that a policy is for.
    fn isolation(&self, namespace: &Namespace, out: &mut Out) {
        let ways = [
            (Direction::Ingress, "ingress", namespace.isolation.ingress),
            (Direction::Egress, "egress", namespace.isolation.egress),
        ];
        let reach = || self.cx.facts.reach();
        for (way, key, said) in ways {
            let Some(at) = self.stated(&["isolation", key]).filter(|_| said == Some(Access::Deny))
            else {
                continue;
            };
            let mut own = self.cx.facts.workloads().in_namespace(self.name);
            let open = own.find(|it| {
                let end = reach().of_workload(it.id);
                end.is_some_and(|end| !reach().is_decided(way, end))
            });
            let Some(workload) = open else { continue };
            let object = self.cx.object(workload.object);
            match self.cx.absence_of(Wanted::Policies { namespace: self.name }) {
                Absence::Absent => {}
                Absence::Elsewhere => continue,
                Absence::CannotTell(missing) => {
                    out.cannot_tell(object, missing);
                    continue;
                }
            }
            let message = format!(
                "{key} of namespace `{}` is to be denied unless it is allowed, and no policy is for `{object}`",
                self.name
            );
            out.find(
                Finding::new(message, object.whole(), "all passes here")
                    .label(self.place(at), "denied by promise")
                    .awaits(&[Kind::NetworkPolicy])
                    .help(format!(
                        "add a NetworkPolicy that selects every pod, with policyTypes [{}]",
                        if key == "ingress" { "Ingress" } else { "Egress" }
                    )),
            );
        }
    }
}

fn amount(node: Node<'_>) -> Option<Quantity> {
    Quantity::parse(&node.scalar()?).ok()
}
