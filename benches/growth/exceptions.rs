//! What may grow faster than n log n, and why.

use crate::surface::Surface;

/// A dimension on a surface, and the reason.
type Exception = (Surface, &'static str, &'static str);

const CHECK: Surface = Surface::Check("json");

/// Each workload is charged to each of them.
const CHARGED: &str = "a product by nature: each is held against each workload of its namespace";

/// Worlds are asked one after the other.
const ASKED: &str =
    "each world asks the others one after the other; an index over all worlds would do";

const EXCEPTIONS: &[Exception] = &[
    (CHECK, "quotas-times-workloads", CHARGED),
    (CHECK, "limit-ranges-times-workloads", CHARGED),
    (CHECK, "lines-of-a-quota-and-workloads", CHARGED),
    (CHECK, "policies-times-workloads", CHARGED),
    (
        CHECK,
        "daemon-sets-under-a-quota",
        "what is unknown of a quota is told with the names of all",
    ),
    (CHECK, "flows-declared", "the ends of each flow are looked for by name; an index would do"),
    (
        CHECK,
        "flows-declared-over-an-open-namespace",
        "a product by nature: each pair that is open and not declared is a finding",
    ),
    (CHECK, "worlds", ASKED),
    (CHECK, "worlds-that-ask-each-other", ASKED),
    (CHECK, "worlds-that-ask-about-a-namespace", ASKED),
    (CHECK, "worlds-with-a-file-in-common", ASKED),
];

/// Why a dimension may grow faster.
pub(crate) fn reason(surface: Surface, dimension: &str) -> Option<&'static str> {
    EXCEPTIONS.iter().find(|it| it.0 == surface && it.1 == dimension).map(|it| it.2)
}
