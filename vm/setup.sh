#!/bin/bash
# Install the Debian packages that the named groups of work need, if missing.
# Usage: vm/setup.sh GROUP...     groups: see packages_of below
# Does nothing, and needs no privileges, if all are installed.

# shellcheck source=vm/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

# Python's tests are a package of the version that is installed.
python_tests()
{
	/usr/bin/python3 -c 'import sys; print("libpython%d.%d-testsuite" % sys.version_info[:2])' \
		2>/dev/null || echo libpython3-testsuite
}

packages_of()
{
	case $1 in
	native)	echo gcc libc6-dev make python3 ;;
	module)	echo gcc libc6-dev make binutils libelf-dev rsync ;;
	tool)	echo gcc libc6-dev make pkg-config libjson-c-dev libncurses-dev \
		     zlib1g-dev python3 ;;
	guest)	echo gcc libc6-dev qemu-system-x86 busybox-static cpio python3 ncurses-base ;;
	shell)	echo bash-static ;;
	trace-cmd) echo trace-cmd ;;
	perf)	echo linux-perf ;;
	bpftrace) echo bpftrace ;;
	source)	echo gcc libc6-dev make bc bison flex libelf-dev libssl-dev \
		     rsync xz-utils ;;
	coverage) echo clang-19 llvm-19 libclang-rt-19-dev ;;
	plot)	echo python3-matplotlib ;;
	malloc)	echo libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0 ;;
	programs) echo gcc sqlite3 redis-tools "$(python_tests)" ;;
	fuzz)	echo clang-14 libclang-rt-14-dev ;;
	models)	echo spin ;;
	compilers) echo gcc clang-14 clang-16 clang-19 ;;
	big-endian) echo gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user ;;
	lint)	echo sparse shellcheck perl python3 ;;
	man)	echo groff mandoc ;;
	schema)	echo python3-jsonschema ;;
	package) echo build-essential debhelper dh-dkms fakeroot lintian groff mandoc perl \
		      pkg-config libjson-c-dev libncurses-dev zlib1g-dev ;;
	chroot)	echo debootstrap ;;
	sign)	echo kmod openssl ;;
	browser) echo chromium fonts-dejavu-core ;;
	# The C library of these compilers is a foreign package, see vm/arch.sh.
	arm64)	echo qemu-system-arm gcc-aarch64-linux-gnu ;;
	s390x)	echo qemu-system-misc gcc-s390x-linux-gnu ;;
	ppc64el) echo qemu-system-ppc gcc-powerpc64le-linux-gnu ;;
	newer)	echo patchelf ;;
	*)	die "vm/setup.sh: unknown group '$1'; give one of native module tool guest shell trace-cmd perf bpftrace source coverage plot malloc programs fuzz models compilers big-endian lint man schema package chroot sign browser arm64 s390x ppc64el newer" ;;
	esac
}

declare -A wanted=()
for group; do
	for package in $(packages_of "$group"); do
		wanted[$package]=1
	done
done
while read -r package status; do
	[ "$status" != installed ] || unset "wanted[$package]"
done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${!wanted[@]}" \
	2>/dev/null || true)
missing=("${!wanted[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0

need_debian "${missing[@]}"
say "Debian packages to install: ${missing[*]}"
ask_password "to install: ${missing[*]}"
lock apt

install_missing()
{
	step "installing ${#missing[@]} packages" "10 to 60 s" \
		as_root "to install packages" apt-get "${apt_options[@]}" \
		install --no-install-recommends "${missing[@]}"
}

known=1
for package in "${missing[@]}"; do
	[ -n "$(version_of "$package")" ] || known=0
done
# Missing or outdated lists make the first attempt fail.
if [ $known = 1 ] && install_missing; then
	exit 0
fi
apt_update
for package in "${missing[@]}"; do
	[ -n "$(version_of "$package")" ] ||
		die "the package sources of this machine have no '$package';" \
		    "is it Debian 12 or newer?"
done
install_missing
