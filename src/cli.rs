//! Arguments and exit codes: the only place that knows clap.

use clap::{Parser, Subcommand, ValueEnum};
#[cfg(feature = "webhook")]
use purlin::policy::Mode;
use purlin::policy::Preset;
use std::path::PathBuf;

/// Checks what runs across Kubernetes objects.
#[derive(Debug, Parser)]
#[command(name = "purlin", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check manifests.
    Check(Check),
    /// Print the ClusterRole that `check --cluster` and the webhook need.
    #[cfg(feature = "cluster")]
    Rbac(Rbac),
    /// Draw who may talk to whom.
    Graph(Graph),
    /// Write an architecture document of what is there, for you to decide what of it is meant.
    Init(Init),
    /// Turn an architecture document into one of CALM 1.2, or the other way round.
    ///
    /// What one of them has no words for is said on standard error.
    Architecture(Architecture),
    /// Say who may talk to whom, and which network policies say so.
    ///
    /// Exit status with both --from and --to: 0 allow, 1 deny, 3 undefined; with --change: 0 no flow changes, 1 some do.
    Reach(Reach),
    /// Say what becomes of the pods when nodes are lost or drained, or workloads rolled out; without events, whether all fit.
    ///
    /// Events happen in the order given. Exit status: 0 every scenario holds, 1 some do not, 3 unknown.
    Simulate(Simulate),
    /// Print a rule's page.
    Explain {
        /// The rule.
        rule: String,
    },
    /// Run the validating admission webhook.
    #[cfg(feature = "webhook")]
    Serve(Serve),
    /// Print the manifests of the admission webhook, or put it into a cluster.
    #[cfg(feature = "webhook")]
    Install(Install),
    /// Print the commands that take the webhook out of a cluster, or do it.
    #[cfg(feature = "webhook")]
    Uninstall(Uninstall),
    /// List the rules.
    Rules {
        /// How to print them.
        #[arg(long, value_enum, default_value_t = ListFormat::Human)]
        format: ListFormat,
    },
    /// Print the JSON Schema of what purlin writes, or of a document that it reads.
    Schema {
        /// Of what.
        #[arg(value_enum)]
        of: Schema,
    },
    /// Print the purlin.yaml that says what the configuration of another linter says.
    ///
    /// What has no equal is said on standard error, and in comments.
    Migrate(Migrate),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Options of `migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    /// Which linter, and what it is told.
    #[command(subcommand)]
    pub(crate) tool: MigratedTool,
}

/// A linter whose configuration is read.
#[derive(Debug, Subcommand)]
pub(crate) enum MigratedTool {
    /// A configuration of kube-linter
    KubeLinter {
        /// `.kube-linter.yaml`
        config: PathBuf,
    },
    /// The flags of `kube-score score`, after `--`
    KubeScore {
        /// The flags
        #[arg(last = true)]
        flags: Vec<String>,
    },
    /// A configuration of Polaris
    Polaris {
        /// The file
        config: PathBuf,
    },
}

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Manifests, folders, kustomizations, charts, or `-` for standard input [default: the targets of purlin.yaml, else this folder]
    pub(crate) paths: Vec<PathBuf>,
    /// The namespace of objects that name none [default: default]; with --cluster the namespaces to read [default: all]
    #[arg(short, long, value_name = "NS")]
    pub(crate) namespace: Vec<String>,
    /// Which cluster is read, if one is.
    #[command(flatten)]
    pub(crate) live: Live,
    /// Read manifests only, and pass over the inputs of kustomizations and charts
    #[arg(long)]
    pub(crate) no_render: bool,
    /// Render everything anew
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Let kustomizations fetch what they include
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// The policy file [default: purlin.yaml in this folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The architecture document, which is judged before what it promises is there [default: `architecture` of purlin.yaml]
    #[arg(long, value_name = "FILE")]
    pub(crate) architecture: Option<PathBuf>,
    /// All nodes: pools under `nodes:`, Nodes, or the configuration of a kind cluster [default: the Nodes of a cluster, or
    /// of an input that is complete]
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Option<PathBuf>,
    /// The rules that are on: invariants, recommended, strict, pod-security-baseline, pod-security-restricted [default:
    /// `extends` of purlin.yaml, else recommended]
    #[arg(long, value_parser = Preset::parse, value_name = "PRESET", value_delimiter = ',')]
    pub(crate) preset: Vec<Preset>,
    /// Run only these rules or groups of rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave these rules or groups of rules out
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Load everything, and report what touches these files or folders
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "since")]
    pub(crate) focus: Vec<PathBuf>,
    /// Load everything, and report what changed since this commit, or was caused by what did
    #[arg(long, value_name = "GIT_REF")]
    #[cfg_attr(feature = "cluster", arg(conflicts_with = "cluster"))]
    pub(crate) since: Option<String>,
    /// Hold back the findings in this file [default: `baseline` of purlin.yaml, if it names one]
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write what is found to the baseline, and forget what is not found any more
    #[arg(long, conflicts_with_all = ["focus", "since"])]
    pub(crate) write_baseline: bool,
    /// From which severity on findings fail the check
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    pub(crate) fail_on: FailOn,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Draw every finding, and list every question, also where several have one cause
    #[arg(long)]
    pub(crate) full: bool,
    /// Write the report to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Which cluster is read beside manifests, or without them.
#[derive(Debug, clap::Args)]
pub(crate) struct Live {
    /// Read the objects of a live cluster; manifests are laid over it, as an apply would
    #[cfg(feature = "cluster")]
    #[arg(long)]
    pub(crate) cluster: bool,
    /// The context of the kubeconfig [default: its current one]
    #[cfg(feature = "cluster")]
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub(crate) context: Option<String>,
    /// How many seconds the cluster may take to answer a request
    #[cfg(feature = "cluster")]
    #[arg(long, value_name = "SECONDS", requires = "cluster", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) request_timeout: u64,
}

/// Options of `rbac`.
#[cfg(feature = "cluster")]
#[derive(Debug, clap::Args)]
pub(crate) struct Rbac {
    /// Only for these rules or groups of rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Not for these rules or groups of rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Add the custom kinds of a live cluster
    #[arg(long)]
    pub(crate) cluster: bool,
    /// The context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub(crate) context: Option<String>,
    /// How many seconds the cluster may take to answer a request
    #[arg(long, value_name = "SECONDS", requires = "cluster", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) request_timeout: u64,
}

/// Options of `serve`.
#[cfg(feature = "webhook")]
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where the API server finds the webhook, at `/validate`
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where `/healthz`, `/readyz` and `/metrics` are, without TLS
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub(crate) operations: std::net::SocketAddr,
    /// The certificate, with those between it and its authority; read again when it changes
    #[arg(long, value_name = "FILE", default_value = "/etc/purlin/tls/tls.crt")]
    pub(crate) certificate: PathBuf,
    /// The key of the certificate
    #[arg(long, value_name = "FILE", default_value = "/etc/purlin/tls/tls.key")]
    pub(crate) key: PathBuf,
    /// Make the certificate ourselves, keep it in this Secret, and tell the webhook's configuration of its authority;
    /// of several replicas the one that holds the Lease of the same name does
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with_all = ["certificate", "key"])]
    pub(crate) certificate_secret: Option<String>,
    /// With `--certificate-secret`: the ValidatingWebhookConfiguration whose `caBundle` is kept
    #[arg(long, value_name = "NAME", default_value = "purlin")]
    pub(crate) configuration: String,
    /// With `--certificate-secret`: the names by which the API server calls [default: purlin.NAMESPACE.svc]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) server_name: Vec<String>,
    /// The authorities whose certificates the API server has to show [default: anyone may call]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_ca: Option<PathBuf>,
    /// The policy file; read again when it changes
    #[arg(long, value_name = "FILE", conflicts_with = "policy_config_map")]
    pub(crate) policy: Option<PathBuf>,
    /// The ConfigMap whose key `purlin.yaml` is the policy; read again when it changes
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(crate) policy_config_map: Option<String>,
    /// The ConfigMap in which to keep what was deleted or scaled to nothing a short time ago, which may come back as it
    /// was [default: each replica remembers what it sees itself, until it ends]
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(crate) past_config_map: Option<String>,
    /// What becomes of findings where the policy has no `admission.mode` [default: audit; enforce without a policy]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<AdmissionMode>,
    /// The kubeconfig file [default: $KUBECONFIG, ~/.kube/config, or the service account of the pod]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig file
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// Seconds without news of a kind after which no verdict is given
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) stale_after: u64,
    /// Seconds to go on serving after SIGTERM, until nobody asks any more
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) drain: u64,
    /// Open connections; more wait
    #[arg(long, value_name = "NUMBER", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) max_connections: u32,
    /// Reviews under way; more are turned away
    #[arg(long, value_name = "NUMBER", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) max_reviews: u32,
    /// Threads that judge [default: the processors there are]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,
    /// What to log, as `info` or `purlin=debug,warn`
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
}

/// Options of `graph`.
#[derive(Debug, clap::Args)]
pub(crate) struct Graph {
    /// What is looked at.
    #[command(flatten)]
    pub(crate) world: World,
    /// Draw nodes by zone with the pods on them, instead of who may talk to whom; of a file as `simulate` takes it, else
    /// the Nodes of the input
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(crate) nodes: Option<Option<PathBuf>>,
    /// Draw the architecture document: alone, or with PATHS or --cluster what is there held to it, with missing and
    /// undeclared flows and components marked [default: the one that purlin.yaml names, else architecture.yaml]
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "nodes")]
    pub(crate) architecture: Option<Option<PathBuf>>,
    /// With --nodes: a node or a zone is lost
    #[arg(long, value_name = "node/NAME|zone/NAME", requires = "nodes")]
    pub(crate) fail: Vec<String>,
    /// With --nodes: a node is drained
    #[arg(long, value_name = "node/NAME", requires = "nodes")]
    pub(crate) drain: Vec<String>,
    /// With --nodes: how many pods autoscaled workloads have
    #[arg(long, value_enum, requires = "nodes", default_value_t = SimulateAt::Floor)]
    pub(crate) at: SimulateAt,
    /// How to write the picture
    #[arg(long, value_enum, default_value_t = GraphFormat::Svg)]
    pub(crate) format: GraphFormat,
    /// Write the picture to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How to write a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For browsers.
    Svg,
    /// For Markdown on GitHub and GitLab.
    Mermaid,
    /// For Graphviz.
    Dot,
}

/// Options of `install`.
#[cfg(feature = "webhook")]
#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    /// The context of the kubeconfig file [default: its current one]
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// What becomes of requests that the webhook does not answer
    #[arg(long, value_enum, default_value_t = FailurePolicy::Ignore)]
    pub(crate) failure_policy: FailurePolicy,
    /// What the webhook does with findings
    #[arg(long, value_enum, default_value_t = AdmissionMode::Audit)]
    pub(crate) mode: AdmissionMode,
    /// The image to run, in a registry that the nodes pull from; none is published, so `--apply` has to be told
    #[arg(long)]
    pub(crate) image: Option<String>,
    /// The authority (PEM) that signed the certificate which the API server shows to webhooks: then nobody else is
    /// answered. The API server has to be told to show one (`--admission-control-config-file`); how is printed, and where
    /// it does not, `--apply` takes it back
    #[arg(long, value_name = "FILE")]
    pub(crate) client_ca: Option<PathBuf>,
    /// Put it into the cluster, rather than print it
    #[arg(long)]
    pub(crate) apply: bool,
    /// Seconds to wait for the webhook before the API server is told to ask it
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub(crate) timeout: u64,
}

/// Options of `uninstall`.
#[cfg(feature = "webhook")]
#[derive(Debug, clap::Args)]
pub(crate) struct Uninstall {
    /// The context of the kubeconfig file [default: its current one]
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// Take it out of the cluster, rather than print how
    #[arg(long)]
    pub(crate) apply: bool,
}

/// What becomes of requests that the webhook does not answer.
#[cfg(feature = "webhook")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailurePolicy {
    /// They go through.
    Ignore,
    /// They are refused.
    Fail,
}

/// What the webhook does with findings.
#[cfg(feature = "webhook")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AdmissionMode {
    /// Metrics and reports tell them.
    Audit,
    /// Users are warned.
    Warn,
    /// Contradictions are denied; of absences users are warned.
    Enforce,
}

#[cfg(feature = "webhook")]
impl AdmissionMode {
    /// As a policy has it.
    pub(crate) fn mode(self) -> Mode {
        match self {
            AdmissionMode::Audit => Mode::Audit,
            AdmissionMode::Warn => Mode::Warn,
            AdmissionMode::Enforce => Mode::Enforce,
        }
    }
}

/// The world that `reach`, `simulate` and `graph` look at.
#[derive(Debug, clap::Args)]
pub(crate) struct World {
    /// Manifests, folders, or `-` for standard input [default: the targets of purlin.yaml, else this folder]
    pub(crate) paths: Vec<PathBuf>,
    /// The namespace of objects that name none [default: default]; with --cluster the namespaces to read [default: all]
    #[arg(short, long, value_name = "NS")]
    pub(crate) namespace: Vec<String>,
    /// Which cluster is read, if one is.
    #[command(flatten)]
    pub(crate) live: Live,
    /// The policy file [default: purlin.yaml in this folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// What is looked at.
    #[command(flatten)]
    pub(crate) world: World,
    /// Where to write it; `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "architecture.yaml")]
    pub(crate) output: PathBuf,
    /// What to call the architecture [default: the name of this folder]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Change what differs in a document that is there already, as far as nobody decided it; comments and order stay
    #[arg(long)]
    pub(crate) update: bool,
}

/// Options of `architecture`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("way").required(true).args(["from", "to"])))]
pub(crate) struct Architecture {
    /// The architecture document [default: the one that purlin.yaml names, else architecture.yaml]
    #[arg(conflicts_with = "from")]
    pub(crate) file: Option<PathBuf>,
    /// The CALM document to read
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Where to write the CALM document; `-` for standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// With --from: where to write the architecture document [default: standard output]
    #[arg(short, long, value_name = "FILE", requires = "from")]
    pub(crate) output: Option<PathBuf>,
    /// With --from: what to call the architecture, unless the document says it
    #[arg(long, value_name = "NAME", requires = "from")]
    pub(crate) name: Option<String>,
}

/// Options of `reach`.
#[derive(Debug, clap::Args)]
pub(crate) struct Reach {
    /// What is looked at.
    #[command(flatten)]
    pub(crate) world: World,
    /// Who begins: Kind/namespace/name, a shorter name, internet, nodes, or addresses
    #[arg(long, value_name = "A")]
    pub(crate) from: Option<String>,
    /// Who is called, and perhaps on which port
    #[arg(long, value_name = "B[:PORT][/PROTOCOL]")]
    pub(crate) to: Option<String>,
    /// Network policies that replace those of the same name, or are added: say which flows they open, close or make undefined
    #[arg(long, value_name = "FILE")]
    pub(crate) change: Vec<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub(crate) format: ListFormat,
}

/// Options of `simulate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    /// What is looked at.
    #[command(flatten)]
    pub(crate) world: World,
    /// The nodes: pools under `nodes:`, Nodes, or the configuration of a kind cluster [default: the Nodes of the input]
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Option<PathBuf>,
    /// A node or a zone is lost
    #[arg(long, value_name = "node/NAME|zone/NAME")]
    pub(crate) fail: Vec<String>,
    /// A node is drained, and stays so
    #[arg(long, value_name = "node/NAME")]
    pub(crate) drain: Vec<String>,
    /// Every node is drained in turn, and returns before the next
    #[arg(long)]
    pub(crate) drain_all: bool,
    /// A workload, or every one at once, is rolled out
    #[arg(long, value_name = "KIND/NS/NAME|all")]
    pub(crate) rollout: Vec<String>,
    /// How many pods autoscaled workloads have [default: both]
    #[arg(long, value_enum)]
    pub(crate) at: Option<SimulateAt>,
    /// The fewest nodes of each pool of `--nodes` that hold the peaks, and that hold them after the loss of any one node or zone
    #[arg(long, requires = "nodes", conflicts_with_all = ["fail", "drain", "drain_all", "rollout", "at"])]
    pub(crate) size: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub(crate) format: ListFormat,
}

/// How many pods autoscaled workloads have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SimulateAt {
    /// The fewest.
    Floor,
    /// The most.
    Peak,
}

/// From which severity on findings fail the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Nothing.
    Never,
}

/// How to print a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// A line a finding: `file:line:column: error[rule] message`.
    Concise,
    /// For machines.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// Markdown, for the summary of a job.
    Markdown,
}

/// How to print a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    Human,
    /// For machines.
    Json,
}

/// What purlin writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schema {
    /// What `check --format json` writes.
    Report,
    /// Of `purlin.yaml`.
    Policy,
    /// Of an architecture document.
    Architecture,
    /// What `simulate --format json` writes.
    Simulate,
}
