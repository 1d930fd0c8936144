#!/bin/bash
# Build what README.md prints in "From another module" as a reader would: extract the printed files,
# put them into a directory of their own and build them with the printed command. The functions
# use_*() become a second module, which calls each of them.
# Usage: vm/readme.sh KERNEL

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=${1:?usage: vm/readme.sh KERNEL}
kernel=$("$root/vm/kernel.sh" "$name")
myalloc=$("$root/vm/module.sh" "$name")
place=$products/readme/$name
lock "readme-$(basename "$products")-$name"
rm -rf "$place"
mkdir -p "$place"

# printed N: print the Nth block of code in that section
printed()
{
	awk -v want="$1" '
	/^#/ { here = $0 == "## From another module"; next }
	!here { next }
	/^    / { if (!block) nr++; block = 1 }
	/^[^ ]/ { block = 0 }
	block && nr == want { print substr($0, 5) }' "$root/README.md"
}

example=$root/mod/clients/frob
printed 1 >"$place/frob.c"
printed 2 >"$place/Kbuild"
# The file in the tree has a licence and a comment before the printed part.
if ! diff -B <(sed -n '/^#include/,$p' "$example/frob.c") "$place/frob.c" >&2 ||
	! diff -B "$example/Kbuild" "$place/Kbuild" >&2; then
	die "the example in README.md differs from mod/clients/frob"
fi
# The reader builds for the running kernel; ours, module and tool are in the cache.
printed 4 >"$place/uses.c.in"
uses=$(sed -n 's/^static int \(use_[a-z]*\)(struct myalloc_zone \*zone)$/\1/p' "$place/uses.c.in")
for use in heap arena ring pool blocks; do
	[[ " ${uses//$'\n'/ } " == *" use_$use "* ]] || die "README.md has no example use_$use()"
done
# Ten lines of code are enough for each.
long=$(awk '
/^static / { name = $0; nr = 0; next }
/^}/ && nr > 10 { print name ": " nr " lines" }
/[^ \t{}]/ { nr++ }' "$place/uses.c.in")
[ -z "$long" ] || die "README.md has an example of more than ten lines: $long"
{
	echo '#include <linux/module.h>'
	echo '#include "myalloc_client.h"'
	cat "$place/uses.c.in"
	echo 'static int __init uses_init(void)'
	echo '{'
	echo '	struct myalloc_zone *zone = myalloc_zone_get();'
	echo '	int err = zone ? 0 : -ENODEV;'
	for use in $uses; do
		echo "	err = err ?: $use(zone);"
	done
	echo '	myalloc_zone_put(zone);'
	echo '	return err ?: -EAGAIN;'	# nothing of it stays
	echo '}'
	echo 'module_init(uses_init);'
	echo 'MODULE_DESCRIPTION("Examples of README.md");'
	echo 'MODULE_LICENSE("GPL");'
	echo 'MYALLOC_IMPORT_NS(MYALLOC);'
} >"$place/uses.c"
echo 'obj-m += uses.o' >>"$place/Kbuild"
command=$(printed 3 | sed -e "s|/lib/modules/\$(uname -r)/build|$kernel/build|")
[[ $command == "make -C $kernel/build "* ]] ||
	die "README.md has no command that builds its example: '$command'"

"$root/vm/tool.sh"
log=$place/log

# build TREE: as the reader would, with what a tree of myalloc has
build()
{
	(cd "$place" && PATH=$products/tool:$PATH MYALLOC=$1 ARCH=$(cat "$kernel/arch") \
		PWD=$place sh -c "$command") >"$log" 2>&1
}

# Without the headers it must say what is missing.
if build /nonexistent ||
	! grep -q 'error: no myalloc_client.h found: MYALLOC=/nonexistent' "$log"; then
	tail -n 20 "$log" >&2
	die "the example builds without headers, or does not say that they are missing"
fi
build "$myalloc" || {
	tail -n 20 "$log" >&2
	die "the example of README.md does not build for the kernel '$name'"
}
# From Linux 7 on the kernel's build warns of another pahole than its own, or of none.
if grep -i 'warning' "$log" | grep -v '^warning: pahole version differs' >&2; then
	die "the example of README.md builds with warnings for the kernel '$name'"
fi
for made in frob uses; do
	[ -e "$place/$made.ko" ] || die "the example of README.md did not produce $made.ko"
done

# A failed create returns an ERR_PTR: each example that creates something must check for it.
for file in README.md mod/myalloc_client.h mod/clients/*.c mod/clients/*/*.c; do
	made=$(grep -cE '= myalloc_(cache|heap|arena|ring|pool)_create\(' "$root/$file" || :)
	looked=$(grep -c 'IS_ERR(' "$root/$file" || :)
	[ "$made" -le "$looked" ] ||
		die "$file creates something without checking for an error"
done
