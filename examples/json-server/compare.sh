#!/usr/bin/env bash
# Runs the example queries through the gateway twice, over its own mocks (`onedoor dev`) and over
# json-server (`onedoor serve`), and compares the answers byte for byte. Then compares what the
# mocks and json-server answer without a gateway.
#
#   ONEDOOR=../../target/debug/onedoor ./compare.sh
#
# Ends with 0 where everything is the same, with 1 where something is not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
onedoor=$(realpath -m "${ONEDOOR:-$root/target/debug/onedoor}")
[ -x "$onedoor" ] || { echo "no gateway at $onedoor: build it, or set ONEDOOR" >&2; exit 1; }

on_mocks=${ON_MOCKS:-127.0.0.1:4000}
on_json_server=${ON_JSON_SERVER:-127.0.0.1:4001}
# The mocks stand at the ports upstreams/*.toml gives them, json-server at these.
export USERS_PORT=${USERS_PORT:-3101} PAYMENTS_PORT=${PAYMENTS_PORT:-3102} ORDERS_PORT=${ORDERS_PORT:-3103}
export NOTIFICATIONS_PORT=${NOTIFICATIONS_PORT:-3104}
mocks=(http://127.0.0.1:{3001,3002,3003,3004})
json_servers=(http://127.0.0.1:{"$USERS_PORT","$PAYMENTS_PORT","$ORDERS_PORT","$NOTIFICATIONS_PORT"})
# Tokens of queries.mjs are signed with it.
export ONEDOOR_SECRET=${ONEDOOR_SECRET:-for-this-comparison-and-nothing-else}

work=$(mktemp -d)
running=()
finish() {
  kill "${running[@]}" 2>/dev/null || true
  wait "${running[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# start NAME COMMAND..: in the background, its output kept in NAME.log.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 </dev/null &
  running+=($!)
}

# await NAME COMMAND..: until the command succeeds, as long as what was started last is running.
await() {
  local name=$1 end=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    if ! kill -0 "${running[-1]}" 2>/dev/null || [ $SECONDS -ge $end ]; then
      echo "$name did not come up:" >&2
      cat "$work/$name.log" >&2
      exit 1
    fi
    sleep 0.05
  done
}

# answers ADDRESS: whether a gateway is there.
answers() {
  curl -fsS "http://$1/graphql" -H 'content-type: application/json' -d '{"query": "{__typename}"}'
}

for address in "$on_mocks" "$on_json_server"; do
  ! answers "$address" >/dev/null 2>&1 || { echo "$address is taken" >&2; exit 1; }
done

cd "$root"
start dev "$onedoor" dev --root "$root" --listen "$on_mocks"
await dev answers "$on_mocks"

start json-server "$here/run.sh"
await json-server grep -qx ready "$work/json-server.log"

export USERS_URL=${json_servers[0]} PAYMENTS_URL=${json_servers[1]} ORDERS_URL=${json_servers[2]}
export NOTIFICATIONS_URL=${json_servers[3]}
start serve "$onedoor" serve --root "$root" --listen "$on_json_server"
await serve answers "$on_json_server"

# Subscriptions are left out: their answers are streams, and json-server sends none.
queries=() left_out=()
for query in "$root"/examples/queries/*.graphql; do
  name=$(basename "$query" .graphql)
  if grep -q '^subscription\b' "$query"; then left_out+=("$name"); else queries+=("$name"); fi
done
node "$here/queries.mjs" "http://$on_mocks/graphql" "$work/mocks" "${queries[@]}"
node "$here/queries.mjs" "http://$on_json_server/graphql" "$work/json-server" "${queries[@]}"

different=0
indented() { node -p 'JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf8")), null, 2)' <"$1"; }
echo "through the gateway:"
for name in "${queries[@]}"; do
  answer=$work/mocks/$name.json
  other=$work/json-server/$name.json
  if cmp -s "$answer" "$other"; then
    printf '  same     %-14s %6d bytes\n' "$name" "$(wc -c <"$answer")"
  else
    printf '  DIFFERS  %-14s (< mocks, > json-server)\n' "$name"
    diff <(indented "$answer") <(indented "$other") | sed 's/^/    /' || true
    different=1
  fi
done
for name in "${left_out[@]}"; do
  printf '  left out %-14s a subscription\n' "$name"
done

# The mutations went to both alike, so the rows must still be the same.
echo "without a gateway:"
node "$here/rest.mjs" "${mocks[@]}" "${json_servers[@]}" || different=1
exit $different
