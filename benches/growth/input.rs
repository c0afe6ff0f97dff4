//! What is made for a size: manifests in a folder, what is asked of them, and the documents that they are made of.

use std::fmt::{self, Display};
use std::path::Path;
use std::{fs, io};

/// Files, and how they are asked about.
#[derive(Default)]
pub(crate) struct Input {
    /// By path from the folder.
    pub(crate) files: Vec<(String, String)>,
    /// The paths that are named: the whole folder unless told, the targets of the policy where empty.
    pub(crate) paths: Vec<&'static str>,
    /// More arguments of a check.
    pub(crate) options: Vec<&'static str>,
    /// More arguments of `reach`.
    pub(crate) question: Vec<&'static str>,
    /// A program that purlin needs for it.
    pub(crate) needs: Option<&'static str>,
    /// What is run before and not counted.
    pub(crate) before: Option<Vec<&'static str>>,
}

/// These documents in one file.
pub(crate) fn documents<T: Display>(all: impl IntoIterator<Item = T>) -> Input {
    Input { paths: vec!["."], ..Input::default() }.with("all.yaml", joined(all))
}

/// Documents as one text.
pub(crate) fn joined<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|it| it.to_string()).collect();
    all.join("---\n")
}

/// `count` pieces of text, one after the other.
pub(crate) fn repeated(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

impl Input {
    /// One file more.
    pub(crate) fn with(mut self, path: impl Into<String>, text: impl Into<String>) -> Input {
        self.files.push((path.into(), text.into()));
        self
    }

    /// With this in `purlin.yaml`.
    pub(crate) fn policy(self, body: String) -> Input {
        self.with("purlin.yaml", format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n{body}"))
    }

    /// Writes the files.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        for (path, text) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, text)?;
        }
        Ok(())
    }
}

/// A Deployment, or another workload of the same shape, printed as a document.
pub(crate) struct Workload {
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// `tier: x`, beside `app` with the name.
    pub(crate) labels: String,
    /// `a: b` of the object itself.
    pub(crate) annotations: String,
    pub(crate) replicas: usize,
    pub(crate) image: &'static str,
    /// Fields of the pod, each a line of its own without indentation.
    pub(crate) pod: String,
    /// The containers in place of the one that there is otherwise, indented by eight.
    pub(crate) containers: String,
}

/// A Deployment of two replicas in namespace `a`.
pub(crate) fn workload(name: impl Into<String>) -> Workload {
    Workload {
        kind: "Deployment",
        namespace: "a".into(),
        name: name.into(),
        labels: String::new(),
        annotations: String::new(),
        replicas: 2,
        image: "registry.example/x:1.4.2",
        pod: String::new(),
        containers: String::new(),
    }
}

impl Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Workload {
            kind,
            namespace,
            name,
            labels,
            annotations,
            replicas,
            image,
            pod,
            containers,
        } = self;
        let replicas = match *kind {
            "DaemonSet" => String::new(),
            _ => format!("replicas: {replicas}, "),
        };
        writeln!(f, "apiVersion: apps/v1\nkind: {kind}")?;
        writeln!(
            f,
            "metadata: {{name: {name}, namespace: {namespace}, annotations: {{{annotations}}}}}"
        )?;
        writeln!(f, "spec:")?;
        writeln!(
            f,
            "  {}",
            format!("{replicas}selector: {{matchLabels: {{app: {name}}}}}").replace(", ", "\n  ")
        )?;
        writeln!(f, "  template:\n    metadata: {{labels: {{app: {name}, {labels}}}}}\n    spec:")?;
        if !pod.is_empty() {
            writeln!(f, "      {pod}")?;
        }
        match containers.as_str() {
            "" => write!(
                f,
                "      containers:\n        - name: app\n          image: {image}\n          resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{memory: 64Mi}}}}\n          ports: [{{name: http, containerPort: 8080}}]\n"
            ),
            containers => write!(f, "      containers:\n{containers}"),
        }
    }
}

/// A container with these variables, each `{name: A, value: b}` on a line of its own.
pub(crate) fn container_with_env(image: &str, env: &str) -> String {
    let env = env.lines().map(|it| format!("            - {it}\n")).collect::<String>();
    format!("        - name: c\n          image: {image}\n          env:\n{env}")
}

/// Any other document: its kind, its name, and the rest.
pub(crate) fn object(version: &str, kind: &str, name: impl Display, rest: impl Display) -> String {
    object_in("a", version, kind, name, rest)
}

/// The same in another namespace; in none where that is empty.
pub(crate) fn object_in(
    namespace: &str,
    version: &str,
    kind: &str,
    name: impl Display,
    rest: impl Display,
) -> String {
    let namespace =
        if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
    format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\n{rest}\n")
}

pub(crate) fn namespace(name: impl Display, labels: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n")
}

/// A Service of port 80 that leads to 8080 of the pods with these labels.
pub(crate) fn service(name: impl Display, selector: impl Display) -> String {
    service_in("a", name, selector)
}

pub(crate) fn service_in(namespace: &str, name: impl Display, selector: impl Display) -> String {
    let rest =
        format!("spec: {{selector: {{{selector}}}, ports: [{{port: 80, targetPort: 8080}}]}}");
    object_in(namespace, "v1", "Service", name, rest)
}

pub(crate) fn budget(name: impl Display, selector: impl Display) -> String {
    let rest = format!("spec: {{maxUnavailable: 1, selector: {{matchLabels: {{{selector}}}}}}}");
    object("policy/v1", "PodDisruptionBudget", name, rest)
}

pub(crate) fn autoscaler(name: impl Display, target: impl Display) -> String {
    autoscaler_in("a", name, target)
}

pub(crate) fn autoscaler_in(namespace: &str, name: impl Display, target: impl Display) -> String {
    let rest = format!(
        "spec:\n  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}\n  minReplicas: 2\n  maxReplicas: 5\n  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 70}}}}}}]"
    );
    object_in(namespace, "autoscaling/v2", "HorizontalPodAutoscaler", name, rest)
}

/// A policy for the pods of a selector that lets in what the rules list.
pub(crate) fn ingress_policy(
    namespace: &str,
    name: impl Display,
    selector: impl Display,
    rules: impl Display,
) -> String {
    let rest =
        format!("spec: {{podSelector: {selector}, policyTypes: [Ingress], ingress: [{rules}]}}");
    object_in(namespace, "networking.k8s.io/v1", "NetworkPolicy", name, rest)
}

pub(crate) fn config_map(name: impl Display, data: impl Display) -> String {
    object("v1", "ConfigMap", name, format!("data:\n{data}"))
}

pub(crate) fn quota(name: impl Display, hard: impl Display) -> String {
    object("v1", "ResourceQuota", name, format!("spec: {{hard: {{{hard}}}}}"))
}
