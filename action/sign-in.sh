#!/usr/bin/env bash
# Exchanges GitHub's ID token of this job for a token of modfront, and sets GOPROXY, NETRC and GOSUMDB for the steps that follow.
# Nothing secret is a word of a command line, which all processes of the machine can see, and nothing is printed before it is
# masked. What servers say reaches neither the environment nor the log but through a filter: both have a syntax of their own.
set -euo pipefail
umask 077

fail() {
  printf 'modfront: %s\n' "$1" >&2
  exit 1
}

# One line without anything that the runner could take for a command.
plain() {
  tr '\n' ' ' | tr -cd 'A-Za-z0-9 .,:;/_()"@+-' | cut -c 1-300
}

# ask ARGUMENTS…: prints the body of an answer of 200; the text of any other on stderr.
# A file, because curl empties it before it tries again: on stdout the answers of all tries would follow each other.
ask() {
  local answer status body
  body=$(mktemp "$RUNNER_TEMP/modfront.XXXXXX")
  status=$(curl --silent --show-error --proto '=https' --max-time 60 --max-filesize 1000000 --retry 3 \
    --output "$body" --write-out '%{http_code}' "$@") || { rm -f "$body"; fail 'no answer'; }
  answer=$(cat "$body")
  rm -f "$body"
  [ "$status" = 200 ] || fail "answered $status: $(printf '%s' "$answer" | plain)"
  printf '%s' "$answer"
}

# field NAME: the text of a field of JSON on stdin, which holds nothing that JSON escapes.
field() {
  tr -d '\n' | sed -n 's/.*"'"$1"'" *: *"\([A-Za-z0-9._-]*\)".*/\1/p'
}

url=${MODFRONT_URL%/}
[[ $url =~ ^https://([A-Za-z0-9.-]+(:[0-9]+)?)(/[A-Za-z0-9._~/-]*)?$ ]] || fail 'url is to be an https URL without user name and query'
machine=${BASH_REMATCH[1]}
[ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] && [ -n "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}" ] ||
  fail 'this job may not ask for an ID token: give it permissions: { id-token: write, contents: read }'

id_token=$(printf 'Authorization: bearer %s\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" |
  ask --get --data-urlencode "audience=${MODFRONT_AUDIENCE:-$url}" --header @- "$ACTIONS_ID_TOKEN_REQUEST_URL" | field value)
[ -n "$id_token" ] || fail 'GitHub gave no ID token'
echo "::add-mask::$id_token"

token=$(printf '{"id_token":"%s"}' "$id_token" |
  ask --header 'Content-Type: application/json' --header 'Accept: text/plain, application/json' --data-binary @- "$url/-/token" |
  field token)
[[ $token == mf_* ]] || fail "$machine gave no token"
echo "::add-mask::$token"
echo "::add-mask::$(printf 'modfront:%s' "$token" | base64 | tr -d '\n')"

# What was there before is kept behind it: of two lines for a machine go takes the first.
folder=$(mktemp -d "$RUNNER_TEMP/modfront.XXXXXX")
netrc=$folder/netrc
earlier=${NETRC:-$HOME/.netrc}
printf 'machine %s login modfront password %s\n' "$machine" "$token" >"$netrc"
if [ -f "$earlier" ]; then cat "$earlier" >>"$netrc"; fi

gosumdb=${MODFRONT_GOSUMDB:-$(printf 'Authorization: Bearer %s\n' "$token" | ask --header @- "$url/-/gosumdb")}
case $gosumdb in off) line= ;; *) line=GOSUMDB=$gosumdb ;; esac
[[ $line =~ ^(GOSUMDB=[A-Za-z0-9./-]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+)?$ ]] || fail "$machine names no checksum database"

printf '%s\n' "GOPROXY=$url" "NETRC=$netrc" ${line:+"$line"} >>"$GITHUB_ENV"
echo "modfront: signed in to $machine"
