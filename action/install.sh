#!/usr/bin/env bash
# Puts purlin on the PATH of the steps that follow. Part of action.yml, which sets VERSION, ACTION_REPOSITORY and
# ACTION_REF; the rest is the runner's.
set -euo pipefail

fail() {
  echo "::error title=purlin::$1"
  exit 2
}

from_source() {
  command -v cargo >/dev/null || fail "building purlin needs Cargo: install Rust first, or name a release as version"
  cargo install --quiet --locked --profile dist --path "$GITHUB_ACTION_PATH" --root "$RUNNER_TEMP/purlin"
  echo "$RUNNER_TEMP/purlin/bin" >>"$GITHUB_PATH"
}

platform() {
  case "$RUNNER_OS-$RUNNER_ARCH" in
    Linux-X64) echo x86_64-unknown-linux-gnu ;;
    Linux-ARM64) echo aarch64-unknown-linux-gnu ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    Windows-X64) echo x86_64-pc-windows-msvc ;;
    *) return 1 ;;
  esac
}

# Fetches a release and checks it against the checksums that were published with it.
release() {
  local name="purlin-$1-$2.tar.gz" folder="$RUNNER_TEMP/purlin"
  local from="${GITHUB_SERVER_URL:-https://github.com}/$ACTION_REPOSITORY/releases/download/$1"
  mkdir -p "$folder/bin"
  curl --fail --silent --show-error --location --retry 3 --output "$folder/SHA256SUMS" "$from/SHA256SUMS" || return 1
  curl --fail --silent --show-error --location --retry 3 --output "$folder/$name" "$from/$name" || return 1
  local sum=sha256sum
  command -v sha256sum >/dev/null || sum="shasum -a 256"
  (cd "$folder" && grep -F "  $name" SHA256SUMS | $sum --check --quiet -) ||
    fail "$name is not what its checksum says"
  tar -xzf "$folder/$name" -C "$folder/bin"
  echo "$folder/bin" >>"$GITHUB_PATH"
}

case "${VERSION:-}" in
  installed)
    command -v purlin >/dev/null || fail "version is installed, and there is no purlin on the PATH"
    ;;
  source)
    from_source
    ;;
  "")
    if [[ ${ACTION_REF:-} == v[0-9]*.[0-9]*.[0-9]* ]] && target=$(platform) && release "$ACTION_REF" "$target"; then
      echo "purlin $ACTION_REF"
    else
      echo "there is no release for this, so purlin is built from its sources"
      from_source
    fi
    ;;
  *)
    target=$(platform) || fail "there are no releases for $RUNNER_OS on $RUNNER_ARCH; use version source"
    release "$VERSION" "$target" || fail "there is no release $VERSION for $target"
    ;;
esac
