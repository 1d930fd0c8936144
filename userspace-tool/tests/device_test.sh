#!/bin/sh
# The verbs against the fake device: text, JSON, errors as sentences, nothing left behind.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin "every verb gives one JSON document that names itself"
while read -r kind; do
	words=$kind
	case $kind in
	"stat watch") words="$kind -i 1ms -n 1" ;;
	whatis) words="$kind page:3" ;;
	explain) words="$kind splits" ;;
	"ring read") words="$kind packets" ;;
	"page walk") words="$kind --size 4M -n 100" ;;
	"ring follow") words="$kind packets -n 1" ;;
	check) words="$kind splits==0" ;;
	top) words="$kind --once -i 10ms" ;;
	record) words="$kind --for 1ms" ;;
	"page fill") words="$kind --hold 1ms" ;;
	"cache show") words="$kind requests" ;;
	"heap show") words="$kind web" ;;
	"arena show") words="$kind frame-0" ;;
	"contract plan") words="$kind pages:10@0" ;;
	"contract create") words="$kind web pages:10@0" ;;
	"contract show" | "contract end") words="$kind frob" ;;
	"stress run") words="$kind --ops 5" ;;
	esac
	for how in -j -p; do
		# shellcheck disable=SC2086
		tool $how $words
		exits 0
		documents 1
		json /schema 2
		json /kind "$kind"
		json /ok true
		json /exit 0
		json /errors "[ ]"
		json /system/kernel "$(uname -r)"
		json /system/machine "$(uname -m)"
		json /command "$how $words"
	done
done <<END
info
stat show
stat watch
explain
check
map
whatis
snapshot
top
record
page alloc
page fill
page map
page walk
page test
cache list
cache show
cache create
cache shrink
heap list
heap show
heap test
arena list
arena show
arena test
contract plan
contract create
contract list
contract show
contract end
contract test
ring list
ring read
ring follow
ring map
ring test
drain
validate
stress run
stress kinds
END

begin "what was taken is given back, and the device closed"
for words in info stat map "whatis 0x2" "page alloc -n 5000" "page fill --hold 1ms" "page test" \
	"page map --order 3" "page walk --size 4M -n 10" "ring map" "ring read packets" "ring follow packets -n 2" \
	"cache create -n 5000" "cache shrink" heap "heap show web" "heap test" \
	arena "arena show frame-0" "arena test" "contract plan pages:10@0" \
	"contract create web pages:10@0" contract "contract show frob" "contract end frob" \
	"contract test" drain validate "stress run --ops 1"; do
	script "set pages 65536"
	# shellcheck disable=SC2086
	tool $words
	exits 0
	called OPEN 1
	logged "CLOSE held=0"
done

begin "why the device does not open"
for pair in "ENOENT:load the module" "EACCES:run this as root" \
	"EPERM:CAP_SYS_ADMIN" "ENODEV:nothing answers" "EBUSY:busy"; do
	script "fail OPEN 1 ${pair%%:*}"
	for words in info stat page\ test cache drain validate stress\ run; do
		# shellcheck disable=SC2086
		tool $words
		exits 3
		empty out
		has err "${pair#*:}"
	done
done

begin "a module of another version"
for errno in ENOTTY E2BIG; do
	script "fail INFO 1 $errno"
	tool stat
	exits 1
	has err "different versions"
done
script "set max_order 15"
tool info
exits 1
has err "different versions"

begin "every call may fail, and each failure is a sentence"
while IFS=: read -r call words; do
	for errno in EINVAL ENOMEM EIO; do
		script "fail $call 1 $errno"
		# shellcheck disable=SC2086
		tool -j $words
		exits 1
		documents 1
		json /ok false
		grep -q "^myallocctl: error: " "$err" || fail "'$words', $call $errno: no sentence"
		logged "CLOSE"
	done
done <<END
INFO:info
STAT:stat
STAT:stat watch -n 1
STAT:page alloc
STAT:drain
STAT:check splits==0
CACHE_STAT:check splits==0
HEAP_STAT:check splits==0
STAT:snapshot
CELLS:map
LOOK:map --range 0+4
INFO:whatis page:1
STAT:page fill --hold 1ms
PAGE_ALLOC:page alloc
PAGE_FREE:page alloc
PAGE_FREE:page test
PAGE_MAP:page map
PAGE_ALLOC:page walk --size 4M -n 10
MAP:page walk --size 4M -n 10
PAGE_MAP:page walk --size 4M -n 10
PAGE_FREE:page walk --size 4M -n 10
MAP:page map
VALIDATE:validate
VALIDATE:page test
DRAIN:drain
DRAIN:cache shrink
CACHE_CREATE:cache create
CACHE_STAT:cache list
CACHE_STAT:cache show 1
RING_STAT:ring list
RING_STAT:ring show packets
RING_TEST:ring test
RING_STAT:ring read packets
RING_OPEN:ring read packets
RING_OPEN:ring follow packets
MAP_RING:ring follow packets
RING_RELEASE:ring read packets
RING_CREATE:ring map
MAP_RING:ring map
RING_PRODUCE:ring map
RING_RELEASE:ring map
CACHE_STAT:cache create
CACHE_STAT:cache shrink
OBJ_ALLOC:cache create
OBJ_FREE:cache create
CACHE_DRAIN:cache create
CACHE_SHRINK:cache create
CACHE_DESTROY:cache create
ARENA_STAT:arena list
ARENA_STAT:arena show frame-0
ARENA_TEST:arena test
CONTRACT_PLAN:contract plan pages:10@0
CONTRACT_CREATE:contract create web pages:10@0
CONTRACT_END:contract create web pages:10@0
CONTRACT_STAT:contract list
CONTRACT_STAT:contract show frob
CONTRACT_SITES:contract show frob
CONTRACT_STAT:contract end frob
CONTRACT_END:contract end frob
CONTRACT_TEST:contract test
CONTRACT_TESTED:contract test
READ:contract test
HEAP_STAT:heap list
HEAP_STAT:heap show web
CACHE_STAT:heap show web
HEAP_TEST:heap test
STRESS_START:stress run
STRESS_RESULT:stress run
READ:stress run
WAIT:stress run
END

begin "every errno is a sentence of its own"
for pair in "EINVAL:refuses these values" "EFAULT:program's memory" \
	"ENOENT:no such cache or handle" "EBUSY:still in use" "ENOSPC:too many handles" \
	"EINTR:interrupted" "ENOTTY:different versions" "E2BIG:different versions"; do
	script "fail PAGE_ALLOC 1 ${pair%%:*}"
	tool page test --order 0
	exits 1
	has err "${pair#*:}"
	line out "verdict +failed"
done

begin "info"
script "set pages 65536" "set node 1" "set checks 15"
tool info
exits 0
line out "  capacity +65536 pages, 256 MiB"
line out "  checks +FZPU"
line out "  NUMA node +1"
line out "  metadata per cent +0.391"
line out "  last physical address +4563402751"
tool -j info
json /result/reserve/nr_pages 65536
json /result/reserve/checks FZPU
json /result/reserve/meta_bytes 1048576
json /result/reserve/last_phys 4563402751

begin "node list"
script "set nodes 3" "set pages 4096"
tool node list
exits 0
line out "node +size +free +hit +miss +foreign +used"
line out " *2 +4096 .* 1001 +11 +21 +no"
tool --node 2 -j node list
exits 0
json /result/nodes/1/node 2
json /result/nodes/1/used true
json /result/nodes/0/used false
json /result/nodes/2/foreign 22
script
tool -j node
json /result/nodes/0/node null
script "fail NODE_STAT 1 ENOMEM"
tool node list
exits 1
has err "reading the nodes: out of memory"

begin "--node"
script "set nodes 2"
tool --node 2 info
exits 0
tool info --node 2
exits 0
tool --node 1 info
exits 1
has err "the module has no memory of node 1; 'myallocctl node list' shows which it has"
tool --node x info
exits 2
tool --node -1 info
exits 2
script "set nodes 2" "fail NODE_USE 1 ENOTTY"
tool --node 2 info
exits 1
has err "choosing the node: the module does not know this request"

begin "stat and its balance"
tool stat
line out "  free +16368 pages, 63.9 MiB"
line out "  balanced +yes"
line out " +10 +4 MiB +15 +0 .*"
script "set lost 3" "set corruptions 2"
tool stat
exits 0
line out "  in flight +3"
line out "  balanced +no"
line out "  corruptions found +2"
tool -j stat
json /result/zone/balanced false
json /result/zone/in_flight_pages 3
json /result/orders/10/free_blocks 15
json /result/orders/10/order 10
json /result/counters/corruptions 2

begin "stat leaves out what is zero, unless it is to show all"
script "set cached 0" "set pages 16388"
tool stat show
exits 0
line out "  capacity +16388 pages, 64.0 MiB"
line out "  page allocs +[1-9][0-9]*"
line out "  balanced +yes"
for label in "page users" deferred "in flight" splits "wrong frees refused"; do
	has_not out "$label"
done
# Orders 7 to 9 have neither blocks nor a history; 10 has blocks.
line out " +6 +256 KiB .*"
line out " +10 +4 MiB +16 .*"
for order in 7 8 9; do
	! grep -q "^ *$order  " "$out" || fail "order $order is shown"
done
cp "$out" "$tmp/some"
tool stat show --all
exits 0
for label in "page users" deferred "in flight" splits "wrong frees refused"; do
	line out "  $label +0.*"
done
line out " +8 +1 MiB +0 +0 .*"
[ "$(wc -l <"$out")" -gt "$(wc -l <"$tmp/some")" ] || fail "--all shows no more"
# The JSON always has everything.
tool -j stat show
json /result/counters/splits 0
json /result/orders/8/order 8
cp "$out" "$tmp/json"
tool -j stat show --all
json /result/counters/splits 0
# The largest order is not a count: 0 is as good as another.
script "set bad_frees 1" "set pages 13" "set max_order 0"
tool stat
line out "  wrong frees refused +1"
line out "  largest order +0"
tool stat show all
exits 2

begin "stat watch"
tool stat watch -i 1ms -n 25
exits 0
[ "$(grep -c 'time' "$out")" = 2 ] || fail "a heading every 20 lines"
[ "$(wc -l <"$out")" = 27 ] || fail "25 lines and two headings"
tool -j stat watch -i 1ms -n 3
documents 3
json /kind "stat watch"
json /result/free_pages 16368
script "set misses 1"
tool -j stat watch -i 1ms -n 1
json /result/allocs 4000
json /result/hit_permille 0
script "signal STAT 3 INT"
tool stat watch -i 1ms
exits 0
tool stat watch -i 1ms -n 1000
exits 130
tool -o "$tmp/kept" stat watch -i 1ms -n 2
script
tool -o "$tmp/kept" stat watch -i 1ms -n 3
[ "$("$JSONQ" "$tmp/kept")" = 3 ] || fail "three documents are kept"

begin "page alloc"
tool page alloc --order 3 --count 5000 --zero --topdown --align-order 4
exits 1
has err "2046 of 5000 blocks"
line out "blocks freed +2046"
logged "CLOSE held=0"
tool page alloc --count 3 --handles -j
exits 0
json /result/handles/2 0x300000007
json /result/had 3
json /result/stats/1/moment held
json /result/stats/1/page_pages 3
tool page alloc --exact 5 -j
json /result/pages_per_block 5
json /result/pages 5

begin "page alloc beyond the zone is refused before it is asked"
tool page alloc --order 11
exits 2
has err "order 11 is above this zone's largest block, 10"
called PAGE_ALLOC 0
tool page alloc --exact 1025
exits 2
has err "1025 pages are more than this zone's largest block, 1024 pages"
tool page alloc --align-order 40
exits 2
has err "alignment of order 40"
tool page alloc --order 4000000000
exits 2
script "set max_order 4"
tool page alloc --order 5
exits 2
has err "largest block, 4"
called PAGE_ALLOC 0

begin "bulks are no larger than the interface takes"
script "set pages 65536"
tool page alloc --count 10000
exits 0
called PAGE_ALLOC 3
called PAGE_FREE 3

begin "holding ends at its time or at Ctrl-C"
tool page alloc --hold 1ms
exits 0
has err "holding 1 block, 1 page for 0.001 s"
script "signal STAT 2 INT"
tool page alloc --hold forever
exits 0
has err "until Ctrl-C"
line out "blocks freed +1"
tool page alloc --hold 1h
exits 130
line out "blocks freed +1"
script "signal STAT 2 TERM"
tool page alloc --hold 1h -j
exits 143
documents 1
json /result/freed 1
script "signal CACHE_STAT 1 INT"
tool cache create --hold 1h
exits 130
logged "CLOSE held=0"

begin "page fill"
tool page fill --fill 25% --hold 1ms -j
exits 0
json /result/pages 4092
json /result/fill_permille 250
tool page fill --fill 100% --order 0 --hold 1ms -j
json /result/pages 16368

begin "page map"
tool page map --order 9 -j
exits 0
json /result/verdict ok
json /result/pages 512
json /result/maps 2
json /result/granule_bytes 2097152
json /result/free_refused true
called UNMAP 2
tool page map --exact 3
exits 0
line out "mapped at once +4 KiB"
for wrong in "set stale 1" "set apart 1" "set free_mapped 1"; do
	script "$wrong"
	tool page map --order 1 -j
	exits 1
	json /result/verdict failed
done
for call in MAP PAGE_MAP PAGE_ALLOC; do
	script "fail $call 1 ENOMEM"
	tool page map -j
	exits 1
	logged "CLOSE held=0"
done
script "fail MAP 2 ENOENT"
tool page map
exits 1
called UNMAP 1
logged "CLOSE held=0"

begin "page test finds what does not balance"
tool page test --order 2 -n 3 --rounds 2 -j
exits 0
json /result/orders/0/order 2
json /result/orders/0/had 6
json /result/verdict ok
script "set errors 1"
tool page test -j
exits 1
json /result/verdict failed
script "fail PAGE_FREE 3 ENOENT"
tool page test
exits 1
line out "verdict +failed"

begin "Ctrl-C, SIGTERM and a hang-up end what takes long, and what was done is shown"
for pair in INT:130 TERM:143 HUP:129; do
	script "signal PAGE_ALLOC 3 ${pair%:*}"
	tool page test -n 5 --rounds 40 -j
	exits "${pair#*:}"
	documents 1
	called PAGE_ALLOC 3
	json /result/orders/0/had 15
	json /result/orders/0/freed 15
	json /result/orders/0/error none
	json /result/verdict ok
	json /errors "[ ]"
	called VALIDATE 1
	logged "CLOSE held=0"
	script "signal READ 2 ${pair%:*}" "set records 100"
	tool stress run --ops 5 -j
	exits "${pair#*:}"
	called STRESS_CANCEL 1
	documents 1
done
script "set pages 65536" "signal PAGE_ALLOC 2 INT"
tool page alloc -n 50000 -j
exits 130
called PAGE_ALLOC 2
json /result/had 8192
json /result/freed 8192
json /errors "[ ]"
tool page fill --order 0 -j
exits 130
called PAGE_ALLOC 2
json /result/pages 8192
logged "CLOSE held=0"
script "signal OBJ_ALLOC 2 INT"
tool cache create -n 50000 -j
exits 130
called OBJ_ALLOC 2
json /result/visit/had 8192
json /result/visit/freed 8192
json /errors "[ ]"
called CACHE_DESTROY 1
# The first of all, before there is anything to show.
script "signal STAT 1 INT"
tool page alloc -n 100 -j
exits 130
documents 1
called PAGE_ALLOC 0
# The module stops in the middle of a bulk, which is not an error.
script "signal PAGE_ALLOC 2 INT" "fail PAGE_ALLOC 2 EINTR"
tool page test -n 5 --order 3 -j
exits 130
json /result/verdict ok
json /errors "[ ]"

begin "who is to outlive the terminal does: nohup"
script "signal PAGE_ALLOC 3 HUP"
trap '' HUP
tool page test -n 5 --rounds 4 --order 0 -j
trap - HUP
exits 0
json /result/orders/0/had 20

begin "cache list and show"
tool cache
line out " 4  sessions +1000 .*"
tool cache show sessions
exits 0
line out "  name +sessions"
tool cache show 4 -j
exits 0
json /result/traits/name sessions
json /result/use/alloc_hit_permille 857
json /result/use/free_hit_permille 800
tool cache show nothing
exits 1
has err "no cache 'nothing'"
tool cache show 99
exits 1
script "set caches 0"
tool cache
exits 0
has err "no caches"
tool -j cache
exits 0
documents 1
json /result/caches "[ ]"

begin "ring list and show"
script
tool ring
line out " *3 +packets +many .*"
tool ring show packets
exits 0
line out "  name +packets"
tool ring show packets -j
exits 0
json /result/traits/mode_name many
json /result/space/used_bytes 128
json /result/use/records 1000
tool ring show nothing
exits 1
has err "no ring 'nothing'"
tool ring show
exits 2
has err "missing name of a ring"
script "set rings 0"
tool ring
exits 0
has err "no rings"

begin "page walk"
script
tool page walk --size 4M -n 1000 -j
exits 0
json /result/bytes 4194304
json /result/walks/0/granule_bytes 4096
json /result/walks/1/granule_bytes 2097152
json /result/large_entries yes
called MAP 2
logged "MAP apart"
logged "CLOSE held=0"
script "set granule 1"
tool page walk --size 4M -n 1000
exits 0
called MAP 1
has out "no entries of 2 MiB: "
script "set large 1"
tool page walk --size 4M -n 1000
exits 0
has out "no entries of 2 MiB for all of it"
script
tool page walk --size 0
exits 2
tool page walk --size 100G
exits 1
has err "no room for 107374182400 bytes"
logged "CLOSE held=0"

begin "ring read"
script "set ring_records 4"
tool ring read packets -j
exits 0
json /result/count 3
json /result/records/0/bytes 5
json /result/records/0/data 68656c6c6f
json /result/records/1/bytes 40
json /result/records/1/first 68656c6c6f0000000000000000000000...
json /result/released true
called RING_RELEASE 1
logged CLOSE_RING
tool ring read packets
line out " *40 +68656c6c6f0000000000000000000000..."
tool ring read packets -n 2 --keep -j
exits 0
json /result/count 2
json /result/released false
called RING_RELEASE 0
script "set ring_records 1" "set ring_busy 1"
tool ring read packets -j
json /result/count 1
script "set ring_records 0"
tool ring read packets -j
exits 0
json /result/records "[ ]"
script "set ring_shared 0"
tool ring read packets
exits 1
has err "not shared"
tool ring read nothing
exits 1
has err "no ring 'nothing'"
tool ring read
exits 2
has err "missing name of a ring"
script "fail RING_OPEN 1 EBUSY"
tool ring read packets
exits 1
has err "being read by another process"
script "fail RING_OPEN 1 ENOENT"
tool ring read packets
exits 1
has err "gone"

begin "ring follow"
script "set ring_records 2" "set ring_later 3"
tool ring follow packets -n 4 -j
exits 0
documents 4
called RING_RELEASE 3
logged CLOSE_RING
tool ring follow packets -n 3
exits 0
line out " *5 +6c61746572"
script "set ring_records 1"
tool ring follow packets --for 1ms -j
exits 0
documents 1
script "set ring_records 1" "signal WAIT 1 INT"
tool ring follow packets
exits 0
logged CLOSE_RING
script "set ring_records 1" "signal WAIT 1 INT"
tool ring follow packets -n 5
exits 130
script "fail RING_RELEASE 1 EINVAL"
tool ring follow packets -n 1
exits 1
has err "releasing the records"
logged CLOSE_RING
script "set ring_shared 0"
tool ring follow packets
exits 1
has err "not shared"

begin "ring map"
script
tool ring map -j
exits 0
json /result/verdict ok
json /result/bytes 4096
json /result/map_bytes 12288
json /result/wrong 0
json /result/silent 0
logged CLOSE_RING
tool ring map -n 100 --size 64K --seed 3 -j
exits 0
json /seed 3
json /result/bytes 65536
json /result/full 0
tool ring map --size 1G
exits 2
has err "larger than this zone's largest block"
script "set ring_spoil 50"
tool ring map
exits 1
line out "wrong or missing records +1"
script "set ring_silent 1"
tool ring map -j
exits 1
json /result/verdict failed
script "set ring_writable 1"
tool ring map
exits 1
line out "it can be mapped to be written +yes"
script "fail RING_CREATE 1 EOPNOTSUPP"
tool ring map
exits 1
has err "has no rings"
script "signal RING_PRODUCE 2 INT"
tool ring map
exits 130

begin "ring test"
script
tool ring test -j --ops 1000
exits 0
called RING_TEST 3
json /seed 99
json /result/verdict ok
json /result/modes/2/mode overwrite
json /result/modes/2/read 500
tool ring test --mode many --seed 7 -j
exits 0
called RING_TEST 1
json /seed 7
tool ring test --mode any
exits 2
has err "overwrite"
script "set ring_errors 2"
tool ring test
exits 1
has err "mode one: 2 errors, the first: record 5 is read in place of 4"
script "fail RING_TEST 1 EOPNOTSUPP"
tool ring test
exits 1
has err "has no rings"
script

begin "cache create"
tool cache create mine --size 4K --align 64 --checks fz --zero-alloc --zero-free --random --magazine 16 -n 10 -j
exits 0
json /result/traits/name mine
json /result/traits/object_bytes 4096
json /result/traits/checks FZ
json /result/traits/zero_alloc true
json /result/traits/random true
json /result/visit/had 10
json /result/visit/freed 10
called CACHE_DESTROY 1
tool cache create sessions
exits 1
has err "a cache 'sessions' exists already, number 4 with objects of 1000 bytes, 5 of them live"
# It ended meanwhile, or cannot be asked.
script "fail CACHE_STAT 1 ENOENT"
tool cache create sessions
exits 1
has err "a cache 'sessions' exists already: choose another name"
script
tool cache create --align 8K
exits 2
has err "above the page size"
called CACHE_CREATE 0
tool cache create --magazine 5000
exits 1
has err "the module refuses a cache"
tool cache create -n 70000
exits 1
has err "65536 of 70000 objects"
logged "CLOSE held=0"

begin "cache shrink"
tool cache shrink -j
exits 0
json /result/pages 4
json /result/caches/1/name sessions

begin "arena list and show"
script
tool arena
line out " 3  frame-0 +1 KiB +2 KiB +64 KiB +100 .*"
line out " 4  frame-1 .*"
tool arena show frame-1
exits 0
line out "  name +frame-1"
line out "  zone calls +1"
tool arena show frame-1 -j
json /result/use/resets 60
tool arena show frame-2
exits 1
has err "no arena 'frame-2'"
script "set arenas 0"
tool arena
exits 0
has err "no arenas"
tool -j arena
documents 1
json /result/arenas "[ ]"

begin "arena test"
script
tool arena test
exits 0
logged "ASKED ops=100000 seed=0 max=0 flags=0"
line out "verdict +ok"
tool arena test -n 10 --seed 5 --max-size 1M --percpu --poison -j
logged "ASKED ops=10 seed=5 max=1048576 flags=3"
json /seed 5
json /result/allocs 5
json /result/first null
script "set arena_errors 3" "first the content has changed"
tool arena test
exits 1
line out "first error +the content has changed"
line out "verdict +failed"
script
tool arena test --max-size 1G
exits 1
has err "above this zone's largest block"
script "fail ARENA_TEST 1 ENOSPC"
tool arena test
exits 1
has err "as many caches"
script "signal ARENA_TEST 1 INT" "fail ARENA_TEST 1 EINTR"
tool arena test
exits 130
script

begin "contract plan"
script
tool contract plan pages:400@0,1,3 objects:1000x256+2 extents:512@5,12
exits 0
logged "LINE kind=0 pages=400 orders=b sizes=0,0/0 count=0 size=0 nmi=0"
logged "LINE kind=2 pages=0 orders=0 sizes=0,0/0 count=1000 size=256 nmi=2"
logged "LINE kind=1 pages=512 orders=0 sizes=5,12/2 count=0 size=0 nmi=0"
line out "  pages:400@0-1,3 +800 .*400: a line for each order; 409: @0,3; 407: @0-1"
line out "  extents:512@5,12 .*515 at most: a line for each size"
line out "  possible now +yes"
tool contract plan extents:40@12,3,6,4
exits 0
line out "  extents:40@12,3,6,4 .*43 at most: a line for each size; 48: @3,12; 45: @12,3,4"
tool -j contract plan pages:16@0-3
json /result/lines/0/ratio 2.000
json /result/sum/pages 32
script "set short 5"
tool contract plan pages:16@0
exits 0
line out "  possible now +no"
script
for word in pages:0@1 pages:4 pages:4@ pages:4@3-1 pages:4@15 pages:4@0+ pages:4@0+0 \
	objects:0x8 objects:4 objects:4x0 objects:4x64K extents:4@ extents:4@1, pages: \
	pages:4@0x pages:4294967296@0 extents:9@1-23; do
	tool contract plan $word
	exits 2
	has err "line"
done
tool contract plan bytes:4
exits 2
has err "a line is pages:M@ORDERS"
tool contract plan
exits 2
has err "missing lines"

begin "contract create, list, show, end"
script
tool contract create web pages:10@0
exits 0
line out "  name +web"
logged "CONTRACT_END"
tool contract create web pages:10000@0
exits 1
has err "creating the contract: it takes too many pages"
tool contract create pages:10@0
exits 2
has err "missing name"
tool contract create a-name-of-twenty-six-letters pages:10@0
exits 2
has err "at most 25"
tool contract
line out "48  frob.0 +pages .*"
line out "49  frob.1 +objects .*"
tool contract show frob
exits 0
line out "frob.0 +pages"
line out " +failed within +0"
line out " +share ever used +75\.0 %"
line out "frob.1 +objects"
has out "greedy+0x10/0x20 [frob]"
tool -j contract show frob
json /result/sites/0/line 0
json /result/sites/0/count 3
json /result/sites/0/caller "greedy+0x10/0x20 [frob]"
json /result/sites/1/caller null
tool contract show fro
exits 1
has err "no contract 'fro'"
tool contract end frob
exits 0
script "fail CONTRACT_END 1 EPERM"
tool contract end frob
exits 1
has err "belongs to a module"
script "set contracts 0"
tool contract
has err "no contracts"

begin "contract test"
script
tool contract test
exits 0
logged "ASKED adversary=0 requests=100000 pages=2048 orders=201 others=2 flags=0 seed=0"
line out "verdict +ok"
tool -j contract test --adversary random --others none --requests 7 --seed 5 --short 1 pages:64@0,3
logged "ASKED adversary=1 requests=7 pages=64 orders=9 others=0 flags=2 seed=5"
json /seed 5
json /result/used_permille 500
script "set failures 3"
tool contract test
exits 1
line out "first +request 7 failed"
line out "verdict +failed"
script "fail CONTRACT_TEST 1 ENOSPC"
tool contract test
exits 1
has err "the zone has too little"
script
for words in "--adversary robsom" "--others mean" objects:4x64 pages:4@0+1 pages:2000000@0; do
	# shellcheck disable=SC2086
	tool contract test $words
	exits 2
done
script "signal WAIT 1 INT"
tool contract test
exits 130
logged "CONTRACT_CANCEL"
script

begin "heap list and show"
script "set caches 3"
tool heap
line out " 7  web +5 +0 +8 KiB +105 .*"
tool heap show web
exits 0
line out "  name +web"
line out " +192 +5 +3 .*"
tool heap show web -j
json /result/traits/classes 44
json /result/use/alloc_hit_permille 857
json /result/classes/0/object_bytes 192
tool heap show requests
exits 1
has err "no heap 'requests'"
script "set heaps 0"
tool heap
exits 0
has err "no heaps"
tool -j heap
documents 1
json /result/heaps "[ ]"

begin "heap test"
script
tool heap test
exits 0
logged "ASKED ops=100000 seed=0 max=0"
line out "verdict +ok"
tool heap test -n 10 --seed 5 --max-size 1M -j
logged "ASKED ops=10 seed=5 max=1048576"
json /seed 5
json /result/allocs 5
json /result/first null
script "set heap_errors 3" "first the content has changed"
tool heap test
exits 1
line out "first error +the content has changed"
line out "verdict +failed"
script
tool heap test --max-size 1G
exits 2
has err "above this zone's largest block, 4194304 bytes"
script "fail HEAP_TEST 1 ENOSPC"
tool heap test
exits 1
has err "as many heaps"
script "signal HEAP_TEST 1 INT" "fail HEAP_TEST 1 EINTR"
tool heap test
exits 130
script

begin "drain"
tool drain
line out "returned +16 pages, 64 KiB"
tool drain pages
line out "returned +12 pages, 48 KiB"
tool drain objects -j
json /result/pages 4
json /result/what objects

begin "validate"
tool validate
exits 0
line out "verdict +sound"
script "set errors 2" "first I3: frame 17 is in no block"
tool validate
exits 1
line out "errors +2"
has out "I3: frame 17 is in no block"
tool -j validate
exits 1
documents 1
json /ok false
json /result/errors 2

begin "validate: every zone is recounted"
script "set nodes 2" "set errors 2" "set wrong_zone 1" "first I3: frame 17 is in no block"
tool validate
exits 1
called VALIDATE 2
line out "verdict +broken"
line out "errors +2"
line out "frames checked +32768"
line out " +0 +0 +16384 +3 +96 +-? *"
line out " +2 +2 +16384 +3 +96 +I3: frame 17 is in no block.*"
tool --node 0 validate
exits 0
called VALIDATE 1
tool --node 2 validate
exits 1
tool -j validate
exits 1
json /result/zones/0/node 0
json /result/zones/0/first null
json /result/zones/1/node 2
json /result/zones/1/errors 2
json /result/errors 2
script "set nodes 2" "fail VALIDATE 2 EIO"
tool validate
exits 1
has err "validating"
script "set nodes 2" "fail NODE_STAT 1 EIO"
tool validate
exits 1
has err "reading the nodes"
script
tool -j validate
json /result/zones/0/node null
tool validate
has_not out "Zones"

begin "stat, map and snapshot say which of several zones they show"
for words in stat map snapshot; do
	script "set nodes 2"
	# shellcheck disable=SC2086
	tool $words
	exits 0
	has err "this is the zone of node 0, one of 2: --node N shows another"
	# shellcheck disable=SC2086
	tool $words --node 2
	exits 0
	has_not err "this is the zone"
	script
	# shellcheck disable=SC2086
	tool $words
	has_not err "this is the zone"
done
tool -j map
json /result/node null
script "set nodes 2"
tool -j map --node 2
json /result/node 2
tool -j map
json /result/node 0
has_not err "this is the zone"
tool -o "$tmp/zone0" snapshot
tool -o "$tmp/zone2" snapshot --node 2
tool diff "$tmp/zone0" "$tmp/zone2"
exits 1
has err "not comparable: the zone is that of another node (0, 2)"

begin "text from the kernel does not steer the terminal"
printf 'set errors 1\nfirst bad\033[31m\377 text\n' >"$FAKE_DEV"
tool validate
exits 1
! grep -q "$(printf '\033')" "$out" || fail "an escape came through"
tool -j validate
documents 1

begin "a kept result is the printed one, and replaces the old when complete"
echo old >"$tmp/kept.json"
script "fail STAT 1 EIO"
tool -o "$tmp/kept.json" stat
exits 1
[ "$(cat "$tmp/kept.json")" = old ] || fail "the old file is gone"
[ ! -e "$tmp/kept.json.part" ] || fail "a part is left"
script
tool -j stat -o "$tmp/kept.json"
exits 0
cmp -s "$out" "$tmp/kept.json" || fail "kept and printed differ"
[ ! -e "$tmp/kept.json.part" ] || fail "a part is left"
tool stat -o /dev/null
exits 0

begin "result diff"
tool -o "$tmp/a.json" stat
script "set pages 32768"
tool -o "$tmp/b.json" stat
tool result diff "$tmp/a.json" "$tmp/b.json"
exits 0
line out "  zone.nr_pages +16384 +32768 +2.000"
line out "  orders\[10\].free_blocks +15 +31 +2.067"
line out "  counters.splits +0 +0 +-"
tool -j result diff "$tmp/a.json" "$tmp/b.json"
documents 1
json /result/figures/0/figure zone.nr_pages
json /result/figures/0/ratio 2.000
json /result/differences "[ ]"
sed 's/"kernel":"[^"]*"/"kernel":"9.9"/' "$tmp/b.json" >"$tmp/c.json"
tool result diff "$tmp/a.json" "$tmp/c.json"
has out "systems differ in  kernel ($(uname -r), 9.9)"

begin "result diff of what cannot be compared"
tool -o "$tmp/v.json" validate
tool result diff "$tmp/a.json" "$tmp/v.json"
exits 2
has err "cannot compare different kinds"
tool result diff "$tmp/a.json" "$tmp/nothing.json"
exits 1
has err "cannot read"
echo '{"a":1}' >"$tmp/d.json"
tool result diff "$tmp/a.json" "$tmp/d.json"
exits 1
has err "is not a result of this tool"
echo 'x' >"$tmp/d.json"
tool result diff "$tmp/d.json" "$tmp/a.json"
exits 1
echo '[1]' >"$tmp/d.json"
tool result diff "$tmp/d.json" "$tmp/a.json"
exits 1
sed 's/"schema":2/"schema":1/' "$tmp/a.json" >"$tmp/d.json"
tool result diff "$tmp/d.json" "$tmp/a.json"
exits 1
has err "has schema 1"

finish
