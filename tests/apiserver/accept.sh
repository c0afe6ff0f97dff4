#!/usr/bin/env bash
# Asks a real API server whether it takes the manifests under each folder given:
#
#   tests/apiserver/accept.sh [-w] DIR...
#
# It starts etcd and kube-apiserver on this machine alone, each with a temporary
# folder for its data, and stops them at the end. For each DIR it creates the
# Namespaces found there, because an object whose Namespace exists only in a dry
# run is refused; applies everything in DIR, folders below it included, as a
# strict server-side dry run; prints one line, `accepted DIR ...` or
# `refused DIR ...`, with the server's words indented below a refusal; and
# deletes the Namespaces again. A DIR with a kustomization is rendered first.
# With -w the server's warnings are printed too.
#
# No controller runs, so nothing stands in for what one would have made: the
# ServiceAccount plugin is off, the other default admission plugins are on.
# Custom kinds are those of crds.yaml, whose schemas let every field through.
#
# The binaries are those in KUBEBUILDER_ASSETS, or else of build.sh; kubectl (or
# the program that KUBECTL names), jq and openssl come from the PATH.
#
# Exit status: 0 everything accepted, 1 something refused, 2 it could not ask.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubectl=${KUBECTL:-kubectl}
warnings=
pids=()

fail() {
  echo "accept.sh: $*" >&2
  exit 2
}

while getopts w option; do
  case $option in
    w) warnings=1 ;;
    *) fail "usage: accept.sh [-w] DIR..." ;;
  esac
done
shift $((OPTIND - 1))
(($# > 0)) || fail "usage: accept.sh [-w] DIR..."
for dir in "$@"; do
  [[ -d $dir ]] || fail "not a folder: $dir"
done
for tool in "$kubectl" jq openssl; do
  command -v "$tool" >/dev/null || fail "needs $tool"
done
assets=${KUBEBUILDER_ASSETS:-$("$here/build.sh" | tail -n 1)}
[[ -x $assets/etcd && -x $assets/kube-apiserver ]] || fail "no etcd and kube-apiserver in $assets"

# Short, because the socket paths below it may not pass 107 characters.
work=$(mktemp -d /tmp/purlin-accept.XXXXXX)

# shellcheck disable=SC2317,SC2329 # called by the trap
stop() {
  local status=$? i
  trap '' INT TERM
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$work"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

certificates() {
  cd "$work"
  key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
  signed() { # NAME SUBJECT EXTENSIONS
    key "$1"
    openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
      -extfile <(printf '%b' "$3") -out "$1.crt"
  }
  key ca
  openssl req -x509 -new -key ca.key -subj /CN=purlin-accept -days 2 -out ca.crt
  signed server /CN=kube-apiserver 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n'
  signed admin /O=system:masters/CN=admin 'extendedKeyUsage=clientAuth\n'
  key service-account
}
(certificates) >"$work/openssl.log" 2>&1 || {
  cat "$work/openssl.log" >&2
  fail "openssl could not make the certificates"
}

# On sockets in a folder that only this user can enter, etcd needs neither a
# port nor certificates.
"$assets/etcd" --name accept --data-dir "$work/etcd" --unsafe-no-fsync --log-level error \
  --listen-client-urls "unix://$work/etcd.sock" --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls "unix://$work/peer.sock" --initial-cluster accept=http://127.0.0.1:2380 \
  --initial-advertise-peer-urls http://127.0.0.1:2380 >"$work/etcd.log" 2>&1 &
pids+=($!)

k() {
  HOME=$work KUBECONFIG=$work/kubeconfig KUBECACHEDIR=$work/cache "$kubectl" "$@"
}

# The port is chosen here, so another program may take it before the server
# does; the server then stops at once and another port is tried.
ready=
for try in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 12000))
  if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue; fi
  cat >"$work/kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: accept
contexts: [{name: accept, context: {cluster: accept, user: admin}}]
clusters:
  - name: accept
    cluster: {server: "https://127.0.0.1:$port", certificate-authority: "$work/ca.crt"}
users:
  - name: admin
    user: {client-certificate: "$work/admin.crt", client-key: "$work/admin.key"}
YAML
  "$assets/kube-apiserver" --bind-address 127.0.0.1 --secure-port "$port" \
    --advertise-address 127.0.0.1 --endpoint-reconciler-type none \
    --etcd-servers "unix://$work/etcd.sock" --cert-dir "$work" \
    --tls-cert-file "$work/server.crt" --tls-private-key-file "$work/server.key" \
    --client-ca-file "$work/ca.crt" --anonymous-auth=false --authorization-mode RBAC \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$work/service-account.key" \
    --service-account-signing-key-file "$work/service-account.key" \
    --service-cluster-ip-range 10.0.0.0/24 --allow-privileged \
    --disable-admission-plugins ServiceAccount --profiling=false \
    >"$work/apiserver.log" 2>&1 &
  server=$!
  pids+=("$server")
  for ((second = 0; second < 120; second++)); do
    if k get --raw /readyz >/dev/null 2>&1; then
      ready=1
      break 2
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 1
  done
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  unset 'pids[-1]'
  grep -q 'address already in use' "$work/apiserver.log" || break
done
[[ $ready ]] || {
  tail -n 20 "$work/etcd.log" "$work/apiserver.log" >&2
  fail "the API server did not become ready (try $try)"
}

if ! {
  k apply --server-side -f "$here/crds.yaml" &&
    k wait --for condition=Established --timeout 60s -f "$here/crds.yaml"
} >"$work/crds.log" 2>&1; then
  cat "$work/crds.log" >&2
  fail "the server does not take crds.yaml"
fi

# The Namespaces under FOLDER, as one JSON object a line. Whatever cannot be read
# here is refused below, with its reason.
namespaces() { # FOLDER
  k create --dry-run=client --validate=false -R -f "$1" -o json 2>/dev/null |
    jq -c 'if .kind == "List" then .items[] else . end | select(.kind == "Namespace")' || true
}

apply() { # ARGUMENTS...
  k apply --server-side --force-conflicts --field-manager accept --validate=strict "$@"
}

# Nothing finishes a deletion without the namespace controller, so this does. The
# four that the server itself keeps only lose what was applied to them.
forget() { # NAMESPACE
  local bare
  bare=$(jq -nc --arg name "$1" '{apiVersion: "v1", kind: "Namespace", metadata: {name: $name}}')
  case $1 in
    default | kube-system | kube-public | kube-node-lease)
      apply -f - <<<"$bare" >/dev/null
      return
      ;;
  esac
  k delete namespace "$1" --wait=false >/dev/null
  jq -c '.spec.finalizers = []' <<<"$bare" |
    k replace --raw "/api/v1/namespaces/$1/finalize" -f - >/dev/null
  k wait --for delete "namespace/$1" --timeout 30s >/dev/null 2>&1 || fail "Namespace $1 stays"
}

refused=0
for dir in "$@"; do
  source=$dir
  made=()
  : >"$work/out"
  : >"$work/err"
  good=1
  for file in "$dir"/kustomization.yaml "$dir"/kustomization.yml "$dir"/Kustomization; do
    [[ -f $file ]] || continue
    rm -rf "$work/rendered"
    mkdir "$work/rendered"
    source=$work/rendered
    k kustomize "$dir" >"$source/rendered.yaml" 2>"$work/err" || good=
  done

  if [[ $good ]]; then
    namespaces "$source" >"$work/namespaces"
    while IFS= read -r namespace; do
      if apply -f - <<<"$namespace" >/dev/null 2>>"$work/err"; then
        made+=("$(jq -r .metadata.name <<<"$namespace")")
      else
        good=
      fi
    done <"$work/namespaces"
    apply --dry-run=server -R -f "$source" >"$work/out" 2>"$work/applied" || good=
    cat "$work/applied" >>"$work/err"
  fi

  count=$(grep -c 'serverside-applied' "$work/out" || true)
  if [[ $good ]]; then
    printf 'accepted %s (%d objects)\n' "$dir" "$count"
  else
    refused=1
    printf 'refused  %s (%d objects accepted)\n' "$dir" "$count"
    # The server's words often leave out which file they are about, so each file
    # is asked about alone.
    if [[ -s $work/applied && $source == "$dir" ]]; then
      : >"$work/err"
      while IFS= read -r -d '' file; do
        if apply --dry-run=server -f "$file" >/dev/null 2>"$work/applied" && [[ ! $warnings ]]; then
          continue
        fi
        sed "s|^|${file#"$dir/"}: |" "$work/applied" >>"$work/err"
      done < <(find -L "$dir" -type f \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) -print0 | sort -z)
    fi
  fi
  if [[ ! $good || $warnings ]]; then
    awk -v all="$warnings" '(all || !/^([^ ]+: )?Warning: /) && !seen[$0]++ { print "  " $0 }' "$work/err"
  fi
  for namespace in "${made[@]}"; do
    forget "$namespace"
  done
done
exit "$refused"
