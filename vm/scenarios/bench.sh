# A very short benchmark of every shape: each runs, the result can be read and compared, Ctrl-C ends
# it, nothing is left. The figures are not checked.
# needs: timeout=1000
. /guest/ktap.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=64
expect "the benchmarks load" insmod /guest/modules/myalloc_bench.ko

myallocctl bench list >/tmp/list 2>&1
shapes=$(grep -c / /tmp/list)
if [ "$shapes" -gt 100 ]; then
	ok "the shapes are listed"
else
	not_ok "the shapes are listed" "$(head -n 3 /tmp/list)"
fi

# How full the zone is during the run: a sentence for people and a number for programs.
myallocctl -j bench list | tr '{' '\n' |
	sed -n 's/.*"what":"\([^"]*\)".*"fill_permille":\([0-9]*\).*/\2 \1/p' >/tmp/fills
if awk '
{ want = 0 }
/half full/ { want = 500 }
match($0, /[0-9]+ % full/) { want = substr($0, RSTART, RLENGTH) * 10 }
want { nr++ }
want != $1 { print "0/00 " $0; bad = 1 }
END { exit bad || nr < 10 }' /tmp/fills >/tmp/wrong
then
	ok "each shape says how full the zone is"
else
	not_ok "each shape says how full the zone is" "$(cat /tmp/wrong)"
fi

expect "every shape runs" \
	myallocctl -o /tmp/all.json bench run --rounds 1 --ops 50 --seed 1
expect "the result can be read again" myallocctl bench show /tmp/all.json
expect "every shape is in it" sh -c "
	[ \$(myallocctl bench show /tmp/all.json | grep -c '^  [a-z]*/') -ge $shapes ]"
expect "a part of it can be shown" myallocctl bench show /tmp/all.json 'object/64/*'
expect "it can be compared" myallocctl bench compare /tmp/all.json /tmp/all.json
refuse "an unknown shape is refused" myallocctl bench run no/such/shape
refuse "a CPU that is not there is refused" myallocctl bench run --cpu 63 object/64/pair

# A run of minutes, ended by a signal, keeps the results so far.
myallocctl -o /tmp/some.json bench run --rounds 1000 'object/*' >/tmp/some 2>&1 &
pid=$!
sleep 2
kill -INT $pid
wait $pid
status=$?
if [ $status = 130 ] && grep -q 'state  *cancelled' /tmp/some; then
	ok "Ctrl-C ends a run and shows what was done"
else
	not_ok "Ctrl-C ends a run and shows what was done" "status $status: $(tail -n 3 /tmp/some)"
fi
expect "what was done can be read again" myallocctl bench show /tmp/some.json

# The largest possible round of the slowest work, minutes at the highest priority, still lets others
# run and can be ended.
if [ -w /proc/sys/kernel/watchdog_thresh ]; then
	echo 2 >/proc/sys/kernel/watchdog_thresh
	dmesg -c >/dev/null
	myallocctl bench run --rounds 1 --ops 16777216 checks/64/FZPU/pair >/tmp/some 2>&1 &
	pid=$!
	sleep 12
	kill -INT $pid
	wait $pid
	expect "a round of minutes can be ended" test $? = 130
	refuse "a round of minutes holds no CPU" \
		sh -c 'dmesg | grep -i "soft lockup\|self-detected stall\|detected stalls"'
	echo 10 >/proc/sys/kernel/watchdog_thresh
else
	skip "a round of minutes holds no CPU" "this kernel has no watchdog"
fi

# The last close ends a run without a reader.
myallocctl bench run --rounds 1000 'object/*' >/dev/null 2>&1 &
pid=$!
sleep 1
kill -KILL $pid
wait $pid
expect "every invariant holds" myallocctl validate
expect "the benchmarks unload" rmmod myalloc_bench
expect "the module unloads" rmmod myalloc
expect "the cache of the kernel's own is gone" sh -c "! grep -q myalloc-bench /proc/slabinfo"
finish
