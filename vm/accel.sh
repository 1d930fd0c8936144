#!/bin/bash
# Say how QEMU can run a guest here: 'kvm' or 'tcg'.
# Usage: vm/accel.sh BZIMAGE
# That /dev/kvm is there, and even that it makes a machine, does not show that a
# guest runs: so one is booted, once for each boot of this host, with a limit.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

limit=8
answer=$cache/accel-$(cat /proc/sys/kernel/random/boot_id)-$(id -u)

probe()
{
	local directory log status=0
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
	directory=$(mktemp -d "$cache/probe.XXXXXX")
	log=$directory/console
	# No initramfs: a kernel that gets as far as to miss it runs. It panics
	# then, and the machine ends by itself.
	# In a shell of its own, whose remark on a QEMU that aborts is not wanted.
	(timeout -k 1 $limit qemu-system-x86_64 -accel kvm -cpu host -m 256M \
		-nodefaults -display none -no-reboot -serial "file:$log" -kernel "$1" \
		-append "console=ttyS0 panic=-1" </dev/null; exit) >/dev/null 2>&1 || status=$?
	grep -aq "Kernel panic - not syncing: VFS" "$log" 2>/dev/null || status=1
	rm -rf "$directory"
	return $status
}

if [ ! -e "$answer" ]; then
	lock accel
	if [ ! -e "$answer" ]; then
		found=tcg
		if [ -e /dev/kvm ]; then
			say "==> trying whether KVM works here (at most $limit s)"
			! probe "$1" || found=kvm
			say "    guests run under $found"
		fi
		rm -f "$cache"/accel-*-"$(id -u)"
		echo $found >"$answer.new"
		mv "$answer.new" "$answer"
	fi
fi
cat "$answer"
