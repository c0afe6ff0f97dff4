//! What is done with an input, and counted.

use crate::count;
use crate::input::Input;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{env, io};

/// The word by which the bench calls itself to judge reviews.
pub(crate) const REVIEW: &str = "review-in";

/// What is done with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// `purlin check`, with this format of the report.
    Check(&'static str),
    /// `purlin reach`: the whole table, or the question of the dimension.
    Reach,
    /// The verdict on one admission review: the first workload of the input, or its last object, gets an annotation
    /// while everything else is in the cluster.
    Admission,
}

const ALL: [(&str, Surface); 9] = [
    ("check", Surface::Check("json")),
    ("human", Surface::Check("human")),
    ("concise", Surface::Check("concise")),
    ("sarif", Surface::Check("sarif")),
    ("junit", Surface::Check("junit")),
    ("github", Surface::Check("github")),
    ("markdown", Surface::Check("markdown")),
    ("reach", Surface::Reach),
    ("admission", Surface::Admission),
];

/// Reviews whose difference in work is what is counted: what is read once is in both.
const REVIEWS: [u64; 2] = [1, 5];

impl Surface {
    pub(crate) fn named(name: &str) -> Option<Surface> {
        ALL.iter().find(|it| it.0 == name).map(|it| it.1)
    }

    pub(crate) fn name(self) -> &'static str {
        ALL.iter().find(|it| it.1 == self).map_or("", |it| it.0)
    }

    /// Whether it has a use for an input: `reach` and reviews are about one world, and about plain manifests.
    pub(crate) fn takes(self, input: &Input) -> bool {
        let is_there = |program: &str| {
            let folders = env::var_os("PATH").unwrap_or_default();
            env::split_paths(&folders).any(|it| it.join(program).is_file())
        };
        let is_plain = input.paths == ["."] && input.options.is_empty();
        (matches!(self, Surface::Check(_)) || is_plain) && input.needs.is_none_or(is_there)
    }

    /// The steps that an input takes.
    pub(crate) fn steps(self, program: &Path, input: &Input) -> io::Result<u64> {
        let folder = tempfile::tempdir()?;
        input.write(folder.path())?;
        if let Some(arguments) = &input.before {
            Command::new(program)
                .args(arguments)
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()?;
        }
        let words = |all: &[&[&str]]| -> Vec<String> {
            all.iter().flat_map(|it| it.iter()).map(ToString::to_string).collect()
        };
        match self {
            Surface::Check(format) => {
                let arguments =
                    words(&[&["check"], &input.paths, &input.options, &["--format", format]]);
                count::steps(program, &arguments, folder.path())
            }
            Surface::Reach => {
                let arguments =
                    words(&[&["reach"], &input.paths, &input.question, &["--format", "json"]]);
                count::steps(program, &arguments, folder.path())
            }
            Surface::Admission => {
                let bench = env::current_exe()?;
                let [few, more] = REVIEWS.map(|it| {
                    let arguments = words(&[&[REVIEW, ".", &it.to_string()]]);
                    count::steps(&bench, &arguments, folder.path())
                });
                Ok(more?.saturating_sub(few?) / (REVIEWS[1] - REVIEWS[0]))
            }
        }
    }
}

/// Takes the objects of a folder for those of a cluster and judges a review so many times.
#[cfg(feature = "webhook")]
pub(crate) fn review(folder: &Path, times: u64) -> ExitCode {
    use purlin::api::kind::{KINDS, WORKLOADS};
    use purlin::load::cluster::live;
    use purlin::load::load;
    use purlin::model::Model;
    use purlin::policy::Policy;
    use purlin::rules::built_in;
    use purlin::run::Run;
    use purlin::text::source::SourceId;
    use purlin::webhook::context::Context;
    use purlin::webhook::review::Review;
    use purlin::webhook::rulebook::Rulebook;
    use purlin::webhook::state::State;
    use purlin::webhook::verdict::judge;
    use std::hint::black_box;

    let loaded = load(&[folder.to_path_buf()]);
    let model = Model::new(&loaded, "default");
    let rules = Rulebook::new(built_in());
    let mut state = State::new(&rules);
    for object in model.objects() {
        state.observe(live::document(SourceId(0), &json(object.root), "", ""), 7);
    }
    KINDS.iter().for_each(|it| state.set_complete(it.kind, true));
    let workload = model.objects().find(|it| WORKLOADS.contains(&it.kind));
    let Some(object) = workload.or_else(|| model.objects().last()) else {
        eprintln!("no object in {}", folder.display());
        return ExitCode::FAILURE;
    };
    let body = body(object.group(), object.kind_name, json(object.root));
    let policy = Policy::default();
    let now = "2026-06-01T12:00:00Z".parse().expect("a time");
    let run = Run::default();
    let context = Context { rules: &rules, policy: &policy, run: &run, own_account: None, now };
    let snapshot = state.snapshot();
    for _ in 0..times {
        let review = Review::parse(&body).expect("a review");
        black_box(judge(&snapshot, &review, &context));
    }
    ExitCode::SUCCESS
}

#[cfg(not(feature = "webhook"))]
pub(crate) fn review(_: &Path, _: u64) -> ExitCode {
    eprintln!("built without the webhook");
    ExitCode::FAILURE
}

/// A request that gives an object an annotation.
#[cfg(feature = "webhook")]
fn body(group: &str, kind: &str, old: serde_json::Value) -> Vec<u8> {
    use serde_json::json;
    let mut new = old.clone();
    new["metadata"]["annotations"]["changed"] = "true".into();
    let request = json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": format!("{}s", kind.to_lowercase())},
        "name": old["metadata"]["name"], "namespace": old["metadata"]["namespace"],
        "operation": "UPDATE", "userInfo": {"username": "kubernetes-admin"},
        "object": new, "oldObject": old, "dryRun": false,
    });
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
        .to_string()
        .into_bytes()
}

/// A document as the API server would give it.
#[cfg(feature = "webhook")]
fn json(node: purlin::text::tree::Node<'_>) -> serde_json::Value {
    use purlin::text::tree::{Number, Value};
    match node.value() {
        Value::Null => serde_json::Value::Null,
        Value::Bool(it) => it.into(),
        Value::Number(Number::Int(it)) => it.into(),
        Value::Number(Number::Float(it)) => it.into(),
        Value::Str(it) => it.into(),
        Value::Seq => node.items().map(json).collect(),
        Value::Map => {
            let entries = node.pairs().map(|(key, value)| (key.to_string(), json(value)));
            serde_json::Value::Object(entries.collect())
        }
    }
}
