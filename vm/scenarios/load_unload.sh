# Loading and unloading 100 times does not change the free memory.
# needs: timeout=800
. /guest/ktap.sh
. /guest/memory.sh

module=/guest/modules/myalloc.ko

# The first load makes the kernel allocate memory that it keeps (page cache of the
# module's file, stack depot, slabs); the measurement begins after it.
expect "the module loads" insmod $module reserve_mb=64
expect "the module is listed" grep -q '^myalloc ' /proc/modules
expect "its debugfs directory is there" test -d /sys/kernel/debug/myalloc
expect "the module unloads" rmmod myalloc
refuse "it is listed no more" grep -q '^myalloc ' /proc/modules
refuse "its debugfs directory is gone" test -e /sys/kernel/debug/myalloc
refuse "its device is gone" test -e /dev/myalloc

# At most 0.5 % of metadata, and the module's own text, on top of 64 MB. Memory that the kernel
# frees during a measurement falsifies it, but not each time.
attempt=0
taken=0
while [ $attempt -lt 3 ] && { [ $taken -lt 65536 ] || [ $taken -gt $((65536 + 8192)) ]; }; do
	attempt=$((attempt + 1))
	before=$(free_kb)
	insmod $module reserve_mb=64
	taken=$((before - $(free_kb)))
	rmmod myalloc
	note "$taken kB were taken"
done
if [ $taken -ge 65536 ] && [ $taken -le $((65536 + 8192)) ]; then
	ok "64 MB are taken from the system while it is loaded"
else
	not_ok "64 MB are taken from the system while it is loaded"
fi

# 100 rounds that each lost one page would lose 100 pages, every time. The rest of the system
# allocates and frees some 50 kB during that time, rarely more, so a second or third hundred may
# succeed.
bound=$(memory_bound $((50 * PAGE_KB)))

hundred()
{
	before=$(free_kb)
	round=0
	while [ $round -lt 100 ]; do
		round=$((round + 1))
		insmod $module reserve_mb=64 || return 1
		rmmod myalloc || return 1
	done
	lost=$((before - $(free_kb)))
	note "100 loads and unloads: $lost kB are missing, bound $bound kB"
}

lost=$bound
attempt=0
while [ $attempt -lt 3 ] && [ "$lost" -ge "$bound" ]; do
	attempt=$((attempt + 1))
	hundred || break
done
if [ "$round" = 100 ]; then
	ok "100 loads and unloads"
else
	not_ok "100 loads and unloads" "round $round failed"
fi
if [ "$lost" -lt "$bound" ]; then
	ok "100 loads and unloads leave the memory where it was"
else
	not_ok "100 loads and unloads leave the memory where it was"
fi
finish
