#!/bin/bash
# Which lines of mod/*.c the KUnit suites and the scenarios execute, in the kernel 'lockdep'
# with modules that count. Prints a table and every line that was not executed.
# Usage: vm/coverage-mod.sh       ONLY="a b": of the scenarios, these
# RECORD=1: a section of vm/TESTS.md as well, without ONLY.
# Exit status 0: every test passed, at least 90 % of the lines and every error exit were
# executed, but for what vm/coverage-mod.exclude names with a reason.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kernel=lockdep
results=$products/coverage-mod
status=0
began=$SECONDS
RECORD="" GCOV=1 KERNEL=$kernel KUNIT_KERNEL=$kernel RESULTS=$results \
	"$root/vm/test.sh" kunit scenarios || status=1
"$root/vm/coverage_mod.py" --sources "$root" --exclude "$root/vm/coverage-mod.exclude" \
	--least 90 "$products/module" "$results" >"$results/report" || status=1
cat "$results/report"
[ -z "${ONLY:-}" ] || RECORD=
RECORD_TEXT=$results/report record tests "make coverage-mod" "$kernel" "$results"/*/*.ktap
exit $status
