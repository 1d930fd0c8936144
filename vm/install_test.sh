#!/bin/bash
# The files that 'make install' and the packages put on a machine: all documented ones, no others,
# and none after 'make uninstall'. Prints KTAP.
# Usage: vm/install_test.sh KERNEL

# shellcheck disable=SC2317 # functions that expect calls
# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=${1:?usage: vm/install_test.sh KERNEL}
kernel=$("$root/vm/kernel.sh" "$name")
modules=$("$root/vm/module.sh" "$name")
deb=$("$root/vm/deb.sh")
release=$(cat "$kernel/release")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# install DESTDIR [install|uninstall]
install_to()
{
	DESTDIR=$1 PREFIX=/usr/local KDIR=$kernel/build MODULES=$modules BUILT=$deb/tree/built \
		"$root/vm/install.sh" "${2:-install}"
}

# below DIR: the files in it
below() { (cd "$1" && find . -type f -printf '%P\n' | LC_ALL=C sort); }

# unpacked PACKAGE: a directory with the files of the package
unpacked()
{
	[ -d "$tmp/$1" ] || dpkg-deb -x "$deb/$1"_*.deb "$tmp/$1"
	echo "$tmp/$1"
}

# same_files FROM TO FILE...: each file is in both, with the same content
same_files()
{
	local from=$1 to=$2 file
	shift 2
	for file; do
		cmp "$from/$file" "$to/$file" || return 1
	done
}

nothing_but() { [ "$(below "$1")" = "$2" ] || { below "$1"; return 1; }; }
has() { (cd "$1" && ls -d "${@:2}"); }
lacks() { [ -z "$(cd "$1" && find . "${@:2}")" ] || (cd "$1" && find . "${@:2}"; false); }

# Every file used by the module's build is in the source package.
sources_complete()
{
	local source
	source=$(echo "$(unpacked myalloc-dkms)"/usr/src/myalloc-*)
	# Only the objects of the two modules: others in the folder may be from another build. Names
	# are relative to the folder, or in older kernels to that of the kernel.
	(cd "$modules" && sed 's|\([^/]*\)$|.\1.cmd|' myalloc{,_bench}.mod |
		xargs sed -n 's|^  \([^ $]*\.[ch]\).*|\1|p; s|^source_[^ ]* := ||p') |
		sed "s|^$modules/||; s|/\./|/|g; s|^\./||" | grep -v '^/' | sort -u |
		while read -r file; do
			[ ! -e "$modules/$file" ] || echo "$file"
		done >"$tmp/used"
	[ "$(wc -l <"$tmp/used")" -gt 100 ] || { echo "few files: $(cat "$tmp/used")"; return 1; }
	while read -r file; do
		[ -e "$source/$file" ] || { echo "missing: $file"; return 1; }
	done <"$tmp/used"
}

# Kbuild requires it in the tree that DKMS builds in.
source_tells_version()
{
	local source
	source=$(echo "$(unpacked myalloc-dkms)"/usr/src/myalloc-*)
	[ "$(sh "$source/mod/packaging/version")" = "${source##*/myalloc-}" ]
}

# A module builds from the installed files alone.
headers_suffice()
{
	local place=$tmp/frob tree=$tmp/tree
	mkdir -p "$place"
	cp -r "$(unpacked myalloc-dev)/usr/include/myalloc" "$tree"
	cp "$tmp/machine/usr/local/lib/myalloc/$release/Module.symvers" "$tree/"
	cp "$(unpacked myalloc-dev)"/usr/share/doc/myalloc-dev/examples/frob/* "$place/"
	for file in example web packets frame_loop kmem; do
		cp "$(unpacked myalloc-dev)/usr/share/doc/myalloc-dev/examples/$file.c" "$place/"
		echo "obj-m += $file.o" >>"$place/Kbuild"
	done
	PATH=$deb/tree/built:$PATH MYALLOC=$tree make -C "$kernel/build" M="$place" \
		ARCH="$(cat "$kernel/arch")" modules
	[ -e "$place/frob.ko" ] && [ -e "$place/web.ko" ] && [ -e "$place/kmem.ko" ]
}

linked_dynamically() { readelf -d "$1" | grep -q 'NEEDED.*libjson-c'; }

# The completion, in a shell of its own, after the words of a command line.
completes()
{
	local wanted=$1
	shift
	# shellcheck disable=SC2016
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _myallocctl
		printf "%s\n" "${COMPREPLY[@]}"' sh "$deb/tree/built/myallocctl.bash" "$@" >"$tmp/words"
	grep -qxF -e "$wanted" "$tmp/words" || { cat "$tmp/words"; return 1; }
}
completes_not() { ! completes "$@"; }
fails() { ! "$@"; }
install_from() { KDIR=$1 DESTDIR=$2 "$root/vm/install.sh" install; }
silent() { [ -z "$("$@" 2>&1)" ] || { "$@" 2>&1 | head -n 20; return 1; }; }

# The manual pages of all packages pass the checks of mandoc and groff.
lint_pages()
{
	local page
	mandoc -T lint -W warning "$@"
	for page; do
		groff -man -t -Tutf8 -ww -z "$page"
	done
}

# Each function that modules can call has a page, and each page names what its function returns.
interface_described()
{
	local name
	while read -r name; do
		[ -e "$1/$name.9" ] || { echo "no page: $name"; return 1; }
		grep -q "^\.BR $name (9)" "$1/myalloc.9" || { echo "not in myalloc.9: $name"; return 1; }
	done < <(sed -n 's/^EXPORT(\(myalloc_[a-z0-9_]*\));$/\1/p' "$root/mod/exports.c")
}

# --- signed with a temporary key

signer="myalloc test"
make_key()
{
	"$root/vm/setup.sh" sign
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=$signer/" \
		-keyout "$tmp/key" -out "$tmp/cert"
}
install_signed()
{
	SIGN_KEY=${1-$tmp/key} SIGN_CERT=${2-$tmp/cert} install_to "$tmp/signed"
}
# The output of that machine's modinfo about its modules
signer_shown()
{
	local module
	for module in myalloc myalloc_bench; do
		[ "$(modinfo -F signer "$tmp/signed/lib/modules/$release/updates/$module.ko")" = \
			"$signer" ] || return 1
	done
}
unsigned() { [ -z "$(modinfo -F signer "$modules/myalloc.ko")" ]; }
# The signature is that of the module: between its content and the mark lie the signature and twelve
# bytes, of which the last four are its length.
signature_holds()
{
	local file=$tmp/signed/lib/modules/$release/updates/myalloc.ko size length
	size=$(($(stat -c %s "$file") - 28))
	length=$(tail -c 32 "$file" | od -An -N4 -tu4 --endian=big | tr -d ' ')
	[ "$(tail -c 28 "$file")" = "~Module signature appended~" ] || return 1
	head -c $((size - 12 - length)) "$file" >"$tmp/content"
	cmp "$tmp/content" "$modules/myalloc.ko" || return 1
	head -c $((size - 12)) "$file" | tail -c "$length" >"$tmp/signature"
	openssl cms -verify -binary -inform DER -in "$tmp/signature" -content "$tmp/content" \
		-certfile "$tmp/cert" -noverify -out "$tmp/verified"
}

machine=$tmp/machine
mkdir -p "$machine/usr/local/bin" "$machine/usr/local/share/man"
echo foreign >"$machine/usr/local/bin/foreign"

# shellcheck disable=SC2034 # used by ktap.sh
ktap_output=$tmp/output
# shellcheck source=vm/guest/ktap.sh
. "$root/vm/guest/ktap.sh"
set +e	# later tests run even if one fails
expect "make install succeeds" install_to "$machine"
expect "tool, modules, headers, completion and manual are installed" has "$machine" \
	usr/local/bin/myallocctl "lib/modules/$release/updates/myalloc.ko" \
	"lib/modules/$release/updates/myalloc_bench.ko" \
	usr/local/include/myalloc/mod/myalloc_client.h usr/local/share/man/man8/myallocctl.8 \
	usr/local/share/bash-completion/completions/myallocctl
expect "the modules are the two for users alone" test \
	"$(find "$machine" -name '*.ko' | wc -l)" = 2
expect "the tool is linked dynamically" linked_dynamically "$machine/usr/local/bin/myallocctl"
expect "the packages have the same tool" same_files "$machine/usr/local" \
	"$(unpacked myallocctl)/usr" share/bash-completion/completions/myallocctl
mapfile -t headers < <(below "$machine/usr/local/include")
expect "the packages have the same headers" same_files "$machine/usr/local/include" \
	"$(unpacked myalloc-dev)/usr/include" "${headers[@]}"
expect "myalloc-dkms has what the modules are built from" sources_complete
expect "and their version, as the changelog tells it" source_tells_version
expect "and no tests or clients" lacks "$(unpacked myalloc-dkms)" -path '*/tests/*' -o \
	-path '*/kunit/*' -o -path '*/clients/*' -o -path '*/host/*'
expect "no package has files outside /usr" lacks "$(unpacked myalloc-dkms)" \
	-mindepth 1 -maxdepth 1 ! -name usr
expect "the installed headers suffice to build the examples" headers_suffice
expect "a second make install changes nothing" install_to "$machine"
expect "make uninstall succeeds" install_to "$machine" uninstall
expect "and leaves what was there before" nothing_but "$machine" usr/local/bin/foreign
expect "and no directory that was not" lacks "$machine" -type d -name 'm*' ! -name man
expect "make uninstall of nothing is an error" fails install_to "$machine" uninstall
expect "a relative DESTDIR is refused" fails install_to some/where
expect "headers that are not there are refused" fails install_from /nonexistent "$machine"
if [ -x "$kernel/build/scripts/sign-file" ]; then
	expect "a key to sign with is made" make_key
	expect "make install signs the modules with it" install_signed
	expect "modinfo shows the signer" signer_shown
	expect "the signature is that of the module" signature_holds
	expect "what was built stays without" unsigned
	expect "a key without a certificate is refused" fails install_signed "$tmp/key" ""
	expect "a certificate that is not there is refused" fails install_signed "$tmp/key" "$tmp/none"
else
	skip "modules are signed" "this kernel does not know signatures"
fi
expect "the manual describes each function for modules" interface_described "$deb/tree/built"
expect "mandoc and groff say nothing of any page" silent lint_pages "$deb/tree/built"/*.[4789]
expect "completion: objects" completes buildinfo myallocctl bu
expect "completion: commands" completes create myallocctl cache cr
expect "completion: options" completes --magazine myallocctl cache create --size 64 --m
expect "completion: commands with a schema" completes show myallocctl schema stat sh
expect "completion: not those of another command" completes_not --magazine myallocctl cache list --m
finish
