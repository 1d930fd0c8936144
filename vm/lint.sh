#!/bin/bash
# Check the sources without running them: checkpatch, kernel-doc and sparse for kernel code,
# the compiler's extra warnings, shellcheck, that calls and includes run one way
# (arrows.conf), that a function that another file calls has kernel-doc, that each letter of an
# invariant belongs to one file, that the text of each mutant occurs in its file, and that each fast
# path has one jump label of a trace event. Prints all findings; fails if there are any.
# Usage: vm/lint.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The source package carries checkpatch and kernel-doc; the headers packages do not.
name=lint pattern='linux-source-6\.12' arch=x86_64 fragments=
# shellcheck source=vm/apt.sh
. "$root/vm/apt.sh"
# shellcheck source=vm/kernel-source.sh
. "$root/vm/kernel-source.sh"

"$root/vm/setup.sh" lint source module
status=0
tree=$(lock source; get_source_tree)

say "==> shellcheck"
# Scripts that source a file of /guest run in the guest's busybox sh: dash with local.
mapfile -t guest < <(cd "$root" && grep -l '^\. /guest/' vm/*.sh; cd "$root" &&
	ls vm/guest/*.sh vm/scenarios/*.sh)
mapfile -t scripts < <(cd "$root" && grep -L '^\. /guest/' .ci/run vm/*.sh)
(cd "$root" && shellcheck -x -P . "${scripts[@]}") || status=1
(cd "$root" && shellcheck -s dash -P vm/guest -e SC1091,SC2034,SC3043 "${guest[@]}") || status=1

say "==> checkpatch --strict"
# All kernel code. Userspace includes the uapi headers and has no BIT().
checkpatch()
{
	(cd "$root" && perl "$tree/scripts/checkpatch.pl" --no-tree --strict --quiet \
		--terse --show-types --no-summary --max-line-length=100 "$@") || status=1
}
read -ra rooms < <(lib_rooms)
mapfile -t sources < <(cd "$root" &&
	find lib/*.h lib/env/kernel "${rooms[@]/#/lib/}" mod kunit -name '*.[ch]' \
		! -path 'mod/uapi/*' | sort)
checkpatch --file "${sources[@]}"
# stat_fields.h is a list for other macros, which checkpatch takes for statements.
mapfile -t sources < <(cd "$root" && find mod/uapi -name '*.h' ! -name stat_fields.h | sort)
checkpatch --ignore BIT_MACRO --file "${sources[@]}"

say "==> letters of invariants"
"$root/vm/letters.py" || status=1

say "==> kernel-doc -Wall"
# Its exit status is always 0.
mapfile -t documented < <(cd "$root" &&
	find lib mod -name '*.[ch]' ! -path 'lib/tests/*' ! -path 'lib/fuzz/*' ! -path 'lib/bench/*' |
	sort)
if (cd "$root" && perl "$tree/scripts/kernel-doc" -none -Wall "${documented[@]}" 2>&1) |
		grep -E '(warning|error):'; then
	status=1
fi

say "==> mutants apply"
"$root/lib/tests/mutants/run" -c || status=1

say "==> compiler, W=1, and sparse"
log=$products/lint.log
mkdir -p "$products"
# Build all of it again, also if the last build had the same flags.
find "$products/module/6.12/src" -name '*.o' -delete 2>/dev/null || :
rm -f "$products/module/6.12/key"
if ! V=1 KFLAGS='W=1 C=2' "$root/vm/module.sh" 6.12 >"$log" 2>&1; then
	status=1
	tail -n 40 "$log"
fi
if grep -E '(warning|error):' "$log"; then
	status=1
fi
say "==> arrows between rooms"
"$root/vm/tool.sh" >"$log" 2>&1 || { status=1; tail -n 40 "$log"; }
"$root/vm/arrows.py" "$root" "$root/vm/arrows.conf" "$products/module/6.12/src" \
	"userspace-tool=$products/tool/obj" || status=1
say "==> functions that other files call are documented"
"$root/vm/documented.py" "$root" "$products/module/6.12/src" || status=1
say "==> trace events that are off cost a nop"
"$root/vm/jump_labels.py" "$products/module/6.12/src/myalloc.o" || status=1
[ $status = 0 ] && say "no findings"
exit $status
