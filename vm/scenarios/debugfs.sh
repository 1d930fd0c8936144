# The files of debugfs: they exist, can be read at once and in pieces, are never writable, have
# the format of their counterpart in /proc or a version line, and agree with the device; a
# cache's directory appears and disappears with the cache.
# needs: timeout=400
. /guest/ktap.sh
. /guest/memory.sh

dir=/sys/kernel/debug/myalloc
expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32

for name in buddyinfo slabinfo stats pcp fragmentation reserve owners heaps heap_classes rings \
	arenas pools contracts contract_sites; do
	file=$dir/$name
	expect "$name: can be read" cat $file
	case $name:$(head -n 1 $file) in
	buddyinfo:"Node "*)	ok "$name: begins as /proc/$name does" ;;
	*" - version: "*)	ok "$name: begins with its version" ;;
	*)			not_ok "$name: begins with its version" "$(head -n 1 $file)" ;;
	esac
	case $(stat -c %a $file) in
	444|400)	ok "$name: nobody may write" ;;
	*)		not_ok "$name: nobody may write" "mode $(stat -c %a $file)" ;;
	esac
	# Reading byte by byte must give the same text: there is no buffer of a fixed size.
	cat $file >/tmp/whole
	dd if=$file bs=7 2>/dev/null >/tmp/pieces
	expect "$name: the same in pieces" cmp /tmp/whole /tmp/pieces
done

# like_buddyinfo FILE: check the format that readers of /proc/buddyinfo expect: each line has the
# words Node and zone in their places, the number of a node, a name, and as many counts as the first
# line.
like_buddyinfo()
{
	awk '
	$1 != "Node" || $2 !~ /^[0-9]+,$/ || $3 != "zone" || NF < 5 { bad = 1 }
	NR == 1 { fields = NF }
	NF != fields { bad = 1 }
	{ for (i = 5; i <= NF; i++) if ($i !~ /^[0-9]+$/) bad = 1 }
	END { exit bad || !NR }' "$1"
}

# columns FILE: print where the columns of its first line end
columns()
{
	head -n 1 "$1" | tr -c ' \n' x | sed 's/x\( \|$\)/X\1/g; s/x/ /g'
}

expect "what this test knows of buddyinfo is true of the kernel's" like_buddyinfo /proc/buddyinfo
expect "buddyinfo: every line has the form of /proc/buddyinfo" like_buddyinfo $dir/buddyinfo
# Both in one stream, for a program that reads our file after the kernel's.
cat /proc/buddyinfo $dir/buddyinfo >/tmp/both
expect "buddyinfo: can follow the kernel's" like_buddyinfo /tmp/both
expect "buddyinfo: its columns lie under the kernel's" \
	test "$(columns /proc/buddyinfo)" = "$(columns $dir/buddyinfo)"

# Every user may read it: it has the number of bits of an address, not the address itself.
expect "stats: bits of the last physical address" grep -qxE 'phys_bits [1-9][0-9]?' $dir/stats
expect "stats: no physical address" sh -c "! grep -q last_phys $dir/stats"

# Nothing is allocated: blocks of a chunk or larger, on all nodes of the reserve.
if [ "$(pages_in_chunks)" = "$(pages_of 32)" ]; then
	ok "buddyinfo: 32 MiB are in blocks of whole chunks"
else
	not_ok "buddyinfo: 32 MiB are in blocks of whole chunks" "it says '$(cat $dir/buddyinfo)'"
fi
# buddyinfo_by_node WHERE: a line for each node that has chunks, and all free pages in them
buddyinfo_by_node()
{
	nodes=$(awk 'NR > 2 { print $3 }' $dir/reserve | sort -un | tr '\n' ' ')
	lines=$(awk '{ print $2 + 0 }' $dir/buddyinfo | tr '\n' ' ')
	if [ "$nodes" = "$lines" ]; then
		ok "buddyinfo: a line for each node, $1"
	else
		not_ok "buddyinfo: a line for each node, $1" "nodes $nodes, lines $lines"
	fi
	pages=$(awk '{ for (i = size = 1; i <= NF - 4; i++) { sum += $(i + 4) * size; size *= 2 } }
		END { print sum }' \
		$dir/buddyinfo)
	expect "buddyinfo: all free pages, $1" grep -q "^free_pages $pages\$" $dir/stats
}
buddyinfo_by_node "$(awk 'END { print NR }' $dir/buddyinfo) of them"

# like_slabinfo FILE: check the format of version 2.1, as slabtop reads it, and its numbers.
like_slabinfo()
{
	awk '
	NR <= 2 { next }
	NF != 16 || $7 != ":" || $8 != "tunables" || $12 != ":" || $13 != "slabdata" { bad = 1 }
	{
		for (i = 2; i <= 16; i++)
			if (i != 7 && i != 8 && i != 12 && i != 13 && $i !~ /^[0-9]+$/)
				bad = 1
	}
	$2 > $3 + 0 || $14 > $15 + 0 || $5 < 1 || $6 < 1 || $4 < 1 { bad = 1 }
	END { exit bad || NR < 2 }' "$1"
}

if [ -e /proc/slabinfo ]; then
	head -n 2 /proc/slabinfo >/tmp/heads
	expect "slabinfo: begins with the lines of /proc/slabinfo" \
		sh -c "head -n 2 $dir/slabinfo | cmp - /tmp/heads"
	expect "what this test knows of slabinfo is true of the kernel's" \
		like_slabinfo /proc/slabinfo
else
	skip "slabinfo: begins with the lines of /proc/slabinfo" "this kernel has none"
	skip "what this test knows of slabinfo is true of the kernel's" "this kernel has none"
fi

myallocctl cache create probe --size 200 --count 100 --hold forever >/tmp/held 2>&1 &
probe_is_there()
{
	[ "$(awk '$1 == "probe" { print $2 }' $dir/slabinfo)" -ge 100 ]
}
wait_for probe_is_there
expect "a cache's directory comes with it" test -d $dir/caches/probe
for pair in object_size:200 order:0; do
	got=$(cat $dir/caches/probe/${pair%:*} 2>/dev/null)
	if [ "$got" = "${pair#*:}" ]; then
		ok "caches/probe/${pair%:*} is $got"
	else
		not_ok "caches/probe/${pair%:*} is ${pair#*:}" "it says '$got'"
	fi
done
for word in object_size slab_size align objects alloc_fastpath red_zone meta_bytes; do
	expect "caches/probe/all has $word" grep -q "^$word [0-9]" $dir/caches/probe/all
done
files=$(find $dir/caches/probe -type f | wc -l)
expect "a cache has few files" test "$files" -le 9
live=$(awk '$1 == "probe" { print $2 }' $dir/slabinfo)
if [ "${live:-0}" -ge 100 ]; then
	ok "slabinfo shows its objects"
else
	not_ok "slabinfo shows its objects" "$(cat $dir/slabinfo)"
fi
expect "slabinfo: every line has the form of /proc/slabinfo" like_slabinfo $dir/slabinfo
refuse "the module in use cannot be removed" rmmod myalloc
kill -INT $!
wait $!
refuse "the directory goes with the cache" test -e $dir/caches/probe

# Every statistic that the tool explains is a line of the file stats.
# In a terminal that is wide enough for a line each.
COLUMNS=400 myallocctl stat explain >/tmp/explain
missing=$(awk '$1 == "Zone" { zone = 1 } $1 == "Cache" { zone = 0 } zone && NF > 1 && $1 != "name" {
	print $1 }' /tmp/explain | while read -r field; do
		grep -qE "^$field(_order0)? " $dir/stats || echo "$field"
	done)
if [ -z "$missing" ] && [ "$(wc -l </tmp/explain)" -gt 50 ]; then
	ok "stats has every statistic"
else
	not_ok "stats has every statistic" "without $missing"
fi

# stats agrees with the device.
expect "the tool can be asked" myallocctl -o /tmp/stat.json stat show
for key in nr_pages free_pages; do
	there=$(awk -v k=$key '$1 == k { print $2 }' $dir/stats)
	if grep -q "\"$key\": *$there\b" /tmp/stat.json; then
		ok "stats and the device agree on $key"
	else
		not_ok "stats and the device agree on $key" "$there; $(cat /tmp/stat.json)"
	fi
done

# The version is kept in one place, and every product reports it.
version=$(myallocctl --version | sed 's/^myallocctl \([^ ]*\) .*/\1/')
got=$(cat /sys/module/myalloc/version 2>&1)
if [ -n "$version" ] && [ "$got" = "$version" ]; then
	ok "the module's version is the tool's, $version"
else
	not_ok "the module's version is the tool's, $version" "it says '$got'"
fi
expect "info says the module's version" sh -c "myallocctl info | grep -q '^  version  *$version\$'"
expect "the module unloads" rmmod myalloc

# Memory of each call site, with the call stack where checks=U records it.
# owner WHAT COUNT SIZE CALLER: owners has such a line
owner()
{
	if awk -v what="$1" -v count="$2" -v size="$3" -v caller="$4" '
		$1 == what && $2 == count && $3 == size && index($0, caller) { found = 1 }
		END { exit !found }' /tmp/owners
	then
		ok "$run: owners: $1: $2, $3, by $4"
	else
		not_ok "$run: owners: $1: $2, $3, by $4" "$(cat /tmp/owners)"
	fi
}

all_there()
{
	grep -q "myallocctl .* 320 " $dir/owners && [ "$(cat $dir/caches/owned/objects)" = 50 ]
}

for run in checks=- checks=U; do
	expect "$run: the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32 $run
	expect "$run: a client loads" insmod /guest/modules/myalloc_example.ko period_us=100000
	myallocctl page alloc --order 4 --count 20 --hold forever >/dev/null 2>&1 &
	pages=$!
	myallocctl cache create owned --size 200 --count 50 --hold forever >/dev/null 2>&1 &
	objects=$!
	wait_for all_there
	cat $dir/owners >/tmp/owners
	owner "(pages)" 20 320 "[myalloc]"
	owner myallocctl $pages 20 320
	if [ $run = checks=U ]; then
		owner owned 50 10000 "[myalloc]"
	else
		owner owned 50 10000 "not recorded"
	fi
	# The call stack begins in the device.
	stacks=$(grep -c 'device_ioctl' /tmp/owners)
	if [ $run = checks=U ] && [ -e /sys/kernel/debug/stackdepot ]; then
		expect "$run: owners: with the way the call took" test "$stacks" -gt 0
	elif [ $run = checks=- ]; then
		expect "$run: owners: without stacks" test "$stacks" = 0
	fi
	kill -KILL $pages $objects
	wait $pages $objects 2>/dev/null
	cat $dir/owners >/tmp/owners
	refuse "$run: owners: nothing of theirs stays" grep -q "myallocctl\|owned" /tmp/owners
	expect "$run: the client unloads" rmmod myalloc_example
	expect "$run: the module unloads" rmmod myalloc
done

# More memory than a node has, so the reserve is on two nodes.
if [ -d /sys/devices/system/node/node1 ]; then
	mb=$(awk '/MemFree/ { print int($4 / 1024) + 32 }' /sys/devices/system/node/node0/meminfo)
	expect "the module loads with $mb MiB" insmod /guest/modules/myalloc.ko reserve_mb="$mb"
	expect "buddyinfo: two nodes, two lines" test "$(awk 'END { print NR }' $dir/buddyinfo)" = 2
	expect "buddyinfo: the form of /proc/buddyinfo" like_buddyinfo $dir/buddyinfo
	buddyinfo_by_node "two nodes"
	expect "the module unloads" rmmod myalloc
fi
refuse "a client alone is refused" insmod /guest/modules/myalloc_example.ko
finish
