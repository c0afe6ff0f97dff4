//! purlin checks what runs *across* Kubernetes objects: the promises that no single manifest can keep or break on its own.
//!
//! This page is the architecture. Data flows one way, in the order of the modules below:
//!
//! | step | takes | gives | I/O |
//! | --- | --- | --- | --- |
//! | [`load`] | paths, standard input, what kustomize and helm print, a live cluster | documents with spans, what is broken | reads |
//! | [`model`] | documents | objects by kind, namespace and name | none |
//! | [`analyze`] | the model | facts across objects, each computed once, on first use | none |
//! | [`documents`] | the text of a document of purlin's own | typed values, every mistake at its place, a JSON Schema | none |
//! | [`architecture`] | an architecture document | objects that point back to its statements | none |
//! | [`extract`] | model and facts | an architecture document of what is there | none |
//! | [`absence`] | model and facts | whether what is missing from the input is missing from the cluster | none |
//! | [`validation`] | one object | what the API server refuses in it | none |
//! | [`rules`] | model and facts | findings at object and field path | none |
//! | [`migrate`] | another linter's configuration | a policy's text | none |
//! | [`check`] | rules, policy, models | findings in a total order | none |
//! | [`graph`] | who talks to whom | SVG, Mermaid, DOT | none |
//! | [`report`] | findings, sources | bytes | asks the terminal |
//! | [`webhook`] | an AdmissionReview, what is known of the cluster | a verdict | none |
//! | `serve` | requests over HTTPS, watches of the API server | answers | reads, writes, looks at the clock |
//! | `main` | arguments | the same steps | reads the policy, writes |
//!
//! Below all of them: [`text`] (sources, spans, trees, field paths) and [`api`] (Kubernetes' vocabulary).
//!
//! Invariants, held by the tests:
//!
//! 1. Between load and report there is no I/O, no async, no clock and no randomness.
//! 2. A rule sees the model and the facts; it cannot fail and cannot change anything. Bad input is a finding with a place.
//! 3. A finding names its places by object and field path; only [`report`] turns that into file, line and column.
//! 4. Two runs print the same bytes.
//! 5. Every file in `rules/` is listed in the set of [`rules::built_in`], has a page whose examples hold, and fixtures.
//! 6. Absent from the input is not absent from the cluster: [`absence`] decides which it is, and says "cannot tell".

pub mod text;

pub mod api;

pub mod load;

pub mod model;

pub mod analyze;

pub mod documents;

pub mod finding;

pub mod policy;

pub mod architecture;

pub mod run;

pub mod validation;

pub mod rule;

pub mod intended_flows;

pub mod extract;

pub mod absence;

#[path = "../rules/mod.rs"]
pub mod rules;

pub mod policy_file;

pub mod migrate;

pub mod check;

pub mod graph;

pub mod report;

pub mod webhook;

#[cfg(feature = "webhook")]
pub mod serve;
