#!/usr/bin/env bash
# Builds the image without any image registry, and drives it: tests/container says through what.
#
# Skipped, with exit code 0 and a sentence, where the tools are missing. The base is a minimal
# Debian made by debootstrap, once; remove it with: podman rmi localhost/tagline-base:bookworm
set -euo pipefail
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
base=localhost/tagline-base:bookworm
image=localhost/tagline:test

skip() {
  echo "image-test skipped: $1"
  exit 0
}

[ "$(id -u)" = 0 ] || skip 'needs root, for containers without any set up before'
for tool in podman buildah runc debootstrap; do
  PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null ||
    skip "needs $tool: apt-get install podman buildah runc debootstrap"
done

if ! podman image exists "$base"; then
  root=$tmp/root
  mkdir "$root"
  echo "making $base (once, about a minute)"
  PATH=$PATH:/usr/sbin timeout 300 debootstrap --variant=minbase \
    --include=python3,python3-venv,ca-certificates bookworm "$root" >"$root.log" 2>&1 ||
    { tail -5 "$root.log"; rm -f "$root.log"; skip 'debootstrap reached no Debian mirror'; }
  rm -rf "$root.log" "$root"/var/cache/apt "$root"/var/lib/apt/lists
  tar -C "$root" -c . | podman import --quiet - "$base" >/dev/null
  rm -rf "$root"
fi

ENGINE=buildah IMAGE=$image BASE_IMAGE=$base \
  ENGINE_ARGS='--isolation chroot --network host --pull=never --layers --quiet' \
  timeout 300 deploy/build_image.sh >/dev/null
echo "built $image: $(podman image inspect --format '{{.Size}}' "$image") bytes," \
  "of which the base has $(podman image inspect --format '{{.Size}}' "$base")"

TAGLINE_TEST_IMAGE=$image timeout 480 "${BIN:-.venv/bin}/pytest" -m slow -v --no-header --basetemp "$tmp/t" tests/container
