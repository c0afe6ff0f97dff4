#!/bin/sh
# Compares what purlin counts of requests, LimitRanges, quotas, budgets, rollouts and drains with Kubernetes' own code, on
# random namespaces that are not among those committed.
#
#   tests/oracle/resources.sh START COUNT     seeds START to START + COUNT - 1
#   tests/oracle/resources.sh --commit        seeds 0 to 399: writes tests/oracle/resources.jsonl.gz anew
#
# Needs Go and Python. Another version of Kubernetes is a change of the numbers in go.mod.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
start=${1:-0} count=${2:-400}
target="$here/../../target/oracle"
[ "$start" = --commit ] && start=0 count=400 commit=1
work="$target/resources-$start-$count"
mkdir -p "$work"
go build -o "$target/oracle" .
python3 resources.py "$work" "$start" "$count"
find "$work" -name '*.yaml' | xargs "$target/oracle" resources > "$work/resources.jsonl"
answers="$work/resources.jsonl.gz"
[ "${commit:-}" ] && answers="$here/resources.jsonl.gz"
python3 resource_answers.py "$work" "$answers"
cd "$here/../.."
PURLIN_RESOURCES="$answers" cargo test --test it -- oracle::
