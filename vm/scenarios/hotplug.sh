# The second CPU goes offline and online, ten times, during a stress run that also uses it: the
# contents of its magazines are available to the other CPUs at once, and nothing is lost.
# needs: timeout=600
. /guest/ktap.sh
. /guest/stress.sh

online=/sys/devices/system/cpu/cpu1/online
debug=/sys/kernel/debug/myalloc

if [ ! -e $online ]; then
	skip "CPUs that come and go" "they stay here"
	finish
fi

# Fill the magazines of CPU 1 with blocks of pages.
cached()
{
	awk '$2 == 1 { sum += $3 + $4 } END { print sum + 0 }' $debug/pcp
}

stat_of()
{
	awk -v n="$1" '$1 == n { print $2 }' $debug/stats
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32
myallocctl -o /tmp/run.json stress run --kind mixed --time 600s --threads 4 >/tmp/said 2>&1 &
stress=$!
round=0
had=0
while [ $round -lt 10 ]; do
	round=$((round + 1))
	sleep 1
	[ "$(cached)" = 0 ] || had=$((had + 1))
	echo 0 >$online || break
	left=$(cached)
	if [ "$(cat $online)" != 0 ] || [ "$left" != 0 ]; then
		not_ok "nothing stays in the magazines of a CPU that went" "$left blocks, $(cat $debug/pcp)"
		break
	fi
	myallocctl validate >/tmp/ktap.output 2>&1 || {
		not_ok "every invariant holds without it" "$(cat /tmp/ktap.output)"
		break
	}
	echo 1 >$online || break
done
echo 1 >$online 2>/dev/null
expect "10 times it went, drained and sound, and came back" test $round = 10
expect "there was something to drain" test $had -gt 0
expect "the stress was at work all the time" kill -0 $stress
kill -INT $stress
wait $stress
sound /tmp/run.json
myallocctl drain >/dev/null
expect "every page is back" test "$(stat_of free_pages)" = "$(stat_of nr_pages)"
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
