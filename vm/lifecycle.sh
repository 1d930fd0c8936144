# shellcheck shell=dash
# The long lifecycle: 1,000 loads and unloads, killed loads, rmmod against users of every kind,
# files opened and read while the module is loaded and unloaded, 510 SIGKILLs at random moments
# of the device's work. Each time the kernel's memory must return to its previous level.
# needs: timeout=5400
# allow: myalloc: .*cache
. /guest/ktap.sh
. /guest/memory.sh

module=/guest/modules/myalloc.ko
GUEST_ROUNDS=${GUEST_ROUNDS:-1000}

# unchanged NAME FREE_KB SLAB_KB COMMAND...: after COMMAND less than this much memory is missing.
# The kernel itself allocates some now and then, but not every time, so there are three attempts.
unchanged()
{
	what=$1
	free_bound=$(memory_bound "$2")
	slab_bound=$(memory_bound "$3")
	shift 3
	for attempt in 1 2 3; do
		free_before=$(free_kb)
		slab_before=$(slab_kb)
		"$@" || {
			not_ok "$what" "$(tail -n 5 /tmp/ktap.output)"
			return 1
		}
		slab_more=$(($(slab_kb) - slab_before))
		free_less=$((free_before - $(free_kb)))
		note "$what: $free_less kB are missing, bound $free_bound; SUnreclaim $slab_more kB more, bound $slab_bound"
		if [ $free_less -lt "$free_bound" ] && [ $slab_more -lt "$slab_bound" ]; then
			ok "$what"
			return 0
		fi
	done
	not_ok "$what" "memory is missing each time"
}

# --- loads

loads()
{
	round=0
	while [ $round -lt "$1" ]; do
		round=$((round + 1))
		insmod $module reserve_mb=16 || return 1
		rmmod myalloc || return 1
	done
}

# Kill the load while it allocates 256 MB: the module is loaded, or nothing is left.
killed_loads()
{
	stopped=0
	round=0
	while [ $round -lt "$1" ]; do
		round=$((round + 1))
		insmod $module reserve_mb=256 chunk_order=$((round % 4)) 2>/dev/null &
		usleep $((round * 7919 % 60000))
		kill -KILL $! 2>/dev/null || :
		wait $! 2>/dev/null || stopped=$((stopped + 1))
		if grep -q '^myalloc ' /proc/modules; then
			rmmod myalloc || return 1
		elif [ -e /dev/myalloc ] || [ -e /sys/kernel/debug/myalloc ]; then
			return 1
		fi
	done
	[ $stopped -gt 0 ]
}

# Other processes keep opening the device and reading debugfs: rmmod works or reports that the
# module is in use; it must work after they have stopped.
busy_loads()
{
	while :; do
		: </dev/myalloc
		usleep 500
	done 2>/dev/null &
	opener=$!
	while :; do
		cat /sys/kernel/debug/myalloc/* /sys/kernel/debug/myalloc/caches/*/* >/dev/null
		usleep 500
	done 2>/dev/null &
	reader=$!
	went=0
	round=0
	while [ $round -lt "$1" ]; do
		round=$((round + 1))
		grep -q '^myalloc ' /proc/modules || insmod $module reserve_mb=8 || break
		rmmod myalloc 2>/dev/null && went=$((went + 1))
	done
	kill -KILL $opener $reader
	wait $opener $reader 2>/dev/null || :
	note "$went of $round removals worked at once"
	if grep -q '^myalloc ' /proc/modules; then
		rmmod myalloc || return 1
	fi
	[ $round = "$1" ] && [ $went -gt 0 ]
}

# --- removal against users

# in_use NAME: rmmod is refused and the module still works
in_use()
{
	if rmmod myalloc 2>/dev/null; then
		echo "$1: rmmod was not refused" >>/tmp/ktap.output
		return 1
	fi
	myallocctl validate >/tmp/ktap.output 2>&1
}

used_loads()
{
	round=0
	while [ $round -lt "$1" ]; do
		round=$((round + 1))
		insmod $module reserve_mb=32 || return 1

		exec 9</dev/myalloc
		in_use "a descriptor" || return 1
		exec 9<&-

		kind=$(echo pages objects mixed cross exhaust heap arena ring pool |
		       cut -d ' ' -f $((round % 9 + 1)))
		myallocctl stress run --kind "$kind" --time 60s >/dev/null 2>&1 9<&- &
		user=$!
		until myallocctl stat show | grep -q . && [ -n "$(session_run)" ]; do :; done
		in_use "stress" || return 1
		kill -KILL $user
		wait $user 2>/dev/null || :

		myallocctl cache create held --size 200 --count 100 --hold forever >/dev/null 2>&1 &
		user=$!
		until [ -e /sys/kernel/debug/myalloc/caches/held ]; do :; done
		in_use "objects" || return 1
		kill -KILL $user
		wait $user 2>/dev/null || :

		insmod /guest/modules/myalloc_example.ko || return 1
		in_use "a client" || return 1
		rmmod myalloc_example || return 1
		rmmod myalloc || return 1
	done
}

# The session that has a run, according to debugfs.
session_run()
{
	awk '$NF == "yes"' /sys/kernel/debug/myalloc/owners
}

kills()
{
	insmod $module reserve_mb=64 || return 1
	insmod /guest/modules/myalloc_bench.ko || return 1
	suite "kill-$attempt" kill_test 30
	killed=${ktap_status:-1}
	rmmod myalloc_bench || return 1
	rmmod myalloc || return 1
	[ "$killed" = 0 ]
}

# The first load makes the kernel allocate memory that it keeps.
loads 2
expect "it loads and unloads" test ! -e /dev/myalloc
before=$(free_kb)
began=$(cut -d. -f1 /proc/uptime)

# A page lost in each load would be 4 kB each, an object of 256 bytes a quarter of one.
unchanged "$GUEST_ROUNDS loads and unloads" $((GUEST_ROUNDS * 2)) $((GUEST_ROUNDS / 4)) \
	loads "$GUEST_ROUNDS"
note "$(($(cut -d. -f1 /proc/uptime) - began)) s"
unchanged "100 loads are killed" 200 256 killed_loads 100
unchanged "60 loads and unloads with others at the files" 200 256 busy_loads 60
unchanged "removal is refused to 20 times each kind of user" 200 256 used_loads 20
unchanged "510 SIGKILLs" 1000 512 kills
expect "nothing stays" test ! -e /dev/myalloc
lost=$((before - $(free_kb)))
note "after all of that $lost kB are missing"
finish
