#!/bin/bash
# Make the manual of the interface for kernel modules from the kernel-doc comments: a page for each
# function and structure, and myalloc.9 with a list of them.
# Usage: userspace-tool/man/api.sh KERNEL_DOC DIRECTORY
#   KERNEL_DOC   scripts/kernel-doc of a kernel's sources or headers

set -euo pipefail
shopt -s inherit_errexit

kernel_doc=${1:?usage: api.sh KERNEL_DOC DIRECTORY} to=${2:?usage: api.sh KERNEL_DOC DIRECTORY}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
changelog=$root/mod/packaging/changelog
version=$(sh "${changelog%/*}/version")
date=$(date -u +%F -d "$(sed -n '/^ -- /{s/.*>  //p;q}' "$changelog")")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Functions that modules can call; structures and inline functions of the public headers.
mapfile -t headers < <(cd "$root" && ls lib/myalloc.h mod/myalloc_client.h)
mapfile -t names < <(
	sed -n 's/^EXPORT(\(myalloc_[a-z0-9_]*\));$/\1/p' "$root/mod/exports.c"
	cd "$root" && sed -n 's/^ \* \(struct \|enum \)\?\(myalloc_[a-z0-9_]*\)\((.*)\)\? - .*/\2/p' \
		"${headers[@]}")
rooms=$(sed -n 's/^lib-rooms := //p' "$root/lib/rooms.mk")
mapfile -t sources < <(cd "$root" && {
	printf '%s\n' "${headers[@]}" mod/*.[ch]
	for room in $rooms; do printf '%s\n' "lib/$room"/*.[ch]; done
} | sort -u | xargs grep -lE '^/\*\*')
selected=()
for name in $(printf '%s\n' "${names[@]}" | sort -u); do
	selected+=(-function "$name")
done
# It warns of names that a file does not have.
(cd "$root" && for file in "${sources[@]}"; do
	perl "$kernel_doc" -man "${selected[@]}" "$file" 2>/dev/null || :
done) >"$tmp/all"

mkdir -p "$tmp/pages"
awk -v to="$tmp/pages" -v date="$date" -v version="$version" '
# A name of a structure is the second word of its heading, as "struct NAME". A function of the same
# name shares its page.
/^\.TH / {
	name = $0
	sub(/^\.TH "Kernel API" 9 "(struct |enum )?/, "", name)
	sub(/^\.TH "/, "", name)
	sub(/".*/, "", name)
	file = to "/" name ".9"
	headed = br = named = 0
	if (file in seen) {
		named = 1
		next
	}
	seen[file] = 1
	print ".\\\" SPDX-License-Identifier: GPL-2.0" >file
	printf ".TH %s 9 %s \"myalloc %s\" \"Kernel Developer'"'"'s Manual\"\n", toupper(name), \
		date, version >file
	next
}
named && /^\.SH NAME/ { getline; next }
# Blank lines, breaks before headings and blanks at the end are what lint warns of.
{ sub(/[ \t]+$/, ""); gsub(/\302\240/, " ") }
/^\.SH/ { gsub(/"/, ""); print toupper($0) >file; headed = 1; br = 0; next }
/^\.br$/ { br = 1; next }
/^$/ {
	if (!headed && !br)
		print ".PP" >file
	br = 0
	next
}
{
	if (br)
		print ".br" >file
	br = headed = 0
	if (/^(struct|enum) [a-z_0-9]+ \\- /)
		sub(/^[a-z]+ /, "")
	# The brace that ends a structure is on a line of its own.
	if (/^\.BI "$/)
		getline
	if (/^'"'"'/)
		$0 = "\\&" $0
	print >file
}' "$tmp/all"

for page in "$tmp"/pages/*.9; do
	{
		cat "$page"
		echo '.SH SEE ALSO'
		echo '.BR myalloc (9)'
	} >"$tmp/page"
	mv "$tmp/page" "$page"
done

{
	cat <<EOF
.\\" SPDX-License-Identifier: GPL-2.0
.TH MYALLOC 9 $date "myalloc $version" "Kernel Developer's Manual"
.SH NAME
myalloc \\- interface of the myalloc allocator for kernel modules
.SH SYNOPSIS
.nf
.B #include """myalloc_client.h"""
.PP
.B MYALLOC_IMPORT_NS(MYALLOC);
.fi
.SH DESCRIPTION
A module gets the zone with
.BR myalloc_zone_get (9)
and serves itself from it. Each page says in which contexts a function may be called and what it
returns. Build with the flags that
.B myallocctl buildinfo
prints. Functions that create something return an ERR_PTR when they fail; functions that allocate
return NULL.
.PP
Code that was written for kmem_cache includes
.I myalloc_kmem_compat.h
instead, which has functions with the arguments and results of those in
.IR linux/slab.h ,
and for a mempool. With
.B MYALLOC_KMEM_RENAME
defined before, the names kmem_cache_alloc(), KMEM_CACHE() and so on mean these, so that the code need
not be changed otherwise. The header says what differs; the example is
.IR kmem.c .
EOF
	for page in "$tmp"/pages/*.9; do
		name=$(basename "$page" .9)
		echo ".TP"
		echo ".BR ${name} (9)"
		sed -n '/^\.SH NAME/{n;s/^.* \\- //p;q}' "$page"
	done
	cat <<'EOF'
.SH SEE ALSO
.BR myalloc (7),
.BR myallocctl (8)
EOF
} >"$tmp/pages/myalloc.9"
mkdir -p "$to"
rm -f "$to"/*.9
cp "$tmp"/pages/*.9 "$to/"
