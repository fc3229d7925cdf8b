#!/usr/bin/env bash
# Starts json-server four times, as the user, payment, order and notification services of the shop
# (the last one without its stream of events), and stays until it is ended (Ctrl-C) or a service ends.
# json-server writes into its file, so each gets a copy.
#
#   USERS_PORT=3001 PAYMENTS_PORT=3002 ORDERS_PORT=3003 NOTIFICATIONS_PORT=3004 ./run.sh
#
# Prints "ready" once all four answer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mock=$here/../../mock
declare -A port=(
  [users]=${USERS_PORT:-3001}
  [payments]=${PAYMENTS_PORT:-3002}
  [orders]=${ORDERS_PORT:-3003}
  [notifications]=${NOTIFICATIONS_PORT:-3004}
)
server=$here/node_modules/json-server/lib/cli/bin.js
[ -f "$server" ] || { echo "json-server is not there yet: run npm ci in $here" >&2; exit 1; }

data=$(mktemp -d)
pids=()
finish() {
  kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  rm -rf "$data"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# A port somebody else holds would answer in our place.
for service in "${!port[@]}"; do
  if (exec 3<>"/dev/tcp/127.0.0.1/${port[$service]}") 2>/dev/null; then
    echo "port ${port[$service]} is taken; set ${service^^}_PORT" >&2
    exit 1
  fi
done

for service in "${!port[@]}"; do
  cp "$mock/$service.json" "$data/"
  node "$server" --quiet --host 127.0.0.1 --port "${port[$service]}" --snapshots "$data" \
    "$data/$service.json" </dev/null &
  pids+=($!)
done

for service in "${!port[@]}"; do
  url=http://127.0.0.1:${port[$service]}/$service?_limit=1
  until curl -fsS -o "$data/answer" "$url" 2>"$data/why"; do
    for pid in "${pids[@]}"; do
      kill -0 "$pid" 2>/dev/null || { cat "$data/why" >&2; exit 1; }
    done
    [ $SECONDS -lt 30 ] || { echo "$service does not answer at $url" >&2; exit 1; }
    sleep 0.05
  done
  echo "$service: http://127.0.0.1:${port[$service]}"
done
echo ready
wait -n "${pids[@]}"
