//! Namespaces and storage classes as objects.

use super::components::object;
use crate::architecture::objects::Field::{self, List, Map, Stated, Text};
use crate::text::tree::Node;

/// A namespace, with its quota and what its containers are given where that is stated.
pub(super) fn namespace<'d>(name: &str, said: Node<'d>) -> Vec<Field<'d>> {
    let mut objects = vec![object("v1", "Namespace", ("", name), said, Vec::new())];
    if let Some(quota) = said.get("quota").filter(|it| it.is_map()) {
        let spec = Map(vec![("hard".into(), Stated(quota))], quota);
        let fields = vec![("spec".into(), spec)];
        objects.push(object("v1", "ResourceQuota", (name, "quota"), quota, fields));
    }
    if let Some(limits) = said.get("limits").filter(|it| it.is_map()) {
        let mut item = vec![("type".into(), Text("Container".into(), limits))];
        for field in ["default", "defaultRequest", "min", "max"] {
            item.extend(limits.get(field).map(|it| (field.into(), Stated(it))));
        }
        let spec = Map(vec![("limits".into(), List(vec![Map(item, limits)], limits))], limits);
        let fields = vec![("spec".into(), spec)];
        objects.push(object("v1", "LimitRange", (name, "limits"), limits, fields));
    }
    objects
}

/// A storage class. How far its volumes reach follows from who makes them, so where only the former is stated, one is
/// named whose volumes reach as far.
pub(super) fn storage_class<'d>(name: &str, said: Node<'d>) -> Field<'d> {
    let provisioner = match (said.text("provisioner"), said.text("boundTo")) {
        (Some(it), _) => it,
        (None, Some("node")) => "rancher.io/local-path",
        (None, Some("zone")) => "ebs.csi.aws.com",
        (None, Some("cluster")) => "efs.csi.aws.com",
        (None, _) => "stated.purlin.dev",
    };
    let mut fields = vec![("provisioner".into(), Text(provisioner.into(), said))];
    for (field, statement) in [
        ("volumeBindingMode", "binding"),
        ("reclaimPolicy", "reclaim"),
        ("allowVolumeExpansion", "expandable"),
    ] {
        fields.extend(said.get(statement).map(|it| (field.into(), Stated(it))));
    }
    object("storage.k8s.io/v1", "StorageClass", ("", name), said, fields)
}
