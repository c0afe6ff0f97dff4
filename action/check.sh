#!/usr/bin/env bash
# Checks, annotates, and writes the reports that were asked for. Part of action.yml, which sets the variables in capitals.
# Never fails by itself: its output `status` is what the job ends with, after the upload.
set -euo pipefail

options=(--fail-on "$FAIL_ON")
[ -z "$POLICY" ] || options+=(--policy "$POLICY")
[ -z "$BASELINE" ] || options+=(--baseline "$BASELINE")
[ -z "$SINCE" ] || options+=(--since "$SINCE")
while IFS= read -r line; do
  [ -z "$line" ] || options+=("$line")
done <<<"$ARGS"
manifests=()
while IFS= read -r line; do
  [ -z "$line" ] || manifests+=("$line")
done <<<"$PATHS"

check() {
  purlin check "${manifests[@]+"${manifests[@]}"}" "${options[@]}" "$@"
}

# The report for people, in the log. What it quotes from manifests must not be taken for a command of the runner.
status=0
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
check || status=$?
echo "::$token::"
echo "status=$status" >>"$GITHUB_OUTPUT"
# Where a part could not be read or rendered, the rest is reported all the same.
if [ "$status" -gt 1 ]; then
  rm -f "$RUNNER_TEMP/purlin.json"
  check --format json --output "$RUNNER_TEMP/purlin.json" >/dev/null 2>&1 || true
fi
if [ "$status" -gt 1 ] && [ ! -s "$RUNNER_TEMP/purlin.json" ]; then
  echo "::error title=purlin::purlin could not do its work; the log says why"
  exit 0
fi

# The same check in other forms says nothing new about its status.
report() {
  check --format "$1" --output "$2" || [ $? -eq 1 ] || [ "$status" -eq 2 ]
}

if [ -z "$SARIF" ] && [ "$UPLOAD_SARIF" = true ]; then
  SARIF=$RUNNER_TEMP/purlin.sarif
fi
if [ -n "$SARIF" ]; then
  report sarif "$SARIF"
  # From here, since another step has another working directory.
  echo "sarif=$(cd "$(dirname "$SARIF")" && pwd)/$(basename "$SARIF")" >>"$GITHUB_OUTPUT"
fi
[ -z "$JUNIT" ] || report junit "$JUNIT"
if [ "$SUMMARY" = true ]; then
  report markdown "$RUNNER_TEMP/purlin.md"
  cat "$RUNNER_TEMP/purlin.md" >>"$GITHUB_STEP_SUMMARY"
fi
report github "$RUNNER_TEMP/purlin.annotations"
[ "$ANNOTATIONS" != true ] || cat "$RUNNER_TEMP/purlin.annotations"
report json "$RUNNER_TEMP/purlin.json"
for count in errors warnings; do
  echo "$count=$(sed -n "s/.*\"summary\":{.*\"$count\":\([0-9]*\).*/\1/p" "$RUNNER_TEMP/purlin.json")" >>"$GITHUB_OUTPUT"
done
