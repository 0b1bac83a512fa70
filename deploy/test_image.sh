#!/usr/bin/env bash
# Builds the image without any image registry, and drives it: tests/container says through what.
#
# Skipped, with exit code 0 and a sentence, where the machine forbids containers or the base cannot
# be had; a tool that is missing is an error. The base is a minimal Debian made by debootstrap, once, in about a minute;
# remove it with: podman rmi localhost/tagline-base:bookworm
set -euo pipefail
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
base=localhost/tagline-base:bookworm
image=localhost/tagline:test

skip() {
  echo "image-test SKIPPED, nothing of the image is tested: $1"
  exit 0
}

PATH=$PATH:/usr/sbin
for tool in podman buildah runc debootstrap; do
  command -v "$tool" >/dev/null && continue
  echo "image-test needs $tool: apt-get install podman buildah runc debootstrap" >&2
  exit 1
done
[ "$(id -u)" = 0 ] || skip 'needs root, for containers without any set up before'
mkdir "$tmp/mounted" "$tmp/root"
# What every container begins with. Whoever may do that may run one.
# shellcheck disable=SC2016 # for the inner shell
unshare --mount --pid --uts --ipc --fork sh -c \
  'mount -t tmpfs none "$1" && mknod "$1/null" c 1 3 && chroot / true' sh "$tmp/mounted" ||
  skip 'this machine forbids namespaces, mounts or devices, so it runs no containers'

if ! podman image exists "$base"; then
  root=$tmp/root
  echo "making $base (once, about a minute)"
  timeout 300 debootstrap --variant=minbase \
    --include=python3,python3-venv,ca-certificates bookworm "$root" >"$root.log" 2>&1 ||
    { tail -5 "$root.log" >&2; skip "debootstrap could not make $base"; }
  rm -rf "$root.log" "$root"/var/cache/apt "$root"/var/lib/apt/lists
  tar -C "$root" -c . | podman import --quiet - "$base" >/dev/null
  rm -rf "$root"
fi

podman --runtime runc --cgroup-manager cgroupfs run --rm --network host \
  --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 "$base" true ||
  skip 'not even a container of the bare base runs on this machine'

ENGINE=buildah IMAGE=$image BASE_IMAGE=$base \
  ENGINE_ARGS='--isolation chroot --network host --pull=never --layers --quiet' \
  timeout 300 deploy/build_image.sh >/dev/null
echo "built $image: $(podman image inspect --format '{{.Size}}' "$image") bytes," \
  "of which the base has $(podman image inspect --format '{{.Size}}' "$base")"

TAGLINE_TEST_IMAGE=$image timeout 480 "${BIN:-.venv/bin}/pytest" -m slow -v --no-header --basetemp "$tmp/t" tests/container
