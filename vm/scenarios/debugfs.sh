# The files of debugfs: there, readable by whole and in pieces, never writable, with a
# version line, and saying what the device says; a cache's directory comes and goes with it.
# needs: timeout=200
. /guest/ktap.sh

dir=/sys/kernel/debug/myalloc
expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32

for name in buddyinfo slabinfo stats pcp fragmentation reserve owners; do
	file=$dir/$name
	expect "$name: can be read" cat $file
	case $(head -n 1 $file) in
	*" - version: "*)	ok "$name: begins with its version" ;;
	*)			not_ok "$name: begins with its version" "$(head -n 1 $file)" ;;
	esac
	case $(stat -c %a $file) in
	444|400)	ok "$name: nobody may write" ;;
	*)		not_ok "$name: nobody may write" "mode $(stat -c %a $file)" ;;
	esac
	# Byte by byte must give the same as at once: no buffer of a fixed size behind it.
	cat $file >/tmp/whole
	dd if=$file bs=7 2>/dev/null >/tmp/pieces
	expect "$name: the same in pieces" cmp /tmp/whole /tmp/pieces
done

# 16 orders of nothing taken: one block of order 10 for each 4 MiB.
free=$(awk '$4 == "myalloc" { print $NF }' $dir/buddyinfo)
if [ "$free" = 8 ]; then
	ok "buddyinfo: 32 MiB are 8 blocks of order 10"
else
	not_ok "buddyinfo: 32 MiB are 8 blocks of order 10" "it says '$free'"
fi

myallocctl cache create probe --size 200 --count 100 --hold 5s >/tmp/held 2>&1 &
sleep 2
expect "a cache's directory comes with it" test -d $dir/caches/probe
for pair in object_size:200 order:0; do
	got=$(cat $dir/caches/probe/${pair%:*} 2>/dev/null)
	if [ "$got" = "${pair#*:}" ]; then
		ok "caches/probe/${pair%:*} is $got"
	else
		not_ok "caches/probe/${pair%:*} is ${pair#*:}" "it says '$got'"
	fi
done
live=$(awk '$1 == "probe" { print $2 }' $dir/slabinfo)
if [ "${live:-0}" -ge 100 ]; then
	ok "slabinfo shows its objects"
else
	not_ok "slabinfo shows its objects" "$(cat $dir/slabinfo)"
fi
refuse "the module in use cannot be removed" rmmod myalloc
wait
refuse "the directory goes with the cache" test -e $dir/caches/probe

# What stats says, the device says.
expect "the tool can be asked" myallocctl -o /tmp/stat.json stat show
for key in nr_pages free_pages; do
	there=$(awk -v k=$key '$1 == k { print $2 }' $dir/stats)
	if grep -q "\"$key\": *$there\b" /tmp/stat.json; then
		ok "stats and the device agree on $key"
	else
		not_ok "stats and the device agree on $key" "$there; $(cat /tmp/stat.json)"
	fi
done
expect "the module unloads" rmmod myalloc
finish
