//! Random orders and edits of worlds that are right: nothing is denied on a way that breaks nothing, and no contradiction
//! that a request alone makes is ever taken.

use super::cluster::{Cluster, Random, name};
use super::objects::{autoscaler, budget, deployment, ingress, quota, within};
use crate::systems::{OTHERS, REPAIRED, texts};
use crate::webhook::support::objects;
use purlin::check;
use purlin::load::load_texts;
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::rule::{Admission, Severity};
use purlin::rules::{self, built_in};
use purlin::webhook::verdict::Verdict;
use purlin::webhook::world::world;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many worlds are walked through.
const WALKS: u64 = 60;

/// How many steps each takes.
const STEPS: usize = 25;

/// The contradictions that a check of the cluster finds in the namespaces, each in a word.
pub(super) fn errors(cluster: &Cluster) -> BTreeSet<String> {
    let snapshot = cluster.state.snapshot();
    let policy = Policy::default();
    let mut errors = BTreeSet::new();
    for namespace in snapshot.namespaces() {
        let loaded = world(&snapshot, namespace);
        let model = Model::new(&loaded, "default");
        for it in check::findings(
            &model,
            &policy,
            &purlin::run::Run::default(),
            &built_in().iter().collect::<Vec<_>>(),
        ) {
            let rule = rules::built_in().find(it.rule).unwrap();
            if it.severity == Some(Severity::Error) && rule.admission == Admission::Deny {
                errors.insert(format!("{}: {}", it.rule, it.message));
            }
        }
    }
    errors
}

/// How many steps each system takes, which are dear.
const STEPS_OF_SYSTEM: usize = 12;

/// A world of some applications, each of which is right by itself; numbers are random within what is right.
fn applications(random: &mut Random) -> Vec<Value> {
    let mut all = Vec::new();
    let mut peak = 0;
    for at in 0..1 + random.below(3) {
        let name = format!("app-{at}");
        let floor = 2 + random.below(3) as u64;
        let most = floor + random.below(4) as u64;
        peak += most + 1;
        let mut workload = deployment(&name, floor);
        if random.below(2) == 0 {
            all.push(autoscaler(&name, &name, floor, most.max(floor + 1)));
            peak += 1;
            // A manifest under an autoscaler says nothing of replicas.
            workload["spec"].as_object_mut().unwrap().remove("replicas");
        }
        all.push(workload);
        if random.below(3) > 0 {
            all.push(budget(&name, &name, floor - 1));
        }
        if random.below(2) == 0 {
            let mut host = ingress("shop", &name, &name);
            host["spec"]["rules"][0]["host"] = format!("{name}.example.com").into();
            all.push(host);
        }
    }
    if random.below(2) == 0 {
        all.push(quota(peak + random.below(5) as u64));
    }
    all
}

fn told(verdict: &Verdict) -> Vec<&str> {
    verdict.denials.iter().map(|it| it.message.as_str()).collect()
}

#[test]
fn what_is_right_in_the_end_and_breaks_nothing_on_the_way_is_taken() {
    for seed in 0..WALKS {
        let mut random = Random(seed);
        let mut all = applications(&mut random);
        random.shuffle(&mut all);
        let mut cluster = Cluster::new();
        for it in &all {
            let verdict = cluster.apply(it);
            assert!(!verdict.is_denied(), "seed {seed}: {it}\n{:#?}\n{all:#?}", told(&verdict));
        }
        assert_eq!(errors(&cluster), BTreeSet::new(), "seed {seed}: the world is right");
        // Deleted and put back, in any order.
        let mut some: Vec<Value> = all.iter().filter(|_| random.below(2) == 0).cloned().collect();
        some.iter().for_each(|it| assert!(!cluster.delete(it).is_denied(), "seed {seed}"));
        random.shuffle(&mut some);
        for it in &some {
            let verdict = cluster.apply(it);
            assert!(!verdict.is_denied(), "seed {seed}: back: {it}\n{:#?}", told(&verdict));
        }
    }
}

/// An edit of one object: a number, a name, or all of it.
fn edit(random: &mut Random, object: &Value) -> Value {
    let mut new = object.clone();
    let spec = &mut new["spec"];
    let small = |random: &mut Random| json!(random.below(7));
    match object["kind"].as_str().unwrap() {
        "Deployment" => spec["replicas"] = small(random),
        "PodDisruptionBudget" => spec["minAvailable"] = small(random),
        "HorizontalPodAutoscaler" => {
            let floor = 1 + random.below(5);
            spec["minReplicas"] = floor.into();
            spec["maxReplicas"] = (floor + random.below(6)).into();
        }
        "ResourceQuota" => spec["hard"]["requests.cpu"] = random.below(30).to_string().into(),
        _ => new = within(new, ["shop", "blog"][random.below(2)]),
    }
    new
}

/// A step that is denied would have broken something; one that is taken breaks nothing that another object of the step
/// could not still mend.
#[test]
fn what_one_request_breaks_is_never_taken() {
    let mut counts = [0; 2];
    for seed in 0..WALKS {
        let mut random = Random(1_000 + seed);
        let all = applications(&mut random);
        let mut cluster = Cluster::of(&all);
        for step in 0..STEPS {
            let there = cluster.objects.clone();
            let object = &there[random.below(there.len())];
            let new = edit(&mut random, object);
            let before = errors(&cluster);
            let verdict = cluster.apply(&new);
            counts[usize::from(verdict.is_denied())] += 1;
            let mut after = Cluster::of(&cluster.objects);
            after.force(&new);
            let after = errors(&after);
            let broken: Vec<&String> = after.difference(&before).collect();
            let context = || format!("seed {seed}, step {step}: {new}\n{before:#?}\n{after:#?}");
            if broken.is_empty() {
                assert!(!verdict.is_denied(), "{}\n{:#?}", context(), told(&verdict));
            }
            // What was wrong before and is so by other numbers may be better or worse; what is new is denied.
            let rules = |it: &BTreeSet<String>| -> BTreeSet<String> {
                it.iter().map(|it| it.split(':').next().unwrap().to_string()).collect()
            };
            let is_new = rules(&after).difference(&rules(&before)).count() > 0;
            // Off and on again is never denied.
            let is_switched = [&new, object].iter().any(|it| it["spec"]["replicas"] == 0);
            if is_new && !is_switched && !verdict.is_denied() {
                let warned: Vec<_> = verdict.warnings.iter().map(|it| &it.message).collect();
                panic!("{} is taken\n{warned:#?}", context());
            }
            assert_eq!(name(&new).0, name(object).0);
        }
    }
    println!("{} edits taken, {} denied", counts[0], counts[1]);
    assert!(counts.iter().all(|it| *it > 100), "{counts:?}");
}

/// The kinds that a step edits in a system.
const EDITED: [&str; 5] = [
    "Deployment",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "ResourceQuota",
    "StatefulSet",
];

/// An edit of one object of a system, which says more than those of [`applications`].
fn edit_of_system(random: &mut Random, object: &Value) -> Value {
    let mut new = object.clone();
    match object["kind"].as_str().unwrap() {
        "StatefulSet" => new["spec"]["replicas"] = random.below(7).into(),
        "PodDisruptionBudget" => {
            new["spec"].as_object_mut().unwrap().remove("maxUnavailable");
            new["spec"]["minAvailable"] = random.below(7).into();
        }
        "ResourceQuota" => {
            let hard = new["spec"]["hard"].as_object_mut().unwrap();
            let at = random.below(hard.len());
            let value = hard.values_mut().nth(at).unwrap();
            *value = random.below(30).to_string().into();
        }
        _ => new = edit(random, object),
    }
    new
}

/// The same in the five systems, where more rules have a say: what breaks nothing is taken, and what is newly wrong is
/// never taken without a word; of a contradiction that nothing else can mend the word is a denial.
#[test]
fn what_one_request_breaks_in_a_system_is_never_taken_in_silence() {
    let mut counts = [0; 3];
    for (at, world) in REPAIRED.iter().enumerate() {
        let mut random = Random(2_000 + at as u64);
        let all = objects(&load_texts(texts(world)));
        let mut cluster = Cluster::of(&all);
        for step in 0..STEPS_OF_SYSTEM {
            let there: Vec<Value> = cluster.objects.clone();
            let edited = |it: &&Value| EDITED.iter().any(|kind| it["kind"] == **kind);
            let there: Vec<&Value> = there.iter().filter(edited).collect();
            let object = there[random.below(there.len())];
            let new = edit_of_system(&mut random, object);
            let before = errors(&cluster);
            let verdict = cluster.apply(&new);
            let mut after = Cluster::of(&cluster.objects);
            after.force(&new);
            let after = errors(&after);
            let context = || format!("{world}, step {step}: {new}\n{before:#?}\n{after:#?}");
            if after.difference(&before).next().is_none() {
                assert!(!verdict.is_denied(), "{}\n{:#?}", context(), told(&verdict));
            }
            let rule = |it: &String| it.split(':').next().unwrap().to_string();
            let known: BTreeSet<String> = before.iter().map(rule).collect();
            let is_off = new["spec"]["replicas"] == 0;
            let is_new = after.iter().map(rule).any(|it| !known.contains(&it)) && !is_off;
            let words = verdict.denials.len() + verdict.warnings.len();
            assert!(!is_new || words > 0, "{} is taken", context());
            counts[if verdict.is_denied() { 2 } else { usize::from(is_new) }] += 1;
        }
    }
    println!("{} edits taken, {} warned of, {} denied", counts[0], counts[1], counts[2]);
    assert!(counts[0] > 20 && counts[2] > 10, "{counts:?}");
}

/// Each object of the systems deleted and created again, and the rest of it as it was; also of those that are broken
/// already, whose workloads are scaled to nothing and back, too.
#[test]
fn what_a_system_consists_of_is_replaced_one_by_one() {
    for world in REPAIRED.iter().chain(&OTHERS) {
        let all = objects(&load_texts(texts(world)));
        let mut cluster = Cluster::of(&all);
        for it in all.iter().filter(|it| it["kind"] != "Namespace") {
            assert!(!cluster.delete(it).is_denied(), "{world}");
            let verdict = cluster.apply(it);
            assert!(!verdict.is_denied(), "{world}: {:?}: {:#?}", name(it), told(&verdict));
            if it["spec"]["replicas"].as_u64().is_some_and(|it| it > 0) {
                let mut off = it.clone();
                off["spec"]["replicas"] = 0.into();
                for (step, it) in [("off", &off), ("on", it)] {
                    let verdict = cluster.apply(it);
                    assert!(
                        !verdict.is_denied(),
                        "{world}: {step} {:?}: {:#?}",
                        name(it),
                        told(&verdict)
                    );
                }
            }
        }
    }
}
