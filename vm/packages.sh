#!/bin/bash
# Try the Debian packages on a clean system: install them with apt in a chroot that has only
# Debian's base, DKMS and headers of kernels; check the modules that DKMS built; remove them.
# Usage: vm/packages.sh install|each|remove|path
#   install   a new chroot from the cached base, the packages, and an example client by DKMS
#   each      a KTAP test for each kernel of kernels.conf: DKMS has built for it, or does so now from
#             headers in the cache, which a newer Debian has; or the reason why it cannot
#   remove    purge all of it; fails if anything stays
#   path      print the directory of the chroot
# A chroot loads no modules: before 'remove', packages_guest.sh loads them in a guest that has the
# files as installed. So what is removed has never been loaded by the system that it is removed from.
# The first run fetches the base and the headers (3 min, 1 GB), later ones take the cached copy.

# shellcheck source=vm/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

what=${1:-}
kernels=(6.1 6.12 6.12-rt)
system=$products/chroot
case $what in
path)	echo "$system"; exit ;;
install|each|remove) ;;
*)	die "vm/packages.sh: '$what' is not one of install, each, remove, path" ;;
esac
"$root/vm/setup.sh" chroot
ask_password "to run a chroot"

# within DIR COMMAND...: run it in the chroot. It has a mount namespace of its own, so no mount
# stays on this machine, even after an error.
within()
{
	# shellcheck disable=SC2016 # for the inner shell
	as_root "to run a chroot" unshare --mount --fork sh -c '
		mount -t proc proc "$1/proc" && dir=$1 && shift && exec chroot "$dir" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"' sh "$@"
}

make_base()
{
	local dir=$1 suite archive packages=("${@:2}")
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	archive=$(debian_sources | awk -v suite="$suite" '$3 == suite && !n++ { print $2 }')
	[ -n "$archive" ] || return 1
	as_root "to run debootstrap" debootstrap --variant=minbase --include=kmod,ca-certificates \
		"$suite" "$dir" "$archive" || return 1
	debian_sources | as_root "to write sources.list" tee "$dir/etc/apt/sources.list" || return 1
	apt-config dump Acquire | grep -v '::proxy-auto-detect' |
		as_root "to write apt.conf" tee "$dir/etc/apt/apt.conf.d/90machine" || return 1
	within "$dir" apt-get "${apt_options[@]}" update || return 1
	within "$dir" apt-get "${apt_options[@]}" install --no-install-recommends dkms \
		"${packages[@]}" || return 1
	within "$dir" apt-get clean
}

# One base for each set of headers.
get_base()
{
	local headers=() name base partial
	for name in "${kernels[@]}"; do
		headers+=("linux-headers-$(cat "$("$root/vm/kernel.sh" "$name")/release")")
	done
	base=$cache/chroot/$(printf '%s\n' "${headers[@]}" | sha256sum | cut -c1-12).tar
	if [ ! -e "$base" ]; then
		partial=$cache/chroot/partial
		as_root "to remove an unfinished chroot" rm -rf "$partial"
		mkdir -p "$cache/chroot"
		step "fetching a base system with headers of ${#headers[@]} kernels" "2 to 4 min, once" \
			make_base "$partial" "${headers[@]}"
		step "packing it" "10 s" as_root "to pack a chroot" \
			tar -C "$partial" -cf "$base.new" .
		as_root "to remove a chroot" rm -rf "$partial"
		mv "$base.new" "$base"
	fi
	echo "$base"
}

# All names in the chroot but those that apt, dpkg and DKMS write for themselves.
names()
{
	as_root "to look at a chroot" find "$system" -xdev \
		\( -path "$system/proc" -o -path "$system/var/cache" -o -path "$system/var/lib/apt" \
		-o -path "$system/tmp" -o -path "$system/var/log" \) -prune -o -printf '%P\n' |
		grep -vE '^var/lib/dkms/(mok\.(key|pub)|dkms_dbversion)$|^var/lib/dpkg/[^/]*-old$' |
		grep -vE '^(usr/)?lib/modules/[^/]*/modules\.' | LC_ALL=C sort
}

# Show the output of apt only if it fails.
install_packages()
{
	local deb=$1 name release made version
	version=$(sh "$root/mod/packaging/version")
	as_root "to copy packages" cp "$deb"/myalloc-dkms_*.deb "$deb"/myalloc-dev_*.deb \
		"$deb"/myallocctl_*.deb "$system/tmp/" || return 1
	within "$system" sh -c "apt-get ${apt_options[*]} install --no-install-recommends /tmp/*.deb" ||
		return 1
	# A client that depends on myalloc, in a place where DKMS finds it and builds it after
	# myalloc.
	within "$system" cp -r /usr/share/doc/myalloc-dev/examples/frob /usr/src/frob-1.0 || return 1
	within "$system" dkms add frob/1.0 || return 1
	for name in "${kernels[@]}"; do
		release=$(cat "$("$root/vm/kernel.sh" "$name")/release")
		echo "=== $release"
		within "$system" dkms autoinstall -k "$release" || return 1
		within "$system" dkms status -k "$release"
		for made in myalloc myalloc_bench frob; do
			within "$system" modinfo -k "$release" -F filename "$made" || return 1
		done
		[ "$(within "$system" modinfo -k "$release" -F version myalloc)" = "$version" ] ||
			return 1
		within "$system" modinfo -k "$release" -F sig_key myalloc
		[ "$(within "$system" find "/lib/modules/$release/" -name 'myalloc*.ko*' | wc -l)" = 2 ] || {
			echo "DKMS has built other modules than myalloc and myalloc_bench"
			return 1
		}
		within "$system" myallocctl buildinfo --kernel "$release" || return 1
	done
}

# made_for RELEASE: DKMS has built both modules for it
made_for()
{
	local name found
	for name in myalloc myalloc_bench; do
		found=$(as_root "to look at a chroot" find "$system/var/lib/dkms/myalloc" \
			-path "*/$1/*" -name "$name.ko*")
		[ -n "$found" ] || return 1
	done
}

# build_newer TREE RELEASE: the packages of such headers require a newer compiler and C library, so
# nothing is installed; the copy in the cache is mounted at the path by which it refers to itself.
build_newer()
{
	local tree=$1 release=$2 status=0 place=$1
	while [ ! -d "$system$place" ]; do
		place=${place%/*}	# the deepest directory that exists
	done
	as_root "to mount in a chroot" mkdir -p "$system$tree" || return 1
	# shellcheck disable=SC2016 # for the inner shell
	as_root "to run a chroot" unshare --mount --fork sh -c '
		mount -t proc proc "$1/proc" && mount --bind "$2" "$1$2" && exec chroot "$1" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		dkms build "myalloc/$3" -k "$4" --kernelsourcedir "$2/build"' \
		sh "$system" "$tree" "$(sh "$root/mod/packaging/version")" "$release" || status=1
	# shellcheck disable=SC2016 # expanded by that shell
	[ "$place" = "$tree" ] || as_root "to clean a chroot" sh -c 'cd "$1" && rmdir -p "$2"' \
		sh "$system$place" "${tree#"$place"/}"
	[ $status = 0 ] && made_for "$release"
}

# try_each: see above
try_each()
{
	local name how machine tree release log=$system.each
	# shellcheck source=vm/guest/ktap.sh
	. "$root/vm/guest/ktap.sh"
	while read -ru 8 name how _ machine _; do
		if [ "$how" = source ]; then
			skip "DKMS builds for $name" "built from source: there is no package of headers"
			continue
		elif [ "$machine" != x86_64 ]; then
			skip "DKMS builds for $name" "DKMS builds for the machine that it runs on"
			continue
		elif ! tree=$("$root/vm/kernel.sh" "$name"); then
			not_ok "DKMS builds for $name" "its headers cannot be fetched"
			continue
		fi
		tree=$(readlink -f "$tree")
		release=$(cat "$tree/release")
		if made_for "$release" || build_newer "$tree" "$release" >"$log" 2>&1; then
			ok "DKMS builds for $name"
		else
			note "$(tail -n 20 "$log")"
			not_ok "DKMS builds for $name" "Linux $release: see $log"
		fi
	done 8< <(grep -E '^[^# ]' "$root/vm/kernels.conf")
	finish
}

remove_packages()
{
	within "$system" dkms remove frob/1.0 --all || return 1
	within "$system" rm -rf /usr/src/frob-1.0 || return 1
	within "$system" apt-get "${apt_options[@]}" purge --autoremove \
		myallocctl myalloc-dkms myalloc-dev || return 1
	names >"$system.after"
	if ! diff "$system.before" "$system.after" >"$system.diff"; then
		echo "the packages are purged, but the system is not as it was:"
		cat "$system.diff"
		return 1
	fi
}

lock "chroot-$(basename "$products")"
case $what in
install)
	deb=$("$root/vm/deb.sh")
	base=$(lock chroot-base; get_base)
	as_root "to remove a chroot" rm -rf "$system"
	mkdir -p "$system"
	step "unpacking the clean system" "10 s" as_root "to unpack a chroot" \
		tar -C "$system" -xf "$base"
	names >"$system.before"
	step "installing the packages; DKMS builds for ${#kernels[@]} kernels" "1 to 2 min" \
		install_packages "$deb"
	;;
each)	try_each ;;
remove)	step "removing the packages" "10 s" remove_packages
	as_root "to remove a chroot" rm -rf "$system"
	;;
esac
