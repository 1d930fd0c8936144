# Code written for kmem_cache and mempool runs on caches; an object pool never fails within its size.
. /guest/ktap.sh

debug=/sys/kernel/debug/myalloc

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads: everything is as it expects" insmod /guest/modules/myalloc_kmem.ko
expect "nothing of it is left" sh -c "! ls $debug/caches | grep kmem"
expect "validation finds nothing" sh -c "myallocctl validate"
expect "the client unloads" rmmod myalloc_kmem
expect "the module unloads" rmmod myalloc
finish
