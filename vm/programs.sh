#!/bin/bash
# Run real programs with the allocator as their malloc(), beside other malloc libraries: the output
# must be the same, and times and peak memory are a table.
# Usage: vm/programs.sh      ROUNDS (3), ONLY="name name": as for programs.py
# The last line says how many results passed and failed. RECORD=1: also writes a section of
# vm/bench/RESULTS.md, unless ROUNDS or ONLY select less than the whole.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=$products/programs
status=0
rm -rf "$out/results"
mkdir -p "$out/results"
# A copy, so that every round compiles the same sources even if the tree changes.
rm -rf "$out/src"
cp -r "$root/lib" "$out/src"

"$root/vm/setup.sh" native malloc programs
step "building the allocator as a malloc library" "20 s" \
	make -C "$out/src/host_malloc" -j"$(nproc)" O="$out/build" build
say "==> running programs (usually 10 min)"
"$root/vm/programs.py" "$root/vm/programs.conf" "$out/build/libmyalloc_malloc.so" \
	"$out/src" "$out/results" || status=1
[ -n "${ROUNDS:-}${ONLY:-}" ] || [ $status != 0 ] || record programs "$out/results/result.json"
say "results: $out/results"
"$root/vm/ktap.py" "$out/results/programs.ktap" || status=1
exit $status
