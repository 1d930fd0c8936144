# The k-th of the kernel's allocations during a load of the module fails, for each possible k. The
# load fails and leaves nothing behind, or the module works. The kernel itself warns, once at each
# place, if it has no memory for a module's trace events: only these warnings are expected.
# needs: timeout=900 variant=faults expected=512
# allow: kernel/trace/trace_events\.c
# allow: cut here
. /guest/ktap.sh

if failures_of_kernel; then
	echo 0 >/proc/sys/kernel/panic_on_warn
	suite load fault_test load /guest/modules/myalloc.ko
else
	skip "the kernel's own fault injection" "this kernel has none"
fi
finish
