//! What may grow faster than n log n, and why.

use crate::surface::Surface;

/// Where a dimension may grow faster, which, and the reason.
type Exception = (&'static [Place], &'static str, &'static str);

/// What is done with an input, whatever the format of the report.
#[derive(PartialEq)]
enum Place {
    Check,
    Reach,
    Admission,
}

use Place::{Admission, Check, Reach};

/// Each workload is charged to each of them.
const CHARGED: &str = "a product by nature: each is held against each workload of its namespace";

/// A table has a line for each pair.
const PAIRS: &str =
    "a product by nature: each pair of senders and receivers that may talk is a line of the table";

const EXCEPTIONS: &[Exception] = &[
    (&[Check, Admission], "quotas-times-workloads", CHARGED),
    (&[Check, Admission], "limit-ranges-times-workloads", CHARGED),
    (&[Check, Admission], "lines-of-a-quota-and-workloads", CHARGED),
    (
        &[Check, Admission],
        "policies-times-workloads",
        "a product by nature: each selects every workload of its namespace and lets in others",
    ),
    (
        &[Check],
        "flows-declared-over-an-open-namespace",
        "a product by nature: each pair that is open and not declared is a finding",
    ),
    (&[Reach], "namespaces", PAIRS),
    (&[Reach], "complete-namespaces", PAIRS),
    (&[Reach], "anti-affinity-of-all-namespaces", PAIRS),
    (&[Reach], "monitors-of-all-namespaces", PAIRS),
    (&[Reach], "cluster-wide-policies-and-namespaces", PAIRS),
    (&[Reach], "peers-of-a-policy", PAIRS),
    (&[Reach], "policies-times-workloads", PAIRS),
    (
        &[Reach],
        "blocks-with-a-hole",
        "a product where rules name ports: each block lets in every piece that the others leave out",
    ),
];

/// Why a dimension may grow faster.
pub(crate) fn reason(surface: Surface, dimension: &str) -> Option<&'static str> {
    let place = match surface {
        Surface::Check(_) => Check,
        Surface::Reach => Reach,
        Surface::Admission => Admission,
    };
    EXCEPTIONS.iter().find(|it| it.0.contains(&place) && it.1 == dimension).map(|it| it.2)
}
