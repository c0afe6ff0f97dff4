//! The whole table of who may talk to whom, against loading the manifests that it is made of, and one changed policy against
//! the table: `cargo bench --bench reach`.
//!
//! The table is grouping, which reads every pod, and judging, which costs what there are groups.
//!
//! Ratios within one run are what counts; seconds are the machine's.

#[allow(dead_code, reason = "the other benches use the rest")]
mod measure;

use measure::{made, median};
use purlin::analyze::Facts;
use purlin::analyze::network::reach::Reach;
use purlin::api::kind::Kind;
use purlin::api::network::Network;
use purlin::load::{Loaded, load, load_texts};
use purlin::model::Model;
use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many namespaces, and how many pods each application has; a namespace has ten applications and ten policies.
const SIZES: [(usize, usize); 3] = [(10, 10), (100, 1), (100, 10)];

const ROUNDS: usize = 9;

fn main() -> io::Result<()> {
    println!(
        "{:>6} {:>8} {:>6} {:>6} {:>9} {:>15} {:>9} {:>9} {:>10} {:>15} {:>15}",
        "pods",
        "policies",
        "groups",
        "flows",
        "loading",
        "the table",
        "grouping",
        "judging",
        "µs a group",
        "a new sender",
        "a new group"
    );
    for (namespaces, replicas) in SIZES {
        measure(namespaces, replicas)?;
    }
    Ok(())
}

fn measure(namespaces: usize, replicas: usize) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    for number in 0..namespaces {
        let name = format!("team-{number:03}.yaml");
        fs::write(folder.path().join(name), team(number, namespaces, replicas))?;
    }
    let mut times = [const { Vec::new() }; 5];
    let mut counts = (0, 0);
    // Policies know the web; the scheduler and the search have been alike until now.
    let changes = ["web", "search"].map(queue);
    let changes = changes.each_ref().map(|it| Model::new(it, "default"));
    let after = changes.each_ref().map(Facts::new);
    // Taking turns, so that what else runs on the machine disturbs all alike.
    for _ in 0..ROUNDS {
        let (loaded, took) = made(|| loaded(folder.path()));
        times[0].push(took);
        let model = Model::new(&loaded, "default");
        let ((facts, mut reach), took) = made(|| {
            let facts = Facts::new(&model);
            let reach = Reach::new(&model, &facts, &Network::default());
            (facts, reach)
        });
        times[1].push(took);
        let (flows, took) = made(|| reach.table());
        times[2].push(took);
        counts = (reach.endpoints().count(), flows.len());
        let old = model.find(Kind::NetworkPolicy, "team-000", "queue").map(|it| it.id);
        for (after, times) in after.iter().zip(&mut times[3..]) {
            let (flows, took) = made(|| {
                let touched = reach.replace(&facts, old, after.policies().iter().next())?;
                Some(reach.flows_of(&touched).len())
            });
            assert!(flows.is_some_and(|it| it > 0), "nobody has to be grouped anew");
            times.push(took);
        }
    }
    let [load, group, judge, known, unknown] = times.map(median);
    let (groups, flows) = counts;
    let table = group + judge;
    let part = |it: Duration| format!("{it:.1?} 1/{:.0}", ratio(table, it));
    println!(
        "{:>6} {:>8} {groups:>6} {flows:>6} {:>9} {:>15} {:>9} {:>9} {:>10.1} {:>15} {:>15}",
        namespaces * 10 * replicas,
        namespaces * 10,
        format!("{load:.1?}"),
        format!("{table:.1?} {:.2}×", ratio(table, load)),
        format!("{group:.1?}"),
        format!("{judge:.1?}"),
        judge.as_secs_f64() * 1e6 / groups as f64,
        part(known),
        part(unknown),
    );
    Ok(())
}

/// The policy of a queue that lets one more sender in.
fn queue(sender: &str) -> Loaded {
    let peer =
        |it| format!("        - podSelector:\n            matchLabels:\n              app: {it}\n");
    let text = format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: queue\n  namespace: team-000\nspec:\n  podSelector:\n    matchLabels:\n      app: queue\n  policyTypes: [Ingress, Egress]\n  ingress:\n    - from:\n{}{}      ports:\n        - port: 5672\n",
        peer("worker"),
        peer(sender)
    );
    load_texts(vec![("queue.yaml".into(), Arc::from(text))])
}

/// What the table is made from: the files, read and indexed.
fn loaded(folder: &Path) -> Loaded {
    let loaded = load(&[folder.to_path_buf()]);
    black_box(Model::new(&loaded, "default").objects().count());
    loaded
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

const APPLICATIONS: [(&str, u16); 10] = [
    ("web", 3000),
    ("api", 8080),
    ("worker", 9090),
    ("scheduler", 9091),
    ("mailer", 8025),
    ("search", 9200),
    ("cache", 6379),
    ("queue", 5672),
    ("database", 5432),
    ("reports", 8081),
];

/// A namespace that is closed by default, its applications, and the policies that open what they need.
fn team(number: usize, of: usize, replicas: usize) -> String {
    let namespace = format!("team-{number:03}");
    let mut out = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels:\n    area: area-{}\n",
        number % 7
    );
    for (at, (app, port)) in APPLICATIONS.into_iter().enumerate() {
        for replica in 0..replicas {
            let address = (number * APPLICATIONS.len() + at) * replicas + replica;
            pod(&mut out, &namespace, app, port, replica, address);
        }
    }
    let next = format!("team-{:03}", (number + 1) % of);
    let from = |app: &str, port: u16| {
        format!(
            "  ingress:\n    - from:\n        - podSelector:\n            matchLabels:\n              app: {app}\n      ports:\n        - port: {port}\n"
        )
    };
    let to = |app: &str, port: u16| {
        format!(
            "  egress:\n    - to:\n        - podSelector:\n            matchLabels:\n              app: {app}\n      ports:\n        - port: {port}\n"
        )
    };
    let other = |namespace: &str, app: &str| {
        format!(
            "        - namespaceSelector:\n            matchLabels:\n              kubernetes.io/metadata.name: {namespace}\n          podSelector:\n            matchLabels:\n              app: {app}\n"
        )
    };
    let all = "  policyTypes: [Ingress, Egress]\n";
    let mut policy = |name: &str, app: &str, rules: &str| {
        let selector = if app.is_empty() {
            " {}\n".into()
        } else {
            format!("\n    matchLabels:\n      app: {app}\n")
        };
        let _ = write!(
            out,
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  podSelector:{selector}{rules}"
        );
    };
    policy("default-deny", "", all);
    policy(
        "dns",
        "",
        &format!(
            "  policyTypes: [Egress]\n  egress:\n    - to:\n{}      ports:\n        - port: 53\n          protocol: UDP\n        - port: 53\n",
            other("kube-system", "dns")
        ),
    );
    policy(
        "web",
        "web",
        &format!("{all}  ingress:\n    - ports:\n        - port: main\n{}", to("api", 8080)),
    );
    policy("api", "api", &format!("{all}{}{}", from("web", 8080), to("database", 5432)));
    policy("database", "database", &format!("{all}{}", from("api", 5432)));
    policy(
        "cache",
        "cache",
        &format!(
            "{all}  ingress:\n    - from:\n        - podSelector: {{}}\n      ports:\n        - port: main\n"
        ),
    );
    policy(
        "worker",
        "worker",
        &format!(
            "{all}  egress:\n    - to:\n        - podSelector:\n            matchExpressions:\n              - key: app\n                operator: In\n                values: [cache, queue, database]\n"
        ),
    );
    policy("queue", "queue", &format!("{all}{}", from("worker", 5672)));
    policy(
        "reports",
        "reports",
        &format!(
            "{all}  ingress:\n    - from:\n{}      ports:\n        - port: 8081\n          endPort: 8089\n",
            other(&next, "api")
        ),
    );
    policy(
        "mailer",
        "mailer",
        &format!(
            "{all}  egress:\n    - to:\n        - ipBlock:\n            cidr: 0.0.0.0/0\n            except: [10.0.0.0/8]\n        - ipBlock:\n            cidr: 203.0.113.{}/32\n      ports:\n        - port: 443\n",
            number % 8
        ),
    );
    out
}

fn pod(out: &mut String, namespace: &str, app: &str, port: u16, replica: usize, address: usize) {
    let address = format!("10.{}.{}.{}", address >> 16 & 255, address >> 8 & 255, address & 255);
    let _ = write!(
        out,
        "---
apiVersion: v1
kind: Pod
metadata:
  name: {app}-5d9c7b{replica:04x}
  namespace: {namespace}
  labels:
    app: {app}
    app.kubernetes.io/part-of: {namespace}
    pod-template-hash: 5d9c7b
  annotations:
    kubernetes.io/config.seen: \"2026-01-07T10:11:12.131415161Z\"
spec:
  automountServiceAccountToken: false
  serviceAccountName: {app}
  nodeName: node-{:02}
  securityContext:
    runAsNonRoot: true
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: {app}
      image: registry.example.com/{namespace}/{app}:1.4.2
      ports:
        - name: main
          containerPort: {port}
        - name: metrics
          containerPort: 9464
      env:
        - name: LOG_LEVEL
          value: info
        - name: REGION
          value: eu-west-1
      resources:
        requests:
          cpu: 100m
          memory: 128Mi
        limits:
          memory: 256Mi
      readinessProbe:
        httpGet:
          path: /ready
          port: main
status:
  phase: Running
  hostIP: 192.168.0.{}
  podIP: {address}
  podIPs:
    - ip: {address}
  qosClass: Burstable
",
        replica % 50,
        replica % 50,
    );
}
