#!/bin/bash
# Measure which lines of mod/*.c the KUnit suites and the scenarios execute, in the kernel
# 'lockdep' with instrumented modules. Prints a table and every line that was not executed.
# Usage: vm/coverage-mod.sh       ONLY="a b": run only these scenarios
# RECORD=1: also writes a section of vm/TESTS.md, unless ONLY is given.
# Exit status 0: every test passed, and at least 90 % of the lines and every error exit were
# executed, except those that vm/coverage-mod.exclude lists with a reason.

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
