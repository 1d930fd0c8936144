# The device: every command's good and bad input, a SIGKILL in the middle of each kind
# of work, random commands with files closed meanwhile. Each ends with the books right.
# needs: timeout=900
# allow: myalloc: .*cache
. /guest/ktap.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=64
suite ioctl ioctl_test
suite kill kill_test 5
suite fuzz ioctl_fuzz 2000
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
