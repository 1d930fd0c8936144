# Trace events: each allocation and free of a client, what passes between the layers, failures and
# wrong frees; by the files of tracefs, and by trace-cmd.
# needs: program=trace-cmd
# allow: myalloc: bad free as object of example-request
. /guest/ktap.sh
. /guest/memory.sh

tracing=/sys/kernel/tracing
events=$tracing/events/myalloc
modules=/guest/modules

expect "the module loads" insmod $modules/myalloc.ko reserve_mb=16 max_mb=64 chunk_order="$SMALL_CHUNK"
if [ ! -d $events ]; then
	skip "trace events" "this kernel has none"
	expect "the module unloads" rmmod myalloc
	finish
fi
names="page_alloc page_free cache_alloc cache_free heap_alloc heap_free fail bad_free
	refill flush grow shrink session_page_alloc session_page_free session_obj_alloc
	session_obj_free session_fail session_drain session_cache_create session_cache_destroy
	client_quota"
for name in $names; do
	[ -d "$events/$name" ] || missing="${missing:-} $name"
done
expect "every event is there:${missing:-}" test -z "${missing:-}"

# What happens on several CPUs must be read in the order in which it has happened.
echo counter >$tracing/trace_clock
echo 8192 >$tracing/buffer_size_kb

listen()
{
	echo >$tracing/trace
	echo 1 >$events/enable
}

deafen()
{
	echo 0 >$events/enable
	cat $tracing/trace
}

# seen FILE EVENT TEXT: is there an event whose line matches?
seen()
{
	grep -q " $2: .*$3" "$1"
}

# whole FILE EVENT FIELDS: is there an event with exactly these fields? In them SITE, PTR, NR, NODE, WORD
# and FLAGS stand for values of that kind; SITE is followed by the name of its module.
whole()
{
	whole_pattern=$(echo "$3" | sed 's/SITE/[a-z_0-9.]+\\+0x[0-9a-f]+\/0x[0-9a-f]+/
		s/PTR/[0-9a-f]{16}/; s/NR/[1-9][0-9]*/g; s/NODE/-?[0-9]+/; s/WORD/[a-z0-9.-]+/g
		s/FLAGS/(none|[A-Z_|]+)/')
	grep -qE " $2: $whole_pattern\$" "$1" || {
		grep -m 3 " $2: " "$1"
		return 1
	}
}

# balanced FILE WHAT: every address is allocated before it is freed, and none stays. Prints what is
# wrong, and fails if there was nothing.
balanced()
{
	awk -v alloc="$2_alloc:" -v free="$2_free:" '
		/entries-in-buffer/ {
			split($3, in_buffer, "/")
			if (in_buffer[1] != in_buffer[2])
				wrong("events were lost: " $3)
		}
		function wrong(what) { if (bad++ < 20) print what }	# the first are the cause
		function address() { match($0, /ptr=[0-9a-f]+/); return substr($0, RSTART, RLENGTH) }
		index($0, " " alloc) { nr++; if (held[address()]++) wrong("again: " $0) }
		index($0, " " free) { if (!held[address()]--) wrong("not allocated: " $0) }
		END {
			for (ptr in held)
				if (held[ptr])
					wrong("still held: " ptr)
			exit bad || !nr
		}' "$1" || {
		grep -H "overrun\|dropped" $tracing/per_cpu/cpu*/stats
		return 1
	}
}

# --- a driver: a cache and pages, in hard interrupts and in a work item
listen
insmod $modules/myalloc_example.ko period_us=5000
sleep 1
cat $tracing/trace >/tmp/early
rmmod myalloc_example
deafen >/tmp/driver
expect "a driver's objects, with its code" \
	seen /tmp/early cache_alloc 'call_site=handler.*myalloc_example.* name=example-request bytes='
expect "its frees" seen /tmp/early cache_free 'call_site=.*myalloc_example.* name=example-request'
expect "its pages" seen /tmp/early page_alloc "call_site=handler.*bytes=$((2048 * PAGE_KB)) order=1 flags=none"
expect "a refill of its magazine" seen /tmp/early refill 'name=example-request .*nr=[1-9]'
expect "a refill from the zone" seen /tmp/early refill 'name=- order=1 nr=[1-9]'
expect "a flush, as it ends" seen /tmp/driver flush 'name=example-request .*nr=[1-9]'
example='\[myalloc_example\]'
expect "page_alloc has all its fields" whole /tmp/early page_alloc \
	"call_site=SITE $example ptr=PTR bytes=$((2048 * PAGE_KB)) order=1 flags=FLAGS node=NODE"
expect "page_free has all its fields" whole /tmp/early page_free \
	"call_site=SITE $example ptr=PTR bytes=$((2048 * PAGE_KB)) order=1 node=NODE"
expect "cache_alloc has all its fields" whole /tmp/early cache_alloc \
	"call_site=SITE $example ptr=PTR name=example-request bytes=NR flags=FLAGS node=NODE"
expect "cache_free has all its fields" whole /tmp/early cache_free \
	"call_site=SITE $example ptr=PTR name=example-request bytes=NR node=NODE"
expect "refill has all its fields" whole /tmp/early refill \
	"zone=WORD name=example-request order=[0-9]+ nr=NR wanted=NR node=NODE"
expect "flush has all its fields" whole /tmp/driver flush \
	"zone=WORD name=example-request order=[0-9]+ nr=NR node=NODE"
expect "each of its objects was allocated once and freed" balanced /tmp/driver cache
expect "each of its blocks too" balanced /tmp/driver page

listen
insmod $modules/myalloc_example.ko wrong_free=1
cat $tracing/trace >/tmp/early		# while the code has a name
rmmod myalloc_example
deafen >/tmp/wrong
expect "a wrong free" seen /tmp/wrong bad_free "as='object of example-request' reason='[a-z]"
# It was freed by init code, which has no name any more.
expect "bad_free has all its fields" whole /tmp/early bad_free \
	"zone=WORD call_site=0x[0-9a-f]+ ptr=PTR as='object of example-request' reason='[a-z ()]+' node=NODE"

# --- a heap
listen
insmod $modules/myalloc_web.ko period_us=5000
sleep 1
cat $tracing/trace >/tmp/early
rmmod myalloc_web
deafen >/tmp/heap
expect "memory of a heap" seen /tmp/heap heap_alloc 'name=[a-z].* bytes_req=[1-9].* bytes=[1-9]'
expect "heap_alloc has all its fields" whole /tmp/early heap_alloc \
	"call_site=SITE \[myalloc_web\] ptr=PTR name=WORD bytes_req=NR bytes=NR flags=FLAGS node=NODE"
expect "heap_free has all its fields" whole /tmp/early heap_free \
	"call_site=SITE \[myalloc_web\] ptr=PTR name=WORD bytes=NR node=NODE"
expect "all of it was freed" balanced /tmp/heap heap

# --- the reserve; requests that fail; sessions of the device
listen
myallocctl reserve grow 1G >/dev/null
# Of all blocks of this size one session holds 10 of 16. Another one may have as many.
chunk_kb=$((PAGE_KB << SMALL_CHUNK))
count=$((65536 * 10 / 16 / chunk_kb))
myallocctl page alloc --order "$SMALL_CHUNK" --count $count --hold forever >/dev/null 2>&1 &
wait_for sh -c "[ \$(grep -c 'session_page_alloc: .* nr_pages=$((1 << SMALL_CHUNK))' $tracing/trace) = $count ]"
myallocctl page alloc --order "$SMALL_CHUNK" --count $count >/tmp/fails 2>&1
note "$(cat /tmp/fails)"
kill $!
wait
myallocctl page alloc --order 2 --count 5 >/dev/null 2>&1
myallocctl drain >/dev/null
myallocctl reserve shrink >/dev/null
deafen >/tmp/reserve
expect "the reserve grows" seen /tmp/reserve grow "bytes=$((1024 * chunk_kb)) order=$SMALL_CHUNK"
expect "the reserve shrinks" seen /tmp/reserve shrink "bytes=$((1024 * chunk_kb)) order=$SMALL_CHUNK"
expect "a request that fails" seen /tmp/reserve fail "name=- .*bytes=$((1024 * chunk_kb)) order=$SMALL_CHUNK"
for name in grow shrink; do
	expect "$name has all its fields" whole /tmp/reserve $name \
		"zone=WORD ptr=PTR bytes=$((1024 * chunk_kb)) order=$SMALL_CHUNK node=NODE"
done
expect "fail has all its fields" whole /tmp/reserve fail \
	"zone=WORD name=- call_site=SITE \[myalloc\] bytes=$((1024 * chunk_kb)) order=$SMALL_CHUNK flags=FLAGS node=NODE"
expect "a session's handle" seen /tmp/reserve session_page_alloc 'handle=[1-9].* nr_pages=4'
expect "a session's failure" seen /tmp/reserve session_fail "nr_pages=$((1 << SMALL_CHUNK))"
expect "a drain" seen /tmp/reserve session_drain 'pages='

# --- off
listen
echo 0 >$events/enable
echo >$tracing/trace
myallocctl page alloc --count 100 >/dev/null 2>&1
expect "nothing is recorded when nobody listens" sh -c "! grep -q ptr= $tracing/trace"

# --- trace-cmd: it parses the formats of all events
if [ -x /guest/bin/trace-cmd ]; then
	expect "trace-cmd record" trace-cmd record -q -o /tmp/trace.dat -e myalloc \
		sh -c "myallocctl stress run --ops 1000 --seed 1 && myallocctl page alloc --zero"
	expect "trace-cmd report" sh -c "trace-cmd report -i /tmp/trace.dat >/tmp/report 2>&1"
	expect "it has allocations and frees" \
		sh -c "grep -q 'page_alloc: .*flags=' /tmp/report && grep -q cache_free: /tmp/report"
	expect "it names flags" grep -q 'flags=ZERO' /tmp/report
	expect "it understands every format" \
		sh -c "! grep -iE 'failed|unknown|error|\[no' /tmp/report"
else
	skip "trace-cmd" "this guest has none"
fi
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
expect "its events are gone" test ! -d $events
finish
