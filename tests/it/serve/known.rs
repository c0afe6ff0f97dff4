//! A baseline beside the policy: what it knows is counted, and neither denied nor warned of.

use super::cluster::{create, kubeconfig, namespace, send};
use super::program::{Program, Start};
use super::requests::{budget, creation, deployment};
use super::setup::Setup;
use crate::apiserver::ApiServer;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

const POLICY: &str = "apiVersion: purlin.dev/v1alpha1
kind: Policy
baseline: known.txt
complete: ['*']
admission: {mode: enforce, recreate: 0s}
rules:
  pdb-unhealthy-pods-block-drain: off
";

/// Another thing that is wrong with the same objects, and only warned of.
const ABSENCE: &str = "pdb-selects-nothing";

/// Writes the baseline of what a check finds, and reads it.
fn baseline(folder: &Path, kubeconfig: &Path, args: &[&str]) -> String {
    let path = folder.join("known.txt");
    let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(["check", "--write-baseline", "--baseline"])
        .arg(&path)
        .args(args)
        .env("KUBECONFIG", kubeconfig)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(path).unwrap()
}

/// What becomes of an object's creation: whether it is allowed, and the rules that are warned of and audited.
fn answer(program: &Program, object: &Value) -> (bool, Vec<String>, String) {
    let mut review = creation(object);
    review["request"]["dryRun"] = true.into();
    let answer = program.review(&review).json();
    let warnings = answer["response"]["warnings"].as_array().cloned().unwrap_or_default();
    let rule = |it: &Value| it.as_str().unwrap().split(':').next().unwrap().to_string();
    let audited = answer["response"]["auditAnnotations"]["audited"].as_str().unwrap_or_default();
    (
        answer["response"]["allowed"] == true,
        warnings.iter().map(rule).collect(),
        audited.to_string(),
    )
}

#[test]
fn what_a_check_of_files_has_recorded_is_only_counted() {
    let (workload, guard) = (deployment("shop", "api", 2), budget("shop", "api", 2));
    let stray = budget("shop", "stray", 1);
    let setup = Setup::new(vec![workload.clone()]);
    let folder = setup.folder().join("policy");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("purlin.yaml");
    fs::write(&path, POLICY).unwrap();
    for (name, object) in [("workload", &workload), ("guard", &guard), ("stray", &stray)] {
        fs::write(folder.join(format!("{name}.json")), object.to_string()).unwrap();
    }
    let known = baseline(&folder, Path::new(""), &["workload.json", "guard.json", "stray.json"]);
    for rule in ["pdb-blocks-drain", ABSENCE] {
        assert!(known.contains(rule), "{known}");
    }

    let mut program = setup.serve(&["--policy", path.to_str().unwrap()]);
    assert_eq!(answer(&program, &guard), (true, vec![], "pdb-blocks-drain".into()));
    assert_eq!(answer(&program, &stray), (true, vec![], ABSENCE.into()));
    let counted = "purlin_findings_total{rule=\"pdb-blocks-drain\",verdict=\"audit\"}";
    assert_eq!(program.metric(counted), 1.0);
    // Numbers do not make it new; another object does.
    assert!(answer(&program, &budget("shop", "api", 3)).0);
    let mut other = guard.clone();
    other["metadata"]["name"] = "other".into();
    assert!(!answer(&program, &other).0);

    // One that is not valid changes nothing, and neither does one that is gone.
    let file = folder.join("known.txt");
    fs::write(&file, format!("{known}what is this?\n")).unwrap();
    program.wait("a refusal", |it| it.metric("purlin_policy_failures_total") == 1.0);
    let line = known.lines().count() + 1;
    let told = program.wait_for_log(|it| it["level"] == "ERROR");
    assert!(told["why"].as_str().unwrap().contains(&format!("known.txt:{line}: ")), "{told}");
    assert!(answer(&program, &guard).0);
    fs::remove_file(&file).unwrap();
    program.wait("a refusal", |it| it.metric("purlin_policy_failures_total") == 2.0);
    assert!(answer(&program, &guard).0);

    let left: String =
        known.lines().filter(|it| !it.contains(ABSENCE)).map(|it| format!("{it}\n")).collect();
    fs::write(&file, left).unwrap();
    program.wait("a warning", |it| answer(it, &stray) == (true, vec![ABSENCE.into()], "".into()));
    assert!(answer(&program, &guard).0);
}

#[test]
fn a_baseline_in_the_config_map_of_the_policy_is_that_of_a_check_of_the_cluster() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    let guard = budget("shop", "api", 2);
    for object in [&deployment("shop", "api", 2), &guard] {
        create(&api, object).unwrap();
    }
    let kubeconfig = kubeconfig(&api);
    let folder = api.folder().join("baseline");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("purlin.yaml"), POLICY).unwrap();
    let known = baseline(&folder, &api.kubeconfig(), &["--cluster"]);
    assert!(known.contains("pdb-blocks-drain"), "{known}");

    let map = |known: &Value| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "default", "name": "policy"},
            "data": {"purlin.yaml": POLICY, "known.txt": known},
        })
    };
    create(&api, &map(&known.as_str().into())).unwrap();
    let (certificate, key) = api.issue("webhook");
    let mut program = Program::start(&Start {
        log: api.folder().join("serve.log"),
        kubeconfig: &kubeconfig,
        certificate: Some((&certificate, &key)),
        authority: &api.ca(),
        more: &["--policy-config-map=default/policy"],
    });
    program.wait_until_ready();
    // It is made anew, as by a deployment from scratch.
    send(&api, "DELETE", &super::cluster::path(&guard, true), &json!({})).unwrap();
    program.wait("the deletion", |it| answer(it, &guard).2 == "pdb-blocks-drain");
    assert!(answer(&program, &guard).0);

    let path = "/api/v1/namespaces/default/configmaps/policy";
    send(&api, "PATCH", path, &map(&Value::Null)).unwrap();
    program.wait("an event", |_| {
        let events = send(&api, "GET", "/api/v1/namespaces/default/events", &Value::Null).unwrap();
        let about = |it: &Value| {
            let told = it["message"].as_str().unwrap().contains("has no key `known.txt`");
            it["reason"] == "InvalidPolicy" && it["involvedObject"]["name"] == "policy" && told
        };
        events["items"].as_array().unwrap().iter().any(about)
    });
    assert_eq!(program.metric("purlin_policy_failures_total"), 1.0);
    assert!(answer(&program, &guard).0);
    send(&api, "PATCH", path, &map(&"# purlin baseline 1\n".into())).unwrap();
    program.wait("a denial", |it| !answer(it, &guard).0);
}
