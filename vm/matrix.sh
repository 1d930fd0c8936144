#!/bin/bash
# Run the tests on every leg of matrix.conf, and print a table of the results.
# Usage: vm/matrix.sh [LEG]...      all legs if none is named
# RECORD=1: also writes a section of vm/TESTS.md, if all legs were run.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

results=$products/matrix
whole=$SECONDS
mkdir -p "$results"
: >"$results/table"
failed=0 passed=0 ran=0

while read -r leg kernel parts settings <&3; do
	if [ $# -gt 0 ]; then
		case " $* " in *" $leg "*) ;; *) continue ;; esac
	fi
	say "==> leg $leg"
	began=$SECONDS
	log=$results/$leg.log
	# shellcheck disable=SC2086 # settings and parts are words
	env $settings KERNEL="$kernel" KUNIT_KERNEL="$kernel" \
		RESULTS="$results/$leg" RECORD="" \
		"$root/vm/test.sh" ${parts//,/ } </dev/null >"$log" || true
	line=$(tail -n 1 "$log")
	case $line in
	*" passed, "*) ;;
	*)	line="0 passed, 1 failed" ;;
	esac
	grep '^FAILED' "$log" >&2 || true
	read -r p _ f _ <<<"$line"
	passed=$((passed + p)) failed=$((failed + f)) ran=$((ran + 1))
	printf '%-10s %-45s %5d s\n' "$leg" "$line" $((SECONDS - began)) |
		tee -a "$results/table" >&2
done 3< <(grep -E '^[^# ]' "$root/vm/matrix.conf")

[ $ran -gt 0 ] || die "no leg of that name in vm/matrix.conf"
echo
cat "$results/table"
echo "$passed passed, $failed failed"
began=$whole
[ $# = 0 ] || RECORD=
record matrix "$results/table"
[ $failed = 0 ] && [ $passed -gt 0 ]
