# Trace events, read by bpftrace: its programs in the kernel can read their fields.
# only: bpftrace and its libraries have 200 MB
# needs: program=bpftrace mem=2G timeout=900
. /guest/ktap.sh

events=/sys/kernel/tracing/events/myalloc
modules=/guest/modules

# trace PROGRAM SCRIPT: write the program's output to /tmp/out. bpftrace starts ELF files only.
trace()
{
	BPFTRACE_MAX_PROBES=1024 bpftrace -q -e "$1" -c "/bin/busybox sh $2" >/tmp/out 2>/tmp/said
	set -- $?
	cat /tmp/out /tmp/said
	return "$1"
}

expect "the module loads" insmod $modules/myalloc.ko reserve_mb=16
if [ ! -d $events ]; then
	skip "bpftrace" "this kernel has no trace events"
elif [ ! -x /guest/bin/bpftrace ]; then
	skip "bpftrace" "this guest has none"
elif [ ! -e /proc/sys/kernel/unprivileged_bpf_disabled ]; then
	skip "bpftrace" "this kernel is built without CONFIG_BPF_SYSCALL"
else
	expect "it lists the events" sh -c \
		"[ \$(bpftrace -l 'tracepoint:myalloc:*' | grep -c ':myalloc:') -ge 20 ]"
	cat >/tmp/work <<-END
	insmod $modules/myalloc_example.ko period_us=5000
	sleep 2
	rmmod myalloc_example
	END
	expect "a program at the events runs" trace "
		tracepoint:myalloc:cache_alloc { @allocs[str(args->name)] = count(); }
		tracepoint:myalloc:cache_free { @frees[str(args->name)] = count(); }
		tracepoint:myalloc:page_alloc { @bytes = sum(args->bytes); }" /tmp/work
	expect "it sees a driver's allocations by the name of the cache" \
		grep -q '@allocs\[example-request\]: [1-9]' /tmp/out
	expect "it sees its frees" grep -q '@frees\[example-request\]: [1-9]' /tmp/out
	expect "it sums up the sizes of blocks" grep -q '@bytes: [1-9]' /tmp/out
	# As in myalloc(7).
	expect "a program counts by cache and by line of code" trace '
		tracepoint:myalloc:cache_alloc
		{ @[str(args->name), ksym(args->call_site)] = count(); }' /tmp/work
	expect "it names the code" grep -q '@\[example-request, [a-z_.]*\]: [1-9]' /tmp/out
fi
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
