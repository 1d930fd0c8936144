# NUMA: a zone for each node, pages from the nearest, statistics like numastat's, everything else by
# node. A node without memory, one without CPUs, a CPU that goes offline. The tests depend on the
# nodes of the guest.
# needs: cpus=4 mem=1G numa=2@0,1/1@3/0@2/1@
. /guest/ktap.sh
. /guest/memory.sh

module=/guest/modules/myalloc.ko
near=/guest/modules/myalloc_near.ko
debug=/sys/kernel/debug/myalloc
nodes=/sys/devices/system/node

# The numbers in a list such as 0-2,4.
numbers()
{
	echo "$1" | tr ',' '\n' | while IFS=- read -r from to; do
		[ -z "$from" ] || seq "$from" "${to:-$from}"
	done | xargs
}

# column NODE NAME: a figure of a node in the file nodes
column()
{
	awk -v node="$1" -v name="<$2>" '
	/^# / { for (i = 2; i <= NF; i++) if ($i == name) at = i - 1 }
	/^ / && $1 == node { print $at }' $debug/nodes
}

# bad WHAT WORD PARAMETER=VALUE...: the load is refused, with a message that contains WORD
bad()
{
	what=$1
	word=$2
	shift 2
	dmesg -C 2>/dev/null || dmesg -c >/dev/null
	refuse "$what" insmod $module "$@"
	dmesg >/tmp/said
	expect "$what: the log says why" grep -q "myalloc: .*$word" /tmp/said
}

# nodes_in FILE...: the nodes in the first of these files; a kernel without NUMA has node 0
nodes_in()
{
	for list in "$@"; do
		[ ! -e "$nodes/$list" ] || { numbers "$(cat "$nodes/$list")" && return; }
	done
	echo 0
}

online=$(nodes_in online)
memory=$(nodes_in has_normal_memory has_memory)
cpus=$(nodes_in has_cpu)
note "nodes: $online; with memory: $memory; with CPUs: $cpus"
first=${memory%% *}
last=${memory##* }
count=$(echo "$memory" | wc -w)
# As much as each node has, and more than that.
pages=$(pages_of 16)
many=$((pages * 5 / 4))

if [ "$count" -lt 2 ]; then
	skip "zones of several nodes" "this machine has one node"
	expect "node=all: one zone" insmod $module reserve_mb=16 node=all
	expect "it has its line" test "$(column "$first" pages)" = "$pages"
	expect "its client loads" insmod $near pages=100 strict=1
	expect "all pages are of it" grep -q "$first:100 " /sys/module/myalloc_near/parameters/got
	rmmod myalloc_near
	expect "it unloads" rmmod myalloc
	finish
fi

# --- the parameter

bad "a node without a size" "has no size" node="$first:16,$last"
bad "a node without a number" "is not a node with a size" node=":16"
bad "a size of nothing" "is not a node with a size" node="$first:0"
bad "a size that is not a number" "is not a node with a size" node="$first:16M"
bad "an empty entry" "has no size" node="$first:16,"
bad "an entry that is too long" "is not a node with a size" node="$first:0000000000000000000000000016"
bad "a node that does not exist" "is not online" node="$first:16,63:16"
bad "a node twice" "is there twice" node="$last:16,$first:16,$last:8"
bad "a sum that is not reserve_mb" "is not the sum" reserve_mb=64 node="$first:16,$last:16"
bad "more than a node has" "that node has only" node="$first:16,$last:900000"
bad "less than a MiB each" "is too small for node=all" reserve_mb=1 node=all
bad "zones of several nodes that grow" "cannot grow" reserve_mb=32 max_mb=64 node=all
bad "a word" "is not a number" node=each

without=
for node in $online; do
	case " $memory " in *" $node "*) ;; *) without=$node ;; esac
done
if [ -n "$without" ]; then
	bad "a node without memory" "has no memory" node="$first:16,$without:16"
fi

# --- a zone for each node

dmesg -C 2>/dev/null || dmesg -c >/dev/null
expect "node=all loads" insmod $module reserve_mb=$((16 * count)) node=all
if [ -n "$without" ]; then
	dmesg >/tmp/said
	expect "the node without memory is named" grep -q "node $without has no memory" /tmp/said
	expect "it has a line" test "$(column "$without" pages)" = 0
else
	skip "the node without memory is named" "each node has some"
fi
cat $debug/nodes
for node in $memory; do
	expect "node $node has its part" test "$(column "$node" pages)" = "$pages"
	expect "node $node: all its chunks are there" \
		sh -c "! awk '/^ / && \$3 != $node' $debug/node$node/reserve | grep ."
	expect "node $node: its own zone comes first" \
		test "$(column "$node" order | cut -d, -f1)" = "$node"
done
expect "those of the first node are where they always were" \
	test "$(awk '/^nr_pages/ { print $2 }' $debug/stats)" = "$pages"

# rises NODE: the distance of zones in the order of a node never decreases
rises()
{
	column "$1" order | tr ',' '\n' | awk -v list="$(cat "$nodes/node$1/distance")" -v online="$online" '
	BEGIN { n = split(online, number); split(list, far); for (i = 1; i <= n; i++) of[number[i]] = far[i] }
	of[$1] < last || !of[$1] { bad = 1 }
	{ last = of[$1] }
	END { exit bad }'
}
for node in $online; do
	note "distances from node $node: $(cat "$nodes/node$node/distance")"
	expect "node $node: the nearer zone comes first" rises "$node"
done

# A client cannot get memory from the magazines of other CPUs.
drain()
{
	for each in $memory; do
		myallocctl --node "$each" drain >/dev/null
	done
}

# Each node in turn gets its own pages, and then those of the others in their order.
for node in $online; do
	order=$(column "$node" order | tr ',' ' ')
	own=${order%% *}
	next=$(echo "$order" | cut -d' ' -f2)
	hit=$(column "$own" numa_hit)
	foreign=$(column "$own" numa_foreign)
	miss=$(column "$next" numa_miss)
	drain
	expect "node $node: a client that takes more pages than it has" insmod $near node="$node" pages="$many"
	got=$(cat /sys/module/myalloc_near/parameters/got)
	note "near node $node: $got"
	of_own=$(echo "$got" | tr ' ' '\n' | sed -n "s/^$own://p")
	of_next=$(echo "$got" | tr ' ' '\n' | sed -n "s/^$next://p")
	expect "node $node: it has all that the preferred one had, and the rest of the next" \
		test $((of_own + of_next)) = "$many" -a "$of_own" -gt $((pages - pages / 20))
	expect "node $node: hits are counted" test $(($(column "$own" numa_hit) - hit)) = "$of_own"
	expect "node $node: misses are counted" test $(($(column "$next" numa_miss) - miss)) = "$of_next"
	expect "node $node: foreign requests are counted" \
		test $(($(column "$own" numa_foreign) - foreign)) = "$of_next"
	rmmod myalloc_near
	drain
	expect "node $node: a client that takes no other node's" insmod $near node="$node" pages="$many" strict=1
	got=$(cat /sys/module/myalloc_near/parameters/got)
	if [ "$own" = "$node" ]; then
		left=$(echo "$got" | tr ' ' '\n' | sed -n "s/^$node://p")
		total=$(echo "$got" | tr ' ' '\n' | sed -n 's/^[0-9]*://p' | awk '{ n += $1 } END { print n }')
		expect "node $node: it has only those" test "$left" = "$total" -a "$left" -gt $((pages - pages / 20))
	else
		expect "node $node: it has none" sh -c "! echo '$got' | grep -q ':[1-9][0-9]* .*object'"
	fi
	rmmod myalloc_near
done

# Objects come from the CPU's node, or from the nearest one.
for cpu in $(numbers "$(cat /sys/devices/system/cpu/online)"); do
	for path in "$nodes"/node*/cpu"$cpu"; do
		node=${path%/cpu*}
		node=${node##*node}
	done
	expect "CPU $cpu: a client there" taskset -c "$cpu" insmod $near
	expect "CPU $cpu: its object is of node $(column "$node" order | cut -d, -f1)" \
		grep -q "object:$(column "$node" order | cut -d, -f1)\$" /sys/module/myalloc_near/parameters/got
	for each in $memory; do
		expect "CPU $cpu: node $each has the client's cache" test -d $debug/node"$each"/caches/near-"$each"
	done
	rmmod myalloc_near
done

# --- the tool

expect "node list" myallocctl node list
myallocctl node list
expect "info of a node" sh -c "myallocctl --node $last info | grep -q 'NUMA node *$last\$'"
refuse "a node that has no zone" myallocctl --node 63 info
expect "top: a row for each node" sh -c "myallocctl top --once -i 100ms --kind node >/tmp/frame"
cat /tmp/frame
for node in $memory; do
	expect "top: node $node" grep -q "^node $node  *node  *$node " /tmp/frame
	expect "prom: node $node" sh -c \
		"myallocctl stat show -o prom | grep -qx 'myalloc_nr_pages{node=\"$node\"} $pages'"
done
expect "top: the head has all of them together" grep -q "of $((16 * count)).*M\$" /tmp/frame
myallocctl --node "$last" page alloc --order 0 --count 100 --hold forever >/dev/null 2>&1 &
holder=$!
tries=0
while [ "$(awk '/^page_pages/ { print $2 }' $debug/node"$last"/stats)" -lt 100 ] && [ $tries -lt 50 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
expect "page alloc: 100 pages of node $last" test "$(awk '/^page_pages/ { print $2 }' $debug/node"$last"/stats)" = 100
expect "page alloc: none of node $first" test "$(awk '/^page_pages/ { print $2 }' $debug/stats)" = 0
kill -KILL $holder
wait $holder 2>/dev/null
expect "a contract on a node" myallocctl --node "$last" contract plan pages:$((pages / 8))@0,"$(order_of 2048)"
expect "contract test on a node" myallocctl --node "$last" contract test --requests 20000 pages:$((pages / 16))@0,3
for node in $memory; do
	expect "node $node: stress" myallocctl --node "$node" stress run --kind mixed --ops 3000 --threads 2
	expect "node $node: validation finds nothing" myallocctl --node "$node" validate
done

# --- a CPU goes offline: nothing stays in its magazines, of any node

cached()
{
	cat $debug/node*/pcp | awk -v cpu="$1" '$2 == cpu { sum += $3 + $4 } END { print sum + 0 }'
}

gone=$(numbers "$(cat /sys/devices/system/cpu/online)" | awk '{ print $NF }')
if [ -e /sys/devices/system/cpu/cpu"$gone"/online ]; then
	for node in $memory; do
		taskset -c "$gone" insmod $near node="$node" pages=200
		taskset -c "$gone" rmmod myalloc_near
	done
	expect "CPU $gone has pages of some node" test "$(cached "$gone")" -gt 0
	# Taken out of the machine, where the firmware lets it go; or switched off.
	eject=/sys/devices/system/cpu/cpu$gone/firmware_node/eject
	if [ -e "$eject" ] && echo 1 >"$eject" 2>/dev/null; then
		tries=0
		while [ -e /sys/devices/system/cpu/cpu"$gone" ] && [ $tries -lt 50 ]; do
			tries=$((tries + 1))
			sleep 0.1
		done
		expect "the CPU is out of the machine" test ! -e /sys/devices/system/cpu/cpu"$gone"
	else
		echo 0 >/sys/devices/system/cpu/cpu"$gone"/online
		note "CPU $gone is switched off; it cannot be taken out here"
	fi
	expect "nothing is left in its magazines" test "$(cached "$gone")" = 0
	expect "a client without it" insmod $near node="$last" pages="$many"
	rmmod myalloc_near
	for node in $memory; do
		expect "node $node: validation finds nothing without it" myallocctl --node "$node" validate
	done
else
	skip "a CPU that goes" "they stay here"
fi
expect "the module unloads" rmmod myalloc

# --- a list

expect "a list with sizes loads" insmod $module node="$last:8,$first:24"
expect "reserve_mb is the sum" test "$(cat /sys/module/myalloc/parameters/reserve_mb)" = 32
expect "node $first has its size" test "$(column "$first" pages)" = "$(pages_of 24)"
expect "node $last has its size" test "$(column "$last" pages)" = "$(pages_of 8)"
expect "it unloads" rmmod myalloc
expect "a list of one" insmod $module node="$last:8"
expect "is the zone" test "$(awk '/^node/ { print $2 }' $debug/stats)" = "$last"
expect "a client of another node" insmod $near node="$first" pages=100
expect "has that one's pages" grep -q "$last:100 " /sys/module/myalloc_near/parameters/got
rmmod myalloc_near
expect "the list of one unloads" rmmod myalloc
finish
