#!/bin/sh
# The man pages are complete, and neither groff nor mandoc has anything to say about it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

pages="$build/*.[478]"

begin "groff is silent"
if command -v groff >/dev/null; then
	# shellcheck disable=SC2086
	for page in $pages; do
		groff -man -t -Tutf8 -ww -z "$page"
	done >"$out" 2>&1
	[ ! -s "$out" ] || fail "$(head -5 "$out")"
else
	skip_test "groff is not installed"
fi

begin "mandoc is silent"
if command -v mandoc >/dev/null; then
	# shellcheck disable=SC2086
	mandoc -T lint -W warning $pages >"$out" 2>&1
	[ ! -s "$out" ] || fail "$(head -5 "$out")"
else
	skip_test "mandoc is not installed"
fi

# The text of a page, without what is for roff alone.
plain()
{
	sed 's/\\f[BIR]//g; s/\\//g; s/"//g' "$1"
}

begin "every object has a page, with its commands and options"
tool help
sed -n '/^Objects:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$out" >"$tmp/objects"
while read -r object; do
	plain "$build/myallocctl-$object.8" >"$tmp/page" || fail "no page for '$object'"
	grep -q "myallocctl-$object (8)" "$build/myallocctl.8" ||
		grep -q "myallocctl.-$object (8)" "$build/myallocctl.8" ||
		fail "myallocctl(8) does not name the page of '$object'"
	tool "$object" help
	sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$out" >"$tmp/verbs"
	[ -s "$tmp/verbs" ] || echo >"$tmp/verbs"
	while read -r verb; do
		grep -q "^\.[A-Z]* *myallocctl $object.*$verb" "$tmp/page" ||
			fail "'$object $verb' is not in it"
		# shellcheck disable=SC2086
		tool "$object" $verb help
		sed -n '/^Options:/,/^$/s/^ *\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' "$out" >"$tmp/options"
		while read -r option; do
			grep -qE -e "^(-.*, )?$option( |$)" "$tmp/page" ||
				fail "$option of '$object $verb' is not in it"
		done <"$tmp/options"
	done <"$tmp/verbs"
done <"$tmp/objects"
[ "$(wc -l <"$tmp/objects")" -ge 10 ] || fail "few objects: $(cat "$tmp/objects")"

begin "the page of the tool has the options of every command"
plain "$build/myallocctl.8" >"$tmp/page"
for option in --json --pretty --output --help --version; do
	grep -qE -e "^(-.*, )?$option( |$)" "$tmp/page" || fail "$option is not in it"
done

begin "date and version are those of the changelog"
changelog=$(dirname "$0")/../../mod/packaging/changelog
version=$(sh "${changelog%/*}/version")
# shellcheck disable=SC2086
for page in $pages; do
	grep -q "^.TH .* 20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] \"myalloc $version\"" "$page" ||
		fail "$(basename "$page") begins with $(grep '^.TH' "$page")"
	! grep -q '@[A-Z]*@' "$page" || fail "$(basename "$page"): $(grep '@[A-Z]*@' "$page")"
done

finish
