# shellcheck shell=bash
# use_arch MACHINE: set the words of its line in kernels/arch.conf as variables arch_NAME; User Mode
# Linux runs on the machine's own processor and has no line. get_foreign fetches packages of
# another architecture, foreign_cc is a compiler for it. Sourced, never run.

# shellcheck source=vm/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

# shellcheck disable=SC2034 # used by the scripts that source this file
use_arch()
{
	local line value values
	arch_kbuild=$1 arch_debian='' arch_suite='' arch_qemu='' arch_machine='' arch_cpu=''
	arch_console='' arch_channel='' arch_line='' arch_cross='' arch_group='' arch_nmi=''
	arch_words='' arch_make=''
	[ "$1" != um ] || return 0
	line=$(grep "^name=$1 " "$root/vm/kernels/arch.conf") ||
		die "vm/kernels/arch.conf has no machine '$1'"
	# The values stand between quotes as in a shell, without anything to expand.
	mapfile -t values < <(xargs -n 1 <<<"$line")
	for value in "${values[@]}"; do
		declare -g "arch_${value%%=*}=${value#*=}"
	done
	[ -z "$arch_group" ] || "$root/vm/setup.sh" "$arch_group"
}

# arch_of KERNEL: the machine of a kernel of kernels.conf
arch_of()
{
	local arch
	arch=$(awk -v n="$1" '$1 == n { print $4 }' "$root/vm/kernels.conf")
	[ -n "$arch" ] || die "vm/kernels.conf has no kernel '$1'"
	echo "$arch"
}

# foreign_name: a suffix for directories of products; empty for the machine's own
foreign_name()
{
	[ -z "$arch_cross" ] || echo "-$arch_debian"
}

# use_foreign DEBIAN [SUITE]: from here on apt is about packages of that architecture, by a state of
# its own in the cache; the machine's configuration and architectures stay untouched.
use_foreign()
{
	local dir=$cache/foreign/$1/apt${2:+-$2}
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	if [ -n "${2:-}" ]; then
		suite_source "$2"
	else
		debian_sources
	fi >"$dir/sources.list"
	apt_private=(
		-o "APT::Architecture=$1" -o "APT::Architectures=$1"
		-o "Dir::Etc::sourcelist=$dir/sources.list"
		-o "Dir::Etc::sourceparts=-"
		-o "Dir::State::Lists=$dir/lists"
		-o "Dir::State::status=/dev/null"
		-o "Dir::Cache=$dir/cache"
		-o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
		-o "Acquire::IndexTargets::deb::Translations::DefaultEnabled=false"
		-o "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"
	)
	[ "$(id -u)" != 0 ] || apt_private+=(-o APT::Sandbox::User=root)
	[ "${UPDATE:-0}" != 1 ] || rm -f "$dir/updated"
	if [ ! -e "$dir/updated" ]; then
		step "reading the package lists for $1${2:+ of $2}" "10 to 30 s" read_lists "$dir"
		[ -e "$dir/updated" ] ||
			say "    not all of them could be read; the next run will try again"
	fi
}

# read_lists DIR: the lists of a mirror that is being updated cannot all be read. Those that can, or
# could before, do for this time.
read_lists()
{
	local try
	for try in 1 2; do
		[ $try = 1 ] || sleep 5
		if apt-get "${apt_options[@]}" "${apt_private[@]}" -o Debug::NoLocking=1 update; then
			touch "$1/updated"
			return
		fi
	done
	compgen -G "$1/lists/*_Packages*" >/dev/null
}

unpack_foreign()
{
	local dir=$1 deb package wanted=()
	shift
	mkdir -p "$dir/deb" "$dir/root" || return 1
	for package; do
		wanted+=("$package=$(version_of "$package")")
	done
	fetch_debs "$dir/deb" "${wanted[@]}" || return 1
	for deb in "$dir"/deb/*.deb; do
		dpkg -x "$deb" "$dir/root" || return 1
	done
	rm -rf "$dir/deb"
}

# get_foreign NAME PACKAGE...: print a directory with the unpacked packages of arch_debian.
get_foreign()
(
	name=$1 dir=$cache/foreign/$arch_debian/$1
	shift
	lock "foreign-$arch_debian-$name"
	if [ "$(cat "$dir/packages" 2>/dev/null)" != "$*" ]; then
		use_foreign "$arch_debian" "$arch_suite"
		rm -rf "$dir"
		step "fetching $name for $arch_debian" "10 s" unpack_foreign "$dir" "$@"
		echo "$*" >"$dir/packages"
	fi
	echo "$dir/root"
)

# foreign_cc: print the compiler of programs for the guest, in words. A foreign one gets its C library
# and the others from packages of arch_suite.
foreign_cc()
{
	local libraries
	if [ -z "$arch_cross" ]; then
		echo gcc
		return 0
	fi
	libraries=$(get_foreign libraries libc6-dev libcrypt-dev linux-libc-dev libjson-c-dev \
		zlib1g-dev libncurses-dev)
	echo "${arch_cross}gcc --sysroot=$libraries"
}
