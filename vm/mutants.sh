#!/bin/bash
# Put each deliberate bug of lib/tests/mutants/list into a copy of lib/, one at a
# time, and check that the native tests find it. The last line says how many were
# found and how many were not.
# Usage: vm/mutants.sh [option of lib/tests/mutants/run]...
# RECORD=1: also writes a section of vm/TESTS.md, if there was no option.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$root/vm/setup.sh" native models
herd=$("$root/vm/herd.sh")
mkdir -p "$products/mutants"
lock "mutants-$(basename "$products")"
say "==> trying each bug of lib/tests/mutants/list (usually 3 to 10 min)"
began=$SECONDS
"$root/lib/tests/mutants/run" -d "$products/mutants" -H "$herd" "$@" |
	tee "$products/mutants/mutants.ktap" || :
say "the whole took $((SECONDS - began)) s"
status=0
"$root/vm/ktap.py" --quiet "$products/mutants/mutants.ktap" || status=$?
[ $# = 0 ] || RECORD=
record tests "make mutants" - "$products/mutants/mutants.ktap"
[ $status = 0 ]
