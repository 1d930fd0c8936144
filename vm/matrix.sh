#!/bin/bash
# Run the tests on every leg of matrix.conf, and print a table of the results.
# Usage: vm/matrix.sh [LEG]...      all legs if none is named
# RECORD=1: also writes the rows of the legs that were run, in vm/TESTS.md and in README.md's table of
# kernels.

# shellcheck source=vm/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

results=$products/matrix
whole=$SECONDS
mkdir -p "$results"
: >"$results/table"
: >"$results/kernels"
: >"$results/skips"
failed=0 passed=0 ran=0

# kernel_facts KERNEL: print release, architecture and KiB of a page of the kernel in the cache
kernel_facts()
{
	local tree=$cache/kernel/$1 shift
	shift=$(sed -nE 's/^CONFIG_(ARM64_|PPC_)?PAGE_SHIFT=//p' "$tree/config" 2>/dev/null || true)
	use_arch "$(arch_of "$1")"
	echo "$(cat "$tree/release" 2>/dev/null || echo '-')" "${arch_debian:-um}" \
		$((1 << (${shift:-12} - 10)))
}

while read -r leg kernel parts settings <&3; do
	if [ $# -gt 0 ]; then
		case " $* " in *" $leg "*) ;; *) continue ;; esac
	fi
	say "==> leg $leg"
	began=$SECONDS
	log=$results/$leg.log
	# shellcheck disable=SC2086 # settings and parts are words
	env $settings KERNEL="$kernel" KUNIT_KERNEL="$kernel" DEMO_KERNEL="$kernel" \
		RESULTS="$results/$leg" RECORD="" \
		"$root/vm/test.sh" ${parts//,/ } </dev/null >"$log" || true
	line=$(tail -n 1 "$log")
	case $line in
	*" passed, "*) ;;
	*)	line="0 passed, 1 failed" ;;
	esac
	grep '^FAILED' "$log" >&2 || true
	sed -n "s/^skipped: /$leg &/p" "$log" >>"$results/skips"
	read -r p _ f _ s _ <<<"$line"
	passed=$((passed + p)) failed=$((failed + f)) ran=$((ran + 1))
	printf '%-14s %-45s %5d s\n' "$leg" "$line" $((SECONDS - began)) |
		tee -a "$results/table" >&2
	echo "$leg $(kernel_facts "$kernel") $p ${f%,} ${s:-0}" >>"$results/kernels"
done 3< <(grep -E '^[^# ]' "$root/vm/matrix.conf")

[ $ran -gt 0 ] || die "no leg of that name in vm/matrix.conf; there are:" \
	"$(awk '/^[^# ]/ { printf "%s ", $1 }' "$root/vm/matrix.conf")"
echo
cat "$results/table"
echo "$passed passed, $failed failed"
began=$whole
[ -z "${ONLY:-}" ] || RECORD=
record kernels "$results/kernels"
record matrix "$results/table" "$results/skips"
[ $failed = 0 ] && [ $passed -gt 0 ]
