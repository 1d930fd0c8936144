# The reserve grows and shrinks, by command, on demand, by decay and under pressure; nothing is
# lost.
# On the kernel's command line: ELASTIC_CYCLES=N of growing and shrinking instead of 40.
. /guest/ktap.sh
. /guest/memory.sh

module=/guest/modules/myalloc.ko
debug=/sys/kernel/debug/myalloc
parameters=/sys/module/myalloc/parameters
cycles=${ELASTIC_CYCLES:-40}
# There is room for several of these.
chunk=chunk_order=$SMALL_CHUNK

# A number of the reserve, such as nr_pages.
of()
{
	myallocctl -j reserve show | tr ',' '\n' | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"
}

# Waits up to 10 s until the reserve has @1 pages.
until_pages()
{
	tries=0
	while [ "$(of nr_pages)" != "$1" ] && [ $tries -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	[ "$(of nr_pages)" = "$1" ]
}

refuse "a ceiling below the floor" insmod $module reserve_mb=16 max_mb=8
refuse "a ceiling that is not a number" insmod $module reserve_mb=16 max_mb=much
refuse "a ceiling above the memory" insmod $module reserve_mb=16 max_mb=99999999
refuse "a decay of nothing at a time" insmod $module reserve_mb=16 max_mb=64 decay_mb=0

insmod $module "$chunk" reserve_mb=16 max_mb=64 && rmmod myalloc
before=$(free_kb)
expect "the module loads" insmod $module "$chunk" reserve_mb=16 max_mb=64 decay_ms=0
floor=$(of nr_pages)
expect "it has what reserve_mb says" test "$floor" = "$(of floor_pages)"
expect "it may have four times as much" test "$(of max_pages)" = $((4 * floor))
refuse "a decay that is not a number" sh -c "echo slow >$parameters/decay_ms"
refuse "a decay of nothing at a time, later" sh -c "echo 0 >$parameters/decay_mb"
expect "the decay can be read" test "$(cat $parameters/decay_ms $parameters/decay_mb | xargs)" = "0 64"

expect "map shows where no memory is" sh -c "myallocctl map | grep -q 'hole .*pages'"
expect "whatis says that none is there" sh -c "myallocctl whatis page:$floor | grep -q 'hole'"
expect "reserve grow" myallocctl reserve grow 8M
expect "it has 8 MB more" test "$(of nr_pages)" = $((floor + floor / 2))
expect "the file reserve has a line for each chunk" \
	test "$(grep -c '^ *[0-9]' $debug/reserve)" = $(($(of nr_pages) >> $(of chunk_order)))
expect "reserve grow, more than there is room for" myallocctl reserve grow 1G
expect "it is at its ceiling" test "$(of nr_pages)" = "$(of max_pages)"
refuse "no more" myallocctl reserve grow 4M
refuse "nothing" myallocctl reserve grow 0
expect "validation finds nothing" myallocctl validate
expect "reserve shrink" myallocctl reserve shrink
expect "it is at its floor" test "$(of nr_pages)" = "$floor"

# Each cycle moves a chunk: it is counted, and the system has less and then as much as before.
chunk_kb=$((PAGE_KB << $(of chunk_order)))
myallocctl reserve grow $((8 * chunk_kb))k >/dev/null
few=$(free_kb)
myallocctl reserve shrink >/dev/null
many=$(free_kb)
note "8 chunks of $chunk_kb kB: the system has $few kB while they are here, and $many kB"
expect "what has grown is missing in the system" \
	test $((many - few)) -ge $((8 * chunk_kb - $(memory_bound 1000)))
moved=$(of grown)
gone=$(of shrunk)
round=0
while [ $round -lt "$cycles" ]; do
	round=$((round + 1))
	myallocctl reserve grow ${chunk_kb}k >/dev/null || break
	myallocctl reserve shrink ${chunk_kb}k >/dev/null || break
done
now=$(free_kb)
note "$round cycles: the system had $many kB and has $now kB"
expect "$cycles cycles, each of which moves a chunk" test $(($(of grown) - moved)) = "$cycles"
expect "and gives it back" test $(($(of shrunk) - gone)) = "$cycles"
expect "the system has as much as before" test $((many - now)) -le "$(memory_bound 1000)"

# Callers that must not wait for file systems or devices; lockdep checks that they do not.
expect "callers under nofs and noio" insmod /guest/modules/myalloc_nofs.ko
pages=$(cat /sys/module/myalloc_nofs/parameters/pages)
note "under nofs and noio $pages pages of $(of max_pages)"
expect "for both the reserve has grown" \
	sh -c "[ ${pages%,*} -gt $floor ] && [ ${pages#*,} -gt $floor ]"
expect "they are gone" rmmod myalloc_nofs
myallocctl drain >/dev/null
myallocctl reserve shrink >/dev/null

# Under memory pressure.
myallocctl reserve grow 1G >/dev/null
echo 2 >/proc/sys/vm/drop_caches
echo 2 >/proc/sys/vm/drop_caches
expect "the kernel's shrinkers take what is free" test "$(of nr_pages)" -lt "$(of max_pages)"

# Users need more than the reserve has, while it also grows and shrinks by command, and a CPU goes
# online and offline where possible.
cpu=/sys/devices/system/cpu/cpu1/online
myallocctl reserve shrink >/dev/null
grown=$(of grown) shrunk=$(of shrunk) rounds=0 toggled=0
myallocctl stress run --kind pages --fill 90% --time 3s >/tmp/stress 2>&1 &
stress=$!
while kill -0 $stress 2>/dev/null; do
	rounds=$((rounds + 1))
	myallocctl reserve grow 8M >/dev/null 2>&1
	myallocctl reserve shrink 4M >/dev/null 2>&1
	echo 2 >/proc/sys/vm/drop_caches
	[ -w $cpu ] || continue
	echo 0 >$cpu && echo 1 >$cpu && toggled=$((toggled + 1))
done
wait $stress
status=$?
[ $status = 0 ] || cat /tmp/stress
expect "a stress run meanwhile finds no error" test $status = 0
note "$rounds rounds: $(($(of grown) - grown)) chunks taken, $(($(of shrunk) - shrunk)) given back"
expect "chunks came meanwhile" test "$(of grown)" -gt "$grown"
expect "and went" test "$(of shrunk)" -gt "$shrunk"
[ ! -w $cpu ] || expect "so did a CPU" test $toggled -gt 0
expect "validation finds nothing after it" myallocctl validate

# Unused memory decays.
myallocctl drain >/dev/null
myallocctl reserve grow 1G >/dev/null 2>&1
expect "the decay can be changed" sh -c "echo 80 >$parameters/decay_ms"
expect "the reserve decays to its floor" until_pages "$floor"
expect "that is counted" test "$(of decayed)" -gt 0
expect "doctor says what the reserve is" sh -c "COLUMNS=200 myallocctl doctor | grep -q 'may grow'"
expect "validation finds nothing at the end" myallocctl validate

# Unloading waits for growth or decay in progress.
under_way()
{
	round=0
	while [ $round -lt 12 ]; do
		round=$((round + 1))
		rmmod myalloc || return 1
		insmod $module "$chunk" reserve_mb=16 max_mb=64 decay_ms=8 || return 1
		case $((round % 3)) in
		0)	myallocctl reserve grow 32M >/dev/null ;;
		1)	myallocctl stress run --kind exhaust --time 100ms >/dev/null 2>&1 ;;
		2)	insmod /guest/modules/myalloc_nofs.ko && rmmod myalloc_nofs || return 1 ;;
		esac
	done
}
expect "it unloads 12 times while it grows or decays" under_way
expect "validation finds nothing in the last one" myallocctl validate

myallocctl reserve grow 16M >/dev/null
expect "the module unloads while it has more than its floor" rmmod myalloc
after=$(free_kb)
note "free memory was $before kB and is $after kB"
expect "all memory is back" test $((before - after)) -le "$(memory_bound 400)"
finish
