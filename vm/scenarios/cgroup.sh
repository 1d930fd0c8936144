# Memory that the module keeps for a user is charged to the user's control group. Beyond the group's
# limit a request is refused, and no process is killed.
# needs: mem=768M timeout=300
. /guest/ktap.sh

groups=/tmp/groups
mkdir -p $groups
if ! mount -t cgroup2 none $groups 2>/dev/null || ! grep -qw memory $groups/cgroup.controllers; then
	skip "control groups" "this kernel has none that count memory"
	finish
fi
echo +memory >$groups/cgroup.subtree_control

# within GROUP COMMAND...: execute it in a group, which is made if it is not there
within()
{
	group=$groups/$1
	shift
	mkdir -p "$group"
	sh -c 'echo $$ >"$0"/cgroup.procs && exec "$@"' "$group" "$@"
}

# of GROUP KEY: print a count of its memory.events
of()
{
	awk -v key="$2" '$1 == key { print $2 }' $groups/"$1"/memory.events
}

# peak GROUP: print the maximum of memory charged to it, KiB
peak()
{
	echo $(($(cat $groups/"$1"/memory.peak) / 1024))
}

# more NAME KIB LEAST
more()
{
	if [ "$2" -ge "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "$2 KiB, not at least $3 KiB"
	fi
}

# 8-byte objects that fill the zone: 32 MiB of lists.
large_run()
{
	within "$1" myallocctl stress run --kind objects --sizes 8 --fill 100% --ops 1000 --threads 2
}

many_handles()
{
	within "$1" myallocctl page alloc --order 0 --count 32768
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=256
expect "the tool works in a group" within idle myallocctl info
note "the tool alone: $(peak idle) KiB"
least=$(peak idle)
expect "a run works in a group" large_run run
more "what it keeps counts for the group" "$(peak run)" $((least + 30000))
expect "handles work in a group" many_handles handles
more "what they take counts for the group" "$(peak handles)" $((least + 500))
note "run $(peak run) KiB, handles $(peak handles) KiB"

mkdir $groups/little
echo $(((least + 4096) * 1024)) >$groups/little/memory.max
refuse "beyond the group's limit a run is refused" large_run little
cp /tmp/ktap.output /tmp/said
expect "... which says so" grep -q "memory" /tmp/said
expect "nobody was killed for it" test "$(of little oom_kill)" = 0
expect "within the limit the tool goes on" within little myallocctl info
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
finish
