# shellcheck shell=dash
# What 'make vm' shows: the module loaded, a stress run, a look inside, all given
# back. For a person to read; its exit status and the kernel's log are the verdict.
# needs: timeout=240

fault=0
heading()
{
	echo
	echo "=== $*"
}

# try COMMAND...: show it, run it, remember a failure.
try()
{
	echo "\$ $*"
	"$@" 2>&1 || {
		echo "!!! status $?"
		fault=1
	}
}

reserved()
{
	awk '$1 == "MemFree:" { print int($2 / 1024) " MB free" }' /proc/meminfo
}

echo "Linux $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPUs, $(reserved)"

heading "load the module, with 64 MB for it to serve"
try insmod /guest/modules/myalloc.ko reserve_mb=64
echo "now $(reserved)"
dmesg | grep 'myalloc: ' | tail -n 5

if [ -x /guest/bin/myallocctl ]; then
	heading "ask the tool what it sees"
	try myallocctl doctor
	try myallocctl info

	heading "work it: pages and objects of all sizes on 2 CPUs for 10 s"
	try myallocctl stress run --kind mixed --seconds 10 --threads 2
fi

heading "look inside"
find /sys/kernel/debug/myalloc -type f | sort >/tmp/files
while read -r file; do
	echo "--- $file"
	cat "$file" || fault=1
done </tmp/files
[ -s /tmp/files ] || {
	echo "!!! there is nothing in /sys/kernel/debug/myalloc"
	fault=1
}

if [ -x /guest/bin/myallocctl ]; then
	heading "check every invariant"
	try myallocctl validate
fi

heading "load a client of the in-kernel interface, and take it away again"
if [ -e /guest/modules/myalloc_example.ko ]; then
	try insmod /guest/modules/myalloc_example.ko
	try rmmod myalloc_example
fi

heading "remove the module"
try rmmod myalloc
echo "now $(reserved)"

echo
if [ $fault = 0 ]; then
	echo "All was well."
else
	echo "NOT all was well: see the lines that begin with !!!"
fi
exit $fault
