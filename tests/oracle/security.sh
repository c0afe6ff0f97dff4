#!/bin/sh
# Compares the controls of Pod Security with Pod Security Admission's own: on the manifests of its tests, and on 10,000
# random pods.
#
#   tests/oracle/security.sh SEED         other pods than those whose answers are committed
#   tests/oracle/security.sh --commit     writes tests/oracle/pod-security-random.jsonl.gz anew
#
# Needs Go. Another version of Kubernetes is a change of the numbers in go.mod, and of `NEWEST` in
# src/analyze/security/standard.rs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seed=${1:?a seed, or --commit}
work="$here/../../target/oracle/security"
mkdir -p "$work"
work=$(cd "$work" && pwd)
answers="$work"
[ "$seed" = --commit ] && seed=0 answers="$here"
cd "$here"
go build -o ../../target/oracle/oracle .
module=$(go list -m -f '{{.Dir}}' k8s.io/pod-security-admission)
cd "$here/../.."
PURLIN_PODS_SEED="$seed" PURLIN_PODS_OUT="$work/pods.jsonl" \
	cargo test --test it -- pod_security::random_pods
target/oracle/oracle security < "$work/pods.jsonl" | gzip -n9 > "$answers/pod-security-random.jsonl.gz"
target/oracle/oracle security-tests "$module/test/testdata" | gzip -n9 > "$work/pod-security-tests.jsonl.gz"
PURLIN_PODS_SEED="$seed" PURLIN_PODS_ANSWERS="$answers/pod-security-random.jsonl.gz" \
	PURLIN_POD_SECURITY_TESTS="$work/pod-security-tests.jsonl.gz" \
	cargo test --test it -- --nocapture pod_security::
