#!/bin/sh
# The program that is installed, statically linked, where there is no device.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

MYALLOCCTL=$build/myallocctl

begin "it runs without libraries"
tool --version
exits 0
! readelf -l "$MYALLOCCTL" | grep -q INTERP || fail "it asks for a loader"

begin "verbs that need no device"
tool stress kinds -j
exits 0
documents 1

begin "doctor and the machine's own answers"
tool doctor -j
documents 1
json /kind doctor

if [ ! -e /dev/myalloc ]; then
	begin "no device"
	for words in info stat "page test" cache drain validate "stress run"; do
		# shellcheck disable=SC2086
		tool $words
		exits 3
		has err "load the module first"
	done
	tool doctor
	exits 1
fi

finish
