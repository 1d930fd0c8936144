#!/bin/bash
# Compare the versions of the products with the version at the top of the packages' changelog,
# which is the source of all of them.
# Usage: vm/version.sh KERNEL

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=${1:?usage: vm/version.sh KERNEL}
changelog=$root/mod/packaging/changelog
status=0

# told WHO VERSION
told()
{
	if [ "$2" != "$version" ]; then
		say "$1 has version '$2', mod/packaging/changelog '$version'"
		status=1
	fi
}

IFS='() ' read -r package version _ <"$changelog"
[[ $package = myalloc && $version =~ ^[0-9][0-9A-Za-z.~+-]*$ ]] ||
	die "mod/packaging/changelog begins with no version: '$package' '$version'"
# Each entry ends with author and date; no version occurs twice.
entries=$(sed -n 's/^myalloc (\([^)]*\)) [a-z]*; urgency=[a-z]*$/\1/p' "$changelog")
[ "$(grep -c '^[^ ]' "$changelog")" = "$(wc -l <<<"$entries")" ] ||
	die "mod/packaging/changelog has a line that begins no entry"
[ "$(grep -cE '^ -- .+ <.+@.+>  [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [+-][0-9]{4}$' \
	"$changelog")" = "$(wc -l <<<"$entries")" ] ||
	die "mod/packaging/changelog: an entry does not end in ' -- NAME <ADDRESS>  DATE'"
[ -z "$(sort <<<"$entries" | uniq -d)" ] || die "mod/packaging/changelog has a version twice"

modules=$("$root/vm/module.sh" "$name")
told myalloc.ko "$(readelf -p .modinfo "$modules/myalloc.ko" |
	sed -n 's/^ *\[[ 0-9a-f]*\]  version=//p')"
"$root/vm/tool.sh"
told myallocctl "$("$products/tool/myallocctl" --version | sed -n 's/^myallocctl \([^ ]*\) .*/\1/p')"
exit $status
