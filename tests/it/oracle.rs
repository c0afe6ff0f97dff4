//! What Kubernetes' own code counts on random namespaces: requests and limits of pods, the refusals of LimitRanges, what is
//! charged to quotas, disruption budgets, rollouts, and the pods that a drain evicts. Made by `tests/oracle`.

use crate::support::{load_texts, only, root};
use flate2::read::GzDecoder;
use purlin::analyze::Facts;
use purlin::analyze::capacity::effective_resources::Resources;
use purlin::analyze::capacity::rollout::Rollout;
use purlin::analyze::disruption::budgets::{self, Demand};
use purlin::analyze::disruption::evictions::Evictions;
use purlin::analyze::placement::node::ClusterNode;
use purlin::analyze::placement::scenario::{Event, run};
use purlin::analyze::placement::world::{At, Pod, Reading, read};
use purlin::analyze::selection::workloads::Workload;
use purlin::api::kind::Kind;
use purlin::api::quantity::Quantity;
use purlin::check::check;
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::run::Run;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// Objects and what Kubernetes says of them.
#[derive(Deserialize)]
struct Answered {
    seed: u64,
    objects: Vec<Value>,
    /// By object, why the API server refuses it, or the pods that it makes.
    invalid: BTreeMap<String, String>,
    requests: Vec<Counted>,
    quotas: Vec<Quota>,
    budgets: Vec<Budget>,
    #[serde(rename = "budgetsAtPeak")]
    budgets_at_peak: Vec<Budget>,
    rollouts: Vec<Surge>,
    /// By node, the pods that a drain evicts.
    drains: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Counted {
    workload: String,
    floor: u64,
    peak: u64,
    requests: BTreeMap<String, String>,
    limits: BTreeMap<String, String>,
    qos: String,
    #[serde(default, rename = "limitRanger")]
    refused: Vec<String>,
}

#[derive(Deserialize)]
struct Quota {
    quota: String,
    lines: BTreeMap<String, Line>,
    rejected: BTreeMap<String, String>,
    counted: Vec<String>,
}

#[derive(Deserialize)]
struct Line {
    peak: String,
}

#[derive(Debug, Deserialize)]
struct Budget {
    budget: String,
    expected: u64,
    desired: u64,
    healthy: u64,
    allowed: u64,
    #[serde(default)]
    failed: String,
    selects: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Surge {
    workload: String,
    strategy: String,
    floor: u64,
    peak: u64,
    surge_at_floor: u64,
    surge_at_peak: u64,
    unavailable_at_floor: u64,
    unavailable_at_peak: u64,
}

/// The namespaces that are committed, or others that `tests/oracle/resources.sh` made.
fn answers() -> Vec<Answered> {
    let others = std::env::var_os("PURLIN_RESOURCES").map(PathBuf::from);
    let path = others.unwrap_or_else(|| root().join("tests/oracle/resources.jsonl.gz"));
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

/// Asks the facts of each world in turn; all that differs is said at once.
fn compare(ask: impl for<'d> Fn(&Answered, &Model<'d>, &Facts<'d>, &mut Differ)) {
    let mut differ = Differ::default();
    for answered in answers() {
        let text: String = answered.objects.iter().map(|it| format!("---\n{it}\n")).collect();
        let loaded = load_texts(&[("world.yaml", &text)]);
        let model = Model::new(&loaded, "default");
        ask(&answered, &model, &Facts::new(&model), &mut differ);
    }
    println!("{} answers compared", differ.compared);
    assert!(differ.compared > 0);
    let shown = differ.found.iter().take(20).cloned().collect::<Vec<_>>();
    assert!(shown.is_empty(), "{} differ:\n{}", differ.found.len(), shown.join("\n"));
}

#[derive(Default)]
struct Differ {
    compared: usize,
    found: Vec<String>,
}

impl Differ {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: String, own: &T, theirs: &T) {
        self.compared += 1;
        if own != theirs {
            self.found.push(format!("{what}: purlin {own:?}, Kubernetes {theirs:?}"));
        }
    }
}

/// The workloads that the API server takes, by their names; pods of one owner each by its own.
fn valid<'f, 'd>(
    answered: &Answered,
    model: &Model<'d>,
    facts: &'f Facts<'d>,
) -> BTreeMap<String, &'f Workload<'d>> {
    let is_ranged = |it: &Workload<'_>| {
        !(it.namespace == "shop" && answered.invalid.contains_key("LimitRange/shop/range"))
    };
    let ranged = facts.workloads().iter().filter(|it| is_ranged(it));
    let named = ranged.flat_map(|it| {
        let own = std::slice::from_ref(&it.object);
        let names = if it.kind == Kind::Pod { it.members.as_slice() } else { own };
        names.iter().map(move |name| (model.object(*name).to_string(), it))
    });
    named.filter(|it| !answered.invalid.contains_key(&it.0)).collect()
}

/// Whether all objects that decide what is charged are taken.
fn is_all_valid(answered: &Answered) -> bool {
    answered.invalid.is_empty()
}

fn own_amounts(of: &Resources<'_>) -> BTreeMap<String, i128> {
    let amounts = of.iter().map(|(name, it)| (name.to_string(), it.milli()));
    amounts.filter(|it| it.1 != 0).collect()
}

fn amounts(of: &BTreeMap<String, String>) -> BTreeMap<String, i128> {
    let amounts = of.iter().map(|(name, it)| (name.clone(), milli(it)));
    amounts.filter(|it| it.1 != 0).collect()
}

fn milli(text: &str) -> i128 {
    Quantity::parse(text).unwrap().milli()
}

#[test]
fn a_pod_requests_what_kubernetes_counts() {
    compare(|answered, model, facts, differ| {
        let valid = valid(answered, model, facts);
        for it in &answered.requests {
            let Some(workload) = valid.get(&it.workload) else { continue };
            let demand = facts.demand(workload);
            let what = |of| format!("world {}: {of} of {}", answered.seed, it.workload);
            differ.compare(
                what("requests"),
                &own_amounts(&demand.requests),
                &amounts(&it.requests),
            );
            differ.compare(what("limits"), &own_amounts(&demand.limits), &amounts(&it.limits));
            let is_best_effort = it.qos == "BestEffort";
            differ.compare(what("best effort"), &demand.is_best_effort, &is_best_effort);
        }
    });
}

#[test]
fn workloads_have_as_many_pods() {
    compare(|answered, model, facts, differ| {
        let valid = valid(answered, model, facts);
        for it in &answered.requests {
            let Some(workload) = valid.get(&it.workload) else { continue };
            let Some(envelope) = facts.envelope(workload.id) else { continue };
            // Pods of one owner are one workload.
            let alike = valid.values().filter(|of| of.id == workload.id).count() as u64;
            let own = (envelope.floor.count, envelope.peak.count);
            let theirs = (it.floor * alike, it.peak * alike);
            let what = format!("world {}: pods of {}", answered.seed, it.workload);
            differ.compare(what, &own, &theirs);
        }
    });
}

/// The objects that a rule names first.
fn named_by(rule: &str, model: &Model<'_>) -> BTreeSet<String> {
    let outcome = check(model, &Policy::default(), &Run::default(), &only(rule));
    let messages = outcome.findings.iter().map(|it| it.message.clone());
    let quoted = |message: String| {
        let parts: Vec<String> = message.split('`').skip(1).step_by(2).map(String::from).collect();
        parts
    };
    messages.flat_map(quoted).collect()
}

#[test]
fn limit_ranges_refuse_the_same_pods() {
    compare(|answered, model, facts, differ| {
        let valid = valid(answered, model, facts);
        let named = named_by("limit-range-violation", model);
        for it in answered.requests.iter().filter(|it| it.peak > 0) {
            if !valid.contains_key(&it.workload) {
                continue;
            }
            let what = format!("world {}: a LimitRange refuses {}", answered.seed, it.workload);
            differ.compare(what, &named.contains(&it.workload), &!it.refused.is_empty());
        }
    });
}

#[test]
fn quotas_are_charged_alike() {
    compare(|answered, model, facts, differ| {
        if !is_all_valid(answered) {
            return;
        }
        let named = named_by("quota-rejects-pod", model);
        for quota in facts.quotas() {
            let object = model.object(quota.object);
            let name = format!("{}/{}", object.namespace, object.name);
            let of = answered.quotas.iter().find(|it| it.quota == name).unwrap();
            let what = |of: &str| format!("world {}: {of} of quota {name}", answered.seed);
            let own = quota.workloads.iter().map(|it| facts.workloads().get(*it));
            let own = own.map(|it| model.object(it.object).to_string());
            let own: BTreeSet<String> = own.collect();
            differ.compare(what("workloads"), &own, &of.counted.iter().cloned().collect());
            // How many pods a DaemonSet has is not told without all nodes.
            if quota.uncounted.is_empty() {
                for line in &quota.lines {
                    let peak = milli(&of.lines[line.resource].peak);
                    differ.compare(what(line.resource), &line.used().milli(), &peak);
                }
            }
        }
        let rejected = answered.quotas.iter().flat_map(|it| it.rejected.keys());
        let rejected: BTreeSet<&String> = rejected.collect();
        for it in answered.requests.iter().filter(|it| it.peak > 0) {
            let what = format!("world {}: a quota rejects {}", answered.seed, it.workload);
            differ.compare(what, &named.contains(&it.workload), &rejected.contains(&it.workload));
        }
    });
}

#[test]
fn budgets_let_as_many_pods_go() {
    compare(|answered, model, facts, differ| {
        if !is_all_valid(answered) {
            return;
        }
        for budget in facts.budgets().iter() {
            let object = model.object(budget.object);
            let name = format!("{}/{}", object.namespace, object.name);
            let of = |all: &'_ [Budget]| all.iter().position(|it| it.budget == name).unwrap();
            let demand = budget.demand.unwrap();
            let at = of(&answered.budgets);
            for it in [&answered.budgets[at], &answered.budgets_at_peak[at]] {
                if it.failed.is_empty() {
                    let what = format!("world {}: {it:?}", answered.seed);
                    // Without a bound the controller wants nothing and lets none go.
                    let is_bare = demand == Demand::Nothing;
                    let keeps = if is_bare { it.desired } else { demand.keeps(it.expected) };
                    let goes = demand.lets_go(it.healthy, it.expected);
                    differ.compare(what, &(keeps, goes), &(it.desired, it.allowed));
                }
            }
            let floor = &answered.budgets[at];
            let what = format!("world {}: {floor:?}", answered.seed);
            match facts.evictions(budget) {
                Evictions::Nothing => differ.compare(what, &0, &floor.allowed),
                // Kubernetes counts none for pods without a controller, and so lets none go as well.
                // Whether a DaemonSet has any pods is not told without all nodes.
                Evictions::Unscalable(_) if covers_daemons(budget, facts) => {}
                Evictions::Unscalable(_) => differ.compare(what, &0, &floor.allowed),
                Evictions::CannotTell(_) => {}
                // How many pods a DaemonSet has is not told without all nodes.
                Evictions::Counted(_) if covers_daemons(budget, facts) => {}
                Evictions::Counted(own) => {
                    // Pods of Jobs come and go, and what is scaled to nothing comes back: purlin judges what is left. Where
                    // there are only Jobs, it judges them as they run.
                    let is_job = |it: &String| it.starts_with("Job/");
                    let all_jobs = floor.selects.iter().all(is_job);
                    let is_steady = |it: &String| {
                        let of = answered.requests.iter().find(|of| of.workload == *it);
                        (all_jobs || !is_job(it)) && of.is_some_and(|it| it.floor > 0)
                    };
                    if floor.selects.iter().all(is_steady)
                        && own.floors.len() == floor.selects.len()
                    {
                        let theirs = (floor.healthy, floor.allowed);
                        differ.compare(what, &(own.pods, own.lets_go), &theirs);
                    }
                }
            }
        }
    });
}

fn covers_daemons(budget: &budgets::Budget<'_>, facts: &Facts<'_>) -> bool {
    let mut covered = budget.covers.iter().map(|it| facts.workloads().get(it.0));
    covered.any(|it| it.kind == Kind::DaemonSet)
}

#[test]
fn rollouts_add_and_miss_as_many_pods() {
    compare(|answered, model, facts, differ| {
        let valid = valid(answered, model, facts);
        for it in answered.rollouts.iter().filter(|it| it.strategy == "RollingUpdate") {
            let Some(workload) = valid.get(&it.workload) else { continue };
            let rollout = Rollout::of(model, workload);
            let at = |pods| (rollout.surge(pods), rollout.unavailable(pods));
            let what = format!("world {}: {it:?}", answered.seed);
            // A DaemonSet's controller never asks how many there are to miss.
            let floor = (it.surge_at_floor, it.unavailable_at_floor.min(it.floor));
            let peak = (it.surge_at_peak, it.unavailable_at_peak.min(it.peak));
            differ.compare(what, &(at(it.floor), at(it.peak)), &(floor, peak));
        }
    });
}

#[test]
fn drains_evict_the_same_pods() {
    compare(|answered, model, facts, differ| {
        let nodes: Vec<_> = model.of_kind(Kind::Node).map(ClusterNode::of_object).collect();
        let world = read(model, facts, nodes, Reading { at: At::Floor, is_whole: true });
        for (at, node) in world.cluster.nodes.iter().enumerate() {
            let outcome = run(&world, (model, facts), At::Floor, &[Event::DrainNode(at)]);
            let of_daemons = |it: &usize| world.components[*it].kind == Kind::DaemonSet;
            let stay = outcome.nodes[at].pods.iter().filter(|it| !of_daemons(it.0));
            let stay = stay.filter(|it| world.components[*it.0].name.contains("/there/"));
            let own = stay.map(|it| *it.1).sum::<usize>();
            let is_there = |it: &&Pod| {
                it.node == Some(at) && it.name.starts_with("there-") && !of_daemons(&it.component)
            };
            let names: BTreeSet<String> =
                world.pods.iter().filter(is_there).map(|it| format!("there/{}", it.name)).collect();
            let evicted: BTreeSet<String> = answered.drains[&node.name].iter().cloned().collect();
            let theirs = names.difference(&evicted).count();
            let what = format!("world {}: pods that stay on {}", answered.seed, node.name);
            differ.compare(what, &own, &theirs);
        }
    });
}
