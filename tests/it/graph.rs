//! `purlin graph` as its users run it.

use crate::cli::{DEPLOYMENT, POLICY, folder, purlin};
use crate::support::{fixture, load_paths, policy, root, snapshot};
use ::purlin::analyze::Facts;
use ::purlin::graph::scene::Scene;
use ::purlin::graph::{condense, world};
use ::purlin::model::Model;
use ::purlin::policy::Policy;
use std::fs;
use std::path::Path;

/// The picture in README.md.
#[test]
fn the_picture_of_driveline_is_current() {
    let (status, drawn, said) = run(root(), &["graph", "fixtures/systems/driveline/repaired"]);
    assert_eq!((status, said.as_str()), (0, ""));
    snapshot(&fixture("picture/driveline.svg"), &drawn);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("](fixtures/picture/driveline.svg)"));
}

/// Exit status, standard output, standard error.
fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let it = purlin(folder, args);
    (it.status, it.out, it.err)
}

/// The arrows of a system's picture, in words.
fn arrows(path: &str) -> Vec<String> {
    arrows_of(&[path], &Policy::default())
}

/// The same of several folders, under a policy.
fn arrows_of(paths: &[&str], policy: &Policy) -> Vec<String> {
    let paths: Vec<_> = paths.iter().map(|it| fixture(it)).collect();
    let loaded = load_paths(&paths);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model).with_network(&policy.network);
    let scene: Scene = condense(world::scene(&model, &facts, policy, ""));
    let name = |it: usize| scene.components[it].name.as_str();
    let all = scene.flows.iter();
    let mut arrows: Vec<_> = all
        .map(|it| format!("{} > {}: {} {}", name(it.from), name(it.to), it.ports, it.state.name()))
        .collect();
    arrows.sort();
    arrows
}

/// The document's table of flows, the members of the replica set, DNS, and the way in: no more.
#[test]
fn driveline_has_the_arrows_of_its_document() {
    let mut expected = vec![
        "Internet > ingress-nginx: 80, 443 allowed".to_string(),
        "ingress-nginx > driveline-api: 3001 allowed".into(),
        "ingress-nginx > driveline-webhook: 3003 allowed".into(),
        "every pod > kube-dns: 53/TCP+UDP allowed".into(),
    ];
    let table: [(&str, &[(&str, &str)]); 4] = [
        (
            "driveline-api",
            &[
                ("mongodb", "27017"),
                ("redis", "6379"),
                ("rabbitmq", "5672"),
                ("clickhouse", "8123"),
                ("driveline-grpc", "50051"),
                ("Internet", "80, 443"),
            ],
        ),
        ("driveline-grpc", &[("mongodb", "27017"), ("redis", "6379"), ("Internet", "80, 443")]),
        (
            "driveline-webhook",
            &[("mongodb", "27017"), ("rabbitmq", "5672"), ("Internet", "80, 443")],
        ),
        (
            "driveline-worker",
            &[
                ("mongodb", "27017"),
                ("rabbitmq", "5672"),
                ("driveline-grpc", "50051"),
                ("Internet", "80, 443"),
            ],
        ),
    ];
    for (from, to) in table {
        expected.extend(to.iter().map(|(to, ports)| format!("{from} > {to}: {ports} allowed")));
    }
    expected.sort();
    assert_eq!(arrows("systems/driveline/repaired"), expected);
}

#[test]
fn an_ingress_that_policies_cut_off_is_missing() {
    let arrows = arrows("systems/healthcare-cloud/as-documented.rendered/production");
    assert!(
        arrows.contains(&"ingress controller > healthcare-api: 8080 missing".to_string()),
        "{arrows:?}"
    );
    let repaired = self::arrows("systems/healthcare-cloud/repaired.rendered/production");
    assert!(repaired.iter().all(|it| it.ends_with(" allowed")), "{repaired:?}");
}

/// Against the flows of the policy file: what it does not declare, and what of it policies deny.
#[test]
fn declared_flows_are_compared() {
    let of = |system: &str, world: &str| {
        let paths = [format!("systems/{world}"), format!("systems/{system}/surroundings.yaml")];
        let policy = policy(&fixture(&format!("systems/{system}/purlin.yaml")));
        let all = arrows_of(&paths.each_ref().map(String::as_str), &policy);
        all.into_iter().filter(|it| !it.ends_with(" allowed")).collect::<Vec<_>>()
    };
    let found = of("driveline", "driveline/as-documented");
    let mut expected: Vec<String> = ["api", "grpc", "webhook", "worker"]
        .map(|it| format!("driveline-{it} > kube-dns: 53/TCP+UDP missing"))
        .into();
    expected.insert(0, "Internet > rabbitmq: 15672 undeclared".into());
    assert_eq!(found, expected);
    assert_eq!(of("driveline", "driveline/repaired"), [""; 0]);
    let found = of("healthcare-cloud", "healthcare-cloud/as-documented.rendered/production");
    let expected = [
        "controller > healthcare-api: 8080 missing",
        "healthcare-api > kube-dns: 53/TCP+UDP missing",
        "redis > redis: 6379, 16379 missing",
    ];
    assert_eq!(found, expected);
}

#[test]
fn formats_and_files() {
    let folder = folder(&[("api.yaml", DEPLOYMENT)]);
    for (format, start) in
        [("svg", "<svg "), ("mermaid", "flowchart LR\n"), ("dot", "digraph purlin {\n")]
    {
        let (status, drawn, said) = run(folder.path(), &["graph", "api.yaml", "--format", format]);
        assert_eq!((status, said.as_str()), (0, ""));
        assert!(drawn.starts_with(start), "{drawn}");
        let (status, nothing, _) =
            run(folder.path(), &["graph", "api.yaml", "--format", format, "--output", "picture"]);
        assert_eq!((status, nothing.as_str()), (0, ""));
        assert_eq!(fs::read_to_string(folder.path().join("picture")).unwrap(), drawn);
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let kustomization = "resources: [../../api.yaml]\n";
    let many: String = (0..501)
        .map(|it| {
            format!(
                "---\n{}",
                DEPLOYMENT.replace(
                    "name: api}\nspec:\n  replicas",
                    &format!("name: api-{it}}}\nspec:\n  replicas")
                )
            )
        })
        .collect();
    let folder = folder(&[
        ("empty/readme.txt", ""),
        ("config/a.yaml", config),
        ("policy.yaml", &format!("{POLICY}network: {{plugin: no-such}}\n")),
        ("many/all.yaml", &many),
        ("broken/a.yaml", &format!("{DEPLOYMENT}---\napiVersion: v1\nkind: Service\na: [\n")),
        ("api.yaml", DEPLOYMENT),
        ("overlays/a/kustomization.yaml", kustomization),
    ]);
    for (args, expected) in [
        (vec!["empty"], "nothing to draw: no Kubernetes object"),
        (vec!["config"], "nothing to draw: no workload"),
        (vec!["no-such-file"], "cannot read no-such-file"),
        (vec!["many"], "501 workloads are too many for one picture"),
        (vec!["api.yaml", "--policy", "policy.yaml"], "the policy is not valid"),
        (vec!["api.yaml", "--output", "no/such/folder"], "cannot write no/such/folder"),
    ] {
        let args: Vec<&str> = ["graph"].into_iter().chain(args).collect();
        let (status, drawn, said) = run(folder.path(), &args);
        assert_eq!((status, drawn.as_str()), (2, ""), "{args:?}: {said}");
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    // What could be read is drawn all the same, and the status says that it is not everything.
    let (status, drawn, said) = run(folder.path(), &["graph", "broken"]);
    assert_eq!(status, 2);
    assert!(drawn.starts_with("<svg ") && said.contains("broken/a.yaml"), "{said}");
}

const PROMISED: &str = "apiVersion: purlin.dev/v1alpha1
kind: Architecture
metadata: {name: shop}
complete: true
components:
  api: {workload: Deployment/shop/api, replicas: {min: 2, max: 6}, ports: [8080]}
  db: {workload: StatefulSet/shop/db, replicas: 1, ports: [5432], storage: {data: {size: 1Gi}}}
  bank: {external: true}
flows:
  ingress: [{to: api, ports: [8080]}]
  api: [{to: db, ports: [5432]}, {to: bank}, {to: internet, ports: [443]}]
  '*': [{to: dns}]
routes:
  - {host: shop.example, path: /, to: api, port: 8080}
";

/// The picture of a document alone has what it says, and nothing else.
#[test]
fn a_document_alone_is_drawn_as_it_says() {
    let folder = folder(&[("architecture.yaml", PROMISED)]);
    let (status, drawn, said) =
        run(folder.path(), &["graph", "--format", "mermaid", "--architecture"]);
    assert_eq!((status, said.as_str()), (0, ""));
    for part in [
        "accTitle: who is promised to talk to whom: shop\n",
        "subgraph namespace0[\"shop<br/>denied by default: in, out\"]\n",
        "[\"api<br/>Deployment, 2 to 6 pods\"]",
        "[(\"db<br/>StatefulSet, 1 pod\")]",
        "([\"bank<br/>outside\"])",
        "[[\"ingress<br/>controller\"]]",
        "|\"5432\"|",
        "|\"443\"|",
    ] {
        assert!(drawn.contains(part), "{part}\n{drawn}");
    }
    assert_eq!(drawn.matches("-->").count(), 6, "{drawn}");
    for format in ["svg", "dot"] {
        let (status, drawn, said) = run(
            folder.path(),
            &["graph", "--format", format, "--architecture", "architecture.yaml"],
        );
        assert_eq!((status, said.as_str()), (0, ""));
        assert!(drawn.contains("StatefulSet, 1 pod"), "{drawn}");
    }
    fs::write(folder.path().join("architecture.yaml"), PROMISED.replace("ports", "port")).unwrap();
    let (status, _, said) = run(folder.path(), &["graph", "--architecture"]);
    assert_eq!(status, 2);
    assert!(said.contains("architecture.yaml:6:"), "{said}");
}

/// Held to a document, components that are not there or not mentioned are marked, and so are their flows.
#[test]
fn what_is_there_is_drawn_held_to_a_document() {
    let deployment =
        DEPLOYMENT.replace("metadata: {name: api}", "metadata: {name: api, namespace: shop}");
    let other = deployment.replace("name: api", "name: other").replace("app: api", "app: other");
    let folder = folder(&[
        ("architecture.yaml", PROMISED),
        ("shop/api.yaml", &deployment),
        ("shop/other.yaml", &other),
    ]);
    let args = ["graph", "shop", "--architecture", "architecture.yaml", "--format"];
    let drawn = |format: &str| {
        let (status, drawn, said) = run(folder.path(), &[&args[..], &[format]].concat());
        assert_eq!((status, said.as_str()), (0, ""), "{format}");
        drawn
    };
    let mermaid = drawn("mermaid");
    for part in [
        "[(\"db<br/>promised, not there\")]",
        "[\"other<br/>Deployment, 2 pods#59; not in the architecture",
        "stroke:#c81e3a,stroke-width:3px",
        "stroke:#c2570c,stroke-width:3px",
    ] {
        assert!(mermaid.contains(part), "{part}\n{mermaid}");
    }
    assert!(mermaid.contains("-.->|\"5432"), "{mermaid}");
    let svg = drawn("svg");
    assert!(svg.contains("class=\"box data-store missing\""), "{svg}");
    assert!(svg.contains("class=\"box workload undeclared\""), "{svg}");
    assert!(svg.contains(".box.missing rect"), "{svg}");
    let dot = drawn("dot");
    assert!(dot.contains("shape=cylinder, color=\"#c81e3a\""), "{dot}");
    // What is beside the components of a document that is not complete is no fault.
    let open = PROMISED.replace("complete: true\n", "");
    fs::write(folder.path().join("architecture.yaml"), open).unwrap();
    let svg = drawn("svg");
    assert!(!svg.contains("workload undeclared"), "{svg}");
    assert!(svg.contains("not in the architecture"), "{svg}");
}
