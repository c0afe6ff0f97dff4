//! What is charged to which line of a quota. SEMANTICS, section 5, rows from "ResourceQuota charge" on.

use proptest::prelude::*;
use purlin::analyze::Facts;
use purlin::load::load_texts;
use purlin::model::Model;
use std::sync::Arc;

fn with_facts<T>(text: &str, then: impl FnOnce(&Facts<'_>) -> T) -> T {
    let loaded = load_texts(vec![("world.yaml".into(), Arc::from(text))]);
    let model = Model::new(&loaded, "default");
    then(&Facts::new(&model))
}

/// What is asked of each line of the quota, in the order of the lines.
fn used(spec: &str, objects: &[&str]) -> Vec<String> {
    let quota =
        format!("{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: q}}, spec: {{{spec}}}}}");
    let text = format!("{quota}\n---\n{}", objects.join("\n---\n"));
    with_facts(&text, |facts| {
        let lines = facts.quotas()[0].lines.iter();
        lines.map(|it| it.used().show(it.resource)).collect()
    })
}

fn deployment(name: &str, replicas: u32, pod: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{replicas: {replicas}, selector: {{}}, template: {{spec: {{{pod}}}}}}}}}"
    )
}

const POD: &str = "containers: [{resources: {requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}, limits: {cpu: 2, nvidia.com/gpu: 1, hugepages-2Mi: 4Mi}}}]";

#[test]
fn every_line_counts_what_its_name_says() {
    let two = deployment("a", 2, POD);
    for (row, line, expected) in [
        ("cpu is requests.cpu", "cpu: 9", "2"),
        ("requests.cpu", "requests.cpu: 9", "2"),
        ("memory is requests.memory", "memory: 9", "2Gi"),
        ("limits.cpu", "limits.cpu: 9", "4"),
        ("no limit, no charge", "limits.memory: 9", "0"),
        ("ephemeral storage", "ephemeral-storage: 9", "2Gi"),
        ("requests.ephemeral-storage", "requests.ephemeral-storage: 9", "2Gi"),
        ("extended resources by requests. alone", "requests.nvidia.com/gpu: 9", "2"),
        ("and not by their bare name", "nvidia.com/gpu: 9", "0"),
        ("nor by their limits", "limits.nvidia.com/gpu: 9", "0"),
        ("huge pages by either name", "hugepages-2Mi: 9", "8Mi"),
        ("huge pages by either name", "requests.hugepages-2Mi: 9", "8Mi"),
        ("pods", "pods: 9", "2"),
        ("count/pods", "count/pods: 9", "2"),
        ("count/<resource>.<group>", "count/deployments.apps: 9", "1"),
        ("of another group there are none", "count/deployments.example.com: 9", "0"),
        ("every namespace has a default ServiceAccount", "count/serviceaccounts: 9", "1"),
        ("the quota counts itself", "resourcequotas: 9", "1"),
        ("what nothing counts", "sandwiches: 9", "0"),
    ] {
        assert_eq!(used(&format!("hard: {{{line}}}"), &[&two]), [expected], "{row}");
    }
}

#[test]
fn what_runs_and_how_often() {
    let job = |spec: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: j}}, spec: {{{spec}, template: {{spec: {{{POD}}}}}}}}}"
        )
    };
    let pod = |phase: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{{POD}}}, status: {{phase: {phase}}}}}"
        )
    };
    let cron = format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: c}}, spec: {{jobTemplate: {{spec: {{parallelism: 3, template: {{spec: {{{POD}}}}}}}}}}}}}"
    );
    for (row, object, expected) in [
        ("a Job's parallelism", job("parallelism: 4"), ["4", "4", "4"]),
        ("no more than its completions", job("parallelism: 4, completions: 3"), ["3", "3", "3"]),
        ("suspended, none", job("parallelism: 4, suspend: true"), ["0", "0", "0"]),
        ("a CronJob's parallelism", cron, ["3", "3", "3"]),
        ("a running pod", pod("Running"), ["1", "1", "1"]),
        ("a pod that ended frees all but count/pods", pod("Succeeded"), ["0", "0", "1"]),
        ("a pod that failed, too", pod("Failed"), ["0", "0", "1"]),
        ("switched off", deployment("a", 0, POD), ["0", "0", "0"]),
    ] {
        assert_eq!(used("hard: {cpu: 9, pods: 9, count/pods: 9}", &[&object]), expected, "{row}");
    }
}

#[test]
fn all_scopes_have_to_match() {
    let pods = [
        ("plain", "containers: [{}]"),
        ("deadline", "activeDeadlineSeconds: 5, containers: [{resources: {requests: {cpu: 1}}}]"),
        ("gold", "priorityClassName: gold, containers: [{resources: {limits: {memory: 1}}}]"),
        ("iron", "priorityClassName: iron, containers: [{resources: {requests: {cpu: 0}}}]"),
        (
            "across",
            "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: {namespaces: [x]}}]}}, containers: [{}]",
        ),
        (
            "within",
            "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: x}]}}, containers: [{}]",
        ),
    ];
    let class = |operator: &str| {
        format!("scopeSelector: {{matchExpressions: [{{scopeName: PriorityClass, {operator}}}]}}")
    };
    for (scopes, expected) in [
        ("scopes: [Terminating]".to_string(), vec!["deadline"]),
        ("scopes: [NotTerminating]".into(), vec!["plain", "gold", "iron", "across", "within"]),
        // A request of zero is none.
        ("scopes: [BestEffort]".into(), vec!["plain", "iron", "across", "within"]),
        ("scopes: [NotBestEffort]".into(), vec!["deadline", "gold"]),
        ("scopes: [BestEffort, NotTerminating, PriorityClass]".into(), vec!["iron"]),
        ("scopes: [CrossNamespacePodAffinity]".into(), vec!["across"]),
        (class("operator: In, values: [gold, silver]"), vec!["gold"]),
        (
            class("operator: NotIn, values: [gold]"),
            vec!["plain", "deadline", "iron", "across", "within"],
        ),
        (class("operator: Exists"), vec!["gold", "iron"]),
        (class("operator: DoesNotExist"), vec!["plain", "deadline", "across", "within"]),
        (format!("scopes: [BestEffort], {}", class("operator: Exists")), vec!["iron"]),
        ("scopes: [VolumeAttributesClass]".into(), vec![]),
        ("scopes: [Unheard]".into(), vec![]),
    ] {
        let spec = format!("hard: {{pods: 9}}, {scopes}");
        let charged =
            pods.iter().filter(|(name, pod)| used(&spec, &[&deployment(name, 1, pod)]) == ["1"]);
        assert_eq!(charged.map(|(name, _)| *name).collect::<Vec<_>>(), expected, "{scopes}");
    }
    // Admission writes the global default into pods that name no class.
    let default = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: gold}, globalDefault: true}";
    let gold = format!("hard: {{pods: 9}}, {}", class("operator: In, values: [gold]"));
    assert_eq!(used(&gold, &[&deployment("plain", 1, "containers: [{}]"), default]), ["1"]);
    // What is no pod matches no scope.
    let service =
        "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: LoadBalancer}}";
    assert_eq!(
        used("hard: {services.loadbalancers: 9}, scopes: [NotTerminating]", &[service]),
        ["0"]
    );
}

#[test]
fn claims_count_by_storage_class_and_once() {
    let claim = |name: &str, spec: &str| {
        format!(
            "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: {{resources: {{requests: {{storage: 1Gi}}}}{spec}}}}}"
        )
    };
    let set = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: 3, selector: {}, template: {spec: {containers: [{}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast, resources: {requests: {storage: 10Gi}}}}]}}";
    let spec = "hard: {persistentvolumeclaims: 9, requests.storage: 9, fast.storageclass.storage.k8s.io/requests.storage: 9, fast.storageclass.storage.k8s.io/persistentvolumeclaims: 9}";
    assert_eq!(used(spec, &[set]), ["3", "30Gi", "30Gi", "3"]);
    // In a cluster the claims that it made are there as well.
    assert_eq!(
        used(spec, &[set, &claim("data-db-1", ", storageClassName: fast")]),
        ["3", "30Gi", "30Gi", "3"]
    );
    assert_eq!(used(spec, &[set, &claim("data-db-old", "")]), ["4", "31Gi", "30Gi", "3"]);
    let default = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}}";
    assert_eq!(used(spec, &[&claim("a", ""), default]), ["1", "1Gi", "1Gi", "1"]);
    assert_eq!(
        used(spec, &[&claim("a", ", storageClassName: ''"), default]),
        ["1", "1Gi", "0", "0"]
    );
}

proptest! {
    /// The largest maximum fits, one more does not, and what is said to bind is full.
    #[test]
    fn the_largest_maximum_is_the_largest(
        hard in (1_u64..100, 1_u64..100),
        own in (0_u64..5, 0_u64..5),
        other in (0_u64..5, 0_u64..5),
        count in 0_u32..9,
    ) {
        let pod = |it: (u64, u64)| format!("containers: [{{resources: {{requests: {{cpu: {}, memory: {}}}}}}}]", it.0, it.1);
        let world = |replicas: u64| format!(
            "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: q}}, spec: {{hard: {{cpu: {}, memory: {}}}}}}}\n---\n{}\n---\n{}",
            hard.0, hard.1, deployment("a", replicas as u32, &pod(own)), deployment("b", count, &pod(other)),
        );
        let is_over = |replicas| with_facts(&world(replicas), |facts| {
            facts.quotas()[0].lines.iter().any(|it| it.is_overrun())
        });
        let fit = with_facts(&world(1), |facts| {
            let quota = &facts.quotas()[0];
            quota.fit(facts.workloads().iter().next().unwrap().id).map(|it| it.count)
        });
        match fit {
            None => prop_assert_eq!(own, (0, 0)),
            Some(fit) => {
                prop_assert!(is_over(fit + 1));
                prop_assert!(fit == 0 || !is_over(fit));
            }
        }
    }
}
