#!/bin/sh
# The man pages are complete, and neither groff nor mandoc has anything to say about it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# The pages of section 9 are made by the kernel's kernel-doc, if this machine has one.
cache=${MYALLOC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/myalloc}
kernel_doc=""
for doc in ${KERNEL_DOC:-} /usr/lib/linux-kbuild-*/scripts/kernel-doc \
	"$cache"/kernel/*/build/scripts/kernel-doc; do
	if [ -e "$doc" ]; then
		kernel_doc=$doc
		break
	fi
done
pages="$build/*.[478]"

begin "the interface for modules has its pages"
if [ -n "$kernel_doc" ]; then
	mkdir "$tmp/api"
	"$(dirname "$0")/../man/api.sh" "$kernel_doc" "$tmp/api" >"$out" 2>&1 ||
		fail "$(tail -n 5 "$out")"
	pages="$pages $tmp/api/*.9"
	for page in myalloc myalloc_cache_alloc myalloc_zone_get; do
		[ -e "$tmp/api/$page.9" ] || fail "no page $page.9"
	done
	for word in myalloc_kmem_compat.h MYALLOC_KMEM_RENAME kmem.c; do
		grep -qF "$word" "$tmp/api/myalloc.9" || fail "myalloc.9 does not name $word"
	done
else
	skip_test "no scripts/kernel-doc of a kernel; KERNEL_DOC names one"
fi

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

begin "the page of the device has every command, with its structure"
# A line for each command of the headers, and for each one of the page: its name, and what it takes.
awk '{ line = line $0 }
	sub(/\\$/, " ", line) { next }
	line ~ /^#define MYALLOC_IOC_[A-Z_]*[ \t]+_IO/ {
		split(line, word)
		print substr(word[2], 13), match(line, /struct [a-z_]*/) ? substr(line, RSTART, RLENGTH) : ""
	}
	{ line = "" }' "$(dirname "$0")"/../../mod/uapi/*.h | sort >"$tmp/headers"
plain "$build/myalloc.4" | sed -n '/^\.SH COMMANDS/,/^\.SH MAPPING/p' |
	sed -n -e 's/^\.B \([A-Z_]*\)$/\1 /p' -e 's/^\.BR \([A-Z_]*\)  *(\(struct .*\))$/\1 \2/p' |
	sort >"$tmp/page"
diff "$tmp/headers" "$tmp/page" >"$out" ||
	fail "headers (<) and page (>) differ: $(grep '^[<>]' "$out")"
[ "$(wc -l <"$tmp/headers")" -ge 50 ] || fail "few commands: $(cat "$tmp/headers")"

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
