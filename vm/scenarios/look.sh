# Inspection of memory in use: the map and its totals, one block with its owner and call stack,
# objects by handle, and permission to query addresses.
# needs: timeout=400
. /guest/ktap.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32 checks=U
myallocctl page alloc --order 4 --count 20 --hold forever --handles -j >/tmp/pages 2>&1 &
pages=$!
myallocctl cache create seen --size 200 --count 500 --hold forever >/tmp/objects 2>&1 &
objects=$!
all_there()
{
	[ "$(cat /sys/kernel/debug/myalloc/caches/seen/objects 2>/dev/null)" = 500 ] && in_use
}
wait_for all_there

myallocctl map >/tmp/map
note "$(head -n 4 /tmp/map)"
expect "map draws page users" grep -q ' P page users$' /tmp/map
expect "map draws slabs" grep -q ' [13579] slabs, ' /tmp/map
expect "map counts the pages" grep -q '^  pages  *320 pages' /tmp/map
expect "map makes a page for a browser" myallocctl -o /tmp/map.html map
expect "which is one" grep -q '^<!DOCTYPE html>' /tmp/map.html

# Follow the map to a block, its owner and its call stack.
myallocctl map --range 0-1023 >/tmp/blocks
page=$(awk '$3 == "pages" { print $1; exit }' /tmp/blocks)
myallocctl map --range "$page+16" >/tmp/block
expect "a block has an owner" grep -q 'by .*\[myalloc\]' /tmp/block
if [ -e /sys/kernel/debug/stackdepot ]; then
	expect "and the call stack of the ioctl" grep -q device_ioctl /tmp/block
fi
slab=$(awk '$3 == "slab" && $4 == "seen," { print $1; exit }' /tmp/blocks)
myallocctl whatis "page:$slab.0" >/tmp/slot
expect "a slot has a cache" grep -q '^cache  *seen$' /tmp/slot
expect "and an owner" grep -q 'by .*\[myalloc\]' /tmp/slot
# Handle 1 of the second process is its cache; objects follow.
myallocctl whatis "$objects:2" >/tmp/handle
expect "a handle of another process is an object" grep -q '^state of the slot  *live$' /tmp/handle
expect "which is held for it" grep -q '^held for  *myallocctl$' /tmp/handle
refuse "a cache is not a place" myallocctl whatis "$objects:1"
refuse "an address outside" myallocctl whatis 0xffffffffffffffff

# Addresses are never shown.
refuse "no address is shown" grep -qE 'ffff[0-9a-f]{12}' /tmp/map /tmp/blocks /tmp/block /tmp/slot /tmp/handle

# During a stress run.
kill -KILL $pages $objects
wait $pages $objects 2>/dev/null
myallocctl whatis "page:$page" >/tmp/past
note "$(cat /tmp/past)"
refuse "the block is free by now" grep -q '^what  *pages$' /tmp/past
expect "a free page has a last owner" \
	sh -c "grep -A1 '^Allocated' /tmp/past | grep -q 'by .*\[myalloc\]'"
if [ -e /sys/kernel/debug/stackdepot ]; then
	expect "and one who freed it" sh -c "grep -A1 '^Freed last' /tmp/past | grep -q 'by .*\[myalloc\]'"
fi
myallocctl stress run --ops 200000 >/dev/null 2>&1 &
stress=$!
bad=0
for i in 1 2 3 4 5 6 7 8 9 10; do
	myallocctl -j map >/tmp/map.json || bad=$((bad + 1))
	myallocctl map --range 0+256 >/dev/null || bad=$((bad + 1))
done
expect "map works during a stress run" test "$bad" = 0
expect "the stress run passes" wait $stress
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
