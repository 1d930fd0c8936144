#!/bin/sh
# Every statistic of uapi/stat_fields.h is everywhere: in the text and the JSON of stat and
# cache, in what they mean, and in the man page.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
list=$here/../../mod/uapi/stat_fields.h

# The list as text: a line "ONE|ORDERS|F|H|P|R|A|L|C NAME KIND KEY" for each entry; rings and clients
# have letters of heaps and contracts in the list.
sed -e '/^#define MYALLOC_RING/,/^$/s/^\tH(/\tR(/' \
	-e '/^#define MYALLOC_CLIENT/,/^$/s/^\tC(/\tL(/' "$list" >"$tmp/list"
list=$tmp/list
tr -d '\\\n\t' <"$list" | grep -oE '(ONE|ORDERS|F|H|P|R|A|L|C)\(__[us][0-9]+, [^"]*"[^"]*", ?[^"]*"' |
	sed -E 's/__[us][0-9]+, //; s/(FILE|LINE)\([a-z_]*\), //; s/\(/ /; s/, ?/ /g; s/"[^"]*"//' |
	awk '{ print $1, $2, $3, $5 == "\"" || NF < 5 ? $2 : $5 }' | tr -d '"' >"$tmp/fields"

begin "the list is read"
[ "$(grep -c '^ONE' "$tmp/fields")" = "$(grep -c '^	ONE(' "$list")" ] || fail "numbers"
[ "$(grep -c '^ORDERS' "$tmp/fields")" = "$(grep -c '^	ORDERS(' "$list")" ] || fail "arrays"
[ "$(grep -c '^F' "$tmp/fields")" = "$(grep -c '^	F(' "$list")" ] || fail "of caches"
[ "$(grep -c '^H' "$tmp/fields")" = "$(grep -c '^	H(' "$list")" ] || fail "of heaps"
[ "$(grep -c '^A' "$tmp/fields")" = "$(grep -c '^	A(' "$list")" ] || fail "of arenas"
[ "$(grep -c '^P' "$tmp/fields")" = "$(grep -c '^	P(' "$list")" ] || fail "of pools"
[ "$(grep -c '^R' "$tmp/fields")" = "$(grep -c '^	R(' "$list")" ] || fail "of rings"
[ "$(grep -c '^L' "$tmp/fields")" = "$(grep -c '^	L(' "$list")" ] || fail "of clients"
[ "$(grep -c '^C' "$tmp/fields")" = "$(grep -c '^	C(' "$list")" ] || fail "of contracts"
[ "$(wc -l <"$tmp/fields")" -ge 150 ] || fail "too few: $(wc -l <"$tmp/fields")"

# everywhere SORT KIND POINTER: the JSON on stdout has each field of a sort and kind there
everywhere()
{
	cut -d ' ' -f 1-4 "$tmp/fields" | while read -r sort field kind key; do
		[ "$sort $kind" = "$1 $2" ] || continue
		"$JSONQ" "$out" "$3/$key" >/dev/null 2>&1 || echo "$field"
	done >"$tmp/missing"
	[ ! -s "$tmp/missing" ] || fail "'$command': not in $3: $(tr '\n' ' ' <"$tmp/missing")"
}

begin "the JSON of stat has each"
tool -j stat show
exits 0
everywhere ONE HOLDER /result/zone
everywhere ONE STATE /result/zone
everywhere ONE EVENT /result/counters
everywhere ORDERS STATE /result/orders/0
everywhere ORDERS EVENT /result/orders/0
tool -j stat watch -i 1ms -n 1
everywhere ONE HOLDER /result
everywhere ONE EVENT /result
tool -j page alloc
everywhere ONE HOLDER /result/stats/0

begin "the JSON of cache has each"
tool -j cache list
for kind in TRAIT SPACE USE; do
	everywhere F $kind /result/caches/0
done
tool -j cache show 1
everywhere F TRAIT /result/traits
everywhere F SPACE /result/space
everywhere F USE /result/use

begin "the JSON of arena has each"
tool -j arena list
for kind in TRAIT SPACE USE; do
	everywhere A $kind /result/arenas/0
done
tool -j arena show frame-0
everywhere A TRAIT /result/traits
everywhere A SPACE /result/space
everywhere A USE /result/use

begin "the JSON of heap has each"
tool -j heap list
for kind in TRAIT SPACE USE; do
	everywhere H $kind /result/heaps/0
done
tool -j heap show web
everywhere H TRAIT /result/traits
everywhere H SPACE /result/space
everywhere H USE /result/use

begin "the JSON of pool, ring, client and contract has each"
while read -r letter object many name; do
	tool -j "$object" list
	for kind in TRAIT SPACE USE; do
		everywhere "$letter" $kind "/result/$many/0"
	done
	tool -j "$object" show "$name"
	[ "$object" != contract ] || continue
	everywhere "$letter" TRAIT /result/traits
	everywhere "$letter" SPACE /result/space
	everywhere "$letter" USE /result/use
done <<END
P pool pools urgent
R ring rings packets
L client clients frob
C contract contracts frob
END

begin "the JSON of snapshot has each"
tool -j snapshot
while read -r letter many; do
	for kind in TRAIT SPACE USE; do
		everywhere "$letter" $kind "/result/$many/0"
	done
done <<END
F caches
H heaps
P pools
R rings
A arenas
L clients
C contracts
END

begin "explain says what each means, and the text shows each"
tool stat explain
exits 0
called OPEN 0
cp "$out" "$tmp/explain"
while read -r _ field _; do
	grep -qE "^  $field +.* [a-z]" "$tmp/explain" || fail "'$field' is not explained"
done <"$tmp/fields"
tool -j stat explain
documents 1
[ "$(grep -o '"label":"[^"]*"' "$out" | wc -l)" = "$(wc -l <"$tmp/fields")" ] ||
	fail "labels are missing"
"$JSONQ" "$out" /result/zone | grep -o '"label":"[^"]*","unit":"[^"]*","by_order":false' |
	sed 's/"label":"\([^"]*\)".*/\1/' >"$tmp/labels"
tool stat show --all
while read -r label; do
	line out "  $label +[0-9-].*"
done <"$tmp/labels"

begin "the man page has each"
# As roff would print it.
sed 's/\\\(-\)/\1/g' "$build/myallocctl-stat.8" >"$tmp/man"
while read -r _ field _; do
	grep -qw "$field" "$tmp/man" || fail "'$field' is not in the man page"
done <"$tmp/fields"

finish
