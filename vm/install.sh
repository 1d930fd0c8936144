#!/bin/bash
# Build module and tool for a machine, and install them, or remove what was installed. The files
# are those of the packages (mod/packaging/install.sh), the tool is linked dynamically.
# Usage: vm/install.sh install|uninstall
#   KDIR     what the modules are built against (/lib/modules/RUNNING/build)
#   PREFIX   (/usr/local)
#   DESTDIR  install below this directory, for packaging; depmod is left to whoever unpacks it
#   SIGN_KEY, SIGN_CERT   sign the modules with this private key and its certificate
#   MODULES, BUILT   directories in which modules and tool are already built

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

what=${1:-}
kdir=${KDIR:-/lib/modules/$(uname -r)/build}
export PREFIX=${PREFIX:-/usr/local} DESTDIR=${DESTDIR:-}
case $DESTDIR in
''|/*)	;;
*)	die "DESTDIR=$DESTDIR is relative; give an absolute path" ;;
esac

# depmod belongs to the machine: with DESTDIR it is another one's.
update_modules()
{
	[ -z "$DESTDIR" ] || return 0
	if command -v depmod >/dev/null; then
		depmod "$1"
	else
		say "depmod is missing (package kmod): modprobe will not find the module"
	fi
}

case $what in
uninstall)
	release=$(sed -n 's|^/lib/modules/\([^/]*\)/updates/myalloc\.ko$|\1|p' \
		"$DESTDIR$PREFIX/lib/myalloc/manifest" 2>/dev/null) || :
	"$root/mod/packaging/install.sh" uninstall
	for name in $release; do
		[ ! -d "/lib/modules/$name" ] || update_modules "$name"
	done
	say "removed"
	exit
	;;
install) ;;
*)	die "vm/install.sh: '$what' is neither install nor uninstall" ;;
esac

[ -e "$kdir/Makefile" ] ||
	die "no headers of a kernel in $kdir; install linux-headers-$(uname -r), or name them with KDIR="
if { [ -n "${SIGN_KEY:-}" ] || [ -n "${SIGN_CERT:-}" ]; } &&
   ! { [ -r "${SIGN_KEY:-}" ] && [ -r "${SIGN_CERT:-}" ]; }; then
	die "SIGN_KEY and SIGN_CERT must both name files that can be read"
fi
[ -z "${SIGN_KEY:-}" ] || [ -x "$kdir/scripts/sign-file" ] ||
	die "$kdir has no scripts/sign-file: that kernel does not know signatures; leave SIGN_KEY out"
place=$products/install
lock "install-$(basename "$products")"
modules=${MODULES:-$place/src}
built=${BUILT:-$place/tool}

get_modules()
{
	local words=()
	"$root/vm/setup.sh" module
	mkdir -p "$place/src"
	rsync -rlpc --delete --filter='P *.o' --filter='P *.ko' --filter='P *.mod' \
		--filter='P *.mod.c' --filter='P .*.cmd' --filter='P *.symvers' \
		--filter='P modules.order' --exclude='/lib/tests/' --exclude='/lib/fuzz/' \
		--exclude='/lib/bench/' "$root/Kbuild" "$root/lib" "$root/mod" "$place/src/"
	# Objects of another kernel release are useless.
	if [ "$(cat "$place/kdir" 2>/dev/null)" != "$(readlink -f "$kdir")" ]; then
		find "$place/src" \( -name '*.o' -o -name '*.ko' -o -name '.*.cmd' \) -delete
		readlink -f "$kdir" >"$place/kdir"
	fi
	# User Mode Linux has to be named.
	[ ! -e "$kdir/../arch" ] || words+=("ARCH=$(cat "$kdir/../arch")")
	step "building the modules" "5 to 30 s" make -C "$kdir" M="$place/src" \
		MYALLOC_PACKAGED=y "${words[@]}" -j"$(nproc)" modules
}

get_tool()
{
	"$root/vm/setup.sh" tool
	mkdir -p "$place/tool"
	step "building the tool" "5 to 20 s" make -C "$root/userspace-tool" -j"$(nproc)" \
		O="$place/tool" STATIC= all
	# Newer kernels have it elsewhere, and not in their headers.
	if [ -e "$kdir/scripts/kernel-doc" ]; then
		step "making the manual of the interface" "10 s" make -C "$root/userspace-tool" \
			O="$place/tool" KERNEL_DOC="$(readlink -f "$kdir/scripts/kernel-doc")" api
	else
		say "no scripts/kernel-doc in $kdir: the pages of section 9 are left out"
	fi
}

[ -n "${MODULES:-}" ] || get_modules
[ -n "${BUILT:-}" ] || get_tool
release=$(sed -zn "s/^vermagic=//p" "$modules/myalloc.ko" | tr -d "\0" |
	sed "s/ .*//")
[ -n "$release" ] || die "the build in $kdir does not say for which kernel it is"
if [ -n "${SIGN_KEY:-}" ]; then
	mkdir -p "$place/signed"
	cp "$modules"/myalloc.ko "$modules"/myalloc_bench.ko "$modules/Module.symvers" \
		"$place/signed/"
	modules=$place/signed
	hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"$/\1/p' "$kdir/.config")
	for module in myalloc myalloc_bench; do
		"$kdir/scripts/sign-file" "${hash:-sha512}" "$SIGN_KEY" "$SIGN_CERT" \
			"$modules/$module.ko"
	done
fi
BUILT=$built MODULES=$modules RELEASE=$release \
	"$root/mod/packaging/install.sh" tool dev modules
update_modules "$release"
say "installed for Linux $release; 'modprobe myalloc', then 'myallocctl doctor'"
