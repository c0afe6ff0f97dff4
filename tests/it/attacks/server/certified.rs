//! With `--client-ca` nobody but an API server that shows its certificate is answered, and one that is told to as
//! `purlin install --client-ca` says it is answered as ever.

use crate::apiserver::ApiServer;
use crate::attacks::objects::{budget, deployment};
use crate::serve::cluster::{assert_denied, configure, create, namespace, serve, wait_until_asked};
use base64::Engine;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes the files that are printed for the API server, and gives the argument that names them.
fn files_as_printed(api: &ApiServer, webhook: &str) -> String {
    let (certificate, key) = api.issue("purlin-webhook-client");
    let printed = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(["install", "--client-ca", api.ca().to_str().unwrap()])
        .output()
        .unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let place = |file: &str| api.folder().join(file);
    let replaced = |text: &str| {
        let path = |it: &Path| it.display().to_string();
        text.replace("/etc/kubernetes/admission/client.crt", &path(&certificate))
            .replace("/etc/kubernetes/admission/client.key", &path(&key))
            .replace("/etc/kubernetes/admission", &path(api.folder()))
            // On a cluster its Service is named, and here its address.
            .replace("purlin.purlin-system.svc", webhook)
    };
    let comments: Vec<_> = printed.lines().filter_map(|it| it.strip_prefix('#')).collect();
    for file in ["configuration.yaml", "kubeconfig.yaml"] {
        let head = format!(" /etc/kubernetes/admission/{file}:");
        let start =
            comments.iter().position(|it| *it == head).unwrap_or_else(|| panic!("{printed}"));
        let lines = comments[start + 1..].iter().map_while(|it| it.strip_prefix("   "));
        let text: String = lines.map(|it| format!("{it}\n")).collect();
        std::fs::write(place(file), replaced(&text)).unwrap();
    }
    let configuration: PathBuf = place("configuration.yaml");
    format!("--admission-control-config-file={}", configuration.display())
}

#[test]
fn an_api_server_that_shows_its_certificate_is_answered_and_no_other() {
    let Some(mut api) = ApiServer::start() else { return };
    let ca = api.ca();
    let program = serve(&api, "serve", &["--client-ca", ca.to_str().unwrap()]);
    namespace(&api, "shop");
    create(&api, &deployment("api", 2)).unwrap();
    let authority = base64::engine::general_purpose::STANDARD.encode(std::fs::read(&ca).unwrap());
    configure(&api, program.reviews.port(), &authority);

    // It shows none, and fails closed.
    let refused = (0..600).find_map(|_| {
        let why = create(&api, &budget("probe", "nobody", 1)).err();
        std::thread::sleep(std::time::Duration::from_millis(100));
        why
    });
    let why = refused.expect("the API server asks the webhook");
    assert!(why.contains("failed calling webhook"), "{why}");
    assert_eq!(program.metric("purlin_review_seconds_count"), 0.0);

    let argument = files_as_printed(&api, &format!("127.0.0.1:{}", program.reviews.port()));
    api.restart_with(&[argument]);
    wait_until_asked(&api, &[&program]);
    assert_denied(create(&api, &budget("api", "api", 3)), &["3 is more than there are"]);
    create(&api, &budget("api", "api", 1)).unwrap();
}
