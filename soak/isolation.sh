#!/usr/bin/env bash
# Nobody gets another's rows: 10,000 requests of 200 callers and of nobody, 256 at once, GraphQL and
# a plain path mixed, through a release build whose caches are warm, to an upstream that answers with
# whoever it is told asks. Prints one line; fails if any answer or any call is another's. Needs
# python3; BINARY=path takes another build, REQUESTS, CALLERS and CONCURRENCY other numbers.
set -euo pipefail
cd "$(dirname "$0")/.."

source soak/start.sh
# A connection a client, and as many to the upstream, at both ends.
ulimit -n "$(ulimit -Hn)"

python3 soak/isolation.py upstream >"$work/port" &
pids+=($!)
until [ -s "$work/port" ]; do sleep 0.1; done

mkdir -p "$work/project/schema" "$work/project/upstreams"
cat >"$work/project/onedoor.toml" <<'TOML'
[[auth.jwt]]
secret = "one secret of thirty-two bytes or more"
TOML
cat >"$work/project/upstreams/users.toml" <<TOML
url = "http://127.0.0.1:$(cat "$work/port")"
[identity]
headers = { x-user-id = "{claims.sub}" }
[[route]]
path = "/api/plain"
to = "/plain"
auth = "optional"
TOML
cat >"$work/project/schema/query.graphql" <<'GRAPHQL'
type Query {
  account: Account @rest(upstream: "users", path: "/account")
  private: Account @rest(upstream: "users", path: "/private")
  fresh(n: ID!): Account @rest(upstream: "users", path: "/fresh/{args.n}")
  rows(ids: [ID!]!): [Row]! @ref(key: "args.ids")
}
type Account { owner: String }
type Row @rest(upstream: "users", path: "/rows?id={keys}", batch: {by: "id"}) { owner: String }
GRAPHQL
"$BINARY" serve --root "$work/project" --listen 127.0.0.1:0 >"$work/log" 2>&1 &
gateway=$!
pids+=("$gateway")
address() { sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/log" | head -1; }
until [ -n "$(address)" ]; do
  kill -0 "$gateway" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done

python3 soak/isolation.py clients "$(address)" "$(cat "$work/port")"
