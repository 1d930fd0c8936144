# The KUnit suites in this kernel. Their results are sent as files, one for each suite, for
# the host to parse; this script's own tests check that none is missing.
# needs: timeout=1500
. /guest/ktap.sh

results=/sys/kernel/debug/kunit
modules=$(ls /guest/modules/*kunit*.ko)

expect "this kernel has KUnit" test -d $results || finish
expect "there are modules of suites" test -n "$modules" || finish

expect "the module loads" insmod /guest/modules/myalloc.ko
for module in $modules; do
	expect "$(basename "$module") loads" insmod "$module"
done
mkdir -p /out/ktap
count=0
for suite in "$results"/*/; do
	name=$(basename "$suite")
	[ -e "$suite/results" ] || continue
	cat "$suite/results" >"/out/ktap/$name.ktap"
	count=$((count + 1))
done
# GUEST_SUITES is the number of suites in the modules, counted by the host.
if [ "$count" = "${GUEST_SUITES:-0}" ]; then
	ok "all $count suites have results"
else
	not_ok "all ${GUEST_SUITES:-0} suites have results" "there are $count"
fi
for module in $modules; do
	expect "$(basename "$module") unloads" rmmod "$(basename "$module" .ko)"
done
expect "the module unloads" rmmod myalloc
finish
