# 'top' sees a driver at work: as text, as JSON, and in terminals of several sizes.
. /guest/ktap.sh

dir=/sys/kernel/debug/myalloc

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "a driver loads" insmod /guest/modules/myalloc_example.ko keep=500 track=1
tries=0
until [ "$(cat $dir/caches/example-request/objects)" -ge 400 ] || [ $tries = 50 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
expect "one frame as text" sh -c "myallocctl top --once >/tmp/frame"
cat /tmp/frame
expect "the driver's cache allocates" sh -c \
	"awk '\$1 == \"example-request\" && \$2 == \"cache\" && \$5 > 0 { f = 1 } END { exit !f }' /tmp/frame"
expect "its call site holds objects" sh -c \
	"grep -q '^[a-z_]*handler.*\[myalloc_example\].* site ' /tmp/frame"
expect "the tool itself is there as a process" grep -q '^myallocctl [0-9]* *process' /tmp/frame
expect "no line is longer than 80" sh -c "! grep -q '.\{81\}' /tmp/frame"
expect "JSON" sh -c "myallocctl -j top -n 2 -i 100ms >/tmp/json"
expect "a document for each reading" test "$(grep -c '"kind":"top"' /tmp/json)" = 2

cat >/tmp/keys <<END
line 0 myalloc
line 6 *SIZE
wait example-request
line 23 q end
keys /exam
wait filter: exam
keys \r
line 7 example
size 200x50
wait LAST MINUTE
keys q
exit 0
END
for type in vt100 linux xterm-256color; do
	expect "on a screen, $type" env TERM=$type term 80x24 myallocctl top -i 200ms </tmp/keys
done
expect "the driver unloads" rmmod myalloc_example
expect "the module unloads" rmmod myalloc
finish
