//! The architecture document: its mistakes, and what the rules find between its statements.

use crate::documents::{assert_schema_is_what_is_read, told};
use crate::support::{load_texts, with_promises};
use purlin::architecture;
use purlin::check::locate::Locator;
use purlin::check::{Outcome, Selection};
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::report::json;
use purlin::text::source::Source;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;

const HEAD: &str = "apiVersion: purlin.dev/v1alpha1\nkind: Architecture\n";

fn mistakes(text: &str) -> Vec<String> {
    let text: Arc<str> = text.into();
    let mistakes = architecture::read(&text).err().unwrap_or_default();
    let source = Source::new("architecture.yaml".into(), text);
    mistakes.iter().map(|it| format!("{} {}", source.position(it.span.start), told(it))).collect()
}

#[test]
fn the_schema_knows_the_fields_that_are_read_and_no_others() {
    assert_schema_is_what_is_read(&architecture::schema(), "Architecture", 8, &|text| {
        let mistakes = architecture::read(&Arc::from(text)).err().unwrap_or_default();
        mistakes.iter().map(told).collect()
    });
}

#[test]
fn mistakes_have_places_and_help() {
    for (body, expected) in [
        ("componants: {}", &["3:1 unknown field `componants`; did you mean `components`?"][..]),
        ("components: []", &["3:13 `components` is a mapping, and this is a list"]),
        (
            "components: {api: {}}",
            &["3:14 `workload` is missing; name it, as `Deployment/namespace/name`"],
        ),
        ("components: {api: }", &["3:17 a component is a mapping, and this is null"]),
        (
            "components: {api: {workload: Deployment/api}}",
            &["3:30 not a workload: one is written as `Deployment/namespace/name`"],
        ),
        (
            "components: {api: {workload: Deploymnt/shop/api}}",
            &["3:30 unknown kind of workload `Deploymnt`; did you mean `Deployment`?"],
        ),
        (
            "components: {api: {workload: Deployment/Shop/api}}",
            &["3:30 not a workload: one is written as `Deployment/namespace/name`"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, replicas: {min: 3, max: 2}}}",
            &["3:75 `max` is 2, and `min` is 3"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, replicas: many}}",
            &["3:61 `replicas` is a count or bounds (`{min: 2, max: 10}`), and this is a string"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, replicas: -1}}",
            &["3:61 no count of pods: -1"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, replicas: {min: 3}}}",
            &["3:61 `max` is missing"],
        ),
        (
            "components: {api: {workload: DaemonSet/shop/api, replicas: 2}}",
            &["3:50 a DaemonSet has no `replicas`: it runs a pod on each node"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, replicas: 2, scaling: {cpu: 70%}}}",
            &["3:64 `scaling` needs bounds: `replicas: {min: 2, max: 10}`"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, resources: {requests: {cpu: 2 cores}}}}",
            &["3:79 not an amount: `2 cores`; amounts are written as 500m, 2, 512Mi or 8G"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, disruption: {minAvailable: 1, maxUnavailable: 1}}}",
            &["3:81 `minAvailable` and `maxUnavailable` exclude each other; leave one of them out"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, disruption: {minAvailable: 200%}}}",
            &["3:78 no number of pods: `200%`; write a count, or a share up to 100%"],
        ),
        (
            "components: {api: {workload: Deployment/shop/api, replicas: {min: 1, max: 2}, scaling: {cpu: 0.7}}}",
            &["3:94 no share: `0.7`; shares are written as 70%"],
        ),
        (
            "components: {a: {workload: Deployment/shop/api}, b: {workload: Deployment/shop/api}}",
            &["3:64 `Deployment/shop/api` is the workload of the component `a`, too"],
        ),
        (
            "components: {a: {workload: Deployment/shop/a}, a: {workload: Deployment/shop/a}}",
            &["3:48 `a` stands twice in one mapping"],
        ),
        (
            "components: {a: {workload: StatefulSet/shop/a, replicas: 2, rollout: {maxSurge: 1}}}",
            &["3:71 a StatefulSet has no `maxSurge`; leave it out"],
        ),
        (
            "namespaces: {shop: {quota: {pods: lots}}}",
            &["3:35 not an amount: `lots`; amounts are written as 500m, 2, 512Mi or 8G"],
        ),
        (
            "components: {internet: {workload: Deployment/shop/a}, '*': {workload: Deployment/shop/b}}",
            &[
                "3:14 no component can be called `internet`: in flows that is everybody outside of the cluster; call it otherwise",
                "3:55 no component can be called `*`: in flows that is every component; call it otherwise",
            ],
        ),
        (
            "components: {a: {workload: CronJob/shop/a, replicas: 2}, b: {kind: Job, scaling: {cpu: 70%}}}",
            &[
                "3:44 a CronJob has no `replicas`: its pods run to their end; leave it out",
                "3:73 a Job has no `scaling`: its pods run to their end; leave it out",
            ],
        ),
        (
            "components: {a: {workload: 1, replicas: x}, b: {wrkload: Deployment/shop/b}}",
            &[
                "3:28 not a workload: one is written as `Deployment/namespace/name`",
                "3:41 `replicas` is a count or bounds (`{min: 2, max: 10}`), and this is a string",
                "3:45 `workload` is missing; name it, as `Deployment/namespace/name`",
                "3:49 unknown field `wrkload`; did you mean `workload`?",
            ],
        ),
    ] {
        assert_eq!(mistakes(&format!("{HEAD}{body}")), expected, "{body}");
    }
    assert_eq!(
        mistakes("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n"),
        ["2:7 `kind` is `Architecture` in an architecture document"]
    );
}

#[test]
fn a_thousand_mistakes_take_their_time_and_no_more() {
    let mut text = format!("{HEAD}components:\n");
    for at in 0..1000 {
        let _ = writeln!(text, "  c{at}: {{workload: Deployment/shop/c{at}, replicas: no, x: 1}}");
    }
    let found = mistakes(&text);
    assert!(found.len() >= 1000, "{}", found.len());
}

/// What a check of a document says, beside these manifests.
fn judged<T>(
    document: &str,
    manifests: &[(&str, &str)],
    then: impl FnOnce(&Model<'_>, &Outcome) -> T,
) -> T {
    let text = format!("{HEAD}{document}");
    let mut texts = manifests.to_vec();
    texts.push(("architecture.yaml", &text));
    with_promises(load_texts(&texts), &Policy::default(), &Selection::default(), then)
}

/// `rule place: message`, the primary place by its name and line.
fn findings(document: &str) -> Vec<String> {
    judged(document, &[], |model, outcome| {
        let locator = Locator::new(model);
        assert_eq!(outcome.unknown, []);
        let line = |it: &purlin::finding::Finding| {
            let place = &it.labels[0].place;
            let location = locator.locate(place);
            let source = model.loaded.sources.get(location.source);
            let line = source.position(location.span.start).line;
            format!("{} {line} {}: {}", it.rule, locator.name(place), it.message)
        };
        outcome.findings.iter().map(line).collect()
    })
}

/// A document whose workers outgrow its quota, and whose budget lets nobody go.
const VIDEO: &str = "metadata: {name: video}
namespaces:
  production:
    quota:
      requests.cpu: \"20\"
      limits.memory: 80Gi
components:
  api:
    workload: Deployment/production/api
    replicas: {min: 3, max: 10}
    resources: {requests: {cpu: 500m}, limits: {memory: 4Gi}}
    disruption: {minAvailable: 2}
  worker:
    workload: Deployment/production/worker
    replicas: {min: 2, max: 50}
    resources: {requests: {cpu: \"1\"}, limits: {memory: 8Gi}}
    disruption: {minAvailable: 2}
  postgres:
    workload: StatefulSet/production/postgres
    replicas: 1
    resources: {requests: {cpu: \"1\"}, limits: {memory: 8Gi}}
";

#[test]
fn the_sums_are_those_of_the_statements() {
    let found = findings(VIDEO);
    let starts = [
        "quota-below-hpa-max 7 Architecture/video namespaces.production.quota['requests.cpu']: ",
        "pdb-blocks-drain 19 Architecture/video components.worker.disruption.minAvailable: ",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (it, start) in found.iter().zip(starts) {
        assert!(it.starts_with(start), "{it} {start}");
    }
    // 10 × 500m + 50 × 1 + 1, and 10 × 4Gi + 50 × 8Gi + 8Gi.
    assert!(found[0].contains("`requests.cpu` 56 of 20"), "{}", found[0]);
    assert!(found[0].contains("`limits.memory` 448Gi of 80Gi"), "{}", found[0]);
}

/// Quotas, bounds and budgets that hold together.
const SOUND: &str = "metadata: {name: shop}
namespaces:
  shop:
    quota: {requests.cpu: '4', requests.memory: 8Gi}
components:
  api:
    workload: Deployment/shop/api
    replicas: {min: 3, max: 6}
    resources: {requests: {cpu: 500m, memory: 512Mi}}
    scaling: {cpu: 70%}
    disruption: {minAvailable: 2}
    rollout: {maxSurge: 1, maxUnavailable: 0}
  store:
    workload: StatefulSet/shop/store
    replicas: 3
    resources: {requests: {cpu: 100m, memory: 1Gi}}
    disruption: {maxUnavailable: 1}
";

#[test]
fn a_sound_document_is_clean_and_what_it_does_not_say_is_not_missed() {
    assert_eq!(findings(SOUND), [""; 0]);
    assert_eq!(findings("components: {a: {workload: Deployment/shop/a}}\n"), [""; 0]);
    assert_eq!(findings("components: {a: {workload: Deployment/shop/a, replicas: 3}}\n"), [""; 0]);
    let without_count =
        "components: {a: {workload: Deployment/shop/a, disruption: {minAvailable: 1}}}\n";
    assert_eq!(findings(without_count), [""; 0]);
}

#[test]
fn statements_that_contradict_each_other_are_found_at_their_places() {
    let changed = |from: &str, to: &str| {
        assert!(SOUND.contains(from), "{from}");
        findings(&SOUND.replace(from, to))
    };
    let found = changed("max: 6", "max: 12");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with(
            "quota-below-hpa-max 6 Architecture/shop namespaces.shop.quota['requests.cpu']: "
        ),
        "{found:?}"
    );
    let found = changed("minAvailable: 2", "minAvailable: 3");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains(" Architecture/shop components.api.disruption.minAvailable: "),
        "{found:?}"
    );
    let found = changed("maxUnavailable: 1", "maxUnavailable: 0");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with(
            "pdb-blocks-drain 19 Architecture/shop components.store.disruption.maxUnavailable: "
        ),
        "{found:?}"
    );
}

#[test]
fn a_document_beside_manifests_is_judged_apart_from_them() {
    let pod = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n";
    let document = SOUND.replace("max: 6", "max: 12");
    judged(&document, &[("a.yaml", pod)], |model, outcome| {
        assert_eq!(outcome.worlds, ["manifests", "architecture shop"]);
        let report: Value = serde_json::from_str(&json::render(model, outcome)).unwrap();
        let label = &report["findings"][0]["labels"][0];
        assert_eq!(label["object"]["kind"], "Architecture");
        assert_eq!(label["path"], "namespaces.shop.quota['requests.cpu']");
        assert_eq!((&label["file"], &label["line"]), (&"architecture.yaml".into(), &6.into()));
    });
}

/// Sections without anything in them, one workload by two ways to name it, and names that mean nobody.
#[test]
fn odd_documents_have_findings_with_places_and_nothing_else() {
    assert_eq!(findings("components:\nflows:\n"), [""; 0]);
    assert_eq!(
        findings("components:\n  api:\n    workload: Deployment/shop/api\n    ports:\n"),
        [""; 0]
    );
    let twice = "namespaces: {shop: {}}\ncomponents:\n  a: {workload: Deployment/shop/b}\n  b: {kind: Deployment}\n";
    let found = findings(twice);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("invalid-architecture 6 "), "{found:?}");
    assert!(
        found[0].ends_with("`Deployment/shop/b` is the workload of the component `a`, too"),
        "{found:?}"
    );
    let nobody =
        "components:\n  api: {workload: Deployment/shop/api}\nflows:\n  api: [{to: apii}]\n";
    let found = findings(nobody);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("architecture-flow-incomplete 6 "), "{found:?}");
}

/// No placement of them is tried, which would take all memory.
#[test]
fn more_pods_than_any_cluster_holds_are_a_mistake() {
    let of = |count: u32| {
        findings(&format!(
            "cluster: {{nodes: {{worker: {{count: 3, capacity: {{cpu: '1', memory: 1Gi}}}}}}}}\n\
             components:\n  a: {{workload: Deployment/shop/a, replicas: 100000}}\n  \
             b: {{workload: Deployment/shop/b, replicas: {{min: 2, max: {count}}}}}\n"
        ))
    };
    let expected = "invalid-architecture 6 Architecture components.b.replicas: \
                    2147583647 pods are stated, and no cluster holds more than 150000";
    assert_eq!(of(i32::MAX as u32), [expected]);
}

/// A thousand components that call each other are judged in a time that is in proportion to their number.
#[test]
fn a_thousand_components_take_their_time_and_no_more() {
    let mut text = String::from("components:\n");
    for at in 0..1000 {
        let _ = writeln!(
            text,
            "  c{at}: {{workload: Deployment/shop/c{at}, replicas: {{min: 2, max: 3}}, ports: [8080], \
             resources: {{requests: {{cpu: 10m, memory: 16Mi}}}}}}"
        );
    }
    text.push_str("flows:\n");
    for at in 0..1000 {
        let _ = writeln!(text, "  c{at}: [{{to: c{}, ports: [8080]}}]", (at + 1) % 1000);
    }
    text.push_str("  '*': [{to: dns}]\n");
    let since = std::time::Instant::now();
    assert_eq!(findings(&text), [""; 0]);
    assert!(since.elapsed() < std::time::Duration::from_secs(120), "{:?}", since.elapsed());
}

/// Equal nodes are lost once for all of them.
#[test]
fn of_equal_nodes_one_is_lost_for_all() {
    let of = |nodes: &str, keep: u32| {
        findings(&format!(
            "cluster: {{nodes: {nodes}}}\n\
             components: {{api: {{workload: Deployment/shop/api, replicas: 4, spread: {{node: required}}, \
             resources: {{requests: {{cpu: 100m, memory: 16Mi}}}}}}}}\n\
             objectives: [{{fail: any node, keep: {{api: {keep}}}}}]\n"
        ))
    };
    let pool = "{worker: {count: 4, capacity: {cpu: '1', memory: 1Gi}}}";
    let found: Vec<_> =
        of(pool, 4).into_iter().filter(|it| it.starts_with("objective-broken")).collect();
    let expected = "objective-broken 5 Architecture objectives[0].keep.api: without node `worker-1`, \
                    or one of 3 like it, 3 pods of `api` run, and 4 are to be kept";
    assert_eq!(found, [expected]);
    assert!(!of(pool, 3).iter().any(|it| it.starts_with("objective-broken")));
    // The large one is not like the others, and each is told of.
    let large = "{worker: {count: 3, capacity: {cpu: '1', memory: 1Gi}}, large: {capacity: {cpu: '8', memory: 8Gi}}}";
    let found = of(large, 4);
    let broken = found.iter().filter(|it| it.starts_with("objective-broken"));
    assert_eq!(broken.count(), 2, "{found:#?}");
}

/// A drawing of one node says nothing of others; one of two, or two stated ones, do.
#[test]
fn pods_drawn_on_one_node_stand_apart_where_there_is_another() {
    let of = |nodes: &str, drawn: &str| {
        let found = findings(&format!(
            "cluster: {{nodes: {nodes}}}\n\
             components: {{api: {{workload: Deployment/shop/api, replicas: {{min: 2, max: 4}}, \
             spread: {{node: preferred}}}}}}\n\
             picture: {{nodes: {drawn}}}\n"
        ));
        found.iter().filter(|it| it.starts_with("architecture-picture-impossible")).count()
    };
    let pool =
        |count: u32| format!("{{worker: {{count: {count}, capacity: {{cpu: '4', memory: 8Gi}}}}}}");
    assert_eq!(of("{}", "{a: {pods: {api: 2}}}"), 0);
    assert_eq!(of(&pool(1), "{worker: {pods: {api: 2}}}"), 0);
    assert_eq!(of(&pool(2), "{worker-1: {pods: {api: 2}}}"), 1);
    assert_eq!(of("{}", "{a: {pods: {api: 2}}, b: {pods: {}}}"), 1);
    assert_eq!(of("{}", "{a: {pods: {api: 2}}, b: {pods: {api: 2}}}"), 0);
}
