# Sourced at the repository's root. BINARY: a release build, unless another is named; work: a folder
# that goes at the end; pids: what runs until then.
BINARY=${BINARY:-}
if [ -z "$BINARY" ]; then
  cargo build --release --locked
  BINARY=target/release/onedoor
fi
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
