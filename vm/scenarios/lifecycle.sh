# Removing the module while somebody uses it is refused; afterwards it goes, and nothing stays.
# needs: timeout=200
. /guest/ktap.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32

exec 9</dev/myalloc
refuse "an open descriptor: rmmod is refused" rmmod myalloc
exec 9<&-

myallocctl stress run --kind mixed --time 60s >/dev/null 2>&1 &
sleep 2
refuse "a running stress: rmmod is refused" rmmod myalloc
kill -KILL $!
wait $! 2>/dev/null
expect "after SIGKILL the books are right" myallocctl validate

myallocctl page alloc --order 3 --count 50 --hold forever >/dev/null 2>&1 &
sleep 1
refuse "pages held: rmmod is refused" rmmod myalloc
kill -KILL $!
wait $! 2>/dev/null

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
free=$(awk '$4 == "myalloc" { print $NF }' /sys/kernel/debug/myalloc/buddyinfo)
if [ "$free" = 8 ]; then
	ok "after all that every page is free, in the largest blocks"
else
	not_ok "after all that every page is free, in the largest blocks" \
		"$(cat /sys/kernel/debug/myalloc/buddyinfo /sys/kernel/debug/myalloc/owners)"
fi
expect "the module unloads" rmmod myalloc
finish
