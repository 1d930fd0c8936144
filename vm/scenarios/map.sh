# Blocks of the device in the address space of processes: zeroed, not pinned, counted, and returned
# after the last mapping.
# needs: timeout=800
. /guest/ktap.sh
. /guest/memory.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=128 session_quota=100
suite map map_test
for order in 0 3 "$(order_of 2048)" "$(order_of 4096)"; do
	expect "page map: order $order" myallocctl page map --order "$order"
done
expect "page map: an extent" myallocctl page map --exact 77
note "$(myallocctl page map --order "$(order_of 4096)" | grep 'at once')"

# The module cannot be removed while a process has a block mapped.
myallocctl page map --hold forever >/tmp/map 2>&1 &
pid=$!
wait_for in_use
sleep 1
refuse "the module cannot go while a block is mapped" rmmod myalloc
kill -KILL $pid
wait $pid 2>/dev/null
expect "after SIGKILL nothing is held" \
	sh -c "grep -q '^page_pages 0\$' /sys/kernel/debug/myalloc/stats"
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc

# Old content is not visible: memory that was poisoned or written by others reads as zero.
expect "with poison it loads" insmod /guest/modules/myalloc.ko reserve_mb=32 checks=P
expect "... stress leaves its patterns" myallocctl stress run --kind pages --ops 20000
expect "... a block reads as zero" myallocctl page map --order "$(order_of 4096)"
expect "... it unloads" rmmod myalloc
finish
