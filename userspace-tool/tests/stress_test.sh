#!/bin/sh
# Stress runs against the fake device: what is asked, progress, verdicts, Ctrl-C.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin "the words reach the module"
tool stress run --kind objects --seed 0x2a --threads 4 --cpus 0-1,3 --time 2m \
	--ops 1000 --fill 62.5% --orders 0:8,2:4 --sizes 64:3,1K:1 --checks FZPU --no-verify
exits 0
logged "kind=1 seed=42 threads=4 ms=120000 ops=1000 fill=625 flags=1 orders=8,0,4 sizes=64*3,1024*1/2 checks=15 cpus=b"
tool stress run exhaust --seconds 5 -s 7
logged "kind=4 seed=7 threads=0 ms=5000 ops=0"
tool stress run
logged "kind=2 "
logged " ms=10000 ops=0 "
tool stress run --ops 10
logged " ms=0 ops=10 "

begin "the help of --kind has every kind"
tool -j stress kinds
kinds=$(sed 's/"name":/\n&/g' "$out" | sed -n 's/^"name": *"\([a-z]*\)".*/\1/p' | paste -sd, | sed 's/,/, /g')
[ "$(echo "$kinds" | wc -w)" -ge 9 ] || fail "kinds are $kinds"
tool stress run --help
has out "one of $kinds (default: mixed)"

begin "a seed is taken, told, and not 0"
tool stress run --ops 1 -j
exits 0
seed=$("$JSONQ" "$out" /seed)
[ "$seed" -gt 0 ] || fail "seed is $seed"
json /result/run/seed "$seed"
logged "seed=$seed "
has err "seed $seed"

begin "what the zone and the machine cannot do is refused before the start"
script "set max_order 4" "set cpus 2"
tool stress run --orders 5:1
exits 2
has err "order 5 is above that of the largest block, 4"
tool stress run --cpus 2
exits 2
has err "no CPU 2: this machine has CPUs 0 to 1"
called STRESS_START 0

begin "options without effect are told"
tool stress run objects --orders 0:1 --ops 1
exits 0
has err "--orders has no effect"
tool stress run pages --sizes 64 --ops 1
has err "have no effect"

begin "progress is on stderr, a line per record"
tool stress run --time 3s
exits 0
line err " 33 %  1.0 s  8000 ops  8000/s  fails 0  errors 0  live 50.0 %"
line err " 66 %  2.0 s  16000 ops .*"
has_not err "100 %"
has_not out "ops  "
has_not err "$(printf '\033')"

begin "the result as text"
tool stress run mixed --seed 5 --ops 5
line out "  kind +mixed"
line out "  state +done"
line out "  seed +5"
line out "  all +24000"
line out "  time +3.0 s"
line out "  until the last one +1.50 s"
line out "  per second +16 k/s"
line out "  failed, no block free +11"
line out "  page alloc +5000 +40 ns +80 ns +1.25 us +12.5 us +3.40 ms"
line out "  object free +0 +- +- +- +- +-"
line out "  balanced +yes"
line out "Verdict +ok"
line out "  kernel +.*"

begin "the result as JSON"
tool stress run mixed --seed 5 --ops 5 --orders 3:2 --sizes 64:3 --cpus 1,2 -j
exits 0
documents 1
json /seed 5
json /result/run/kind mixed
json /result/run/order_weights/3 2
json /result/run/size_weights/0/size 64
json /result/run/cpus "[ 1, 2 ]"
json /result/latency/0/p999_ns 12500
json /result/latency/3/p50_ns null
json /result/operations/total 24000
json /result/operations/ops_ns 1500000000
json /result/operations/per_sec 16000
json /result/memory/balanced true
json /result/progress/2/ops 24000
json /result/verdict ok

begin "the rate of a run of less than a second is without the frees at its end"
script "set records 1"
tool stress run --ops 5 -j
json /result/operations/ops_ns 500000000
json /result/operations/per_sec 16000

begin "an older module does not say when the operations ended"
script "set older 1"
tool stress run --ops 5
line out "  per second +8 k/s"
has_not out "until the last"
tool stress run --ops 5 -j
exits 0
json /result/operations/ops_ns null
json /result/operations/per_sec 8000

begin "each finding fails the run and is told"
for pair in "verify_errors:1 damaged pattern found: block 7 at word 3" \
	"free_errors:1 free of the run's own memory was refused" \
	"validate_errors:1 invariant is broken" "unbalanced:nothing else used the zone"; do
	script "set ${pair%%:*} 1" "first block 7 at word 3"
	tool stress run --ops 1
	exits 1
	has err "${pair#*:}"
	line out "Verdict +failed"
	tool stress run --ops 1 -j
	exits 1
	documents 1
	json /ok false
	json /result/verdict failed
done
script "set unbalanced 1" "set shared 1"
tool stress run --ops 1
exits 0
line out "  balanced +no"
line out "  others used the zone +yes"

begin "a run that did no operation is told"
script "set idle 1"
tool stress run --ops 1
exits 0
has err "did no operation"

begin "Ctrl-C ends the run and shows what was done"
script "signal READ 2 INT" "set records 100"
tool stress run --time 100s
exits 130
called STRESS_CANCEL 1
called STRESS_RESULT 1
line out "  state +cancelled"
line out "Verdict +ok"
has err "ending the run"
tool stress run --time 100s -j
exits 130
documents 1
json /exit 130
json /result/run/state cancelled
script "signal READ 2 TERM" "set records 100"
tool stress run --time 100s
exits 143

begin "Ctrl-C does not hide an error"
script "signal READ 2 INT" "set records 100" "set verify_errors 1"
tool stress run --time 100s
exits 1
line out "  state +cancelled"

begin "a second Ctrl-C leaves at once"
script "signal READ 2 INT" "signal WAIT 4 INT" "set records 100" "set silent 0"
tool stress run --time 100s
exits 130
called STRESS_CANCEL 1
called STRESS_RESULT 0
has err "left before the end of the run"
logged "CLOSE"

begin "a cancel that fails is told"
script "signal READ 2 INT" "set records 100" "fail STRESS_CANCEL 1 EIO"
tool stress run --time 100s
exits 1
has err "ending the run"

begin "reads that are empty or interrupted are read again"
script "fail READ 1 EAGAIN" "fail READ 3 EINTR" "set silent 2"
tool stress run --time 3s
exits 0
called READ 5
has err "no progress report from the run for 10 s"

begin "a run that ends without a word ends the wait"
script "set records 0"
tool stress run --time 3s
exits 0
called READ 1

begin "why a run does not start"
script "fail STRESS_START 1 EBUSY"
tool stress run
exits 1
has err "another run is in progress"
script "fail STRESS_START 1 EINVAL"
tool stress run
has err "refuses these parameters"
script "fail STRESS_START 1 ENOMEM"
tool stress run
has err "use fewer --threads"

begin "two kept runs can be compared"
tool -o "$tmp/a.json" stress run --seed 1 --ops 1
exits 0
script "set records 6"
tool -o "$tmp/b.json" stress run --seed 1 --ops 1
tool result diff "$tmp/a.json" "$tmp/b.json"
exits 0
line out "  run.elapsed_ms +3000 +6000 +2.000"
line out "  latency\[page alloc\].p99_ns +1250 +1250 +1.000"
has_not out "progress"

begin "a ring needs two threads, a pool one size"
tool stress run ring --threads 1
exits 2
has err "at least 2"
tool stress run pool --sizes 64,128
exits 2
has err "one size"
tool stress run arena --sizes 64 --ops 1
has err "no effect"

begin "kinds"
tool stress kinds
exits 0
for kind in pages objects mixed cross exhaust heap arena ring pool; do
	line out "$kind +.*"
done
called OPEN 0

finish
