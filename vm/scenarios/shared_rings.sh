# Rings whose reader is a process: no record or wake-up is lost, and the reader can damage or keep
# nothing.
# needs: timeout=600
# allow: myalloc: .*ring .*(bytes: 1 to|already used|must have)
. /guest/ktap.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32 session_quota=50
suite ring ring_test
expect "the tool maps a ring and reads what the kernel produces" myallocctl ring map
expect "... a larger one" myallocctl ring map --size 1M -n 100000

# figures: print whether the module's ring is shared, and the number of its reader's wake-ups
figures()
{
	awk '$1 == "packets" { print $(NF - 1), $NF }' /sys/kernel/debug/myalloc/rings
}

# A module's ring: it stays while a process reads it.
expect "a module loads, and shares its ring" \
	insmod /guest/modules/myalloc_packets.ko verbose=1 share=1 period_us=2000
expect "debugfs says that it is shared" test "$(figures)" = "1 0"
expect "the tool reads the packets as they come" myallocctl ring follow packets -n 500
myallocctl ring follow packets >/tmp/follow 2>&1 &
pid=$!
sleep 1
refuse "a second process is refused" myallocctl ring read packets
refuse "the module cannot go while a process reads" rmmod myalloc_packets
kill -INT $pid
wait $pid
status=$?
expect "Ctrl-C ends the reader" test $status = 0
expect "it has read packets" test "$(wc -l </tmp/follow)" -gt 20
sleep 1
myallocctl ring read packets -n 5 --keep | grep -v released >/tmp/kept
myallocctl ring read packets -n 5 | grep -v released >/tmp/read
expect "what a reader keeps is there for the next" \
	sh -c "grep -q 'records  *5' /tmp/kept && cmp /tmp/kept /tmp/read"
wakes=$(figures)
expect "the reader was woken up: ${wakes#* } times" test "${wakes#* }" -gt 10
expect "every invariant holds" myallocctl validate
expect "the module with the ring unloads" rmmod myalloc_packets
refuse "there is no such ring" myallocctl ring read packets
expect "the module unloads" rmmod myalloc
finish
