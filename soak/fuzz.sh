#!/usr/bin/env bash
# Fuzzes one target after another, or the one that is named: bodies, answers, documents.
#   soak/fuzz.sh [TARGET] [SECONDS]      a finding ends it, with the input's path
# Needs cargo-fuzz (`cargo install cargo-fuzz`). What is found of use goes to soak/fuzz/corpus, which
# is not committed; it begins with soak/fuzz/seeds.
set -euo pipefail
cd "$(dirname "$0")/fuzz"
targets=(bodies answers documents)
[ $# -gt 0 ] && targets=("$1")
seconds=${2:-1800}
# Without a sanitizer, since there is no unsafe code for it to watch; and the stable toolchain has
# what cargo-fuzz asks for, if it is told to say so.
export RUSTC_BOOTSTRAP=1 ONEDOOR_CONSOLE=off
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target"
  printf '\n== %s, %s s\n' "$target" "$seconds"
  inputs=("corpus/$target" "seeds/$target")
  [ "$target" = documents ] && inputs+=(../../examples/queries)
  cargo fuzz run --fuzz-dir . --sanitizer none "$target" "${inputs[@]}" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=4096 -print_final_stats=1
done
