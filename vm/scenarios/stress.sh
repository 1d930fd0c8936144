# Each kind of stress run, with and without checks: no damage, and the number of pages is right;
# the tool's output is JSON; an interrupted run still prints its result.
# needs: timeout=1000
. /guest/ktap.sh
. /guest/stress.sh

# run NAME ARGUMENT...: check the tool's own verdict, and the figures behind it.
run()
{
	name=$1
	shift
	expect "$name: the tool says all is well" myallocctl -o /tmp/run.json stress run "$@" || return
	sound /tmp/run.json "$name: "
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=64
for kind in pages objects mixed cross exhaust heap arena ring pool; do
	run "$kind" --kind $kind --time 4s --threads 2
done
run "mixed, by operations" --kind mixed --ops 20000 --threads 2 --seed 7
run "objects, every check" --kind objects --time 4s --checks FZPU

# SIGINT ends it early; the result is still printed.
myallocctl -o /tmp/run.json stress run --kind mixed --time 60s >/tmp/text 2>/tmp/progress &
sleep 2
kill -INT $!
wait $!
status=$?
if [ $status = 130 ] && grep -q '"verify_errors": *0' /tmp/run.json; then
	ok "an interrupted run says what it did"
else
	not_ok "an interrupted run says what it did" "status $status; $(cat /tmp/text /tmp/progress)"
fi
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc

# The same with all checks enabled for pages and all caches.
expect "the module loads with checks=FZPU" insmod /guest/modules/myalloc.ko reserve_mb=32 checks=FZPU
run "mixed, module with every check" --kind mixed --time 5s --threads 2
run "exhaust, module with every check" --kind exhaust --time 3s --threads 2
run "heap, module with every check" --kind heap --time 3s --threads 2
run "arena, module with every check" --kind arena --time 2s --threads 2
run "ring of three producers" --kind ring --time 2s --threads 4
run "pool, module with every check" --kind pool --time 2s --threads 2
expect "every invariant holds with checks" myallocctl validate
expect "the module unloads again" rmmod myalloc

expect "the module loads with policy=first and small chunks" \
	insmod /guest/modules/myalloc.ko reserve_mb=16 policy=first chunk_order=5
run "mixed, first fit, chunks of 128 KiB" --kind mixed --time 3s --threads 2
expect "the module unloads a third time" rmmod myalloc
finish
