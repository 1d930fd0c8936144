# Code written for kmem_cache and mempool runs on caches; an object pool never fails within its size.
. /guest/ktap.sh

debug=/sys/kernel/debug/myalloc

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads: everything is as it expects" insmod /guest/modules/myalloc_kmem.ko
expect "a name in use: the log says where the cache was created" sh -c "dmesg | grep -q \
	'cache kmem-item: the name is already used by cache [0-9]*, of objects of [0-9]* bytes, created at .*\[myalloc_kmem\], with [0-9]* objects* in use'"
expect "nothing of it is left" sh -c "! ls $debug/caches | grep kmem"
cat $debug/pools
expect "pools: no pool has a line" test "$(grep -c . $debug/pools)" = 2
for option in "" --hard; do
	for count in 1 15 100 5000; do
		expect "pool test $option, $count objects" \
			myallocctl pool test $option --count $count --ops 20000
	done
done
expect "pool test, large objects" myallocctl pool test --size 5000 --count 200 --ops 20000
refuse "a pool that the zone has no room for" myallocctl pool test --size 32K --count 60000
expect "pool list" myallocctl pool list
refuse "pool show: there is none of this name" myallocctl pool show nobody
expect "validation finds nothing" myallocctl validate
expect "the client unloads" rmmod myalloc_kmem
expect "the module unloads" rmmod myalloc
finish
