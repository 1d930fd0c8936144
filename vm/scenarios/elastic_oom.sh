# A process takes all memory until the kernel kills it. Before that, the reserve has returned all
# memory above its floor; it grows again afterwards, and nothing is lost.
# needs: timeout=600 mem=512M
# allow: invoked oom-killer
# allow: Out of memory: Killed process
. /guest/ktap.sh
. /guest/memory.sh

# A number of the reserve, such as nr_pages.
of()
{
	myallocctl -j reserve show | tr ',' '\n' | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"
}

# Takes memory and writes to it until it is killed.
hog()
{
	awk 'BEGIN { s = sprintf("%65536s", ""); for (;;) a[n++] = s n }'
}

insmod /guest/modules/myalloc.ko reserve_mb=16 max_mb=128 && rmmod myalloc
before=$(free_kb)
expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16 max_mb=128 decay_ms=0
floor=$(of floor_pages)
myallocctl cache create held --size 200 --count 1000 --hold forever >/dev/null 2>&1 &
holder=$!
wait_for test -e /sys/kernel/debug/myalloc/caches/held
expect "it grows" myallocctl reserve grow 96M
grown=$(of nr_pages)
hog >/dev/null 2>&1
status=$?
expect "a process that takes all memory is killed" test $status = 137
note "$(of nr_pages) pages of $grown are left, the floor is $floor"
expect "the reserve has given back what nobody uses" test "$(of nr_pages)" = "$floor"
expect "validation finds nothing" myallocctl validate
expect "it grows again" myallocctl reserve grow 96M
expect "as much as before" test "$(of nr_pages)" = "$grown"
kill $holder
wait $holder
expect "the module unloads" rmmod myalloc
after=$(free_kb)
note "free memory was $before kB and is $after kB"
expect "all memory is back" test $((before - after)) -le "$(memory_bound 2000)"
finish
