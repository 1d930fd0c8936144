# Removing the module while it is in use is refused; afterwards it works, and nothing is left.
# needs: timeout=400
. /guest/ktap.sh
. /guest/memory.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32

exec 9</dev/myalloc
refuse "an open descriptor: rmmod is refused" rmmod myalloc
exec 9<&-

myallocctl stress run --kind mixed --time 60s >/dev/null 2>&1 &
wait_for in_use
refuse "a running stress: rmmod is refused" rmmod myalloc
kill -KILL $!
wait $! 2>/dev/null
expect "after SIGKILL every invariant holds" myallocctl validate

myallocctl page alloc --order 3 --count 50 --hold forever >/dev/null 2>&1 &
wait_for in_use
refuse "pages held: rmmod is refused" rmmod myalloc
kill -KILL $!
wait $! 2>/dev/null

refuse "a client with a parameter that cannot be" \
	insmod /guest/modules/myalloc_example.ko period_us=5
expect "a client loads" insmod /guest/modules/myalloc_example.ko verbose=1
refuse "a client module: rmmod is refused" rmmod myalloc
sleep 2
expect "every invariant holds while it works" myallocctl validate
expect "the client unloads" rmmod myalloc_example
if dmesg | grep -q 'myalloc_example: .* 0 dropped'; then
	ok "the client was served each time"
else
	not_ok "the client was served each time" "$(dmesg | grep myalloc_example)"
fi

myallocctl drain >/dev/null
if [ "$(pages_in_chunks)" = "$(pages_of 32)" ]; then
	ok "after all that every page is free, in the largest blocks"
else
	not_ok "after all that every page is free, in the largest blocks" \
		"$(cat /sys/kernel/debug/myalloc/buddyinfo /sys/kernel/debug/myalloc/owners)"
fi
expect "the module unloads" rmmod myalloc

# A client has been removed without freeing a page: its chunk is not reused, but the rest of the
# reserve is returned, the log reports it, and another reserve can be allocated. (It is a leak,
# which kmemleak would find.)
client=/guest/modules/myalloc_nmi.ko
if [ ! -e $client ] || [ -e /sys/kernel/debug/kmemleak ]; then
	skip "a page that a client has lost" "no such client, or kmemleak watches"
	finish
fi
expect "the module loads again" insmod /guest/modules/myalloc.ko reserve_mb=32
expect "a client with a bug loads" insmod $client leak=1
expect "a client with a bug unloads" rmmod myalloc_nmi
before=$(free_kb)
dmesg -c >/dev/null
chunk_kb=$((PAGE_KB << DEFAULT_CHUNK))
expect "with a page lost: the module unloads" rmmod myalloc
if dmesg | grep -q 'cannot be destroyed: 1 page in use' &&
   dmesg | grep -q 'unload of myalloc: still held: 1 page from .*myalloc_nmi' &&
   dmesg | grep -q "$((32768 - chunk_kb)) KiB of the reserve went back" &&
   dmesg | grep -q "$((1 << DEFAULT_CHUNK)) pages in 1 chunk stay reserved .* 1 of them"; then
	ok "with a page lost: the log says what stays"
else
	not_ok "with a page lost: the log says what stays" "$(dmesg)"
fi
# Delayed work that the module left behind would now run in unloaded code.
sleep 2
back=$(($(free_kb) - before))
if [ $back -ge $((30720 - chunk_kb)) ] && [ $back -lt $((35840 - chunk_kb)) ]; then
	ok "with a page lost: all comes back but its chunk"
else
	not_ok "with a page lost: all comes back but its chunk" "$back kB came back"
fi
refuse "with a page lost: its device is gone" test -e /dev/myalloc
expect "the module loads again with another reserve" insmod /guest/modules/myalloc.ko reserve_mb=32
expect "every invariant of it holds" myallocctl validate
expect "it unloads" rmmod myalloc
finish
