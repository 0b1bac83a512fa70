#!/usr/bin/env bash
# Builds the container image with podman, buildah or docker, whichever is there.
#
#   IMAGE        its name (localhost/tagline)
#   BASE_IMAGE   another image with Python 3.11 or newer to build upon
#   PIP_CONF     a pip.conf for the build alone (/etc/pip.conf, if there is one)
#   CA_BUNDLE    certificates for the build alone ($SSL_CERT_FILE, if it is set)
#   ENGINE_ARGS  more arguments for the build, such as --network host
set -euo pipefail
cd "$(dirname "$0")/.."

image=${IMAGE:-localhost/tagline}
pip_conf=${PIP_CONF:-/etc/pip.conf}
ca_bundle=${CA_BUNDLE:-${SSL_CERT_FILE:-}}

for engine in ${ENGINE:-podman buildah docker}; do
  command -v "$engine" >/dev/null && break
  engine=
done
if [ -z "${engine:-}" ]; then
  echo 'Building an image needs podman, buildah or docker.' >&2
  exit 1
fi

arguments=(--tag "$image")
# Only this format knows health checks.
[ "$engine" = docker ] || arguments+=(--format docker)
[ -z "${BASE_IMAGE:-}" ] || arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' tagline/__init__.py)
arguments+=(--build-arg "VERSION=$version")
arguments+=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
# Secrets reach the installation of the requirements, and no layer.
[ ! -r "$pip_conf" ] || arguments+=(--secret "id=pip.conf,src=$pip_conf")
[ ! -r "$ca_bundle" ] || arguments+=(--secret "id=ca.crt,src=$ca_bundle")
# shellcheck disable=SC2206 # words, on purpose
arguments+=(${ENGINE_ARGS:-})

case $engine in
  buildah) exec buildah bud "${arguments[@]}" . ;;
  *) exec "$engine" build "${arguments[@]}" . ;;
esac
