# shellcheck shell=dash
# Random commands on the live device, longer than in the scenario 'device': with several seeds,
# with and without all checks, on a large and on a small reserve. After each run the statistics
# must be as before. GUEST_OPS: commands of each thread in each run (20000).
# needs: timeout=3600
# allow: myalloc: .*cache
. /guest/ktap.sh

run=0
for options in "reserve_mb=64" "reserve_mb=64 checks=FZPU" "reserve_mb=4 chunk_order=6" \
	       "reserve_mb=16 policy=first"; do
	for threads in 3 8; do
		run=$((run + 1))
		what="$options, $threads threads"
		# shellcheck disable=SC2086 # options are words
		expect "$what: the module loads" insmod /guest/modules/myalloc.ko $options ||
			continue
		expect "$what: the benchmarks load" insmod /guest/modules/myalloc_bench.ko
		suite "fuzz-$run" ioctl_fuzz "${GUEST_OPS:-20000}" \
			"$(od -An -N4 -tu4 /dev/urandom)" $threads
		note "$what: $(grep '^# .* commands' "/out/ktap/fuzz-$run.ktap")"
		expect "$what: every invariant holds" myallocctl validate
		expect "$what: the benchmarks unload" rmmod myalloc_bench
		expect "$what: the module unloads" rmmod myalloc
	done
done
finish
