//! `kubectl scale` of every workload without an autoscaler: answered as a check of its manifest with that number says.

use super::Stand;
use super::expected::{expected, find_new};
use crate::systems::texts;
use crate::webhook::support::objects;
use purlin::load::load_texts;
use purlin::rule::Admission;
use serde_json::Value;
use std::sync::Arc;

/// Scales each to nothing, to one, to one less and to many, and back.
pub(super) fn are_answered(stand: &Stand, world: &str) {
    let all = objects(&load_texts(texts(world)));
    let known = expected(texts(world));
    let (mut denied, mut warned, mut taken, mut wrong) = (0, 0, 0, Vec::new());
    for at in 0..all.len() {
        let Some(now) =
            all[at]["spec"]["replicas"].as_u64().filter(|_| is_scaled_by_hand(&all, at))
        else {
            continue;
        };
        let mut counts = vec![0, 1, now.saturating_sub(1), now * 50];
        counts.sort_unstable();
        counts.dedup();
        for count in counts.into_iter().filter(|it| *it != now) {
            let mut scaled = all.clone();
            scaled[at]["spec"]["replicas"] = count.into();
            let found = scaled.iter().map(|it| ("it.json".to_string(), Arc::from(it.to_string())));
            let found = find_new(expected(found.collect()), &known);
            let scale = |count: u64| {
                stand.kubectl.on(&[&all[at]], &["scale", "--replicas", &count.to_string()])
            };
            let said = scale(count);
            // To nothing is the way of whoever switches things off at night.
            let may_deny = count > 0;
            let is_told = found.iter().all(|it| match it.rule.admission {
                Admission::Deny if !it.is_denied || !may_deny => {
                    said.warnings.iter().any(|text| it.is_warned_of_by(text))
                }
                Admission::Deny => said.denials.iter().any(|text| it.is_denied_by(text)),
                Admission::Warn => said.warnings.iter().any(|text| it.is_warned_of_by(text)),
                Admission::Audit => true,
            });
            let is_denied = may_deny && found.iter().any(|it| it.is_denied);
            if !is_told || is_denied == said.denials.is_empty() {
                let found: Vec<_> = found.iter().map(|it| (it.rule.id, &it.message)).collect();
                let name = &all[at]["metadata"]["name"];
                wrong.push(format!("{name} to {count}: {found:#?}\n{said:#?}"));
            }
            match (said.denials.is_empty(), said.warnings.is_empty()) {
                (false, _) => denied += 1,
                (_, false) => warned += 1,
                _ => taken += 1,
            }
            let back = scale(now);
            assert!(back.is_done(), "a repair is denied: {back:#?}");
        }
    }
    println!("  {denied} × scale denied\n  {warned} × scale warned\n  {taken} × scale taken");
    assert!(wrong.is_empty(), "{world}: {} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether it is a Deployment or StatefulSet that no autoscaler names.
fn is_scaled_by_hand(all: &[Value], at: usize) -> bool {
    let it = &all[at];
    let is_target = |scaler: &Value| {
        let target = &scaler["spec"]["scaleTargetRef"];
        scaler["metadata"]["namespace"] == it["metadata"]["namespace"]
            && target["kind"] == it["kind"]
            && target["name"] == it["metadata"]["name"]
    };
    (it["kind"] == "Deployment" || it["kind"] == "StatefulSet") && !all.iter().any(is_target)
}
