# The one writer of KTAP in sh. Sourced by the scenarios in the guest and, on the host, by the
# tests of the tool and by run.sh, test.sh and install_test.sh, which are bash.
#
#	ok NAME			a test passed
#	not_ok NAME [WHY]	a test failed
#	skip NAME WHY		a test cannot be run here
#	expect NAME COMMAND...	passes when the command succeeds
#	refuse NAME COMMAND...	passes when the command fails, but not by a signal
#	suite NAME COMMAND...	run a program that prints KTAP itself; the host sums its
#				tests with all others
#	note TEXT		a line for the reader
#	finish			the last line of each scenario: without it the
#				host counts the scenario as cut short
#
# If $ktap_output is set, expect and refuse write the command's output to this file.

ktap_count=0
ktap_failed=0
ktap_output=${ktap_output:-/tmp/ktap.output}

echo "KTAP version 1"

note()
{
	echo "$*" | sed 's/^/# /'
}

ktap_point()
{
	ktap_count=$((ktap_count + 1))
	# A '#' would begin a directive.
	echo "$1 $ktap_count - $(printf '%s' "$2" | tr '#\n' '+ ')${3:+ # $3}"
}

ok()
{
	ktap_point ok "$1"
}

not_ok()
{
	[ -z "${2:-}" ] || note "$2"
	ktap_failed=$((ktap_failed + 1))
	ktap_point "not ok" "$1"
}

skip()
{
	ktap_point ok "$1" "SKIP ${2:-}"
}

expect()
{
	ktap_name=$1
	shift
	ktap_status=0
	"$@" >"$ktap_output" 2>&1 || ktap_status=$?
	if [ "$ktap_status" = 0 ]; then
		ok "$ktap_name"
		return 0
	fi
	note "'$*' gave status $ktap_status and said:"
	note "$(tail -n 30 "$ktap_output")"
	not_ok "$ktap_name"
	return 1
}

refuse()
{
	ktap_name=$1
	shift
	ktap_status=0
	"$@" >"$ktap_output" 2>&1 || ktap_status=$?
	if [ "$ktap_status" != 0 ] && [ "$ktap_status" -lt 126 ]; then
		ok "$ktap_name"
		return 0
	fi
	note "'$*' gave status $ktap_status and said:"
	note "$(tail -n 30 "$ktap_output")"
	not_ok "$ktap_name"
	return 1
}

# wait_for COMMAND...: repeat until it succeeds, for at most a minute.
wait_for()
{
	local tries=0
	until "$@" >/dev/null 2>&1 || [ $tries = 300 ]; do
		sleep 0.2
		tries=$((tries + 1))
	done
}

# Is the module in use?
in_use()
{
	[ "$(cat /sys/module/myalloc/refcnt)" -gt 0 ]
}

suite()
{
	ktap_name=$1
	shift
	ktap_status=0
	mkdir -p /out/ktap
	"$@" >"/out/ktap/$ktap_name.ktap" || ktap_status=$?
	if [ "$ktap_status" = 0 ]; then
		ok "$ktap_name"
		return 0
	fi
	note "$(grep -B 3 -A 3 '^ *not ok' "/out/ktap/$ktap_name.ktap")"
	not_ok "$ktap_name" "'$*' gave status $ktap_status"
	return 1
}

# failures_of_kernel: make the kernel's own fault injection apply to all allocations of a task
# that writes to /proc/thread-self/fail-nth, without messages. False if this kernel has none.
failures_of_kernel()
{
	[ -d /sys/kernel/debug/failslab ] && [ -e /proc/thread-self/fail-nth ] || return 1
	for ktap_point in failslab fail_page_alloc; do
		echo N >/sys/kernel/debug/$ktap_point/ignore-gfp-wait
		echo 0 >/sys/kernel/debug/$ktap_point/verbose
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
	echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
}

# failing_marked PERCENT: make the kernel's own fault injection fail this share of the allocations
# that may not wait, of tasks that have make_it_fail set, as myalloc_transfer.ko has with failing=1.
failing_marked()
{
	for ktap_point in failslab fail_page_alloc; do
		for ktap_name in task-filter=Y ignore-gfp-wait=Y verbose=0 times=-1 probability="$1"; do
			echo "${ktap_name#*=}" >"/sys/kernel/debug/$ktap_point/${ktap_name%=*}"
		done
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
}

ktap_plan()
{
	echo "1..$ktap_count"
}

# Print the plan, and exit with the verdict.
ktap_end()
{
	ktap_plan
	[ "$ktap_failed" = 0 ]
	exit
}

finish()
{
	ktap_end
}
