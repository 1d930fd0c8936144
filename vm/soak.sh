# shellcheck shell=dash
# A long mixed stress run on all CPUs: no damage, and the number of pages is right at the end.
# GUEST_SECONDS on the kernel's command line is the duration (600).
# needs: timeout=4000
. /guest/ktap.sh

seconds=$(sed -n 's/.*GUEST_SECONDS=\([0-9]*\).*/\1/p' /proc/cmdline)
: "${seconds:=600}"

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=128
expect "$seconds s of mixed stress end well" \
	myallocctl -o /tmp/run.json stress run --kind mixed --time "${seconds}s" --threads 2
cp /tmp/run.json /out/
for figure in '"verify_errors": *0' '"free_errors": *0' '"validate_errors": *0' \
	      '"balanced": *true'; do
	if grep -q "$figure" /tmp/run.json; then
		ok "$figure"
	else
		not_ok "$figure"
	fi
done
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
