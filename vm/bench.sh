#!/bin/bash
# Measure the allocator beside others, print a table, write JSON and plots.
# Usage: vm/bench.sh LAB
#   uml      native speed: the newest available kernel source, as user mode Linux
#   kvm      native speed: a stock kernel under KVM; exits 77 where KVM does not work
#   icount   instructions: a stock kernel under an emulator that counts them; compared
#            with vm/bench/icount-baseline.json. Exits 1 if a shape is slower by more than 1 %
#            and vm/bench/reasons.conf has no reason for it
#   host     the core as a native program, against malloc libraries
#   scale    the core as a native program, with up to 512 CPUs and 1 TiB, both simulated
# SHAPES, ROUNDS: passed to 'myallocctl bench run'. BASELINE=1: icount adds new shapes to its
# baseline. The last line names the directory of the results. RECORD=1: also writes a section
# of vm/bench/RESULTS.md, unless SHAPES or ROUNDS select less than the whole.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

lab=${1:?usage: vm/bench.sh uml|kvm|icount|host}
out=$products/bench/$lab
kernel=${KERNEL:-6.12}
status=0
here=$root/vm/bench

# The packages belong to the system's python, which need not be the first in PATH.
plots()
{
	"$root/vm/setup.sh" plot
	step "drawing" "5 s" /usr/bin/python3 "$here/plot.py" "$out/result.json" "$out"
}

# guest KERNEL ACCEL CPUS ROUNDS [WORDS]: boot, run, copy the results to $out. Neither side clears
# memory unless asked to; and the kernel is loaded at a fixed address, so that the reserve is at the
# same address each time.
guest()
{
	local options="--rounds ${ROUNDS:-$4} ${5:-} ${SHAPES:+--shapes $SHAPES}"
	"$root/vm/tool.sh"
	mkdir -p "$out"
	printf '%s\n' "$options" >"$out/options"
	"$root/vm/run.sh" --kernel "$1" --accel "$2" --cpus "$3" --out "$out/guest" --show \
		--append "init_on_alloc=0 init_on_free=0 nowatchdog nokaslr" \
		--add "$out/options:guest/options" "$here/guest.sh"
	cp "$out/guest/files/result.json" "$out/result.json"
	cp "$out/guest/stdout" "$out/table.txt"
}

[ -z "${SHAPES:-}${ROUNDS:-}" ] || RECORD=

case $lab in
uml)
	guest bench auto 2 20
	plots
	;;
kvm)
	"$root/vm/setup.sh" guest
	tree=$("$root/vm/kernel.sh" "$kernel")
	if [ "$("$root/vm/accel.sh" "$tree/image")" != kvm ]; then
		say "KVM does not work on this machine: nothing was measured" \
		    "('make bench' and 'make bench-icount' need none)"
		exit 77
	fi
	guest "$kernel" kvm 2 20
	plots
	;;
icount)
	# A fixed number of operations and a fixed seed: the same instructions each time.
	guest "$kernel" icount 1 3 "--ops 2000 --seed 1"
	if [ -n "${BASELINE:-}" ]; then
		python3 "$here/icount.py" --add "$out/result.json" \
			"$here/icount-baseline.json"
		record bench icount "$out/result.json"
	else
		python3 "$here/icount.py" "$out/result.json" "$here/icount-baseline.json" |
			tee "$out/changes.txt" || status=$?
		record bench icount "$out/result.json" "$here/icount-baseline.json"
	fi
	plots
	;;
host)
	"$root/vm/setup.sh" native malloc
	mkdir -p "$out"
	step "building the native benchmark" "20 s" \
		make -C "$root/lib/bench" -j"$(nproc)" O="$products/bench/host-build" build
	python3 "$here/host.py" "$products/bench/host-build/host_bench" "$out/result.json" |
		tee "$out/table.txt"
	plots
	;;
scale)
	"$root/vm/setup.sh" native
	mkdir -p "$out"
	step "building" "40 s" make -C "$root/lib/tests" -j"$(nproc)" SAN= \
		O="$products/bench/scale-build" "$products/bench/scale-build/cpus_test"
	measure() { "$products/bench/scale-build/cpus_test" --figures >"$out/result.json"; }
	step "measuring zones of up to 1 TiB, whose metadata takes 5 GiB" "1 to 2 min" measure
	record scale "$out/result.json"
	;;
*)
	die "vm/bench.sh: no lab '$lab' (uml, kvm, icount, host, scale)"
	;;
esac
[ "$lab" = icount ] || [ "$lab" = scale ] || record bench "$lab" "$out/result.json"
if [ "${RECORD:-}" = 1 ]; then
	case $lab in
	uml)	cp "$out/ratios.svg" "$here/ratios.svg" ;;
	icount)	cp "$out/ratios.svg" "$here/instructions.svg" ;;
	esac
fi
say "results: $out"
[ "$status" = 0 ]
