//! Selectors against a plain reference, written from the text of the API, and the table of where selectors differ.
//!
//! `k8s.io/apimachinery/pkg/apis/meta/v1/types.go`, LabelSelector: "The result of matchLabels and matchExpressions are
//! ANDed. An empty label selector matches all objects." LabelSelectorRequirement: "If the operator is In or NotIn, the
//! values array must be non-empty. If the operator is Exists or DoesNotExist, the values array must be empty."

use crate::support::{facts_of, model_of};
use proptest::prelude::*;
use purlin::analyze::selection::selector::{PodLabels, Selector, Selects};
use purlin::api::kind::Kind;
use purlin::load::read::yaml;
use purlin::load::read::yaml::Syntax;
use std::collections::BTreeMap;
use std::sync::Arc;

type Labels = BTreeMap<String, String>;

/// A selector as it is written.
#[derive(Clone, Debug)]
struct Written {
    labels: Labels,
    expressions: Vec<(String, &'static str, Vec<String>)>,
}

const OPERATORS: [&str; 5] = ["In", "NotIn", "Exists", "DoesNotExist", "Matches"];

impl Written {
    fn to_json(&self) -> String {
        let expressions = self.expressions.iter().map(|(key, operator, values)| {
            serde_json::json!({"key": key, "operator": operator, "values": values})
        });
        let expressions: Vec<_> = expressions.collect();
        serde_json::json!({"matchLabels": self.labels, "matchExpressions": expressions}).to_string()
    }

    /// Whether the API server takes it.
    fn is_valid(&self) -> bool {
        self.expressions.iter().all(|(_, operator, values)| match *operator {
            "In" | "NotIn" => !values.is_empty(),
            "Exists" | "DoesNotExist" => values.is_empty(),
            _ => false,
        })
    }

    /// The reference.
    fn matches(&self, labels: &Labels) -> bool {
        let by_labels = self.labels.iter().all(|(key, value)| labels.get(key) == Some(value));
        let by_expressions = self.expressions.iter().all(|(key, operator, values)| {
            let value = labels.get(key);
            match *operator {
                "In" => value.is_some_and(|it| values.contains(it)),
                "NotIn" => !value.is_some_and(|it| values.contains(it)),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        });
        self.is_valid() && by_labels && by_expressions
    }
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(String::from)
}

const KEYS: &[&str] = &["app", "tier", "pod-template-hash", "example.org/part"];
const VALUES: &[&str] = &["", "a", "b", "c"];

fn labels() -> impl Strategy<Value = Labels> {
    prop::collection::btree_map(word(KEYS), word(VALUES), 0..4)
}

fn written() -> impl Strategy<Value = Written> {
    let values = prop::collection::vec(word(VALUES), 0..3);
    // Most expressions are valid, some are not.
    let expression = (word(KEYS), prop::sample::select(&OPERATORS[..]), values, 0..8u8);
    let expression = expression.prop_map(|(key, operator, mut values, odd)| {
        if odd > 0 {
            match operator {
                "Exists" | "DoesNotExist" => values.clear(),
                _ if values.is_empty() => values.push("a".into()),
                _ => {}
            }
        }
        let operator = if odd > 0 && operator == "Matches" { "NotIn" } else { operator };
        (key, operator, values)
    });
    let labels = prop::collection::btree_map(word(KEYS), word(VALUES), 0..3);
    (labels, prop::collection::vec(expression, 0..3))
        .prop_map(|(labels, expressions)| Written { labels, expressions })
}

fn with_selector<T>(text: &str, then: impl FnOnce(&Selector<'_>) -> T) -> T {
    let text: Arc<str> = Arc::from(text);
    let parsed = yaml::parse(&text, 0..text.len(), Syntax::Json).unwrap().unwrap();
    then(&Selector::parse(parsed.tree.root()))
}

fn pairs(labels: &Labels) -> Vec<(&str, &str)> {
    labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_selector_matches_what_the_reference_matches(it in written(), labels in labels()) {
        let expected = it.matches(&labels);
        with_selector(&it.to_json(), |selector| {
            prop_assert_eq!(selector.matches(&pairs(&labels)), expected);
            prop_assert_eq!(selector.invalid, !it.is_valid());
            let pods = PodLabels { written: pairs(&labels).into(), ..PodLabels::default() };
            let selects = if expected { Selects::All } else { Selects::None };
            prop_assert_eq!(selector.selects(&pods), selects);
            Ok(())
        })?;
    }

    /// Whatever value the controller gives, "all" and "none" hold.
    #[test]
    fn labels_of_controllers_leave_only_certain_answers(
        it in written(),
        labels in labels(),
        value in word(VALUES),
    ) {
        let mut pod = labels.clone();
        pod.insert("pod-template-hash".into(), value);
        let is_selected = it.matches(&pod);
        with_selector(&it.to_json(), |selector| {
            let pods = PodLabels {
                written: pairs(&labels).into(),
                added: &["pod-template-hash"],
                owner: "api",
                ..PodLabels::default()
            };
            match selector.selects(&pods) {
                Selects::All => prop_assert!(is_selected),
                Selects::None => prop_assert!(!is_selected),
                Selects::Some => prop_assert!(it.to_json().contains("pod-template-hash")),
            }
            Ok(())
        })?;
    }

    /// The index by labels finds what looking at every workload of the namespace finds.
    #[test]
    fn selecting_workloads_is_matching_each(
        it in written(),
        pods in prop::collection::vec((labels(), prop::sample::select(&["a", "b"][..])), 0..8),
    ) {
        let manifests = pods.iter().enumerate().map(|(at, (labels, namespace))| {
            serde_json::json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("pod-{at}"), "namespace": namespace, "labels": labels},
                "spec": {"containers": [{"name": "it"}]},
            })
            .to_string()
        });
        let manifests: Vec<_> = manifests.collect();
        let expected: Vec<_> = pods
            .iter()
            .enumerate()
            .filter(|(_, (labels, namespace))| *namespace == "a" && it.matches(labels))
            .map(|(at, _)| format!("pod-{at}"))
            .collect();
        let found = facts_of(&manifests.join("\n---\n"), |_, facts| {
            with_selector(&it.to_json(), |selector| {
                let found = facts.workloads().select("a", selector);
                found.into_iter().map(|(it, _)| it.name.to_string()).collect::<Vec<_>>()
            })
        });
        prop_assert_eq!(found, expected);
    }
}

/// SEMANTICS, section 6, row "label selector".
#[test]
fn requirements_are_anded_and_absent_keys_are_not_in() {
    let cases = [
        (
            r#"{"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}"#,
            false,
        ),
        (
            r#"{"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}"#,
            true,
        ),
        (r#"{"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}"#, true),
        (r#"{"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}"#, false),
        (r#"{"matchExpressions": [{"key": "a", "operator": "In", "values": ["0", "1"]}]}"#, true),
        (r#"{"matchLabels": null}"#, true),
        ("{}", true),
    ];
    for (text, expected) in cases {
        let found = with_selector(text, |it| it.matches(&[("a", "1")]));
        assert_eq!(found, expected, "{text}");
    }
}

const POD: &str = "apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: api}]}
---
";

/// SEMANTICS, section 6, row "empty selector".
#[test]
fn an_empty_selector_selects_nothing_for_a_service_and_all_for_policies_and_budgets() {
    let objects = "{apiVersion: v1, kind: Service, metadata: {name: it}, spec: {selector: {}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: it}, spec: {podSelector: {}}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: new}, spec: {selector: {}}}
---
{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: old}, spec: {selector: {}}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: none}, spec: {}}
";
    facts_of(&format!("{POD}{objects}"), |model, facts| {
        assert!(facts.services().iter().all(|it| it.selects.is_empty()));
        assert!(facts.policies().iter().all(|it| it.selects.len() == 1));
        let covers = |name: &str| {
            let budget = facts.budgets().iter().find(|it| model.object(it.object).name == name);
            budget.unwrap().covers.len()
        };
        assert_eq!((covers("new"), covers("old"), covers("none")), (1, 0, 0));
    });
}

/// SEMANTICS, section 6, row "what a PDB, Service or NetworkPolicy selects".
#[test]
fn pods_are_selected_by_their_own_labels() {
    let text = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {on: workload}}
spec:
  selector: {matchLabels: {on: selector}}
  template:
    metadata: {labels: {on: pod}}
    spec: {containers: [{name: api}]}
";
    let objects = |on: &str| {
        format!(
            "---
{{apiVersion: v1, kind: Service, metadata: {{name: it}}, spec: {{selector: {{on: {on}}}}}}}
---
{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: it}}, spec: {{podSelector: {{matchLabels: {{on: {on}}}}}}}}}
---
{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: it}}, spec: {{selector: {{matchLabels: {{on: {on}}}}}}}}}
"
        )
    };
    for (on, expected) in [("workload", 0), ("selector", 0), ("pod", 1)] {
        facts_of(&format!("{text}{}", objects(on)), |_, facts| {
            assert!(facts.services().iter().all(|it| it.selects.len() == expected), "{on}");
            assert!(facts.policies().iter().all(|it| it.selects.len() == expected), "{on}");
            assert!(facts.budgets().iter().all(|it| it.covers.len() == expected), "{on}");
        });
    }
}

/// SEMANTICS, section 6, row "namespace absent".
#[test]
fn an_absent_namespace_is_the_default_one() {
    let written = POD.replace("name: api, labels", "name: api, namespace: default, labels");
    let policy = |namespace: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: it{namespace}}}, spec: {{}}}}"
        )
    };
    for pod in [POD, &written] {
        for namespace in ["", ", namespace: default", ", namespace: ''", ", namespace: null"] {
            facts_of(&format!("{pod}{}", policy(namespace)), |_, facts| {
                assert!(facts.policies().iter().all(|it| it.selects.len() == 1), "{namespace}");
            });
        }
        facts_of(&format!("{pod}{}", policy(", namespace: other")), |_, facts| {
            assert!(facts.policies().iter().all(|it| it.selects.is_empty()));
        });
    }
}

/// SEMANTICS, section 6, row "`kubernetes.io/metadata.name`", and section 1, row 40.
#[test]
fn every_namespace_carries_its_name() {
    let text = "{apiVersion: v1, kind: Namespace, metadata: {name: bare}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: lies, labels: {kubernetes.io/metadata.name: bare}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: it, namespace: implied}, spec: {containers: []}}
";
    facts_of(text, |_, facts| {
        let select = |text: &str| with_selector(text, |it| facts.namespaces().select(it));
        let by = |operator: &str, values: &str| {
            let key = "kubernetes.io/metadata.name";
            select(&format!(
                r#"{{"matchExpressions": [{{"key": "{key}", "operator": "{operator}", "values": {values}}}]}}"#
            ))
        };
        assert_eq!(by("In", r#"["bare"]"#), ["bare"]);
        assert_eq!(by("In", r#"["implied", "lies"]"#), ["implied", "lies"]);
        assert_eq!(by("NotIn", r#"["bare"]"#), ["implied", "lies"]);
        assert_eq!(by("DoesNotExist", "[]"), [""; 0]);
        assert_eq!(select("{}"), ["bare", "implied", "lies"]);
    });
}

/// SEMANTICS, section 6, row "kinds served by several groups or versions".
#[test]
fn a_kind_is_its_group_and_name_in_any_version() {
    let deployment = |version: &str| {
        format!(
            "{{apiVersion: {version}, kind: Deployment, metadata: {{name: api}}, spec: {{selector: {{}}, template: {{spec: {{containers: []}}}}}}}}"
        )
    };
    for version in ["apps/v1", "apps/v1beta2", "extensions/v1beta1"] {
        model_of(&deployment(version), |model| {
            assert!(model.find(Kind::Deployment, "default", "api").is_some(), "{version}");
        });
        let scaler = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: api}, spec: {maxReplicas: 7, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}}}";
        facts_of(&format!("{}\n---\n{scaler}", deployment(version)), |_, facts| {
            let workload = facts.workloads().iter().next().unwrap();
            assert_eq!(facts.envelope(workload.id).unwrap().peak.count, 7, "{version}");
        });
    }
    // The same name in another group is another kind.
    model_of(&deployment("example.org/v1"), |model| {
        assert!(model.find(Kind::Deployment, "default", "api").is_none());
    });
}
