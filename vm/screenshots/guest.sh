# shellcheck shell=dash
# 'make screenshots' runs this in a guest: four drivers and a stress run, while 'top' and 'map' are
# drawn in a terminal, 'map' writes its page and a history is recorded; then a short benchmark. The
# pages go to the host.
# needs: timeout=600

fault=0
try()
{
	"$@" || {
		echo "failed: $*"
		fault=1
	}
}

try insmod /guest/modules/myalloc.ko reserve_mb=64 max_mb=96
try insmod /guest/modules/myalloc_example.ko keep=2000 track=1
for name in web packets frame_loop; do
	try insmod /guest/modules/myalloc_$name.ko
done
myallocctl contract create io pages:1024@0,3 objects:2000x256 --hold forever >/dev/null 2>&1 &
contract=$!
myallocctl -o /tmp/history.json record -i 250ms --for 45s &
record=$!
sleep 8
myallocctl -o /tmp/stress.json stress run --kind mixed --seconds 22 --threads 2 >/tmp/stress 2>&1 &
stress=$!
sleep 10

cat >/tmp/top <<END
line 0 myalloc
wait example-request
pause 6000
html /out/top.html
keys q
exit 0
END
TERM=xterm-256color try term 100x30 myallocctl top -i 500ms </tmp/top
cat >/tmp/map <<END
wait free
pause 500
html /out/map.html
exit 0
END
TERM=xterm-256color LANG=C.UTF-8 try term 78x32 myallocctl map </tmp/map
try myallocctl -o /out/map_page.html map >/dev/null
try wait $stress
try wait $record
kill $contract
# Figures of a benchmark in an emulator illustrate the page, not the allocators.
try insmod /guest/modules/myalloc_bench.ko
try myallocctl -o /tmp/bench.json bench run --rounds 20 --seed 1 'object/64/*' 'page/0/*' 'page/3/*' \
	'call/object/64/*' >/tmp/bench 2>&1
try myallocctl report /tmp/history.json /tmp/bench.json /tmp/stress.json -o /out/report.html
exit $fault
