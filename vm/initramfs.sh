#!/bin/bash
# Pack the initramfs of a guest: busybox, init, the script, modules, programs.
# Usage: vm/initramfs.sh ARCH OUT.cpio SCRIPT [FILE:PATH-IN-GUEST]...
# In the guest: /guest/script, /guest/ktap.sh, /guest/prologue, /guest/bin (in
# PATH; each vm/guest/programs/*.c is built into it).

# shellcheck source=vm/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

arch=$1 out=$2 script=$3
shift 3
use_arch "$arch"
programs=$products/guest$(foreign_name)
busybox=/bin/busybox
if [ -n "$arch_cross" ]; then
	busybox=$(get_foreign busybox busybox-static)
	busybox=$(find "$busybox" -path '*/bin/busybox')
fi
cc=$(foreign_cc)

# compile SOURCE: build a static program, if its source is newer.
compile()
{
	local program
	program=$programs/$(basename "$1" .c)
	mkdir -p "$programs"
	if [ ! "$program" -nt "$1" ]; then
		# shellcheck disable=SC2086 # words
		$cc -O2 -Wall -Wextra -D__SANE_USERSPACE_TYPES__ -static -pthread -I "$root/mod/uapi" \
			-o "$program.new.$$" "$1" || return 1
		mv "$program.new.$$" "$program"
	fi
	echo "$program"
}

stage=$(mktemp -d "$products/stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage"/{bin,dev,etc,guest/bin,out,proc,sys,tmp}
cp "$busybox" "$stage/bin/busybox"
ln -s busybox "$stage/bin/sh"
install -m 755 "$(compile "$root/vm/guest/init.c")" "$stage/init"
for source in "$root"/vm/guest/programs/*.c; do
	[ -e "$source" ] || continue
	program=$(compile "$source")
	install -m 755 "$program" "$stage/guest/bin/"
done
install -m 644 "$root"/vm/guest/*.sh "$stage/guest/"
install -m 755 "$script" "$stage/guest/script"
ln -s shell.sh "$stage/guest/prologue"
# Descriptions of terminals, for programs that use the whole screen.
for type in l/linux v/vt100 v/vt220 x/xterm x/xterm-256color s/screen s/screen-256color \
		t/tmux t/tmux-256color d/dumb; do
	for directory in /lib/terminfo /usr/share/terminfo; do
		[ ! -e "$directory/$type" ] ||
			install -D -m 644 "$directory/$type" "$stage/lib/terminfo/$type"
	done
done
for add; do
	install -D -m 755 "${add%%:*}" "$stage/${add#*:}"
done
(cd "$stage" && find . -mindepth 1 -printf '%P\0' |
	cpio --null --create --format=newc --owner=0:0 --quiet) >"$out"
