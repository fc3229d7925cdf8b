#!/usr/bin/env bash
# Streams 256 MiB down, up, and both ways at once through a release build, and prints the gateway's
# peak memory. Fails if a byte is missing or the peak is over LIMIT_MIB. Needs curl and python3;
# BINARY=path takes another build.
set -euo pipefail
cd "$(dirname "$0")/.."

SIZE=$((256 * 1024 * 1024))
LIMIT_MIB=${LIMIT_MIB:-64}

source soak/start.sh

# An upstream: GET sends SIZE bytes, PUT says how many came, POST sends back what comes as it comes.
cat >"$work/upstream.py" <<'PYTHON'
import http.server, sys

SIZE, PIECE = int(sys.argv[1]), 64 * 1024

class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def head(self, length):
        self.send_response(200)
        self.send_header("content-type", "application/octet-stream")
        self.send_header("content-length", str(length))
        self.end_headers()

    def pieces(self):
        left = int(self.headers["content-length"])
        while left:
            piece = self.rfile.read(min(PIECE, left))
            left -= len(piece)
            yield piece

    def do_GET(self):
        self.head(SIZE)
        for _ in range(SIZE // PIECE):
            self.wfile.write(b"x" * PIECE)

    def do_PUT(self):
        came = str(sum(map(len, self.pieces()))).encode()
        self.head(len(came))
        self.wfile.write(came)

    def do_POST(self):
        self.head(int(self.headers["content-length"]))
        for piece in self.pieces():
            self.wfile.write(piece)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
server.handle_error = lambda *_: None
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$work/upstream.py" "$SIZE" >"$work/port" &
pids+=($!)
until [ -s "$work/port" ]; do sleep 0.1; done

mkdir -p "$work/project/schema" "$work/project/upstreams"
echo 'type Query { size: Int @rest(upstream: "large", path: "/") }' >"$work/project/schema/query.graphql"
cat >"$work/project/upstreams/large.toml" <<TOML
url = "http://127.0.0.1:$(cat "$work/port")"
[[route]]
path = "/large"
to = "/"
auth = "none"
TOML
"$BINARY" serve --root "$work/project" --listen 127.0.0.1:0 >"$work/log" 2>&1 &
gateway=$!
pids+=("$gateway")
address() { sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/log" | head -1; }
until [ -n "$(address)" ]; do sleep 0.1; done
url="http://$(address)/large"

peak() { awk '/VmHWM/ {printf "%d", $2 / 1024}' "/proc/$gateway/status"; }
report() { printf '%-12s %s bytes, peak %s MiB\n' "$1" "$2" "$(peak)"; }
expect() { [ "$2" = "$SIZE" ] || { echo "$1: $2 bytes of $SIZE" >&2; exit 1; }; }

head -c "$SIZE" /dev/zero >"$work/body"
report "at rest" 0
down=$(curl -sf -o /dev/null -w '%{size_download}' "$url")
expect down "$down"; report down "$down"
up=$(curl -sf -X PUT -H 'expect:' -T "$work/body" "$url")
expect up "$up"; report up "$up"
both=$(curl -sf -X POST -H 'expect:' -T "$work/body" -o /dev/null -w '%{size_download}' "$url")
expect both "$both"; report "both ways" "$both"
# Somebody who reads slowly: 20 s of it, and what is not read yet must not be in the gateway.
slow=$(curl -s --limit-rate 4M --max-time 20 -o /dev/null -w '%{size_download}' "$url" || true)
report "slow reader" "$slow"

if [ "$(peak)" -gt "$LIMIT_MIB" ]; then
  echo "the gateway's peak is over $LIMIT_MIB MiB" >&2
  exit 1
fi
