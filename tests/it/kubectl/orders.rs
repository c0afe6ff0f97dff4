//! What contradicts each other, into an empty namespace in both orders: the last object is denied, whichever it is.

use super::Stand;
use super::case::Case;
use super::expected::{Expected, found_in};
use crate::support::only;
use crate::webhook::agreement::loaded;
use purlin::load::Document;
use purlin::load::cluster::live;
use purlin::text::source::SourceId;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rules of what one more object may mend, however the objects come: a policy that opens a port, a LimitRange with the
/// requests that containers lack, an autoscaler where nobody set the replicas.
const MENDED_BY_OTHERS: [&str; 8] = [
    "egress-without-dns",
    "hpa-without-requests",
    "ingress-cut-off",
    "members-cut-off",
    "pdb-blocks-drain",
    "quota-rejects-pod",
    "scrape-cut-off",
    "service-cut-off",
];

/// Attempts the contradictions of all breaks, from the first object to the last and from the last to the first.
pub(super) fn are_all_the_same(stand: &Stand, cases: &[Case]) {
    let mut counts = [0; 3];
    let mut wrong = Vec::new();
    let namespaces = cases.iter().flat_map(|it| &it.objects).filter(|it| it["kind"] == "Namespace");
    let namespaces: BTreeMap<String, Value> =
        namespaces.map(|it| (it["metadata"]["name"].to_string(), it.clone())).collect();
    let namespaces: Vec<Value> = namespaces.into_values().collect();
    stand.kubectl.on(&namespaces.iter().collect::<Vec<_>>(), &["apply"]);
    for case in cases.iter().filter(|it| it.left_out.is_none()) {
        let others = case.objects.iter().filter(|it| it["kind"] != "Namespace");
        let others: Vec<&Value> = others.collect();
        for finding in case.expected.iter().filter(|it| it.is_denied) {
            let parts = parts(finding, &namespaces, &others);
            if parts.len() < 2 {
                continue;
            }
            let backwards: Vec<&Value> = parts.iter().rev().copied().collect();
            for (way, order) in [("forwards", &parts), ("backwards", &backwards)] {
                match attempt(stand, finding, order) {
                    Ok(answer) => counts[answer as usize] += 1,
                    Err(why) => wrong.push(format!("{}: {way}: {why}", case.name)),
                }
            }
        }
    }
    stand.delete(&namespaces);
    let [last, earlier, warned] = counts;
    println!(
        "both orders: {last} × the last object denied, {earlier} × one before it, {warned} × warned of"
    );
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// What became of contradictory objects.
#[derive(Clone, Copy)]
enum Answer {
    LastDenied,
    /// One before the last was denied, for a contradiction that some of the objects make by themselves.
    EarlierDenied,
    Warned,
}

/// Applies objects in this order, and says why the answer is not as it ought to be.
fn attempt(stand: &Stand, finding: &Expected, order: &[&Value]) -> Result<Answer, String> {
    let said = stand.kubectl.on(order, &["apply"]);
    stand.delete(&order.iter().map(|it| (*it).clone()).collect::<Vec<_>>());
    let taken = said.done.lines().count();
    let is_mended = MENDED_BY_OTHERS.contains(&finding.rule.id);
    // Where the policy comes before those who call, it does not name them.
    if is_mended && taken == order.len() && said.warnings.iter().any(|it| finding.is_about(it)) {
        return Ok(Answer::Warned);
    }
    if taken == order.len() - 1 && said.denials.iter().any(|it| finding.is_denied_by(it)) {
        return Ok(Answer::LastDenied);
    }
    let last = order.last().unwrap()["metadata"]["name"].as_str().unwrap();
    let is_last_taken = said.done.lines().any(|it| it.contains(&format!("/{last} ")));
    if !said.denials.is_empty() && (is_last_taken || taken < order.len() - 1) {
        return Ok(Answer::EarlierDenied);
    }
    Err(format!("{}: {}\n{said:#?}", finding.rule.id, finding.message))
}

/// The fewest of these objects of which the same is said.
fn parts<'v>(finding: &Expected, namespaces: &[Value], all: &[&'v Value]) -> Vec<&'v Value> {
    let document = |it: &Value| Arc::new(live::document(SourceId(0), it, "", ""));
    let namespaces: Vec<Arc<Document>> = namespaces.iter().map(document).collect();
    let mut left: Vec<(&Value, Arc<Document>)> = all.iter().map(|it| (*it, document(it))).collect();
    let mut size = left.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < left.len() {
            let end = (at + size).min(left.len());
            let rest: Vec<_> = left[..at].iter().chain(&left[end..]).cloned().collect();
            let documents = namespaces.iter().cloned().chain(rest.iter().map(|it| it.1.clone()));
            if is_said(finding, documents.collect()) {
                left = rest;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
    left.into_iter().map(|it| it.0).collect()
}

fn is_said(finding: &Expected, documents: Vec<Arc<Document>>) -> bool {
    let found = found_in(&loaded(documents), &only(finding.rule.id));
    found.iter().any(|it| finding.is_same(it))
}
