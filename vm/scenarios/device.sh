# The device: good and bad input to every command, a SIGKILL during each kind of work, random
# commands while files are closed. After each the statistics must be right.
# needs: timeout=900
# allow: myalloc: .*cache
. /guest/ktap.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=64 session_quota=100
expect "the benchmarks load" insmod /guest/modules/myalloc_bench.ko

# A test that would take hours ends at once, shows its results, and has freed everything.
for pair in INT:130 TERM:143 HUP:129; do
	myallocctl page test --rounds 1000000 >/tmp/test 2>&1 &
	pid=$!
	wait_for in_use
	sleep 0.5
	kill -${pair%:*} $pid
	wait $pid
	status=$?
	if [ $status = ${pair#*:} ] && grep -q '^verdict  *ok$' /tmp/test; then
		ok "SIG${pair%:*} ends a page test, which shows what was done"
	else
		not_ok "SIG${pair%:*} ends a page test, which shows what was done" \
			"status $status: $(cat /tmp/test)"
	fi
done
refuse "a result that cannot be written is an error" \
	sh -c "myallocctl page alloc -n 100 >/dev/full 2>/tmp/error"
expect "and says so" grep -q 'cannot write to standard output: No space left on device' /tmp/error
expect "and what it took is given back" \
	sh -c "grep -q '^page_pages 0\$' /sys/kernel/debug/myalloc/stats"

suite ioctl ioctl_test
suite kill kill_test 5
suite fuzz ioctl_fuzz 2000
expect "every invariant holds" myallocctl validate
expect "the benchmarks unload" rmmod myalloc_bench
expect "the module unloads" rmmod myalloc
finish
