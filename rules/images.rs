//! What the rules about images have in common.

use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::selection::workloads::Workload;
use crate::api::image::Image;
use crate::rule::Cx;
use crate::text::tree::Node;

/// The images that are named for the pods of a workload, ephemeral containers and volumes included, each as a fault that
/// says nothing yet. Names that another program puts in are left out.
pub(super) fn named<'d>(workload: &Workload<'d>) -> impl Iterator<Item = Fault<'d>> {
    let containers = SecuredPod::new(workload.template).containers();
    let of_containers =
        containers.filter_map(|it| Some(Fault::of(it, it.get("image")?, String::new())));
    let volumes = workload.pod.list("volumes").filter_map(|it| it.at(&["image", "reference"]));
    let of_volumes =
        volumes.map(|node| Fault { container: None, node, missing: "", text: String::new() });
    let is_injected = is_injected(workload);
    of_containers.chain(of_volumes).filter(move |it| {
        let name = it.node.str().unwrap_or_default();
        let is_given = name == "auto" && is_injected;
        !(name.is_empty() || is_filled_in_later(name) || is_given)
    })
}

/// The tags that move, as `image-tag-latest` has them.
pub(super) fn moving_tags<'c>(cx: &Cx<'c, '_>) -> Vec<&'c str> {
    match cx.policy.parameter("image-tag-latest", "tags") {
        Some(tags) => tags.iter().map(String::as_str).collect(),
        None => vec!["latest"],
    }
}

/// Whether the tag of an image moves. Without tag and digest it is `latest`.
pub(super) fn moves(image: &str, moving: &[&str]) -> bool {
    let Image { tag, digest, .. } = Image::of(image);
    digest.is_none() && moving.contains(&tag.unwrap_or("latest"))
}

/// The repository of an image with the registry that it comes from: `nginx` is `docker.io/library/nginx`
/// (`github.com/distribution/reference`, splitDockerDomain).
pub(super) fn repository(image: &str) -> String {
    normal(Image::of(image).repository)
}

/// The same of what stands for a registry, or for a part of one.
pub(super) fn normal(name: &str) -> String {
    let (first, rest) = name.split_once('/').unwrap_or((name, ""));
    let is_registry = first.contains(['.', ':']) || first == "localhost";
    match (is_registry, first, rest) {
        (true, "docker.io" | "index.docker.io", "") => "docker.io".into(),
        (true, "docker.io" | "index.docker.io", rest) if !rest.contains('/') => {
            format!("docker.io/library/{rest}")
        }
        (true, "index.docker.io", rest) => format!("docker.io/{rest}"),
        (true, ..) => name.into(),
        (false, _, "") => format!("docker.io/library/{name}"),
        (false, ..) => format!("docker.io/{name}"),
    }
}

/// Whether Istio's injector fills the pod in: a gateway's container says `image: auto` and gets the proxy's image
/// (istio.io, "Installing Gateways").
pub(super) fn is_injected(workload: &Workload<'_>) -> bool {
    let metadata = workload.template.get("metadata");
    let maps = ["annotations", "labels"].map(|it| metadata.and_then(|metadata| metadata.get(it)));
    let mut marks = maps.into_iter().flatten().flat_map(Node::pairs);
    marks.any(|(key, value)| match key {
        "inject.istio.io/templates" | "istio.io/rev" => true,
        "sidecar.istio.io/inject" => value.scalar().as_deref() == Some("true"),
        _ => false,
    })
}

/// Whether another program puts the name in: `${IMAGE}`, `{{ .Values.image }}`, `$(IMAGE)`, `<image>`.
pub(super) fn is_filled_in_later(image: &str) -> bool {
    image.contains(['$', '{', '<', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_come_from_a_registry() {
        for (image, expected) in [
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1.27", "docker.io/library/nginx"),
            ("team/api@sha256:00", "docker.io/team/api"),
            ("docker.io/nginx:1", "docker.io/library/nginx"),
            ("index.docker.io/team/api", "docker.io/team/api"),
            ("localhost/api", "localhost/api"),
            ("registry:5000/api", "registry:5000/api"),
            ("registry.example:5000/team/api:1@sha256:00", "registry.example:5000/team/api"),
        ] {
            assert_eq!(repository(image), expected, "{image}");
        }
    }
}
