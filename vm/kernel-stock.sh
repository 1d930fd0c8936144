# shellcheck shell=bash
# get_stock: unpack a distribution kernel and the headers of exactly the same
# version into the cache. Sourced by kernel.sh, which sets:
# shellcheck disable=SC2154 # cache pattern arch place

suite=
case $pattern in
*@*)	suite=${pattern#*@} pattern=${pattern%@*} ;;
esac

# use_sources DEBIAN: use apt for packages of that architecture, of the suite that the pattern
# names.
use_sources()
{
	apt_private=()
	if [ "$1" != amd64 ]; then
		use_foreign "$1" "$suite"
	elif [ -n "$suite" ]; then
		use_suite "$suite"
	fi
}

# Print the images whose headers exist in the same version, the newest first.
find_stock()
{
	local image headers version
	while read -r image; do
		headers=${image/linux-image-/linux-headers-}
		version=$(version_of "$image")
		if [ -n "$version" ] && [ "$(version_of "$headers")" = "$version" ]; then
			echo "$image $headers $version"
		fi
	done < <(apt-cache "${apt_private[@]}" pkgnames linux-image- 2>/dev/null |
		 grep -E "^$pattern\$" | sort -rV)
}

# parts_of PACKAGE VERSION REGEX: print the packages of that name that it depends on.
parts_of()
{
	apt-cache "${apt_private[@]}" show "$1=$2" | sed -n 's/^Depends: //p' | head -n 1 |
		sed 's/[,|]/\n/g' | awk '{ print $1 }' | grep -E "^($3)\$" | sort -u
}

unpack_stock()
{
	local dir=$1 deb
	# Called in a condition, where a failing command does not end the function.
	mkdir -p "$dir/deb" "$dir/root" || return 1
	fetch_debs "$dir/deb" "${@:2}" || return 1
	for deb in "$dir"/deb/*.deb; do
		dpkg -x "$deb" "$dir/root" || return 1
	done
	rm -rf "$dir/deb"
}

# fetch_kbuild TREE FINAL PACKAGE: get the programs of kbuild for this machine's processor. Those of
# a newer suite need its C library, which is put beside them.
fetch_kbuild()
(
	tree=$1 final=$2 kbuild=$3 wanted=()
	use_sources amd64
	wanted=("$kbuild=$(version_of "$kbuild")")
	if [ -n "$suite" ]; then
		"$root/vm/setup.sh" newer
		wanted+=("libc6=$(version_of libc6)")
	fi
	unpack_stock "$tree/kbuild" "${wanted[@]}" || return 1
	mkdir -p "$tree/root/usr/lib" || return 1
	cp -a "$tree"/kbuild/root/usr/lib/linux-kbuild-* "$tree/root/usr/lib/" || return 1
	[ -n "$suite" ] || return 0
	find "$tree"/root/usr/lib/linux-kbuild-* -type f -perm /1 | while read -r program; do
		if readelf -lW "$program" 2>/dev/null | grep -q 'program interpreter'; then
			patchelf --force-rpath \
				--set-rpath "$final/kbuild/root/usr/lib/x86_64-linux-gnu" \
				--set-interpreter "$final/kbuild/root/usr/lib64/ld-linux-x86-64.so.2" \
				"$program" || return 1
		fi
	done
)

# The headers refer to each other by absolute path; make them work in any
# directory. $2 is the final location of the tree.
relocate_headers()
{
	local headers=$1 final=$2
	sed -i -E "s,^(include |KBUILD_OUTPUT=)/usr/src/,\1$final/root/usr/src/," \
		"$headers/Makefile"
	if grep -qE "(^|[ =])/usr/" "$headers/Makefile"; then
		die "the headers package names other paths than this script knows: " \
		    "$(cat "$headers/Makefile")"
	fi
	# A newer suite names a newer compiler. The compiler of this machine builds a module for its
	# kernels, too, without options that it lacks: another option aligns functions then.
	if [ -n "$suite" ]; then
		sed -i '/^CC = /d' "$headers/.kernelvariables"
		sed -i '/^CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=/d' "$headers/include/config/auto.conf"
		sed -i '/^#define CONFIG_CC_HAS_COUNTED_BY/d' "$headers/include/generated/autoconf.h"
	fi
	# Needed only for BTF, which requires an additional tool and is of no use
	# in a guest.
	rm -f "$headers/vmlinux"
}

# fetch_stock IMAGE HEADERS VERSION: make $tree of these. Status 2: the archive does not have them.
fetch_stock()
{
	local image=$1 headers=$2 version=$3 parts=() kbuild='' part temporary release boots
	release=${image#linux-image-}
	tree=$cache/stock/${image}_$version
	[ ! -e "$tree/release" ] || return 0
	for part in $(parts_of "$headers" "$version" 'linux-(headers-.*common.*|kbuild-.*)') \
		    $(parts_of "$image" "$version" 'linux-(binary|base)-[0-9].*'); do
		case $part in
		linux-kbuild-*)	kbuild=$part ;;
		*)		parts+=("$part=$(version_of "$part")") ;;
		esac
	done
	temporary=$tree.partial
	rm -rf "$temporary"
	mkdir -p "$temporary"
	step "fetching the kernel $release ($version)" "5 to 60 s" unpack_stock "$temporary" \
		"$image=$version" "$headers=$version" "${parts[@]}" || return 2
	step "fetching kbuild for this machine" "5 s" fetch_kbuild "$temporary" "$tree" "$kbuild" ||
		return 2
	relocate_headers "$temporary/root/usr/src/linux-headers-$release" "$tree"
	[ -e "$temporary/root/usr/src/linux-headers-$release/scripts/Makefile.build" ] ||
		die "the package $headers has no link to the scripts of ${kbuild:-a package linux-kbuild}"
	boots=$(cd "$temporary" && find "root/boot/vmlinuz-$release" "root/boot/vmlinux-$release" \
		"root/usr/lib/modules/$release/vmlinuz" 2>/dev/null | head -n 1) || true
	[ -n "$boots" ] || die "the package $image contains no kernel that this script knows"
	ln -s "$boots" "$temporary/image"
	ln -s "root/usr/src/linux-headers-$release" "$temporary/build"
	ln -s "root/boot/config-$release" "$temporary/config"
	[ -e "$temporary/config" ] || ln -sfn build/.config "$temporary/config"
	# Debian's modules fill 70 MB, and the guest uses none of them.
	rm -rf "$temporary/root/lib/modules/$release/kernel" \
		"$temporary/root/usr/lib/modules/$release/kernel"
	echo "$arch" >"$temporary/arch"
	echo "$release" >"$temporary/release"
	rm -rf "$tree"
	mv "$temporary" "$tree"
}

# The lists may be older than the archive, or newer than a part of it: if so, refresh the lists, and
# then try the version before the newest.
get_stock()
{
	local found line words tree='' status=1
	need_debian "packages named $pattern"
	use_arch "$arch"
	use_sources "$arch_debian"
	found=$(find_stock)
	if [ -z "$suite" ] && [ -z "$arch_cross" ] &&
	   { [ "${UPDATE:-0}" = 1 ] || [ -z "$found" ]; }; then
		apt_update
		found=$(find_stock)
	fi
	[ -n "$found" ] || die "the package sources of this machine have no kernel named" \
		"$pattern with headers of the same version"
	while read -ru 9 line; do
		read -ra words <<<"$line"
		status=0
		fetch_stock "${words[@]}" || status=$?
		[ $status = 2 ] || break
		if [ -z "$suite" ] && [ -z "$arch_cross" ] && [ "$lists_refreshed" = 0 ]; then
			apt_update
			get_stock
			return
		fi
		say "    the archive lacks a file of ${words[0]}; the version before may be whole"
	done 9< <(head -n 2 <<<"$found")
	[ $status = 0 ] || die "the archive lacks files of the kernels named $pattern"
	ln -sfn "$tree" "$place.new"
	mv -T "$place.new" "$place"
}
