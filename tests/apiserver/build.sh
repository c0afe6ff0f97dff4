#!/usr/bin/env bash
# Builds kube-apiserver, etcd and kubectl from the modules that go.mod pins, and prints
# the folder that holds them as its last (and only) line on standard output:
#
#   export KUBEBUILDER_ASSETS=$(tests/apiserver/build.sh)
#
# Usage: build.sh [FOLDER]
#
# FOLDER is ${XDG_CACHE_HOME:-$HOME/.cache}/purlin/kubebuilder-assets unless
# given. Nothing is built when FOLDER already holds the binaries of this go.mod
# and go.sum. A first build downloads about 400 modules and compiles for several
# minutes; set NICE to change its priority (19 unless told).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/purlin/kubebuilder-assets}
go=${GO:-go}

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
stamp=$folder/.built-from
key=$(cat "$here/go.mod" "$here/go.sum" "${BASH_SOURCE[0]}" | sha256sum | cut -d ' ' -f 1)

if [[ -x $folder/etcd && -x $folder/kube-apiserver && -x $folder/kubectl && $(cat "$stamp" 2>/dev/null) == "$key" ]]; then
  printf '%s\n' "$folder"
  exit 0
fi

command -v "$go" >/dev/null || {
  echo "build.sh: no Go toolchain: put go on the PATH, or name it in GO" >&2
  exit 1
}

# /version answers from these variables, and kubectl compares its own version
# with them; left alone they say v0.0.0-master.
version=$("$go" -C "$here" list -m -f '{{.Version}}' k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${version#v}"
ldflags='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  ldflags+=" -X $package.gitVersion=$version"
  ldflags+=" -X $package.gitMajor=$major -X $package.gitMinor=$minor"
  ldflags+=" -X $package.gitTreeState=clean"
done

# Built aside and then moved, so that a build that is stopped half-way or that
# runs twice at once never leaves a folder that looks complete.
new=$(mktemp -d "$folder/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT

build() {
  echo "building $(basename "$1") from $2" >&2
  CGO_ENABLED=0 nice -n "${NICE:-19}" "$go" -C "$here" build -mod=readonly -buildvcs=false \
    -trimpath -ldflags "$ldflags" -o "$1" "$2" >&2
}
build "$new/etcd" go.etcd.io/etcd/server/v3
build "$new/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
build "$new/kubectl" k8s.io/kubernetes/cmd/kubectl

rm -f "$stamp"
mv -f "$new/etcd" "$new/kube-apiserver" "$new/kubectl" "$folder/"
printf '%s\n' "$key" >"$stamp"
printf '%s\n' "$folder"
