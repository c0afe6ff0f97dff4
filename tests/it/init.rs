//! `purlin init` as its users run it: what it writes, and what it does when there is something already.

use crate::cli::{Run, folder, purlin};
use std::fs;
use std::path::Path;

const SHOP: &str = "\
apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: shop}
spec: {hard: {requests.cpu: \"4\"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example/api:1.4.2
          ports: [{containerPort: 8080}]
          resources: {requests: {cpu: 100m, memory: 64Mi}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: registry.example/db:1.4.2, ports: [{containerPort: 5432}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: old, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: old}}
  template:
    metadata: {labels: {app: old}}
    spec: {containers: [{name: old, image: registry.example/old:1.4.2, ports: [{containerPort: 80}]}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec: {minAvailable: 2, selector: {matchLabels: {app: api}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 5432}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}]
";

/// What a person made of the document that `init` wrote of it: another name, another order, comments, and decisions.
const OWN: &str = "\
# Ours.
apiVersion: purlin.dev/v1alpha1
kind: Architecture
metadata: {name: shop}
namespaces:
  shop: {quota: {requests.cpu: \"4\"}, observed: true} # ask Ada before it grows
components:
  # The store comes first.
  store:
    workload: StatefulSet/shop/db
    replicas: 1 # decided
    storage: {}

  api:
    workload: Deployment/shop/api
    observed: true
    # Black Friday.
    replicas: 3
    resources:
      requests:
        cpu: 100m # measured
        memory: 64Mi
    disruption: {minAvailable: 2}
    ports: [8080]
  old:
    # Goes in spring.
    workload: Deployment/shop/old
    observed: true
    replicas: 1
    ports: [80]
flows:
  \"*\": [{to: dns, observed: true}]
  # Nobody else.
  api: [{to: store, ports: [5432], observed: true}]
objectives:
  - {availability: 99.9%, recovery: 30m}
";

fn init(folder: &Path, args: &[&str]) -> Run {
    purlin(folder, &[&["init", "shop.yaml"], args].concat())
}

#[test]
fn what_is_written_is_clean_and_says_the_same_again() {
    let folder = folder(&[("shop.yaml", SHOP)]);
    let run = init(folder.path(), &[]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
    let text = fs::read_to_string(folder.path().join("architecture.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema="), "{text}");
    let policy = fs::read_to_string(folder.path().join("purlin.yaml")).unwrap();
    assert!(policy.ends_with("architecture: architecture.yaml\n"), "{policy}");
    let run = init(folder.path(), &[]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
    let run = init(folder.path(), &["--update"]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
    assert_eq!(fs::read_to_string(folder.path().join("architecture.yaml")).unwrap(), text);
    let groups = ["--only", "architecture,flow-missing,flow-undeclared", "--fail-on", "warning"];
    let run = purlin(folder.path(), &[&["check", "shop.yaml"], &groups[..]].concat());
    assert_eq!(run.status, 0, "{run:?}");
}

#[test]
fn a_person_s_document_says_what_is_there_in_other_words() {
    let folder = folder(&[("shop.yaml", SHOP), ("architecture.yaml", OWN)]);
    let run = init(folder.path(), &[]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
}

#[test]
fn what_nobody_decided_is_changed_and_all_else_stays() {
    let changed = SHOP
        .replace("replicas: 3", "replicas: 5")
        .replace("cpu: 100m", "cpu: 250m")
        .replace("containerPort: 8080}", "containerPort: 8080}, {containerPort: 9090}")
        .replace("requests.cpu: \"4\"", "requests.cpu: \"8\", pods: \"20\"")
        .replace("minAvailable: 2", "maxUnavailable: 1")
        .replace("  replicas: 1\n  serviceName", "  replicas: 2\n  serviceName")
        .replace("name: old", "name: new")
        .replace("app: old", "app: new");
    let folder = folder(&[("shop.yaml", &changed), ("architecture.yaml", OWN)]);
    let run = init(folder.path(), &[]);
    assert_eq!(run.status, 1, "{run:?}");
    let expected = "\
~ namespaces.shop.quota.requests.cpu: 4 -> 8
+ namespaces.shop.quota.pods
~ components.api.replicas: 3 -> 5
~ components.api.resources.requests.cpu: 100m -> 250m
+ components.api.disruption.maxUnavailable
- components.api.disruption.minAvailable
~ components.api.ports: [8080] -> [8080, 9090]
  components.store.replicas: 1, and 2 is there; somebody decided it
+ components.new
- components.old
";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&run.out), sorted(expected), "{run:?}");
    assert_eq!(fs::read_to_string(folder.path().join("architecture.yaml")).unwrap(), OWN);

    let run = init(folder.path(), &["--update"]);
    assert_eq!(run.status, 0, "{run:?}");
    let text = fs::read_to_string(folder.path().join("architecture.yaml")).unwrap();
    let expected = "\
# Ours.
apiVersion: purlin.dev/v1alpha1
kind: Architecture
metadata: {name: shop}
namespaces:
  shop: {quota: {requests.cpu: 8, pods: 20}, observed: true} # ask Ada before it grows
components:
  # The store comes first.
  store:
    workload: StatefulSet/shop/db
    replicas: 1 # decided
    storage: {}

  api:
    workload: Deployment/shop/api
    observed: true
    # Black Friday.
    replicas: 5
    resources:
      requests:
        cpu: 250m # measured
        memory: 64Mi
    disruption: {maxUnavailable: 1}
    ports: [8080, 9090]
    # Goes in spring.
  new:
    workload: Deployment/shop/new
    observed: true
    replicas: 1
    ports: [80]
flows:
  \"*\": [{to: dns, observed: true}]
  # Nobody else.
  api: [{to: store, ports: [5432], observed: true}]
objectives:
  - {availability: 99.9%, recovery: 30m}
";
    assert_eq!(text, expected);
    // Then nothing is left to say.
    let run = init(folder.path(), &[]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.out.lines().count(), 1, "{run:?}");
}

#[test]
fn flows_and_routes_that_come_and_go_are_changed_where_they_stand() {
    let ingress = |host: &str| {
        format!(
            "---
apiVersion: v1
kind: Service
metadata: {{name: api, namespace: shop}}
spec: {{selector: {{app: api}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: api, namespace: shop}}
spec: {{rules: [{{host: {host}, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: api, port: {{number: 80}}}}}}}}]}}}}]}}
"
        )
    };
    let shop = format!("{SHOP}{}", ingress("shop.example"));
    let folder = folder(&[("shop.yaml", &shop), ("architecture.yaml", OWN)]);
    let run = init(folder.path(), &["--update"]);
    assert_eq!((run.status, run.out.as_str()), (0, "+ routes\n"), "{run:?}");
    let text = fs::read_to_string(folder.path().join("architecture.yaml")).unwrap();
    let route =
        "\nroutes:\n  - {host: shop.example, path: /, to: api, port: 8080, observed: true}\n";
    assert_eq!(text, format!("{}{route}", OWN.trim_end()));

    let shop = format!("{SHOP}{}", ingress("www.example"))
        .replace("{app: db}}\n  ingress", "{app: db}}\n  policyTypes: [Ingress]\n  ingress")
        .replace("matchLabels: {app: api}}}], ports", "matchLabels: {app: old}}}], ports")
        .replace(
            "name: api, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: api}}",
            "name: old, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: old}}",
        );
    fs::write(folder.path().join("shop.yaml"), shop).unwrap();
    let run = init(folder.path(), &["--update"]);
    let expected =
        "+ flows.old\n- flows.api[store]\n- routes[shop.example/]\n+ routes[www.example/]\n";
    assert_eq!((run.status, run.out.as_str()), (0, expected), "{run:?}");
    let text = fs::read_to_string(folder.path().join("architecture.yaml")).unwrap();
    let flows = "\n  # Nobody else.\n  old:\n    - {to: store, ports: [5432], observed: true}\n";
    assert!(text.contains(flows), "{text}");
    assert!(text.ends_with(&route.replace("shop.example", "www.example")), "{text}");
    let run = init(folder.path(), &[]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
}

#[test]
fn what_cannot_be_updated_is_said() {
    let folder = folder(&[("shop.yaml", SHOP)]);
    let run = init(folder.path(), &["--update"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("there is no architecture.yaml to update"), "{run:?}");
    fs::write(
        folder.path().join("architecture.yaml"),
        OWN.replace("replicas: 1 #", "replica: 1 #"),
    )
    .unwrap();
    let run = init(folder.path(), &["--update"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("architecture.yaml:11:5: unknown field `replica`"), "{run:?}");
}

/// Whether a check of a source by what `init` has written of it finds nothing of the architecture.
fn is_clean(folder: &Path, source: &[&str]) {
    let run = purlin_with_tools(folder, &[&["init"], source].concat());
    assert_eq!(run.status, 0, "{run:?}");
    let by = ["--only", "architecture,flow-missing,flow-undeclared", "--fail-on", "warning"];
    let run = purlin_with_tools(folder, &[&["check"], source, &by[..]].concat());
    assert_eq!(run.status, 0, "{run:?}");
    let run = purlin_with_tools(folder, &[&["init"], source].concat());
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
}

/// The program, with the search path of the tests.
fn purlin_with_tools(folder: &Path, args: &[&str]) -> Run {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = folder.join("home");
    let mut command = crate::cli::command(folder, args);
    command
        .env("PATH", path)
        .env("HOME", &home)
        .env("XDG_CACHE_HOME", &home)
        .output()
        .unwrap()
        .into()
}

#[test]
fn overlays_are_written_down_one_by_one() {
    if !crate::worlds::has_kustomize() {
        return;
    }
    let overlay = |count: u32| {
        format!("resources: [../../base]\nreplicas: [{{name: api, count: {count}}}]\n")
    };
    let folder = folder(&[
        ("base/kustomization.yaml", "resources: [shop.yaml]\n"),
        ("base/shop.yaml", SHOP),
        ("overlays/staging/kustomization.yaml", &overlay(3)),
        ("overlays/production/kustomization.yaml", &overlay(7)),
    ]);
    let run = purlin_with_tools(folder.path(), &["init"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("overlays/production`, `overlays/staging`"), "{run:?}");
    is_clean(folder.path(), &["overlays/production"]);
    let text = fs::read_to_string(folder.path().join("architecture.yaml")).unwrap();
    assert!(text.contains("replicas: 7"), "{text}");
    // Of the other one it says what differs.
    let run = purlin_with_tools(folder.path(), &["init", "overlays/staging"]);
    assert_eq!(
        (run.status, run.out.as_str()),
        (1, "~ components.api.replicas: 7 -> 3\n"),
        "{run:?}"
    );
}

#[test]
fn a_chart_is_written_down_as_it_is_rendered() {
    if !crate::worlds::has(&["helm"]) {
        return;
    }
    let templates = SHOP.replace("namespace: shop", "namespace: {{ .Release.Namespace }}");
    let folder = folder(&[
        ("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("shop/values.yaml", "replicas: 4\n"),
        (
            "shop/templates/all.yaml",
            &templates.replace("replicas: 3", "replicas: {{ .Values.replicas }}"),
        ),
    ]);
    is_clean(folder.path(), &["shop"]);
    let text = fs::read_to_string(folder.path().join("architecture.yaml")).unwrap();
    assert!(text.contains("replicas: 4"), "{text}");
}

/// A Gateway, and a route to the API over it.
const GATEWAY: &str = "\
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  gatewayClassName: any
  listeners: [{name: https, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: web}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  parentRefs: [{name: web}]
  hostnames: [shop.example]
  rules:
    - matches: [{path: {type: PathPrefix, value: /api}}]
      backendRefs: [{name: api, port: 80}]
";

#[test]
fn routes_of_the_gateway_api_are_routes() {
    let shop = format!("{SHOP}{GATEWAY}");
    let folder = folder(&[("shop.yaml", &shop)]);
    is_clean(folder.path(), &["shop.yaml"]);
    let path = folder.path().join("architecture.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let route = "  - {host: shop.example, path: /api, to: api, port: 8080, observed: true}\n";
    assert!(text.contains(route), "{text}");
    let found = |route: &str, shop: &str| {
        let start = text.find("routes:").unwrap();
        fs::write(&path, format!("{}routes:\n  - {route}\n", &text[..start])).unwrap();
        fs::write(folder.path().join("shop.yaml"), shop).unwrap();
        let args = ["check", "shop.yaml", "--only", "route-differs", "--format", "concise"];
        let run = purlin(folder.path(), &args);
        let lines = run.out.lines().filter(|it| it.contains("[route-differs]"));
        let told = |it: &str| it.split("] ").nth(1).unwrap().replace(" (world: manifests)", "");
        lines.map(told).collect::<Vec<_>>()
    };
    let none: [String; 0] = [];
    assert_eq!(
        found("{host: shop.example, path: /api, to: api, port: 8080, tls: true}", &shop),
        none
    );
    assert_eq!(
        found("{host: shop.example, path: /api, to: db}", &shop),
        ["`shop.example/api` is to lead to `db`, and leads to `Deployment/shop/api`"]
    );
    assert_eq!(
        found("{host: shop.example, path: /api, to: api, port: 9090}", &shop),
        ["`shop.example/api` is to lead to port 9090 of `api`, and leads to 8080"]
    );
    let plain = shop.replace("protocol: HTTPS", "protocol: HTTP");
    assert_eq!(
        found("{host: shop.example, path: /api, to: api, tls: true}", &plain),
        ["`shop.example/api` is to be served over TLS, and `HTTPRoute/shop/api` has none for it"]
    );
    assert_eq!(
        found("{host: other.example, path: /api, to: api}", &shop),
        ["`HTTPRoute/shop/api` serves `shop.example/api`, which is no route of the architecture"],
        "whether something else serves the other one, these files do not tell"
    );
}

#[test]
fn a_document_may_be_for_one_target() {
    let shop = |replicas: u32| SHOP.replace("replicas: 3", &format!("replicas: {replicas}"));
    let document = |replicas: u32| {
        format!(
            "apiVersion: purlin.dev/v1alpha1\nkind: Architecture\nmetadata: {{name: shop}}\n\
             components: {{api: {{workload: Deployment/shop/api, replicas: {replicas}}}}}\n"
        )
    };
    let policy = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ntargets:\n\
        \x20 - {name: small, path: small.yaml, architecture: of-small.yaml}\n\
        \x20 - {name: large, path: large.yaml, architecture: of-large.yaml}\n";
    let folder = folder(&[
        ("small.yaml", &shop(2)),
        ("large.yaml", &shop(9)),
        ("of-small.yaml", &document(2)),
        ("of-large.yaml", &document(9)),
        ("purlin.yaml", policy),
    ]);
    let check = |args: &[&str]| {
        let all = [&["check", "--only", "component-differs", "--format", "concise"], args].concat();
        purlin(folder.path(), &all)
    };
    let run = check(&[]);
    assert_eq!((run.status, run.out.contains("component-differs]")), (0, false), "{run:?}");
    // Each is held to its own.
    fs::write(folder.path().join("of-small.yaml"), document(3)).unwrap();
    let run = check(&[]);
    assert_eq!(run.status, 1, "{run:?}");
    let found: Vec<_> = run.out.lines().filter(|it| it.contains("component-differs]")).collect();
    assert_eq!(found.len(), 1, "{run:?}");
    assert!(
        found[0].contains("small.yaml:") && found[0].contains("3 promised, 2 there"),
        "{run:?}"
    );
    let run = check(&["large"]);
    assert_eq!(run.status, 0, "{run:?}");
    let run = check(&["small"]);
    assert_eq!(run.status, 1, "{run:?}");
    // One that is named for all is held to by all.
    let run = check(&["--architecture", "of-large.yaml"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.out.contains("9 promised, 2 there"), "{run:?}");
    // What both say is a mistake, with both places.
    let flows = "flows: {api: [{to: api}]}\n";
    fs::write(folder.path().join("of-small.yaml"), document(2) + flows).unwrap();
    let own = format!("{policy}flows: [{{from: Deployment/shop/api, to: Deployment/shop/old}}]\n");
    fs::write(folder.path().join("purlin.yaml"), own).unwrap();
    let run = check(&[]);
    assert_eq!(run.status, 2, "{run:?}");
    let both = "`flows` stands in the policy (purlin.yaml:6:1) and in the architecture (of-small.yaml:5:8)";
    assert!(run.err.contains(both), "{run:?}");
}

/// What lies beside what runs for good: a job at times, and callers whose pods are elsewhere.
const BESIDE: &str = "\
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: backup, namespace: shop}
spec:
  schedule: 0 3 * * *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: backup, image: registry.example/backup:1, resources: {requests: {cpu: 50m}}}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, namespace: shop}
spec: {rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-elsewhere, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]
      ports: [{port: 8080}]
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
      ports: [{port: 10250}]
";

#[test]
fn what_is_written_holds_once_it_is_decided() {
    let ports = "ports: [{containerPort: 10250}, {containerPort: 8080}]";
    let shop = format!("{SHOP}{BESIDE}").replace("ports: [{containerPort: 8080}]", ports);
    let folder = folder(&[("shop.yaml", &shop)]);
    is_clean(folder.path(), &["shop.yaml"]);
    let path = folder.path().join("architecture.yaml");
    let text = fs::read_to_string(&path).unwrap();
    for part in [
        "  backup:\n    workload: CronJob/shop/backup\n    observed: true\n    resources: {requests: {cpu: 50m}}\n",
        "    ports: [8080, 10250]\n",
        "  ingress:\n    - {to: api, ports: [8080], observed: true}\n",
        "  monitoring:\n    - {to: api, ports: [10250], observed: true}\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let decided = text.replace("    observed: true\n", "").replace(", observed: true", "");
    assert!(
        !decided.lines().any(|it| it.contains("observed") && !it.starts_with('#')),
        "{decided}"
    );
    fs::write(&path, decided.replace("components:", "complete: true\ncomponents:")).unwrap();
    let args = ["check", "shop.yaml", "--only", "architecture,flow-missing,flow-undeclared"];
    let run = purlin(folder.path(), &[&args[..], &["--format", "concise"]].concat());
    // Nobody may call the old one, which is true.
    let old = "`old` listens on 80/TCP, and no flow lets anybody call it";
    let told: Vec<&str> = run.out.lines().filter(|it| !it.contains(old)).collect();
    assert_eq!((run.status, told.as_slice()), (0, &[""; 0][..]), "{run:?}");
    // Without the job, its component is missing.
    let without = shop.replace("name: backup, namespace: shop", "name: backups, namespace: shop");
    fs::write(folder.path().join("shop.yaml"), without).unwrap();
    let run = purlin(folder.path(), &[&args[..], &["--format", "concise"]].concat());
    assert!(
        run.out.contains("[component-missing] the component `backup` (`CronJob/shop/backup`)"),
        "{run:?}"
    );
    assert!(run.out.contains("[component-undeclared] `CronJob/shop/backups` runs"), "{run:?}");
}
