# A CPU that has never been online comes online during a stress run, uses magazines, and goes
# offline, three times: its magazines are emptied, and nothing is lost. (QEMU 7.2 cannot add a CPU
# to a running emulated machine, so it is present from the beginning, but the kernel does not start
# it.)
# needs: timeout=600 cpus=3 append=maxcpus=2
. /guest/ktap.sh
. /guest/stress.sh

online=/sys/devices/system/cpu/cpu2/online
debug=/sys/kernel/debug/myalloc

if [ ! -e $online ] || [ "$(cat $online)" != 0 ]; then
	skip "a CPU that comes later" "this machine has none"
	finish
fi

stat_of()
{
	awk -v n="$1" '$1 == n { print $2 }' $debug/stats
}

# Blocks of pages in the magazines of that CPU.
cached()
{
	awk '$2 == 2 { sum += $3 + $4 } END { print sum + 0 }' $debug/pcp
}

# Once that CPU has magazines, memory that a task frees there stays in them for a while.
uses_magazines()
{
	tries=0
	until [ "$(cached)" != 0 ]; do
		tries=$((tries + 1))
		[ $tries -le 20 ] && taskset -c 2 myallocctl page test -O 0 || return 1
	done
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32
expect "the CPU has nothing" test "$(cached)" = 0
myallocctl -o /tmp/run.json stress run --kind mixed --time 600s --threads 4 >/tmp/said 2>&1 &
stress=$!
sleep 1
for round in 1 2 3; do
	expect "round $round: it comes" sh -c "echo 1 >$online"
	expect "round $round: its magazines are in use" uses_magazines
	expect "round $round: it goes" sh -c "echo 0 >$online"
	expect "round $round: nothing stays in its magazines" test "$(cached)" = 0
	expect "round $round: every invariant holds without it" myallocctl validate
done
expect "the stress was at work all the time" kill -0 $stress
kill -INT $stress
wait $stress
sound /tmp/run.json
myallocctl drain >/dev/null
expect "every page is back" test "$(stat_of free_pages)" = "$(stat_of nr_pages)"
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
