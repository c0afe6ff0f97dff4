//! A cluster in memory that asks for a verdict on each write, as an API server does, and keeps what is allowed.

use crate::webhook::support::{
    cluster, noon, observe, observe_deletion, request, review, verdict_by,
};
use purlin::policy::Policy;
use purlin::webhook::review::Review;
use purlin::webhook::state::State;
use purlin::webhook::verdict::Verdict;
use serde_json::{Value, json};
use std::time::Instant;

/// What is stored, and what is known of it.
pub(crate) struct Cluster {
    pub(crate) state: State,
    pub(crate) objects: Vec<Value>,
    pub(crate) policy: Policy,
    version: u64,
    /// What is written with, as it calls itself.
    pub(crate) manager: &'static str,
    /// Who writes.
    pub(crate) user: &'static str,
}

impl Cluster {
    pub(crate) fn new() -> Cluster {
        let mut state = cluster(&[]);
        state.set_time(noon());
        Cluster {
            state,
            objects: Vec::new(),
            policy: Policy::default(),
            version: 100,
            manager: "kubectl-create",
            user: "kubernetes-admin",
        }
    }

    /// One that holds these objects already, whatever is wrong with them.
    pub(crate) fn of(objects: &[Value]) -> Cluster {
        let mut cluster = Cluster::new();
        objects.iter().for_each(|it| cluster.force(it));
        cluster
    }

    /// Stores an object without asking.
    pub(crate) fn force(&mut self, object: &Value) {
        let stored = self.defaulted(object);
        self.store(stored);
    }

    /// Creates or changes an object.
    pub(crate) fn apply(&mut self, object: &Value) -> Verdict {
        let new = self.defaulted(object);
        let old = self.objects.iter().find(|it| name(it) == name(&new)).cloned();
        let verdict = self.send(&request(old.as_ref(), Some(&new)));
        if !verdict.is_denied() {
            self.store(new);
        }
        verdict
    }

    /// Asks for a change that is allowed and never comes about.
    pub(crate) fn only_ask(&mut self, object: &Value) {
        let new = self.defaulted(object);
        let old = self.objects.iter().find(|it| name(it) == name(&new)).cloned();
        assert!(!self.send(&request(old.as_ref(), Some(&new))).is_denied());
    }

    /// Deletes an object.
    pub(crate) fn delete(&mut self, object: &Value) -> Verdict {
        let at = self.objects.iter().position(|it| name(it) == name(object)).unwrap();
        let verdict = self.send(&request(Some(&self.objects[at].clone()), None));
        if !verdict.is_denied() {
            let gone = self.objects.remove(at);
            observe_deletion(&mut self.state, &gone);
        }
        verdict
    }

    /// The verdict on a request.
    pub(crate) fn ask(&self, request: &Value) -> Verdict {
        verdict_by(&self.state, &self.review(request), &self.policy)
    }

    /// The same, entered where it is allowed.
    fn send(&mut self, request: &Value) -> Verdict {
        let review = self.review(request);
        let verdict = verdict_by(&self.state, &review, &self.policy);
        if !verdict.is_denied() {
            let basis = self.state.snapshot();
            assert!(self.state.commit(&basis, &review, &verdict.change, Instant::now()));
        }
        verdict
    }

    fn review(&self, request: &Value) -> Review {
        let mut request = request.clone();
        request["request"]["options"] = json!({"fieldManager": self.manager});
        request["request"]["userInfo"]["username"] = self.user.into();
        review(&request)
    }

    fn store(&mut self, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        observe(&mut self.state, &object);
        self.objects.retain(|it| name(it) != name(&object));
        self.objects.push(object);
    }

    /// As the API server stores it, as far as it matters here.
    fn defaulted(&self, object: &Value) -> Value {
        let mut object = object.clone();
        let kind = object["kind"].as_str().unwrap_or_default();
        if matches!(kind, "Deployment" | "StatefulSet") {
            if object["spec"]["replicas"].is_null() {
                object["spec"]["replicas"] = 1.into();
            }
            object["metadata"]["managedFields"] = json!([{"manager": self.manager,
                "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {}}}}]);
        }
        object
    }
}

pub(crate) fn name(object: &Value) -> (&str, &str, &str) {
    let text = |it: &'static str| object["metadata"][it].as_str().unwrap_or_default();
    (object["kind"].as_str().unwrap_or_default(), text("namespace"), text("name"))
}

/// Numbers that look random and are the same in each run (`SplitMix64`).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
