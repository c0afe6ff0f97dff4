//! What one pod asks for, and how quantities are read. SEMANTICS, section 2, row by row.

use proptest::prelude::*;
use purlin::analyze::Facts;
use purlin::analyze::capacity::effective_resources::Resources;
use purlin::api::quantity::Quantity;
use purlin::api::version::KubernetesVersion;
use purlin::load::load_texts;
use purlin::model::Model;
use std::sync::Arc;

/// Requests and limits of the first workload, as `cpu 2, memory 1Gi`.
fn demand(text: &str) -> (String, String) {
    demand_in(KubernetesVersion::NEWEST, text)
}

/// The same in a version of Kubernetes.
fn demand_in(version: KubernetesVersion, text: &str) -> (String, String) {
    let loaded = load_texts(vec![("world.yaml".into(), Arc::from(text))]);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model).with_version(version);
    let workload = facts.workloads().iter().next().unwrap();
    let demand = facts.demand(workload);
    let show = |it: &Resources<'_>| {
        let amounts = it.iter().map(|(name, amount)| format!("{name} {}", amount.show(name)));
        amounts.collect::<Vec<_>>().join(", ")
    };
    (show(&demand.requests), show(&demand.limits))
}

/// A Deployment whose pod has this specification, beside these objects.
fn world(pod: &str, others: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, spec: {{selector: {{matchLabels: {{app: a}}}}, template: {{spec: {{{pod}}}}}}}}}\n---\n{others}"
    )
}

fn range(item: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: LimitRange, metadata: {{name: r}}, spec: {{limits: [{{{item}}}]}}}}\n---\n"
    )
}

#[test]
fn a_pod_asks_for_the_most_that_runs_at_once() {
    for (row, pod, expected) in [
        (
            "containers are summed",
            "containers: [{resources: {requests: {cpu: 1}}}, {resources: {requests: {cpu: 500m, memory: 1Gi}}}]",
            "cpu 1.5, memory 1Gi",
        ),
        (
            "null is a zero that is stated, which a limit does not replace",
            "containers: [{resources: {requests: {cpu: null, memory: 1Gi}, limits: {cpu: 2}}}]",
            "cpu 0, memory 1Gi",
        ),
        (
            "of init containers the largest counts, if it is more",
            "containers: [{resources: {requests: {cpu: 1, memory: 4Gi}}}], initContainers: [{resources: {requests: {cpu: 2, memory: 1Gi}}}, {resources: {requests: {cpu: 3}}}]",
            "cpu 3, memory 4Gi",
        ),
        (
            "sidecars run beside the containers",
            "containers: [{resources: {requests: {cpu: 1}}}], initContainers: [{restartPolicy: Always, resources: {requests: {cpu: 1}}}]",
            "cpu 2",
        ),
        (
            "an init container runs beside the sidecars before it",
            "containers: [{resources: {requests: {cpu: 1}}}], initContainers: [{restartPolicy: Always, resources: {requests: {cpu: 2}}}, {resources: {requests: {cpu: 3}}}]",
            "cpu 5",
        ),
        (
            "and not beside those after it",
            "containers: [{resources: {requests: {cpu: 1}}}], initContainers: [{resources: {requests: {cpu: 3}}}, {restartPolicy: Always, resources: {requests: {cpu: 2}}}]",
            "cpu 3",
        ),
        (
            "overhead comes on top of everything",
            "overhead: {cpu: 250m}, containers: [{resources: {requests: {cpu: 1}}}], initContainers: [{resources: {requests: {cpu: 2}}}]",
            "cpu 2.25",
        ),
        (
            "lists of resources are stored to the thousandth, rounded up",
            "containers: [{resources: {requests: {cpu: 1.5m}}}, {resources: {requests: {cpu: 1.5m}}}]",
            "cpu 4m",
        ),
        (
            "memory may be written in thousandths",
            "containers: [{resources: {requests: {memory: 128974848000m}}}]",
            "memory 123Mi",
        ),
        (
            "what is no quantity, or less than nothing, is left out",
            "containers: [{resources: {requests: {cpu: many, memory: -1, ephemeral-storage: 1Gi}}}]",
            "ephemeral-storage 1Gi",
        ),
    ] {
        assert_eq!(demand(&world(pod, "")).0, expected, "{row}");
    }
    // Admission writes the overhead of the RuntimeClass into the pod.
    let class = "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: kata}, handler: kata, overhead: {podFixed: {cpu: 250m}}}";
    let pod = "runtimeClassName: kata, containers: [{resources: {requests: {cpu: 1}}}]";
    assert_eq!(demand(&world(pod, class)).0, "cpu 1.25");
}

#[test]
fn a_pod_that_is_resized_counts_with_what_it_has() {
    let pod = |conditions: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{containers: [{{name: c, resources: {{requests: {{cpu: 2, memory: 1Gi}}}}}}, {{name: d, resources: {{requests: {{cpu: 1}}}}}}]}}, status: {{phase: Running, conditions: [{conditions}], containerStatuses: [{{name: c, allocatedResources: {{cpu: 3, memory: 1Gi}}, resources: {{requests: {{cpu: 1, memory: 2Gi}}}}}}]}}}}"
        )
    };
    assert_eq!(demand(&pod("")).0, "cpu 4, memory 2Gi");
    let infeasible = "{type: PodResizePending, reason: Infeasible, status: 'True'}";
    let stated = pod(infeasible).replace("{cpu: 2, memory: 1Gi}", "{cpu: 8, memory: 8Gi}");
    assert_eq!(demand(&stated).0, "cpu 4, memory 2Gi");
    let deferred = infeasible.replace("Infeasible", "Deferred");
    let stated = pod(&deferred).replace("{cpu: 2, memory: 1Gi}", "{cpu: 8, memory: 8Gi}");
    assert_eq!(demand(&stated).0, "cpu 9, memory 8Gi");
}

/// `ORACLE_EMULATE` of `tests/oracle` answered the same.
#[test]
fn what_pods_state_of_their_own_is_filled_in_by_version() {
    let container = "containers: [{resources: {requests: {cpu: 1}}}]";
    let range = range(
        "type: Container, default: {cpu: 2, memory: 1Gi}, defaultRequest: {cpu: 100m, memory: 512Mi}",
    );
    for (minor, own, requests, limits) in [
        (33, "limits: {memory: 4Gi}", "cpu 1, memory 512Mi", "cpu 2, memory 1Gi"),
        (34, "limits: {memory: 4Gi}", "cpu 1, memory 4Gi", "cpu 2, memory 4Gi"),
        (36, "limits: {memory: 4Gi}", "cpu 1, memory 4Gi", "cpu 2, memory 4Gi"),
        (37, "limits: {memory: 4Gi}", "cpu 1, memory 512Mi", "cpu 2, memory 4Gi"),
        (36, "requests: {memory: 2Gi}", "cpu 1, memory 2Gi", "cpu 2, memory 1Gi"),
        (37, "requests: {memory: 2Gi}", "cpu 1, memory 2Gi", "cpu 2, memory 2Gi"),
    ] {
        let text = world(&format!("resources: {{{own}}}, {container}"), &range);
        let (own_requests, own_limits) = demand_in(KubernetesVersion::minor(minor), &text);
        assert_eq!(
            (own_requests.as_str(), own_limits.as_str()),
            (requests, limits),
            "1.{minor} {own}"
        );
    }
}

#[test]
fn limits_default_requests_and_limit_ranges_fill_what_is_missing() {
    let limited = "containers: [{resources: {limits: {cpu: 2}}}]";
    for (row, pod, ranges, requests, limits) in [
        ("a limit is the request too", limited, String::new(), "cpu 2", "cpu 2"),
        (
            "of init containers too",
            "containers: [{}], initContainers: [{resources: {limits: {cpu: 2}}}]",
            String::new(),
            "cpu 2",
            "cpu 2",
        ),
        (
            "a request is no limit",
            "containers: [{resources: {requests: {cpu: 2}}}]",
            String::new(),
            "cpu 2",
            "",
        ),
        (
            "a container with a limit never gets defaultRequest",
            limited,
            range("type: Container, defaultRequest: {cpu: 100m}"),
            "cpu 2",
            "cpu 2",
        ),
        (
            "default and defaultRequest fill what is missing",
            "containers: [{resources: {requests: {cpu: 1}}}]",
            range(
                "type: Container, default: {cpu: 4, memory: 1Gi}, defaultRequest: {cpu: 2, memory: 512Mi}",
            ),
            "cpu 1, memory 512Mi",
            "cpu 4, memory 1Gi",
        ),
        (
            "default defaults to max, defaultRequest to default",
            "containers: [{}]",
            range("type: Container, max: {cpu: 2}"),
            "cpu 2",
            "cpu 2",
        ),
        (
            "defaultRequest defaults to min where there is no default",
            "containers: [{}]",
            range("type: Container, min: {cpu: 100m}"),
            "cpu 100m",
            "",
        ),
        (
            "items for pods and claims default nothing",
            "containers: [{}]",
            range("type: Pod, max: {cpu: 2}, default: {cpu: 1}"),
            "",
            "",
        ),
        (
            "of two LimitRanges the first fills first",
            "containers: [{}]",
            range("type: Container, defaultRequest: {cpu: 1}")
                + &range("type: Container, defaultRequest: {cpu: 9}").replace("name: r", "name: s"),
            "cpu 1",
            "",
        ),
        (
            "another namespace's do not count",
            "containers: [{}]",
            range("type: Container, max: {cpu: 2}").replace("name: r", "name: r, namespace: x"),
            "",
            "",
        ),
    ] {
        let found = demand(&world(pod, &ranges));
        assert_eq!(found, (requests.to_string(), limits.to_string()), "{row}");
    }
}

#[test]
fn what_a_pod_states_stands_in_place_of_its_containers_sums() {
    let containers = "containers: [{resources: {requests: {cpu: 1, nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 1}}}]";
    for (row, pod, ranges, requests, limits) in [
        (
            "cpu, memory and huge pages alone; overhead still comes on top",
            format!(
                "overhead: {{cpu: 1}}, resources: {{requests: {{cpu: 3}}, limits: {{cpu: 4}}}}, {containers}"
            ),
            "",
            "cpu 4, nvidia.com/gpu 1",
            "cpu 5, nvidia.com/gpu 1",
        ),
        (
            "a limit alone: the request is what the containers ask for",
            format!("resources: {{limits: {{cpu: 4}}}}, {containers}"),
            "",
            "cpu 1, nvidia.com/gpu 1",
            "cpu 4, nvidia.com/gpu 1",
        ),
        (
            "and the limit where they ask for nothing",
            "resources: {limits: {cpu: 4}}, containers: [{}]".into(),
            "",
            "cpu 4",
            "cpu 4",
        ),
        (
            "which is settled after LimitRanges, since 1.37",
            "resources: {limits: {cpu: 4}}, containers: [{}]".into(),
            "type: Container, defaultRequest: {cpu: 100m}",
            "cpu 100m",
            "cpu 4",
        ),
        (
            "a request of one resource leaves the other to the containers and their LimitRanges",
            "resources: {requests: {cpu: 4}}, containers: [{}, {resources: {requests: {memory: 2Gi}}}]".into(),
            "type: Container, defaultRequest: {memory: 1536Mi}",
            "cpu 4, memory 3584Mi",
            "",
        ),
        (
            "a limit that all containers have is one of the pod, and no less than its request",
            "resources: {requests: {memory: 4Gi}}, containers: [{resources: {limits: {cpu: 1, memory: 1Gi}}}, {resources: {limits: {cpu: 1, memory: 1Gi}}}]".into(),
            "",
            "cpu 2, memory 4Gi",
            "cpu 2, memory 4Gi",
        ),
        (
            "a limit that one container lacks stays the sum of the others",
            "resources: {requests: {memory: 4Gi}}, containers: [{resources: {limits: {memory: 1Gi}}}, {}]".into(),
            "",
            "memory 4Gi",
            "memory 1Gi",
        ),
        (
            "overhead is added to limits only where there is one",
            "overhead: {cpu: 1, memory: 1Gi}, containers: [{resources: {limits: {cpu: 1}}}]".into(),
            "",
            "cpu 2, memory 1Gi",
            "cpu 2",
        ),
    ] {
        let ranges = if ranges.is_empty() { String::new() } else { range(ranges) };
        let found = demand(&world(&pod, &ranges));
        assert_eq!(found, (requests.to_string(), limits.to_string()), "{row}");
    }
}

/// Billionths of a quantity by school arithmetic on decimal digits, the least significant first: `mantissa × 2^bits ×
/// 10^power` billionths, rounded up, capped at 2^63 − 1 units.
fn reference(whole: &str, fraction: &str, bits: u32, power: i32) -> String {
    let mut digits: Vec<u8> =
        whole.bytes().chain(fraction.bytes()).rev().map(|it| it - b'0').collect();
    for _ in 0..bits {
        let mut carry = 0;
        for digit in &mut digits {
            let twice = *digit * 2 + carry;
            (*digit, carry) = (twice % 10, twice / 10);
        }
        digits.push(carry);
    }
    let power = power + 9 - fraction.len() as i32;
    for _ in 0..power {
        digits.insert(0, 0);
    }
    let dropped: Vec<u8> =
        digits.drain(..(-power).max(0).min(digits.len() as i32) as usize).collect();
    if dropped.iter().any(|it| *it > 0) {
        let mut at = 0;
        loop {
            if at == digits.len() {
                digits.push(0);
            }
            digits[at] += 1;
            if digits[at] < 10 {
                break;
            }
            digits[at] = 0;
            at += 1;
        }
    }
    let text: String = digits.iter().rev().map(|it| char::from(b'0' + it)).collect();
    let text = text.trim_start_matches('0');
    let cap = format!("{}000000000", i64::MAX);
    let is_larger = (text.len(), text) > (cap.len(), cap.as_str());
    let nano = if is_larger { &cap } else { text };
    let padded = format!("{nano:0>10}");
    let (units, billionths) = padded.split_at(padded.len() - 9);
    let billionths = billionths.trim_end_matches('0');
    if billionths.is_empty() { units.into() } else { format!("{units}.{billionths}") }
}

fn suffix() -> impl Strategy<Value = (String, u32, i32)> {
    let binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    prop_oneof![
        (0..binary.len()).prop_map(move |at| (binary[at].to_string(), at as u32 * 10, 0)),
        (0..decimal.len()).prop_map(move |at| (decimal[at].to_string(), 0, at as i32 * 3 - 9)),
        (-30..30_i32).prop_map(|power| (format!("e{power}"), 0, power)),
    ]
}

proptest! {
    #[test]
    fn quantities_are_read_as_by_hand(
        whole in "[0-9]{0,25}",
        fraction in "[0-9]{0,40}",
        (suffix, bits, power) in suffix(),
    ) {
        prop_assume!(!(whole.is_empty() && fraction.is_empty()));
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{whole}{point}{fraction}{suffix}");
        let read = Quantity::parse(&text).unwrap().to_string();
        prop_assert_eq!(read, reference(&whole, &fraction, bits, power), "{}", text);
    }

    #[test]
    fn what_holds_fits_and_one_more_does_not(all in 0_u64..1 << 40, each in 1_u64..1 << 30) {
        let (all, each) = (Quantity::units(all), Quantity::units(each));
        let count = all.holds(each).unwrap();
        prop_assert!(each.times(count) <= all && each.times(count + 1) > all);
    }

    #[test]
    fn what_is_stored_is_the_next_thousandth(nano in 0_u64..1 << 40) {
        let exact = Quantity::parse(&format!("{nano}n")).unwrap();
        let stored = exact.stored();
        let milli = Quantity::parse("1m").unwrap();
        prop_assert!(stored >= exact && stored - exact < milli && stored.stored() == stored);
    }
}
