//! What a busy or forgetful API server answers, by a stand-in for one: a list that has to start again, and patience.

use super::report;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

/// A status and a body for each request of the list; discovery is answered beside them.
fn serve(answers: Vec<(u16, Value)>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, requests) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(path) = path(&stream) else { continue };
            let (status, body) = match path.as_str() {
                "/api" => (200, discovered("", "v1", "ConfigMap", "configmaps")),
                "/version" => (404, failure(404)),
                "/apis" => (200, discovered("example.com", "v1", "Thing", "things")),
                _ if path.contains("/things?") => (403, failure(403)),
                _ => answers.next().unwrap_or((500, failure(500))),
            };
            asked.send(path).unwrap();
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} It\r\nContent-Type: application/json\r\nConnection: close\r\n\
                 Retry-After: 0\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    (port, requests)
}

/// The path of a request, whose headers are read to their end.
fn path(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    lines.map_while(Result::ok).find(String::is_empty)?;
    first.split(' ').nth(1).map(String::from)
}

fn discovered(group: &str, version: &str, kind: &str, plural: &str) -> Value {
    let resource = json!({
        "resource": plural, "singularResource": plural, "scope": "Namespaced", "verbs": ["list"],
        "responseKind": {"group": group, "version": version, "kind": kind},
    });
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": [{
            "metadata": {"name": group},
            "versions": [{"version": version, "freshness": "Current", "resources": [resource]}],
        }],
    })
}

fn failure(code: u16) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "it is so", "reason": "It", "code": code,
    })
}

fn page(names: &[&str], next: &str) -> Value {
    let items = names.iter().map(|it| json!({"metadata": {"name": it, "namespace": "shop"}}));
    json!({
        "kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"continue": next},
        "items": items.collect::<Vec<_>>(),
    })
}

#[test]
fn a_list_that_the_server_forgot_starts_again() {
    let answers = vec![
        (200, page(&["a", "b"], "first")),
        // The list is older than what the server remembers.
        (410, failure(410)),
        // Too many requests: it is asked again.
        (429, failure(429)),
        (200, page(&["a", "b"], "second")),
        (200, page(&["c"], "")),
    ];
    let (port, requests) = serve(answers);
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n\
         contexts: [{{name: it, context: {{cluster: it, user: it}}}}]\n\
         clusters: [{{name: it, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\nusers: [{{name: it, user: {{}}}}]\n"
    );
    fs::write(&kubeconfig, text).unwrap();
    let report = report(&kubeconfig, &["--only", "unused-config"]);
    assert_eq!(report["summary"]["objects"], 3, "{report}");
    let asked: Vec<String> = requests.try_iter().filter(|it| it.contains("configmaps")).collect();
    let list = "/api/v1/configmaps?limit=500";
    let continued = |token: &str| format!("{list}&continue={token}");
    let first = continued("first");
    let expected = [list, &first, list, list, &continued("second")];
    assert_eq!(asked, expected);

    // The custom kind may not be listed, and a controller of its objects may use what looks unused.
    assert_eq!(report["findings"], json!([]));
    let missing = report["unknown"][0]["missing"].as_str().unwrap();
    assert!(missing.starts_with("what `list` on `example.com/things` would show: "), "{report}");
}
