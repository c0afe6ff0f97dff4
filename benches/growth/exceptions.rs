//! What may grow faster than n log n, and why.

use crate::surface::Surface;

/// A dimension on a surface, and the reason.
type Exception = (Surface, &'static str, &'static str);

const CHECK: Surface = Surface::Check("json");

/// Each workload is charged to each of them.
const CHARGED: &str = "a product by nature: each is held against each workload of its namespace";

const EXCEPTIONS: &[Exception] = &[
    (CHECK, "quotas-times-workloads", CHARGED),
    (CHECK, "limit-ranges-times-workloads", CHARGED),
    (CHECK, "lines-of-a-quota-and-workloads", CHARGED),
    (
        CHECK,
        "policies-times-workloads",
        "a product by nature: each selects every workload of its namespace and lets in others",
    ),
    (
        CHECK,
        "flows-declared-over-an-open-namespace",
        "a product by nature: each pair that is open and not declared is a finding",
    ),
];

/// Why a dimension may grow faster.
pub(crate) fn reason(surface: Surface, dimension: &str) -> Option<&'static str> {
    EXCEPTIONS.iter().find(|it| it.0 == surface && it.1 == dimension).map(|it| it.2)
}
