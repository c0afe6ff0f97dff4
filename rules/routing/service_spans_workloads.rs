//! Services that spread their requests over workloads which have nothing to do with each other.

use crate::analyze::selection::services::{Service, Target};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::image::Image;
use crate::api::kind::Kind;
use crate::rule::{
    Admission, Check, Cx, Finding, Group, ImagePart, Out, Place, Preset, Rule, Severity,
};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "service-spans-workloads",
    title: "a Service selects the pods of unrelated workloads",
    severity: Severity::Warning,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("service_spans_workloads.md"),
    reads_images: Some(ImagePart::Repository),
    checks: &[Check::World(check)],
};

/// Labels that say what a pod is, not which version or part of a release.
const IDENTITY: &[&str] = &[
    "app.kubernetes.io/name",
    "app.kubernetes.io/component",
    "app",
    "k8s-app",
    "component",
    "name",
];

/// Endings by which the variants of one thing tell each other apart.
const VARIANTS: &[&str] = &[
    "active",
    "arm64",
    "amd64",
    "backup",
    "baseline",
    "blue",
    "canary",
    "follower",
    "green",
    "leader",
    "master",
    "new",
    "old",
    "preview",
    "primary",
    "read",
    "replica",
    "secondary",
    "slave",
    "spot",
    "stable",
    "standby",
    "write",
];

/// A workload that has nothing to do with the first one of a Service.
struct Stranger<'c, 'd> {
    workload: &'c Workload<'d>,
    /// The label by which they differ; none where it is their kind.
    key: Option<&'static str>,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Behind a headless Service with a port peers find each other, and those may be of several kinds.
    let may_be_peers = |it: &Service<'_>| it.is_headless && !it.ports.is_empty();
    let mut seen: FxHashMap<_, Receivers<'_, '_>> = FxHashMap::default();
    for service in cx.facts.services().iter() {
        if service.selects.len() < 2 || may_be_peers(service) {
            continue;
        }
        // Of Services that select alike and lead to the same ports it is asked once.
        let targets: Vec<_> = service.ports.iter().map(|it| (it.target, it.protocol)).collect();
        let key = (service.alike, service.is_headless, targets);
        let receivers = seen.entry(key).or_insert_with(|| Receivers::new(cx, service));
        let Some(first) = receivers.first(service.name) else { continue };
        let strangers = receivers.strangers(first, |it| stranger(cx, service, first, it));
        if !strangers.is_empty() && !runs_to_an_end(first) {
            out.find(finding(cx, service, first, strangers));
        }
    }
}

/// The workloads that requests to a Service get to.
struct Receivers<'c, 'd> {
    /// In the order of their names: in which they were read says nothing.
    workloads: Vec<&'c Workload<'d>>,
    by_name: FxHashMap<&'d str, Vec<&'c Workload<'d>>>,
    /// For each, what makes it likely that a Service of another name is for it, and its place among them.
    likeness: FxHashMap<WorkloadId, (bool, bool, Reverse<usize>)>,
    /// The likeliest.
    likeliest: Option<&'c Workload<'d>>,
    /// Those who have nothing to do with each of those that a Service was found to be for.
    strangers: FxHashMap<WorkloadId, Vec<Stranger<'c, 'd>>>,
}

impl<'c, 'd> Receivers<'c, 'd> {
    fn new(cx: &Cx<'c, 'd>, service: &Service<'_>) -> Receivers<'c, 'd> {
        let workloads = service.selects.iter().map(|(id, _)| cx.facts.workloads().get(*id));
        let mut workloads: Vec<_> = workloads.filter(|it| receives(cx, service, it)).collect();
        workloads.sort_by_cached_key(|it| cx.object(it.object).to_string());
        let mut by_name: FxHashMap<_, Vec<_>> = FxHashMap::default();
        let mut likeness = FxHashMap::default();
        for (at, it) in workloads.iter().enumerate() {
            by_name.entry(it.name).or_default().push(*it);
            likeness.insert(it.id, (!runs_to_an_end(it), serves(cx, service, it), Reverse(at)));
        }
        let likeliest = workloads.iter().copied().max_by_key(|it| likeness[&it.id]);
        Receivers { workloads, by_name, likeness, likeliest, strangers: FxHashMap::default() }
    }

    /// The one that a Service of this name is probably for.
    fn first(&self, name: &str) -> Option<&'c Workload<'d>> {
        let named = self.by_name.get(name).into_iter().flatten().copied();
        let likeness = |it: &&Workload<'_>| {
            let (is_lasting, serves, at) = self.likeness[&it.id];
            (is_lasting, it.name == name, serves, at)
        };
        named.chain(self.likeliest).max_by_key(likeness)
    }

    fn strangers(
        &mut self,
        first: &Workload<'_>,
        stranger: impl Fn(&'c Workload<'d>) -> Option<Stranger<'c, 'd>>,
    ) -> &[Stranger<'c, 'd>] {
        let others = self.workloads.iter().filter(|it| it.id != first.id);
        self.strangers
            .entry(first.id)
            .or_insert_with(|| others.filter_map(|it| stranger(it)).collect())
    }
}

fn runs_to_an_end(workload: &Workload<'_>) -> bool {
    matches!(workload.kind, Kind::Job | Kind::CronJob)
}

/// Whether requests get to these pods at all: pods that lack the name of a port are left out of it, unless the Service
/// stands for the pods themselves.
fn receives(cx: &Cx<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> bool {
    let ports = cx.facts.ports(workload.id);
    service.is_headless || service.ports.iter().any(|it| it.on(ports).is_some())
}

/// Whether the pods declare any of the ports that the Service leads to.
fn serves(cx: &Cx<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> bool {
    let ports = cx.facts.ports(workload.id);
    service.ports.iter().any(|it| match it.target {
        Target::Number(number) => ports.numbered(number, it.protocol).is_some(),
        Target::Name(name) => ports.named(name, it.protocol).is_some(),
    })
}

fn stranger<'c, 'd>(
    cx: &Cx<'_, '_>,
    service: &Service<'_>,
    first: &Workload<'_>,
    other: &'c Workload<'d>,
) -> Option<Stranger<'c, 'd>> {
    let (first_serves, serves) = (serves(cx, service, first), serves(cx, service, other));
    // The pods of a job are ready as soon as they run, and get requests that they do not expect.
    if runs_to_an_end(other) && first_serves && !serves {
        return Some(Stranger { workload: other, key: None });
    }
    let key = IDENTITY.iter().find(|key| {
        let labels = label(first, key).zip(label(other, key));
        labels.is_some_and(|(ours, theirs)| stem(ours) != stem(theirs))
    })?;
    let is_other_program = image(first) != image(other);
    (is_other_program || first_serves != serves)
        .then_some(Stranger { workload: other, key: Some(key) })
}

fn label<'d>(workload: &Workload<'d>, key: &str) -> Option<&'d str> {
    workload.labels.written.value(key)
}

/// A name without what tells its variants apart: `api-canary`, `api-v2`.
fn stem(name: &str) -> &str {
    let Some((stem, ending)) = name.rsplit_once('-') else { return name };
    let number = ending.strip_prefix('v').unwrap_or(ending);
    let is_number = !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit());
    if is_number || VARIANTS.contains(&ending) { stem } else { name }
}

/// The repository of the first container's image, without tag and digest.
fn image<'d>(workload: &Workload<'d>) -> &'d str {
    let first = workload.pod.list("containers").next().and_then(|it| it.text("image"));
    Image::of(first.unwrap_or_default()).repository
}

fn finding(
    cx: &Cx<'_, '_>,
    service: &Service<'_>,
    first: &Workload<'_>,
    strangers: &[Stranger<'_, '_>],
) -> Finding {
    let object = cx.object(service.object);
    let key = strangers.iter().find_map(|it| it.key);
    let described = |workload: &Workload<'_>, key: Option<&str>| {
        let label = key.and_then(|key| Some(format!("`{key}={}`", label(workload, key)?)));
        label.unwrap_or_else(|| format!("{} pods", workload.kind.name()))
    };
    let others: Vec<_> =
        strangers.iter().take(3).map(|it| format!("`{}`", cx.object(it.workload.object))).collect();
    let more = match strangers.len() - others.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let mut finding = Finding::new(
        format!(
            "`{object}` selects the pods of `{}` and of {}{more}",
            cx.object(first.object),
            others.join(", ")
        ),
        object.at("spec.selector"),
        service.selector.as_ref().map_or(String::new(), |it| format!("`{it}` matches them all")),
    )
    .label(labels(cx, first), described(first, key));
    for it in strangers.iter().take(7) {
        finding = finding.label(labels(cx, it.workload), described(it.workload, it.key));
    }
    let finding = finding.note("each request goes to any of these pods; those that do not expect it answer with an error, or with something else");
    match key.and_then(|key| Some((key, label(first, key)?))) {
        Some((key, value)) => finding.help(format!("if `{}` is meant, select `{key}: {value}` as well", first.name)),
        None => finding
            .note("the pods of a job count as ready as soon as they run, unless a readiness probe says otherwise")
            .help("give the pods of the job other labels, or name the port of the server and let `targetPort` use the name"),
    }
}

fn labels(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> Place {
    cx.object(workload.object).at(&workload.labels_path())
}
