# Trace events, read by perf: it knows their formats, and counts and records them.
# needs: program=perf
. /guest/ktap.sh
. /guest/memory.sh

events=/sys/kernel/tracing/events/myalloc
modules=/guest/modules

expect "the module loads" insmod $modules/myalloc.ko reserve_mb=16
if [ ! -d $events ]; then
	skip "perf" "this kernel has no trace events"
elif [ ! -x /guest/bin/perf ]; then
	skip "perf" "this guest has none"
elif [ ! -e /proc/sys/kernel/perf_event_paranoid ]; then
	skip "perf" "this kernel is built without CONFIG_PERF_EVENTS"
else
	expect "perf record" perf record -q -a -e 'myalloc:*' -o /tmp/perf.data -- \
		sh -c "insmod $modules/myalloc_example.ko period_us=5000; sleep 1; rmmod myalloc_example"
	expect "perf script" sh -c "perf script -i /tmp/perf.data >/tmp/script 2>/tmp/said"
	head -n 5 /tmp/script
	expect "it has a driver's objects, with its code" \
		grep -q 'myalloc:cache_alloc: .*call_site=.*name=example-request' /tmp/script
	expect "it has their frees" grep -q 'myalloc:cache_free: .*name=example-request' /tmp/script
	expect "it has its pages" grep -q "myalloc:page_alloc: .*bytes=$((2048 * PAGE_KB)) order=1" /tmp/script
	# libtraceevent may not parse the formats of all events of newer kernels.
	expect "perf record, of an event of the kernel's" \
		perf record -q -a -e sched:sched_process_exit -o /tmp/own.data -- true
	perf script -i /tmp/own.data >/dev/null 2>/tmp/said-own
	expect "it understands these formats as well as the kernel's" \
		sh -c "cmp /tmp/said-own /tmp/said && ! grep -iE 'failed|unknown' /tmp/script"
	expect "perf stat" sh -c "perf stat -a -x, -e myalloc:session_page_alloc -o /tmp/stat -- \
		myallocctl page alloc --order 2 --count 500 >/tmp/alloc 2>&1"
	cat /tmp/stat
	expect "it counts" sh -c "awk -F, '\$3 == \"myalloc:session_page_alloc\" { n = \$1 } END { exit n != 500 }' /tmp/stat"
fi
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
