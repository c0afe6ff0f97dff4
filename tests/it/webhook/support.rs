//! What the tests of verdicts need: a cluster in memory, and requests to it.

use crate::load::json;
use crate::support::load_texts;
use purlin::api::kind::{KINDS, Kind};
use purlin::load::Loaded;
use purlin::load::cluster::live;
use purlin::policy::Policy;
use purlin::rules::built_in;
use purlin::run::Run;
use purlin::text::source::SourceId;
use purlin::webhook::change::Change;
use purlin::webhook::context::Context;
use purlin::webhook::key::Key;
use purlin::webhook::notice::Notice;
use purlin::webhook::review::Review;
use purlin::webhook::rulebook::Rulebook;
use purlin::webhook::snapshot::Snapshot;
use purlin::webhook::state::State;
use purlin::webhook::verdict::{Verdict, judge};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Instant;

/// The objects of these texts, as an API server would send them.
pub(crate) fn objects(loaded: &Loaded) -> Vec<Value> {
    let mut objects = Vec::new();
    for document in &loaded.documents {
        let object = json(document.tree.root());
        match object["items"].as_array() {
            Some(items) if object["kind"].as_str().unwrap().ends_with("List") => {
                objects.extend(items.iter().cloned());
            }
            _ => objects.push(object),
        }
    }
    for object in &mut objects {
        // As the API server does.
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        if namespace.is_empty() && !is_cluster_wide(object) {
            object["metadata"]["namespace"] = "default".into();
        }
    }
    objects
}

fn is_cluster_wide(object: &Value) -> bool {
    let kind = kind(object);
    // Nobody told of custom kinds; those of the fixtures without a namespace have none.
    kind == Kind::Custom || KINDS[kind as usize].scope == purlin::api::kind::Scope::Cluster
}

fn kind(object: &Value) -> Kind {
    let version = object["apiVersion"].as_str().unwrap();
    Kind::of(purlin::api::kind::group(version), object["kind"].as_str().unwrap())
}

/// A cluster that holds these objects, and of every known kind nothing else.
pub(crate) fn cluster(objects: &[Value]) -> State {
    let mut state = State::new(rulebook());
    for object in objects {
        observe(&mut state, object);
    }
    for info in KINDS {
        state.set_complete(info.kind, true);
    }
    state
}

/// The same from texts.
pub(crate) fn cluster_of(text: &str) -> State {
    cluster(&objects(&load_texts(&[("cluster.yaml", text)])))
}

/// A watch shows an object.
pub(crate) fn observe(state: &mut State, object: &Value) {
    let version = object["metadata"]["resourceVersion"].as_str();
    let version = version.and_then(|it| it.parse().ok()).unwrap_or(0);
    state.observe(live::document(SourceId(0), object, "", ""), version);
}

/// A watch shows that an object is gone.
pub(crate) fn observe_deletion(state: &mut State, object: &Value) {
    let document = live::document(SourceId(0), object, "", "");
    state.observe_deletion(&Key::of(document.tree.root()).unwrap());
}

/// A request as kubectl would have the API server send it.
pub(crate) fn request(old: Option<&Value>, new: Option<&Value>) -> Value {
    let object = new.or(old).unwrap();
    let (group, version) = match object["apiVersion"].as_str().unwrap().split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", object["apiVersion"].as_str().unwrap()),
    };
    let known = kind(object);
    let resource = match known {
        Kind::Custom => format!("{}s", object["kind"].as_str().unwrap().to_lowercase()),
        _ => KINDS[known as usize].resource.to_string(),
    };
    let operation = match (old, new) {
        (None, _) => "CREATE",
        (_, None) => "DELETE",
        _ => "UPDATE",
    };
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": group, "version": version, "kind": object["kind"]},
        "resource": {"group": group, "version": version, "resource": resource},
        "name": object["metadata"]["name"],
        "namespace": object["metadata"]["namespace"],
        "operation": operation,
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters"]},
        "object": new, "oldObject": old, "dryRun": false,
    }})
}

/// The request as the webhook reads it.
pub(crate) fn review(request: &Value) -> Review {
    Review::parse(request.to_string().as_bytes()).unwrap_or_else(|it| panic!("{request}: {it}"))
}

/// The rules that purlin brings.
pub(crate) fn rulebook() -> &'static Rulebook {
    static RULES: LazyLock<Rulebook> = LazyLock::new(|| Rulebook::new(built_in()));
    &RULES
}

/// The verdict on a request at noon of 1 June 2026.
pub(crate) fn verdict_by(state: &State, review: &Review, policy: &Policy) -> Verdict {
    let run = Run { today: Some(jiff::civil::date(2026, 6, 1)), ..Run::default() };
    let context = Context { rules: rulebook(), policy, run: &run, own_account: OWN, now: noon() };
    judge(&state.snapshot(), review, &context)
}

pub(crate) fn noon() -> jiff::Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// The same without a policy.
pub(crate) fn verdict(state: &State, request: &Value) -> Verdict {
    verdict_by(state, &review(request), &Policy::default())
}

/// Judges a request, and enters it where it is allowed.
pub(crate) fn submit(state: &mut State, request: &Value, now: Instant) -> Verdict {
    let verdict = verdict(state, request);
    if !verdict.is_denied() {
        let basis = state.snapshot();
        assert!(state.commit(&basis, &review(request), &verdict.change, now));
    }
    verdict
}

/// Enters what a request writes, whatever the verdict on it.
pub(crate) fn commit(state: &mut State, basis: &Snapshot, review: &Review, now: Instant) -> bool {
    let policy = Policy::default();
    let change = Change::of(basis, review, &policy, noon()).unwrap_or_default();
    state.commit(basis, review, &change, now)
}

/// The rules of some notices.
pub(crate) fn rules(notices: &[Notice]) -> BTreeSet<&'static str> {
    notices.iter().map(|it| it.rule).collect()
}

/// The account of the webhook itself.
const OWN: Option<&str> = Some("system:serviceaccount:purlin:purlin");
