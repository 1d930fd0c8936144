# shellcheck shell=dash
# The laboratories run this in a guest: every shape, with the table as output and the result as a
# file. /guest/options has the words for the tool.
# needs: timeout=3600
insmod /guest/modules/myalloc.ko reserve_mb=256 || exit 1
insmod /guest/modules/myalloc_bench.ko || exit 1
# shellcheck disable=SC2046 # words
myallocctl -o /out/result.json bench run $(cat /guest/options) || exit 1
myallocctl validate >/tmp/validate || {
	cat /tmp/validate
	exit 1
}
rmmod myalloc_bench && rmmod myalloc
