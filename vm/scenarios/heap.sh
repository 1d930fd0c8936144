# A client takes memory of any size from a heap in interrupts and frees it in tasks.
. /guest/ktap.sh

caches=/sys/kernel/debug/myalloc/caches

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads" insmod /guest/modules/myalloc_web.ko verbose=1
expect "a class is a cache" test -d $caches/web-112
sleep 3
expect "the module cannot go" sh -c '! rmmod myalloc'
expect "the client unloads" rmmod myalloc_web
expect "it has handled requests" sh -c "dmesg | grep -q 'myalloc_web: .* requests received'"
expect "the heap has ended" sh -c "! test -d $caches/web-112"
expect "nothing is left: the module unloads" rmmod myalloc
finish
