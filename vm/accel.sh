#!/bin/bash
# Print how QEMU can run a guest here: 'kvm' or 'tcg'.
# Usage: vm/accel.sh BZIMAGE
# Even a /dev/kvm that can create a machine does not prove that a guest runs, so this boots one,
# with a time limit, once for each boot of the host.

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
	# There is no initramfs: a kernel works if it boots far enough to miss it. It then panics,
	# which ends the machine.
	# In a subshell, to hide the shell's message about a QEMU that aborts.
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
