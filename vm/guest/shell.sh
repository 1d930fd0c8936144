# The start of an interactive shell in the guest (make vm-shell): load the module and
# print some hints.

PS1='guest# '
insmod /guest/modules/myalloc.ko && {
	echo
	echo "The module is loaded. Try:"
	echo "  myallocctl help"
	echo "  myallocctl info"
	echo "  cat /sys/kernel/debug/myalloc/buddyinfo"
	echo "  rmmod myalloc; insmod /guest/modules/myalloc.ko reserve_mb=16"
	echo "'exit' ends the guest; so does Ctrl-A x, at once."
	echo
}
