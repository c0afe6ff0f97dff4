//! Whom to ask: kubeconfig, context, or the service account of the pod that this runs in; and what went wrong.

use crate::api::version::KubernetesVersion;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::error::Error;
use std::io;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Which cluster to read, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The context of the kubeconfig; `None` for its current one.
    pub context: Option<String>,
    /// Only these namespaces; all of them where there are none.
    pub namespaces: Vec<String>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// A client, and the address that it talks to.
///
/// # Errors
///
/// When there is no cluster to talk to, or the kubeconfig does not tell how.
pub async fn client(options: &Options) -> Result<(Client, String), String> {
    let mut config = config(options).await?;
    config.connect_timeout = Some(options.timeout);
    config.read_timeout = Some(options.timeout);
    let url = config.cluster_url.to_string();
    let url = url.trim_end_matches('/').to_string();
    let client = Client::try_from(config)
        .map_err(|error| format!("cannot talk to the cluster at {url}: {}", explain(&error)))?;
    Ok((client, url))
}

/// The version of the API server; `None` where it does not say, and all that follows from it is left open.
pub async fn version(client: &Client) -> Option<KubernetesVersion> {
    let info = client.apiserver_version().await.ok()?;
    KubernetesVersion::parse(&format!("{}.{}", info.major, info.minor))
}

/// The namespace that the context names, or `default`: that of manifests which name none.
///
/// # Errors
///
/// When there is no cluster to ask for.
pub fn namespace_of(options: &Options) -> Result<String, String> {
    runtime()?.block_on(async { Ok(config(options).await?.default_namespace) })
}

/// What requests run on: one thread, and others for what takes time of its own.
pub(super) fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start the client: {error}"))
}

async fn config(options: &Options) -> Result<Config, String> {
    let kubeconfig = match Kubeconfig::read() {
        Ok(it) => it,
        Err(KubeconfigError::FindPath) => return in_cluster(options, None),
        Err(KubeconfigError::ReadConfig(error, path)) => {
            let path = path.display().to_string();
            if error.kind() == io::ErrorKind::NotFound && std::env::var_os("KUBECONFIG").is_none() {
                return in_cluster(options, Some(path));
            }
            return Err(format!("cannot read the kubeconfig {path}: {}", sentence(&error)));
        }
        Err(error) => return Err(format!("the kubeconfig is not valid: {}", innermost(&error))),
    };
    if let Some(context) = &options.context {
        let names: Vec<_> = kubeconfig.contexts.iter().map(|it| it.name.as_str()).collect();
        if !names.contains(&context.as_str()) {
            let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
            let known = if names.is_empty() { "no context".into() } else { names.join(", ") };
            return Err(format!("no context `{context}` in the kubeconfig; it has {known}"));
        }
    } else if kubeconfig.current_context.as_ref().is_none_or(String::is_empty) {
        return Err("the kubeconfig has no current context; name one with `--context`".into());
    }
    let chosen =
        KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(kubeconfig, &chosen)
        .await
        .map_err(|error| format!("the kubeconfig is not valid: {}", innermost(&error)))
}

fn in_cluster(options: &Options, looked_at: Option<String>) -> Result<Config, String> {
    let looked_at = looked_at.unwrap_or_else(|| "~/.kube/config".into());
    if let Some(context) = &options.context {
        return Err(format!("no context `{context}`: there is no kubeconfig at {looked_at}"));
    }
    Config::incluster().map_err(|_| {
        format!("no kubeconfig: KUBECONFIG is not set, there is none at {looked_at}, and this is no pod of a cluster")
    })
}

/// What a request gave, if it gave anything in time.
pub(super) async fn within<T>(
    timeout: Duration,
    request: impl Future<Output = T>,
) -> Result<T, String> {
    // The client's own limit is the same, and names what it waited for; this one also bounds its retries.
    tokio::time::timeout(2 * timeout, request).await.map_err(|_| no_answer())
}

fn no_answer() -> String {
    "no answer in time; `--request-timeout` waits longer".into()
}

/// What went wrong with a request, in a few words.
pub fn explain(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return match status.code {
            401 => "the login of the kubeconfig is not accepted (401 Unauthorized)".into(),
            code => format!("{} ({code})", status.message.trim_end_matches('.')),
        };
    }
    let innermost = innermost(error);
    let mut source: Option<&dyn Error> = Some(error);
    while let Some(it) = source {
        let kind = it.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::TimedOut) {
            return no_answer();
        }
        source = it.source();
    }
    if innermost.contains("certificate") {
        return format!("its certificate is not trusted: {innermost}");
    }
    innermost
}

/// The error at the root of others, without the number that the operating system gives it.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    sentence(innermost)
}

/// An error in lower case and without a number.
fn sentence(error: &dyn Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
