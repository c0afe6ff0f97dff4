//! What pods that run have, while they are resized in place: it counts beside what they state.

use super::effective_resources::{ContainerDemand, Resources};
use crate::text::tree::Node;

/// Raises what containers request to what their kubelet has given them or is about to; where the kubelet can never give
/// what is stated, only that counts (`component-helpers/resource/helpers.go`, determineContainerReqs).
pub(super) fn raise<'d>(containers: &mut [ContainerDemand<'d>], status: Node<'d>) {
    let is_infeasible = status.list("conditions").any(|it| {
        it.text("type") == Some("PodResizePending") && it.text("reason") == Some("Infeasible")
    });
    for container in containers {
        let all = ["containerStatuses", "initContainerStatuses"].into_iter();
        let mut all = all.flat_map(|it| status.list(it));
        let Some(own) = all.find(|it| it.text("name") == Some(container.name)) else { continue };
        let Some(resources) = own.get("resources") else { continue };
        let mut has = Resources::parse(resources.get("requests"), &mut Vec::new());
        has.raise(&Resources::parse(own.get("allocatedResources"), &mut Vec::new()));
        if is_infeasible {
            container.requests = has;
        } else {
            container.requests.raise(&has);
        }
    }
}
