#!/bin/bash
# Install parts of the project, or remove them. Used by 'make install', 'make
# uninstall' and debian/rules, so that packages and machines get the same files.
# Usage: mod/packaging/install.sh PART...
#   tool       $BUILT/myallocctl, man pages, completion, examples for modprobe.d and modules-load.d
#   dev        headers and examples for modules that use myalloc, their man pages
#   source     sources for DKMS, in /usr/src/myalloc-VERSION
#   modules    $MODULES/*.ko for the kernel $RELEASE, and Module.symvers
#   uninstall  remove the files that the manifest lists
# DESTDIR: a directory to install into instead of /. PREFIX: /usr/local.
# MANIFEST: a file in DESTDIR that lists each file and directory that was created; empty for none.
# BUILT: where the tool and the man pages were built. MODULES: where the modules were.

set -euo pipefail
shopt -s nullglob

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr/local}
MANIFEST=${MANIFEST-$PREFIX/lib/myalloc/manifest}
version=$(sh "$here/version")
installed=()

# directory PATH: create it, and remember which of its parents had to be created
directory()
{
	[ ! -d "$DESTDIR$1" ] || return 0
	if [ "$1" = / ]; then
		mkdir -p "$DESTDIR/"
		return
	fi
	directory "$(dirname "$1")"
	mkdir -m 755 "$DESTDIR$1"
	installed+=("$1/")
}

# put MODE FILE PATH: install a file
put()
{
	directory "$(dirname "$3")"
	install -m "$1" "$2" "$DESTDIR$3"
	installed+=("$3")
}

# put_tree FROM TO: install the files below a directory
put_tree()
{
	local file mode
	while read -r file; do
		mode=644
		[ ! -x "$1/$file" ] || mode=755
		put $mode "$1/$file" "$2/$file"
	done < <(cd "$1" && find . -type f \( -name '*.[ch]' -o -name Kbuild -o -name '*.conf' \) \
		-printf '%P\n' | LC_ALL=C sort)
}

man_pages()
{
	local page
	for page; do
		put 644 "$page" "$PREFIX/share/man/man${page##*.}/$(basename "$page")"
	done
}

part_tool()
{
	local doc=$PREFIX/share/doc/myallocctl/examples
	put 755 "${BUILT:?}/myallocctl" "$PREFIX/bin/myallocctl"
	man_pages "$BUILT"/*.[478]
	put 644 "$BUILT/myallocctl.bash" "$PREFIX/share/bash-completion/completions/myallocctl"
	put 644 "$here/examples/modprobe.conf" "$doc/modprobe.d/myalloc.conf"
	put 644 "$here/examples/modules-load.conf" "$doc/modules-load.d/myalloc.conf"
}

# Headers that myalloc_client.h and myalloc_kmem_compat.h include, and the device's headers.
part_dev()
{
	local to=$PREFIX/include/myalloc header
	for header in myalloc_client.h myalloc_kmem_compat.h compat.h stat.h; do
		put 644 "$root/mod/$header" "$to/mod/$header"
	done
	put 644 "$root/lib/myalloc.h" "$to/lib/myalloc.h"
	put_tree "$root/mod/uapi" "$to/mod/uapi"
	put_tree "$root/mod/clients/frob" "$PREFIX/share/doc/myalloc-dev/examples/frob"
	for header in example web packets frame_loop kmem; do
		put 644 "$root/mod/clients/$header.c" \
			"$PREFIX/share/doc/myalloc-dev/examples/$header.c"
	done
	man_pages "${BUILT:?}"/*.9
}

part_source()
{
	local to=/usr/src/myalloc-$version room
	sed "s/#MODULE_VERSION#/$version/" "$here/myalloc-dkms.dkms" >"${TMPDIR:-/tmp}/dkms.conf.$$"
	put 644 "${TMPDIR:-/tmp}/dkms.conf.$$" "$to/dkms.conf"
	rm -f "${TMPDIR:-/tmp}/dkms.conf.$$"
	put 644 "$root/Kbuild" "$to/Kbuild"
	put 644 "$root/lib/rooms.mk" "$to/lib/rooms.mk"
	put 644 "$here/changelog" "$to/mod/packaging/changelog"
	put 755 "$here/version" "$to/mod/packaging/version"
	put 755 "$here/keep-symvers" "$to/mod/packaging/keep-symvers"
	for room in "$root"/lib/*.h "$root"/lib/env/*.h; do
		put 644 "$room" "$to/lib/${room#"$root"/lib/}"
	done
	for room in $(sed -n 's/^lib-rooms := //p' "$root/lib/rooms.mk") env/kernel; do
		put_tree "$root/lib/$room" "$to/lib/$room"
	done
	for room in "$root"/mod/*.[ch]; do
		put 644 "$room" "$to/mod/$(basename "$room")"
	done
	for room in "$root"/mod/*/; do
		case $(basename "$room") in
		clients|packaging) ;;
		*)	put_tree "${room%/}" "$to/mod/$(basename "$room")" ;;
		esac
	done
}

part_modules()
{
	local module
	for module in myalloc myalloc_bench; do
		put 644 "${MODULES:?}/$module.ko" "/lib/modules/${RELEASE:?}/updates/$module.ko"
	done
	put 644 "$MODULES/Module.symvers" "$PREFIX/lib/myalloc/$RELEASE/Module.symvers"
}

# Each line of the manifest is a file, or a directory if it ends with a slash.
write_manifest()
{
	[ -n "$MANIFEST" ] || return 0
	directory "$(dirname "$MANIFEST")"
	{
		[ ! -e "$DESTDIR$MANIFEST" ] || cat "$DESTDIR$MANIFEST"
		printf '%s\n' "${installed[@]}" "$MANIFEST"
	} | LC_ALL=C sort -u >"$DESTDIR$MANIFEST.new"
	mv "$DESTDIR$MANIFEST.new" "$DESTDIR$MANIFEST"
}

uninstall()
{
	local lines=() line
	if [ -z "$MANIFEST" ] || [ ! -e "$DESTDIR$MANIFEST" ]; then
		echo "error: nothing to remove: there is no $DESTDIR$MANIFEST;" \
		     "name the PREFIX and DESTDIR of 'make install'" >&2
		exit 1
	fi
	mapfile -t lines < <(LC_ALL=C sort -r "$DESTDIR$MANIFEST")
	for line in "${lines[@]}"; do
		case $line in
		*/)	;;
		*)	rm -f "$DESTDIR$line" ;;
		esac
	done
	# In reverse order a directory comes after its contents.
	for line in "${lines[@]}"; do
		case $line in
		*/)	[ ! -d "$DESTDIR$line" ] ||
				rmdir --ignore-fail-on-non-empty "$DESTDIR$line" ;;
		esac
	done
}

[ $# -gt 0 ] || { sed -n '2,/^$/s/^# \?//p' "$0" >&2; exit 2; }
for part; do
	case $part in
	tool|dev|source|modules)	"part_$part" ;;
	uninstall)	uninstall; exit ;;
	*)	echo "error: no part '$part'; there are tool, dev, source, modules, uninstall" >&2
		exit 2 ;;
	esac
done
write_manifest
