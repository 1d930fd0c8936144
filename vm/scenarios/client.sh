# Memory by call site; quotas; a report about a module that leaves without freeing.
. /guest/ktap.sh
. /guest/memory.sh

debug=/sys/kernel/debug/myalloc

# The log has one line that contains all of these.
logged()
{
	dmesg >/tmp/log
	grep -q "$1" /tmp/log
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16 chunk_order="$SMALL_CHUNK"
expect "no client: the file has a heading" test "$(grep -c . $debug/clients)" = 2
expect "no client: client list" myallocctl client list
refuse "client show: there is none of this name" myallocctl client show frob
refuse "client release: there is none of this name" myallocctl client release frob
refuse "client release wants a name" myallocctl client release

expect "a client loads" insmod /guest/modules/myalloc_forget.ko
cat $debug/clients $debug/client_sites
expect "debugfs has the client and its owner" \
	grep -q '^frob .* module myalloc_forget$' $debug/clients
expect "debugfs has its objects, by call site" \
	grep -q '^frob 312 62400 [0-9]* frob_start.* frob-request$' $debug/client_sites
expect "and its pages" grep -q "^frob 1 $((5120 * PAGE_KB)) [0-9]* frob_start.* pages\$" $debug/client_sites
expect "client list" sh -c "myallocctl client list | grep -q 'module myalloc_forget'"
expect "client show has the call site" \
	sh -c "myallocctl client show frob | grep -q 'frob-request.*frob_start'"
expect "client leaks has it too" sh -c "myallocctl client leaks | grep -q 'frob-request.*frob_start'"
refuse "what is younger than an hour can be left out" \
	sh -c "myallocctl client leaks --older 1h | grep 'frob-request'"
expect "nothing grows meanwhile" \
	sh -c "myallocctl -j client leaks --diff 100ms | grep -q '\"sites\": *\[ *\]'"
refuse "a client whose module is loaded is not released" myallocctl client release frob
expect "validation finds nothing" myallocctl validate
expect "it unloads and leaves nothing" rmmod myalloc_forget
expect "no report: nothing was left" sh -c "! dmesg | grep -q 'still held'"
expect "no client is left" test "$(grep -c . $debug/clients)" = 2

expect "a client that has everything released loads" \
	insmod /guest/modules/myalloc_forget.ko release=1
expect "it unloads" rmmod myalloc_forget
expect "what was released was listed" \
	logged 'client frob: still held: 312 objects of frob-request from frob_start+0x[0-9a-f]*/.*, oldest [0-9]* s'
expect "nothing of it is left" test "$(grep -c . $debug/clients)" = 2
refuse "a quota of 4 pages is too small for it" \
	insmod /guest/modules/myalloc_forget.ko hard_pages=4
expect "nothing of the attempt is left" test "$(grep -c . $debug/clients)" = 2

# All memory within a contract has an owner as well.
expect "a client with a contract loads" insmod /guest/modules/myalloc_forget.ko contract=1
cat $debug/client_sites $debug/owners
expect "its objects are listed by call site" \
	grep -q '^frob 312 62400 [0-9]* frob_start.* within frob.0$' $debug/client_sites
expect "and what the contract has set aside, by the code that made it" \
	grep -q '^frob [0-9]* [0-9]* - make_cache.* contract frob.0$' $debug/client_sites
expect "client leaks has them" sh -c "myallocctl client leaks | grep -q 'within frob.0.*frob_start'"
expect "owners has the objects" grep -q '^within:frob.0  *312  *62400 .* frob_start' $debug/owners
expect "owners has what is set aside" grep -q '^(contract:frob.0) .* make_cache' $debug/owners
myallocctl contract show frob >/tmp/show
cat /tmp/show
expect "contract show says who asked for more" grep -q '^ *1  *1  *ask_for_more+0x' /tmp/show
# A slab whose objects are all in use.
page=
for first in 0 1024 2048 3072; do
	[ -n "$page" ] || page=$(myallocctl map --range $first+1024 |
		awk '$3 == "slab" && $4 == "frob-request," && $5 == $7 { print $1; exit }')
done
myallocctl whatis "page:$page.0" >/tmp/place
cat /tmp/place
expect "whatis: a place in a contract has a line" grep -q '^line of a contract  *frob.0$' /tmp/place
expect "whatis: and a client" grep -q '^client  *frob$' /tmp/place
expect "whatis: and somebody who allocated it" grep -q 'by .*frob_start' /tmp/place
expect "it unloads with its contract" rmmod myalloc_forget
expect "nothing of the contract is left" test "$(grep -c . $debug/clients)" = 2
expect "a contract is ended with its client" \
	insmod /guest/modules/myalloc_forget.ko contract=1 release=1
expect "it unloads without its contract" rmmod myalloc_forget
expect "what was in use within is named" \
	logged 'client frob: still held: 312 objects within frob.0 from frob_start'

dmesg -c >/dev/null
expect "a client that forgets loads" insmod /guest/modules/myalloc_forget.ko forget=1
expect "it unloads all the same" rmmod myalloc_forget
expect "what it forgot is named, with the line" \
	logged 'client frob: still held: 312 objects of frob-request from frob_start+0x'
expect "and who forgot it" \
	logged 'client frob: module myalloc_forget is gone and has left [0-9]* pages behind'
expect "client list says that its owner is gone" \
	sh -c "myallocctl -j client list | grep -q '\"gone\": *1'"
refuse "while it is there, its name is taken" insmod /guest/modules/myalloc_forget.ko
# The call site has a function's name only if the module was loaded at the same address again.
expect "which says what is in the way, and whose code it was" \
	logged 'client frob: the name is already used by a client of module myalloc_forget, which is gone and has 312 objects of frob-request left, allocated at .*\[myalloc_forget'
refuse "what it left is not taken for that of the next module" \
	logged 'module myalloc_forget: still held'
expect "what it left can be released" myallocctl client release frob --poison
expect "nothing of what it forgot is left" test "$(grep -c . $debug/clients)" = 2
expect "validation finds nothing after the release" myallocctl validate

dmesg -c >/dev/null
expect "a client that does not say whose it is forgets" \
	insmod /guest/modules/myalloc_forget.ko forget=1 anonymous=1
expect "the module of it unloads" rmmod myalloc_forget
expect "it is named all the same" \
	logged 'client frob: module myalloc_forget is gone and has left [0-9]* pages behind'
expect "and can be released" myallocctl client release frob

expect "a module without a client forgets pages" insmod /guest/modules/myalloc_forget.ko alone=1
expect "the module without a client unloads" rmmod myalloc_forget
expect "it is named, with the line" \
	logged 'module myalloc_forget: still held: 4 pages from .*myalloc_forget, its init code'
expect "a cache of no client is named, too, with the line that made it" \
	logged 'module myalloc_forget: cache forgotten is left with 1 object in use, created at .*leave_caches.*myalloc_forget'
expect "and a heap" \
	logged 'module myalloc_forget: heap forgotten is left, created at .*leave_caches.*myalloc_forget'
expect "the module unloads" rmmod myalloc
expect "it names what was left" logged 'zone: .*4 pages'
expect "by call site" logged 'unload of myalloc: still held: 4 pages from .*myalloc_forget'
expect "what nobody uses goes back" logged "$((16384 - (PAGE_KB << SMALL_CHUNK))) KiB of the reserve went back to the system; "
finish
