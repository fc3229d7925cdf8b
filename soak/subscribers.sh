#!/usr/bin/env bash
# Ten thousand subscribers to one event source, over WebSockets from a process of their own, through a
# release build: how many connections the upstream has (one), what a subscriber takes in memory, how
# long an event takes to reach the last of them; then, that a subscriber who does not read delays no
# other and is told what it has lost. Prints a few lines; fails if an event is missing or delayed. Needs
# python3; BINARY=path takes another build, SUBSCRIBERS another number (at most what descriptors a
# process may have).
set -euo pipefail
cd "$(dirname "$0")/.."

source soak/start.sh
ulimit -n "$(ulimit -Hn)"

python3 soak/subscribers.py upstream >"$work/port" &
pids+=($!)
until [ -s "$work/port" ]; do sleep 0.1; done

mkdir -p "$work/project/schema" "$work/project/upstreams"
touch "$work/project/onedoor.toml"
echo "url = \"http://127.0.0.1:$(cat "$work/port")\"" >"$work/project/upstreams/ticks.toml"
cat >"$work/project/schema/ticks.graphql" <<'GRAPHQL'
type Query { ticks: Int @computed(cel: "0") }
type Subscription {
  tick: Tick @rest(upstream: "ticks", path: "/ticks") @events
  large: Tick @rest(upstream: "ticks", path: "/large") @events
}
type Tick { n: Int!  text: String! }
GRAPHQL
"$BINARY" serve --root "$work/project" --listen 127.0.0.1:0 >"$work/log" 2>&1 &
gateway=$!
pids+=("$gateway")
address() { sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/log" | head -1; }
until [ -n "$(address)" ]; do
  kill -0 "$gateway" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done

python3 soak/subscribers.py clients "$(address)" "$(cat "$work/port")" "$gateway" "${SUBSCRIBERS:-10000}"
