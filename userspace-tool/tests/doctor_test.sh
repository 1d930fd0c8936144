#!/bin/sh
# The doctor on machines with one thing missing each, and what results say of a machine.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# A machine on which everything is as it should be.
machine()
{
	begin "$1"
	FAKE_ROOT=$tmp/machine FAKE_EUID=0 FAKE_HV=
	export FAKE_ROOT FAKE_EUID FAKE_HV
	rm -rf "$FAKE_ROOT"
	mkdir -p "$FAKE_ROOT/proc/self" "$FAKE_ROOT/proc/sys/kernel" \
		"$FAKE_ROOT/dev" "$FAKE_ROOT/sys/kernel/debug/myalloc/caches" \
		"$FAKE_ROOT/sys/kernel/security" "$FAKE_ROOT/sys/class/misc/myalloc" \
		"$FAKE_ROOT/sys/module/myalloc/parameters"
	put proc/modules "ext4 1 0 - Live 0x0" "myalloc 98304 0 - Live 0x0 (OE)"
	put proc/self/status "Name: x" "CapEff:	000001ffffffffff" "CapBnd: 0"
	put proc/sys/kernel/tainted 4096
	put proc/mounts "proc /proc proc rw 0 0" "debugfs /sys/kernel/debug debugfs rw 0 0"
	put proc/filesystems "nodev	sysfs" "nodev	debugfs"
	put sys/kernel/security/lockdown "[none] integrity confidentiality"
	put sys/kernel/debug/myalloc/buddyinfo "version 1"
	put sys/class/misc/myalloc/dev 10:121
	put sys/module/myalloc/parameters/pages 16384
	put sys/module/myalloc/parameters/checks FZ
	ln -s /dev/null "$FAKE_ROOT/dev/myalloc"
	config "# CONFIG_KASAN is not set"
}

put()
{
	file=$FAKE_ROOT/$1
	shift
	printf '%s\n' "$@" >"$file"
}

config()
{
	printf '%s\n' "CONFIG_64BIT=y" "$@" | gzip -c >"$FAKE_ROOT/proc/config.gz"
}

# sick WORD TEXT: it exits 1 and says TEXT of a problem
sick()
{
	tool doctor
	exits 1
	line out "problem +$1"
	line out "Verdict +something prevents work"
	tool -j doctor
	exits 1
	documents 1
}

well()
{
	tool doctor
	exits 0
	line out "Verdict +ready for work"
	has_not out problem
}

machine "nothing is missing"
well
has_not out note
line out "ok +tool and module are of the same version; the reserve has 16384 pages"
line out "ok +all 2 entries of /sys/kernel/debug/myalloc can be read"
tool -j doctor
documents 1
json /result/findings/0/outcome ok
json /result/findings/0/check rights

machine "not root"
FAKE_EUID=1000
script "fail OPEN 1 EACCES"
sick "not running as root"
has out '"mend":"sudo myallocctl doctor"'

machine "root without CAP_SYS_ADMIN"
put proc/self/status "CapEff:	00000000a80425fb"
script "fail OPEN 1 EPERM"
sick "running as root, but without CAP_SYS_ADMIN"
has out "--cap-add SYS_ADMIN --device /dev/myalloc"

machine "module not loaded"
put proc/modules "ext4 1 0 - Live 0x0" "myalloc_kunit 1 0 - Live 0x0"
rm "$FAKE_ROOT/dev/myalloc"
script "fail OPEN 1 ENOENT"
sick "the module is not loaded"
tool doctor
line out "skipped +/dev/myalloc does not exist without the module"
line out "skipped +/dev/myalloc cannot be opened because of the problems above"
line out " +insmod myalloc.ko.*"

machine "module being loaded"
put proc/modules "myalloc 98304 1 - Loading 0x0"
script "fail OPEN 1 ENODEV"
sick "the module is being loaded or removed"

machine "device node missing"
rm "$FAKE_ROOT/dev/myalloc"
script "fail OPEN 1 ENOENT"
sick "the module is loaded but /dev/myalloc is missing"
tool doctor
line out " +mount -t devtmpfs devtmpfs /dev, or mknod -m 600 /dev/myalloc c 10 121"

machine "a file where the device should be"
rm "$FAKE_ROOT/dev/myalloc"
put dev/myalloc x
sick "/dev/myalloc exists but is not a device"

machine "device busy"
script "fail OPEN 1 EBUSY"
sick "/dev/myalloc is busy"

machine "interface of another version"
for errno in ENOTTY E2BIG EINVAL; do
	script "fail INFO 1 $errno"
	sick "the module does not answer as this tool expects .*"
done

machine "debugfs need not be mounted"
put proc/mounts "proc /proc proc rw 0 0"
well
line out "note +debugfs is not mounted.*"
line out " +mount -t debugfs debugfs /sys/kernel/debug"
put proc/filesystems "nodev	sysfs"
well
line out "note +this kernel has no debugfs.*"
for word in off no-mount; do
	put proc/cmdline "root=/dev/sda1 debugfs=$word quiet"
	well
	line out "note +the kernel was started with debugfs=$word.*"
	line out " +to have them, remove debugfs=$word from GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub.*"
done

machine "debugfs without the module's files"
rm -r "$FAKE_ROOT/sys/kernel/debug/myalloc"
well
line out "note +no files in /sys/kernel/debug/myalloc"
line out " +rmmod myalloc; modprobe myalloc makes them anew.*"

machine "debugfs files that cannot be read"
ln -s /nonexistent "$FAKE_ROOT/sys/kernel/debug/myalloc/owners"
well
line out "note +cannot read /sys/kernel/debug/myalloc/owners"
line out " +rmmod myalloc; modprobe myalloc makes the files anew.*"
FAKE_EUID=1000
tool doctor
line out "note +cannot read /sys/kernel/debug/myalloc/owners"
line out " +sudo myallocctl doctor"

machine "lockdown"
put sys/kernel/security/lockdown "none [integrity] confidentiality"
well
line out "note +kernel lockdown is 'integrity'"
put proc/modules "ext4 1 0 - Live 0x0"
script "fail OPEN 1 ENOENT"
sick "kernel lockdown is 'integrity'"
tool doctor
sign="/lib/modules/$(uname -r)/build/scripts/sign-file sha256 /var/lib/dkms/mok.key /var/lib/dkms/mok.pub"
has out "to sign: $sign myalloc.ko; then mokutil --import /var/lib/dkms/mok.pub"
mkdir -p "$FAKE_ROOT/lib/modules/$(uname -r)/updates/dkms"
put "lib/modules/$(uname -r)/updates/dkms/myalloc.ko" ""
tool doctor
has out "$sign /lib/modules/$(uname -r)/updates/dkms/myalloc.ko; "
rm "$FAKE_ROOT/sys/kernel/security/lockdown"
put proc/modules "myalloc 98304 0 - Live 0x0 (OE)"
script
well
line out "ok +no kernel lockdown"

machine "nothing found is without a command"
put proc/mounts "proc /proc proc rw 0 0"
put proc/filesystems "nodev	sysfs"
put sys/kernel/security/lockdown "none [integrity] confidentiality"
put proc/sys/kernel/tainted 512
config "CONFIG_KASAN=y"
script "set bad_frees 3"
well
"$MYALLOCCTL" -j doctor >"$out" 2>"$err"
! grep -o '"outcome":"\(note\|problem\)"[^}]*"mend":null' "$out" >"$tmp/none" ||
	fail "no command for $(cat "$tmp/none")"

release=$(uname -r)

machine "not loaded: built, or not built, or without headers"
put proc/modules "ext4 1 0 - Live 0x0"
script "fail OPEN 1 ENOENT"
mkdir -p "$FAKE_ROOT/lib/modules/$release/updates/dkms"
put "lib/modules/$release/updates/dkms/myalloc.ko.xz" x
sick "the module is not loaded"
tool doctor
line out " +modprobe myalloc"
rm "$FAKE_ROOT/lib/modules/$release/updates/dkms/myalloc.ko.xz"
version=$(tool --version; sed -n 's/^myallocctl \([^ ]*\) .*/\1/p' "$out")
mkdir -p "$FAKE_ROOT/usr/src/myalloc-$version"
tool doctor
line out " +apt install linux-headers-$release.*"
mkdir "$FAKE_ROOT/lib/modules/$release/build"
tool doctor
line out " +dkms install myalloc/$version -k $release.*"

vars=sys/firmware/efi/efivars
secure=$vars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
mok=$vars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23
machine "Secure Boot, from no key to a signed module"
well
line out "ok +Secure Boot is off"
mkdir -p "$FAKE_ROOT/$vars" "$FAKE_ROOT/var/lib/dkms" "$FAKE_ROOT/lib/modules/$release/updates"
printf '\6\0\0\0\0' >"$FAKE_ROOT/$secure"
well
line out "ok +Secure Boot is off"
printf '\6\0\0\0\1' >"$FAKE_ROOT/$secure"
well
line out "ok +Secure Boot is on, and the kernel has accepted the module"
put proc/modules "ext4 1 0 - Live 0x0"
script "fail OPEN 1 ENOENT"
sick "Secure Boot is on, and there is no key to sign the module with"
printf 'certi\0ficate' >"$FAKE_ROOT/var/lib/dkms/mok.pub"
sick "Secure Boot is on, and the key that DKMS signs with is not enrolled"
tool doctor
line out " +mokutil --import /var/lib/dkms/mok.pub, reboot.*"
printf '\6\0\0\0another' >"$FAKE_ROOT/$mok"
sick "Secure Boot is on, and the key that DKMS signs with is not enrolled"
printf '\6\0\0\0another certi\0ficate' >"$FAKE_ROOT/$mok"
put "lib/modules/$release/updates/myalloc.ko" x
sick "Secure Boot is on, and the installed module is not signed"
put "lib/modules/$release/updates/myalloc.ko" x "~Module signature appended~"
tool doctor
line out "ok +Secure Boot is on, and the key that DKMS signs with is enrolled"

machine "a misspelt parameter"
put sys/module/myalloc/parameters/reserve_mb 64
put dev/kmsg "4,1,1,-;myalloc: unknown parameter 'old' ignored" \
	"6,2,2,-;myalloc: 16 chunks of 4096 KiB, the largest block has 65536 KiB" \
	"4,3,3,-;other: unknown parameter 'foreign' ignored" \
	"4,4,4,-;myalloc: unknown parameter 'reserve_md' ignored" \
	"6,5,5,-;myalloc: 16 chunks of 4096 KiB, the largest block has 65536 KiB"
well
line out "note +the module was loaded with an unknown parameter 'reserve_md', which the kernel has ignored"
line out " +rmmod myalloc; modprobe myalloc reserve_mb=\.\.\.;.*"
has_not out "'old'"
has_not out foreign
put proc/modules "ext4 1 0 - Live 0x0"
script "fail OPEN 1 ENOENT"
sick "the module is not loaded"
has_not out reserve_md

machine "symbols for other modules"
mkdir -p "$FAKE_ROOT/usr/include/myalloc/mod"
put usr/include/myalloc/mod/myalloc_client.h ""
well
line out "note +headers of myalloc are in /usr/include/myalloc/mod, but its Module.symvers for Linux $release is missing.*"
line out " +dkms install myalloc/.* -k $release.*"
tool buildinfo
exits 1
has err "no Module.symvers of myalloc for Linux $release found: dkms install"
place=var/lib/dkms/myalloc/kernel-$release-$(uname -m)
mkdir -p "$FAKE_ROOT/$place"
put "$place/Module.symvers" ""
well
line out "ok +headers are in /usr/include/myalloc/mod, symbols in /$place/Module.symvers"
has_not out note
tool buildinfo
exits 0
line out "ccflags-y +-I/usr/include/myalloc/mod"
line out "KBUILD_EXTRA_SYMBOLS +/$place/Module.symvers"
tool -j buildinfo
documents 1
json /result/symvers "/$place/Module.symvers"
json /result/kernel "$release"
tool buildinfo --cflags
exits 0
[ "$(cat "$out")" = "-I/usr/include/myalloc/mod" ] || fail "not the flags alone: $(cat "$out")"
tool buildinfo --symvers
[ "$(cat "$out")" = "/$place/Module.symvers" ] || fail "not the file alone: $(cat "$out")"
tool -j buildinfo --symvers
exits 2
has err "print one line for make"
tool buildinfo --kernel 9.9
exits 1
has err "for Linux 9.9"
KERNELRELEASE=8.8 tool buildinfo
exits 1
has err "for Linux 8.8"
mkdir -p "$FAKE_ROOT/usr/local/lib/myalloc/9.9"
put usr/local/lib/myalloc/9.9/Module.symvers ""
tool buildinfo --symvers --kernel 9.9
exits 0
[ "$(cat "$out")" = /usr/local/lib/myalloc/9.9/Module.symvers ] || fail "not that of make install"
mkdir -p "$FAKE_ROOT/opt/tools/lib/myalloc/9.9" "$FAKE_ROOT/opt/tools/include/myalloc/mod"
put opt/tools/lib/myalloc/9.9/Module.symvers ""
put opt/tools/include/myalloc/mod/myalloc_client.h ""
FAKE_EXE=/opt/tools/bin/myallocctl tool buildinfo --kernel 9.9
exits 0
line out "headers +/opt/tools/include/myalloc/mod"
line out "KBUILD_EXTRA_SYMBOLS +/opt/tools/lib/myalloc/9.9/Module.symvers"
FAKE_EXE=/opt/tools/build/myallocctl tool buildinfo --kernel 9.9
line out "headers +/usr/include/myalloc/mod"
FAKE_EXE=/bin/myallocctl tool buildinfo --kernel 9.9
line out "headers +/usr/include/myalloc/mod"
MYALLOC=/tree tool buildinfo
exits 1
has err "MYALLOC=/tree must name a tree of myalloc's sources"
has err "build the module there: make -C"
mkdir -p "$FAKE_ROOT/tree/mod"
put tree/mod/myalloc_client.h ""
put tree/Module.symvers ""
MYALLOC=/tree tool buildinfo
exits 0
line out "headers +/tree/mod"
line out "KBUILD_EXTRA_SYMBOLS +/tree/Module.symvers"
rm "$FAKE_ROOT/usr/include/myalloc/mod/myalloc_client.h"
tool buildinfo
exits 1
has err "install the package myalloc-dev"

machine "a debug kernel is told"
config "CONFIG_KASAN=y" "CONFIG_PROVE_LOCKING=y" "CONFIG_KASAN_GENERIC=y"
tool -j info
got=$("$JSONQ" "$out" /system/debug_options)
if [ "$got" = null ]; then
	skip_test "built without zlib"
else
	json /system/debug_options '[ "KASAN", "PROVE_LOCKING" ]'
	well
	line out "note +this kernel has debugging options \(KASAN PROVE_LOCKING\).*"
fi

# guest SIGNATURE OPTION...: a virtual machine, and its kernel's configuration
guest()
{
	machine "locks of a guest: $*"
	FAKE_HV=$1
	shift
	put proc/cpuinfo "vendor_id	: GenuineIntel" "flags		: fpu hypervisor vme"
	config "$@"
}

# unfair WHY, and no_locks: nothing is found of them
unfair()
{
	well
	line out "note +spinlocks are not fair on this virtual machine \($1\): how long a request .*"
	line out " +for time bounds, use a machine without a hypervisor, .*"
}

no_locks()
{
	well
	has_not out locks
}

machine "locks of a guest"
tool -j info
if [ "$("$JSONQ" "$out" /system/debug_options)" = null ]; then
	skip_test "built without zlib"
else
	no_option="the kernel is without CONFIG_PARAVIRT_SPINLOCKS"
	no_offer="the hypervisor does not offer paravirtual ones"
	no_locks
	guest KVMKVMKVM "# CONFIG_PARAVIRT is not set"
	no_locks
	guest KVMKVMKVM CONFIG_PARAVIRT=y "# CONFIG_PARAVIRT_SPINLOCKS is not set"
	unfair "$no_option"
	mkdir -p "$FAKE_ROOT/sys/devices/system/cpu"
	put sys/devices/system/cpu/possible 0
	no_locks
	put sys/devices/system/cpu/possible 0-1
	unfair "$no_option"
	put proc/cpuinfo "vendor_id	: GenuineIntel" "flags		: fpu hypervisors vme"
	no_locks
	guest KVMKVMKVM CONFIG_PARAVIRT=y CONFIG_PARAVIRT_SPINLOCKS=y
	no_locks
	put dev/kmsg "6,1,1,-;kvm-guest: PV spinlocks disabled, no host support"
	unfair "$no_offer"
	put dev/kmsg "6,1,1,-;kvm-guest: PV spinlocks disabled with KVM_HINTS_REALTIME hints"
	no_locks
	put dev/kmsg "6,1,1,-;kvm-guest: PV spinlocks enabled"
	well
	line out "ok +this virtual machine has paravirtual spinlocks: they are fair but for .* steals .*"
	guest "Microsoft Hv" CONFIG_PARAVIRT=y CONFIG_PARAVIRT_SPINLOCKS=y
	put dev/kmsg "6,1,1,-;Hyper-V: PV spinlocks disabled"
	unfair "$no_offer"
	guest TCGTCGTCGTCG CONFIG_PARAVIRT=y CONFIG_PARAVIRT_SPINLOCKS=y
	unfair "$no_offer"
fi

machine "a kernel that does not tell its configuration"
rm "$FAKE_ROOT/proc/config.gz"
well
tool -j info
json /system/debug_options null

machine "a kernel that warned, a module that found something"
put proc/sys/kernel/tainted 512
script "set bad_frees 3"
well
line out "note +the kernel has warned or oopsed since it started"
line out "note +since it was loaded, the module has refused 3 wrong frees.*"
script "set nodes 2" "set bad_frees 3" "set wrong_zone 1"
well
line out "note +since it was loaded, the module has refused 3 wrong frees.*"

machine "the system in a result"
put proc/cpuinfo "vendor_id	: GenuineIntel" "model name	: Some CPU"
FAKE_HV=KVMKVMKVM
tool -j info
json /system/hypervisor KVMKVMKVM
json /system/accelerator kvm
json /system/taint 4096
FAKE_HV=TCGTCGTCGTCG
tool -j info
json /system/accelerator tcg
FAKE_HV=
tool -j info
json /system/hypervisor null
json /system/accelerator none
put proc/cpuinfo "vendor_id	: User Mode Linux" "model name	: UML"
tool -j info
json /system/accelerator uml
unset FAKE_HV
put proc/cpuinfo "vendor_id	: AuthenticAMD" "model name	: QEMU TCG CPU version 2.5+"
tool -j info
json /system/accelerator tcg
rm "$FAKE_ROOT/proc/cpuinfo" "$FAKE_ROOT/proc/sys/kernel/tainted"
tool -j info
json /system/accelerator null
json /system/taint null

machine "the module's parameters"
tool info
line out "    pages +16384"
line out "    checks +FZ"
tool -j info
json /result/module/parameters/pages 16384

finish
