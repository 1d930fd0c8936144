# kmemleak scans the reserve, so memory referenced only from the reserve is not reported as leaked.
# needs: timeout=600
# allow: kmemleak: .*new suspected memory leak
. /guest/ktap.sh

leaks=/sys/kernel/debug/kmemleak

if [ ! -w $leaks ]; then
	skip "kmemleak" "this kernel has none"
	finish
fi

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads" insmod /guest/modules/myalloc_kmemleak.ko
# It reports nothing younger than five seconds, and only in the second scan.
sleep 6
for scan in 1 2 3; do
	expect "scan $scan" sh -c "echo scan >$leaks"
done
cat $leaks >/tmp/leaks
grep '^unreferenced' /tmp/leaks
expect "what nothing points to is reported" grep -q '(size 512)\|(size 333)' /tmp/leaks
if grep -q '(size 256)\|(size 200)' /tmp/leaks; then
	not_ok "what only our memory points to is not" "$(grep '^unreferenced' /tmp/leaks)"
else
	ok "what only our memory points to is not"
fi
expect "the client unloads" rmmod myalloc_kmemleak
expect "the module unloads" rmmod myalloc
echo clear >$leaks
finish
