#!/bin/bash
# Search for errors longer and deeper than the tests do, and sum up the results.
# The last line says how many passed and failed.
# Usage: vm/proof.sh WHAT
#   exhaustive   every state of small worlds, every interleaving of short sequences, 10^8 requests
#                within a contract
#   fuzz         libFuzzer on pages, caches, fronts and the device, FUZZ_SECONDS (60) each
#   models       the lock-free parts as models, checked by spin, and as litmus tests for weakly
#                ordered machines, decided by herd7
#   tsan         the native suites, and threads that race, under ThreadSanitizer;
#                RACE_OPS (20000) operations of each thread
#   compilers    the native suites, built by several compilers with several options, and with
#                pages of 64 KiB under sanitizers
#   big-endian   the native suites built for s390x, run by qemu-user
# Results stay in the cache; MYALLOC_SEED repeats the random choices of a race. RECORD=1: also
# writes a section of vm/TESTS.md.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

what=${1:-}
results=$products/proof/$what
tests=$products/proof/tests
began=$SECONDS

build()
{
	step "building" "$1" make -C "$2" -j"$(nproc)" "${@:3}"
}

# result NAME COMMAND...: run a program that prints KTAP to stdout, and show it.
result()
{
	local status=0
	"${@:2}" | tee "$results/$1.ktap" >&2 || status=1
	return $status
}

case $what in
exhaustive)
	"$root/vm/setup.sh" native
	;;
fuzz)	"$root/vm/setup.sh" native fuzz ;;
models)	"$root/vm/setup.sh" native models ;;
tsan)	"$root/vm/setup.sh" native ;;
compilers) "$root/vm/setup.sh" native compilers ;;
big-endian) "$root/vm/setup.sh" native big-endian ;;
*)	die "vm/proof.sh: '$what' is not one of exhaustive, fuzz, models, tsan, compilers, big-endian" ;;
esac
lock "proof-$what-$(basename "$products")"
rm -rf "$results"
mkdir -p "$results"

status=0
case $what in
exhaustive)
	programs=(exhaustive_test slab_states_test interleave_test robson_test wrong_free_test
		  contract_test)
	build "20 s" "$root/lib/tests" O="$tests" "${programs[@]/#/$tests/}"
	say "==> every state, every interleaving (usually 3 to 10 min)"
	for program in "${programs[@]}"; do
		result "$program" "$tests/$program" --full || status=1
	done
	;;
fuzz)
	dir=$products/fuzz
	build "1 min" "$root/lib/fuzz" O="$dir" build fuzzers
	say "==> fuzzing, ${FUZZ_SECONDS:=60} s for each of three targets; crashes go to $dir/crash"
	result fuzz make -s -C "$root/lib/fuzz" O="$dir" SECONDS="$FUZZ_SECONDS" fuzz || status=1
	;;
models)
	say "==> searching the states of the models (usually 10 to 30 s)"
	result models "$root/lib/models/run" "$products/models" || status=1
	say "==> deciding the litmus tests with the kernel's memory model (usually 5 s)"
	result litmus "$root/lib/models/litmus/run" "$("$root/vm/herd.sh")" || status=1
	;;
tsan)
	tests+=-thread
	programs=(kunit_host env_test misuse_test fault_test race_test ring_race_test
		contract_race_test pool_test)
	build "1 min" "$root/lib/tests" SAN=thread O="$tests" "${programs[@]/#/$tests/}"
	say "==> suites and races under ThreadSanitizer (usually 2 to 4 min)"
	for program in "${programs[@]}"; do
		options=()
		[ "$program" != race_test ] || options=(--ops "${RACE_OPS:-20000}")
		"$tests/$program" "${options[@]}" >"$results/$program.ktap" || status=1
		say "    $program: $(grep -cE '^ *ok ' "$results/$program.ktap") results"
	done
	;;
compilers)
	programs=(kunit_host misuse_test fault_test)
	# Wrong for inlined functions that fail early; kernels disable it as well.
	quiet=-Wno-maybe-uninitialized
	while IFS='|' read -r name compiler flags lib_flags ld_flags more <&3; do
		# shellcheck disable=SC2086 # words
		build "20 s" "$root/lib/tests" SAN= O="$tests-$name" CC="$compiler" \
			CFLAGS="-g $flags" LIB_CFLAGS="$lib_flags" LDFLAGS="$ld_flags" $more \
			"${programs[@]/#/$tests-$name/}"
		for program in "${programs[@]}"; do
			"$tests-$name/$program" >"$results/$program-$name.ktap" || status=1
		done
		say "    $name: $(cat "$results"/*-"$name".ktap | grep -cE '^ *ok ') results"
	done 3<<-END
		gcc-O0|gcc|-O0||
		gcc-O2|gcc|-O2||
		gcc-O3|gcc|-O3 $quiet||
		gcc-O3-lto|gcc|-O3|-flto=auto $quiet|-O3 -flto=auto
		clang-14-O2|clang-14|-O2||
		clang-16-O2|clang-16|-O2||
		clang-19-O0|clang-19|-O0||
		clang-19-O3|clang-19|-O3||
		gcc-asan-64K|gcc|-O1|||SAN=address,undefined PAGE_SHIFT=16
	END
	;;
big-endian)
	tests+=-s390x
	programs=(kunit_host misuse_test fault_test recheck_test oracle_test)
	build "1 min" "$root/lib/tests" SAN= CC=s390x-linux-gnu-gcc O="$tests" \
		"${programs[@]/#/$tests/}"
	say "==> suites on an emulated big-endian machine (usually 2 to 5 min)"
	for program in "${programs[@]}"; do
		options=()
		[ "$program" != oracle_test ] || options=(--ops 100000)
		[ "$program" != kunit_host ] || options=(--timeout 0)
		qemu-s390x -L /usr/s390x-linux-gnu "$tests/$program" "${options[@]}" \
			>"$results/$program.ktap" || status=1
		say "    $program: $(grep -cE '^ *ok ' "$results/$program.ktap") results"
	done
	;;
esac

[ $status = 0 ] || say "$what FAILED; its results: $results"
say "the whole took $((SECONDS - began)) s"
"$root/vm/ktap.py" "$results"/*.ktap || status=1
record tests "make $what" - "$results"/*.ktap
exit $status
