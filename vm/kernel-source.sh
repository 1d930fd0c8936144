# shellcheck shell=bash
# get_source: build a kernel from a Debian source package, with the options of
# the named fragments and nothing else. Sourced by kernel.sh, which sets:
# shellcheck disable=SC2154 # root cache name pattern arch fragments place

suite=
case $pattern in
*@*)	suite=${pattern#*@} pattern=${pattern%@*} ;;
esac

fragment_files()
{
	local fragment
	for fragment in $fragments; do
		echo "$root/vm/config/$fragment.config"
	done
}

# The inputs of a finished build. Does not ask apt: an existing kernel stays
# until UPDATE=1 asks for a newer one. Comments do not count.
source_key()
{
	# shellcheck disable=SC2046 # one word a file
	{ echo "$pattern $arch"; grep -h '^CONFIG_' $(fragment_files); } |
		sha256sum | cut -c1-16
}

unpack_source()
{
	local dir=$1 deb
	mkdir -p "$dir/deb" || return 1
	fetch_debs "$dir/deb" "$2" || return 1
	deb=$(echo "$dir"/deb/*.deb)
	# The package holds one tar file; pipe it rather than store it.
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ --strip-components=1 -C "$dir" || return 1
	rm -rf "$dir/deb"
}

# Print the packages of that name and their versions, the newest first; only the newest package of a
# name is in the lists of most suites, so the version before it has another name.
find_sources()
{
	local package
	apt-cache "${apt_private[@]}" pkgnames 2>/dev/null | grep -E "^$pattern\$" | sort -rV |
		while read -r package; do
			apt-cache "${apt_private[@]}" madison "$package" |
				awk '$NF == "Packages" && !seen[$3]++ { print $1, $3 }'
		done
}

# Print the directory of the unpacked source. Several kernels share one. The lists may be older than
# the archive, or newer than a part of it: then they are refreshed, and then the version before is
# taken.
get_source_tree()
{
	local package version tree found sources
	# Kept unless UPDATE=1 asks for a newer one.
	if [ "${UPDATE:-0}" != 1 ]; then
		found=$(find "$cache/source" -mindepth 1 -maxdepth 1 -printf '%f\n' \
			2>/dev/null | grep -E "^${pattern}_" | grep -v '\.partial$' |
			sort -V | tail -n 1) || true
		if [ -n "$found" ]; then
			echo "$cache/source/$found"
			return
		fi
	fi
	need_debian "the package $pattern"
	[ -z "$suite" ] || use_suite "$suite"
	sources=$(find_sources) || true
	if [ -z "$sources" ] && [ -z "$suite" ]; then
		apt_update
		sources=$(find_sources) || true
	fi
	[ -n "$sources" ] ||
		die "the package sources of this machine have no package $pattern"
	while read -ru 9 package version; do
		tree=$cache/source/${package}_$version
		if [ -d "$tree" ]; then
			echo "$tree"
			return
		fi
		rm -rf "$tree.partial"
		if step "fetching and unpacking $package ($version), 150 MB" \
			"40 to 120 s" unpack_source "$tree.partial" "$package=$version"; then
			mv "$tree.partial" "$tree"
			echo "$tree"
			return
		fi
		rm -rf "$tree.partial"
		if [ "$lists_refreshed" = 0 ] && [ -z "$suite" ]; then
			apt_update
			get_source_tree
			return
		fi
		say "    the archive lacks $package ($version)"
	done 9< <(head -n 2 <<<"$sources")
	die "the archive lacks the source package of the kernel, and the version before it"
}

# configure TREE BUILD: allnoconfig, then the fragments, then a check that each
# requested option is really set. A later fragment overrides an earlier one.
configure()
{
	local tree=$1 build=$2 wanted
	# shellcheck disable=SC2046 # one word a file
	(cd "$tree" &&
	 KCONFIG_CONFIG=$build/.config ARCH=$arch \
		scripts/kconfig/merge_config.sh -n -O "$build" \
		$(fragment_files) >/dev/null) || return 1
	# shellcheck disable=SC2046
	while read -r wanted; do
		case $wanted in
		*=n)	grep -q "^${wanted%=n}=" "$build/.config" || continue ;;
		*)	! grep -qxF -- "$wanted" "$build/.config" || continue ;;
		esac
		echo "the kernel's configuration does not take: $wanted" \
		     "(it has: $(grep -E "^(# )?${wanted%%=*}[ =]" "$build/.config"))"
		return 1
	done < <(grep -h '^CONFIG_' $(fragment_files) |
		 awk -F= '{ last[$1] = $0 } END { for (name in last) print last[name] }')
}

build_kernel()
{
	local tree=$1 build=$2 target=bzImage
	[ "$arch" = x86_64 ] || target=linux
	make -C "$tree" O="$build" ARCH="$arch" -j"$(nproc)" $target modules
}

get_source()
{
	local tree key done_tree build
	"$root/vm/setup.sh" source
	tree=$(lock source; get_source_tree)
	key=$(source_key)
	done_tree=$cache/built/$name-$key-${tree##*_}
	build=$done_tree/build
	if [ ! -e "$done_tree/release" ]; then
		# Kept when interrupted: make continues where it stopped.
		mkdir -p "$build"
		step "configuring the kernel '$name'" "10 s" configure "$tree" "$build"
		step "building the kernel '$name' on $(nproc) CPUs" \
			"5 to 25 min, once" build_kernel "$tree" "$build"
		if [ "$arch" = um ]; then
			ln -sfn build/linux "$done_tree/image"
		else
			ln -sfn build/arch/x86/boot/bzImage "$done_tree/image"
		fi
		ln -sfn build/.config "$done_tree/config"
		echo "$arch" >"$done_tree/arch"
		echo "$key" >"$done_tree/key"
		# This file marks all of the above as done, so it is written last.
		make -s --no-print-directory -C "$tree" O="$build" ARCH="$arch" \
			kernelrelease >"$done_tree/release.new"
		mv "$done_tree/release.new" "$done_tree/release"
	fi
	ln -sfn "$done_tree" "$place.new"
	mv -T "$place.new" "$place"
}
