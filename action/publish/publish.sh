#!/usr/bin/env bash
# Publishes the version of a module that the job's tag names, with a token for the job's own ID token.
# The token is for this step alone: the steps that follow find neither it nor another GOPROXY. It is no word of a command line, and
# what others say reaches the log without anything that the runner could take for a command.
set -euo pipefail
umask 077

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..

fail() {
  printf 'modfront: %s\n' "$1" >&2
  exit 1
}

# Keeps whole lines, without what begins a command of the runner's.
plain() {
  sed -u -e 's/##\[/##/g' -e 's/^::/ ::/'
}

if [ -n "${MODFRONT_TAG:-}" ] && [ -n "${MODFRONT_VERSION:-}" ]; then fail 'tag and version are two ways: give one'; fi
if [ -n "${MODFRONT_VERSION:-}" ]; then
  what=--version=$MODFRONT_VERSION
elif [ -n "${MODFRONT_TAG:-}" ]; then
  what=--tag=$MODFRONT_TAG
elif [ "${GITHUB_REF_TYPE:-}" = tag ]; then
  what=--tag=$GITHUB_REF_NAME
else
  fail 'this job is not for a tag: give tag or version'
fi

more=()
if [ "${MODFRONT_API:-}" = true ]; then more=(--api); fi

version=$(node --version 2>/dev/null) || fail 'node is not installed: uses: actions/setup-node with node-version 24 goes before'
[[ $version =~ ^v(2[4-9]|[3-9][0-9])\. ]] || fail "node is $version and is to be 24 or newer: uses: actions/setup-node goes before"

folder=$(mktemp -d "$RUNNER_TEMP/modfront.XXXXXX")
trap 'rm -rf "$folder"' EXIT
: >"$folder/environment"
GITHUB_ENV=$folder/environment RUNNER_TEMP=$folder MODFRONT_GOSUMDB=off NETRC=/dev/null bash "$here/../sign-in.sh"
netrc=$(sed -n 's/^NETRC=//p' "$folder/environment")
MODFRONT_TOKEN=$(sed -n '1s/.* password //p' "$netrc")
export MODFRONT_TOKEN

if [ ! -f "$root/node_modules/.package-lock.json" ]; then
  npm ci --prefix "$root" --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error 2>&1 | plain >&2 ||
    fail 'its packages cannot be installed'
fi

module=${GITHUB_WORKSPACE:-.}/${MODFRONT_DIRECTORY:-.}
{ node "$root/bin/modfront.ts" publish "$what" --url "${MODFRONT_URL%/}" ${more[@]+"${more[@]}"} -- "$module" 2>&1 >&3 | plain >&2; } 3>"$folder/published"
cat "$folder/published"
read -r path version sum <"$folder/published"
printf '%s\n' "module=$path" "version=$version" "sum=$sum" >>"$GITHUB_OUTPUT"
