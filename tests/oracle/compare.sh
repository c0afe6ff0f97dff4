#!/bin/sh
# Compares purlin with Kubernetes' own scheduler on random clusters that are not among those committed.
#
#   tests/oracle/compare.sh START COUNT     seeds START to START + COUNT - 1
#   tests/oracle/compare.sh --commit        seeds 0 to 299: writes tests/oracle/worlds.jsonl.gz anew
#
# Needs Go and Python. Another version of Kubernetes is a change of the numbers in go.mod.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
start=${1:-0} count=${2:-300}
target="$here/../../target/oracle"
[ "$start" = --commit ] && start=0 count=300 commit=1
work="$target/worlds-$start-$count"
mkdir -p "$work"
go build -o "$target/oracle" .
python3 worlds.py "$work" "$start" "$count"
find "$work" -name '*.yaml' | xargs "$target/oracle" filters > "$work/filters.jsonl"
find "$work" -name '*.yaml' | xargs "$target/oracle" search > "$work/search.jsonl"
answers="$work/worlds.jsonl.gz"
[ "${commit:-}" ] && answers="$here/worlds.jsonl.gz"
python3 answers.py "$work" "$answers"
cd "$here/../.."
PURLIN_WORLDS="$answers" PURLIN_STEPS="$work" cargo test --test it -- placement::kubernetes
# Every step of the ways that purlin found goes past the real filters.
find "$work" -name '*.steps' | sed 's/\.steps$//' | xargs "$target/oracle" replay > "$work/replay.jsonl"
if grep -v '"ok":true' "$work/replay.jsonl"; then
	echo "Kubernetes refuses steps of these ways" >&2
	exit 1
fi
echo "$(wc -l < "$work/replay.jsonl") ways accepted step by step"
