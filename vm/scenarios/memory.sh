# Little free memory: a request beyond it is refused with a message, and the OOM killer is never
# called; once there is memory again, the same request works.
# needs: mem=768M timeout=800
. /guest/ktap.sh

available_kb()
{
	awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo
}

no_oom()
{
	if dmesg | grep -qi "out of memory\|oom-kill\|invoked oom"; then
		not_ok "$1: nobody was killed for memory" "$(dmesg | grep -i oom | head -n 5)"
	else
		ok "$1: nobody was killed for memory"
	fi
}

# 8-byte objects that fill the zone: 32 MiB of lists.
large_run()
{
	myallocctl stress run --kind objects --sizes 8 --fill 100% --ops 1000 --threads 2
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=256
expect "the benchmarks load" insmod /guest/modules/myalloc_bench.ko
expect "with memory a run works" large_run

mkdir -p /tmp/fill && mount -t ramfs none /tmp/fill
# More than once, as the available memory falls by less than the amount taken.
for round in 1 2 3 4; do
	more=$(($(available_kb) / 1024 - 20))
	[ $more -gt 0 ] || break
	dd if=/dev/zero of=/tmp/fill/$round bs=1M count=$more 2>/dev/null
done
note "$(available_kb) kB are available"
refuse "without it a run is refused" large_run
cp /tmp/ktap.output /tmp/said
expect "... which says how much is missing" grep -q "but only [0-9]* KiB are available" /tmp/said
no_oom "a run"
refuse "handles are refused" myallocctl page alloc --order 0 --count 4096
no_oom "handles"
refuse "a cache is refused" myallocctl cache create little --size 64 --count 1
no_oom "a cache"
refuse "a contract is refused" myallocctl contract create little pages:4096@0
cp /tmp/ktap.output /tmp/said
expect "... which says what it takes" grep -q "its metadata takes [0-9]* KiB" /tmp/said
no_oom "a contract"
refuse "a benchmark has nothing to measure" \
	myallocctl bench run --rounds 1 worst/object/64/fill
no_oom "a benchmark"
rm /tmp/fill/?
umount /tmp/fill
expect "with memory again a run works" large_run
no_oom "all of it"
expect "the benchmarks unload" rmmod myalloc_bench
expect "the module unloads" rmmod myalloc
finish
