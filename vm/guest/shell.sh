# shellcheck shell=bash
# The start of an interactive shell in the guest (make vm-shell): load the module, print some
# hints. Read by bash, and by busybox's shell where bash is missing.

# shellcheck disable=SC2034 # for the words that 'help' suggests
dir=/sys/kernel/debug/myalloc
PS1='guest:\w# '
HISTCONTROL=ignoredups
alias ll='ls -l'

# Completion of the tool's words, where it is built, and of the names of modules.
# shellcheck disable=SC1091,SC3001,SC3044 # bash alone reads it, with the tool's file
if [ -n "${BASH_VERSION:-}" ]; then
	[ ! -e /guest/myallocctl.bash ] || . /guest/myallocctl.bash
	_insmod()
	{
		local place=/guest/modules/
		case $2 in */*) place= ;; esac
		mapfile -t COMPREPLY < <(compgen -G "$place$2*")
	}
	complete -o filenames -F _insmod insmod
	_modules() { mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 /proc/modules)" -- "$2"); }
	complete -F _modules rmmod
fi

# bash has a help of its own, which 'help WORD' still shows.
help()
{
	[ $# = 0 ] || {
		builtin help "$@"
		return
	}
	cat <<-'END'
	Five things to try:

	  1. a driver that holds memory, and who that is
	       insmod /guest/modules/myalloc_example.ko keep=500 track=1
	       head -n 20 $dir/owners
	  2. a stress run, each byte verified; meanwhile, in the second terminal, everything at a
	     glance, once a second; q ends it
	       myallocctl stress run --kind mixed --seconds 20
	       myallocctl top
	  3. a driver that frees an object twice, and what is said about it
	       rmmod myalloc_example
	       insmod /guest/modules/myalloc_example.ko wrong_free=1 track=1
	       dmesg | tail -n 5
	  4. memory of your own, and where it lies
	       myallocctl page alloc --order 3 --count 20 --hold 1m &
	       cat $dir/buddyinfo
	       myallocctl map
	       kill %1; wait
	  5. another size, with every check, and then a recount of everything
	       rmmod myalloc_example myalloc
	       insmod /guest/modules/myalloc.ko reserve_mb=16 checks=FZPU
	       myallocctl validate

	'myallocctl help' lists all of the tool. A second terminal: 'make vm-console' on the host.
	'resize' tells the guest that your terminal has changed its size.
	'exit' ends the guest; so does Ctrl-A x, at once.
	END
}

# Put the cursor into the last corner and query its position. Debian's busybox has no program for
# it.
# shellcheck disable=SC3045 # bash alone has these options
resize()
{
	local rows columns
	printf '\0337\033[999;999H\033[6n\0338'
	IFS='[;' read -rs -t 3 -d R _ rows columns && stty rows "$rows" cols "$columns"
}

if [ -n "${GUEST_SECOND:-}" ]; then
	printf '\nThe second terminal of the guest. Press Enter to begin. '
	read -r _
	resize
	stty sane
else
	insmod /guest/modules/myalloc.ko && printf '\nThe module is loaded. '
	echo "'help' lists five things to try; the tab key completes words."
	echo
fi
