# shellcheck shell=bash
# get_stock: unpack a distribution kernel and the headers of exactly the same
# version into the cache. Sourced by kernel.sh, which sets:
# shellcheck disable=SC2154 # cache pattern arch place

# Find the newest image whose headers exist in the same version.
find_stock()
{
	local image headers version
	while read -r image; do
		headers=${image/linux-image-/linux-headers-}
		version=$(version_of "$image")
		if [ -n "$version" ] && [ "$(version_of "$headers")" = "$version" ]; then
			echo "$image $headers $version"
			return 0
		fi
	done < <(apt-cache "${apt_private[@]}" pkgnames linux-image- 2>/dev/null |
		 grep -E "^$pattern\$" | sort -rV)
	return 1
}

# Print the packages that the headers package needs in addition.
header_parts()
{
	apt-cache "${apt_private[@]}" show "$1=$2" | sed -n 's/^Depends: //p' | head -n 1 |
		sed 's/[,|]/\n/g' | awk '{ print $1 }' |
		grep -E '^linux-(headers-.*common.*|kbuild-.*)$' | sort -u
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

# The programs of kbuild for this machine's processor, of the version that the headers name.
unpack_kbuild()
{
	apt_private=()
	unpack_stock "$@"
}

# The headers refer to each other by absolute path; make them work in any
# directory. $2 is the final location of the tree.
relocate_headers()
{
	local headers=$1 final=$2
	sed -i "s|^include /usr/src/|include $final/root/usr/src/|" \
		"$headers/Makefile"
	if grep -q "include /usr/" "$headers/Makefile"; then
		die "the headers package names other paths than this script knows: " \
		    "$(cat "$headers/Makefile")"
	fi
	# Needed only for BTF, which requires an additional tool and is of no use
	# in a guest.
	rm -f "$headers/vmlinux"
}

get_stock()
{
	local found image headers version parts kbuild part tree temporary release
	need_debian "packages named $pattern"
	use_arch "$arch"
	[ -z "$arch_cross" ] || use_foreign "$arch_debian"
	if [ "${UPDATE:-0}" = 1 ] || ! found=$(find_stock); then
		apt_update
		found=$(find_stock) ||
			die "the package sources of this machine have no kernel named" \
			    "$pattern with headers of the same version"
	fi
	read -r image headers version <<<"$found"
	release=${image#linux-image-}
	tree=$cache/stock/${image}_$version
	if [ ! -e "$tree/release" ]; then
		parts=() kbuild=()
		for part in $(header_parts "$headers" "$version"); do
			case $part in
			linux-kbuild-*)	[ -z "$arch_cross" ] || { kbuild=("$part=$version"); continue; } ;;
			esac
			parts+=("$part=$(version_of "$part")")
		done
		temporary=$tree.partial
		rm -rf "$temporary"
		mkdir -p "$temporary"
		if ! step "fetching the kernel $release ($version)" "5 to 60 s" \
			unpack_stock "$temporary" \
			"$image=$version" "$headers=$version" "${parts[@]}"; then
			# The lists may be older than the archive.
			[ "$lists_refreshed" = 0 ] || return 1
			apt_update
			get_stock
			return
		fi
		[ ${#kbuild[@]} = 0 ] || (step "fetching kbuild for this machine" "5 s" \
			unpack_kbuild "$temporary" "${kbuild[@]}")
		relocate_headers "$temporary/root/usr/src/linux-headers-$release" "$tree"
		ln -s "root/boot/vmlinuz-$release" "$temporary/image"
		ln -s "root/boot/config-$release" "$temporary/config"
		ln -s "root/usr/src/linux-headers-$release" "$temporary/build"
		# Debian's modules fill 70 MB, and the guest uses none of them.
		rm -rf "$temporary/root/lib/modules/$release/kernel"
		echo "$arch" >"$temporary/arch"
		echo "$release" >"$temporary/release"
		rm -rf "$tree"
		mv "$temporary" "$tree"
	fi
	ln -sfn "$tree" "$place.new"
	mv -T "$place.new" "$place"
}
