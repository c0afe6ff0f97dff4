//! The five systems through `kubectl`, on a real API server that asks `purlin serve` with the configuration of `deploy/`.
//!
//! Of each system: as documented in audit mode, everything is taken and told; repaired, everything is taken; and every
//! break of `breaks.yaml` is denied or warned of, as `apply`, `patch`, `scale` and `delete`, and in whichever order the
//! objects come that contradict each other.
//!
//! ```sh
//! KUBEBUILDER_ASSETS=$(tests/apiserver/build.sh) cargo test --locked --test it kubectl -- --nocapture
//! ```

mod audited;
mod breaks;
mod case;
mod expected;
mod orders;
mod program;
mod repaired;
mod scales;
mod shuffled;

use crate::apiserver::{ApiServer, Name};
use crate::cluster::same::compare_system;
use crate::deploy::configuration;
use crate::serve::cluster::{serve, wait_until_asked};
use crate::serve::program::Program;
use crate::systems::{OTHERS, REPAIRED, texts};
use crate::webhook::support::objects;
use case::Case;
use kube::core::GroupVersionKind;
use program::Kubectl;
use purlin::load::load_texts;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

#[test]
fn driveline() {
    run("driveline");
}

#[test]
fn feastflow() {
    run("feastflow");
}

#[test]
fn healthcare_cloud() {
    run("healthcare-cloud");
}

#[test]
fn healthcare_onprem() {
    run("healthcare-onprem");
}

#[test]
fn yt_video_creator() {
    run("yt-video-creator");
}

fn run(system: &str) {
    if !program::is_there() {
        return;
    }
    let Some(mut stand) = Stand::start() else { return };
    let documented = format!("{system}/as-documented");
    for world in OTHERS.iter().filter(|it| it.starts_with(&documented)) {
        audited::everything_is_taken_and_told(&mut stand, world);
    }
    stand.mode("enforce");
    let cases = case::cases(system);
    orders::are_all_the_same(&stand, &cases);
    for world in REPAIRED.iter().filter(|it| it.starts_with(system)) {
        repaired::is_taken(&stand, world);
        let of_world: Vec<&Case> = cases.iter().filter(|it| it.world == *world).collect();
        if !of_world.is_empty() {
            breaks::are_answered(&stand, world, &of_world);
            scales::are_answered(&stand, world);
            // All of it was taken back.
            compare_system(&stand.api, world).unwrap();
        }
        stand.forget(world);
        shuffled::is_taken(&stand, world);
    }
    let overlays = REPAIRED.iter().filter(|it| it.starts_with(system)).copied();
    shuffled::overlays_are_taken(&stand, &overlays.collect::<Vec<_>>());
}

/// An API server, the webhook that it asks, and who asks the API server.
struct Stand {
    kubectl: Kubectl,
    program: Program,
    policy: PathBuf,
    api: ApiServer,
}

impl Stand {
    /// In audit mode; nothing where there is no API server to start.
    fn start() -> Option<Stand> {
        let api = ApiServer::start()?;
        let policy = api.folder().join("purlin.yaml");
        fs::write(&policy, in_mode("audit")).unwrap();
        let program = serve(&api, "serve", &["--policy", policy.to_str().unwrap()]);
        let (_, refused) = api.apply(&configuration(&program, &api));
        assert!(refused.is_empty(), "{refused:?}");
        wait_until_asked(&api, &[&program]);
        Some(Stand { kubectl: Kubectl::new(&api), program, policy, api })
    }

    /// Goes over to another mode.
    fn mode(&mut self, mode: &str) {
        let reloads = "purlin_policy_reloads_total";
        let before = self.program.metric(reloads);
        fs::write(&self.policy, in_mode(mode)).unwrap();
        self.program.wait("the new policy", |it| it.metric(reloads) > before);
    }

    /// Deletes the objects of a world.
    fn forget(&self, world: &str) {
        self.delete(&objects(&load_texts(texts(world))));
    }

    /// Deletes objects, Namespaces last: no controller runs that would.
    fn delete(&self, objects: &[Value]) {
        let (namespaces, others): (Vec<&Value>, Vec<&Value>) =
            objects.iter().partition(|it| it["kind"] == "Namespace");
        self.api.delete(&namespaces.into_iter().chain(others).map(name).collect::<Vec<_>>());
    }
}

fn in_mode(mode: &str) -> String {
    // Nothing is allowed for the sake of what another test has deleted.
    let admission = format!("{{mode: {mode}, recreate: 0s}}");
    format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\nadmission: {admission}\n")
}

fn name(object: &Value) -> Name {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_string();
    let version = text(&object["apiVersion"]);
    let (group, version) = version.rsplit_once('/').unwrap_or(("", &version));
    Name {
        group_version_kind: GroupVersionKind::gvk(group, version, &text(&object["kind"])),
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
    }
}
