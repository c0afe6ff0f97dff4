//! `purlin install --apply` and `purlin uninstall --apply` on a real API server.
//!
//! No controller runs there, so the test says itself that the replicas are available, and nothing answers as the webhook.

use super::requests::{base64, get, send, until};
use crate::apiserver::ApiServer;
use serde_json::json;
use std::process::{Command, Output, Stdio};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/purlin-system/deployments/purlin";
const WEBHOOK: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";

fn purlin(server: &ApiServer, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    command.args(args).env_clear().env("KUBECONFIG", server.kubeconfig());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(String::from).collect()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_waits_for_the_server_and_takes_the_webhook_away_first() {
    let Some(server) = ApiServer::start() else { return };

    // There is no image to run until somebody has built one, and nothing is touched.
    let output = purlin(&server, &["install", "--apply"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let why = errors(&output);
    for part in ["docker build -f deploy/Dockerfile -t ", "docker push ", "--image "] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(lines(&output).is_empty(), "{output:?}");
    assert_eq!(get(&server, "/api/v1/namespaces/purlin-system"), None);

    // Nobody makes the replicas available, and so the API server is not told to ask.
    let image = "--image=registry.example/purlin:1";
    let args = ["install", "--apply", image, "--timeout", "1"];
    let output = purlin(&server, &args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let why = errors(&output);
    assert!(why.contains("0 of 2 replicas are available; the API server was not told"), "{why}");
    assert_eq!(get(&server, WEBHOOK), None);

    let status = json!({ "status": {
        "observedGeneration": get(&server, DEPLOYMENT).unwrap()["metadata"]["generation"],
        "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
    }});
    let running =
        purlin(&server, &["install", "--apply", image, "--mode", "warn"]).spawn().unwrap();
    let path = format!("{DEPLOYMENT}/status");
    send(&server, None, ("PATCH", &path), &status).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    let said = lines(&output);
    let at = |line: &str| {
        said.iter().position(|it| it == line).unwrap_or_else(|| panic!("{line}: {said:?}"))
    };
    let order = [
        "Namespace/purlin-system applied",
        "ClusterRoleBinding/purlin-read applied",
        "Deployment/purlin-system/purlin applied",
        "waiting for Deployment/purlin-system/purlin",
        "ValidatingWebhookConfiguration/purlin applied",
        "to switch it off, whatever state it is in: kubectl delete validatingwebhookconfiguration purlin",
    ];
    assert!(order.map(at).is_sorted(), "{said:?}");
    assert_eq!(get(&server, WEBHOOK).unwrap()["webhooks"][0]["failurePolicy"], "Ignore");
    let map = "/api/v1/namespaces/purlin-system/configmaps/purlin-policy";
    let policy = || get(&server, map).unwrap()["data"]["purlin.yaml"].as_str().unwrap().to_string();
    assert!(policy().contains("mode: warn"), "{}", policy());

    // What others wrote stays: the policy but for its mode, a baseline, and `caBundle`. And `Fail` is taken back when it does not answer.
    let edited = json!({ "data": {
        "purlin.yaml": format!("{}complete: [shop]\n", policy()),
        "known.txt": "# purlin baseline 1\n",
    }});
    send(&server, None, ("PATCH", map), &edited).unwrap();
    let bundle = base64(&std::fs::read(server.ca()).unwrap());
    let authority = json!([
        {"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle},
    ]);
    json_patch(&server, WEBHOOK, &authority);
    let args = ["install", "--apply", image, "--mode", "enforce", "--failure-policy", "fail"];
    let output = purlin(&server, &args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let why = errors(&output);
    assert!(why.contains("so `failurePolicy` is `Ignore` again"), "{why}");
    assert!(policy().contains("mode: enforce"), "{}", policy());
    assert!(policy().ends_with("complete: [shop]\n"), "{}", policy());
    assert_eq!(get(&server, map).unwrap()["data"]["known.txt"], "# purlin baseline 1\n");
    let webhook = &get(&server, WEBHOOK).unwrap()["webhooks"][0];
    assert_eq!(webhook["failurePolicy"], "Ignore");
    assert_eq!(webhook["clientConfig"]["caBundle"], bundle.as_str());

    // Nor does it show a certificate, so the server goes on without asking for one.
    let authority = server.ca();
    let args = ["install", "--apply", image, "--client-ca", authority.to_str().unwrap()];
    let running = purlin(&server, &args).spawn().unwrap();
    let asks = || get(&server, DEPLOYMENT).unwrap().to_string().contains("--client-ca=");
    until("a server that asks for a certificate", || asks().then_some(()));
    let status = json!({ "status": {
        "observedGeneration": get(&server, DEPLOYMENT).unwrap()["metadata"]["generation"],
        "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
    }});
    send(&server, None, ("PATCH", &path), &status).unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let why = errors(&output);
    assert!(why.contains("`--client-ca` is off again"), "{why}");
    assert!(why.contains("--admission-control-config-file="), "{why}");
    assert!(!asks());
    let probe = WEBHOOK.replace("/purlin", "/purlin-try-out");
    assert_eq!(get(&server, &probe), None);

    let output = purlin(&server, &["uninstall", "--apply"]).output().unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    let said = lines(&output);
    assert_eq!(said.first().unwrap(), "ValidatingWebhookConfiguration/purlin deleted");
    assert_eq!(said.last().unwrap(), "Namespace/purlin-system deleted");
    assert_eq!(get(&server, WEBHOOK), None);
    assert_eq!(get(&server, DEPLOYMENT), None);
    until("the namespace is being deleted", || {
        let namespace = get(&server, "/api/v1/namespaces/purlin-system")?;
        namespace["metadata"].get("deletionTimestamp").cloned()
    });
    let output = purlin(&server, &["uninstall", "--apply"]).output().unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    assert_eq!(lines(&output)[0], "ValidatingWebhookConfiguration/purlin is not there");
}

fn json_patch(server: &ApiServer, path: &str, patch: &serde_json::Value) {
    let (runtime, client) = server.client();
    let request = http::Request::patch(path)
        .header("Content-Type", "application/json-patch+json")
        .body(serde_json::to_vec(patch).unwrap())
        .unwrap();
    runtime.block_on(client.request::<serde_json::Value>(request)).unwrap();
}
