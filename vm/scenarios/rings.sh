# A client passes packets from interrupts to a work item through a ring, without a copy.
. /guest/ktap.sh

rings=/sys/kernel/debug/myalloc/rings

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads" insmod /guest/modules/myalloc_packets.ko verbose=1 period_us=200
expect "debugfs shows the ring" grep -q '^packets ' $rings
sleep 3
expect "the ring is valid while it is used" myallocctl validate
expect "the tool shows the ring" myallocctl ring show packets
expect "the tool lists it" sh -c "myallocctl ring list | grep -q packets"
expect "the module cannot go" sh -c '! rmmod myalloc'
expect "the client unloads" rmmod myalloc_packets
expect "it has handled packets, and none was wrong" \
	sh -c "dmesg | grep -q 'myalloc_packets: .* bad, .* [1-9][0-9]* handled, 0 wrong'"
expect "the ring has ended" sh -c "! grep -q '^packets ' $rings"

# A ring so small that the work item cannot keep up.
expect "the client loads with a small ring" \
	insmod /guest/modules/myalloc_packets.ko verbose=1 period_us=50 ring_kb=4
sleep 2
expect "it unloads again" rmmod myalloc_packets
expect "a full ring drops packets, and none was wrong" \
	sh -c "dmesg | tail -n 3 | grep -q 'myalloc_packets: .* [1-9][0-9]* dropped, .* 0 wrong'"
expect "a ring of no size is refused" sh -c '! insmod /guest/modules/myalloc_packets.ko ring_kb=0'

expect "records are what was written, in each mode" myallocctl ring test --ops 20000
expect "a seed repeats a test" myallocctl ring test --ops 1000 --seed 7
expect "nothing is left: the module unloads" rmmod myalloc
finish
