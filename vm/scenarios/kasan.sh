# Accesses to freed memory and beside objects, each made once: KASAN itself reports each, with the
# right kind of error, and nothing else. On a kernel without KASAN there is no client.
# needs: timeout=600 expected=32 append=kasan_multi_shot
# allow: BUG: KASAN: (slab-)?(use-after-free|out-of-bounds) in myalloc_kasan_access\+
. /guest/ktap.sh

if [ ! -e /guest/modules/myalloc_kasan.ko ]; then
	skip "KASAN" "this kernel has no generic KASAN"
	finish
fi
# Its reports are warnings.
echo 0 >/proc/sys/kernel/panic_on_warn

# access NAME KIND: KIND is the error in the first line of the report, or empty if none is expected
access()
{
	dmesg -c >/dev/null
	expect "$1: the client loads" insmod /guest/modules/myalloc_kasan.ko access="$1" || return
	dmesg | sed -n 's/.*BUG: KASAN: \(.*\) in \([a-z_]*\)+.*/\1 in \2/p' >/tmp/reports
	if [ "$(cat /tmp/reports)" = "${2:+$2 in myalloc_kasan_access}" ]; then
		ok "$1: KASAN reports ${2:-nothing}"
	else
		not_ok "$1: KASAN reports ${2:-nothing}" "it reports: $(cat /tmp/reports)"
	fi
	expect "$1: the client unloads" rmmod myalloc_kasan
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=8
access within ""
access object-freed slab-use-after-free
access object-freed-no-magazine slab-use-after-free
access object-freed-zeroed slab-use-after-free
access object-over-by-one slab-out-of-bounds
access object-over-by-one-odd out-of-bounds
access object-over-into-free slab-use-after-free
access object-under-by-one slab-out-of-bounds
access block-freed use-after-free
access block-freed-end use-after-free
access block-over-by-one use-after-free
access extent-freed use-after-free
access extent-over-by-one use-after-free
expect "nothing was refused or damaged" test "$(awk '$1 == "bad_frees" || $1 == "corruptions" { n += $2 }
	END { print n + 0 }' /sys/kernel/debug/myalloc/stats)" = 0
expect "the module unloads" rmmod myalloc
# The memory belongs to the system again, and may be accessed.
expect "the module loads again" insmod /guest/modules/myalloc.ko reserve_mb=8 checks=FZP
expect "the module unloads again" rmmod myalloc
finish
