#!/usr/bin/env bash
# Prints what a version of Kubernetes says of its API, as JSON: dump.sh 1.37.2
set -euo pipefail
version=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$here/main.go" "$folder/"
cd "$folder"
export CGO_ENABLED=0 GOFLAGS=-mod=mod
mod=$(go mod download -json "k8s.io/kubernetes@v$version" | python3 -c 'import json, sys; print(json.load(sys.stdin)["GoMod"])')
# Kubernetes requires its staging modules at v0.0.0 from folders beside it: they are published as v0.37.2 for v1.37.2.
python3 - "$version" "$mod" <<'P'
import re, sys
version, mod = sys.argv[1:]
text = open(mod).read()
staging = re.findall(r"(k8s\.io/[a-z0-9-]+) => \./staging", text)
pins = [it for it in re.findall(r"^\t(\S+ v\S+)(?: // indirect)?$", text, re.M) if it.split()[0] not in staging]
own = "v0." + version.split(".", 1)[1]
lines = ["module schemas", "go 1.22.0", f"require k8s.io/kubernetes v{version}"]
lines += [f"require {it}" for it in pins] + [f"replace {it} => {it} {own}" for it in staging]
open("go.mod", "w").write("\n".join(lines) + "\n")
P
go run .
