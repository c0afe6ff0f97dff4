//! The breaks of the reference systems, as requests to their repaired worlds: each is denied or warned of as the
//! `admission` of the rules that it breaks says.

use super::support::{cluster, objects, observe, observe_deletion, request, rules, verdict};
use crate::systems::breaks::{Break, read};
use crate::systems::texts;
use purlin::load::load_texts;
use purlin::rule::{Admission, Severity};
use purlin::rules;
use serde_json::Value;
use std::collections::BTreeSet;

/// What only manifests can do: a cluster holds an object once, and fills in replicas by itself.
const OF_MANIFESTS: [&str; 2] = ["duplicate-object", "hpa-fights-replicas"];

/// The same of some breaks; Secrets belong in a cluster.
const ALSO_OF_MANIFESTS: [&str; 2] = [
    "the manifest sets replicas below the autoscaler's minimum",
    "a password in a Secret manifest",
];

/// Where something is created, a LimitRange may follow with the requests that containers lack.
const AWAITED: [&str; 2] = ["hpa-without-requests", "quota-rejects-pod"];

/// A policy that opens the way may follow whatever leads to closed pods: it is denied of a change of policies alone.
pub(crate) const OPENED: [&str; 1] = ["ingress-cut-off"];

#[test]
fn breaks_are_denied_or_warned_of() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for system in
        ["driveline", "feastflow", "healthcare-cloud", "healthcare-onprem", "yt-video-creator"]
    {
        for it in read(system) {
            let is_known = it.expect.iter().all(|id| rules::built_in().find(id).is_some());
            // Of text that does not parse no API server ever hears.
            if is_known && load_texts(it.texts()).broken.is_empty() {
                count += 1;
                wrong.extend(judge(&it).map(|why| format!("{system}: {}\n  {why}", it.name)));
            }
        }
    }
    println!("{count} breaks");
    assert!(wrong.is_empty(), "{} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Why a break is not answered as it ought to be.
fn judge(it: &Break) -> Option<String> {
    let before = objects(&load_texts(texts(&it.world)));
    let after = objects(&load_texts(it.texts()));
    let mut state = cluster(&before);
    let (mut denied, mut warned, mut mild) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut may_deny = false;
    let changes = changes(&before, &after);
    let is_one = changes.len() == 1;
    let creates = changes.iter().any(|it| it.0.is_none());
    let is_of_policies = changes
        .iter()
        .any(|it| [it.0, it.1].into_iter().flatten().any(|it| it["kind"] == "NetworkPolicy"));
    for (old, new) in changes {
        let found = verdict(&state, &request(old, new));
        denied.extend(rules(&found.denials));
        warned.extend(rules(&found.warnings));
        let risks = found.warnings.iter().filter(|it| it.severity == Severity::Warning);
        mild.extend(risks.map(|it| it.rule));
        may_deny |= new.is_some();
        // The next request meets the world as if this one had been let through.
        match (old, new) {
            (_, Some(new)) => observe(&mut state, new),
            (Some(old), None) => observe_deletion(&mut state, old),
            (None, None) => {}
        }
    }
    let mut missing = Vec::new();
    for id in &it.expect {
        let rule = rules::built_in().find(id).unwrap();
        let is_left_out =
            OF_MANIFESTS.contains(&rule.id) || ALSO_OF_MANIFESTS.contains(&it.name.as_str());
        let is_told = match rule.admission {
            _ if is_left_out => true,
            Admission::Audit => true,
            // A risk is no contradiction, and what comes with the first objects is awaited.
            Admission::Deny if may_deny => {
                denied.contains(rule.id)
                    || mild.contains(rule.id)
                    || creates && AWAITED.contains(&rule.id) && warned.contains(rule.id)
                    || !is_of_policies && OPENED.contains(&rule.id) && warned.contains(rule.id)
            }
            Admission::Deny | Admission::Warn => warned.contains(rule.id),
        };
        if !is_told {
            missing.push(rule.id);
        }
    }
    // Of several requests the world between them may be worse than that after the last.
    let unexpected: Vec<_> =
        denied.iter().filter(|id| is_one && !it.expect.contains(**id)).collect();
    (!missing.is_empty() || !unexpected.is_empty()).then(|| {
        format!("expected {:?}, denied {denied:?}, warned {warned:?}, missing {missing:?}, unexpected {unexpected:?}", it.expect)
    })
}

/// The objects that differ, as they were and as they will be.
pub(crate) fn changes<'v>(
    before: &'v [Value],
    after: &'v [Value],
) -> Vec<(Option<&'v Value>, Option<&'v Value>)> {
    let find = |all: &'v [Value], one: &Value| all.iter().find(|it| name(it) == name(one));
    let kept = before.iter().filter_map(|old| match find(after, old) {
        Some(new) if new == old => None,
        new => Some((Some(old), new)),
    });
    let added = after.iter().filter(|it| find(before, it).is_none()).map(|it| (None, Some(it)));
    kept.chain(added).collect()
}

fn name(object: &Value) -> (&Value, &Value, &Value) {
    (&object["kind"], &object["metadata"]["namespace"], &object["metadata"]["name"])
}
