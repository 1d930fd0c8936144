# Requests of each kind with MYALLOC_MAY_WAIT where the caller may not sleep: a debug kernel reports
# each of them, even while the zone has room; any other kernel serves it without waiting, and the
# module reports the first.
# needs: expected=512
# allow: BUG: sleeping function called from invalid context
# allow: myalloc: MYALLOC_MAY_WAIT from .*, which may not sleep: ignored
. /guest/ktap.sh

by_kernel="sleeping function called from invalid context"
by_module="which may not sleep: ignored"

# The kernel's report is a warning.
echo 0 >/proc/sys/kernel/panic_on_warn

# reports TEXT: print the number of lines with it in the kernel's log
reports()
{
	dmesg | grep -c "$1"
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=8
for request in page extent object heap; do
	dmesg -c >/dev/null
	expect "$request: the client loads" insmod /guest/modules/myalloc_atomic.ko request=$request
	expect "$request: it is served" grep -qx Y /sys/module/myalloc_atomic/parameters/served
	rmmod myalloc_atomic
	sleep 1.2	# the kernel makes one such report a second
	if grep -q ' __might_resched$' /proc/kallsyms; then	# of CONFIG_DEBUG_ATOMIC_SLEEP
		expect "$request: the kernel reports it" test "$(reports "$by_kernel")" = 1
	elif [ $request = page ]; then
		expect "$request: the module reports it" test "$(reports "$by_module")" = 1
	else
		expect "$request: once is enough" test "$(reports "$by_module")" = 0
	fi
done
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
