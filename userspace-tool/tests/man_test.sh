#!/bin/sh
# The man page is complete, and neither groff nor mandoc has anything to say about it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

page=$build/myallocctl.8

begin "groff is silent"
if command -v groff >/dev/null; then
	groff -man -Tutf8 -ww -z "$page" >"$out" 2>&1
	[ ! -s "$out" ] || fail "$(head -5 "$out")"
else
	skip_test "groff is not installed"
fi

begin "mandoc is silent"
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$page" >"$out" 2>&1
	[ ! -s "$out" ] || fail "$(head -5 "$out")"
else
	skip_test "mandoc is not installed"
fi

begin "every command and option is in it"
sed 's/\\f[BIR]//g; s/\\//g; s/"//g' "$page" >"$tmp/page"
tool help
sed -n '/^Objects:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$out" >"$tmp/objects"
while read -r object; do
	tool "$object" help
	sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$out" >"$tmp/verbs"
	[ -s "$tmp/verbs" ] || echo >"$tmp/verbs"
	while read -r verb; do
		grep -q "^\.[A-Z]* *myallocctl $object.*$verb" "$tmp/page" ||
			fail "'$object $verb' is not in it"
		# shellcheck disable=SC2086
		tool "$object" $verb help
		grep -o -e '--[a-z-]*' "$out" | sort -u >"$tmp/options"
		while read -r option; do
			grep -qE -e "^(-.*, )?$option( |$)" "$tmp/page" ||
				fail "$option of '$object $verb' is not in it"
		done <"$tmp/options"
	done <"$tmp/verbs"
done <"$tmp/objects"
[ "$(wc -l <"$tmp/objects")" -ge 10 ] || fail "few objects: $(cat "$tmp/objects")"

finish
