#!/bin/sh
# Benchmarks against the fake device: which shapes, figures, labels, Ctrl-C, kept results.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin "list names what this machine can do"
tool bench list
exits 0
line out "object/64/pair +64-byte objects.*"
has_not out "cross"
tool bench list 'page/*' -j
exits 0
documents 1
json /result/shapes/0/name page/0/pair
json /result/shapes/0/sides/1 alloc_pages

begin "the module of the benchmarks is loaded when it is missing"
script 'fail BENCH_SHAPE 1 EOPNOTSUPP'
tool bench list
exits 0
logged "LOAD myalloc_bench"
line out "object/64/pair +64-byte objects.*"
script 'fail BENCH_SHAPE 1 EOPNOTSUPP' 'fail LOAD 1 ENOENT'
tool bench run object/64/pair
exits 3
has err "insmod myalloc_bench.ko"
called BENCH_SHAPE 1
called BENCH_START 0
script 'fail BENCH_SHAPE 1 EOPNOTSUPP' 'fail BENCH_SHAPE 2 EOPNOTSUPP'
tool bench list
exits 3
has err "insmod myalloc_bench.ko"
called LOAD 1
script
tool bench list
called LOAD 0

begin "the words reach the module"
tool bench run object/64/pair --rounds 5 --ops 1000 --cpu 2 --seed 9
exits 0
logged "shapes=1 rounds=5 ops=1000 cpu=2 seed=9"
tool bench run 'page/*,object/*'
logged "shapes=3 rounds=0 ops=0 cpu=-1"
tool bench run --shapes 'page/*'
logged "shapes=2 "
tool bench run
logged "shapes=3 "

begin "the result as text"
tool bench run --rounds 3 --seed 9 --sides
exits 0
line out "  state +done"
line out "  seed +9"
line out "  object/64/pair +ns +4.000 .* slub +15.000 +3.750 .*"
line out "  page/0/pair +ns +100.000 .* alloc_pages +120.000 +1.200 .*"
line out "  object +the fastest +1 +3.750 .*"
line out "  object/64/pair +loop +3 .*"
line err " 33 %  1.0 s  object/64/pair"

begin "the result as JSON"
tool bench run --rounds 3 -j
exits 0
documents 1
json /kind "bench run"
json /seed 77
json /result/shapes/0/sides/1/role opponent
json /result/shapes/0/sides/1/ratio 3.750
json /result/shapes/0/sides/2/role floor
json /result/shapes/0/sides/1/time/p50 16.000
json /result/shapes/0/sides/1/rounds/2 "[ 16000, 48000, 1000 ]"
json /result/label null

begin "wrong shapes and values"
tool bench run 'nothing/*'
exits 2
has err "no shape matches 'nothing/*';"
has_not err "did you mean"
called BENCH_START 0
tool bench run object/64/pear
exits 2
has err "unknown shape 'object/64/pear'; did you mean 'object/64/pair'?"
tool bench list 'page/0/piar'
exits 2
has err "did you mean 'page/0/pair'?"
tool bench run 'object/65/*'
exits 2
has_not err "did you mean"
called BENCH_START 0
tool bench run 'cross/*'
exits 1
has err "this machine cannot run any of these shapes"
tool bench run --cpu 4
exits 2
has err "no CPU 4: this machine has CPUs 0 to 3"
for words in "--rounds 0" "--rounds 1001" "--ops 16777217" "--cpu x"; do
	# shellcheck disable=SC2086
	tool bench run $words
	exits 2
	called OPEN 0
done

begin "figures of a debug kernel are labelled"
script "set debug_kernel 1"
tool bench run
exits 0
has err "DEBUG KERNEL (KASAN)"
has out "DEBUG KERNEL (KASAN)"
tool bench run -j
json /result/run/debug true

begin "no ratio of what is lost in the cost that is subtracted"
tool bench run object/64/pair
exits 0
has out "3.750"
has out "geometric mean"
script "set cost 5"
tool bench run object/64/pair
exits 0
has out "11.000"
has_not out "geometric mean"

begin "a side that could not be prepared, or failed, is told"
script "set unprepared 1"
tool bench run object/64/pair -j
exits 0
has err "object/64/pair: slub could not be prepared"
json /result/shapes/0/sides/1/time null
script "set fails 3"
tool bench run object/64/pair
exits 0
has err "3 allocations of"
script "set idle 1"
tool bench run -j
exits 1
documents 1
has err "nothing was measured"

begin "Ctrl-C ends the run and shows what was measured"
script "signal READ 2 INT" "set records 100"
tool bench run
exits 130
called BENCH_CANCEL 1
line out "  state +cancelled"
script "signal READ 2 INT" "signal WAIT 4 INT" "set records 100"
tool bench run
exits 130
has err "left before the end of the run"
called BENCH_RESULT 0

begin "each failure is a sentence"
for call in BENCH_SHAPE BENCH_START BENCH_RESULT READ WAIT; do
	for errno in EINVAL EBUSY EIO; do
		script "fail $call 1 $errno"
		tool -j bench run
		exits 1
		documents 1
		grep -q "^myallocctl: error: " "$err" || fail "$call $errno: no sentence"
		logged CLOSE
	done
done

begin "a kept result is shown and compared"
script
tool -o "$tmp/a.json" bench run --rounds 3
exits 0
tool -o "$tmp/b.json" bench run --rounds 6
tool bench show "$tmp/a.json"
exits 0
line out "  object/64/pair +ns +4.000 .*"
tool bench show "$tmp/a.json" 'page/*'
has_not out "object/64"
tool bench compare "$tmp/a.json" "$tmp/b.json"
exits 0
line out "  object/64/pair +slub +15.000 +15.000 +1.000"
tool -j bench compare "$tmp/a.json" "$tmp/b.json"
documents 1
json /result/mean 1.000
tool result diff "$tmp/a.json" "$tmp/b.json"
exits 0

begin "the result of another command cannot be shown"
tool -o "$tmp/v.json" validate
tool bench show "$tmp/v.json"
exits 2
has err "is a result of 'validate'"
tool bench show "$tmp/nothing.json"
exits 1
tool bench show
exits 2
tool bench compare "$tmp/a.json"
exits 2
sed 's/"shapes":\[.*\]/"shapes":[{"name":7,"sides":[{},[],3]},5]/' "$tmp/a.json" >"$tmp/c.json"
tool bench show "$tmp/c.json"
has_not err runtime

finish
