#!/bin/sh
# Every table fits the terminal: what is left out, in which order, and that it is said.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

man=$(dirname "$0")/../man/myallocctl.8.in

# Columns of the longest line on stdout: of a character of UTF-8, one byte counts
longest()
{
	LC_ALL=C tr -d '\200-\277' <"$out" | awk 'length > max { max = length } END { print max + 0 }'
}

machine()
{
	export FAKE_ROOT="$tmp/root"
	mkdir -p "$FAKE_ROOT/sys/kernel/debug/myalloc"
	printf '%s\n' "owners - version: 1.0" \
		"web  20  320  -  serve_the_request+0x10/0x20 [web]" \
		"(pages)  3  4096  900  load_a_firmware+0x30/0x40 [web]" \
		>"$FAKE_ROOT/sys/kernel/debug/myalloc/owners"
}

# With a table each; $tmp/bench and $tmp/old are results.
tables="stat show --all
stat watch -n 1 -i 1ms
stat explain
owners
owners --diff $tmp/old
check bad_frees==0 free_pages>7 requests<1M
page alloc -n 3
page fill --hold 0s
page test
cache list
cache create
cache shrink
heap list
heap show web
pool list
ring list
ring test
arena list
client list
client show frob
client leaks
contract plan pages:16@0,3 objects:64x100
contract create mine pages:16@0
contract list
contract show frob
contract test
node list
ring map -n 10
pool test
heap test
arena test
page walk --size 4M -n 1000
page map
drain
stress run --ops 1
stress kinds
bench list
bench run --sides
bench compare $tmp/bench $tmp/bench
diff $tmp/bench $tmp/bench"

begin "every table fits 60, 80 and 200 columns, and says what it left out"
machine
tool -o "$tmp/bench" bench run --sides
tool -o "$tmp/old" owners
sed 's/"bytes":320/"bytes":20/' "$tmp/old" >"$tmp/less" && mv "$tmp/less" "$tmp/old"
for COLUMNS in 60 80 200; do
	export COLUMNS
	printf '%s\n' "$tables" >"$tmp/tables"
	while read -r words; do
		# shellcheck disable=SC2086
		tool $words
		exits 0
		[ -s "$out" ] || fail "'$words' prints nothing"
		[ "$(longest)" -le "$COLUMNS" ] ||
			fail "'$words' has $(longest) columns: $(awk "length > $COLUMNS" "$out" | head -1)"
		! grep -q 'left out' "$err" || has err "left out to fit $COLUMNS columns: "
		[ "$COLUMNS" != 200 ] || has_not err "left out"
	done <"$tmp/tables"
done

begin "tables of several zones fit 60 and 80 columns"
machine
mkdir "$FAKE_ROOT/sys/kernel/debug/myalloc/node2"
ln -s . "$FAKE_ROOT/sys/kernel/debug/myalloc/node0"
cp "$FAKE_ROOT/sys/kernel/debug/myalloc/owners" "$FAKE_ROOT/sys/kernel/debug/myalloc/node2"
script "set nodes 2" "set errors 1" "set wrong_zone 1" "first I3: frame 17 is in no block of any kind"
for COLUMNS in 60 80; do
	for words in "check bad_frees==0 free_pages>7 requests<1M" owners validate; do
		# shellcheck disable=SC2086
		tool $words
		line out ".* (2|node) .*"
		[ "$(longest)" -le "$COLUMNS" ] ||
			fail "'$words' has $(longest) columns: $(awk "length > $COLUMNS" "$out" | head -1)"
	done
done
rm -r "$FAKE_ROOT/sys/kernel/debug/myalloc/node"*

# fits WORD...: what it prints has no line that is wider than COLUMNS
fits()
{
	tool "$@"
	[ -s "$out" ] || fail "'$*' prints nothing"
	[ "$(longest)" -le "$COLUMNS" ] ||
		fail "'$*' has $(longest) of $COLUMNS columns: $(awk "length > $COLUMNS" "$out" | head -1)"
}

begin "sentences fit, too: findings, explanations, what is at a place"
machine
printf '%s\n' "set busy 10" "set holes 3" >"$FAKE_DEV"
tool -o "$tmp/first" snapshot
tool -o "$tmp/second" snapshot
for COLUMNS in 60 80; do
	while read -r words; do
		# shellcheck disable=SC2086
		fits $words
	done <<-END
	info
	stat show
	top --once
	map
	doctor
	explain free_pages
	reserve show
	cache show requests
	pool show urgent
	ring show packets
	validate
	diff $tmp/first $tmp/second
	snapshot
	END
done
# Each number of the results has a sentence; a wrong word lists all of them.
COLUMNS=60
tool explain nonsense
exits 2
sed '1d;s/expected one of://;/help. shows/d' "$err" | tr ' ' '\n' | sed '/^$/d' >"$tmp/names"
[ "$(wc -l <"$tmp/names")" -gt 150 ] || fail "$(wc -l <"$tmp/names") names"
awk 'length > 60 && NR > 1' "$err" >"$tmp/wide"
[ ! -s "$tmp/wide" ] || fail "the list is too wide: $(head -1 "$tmp/wide")"
while read -r name; do
	fits explain "$name"
done <"$tmp/names"

begin "help fits 80 columns at every level"
COLUMNS=80
tool -j help
/usr/bin/python3 -c '
import json, sys
for o in json.load(open(sys.argv[1]))["result"]["objects"]:
    print(o["name"])
    for c in o["commands"]:
        print(o["name"], c["name"])' "$out" >"$tmp/levels"
[ "$(wc -l <"$tmp/levels")" -gt 60 ] || fail "$(wc -l <"$tmp/levels") levels"
fits help
line out " {20}.*figures for Prometheus.*"
while read -r words; do
	# shellcheck disable=SC2086
	fits $words help
done <"$tmp/levels"

begin "a word that is longer than the terminal stays whole, so that it can be copied"
COLUMNS=30
tool info
line out ".*$(uname -r).*"

begin "as many columns as fit, and COLUMNS that is told shows all"
machine
COLUMNS=80
tool cache list
line out "id  name +object  slabs  total  live  cached  allocs  fails  pages  checks"
line err ".*left out to fit 80 columns: slot, per slab; COLUMNS=96 shows all"
COLUMNS=96
tool cache list
line out "id  name +object +slot  per slab  slabs +total  live  cached  allocs  fails  pages  checks"
empty err
COLUMNS=95
tool cache list
line err ".*left out to fit 95 columns: slot; COLUMNS=96 shows all"
COLUMNS=60
tool cache list
line out " 1  requests   192 B     5     105      0      2  -"
unset COLUMNS
tool cache list
has err "left out to fit 80 columns"
COLUMNS=7
export COLUMNS
tool cache list
line out "id  name +live"
has err "left out to fit 20 columns"
COLUMNS=60
tool -j cache list
empty err
json /result/caches/0/slot_bytes 192

begin "text of the last column is continued"
machine
COLUMNS=60
tool stat explain
line out "  deferred_pages      pages   pages freed where the lock"
line out " {30}could not be taken, not yet"
has_not err "left out"
tool owners
line out "what +count +bytes  oldest  caller"
line out "web .* serve_the_request\+0x10.*"

begin "of a series only the first says it"
tool stat watch -n 3 -i 1ms
[ "$(grep -c 'left out' "$err")" = 1 ] || fail "$(cat "$err")"

begin "the order is that of the man page"
machine
COLUMNS=20
sed -n '/^\.SH WIDTH/,/^\.PP/p' "$man" | sed -n '/^\.TP/{n;s/^\.B //;h;n;H;x;s/\n/:/;p}' >"$tmp/orders"
[ "$(wc -l <"$tmp/orders")" -ge 12 ] || fail "$(wc -l <"$tmp/orders") orders in $man"
while IFS=: read -r words order; do
	case $words in
	check) more="bad_frees==0" ;;
	"contract plan") more="pages:16@0,3" ;;
	"stat watch") more="-n 1 -i 1ms" ;;
	"stress run") more="--ops 1" ;;
	*) more="" ;;
	esac
	# shellcheck disable=SC2086
	tool $words $more
	got=$(sed -n 's/.*left out to fit 20 columns: \(.*\); COLUMNS=.*/\1/p' "$err")
	[ "$got" = "$order" ] || fail "'$words' leaves out $got; the man page says $order"
done <"$tmp/orders"

finish
