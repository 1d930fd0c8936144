#!/bin/bash
# Measure how much of lib/ the native tests cover: functions, branches and MC/DC,
# by clang 19. Prints a table, everything that is not covered, and how many files
# passed: those whose only gaps are listed in lib/tests/coverage/exclusions.
# Usage: vm/coverage.sh       RECORD=1: also writes a section of vm/TESTS.md

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

began=$SECONDS
version=19	# the first with MC/DC of more than 6 conditions that Debian 12 has
out=$products/coverage
tests=$root/lib/tests

# Programs and arguments. Seeds are fixed, so that each run covers the same; the longer ones are
# shortened. Left out are robson_test, which does not call lib/, the searches, which visit millions
# of states and no additional branch, and tests with threads: their coverage depends on chance, and
# the counts that they lose falsify others, which are computed as differences.
programs=(
	"kunit_host --seed 1"
	recheck_test
	misuse_test
	bounds_test
	wrong_free_test
	cpus_test
	fault_test
	interleave_test
	"oracle_test --seed 1 --ops 600000"
	env_test
	runner_test
)

"$root/vm/setup.sh" native coverage
mkdir -p "$out"
lock "coverage-$(basename "$products")"

# Rebuild each time: clang reports code that it cannot measure only when it compiles.
build()
{
	local measure="-fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc"
	rm -rf "$out"
	mkdir -p "$out/raw"
	"clang-$version" -O1 -c -o "$out/exit.o" "$tests/coverage/exit.c"
	make -C "$tests" -j"$(nproc)" O="$out" SAN= CC="clang-$version" \
		CFLAGS="-g -O1 -DHOST_MCDC -Wno-parentheses-equality $measure" \
		LDFLAGS="-fprofile-instr-generate -Wl,--wrap=_exit,--wrap=abort $out/exit.o" \
		build 2>&1 | tee "$out/build.log"
}

run()
{
	local command
	export LLVM_PROFILE_FILE=$out/raw/%m.profraw
	for command in "${programs[@]}"; do
		# shellcheck disable=SC2086 # program and arguments
		"$out/"$command >"$out/${command%% *}.ktap" ||
			die "$command failed: $out/${command%% *}.ktap"
	done
}

export_counts()
{
	local command objects=()
	for command in "${programs[@]}"; do
		objects+=(-object "$out/${command%% *}")
	done
	"llvm-profdata-$version" merge -o "$out/merged" "$out"/raw/*.profraw
	"llvm-cov-$version" export -instr-profile="$out/merged" "${objects[@]}" \
		>"$out/export.json"
}

step "building the native tests with clang $version" "20 to 60 s" build
step "running them" "2 to 4 min" run
step "adding up" "5 s" export_counts
"$tests/coverage/report" --ktap "$out/coverage.ktap" "$out/export.json" \
	"$out/build.log" | tee "$out/report" || :
say "the whole took $((SECONDS - began)) s"
status=0
"$root/vm/ktap.py" --quiet "$out/coverage.ktap" || status=$?
RECORD_TEXT=$out/report record tests "make coverage" - "$out/coverage.ktap"
[ $status = 0 ]
