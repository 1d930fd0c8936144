# Kinds of jobs are loaded and removed with their modules, such as myalloc_bench.ko. Without it
# the tool reports what is missing; while one of its jobs exists it cannot be removed; loaded and
# removed during commands, it is available either completely or not at all.
# needs: timeout=400
. /guest/ktap.sh

bench=/guest/modules/myalloc_bench.ko

refuse "without the allocator it does not load" insmod $bench
expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32

myallocctl bench list >/tmp/said 2>&1
status=$?
if [ $status = 3 ] && grep -q 'myalloc_bench' /tmp/said; then
	ok "without its module the tool says what is missing"
else
	not_ok "without its module the tool says what is missing" "status $status: $(cat /tmp/said)"
fi
suite job job_test $bench

# If modprobe finds the module, the tool loads it by itself.
mkdir -p /sbin
printf '#!/bin/sh\n[ "$*" = "-q myalloc_bench" ] && exec insmod %s\n' $bench >/sbin/modprobe
chmod 755 /sbin/modprobe
expect "the tool has it loaded" myallocctl bench list
expect "it is loaded" grep -q '^myalloc_bench ' /proc/modules
rm /sbin/modprobe
refuse "it holds the allocator" rmmod myalloc

myallocctl bench run --rounds 1000 'object/*' >/dev/null 2>&1 &
pid=$!
running()
{
	awk '$NF == "yes" { found = 1 } END { exit !found }' /sys/kernel/debug/myalloc/owners
}
wait_for running
refuse "a running benchmark: rmmod is refused" rmmod myalloc_bench
kill -KILL $pid
wait $pid
expect "after SIGKILL it unloads" rmmod myalloc_bench
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
