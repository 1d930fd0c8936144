# The modules that DKMS built and the tool of the package, as installed on a clean system. The
# example of modprobe.d is in effect, with one misspelt parameter.
. /guest/ktap.sh

export PATH=/usr/bin:/sbin:$PATH
export COLUMNS=200	# the tool would fold its sentences

# The shell prefers busybox's own, which cannot unpack modules that DKMS has compressed.
modprobe()
{
	/sbin/modprobe "$@"
}

# says NAME PATTERN COMMAND...: its output has a line that matches
says()
{
	says_name=$1 says_pattern=$2
	shift 2
	"$@" >/tmp/says 2>&1
	expect "$says_name" grep -E "$says_pattern" /tmp/says
}

says "before it is loaded, the doctor says how to load it" 'modprobe myalloc' myallocctl doctor
expect "modprobe loads the module" modprobe myalloc
expect "with the parameters of modprobe.d" test "$(cat /sys/module/myalloc/parameters/reserve_mb)" = 256
expect "myallocctl doctor is content" myallocctl doctor
says "and says which parameter the kernel has ignored" "unknown parameter 'reserve_md'" \
	myallocctl doctor
expect "the tool reaches the module" myallocctl validate
expect "the benchmarks load by themselves" myallocctl bench list
expect "a client that DKMS built loads" modprobe frob
says "its cache is shown" '^ *name +frob-request' myallocctl cache show frob-request
says "and is among the holders" frob-request myallocctl top --once
expect "the doctor is content with all of them" myallocctl doctor
expect "the client is removed" rmmod frob
expect "the benchmarks are removed" rmmod myalloc_bench
expect "the module is removed" rmmod myalloc
refuse "nothing of it stays in the kernel" grep -q '^myalloc' /proc/modules
refuse "no device stays" test -e /dev/myalloc
refuse "no files stay in debugfs" test -e /sys/kernel/debug/myalloc
refuse "no parameters stay in sysfs" test -e /sys/module/myalloc

finish
