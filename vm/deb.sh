#!/bin/bash
# Build the Debian packages myalloc-dkms, myallocctl and myalloc-dev, and check them with lintian;
# print their directory. They are built again only if a source has changed.
# Usage: vm/deb.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$root/vm/setup.sh" package
place=$products/deb
lock "deb-$(basename "$products")"
mkdir -p "$place/tree"
rsync -rlpc --delete --exclude=/debian --exclude=/built \
	--exclude='/lib/tests/' --exclude='/lib/fuzz/' --exclude='/lib/bench/' --exclude='/lib/models/' \
	"$root/Kbuild" "$root/COPYING" "$root/README.md" "$root/lib" "$root/mod" "$root/userspace-tool" \
	"$place/tree/"
# The tests of the tool use one header of theirs.
rsync -rlpc "$root/lib/tests/" --include='*.h' --exclude='*' "$place/tree/lib/tests/"
key=$(cd "$place/tree" && find . -path ./built -prune -o -type f -print0 | LC_ALL=C sort -z |
	xargs -0 sha256sum | sha256sum)
if [ "$(cat "$place/key" 2>/dev/null)" = "$key" ]; then
	echo "$place"
	exit 0
fi
rm -rf "$place/key" "$place"/*.deb "$place/tree/built" "$place/tree/debian"
ln -s mod/packaging "$place/tree/debian"

# A package of kernel headers also has kernel-doc.
kernel=$("$root/vm/kernel.sh" 6.12)
build_packages()
{
	(cd "$place/tree" && KERNEL_DOC=$kernel/build/scripts/kernel-doc \
	 dpkg-buildpackage --build=binary --unsigned-changes --no-pre-clean)
}

check_packages()
{
	# shellcheck disable=SC2046 # one word a file
	lintian --allow-root --display-info --fail-on error,warning,info --tag-display-limit 0 \
		$(find "$place" -maxdepth 1 -name '*.changes')
}

rm -f "$place"/*.changes "$place"/*.buildinfo
step "building the Debian packages" "30 s to 2 min" build_packages
step "looking at them with lintian" "10 to 80 s" check_packages
# Files that the build left in the copied tree must not reach the next build.
find "$place/tree/debian/" -mindepth 1 -maxdepth 1 \( -name '*.substvars' -o -name '*.debhelper*' \
	-o -name files -o -name .debhelper -o -name 'myalloc*' -type d \) -exec rm -rf {} +
echo "$key" >"$place/key"
echo "$place"
