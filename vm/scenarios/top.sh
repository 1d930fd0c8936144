# 'top' shows a driver at work: as text, as JSON, and in terminals of several sizes.
. /guest/ktap.sh
. /guest/memory.sh

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

expect "a history is recorded" myallocctl -o /tmp/history record -i 200ms --for 2s
expect "a page is drawn from it" myallocctl report /tmp/history -o /tmp/page.html
expect "the driver is on it" grep -q '<text.*>example-request<' /tmp/page.html
expect "the page is complete" grep -q '^</html>' /tmp/page.html

# Information for users other than root.
stats=/sys/class/misc/myalloc/stats
pages=$(pages_of 16)
expect "the reserve's size" test "$(cat $stats/nr_pages)" = "$pages"
expect "each holder has a file, and together they have the reserve" sh -c "
	cd $stats
	for try in 1 2 3 4 5; do
		sum=0
		for name in free cached page slab deferred quarantined bad; do
			sum=\$((sum + \$(cat \${name}_pages)))
		done
		echo \$sum
		[ \$sum -le $((pages - 96)) ] || [ \$sum -ge $((pages + 104)) ] || exit 0
	done
	exit 1"
expect "a number with a sign" sh -c "grep -qE '^-?[0-9]+\$' $stats/largest_order"
expect "all may read, nobody may write" test "$(stat -c %a $stats/* | sort -u)" = 444
expect "the driver unloads" rmmod myalloc_example
expect "the module unloads" rmmod myalloc
finish
