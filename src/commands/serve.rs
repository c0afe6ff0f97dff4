//! `purlin serve`.

use super::fail;
use crate::cli::{AdmissionMode, Serve};
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use purlin::rules::built_in;
use purlin::serve::certificates::Files;
use purlin::serve::past::PastSource;
use purlin::serve::policy_source::PolicySource;
use purlin::serve::self_managed::SelfManaged;
use purlin::serve::{self, CertificateSource, Options, logs};
use std::process::ExitCode;
use std::time::Duration;

/// Serves until a signal ends it.
pub(super) fn run(args: Serve) -> ExitCode {
    if let Err(why) = logs::begin(&args.log) {
        return fail(why);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(args)),
        Err(why) => Err(format!("no threads to run on: {why}")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(why),
    }
}

async fn serve(args: Serve) -> Result<(), String> {
    let config = config(&args).await?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        listen: args.listen,
        operations: args.operations,
        rules: built_in().clone(),
        policy: policy(&args)?,
        past: past(&args)?,
        mode: args.mode.map(AdmissionMode::mode),
        certificate: certificate(&args)?,
        stale_after: Duration::from_secs(args.stale_after),
        most_connections: args.max_connections as usize,
        most_reviews: args.max_reviews as usize,
        threads: args.threads.map_or(processors, |it| it as usize),
        drain: Duration::from_secs(args.drain),
    };
    serve::run(options, config).await
}

fn certificate(args: &Serve) -> Result<CertificateSource, String> {
    let Some(secret) = &args.certificate_secret else {
        return Ok(CertificateSource::Files(Files {
            certificate: args.certificate.clone(),
            key: args.key.clone(),
            client_authorities: args.client_ca.clone(),
        }));
    };
    let (namespace, secret) = namespaced("--certificate-secret", secret)?;
    let names = match args.server_name.as_slice() {
        [] => vec![format!("purlin.{namespace}.svc")],
        names => names.to_vec(),
    };
    Ok(CertificateSource::SelfManaged(SelfManaged {
        namespace,
        secret,
        configuration: args.configuration.clone(),
        names,
        client_authorities: args.client_ca.clone(),
    }))
}

fn policy(args: &Serve) -> Result<PolicySource, String> {
    let Some(map) = &args.policy_config_map else {
        return Ok(args.policy.clone().map_or(PolicySource::None, PolicySource::File));
    };
    let (namespace, name) = namespaced("--policy-config-map", map)?;
    Ok(PolicySource::ConfigMap { namespace, name })
}

fn past(args: &Serve) -> Result<Option<PastSource>, String> {
    let map = args.past_config_map.as_ref();
    let map = map.map(|it| namespaced("--past-config-map", it)).transpose()?;
    Ok(map.map(|(namespace, name)| PastSource { namespace, name }))
}

fn namespaced(option: &str, text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok((namespace.into(), name.into()))
        }
        _ => Err(format!("`{option} {text}`: write it as NAMESPACE/NAME")),
    }
}

async fn config(args: &Serve) -> Result<Config, String> {
    let options =
        KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    let config = match &args.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(|why| why.to_string())?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(|why| why.to_string())
        }
        None if args.context.is_some() => {
            Config::from_kubeconfig(&options).await.map_err(|why| why.to_string())
        }
        None => Config::infer().await.map_err(|why| why.to_string()),
    };
    config.map_err(|why| format!("cannot tell which cluster: {why}"))
}
