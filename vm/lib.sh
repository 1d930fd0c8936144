# shellcheck shell=bash
# Shared by the scripts in vm/: where files are, how to report progress, how to
# run a long step, how to hold a lock. Sourced, never run.

set -euo pipefail
shopt -s inherit_errexit

# These scripts are called by make and call make: the options of the outer make
# (jobs, variables) must not reach the inner one.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${MYALLOC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/myalloc}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd -P)

# Products of this checkout. Other checkouts on the machine share the kernels, but not these.
# shellcheck disable=SC2034 # used by the scripts that source this file
products=$cache/checkout/$(printf '%s' "$root" | sha256sum | cut -c1-12)

# A background step must not outlive an interrupted run.
step_pid=
stop_step() { [ -z "$step_pid" ] || kill "$step_pid" 2>/dev/null || true; }
trap 'stop_step; exit 130' INT
trap 'stop_step; exit 143' TERM

say() { printf '%s\n' "$*" >&2; }

die()
{
	say "error: $*"
	exit 1
}

# step WHAT HOWLONG COMMAND...: run a long command with its output in a log, and
# print one line at the start, a heartbeat, and one line at the end. V=1 shows all.
# step_said: the errors in the log of the last step that failed.
step_said=
step()
{
	local what=$1 howlong=$2 log start beat=0 status=0
	shift 2
	start=$SECONDS
	if [ "${V:-0}" = 1 ]; then
		say "==> $what (usually $howlong)"
		"$@" >&2 || status=$?
	else
		mkdir -p "$cache/log"
		log=$(mktemp "$cache/log/step.XXXXXX")
		say "==> $what (usually $howlong)"
		"$@" >"$log" 2>&1 </dev/null &
		step_pid=$!
		while kill -0 "$step_pid" 2>/dev/null; do
			sleep 0.2
			beat=$((beat + 1))
			if [ $((beat % 100)) = 0 ]; then
				say "    … $what: $((SECONDS - start)) s"
			fi
		done
		wait "$step_pid" || status=$?
		step_pid=
	fi
	if [ "$status" != 0 ]; then
		if [ -n "${log:-}" ]; then
			# make -k goes on after an error, so its message is far above.
			say "--- errors in $log, and its last lines"
			# shellcheck disable=SC2034 # used by the scripts that source this file
			step_said=$(grep -E -m 20 'error:|undefined reference|^  FAIL' "$log" ||
				grep -F -m 4 '***' "$log" || true)
			[ -z "$step_said" ] || say "$step_said"
			tail -n 40 "$log" >&2
			say "---"
		fi
		say "error: $what failed after $((SECONDS - start)) s (status $status)"
		return "$status"
	fi
	[ -z "${log:-}" ] || rm -f "$log"
	say "    $what: done in $((SECONDS - start)) s"
}

# lock NAME: hold an exclusive lock until this shell ends; after a while, say what it is waiting
# for. The descriptor is inherited on purpose: a child that outlives the shell still holds it.
lock()
{
	local file=$cache/lock/$1 fd
	mkdir -p "$cache/lock"
	exec {fd}>"$file"
	if ! flock -w 5 "$fd"; then
		say "    waiting for another run that holds $file"
		flock "$fd"
	fi
}

# record WORD...: with RECORD=1, record a measurement or a test in the tree; see record.py.
record()
{
	[ "${RECORD:-}" = 1 ] || return 0
	RECORD_SECONDS=$((SECONDS - ${began:-SECONDS})) "$root/vm/record.py" "$@"
}

# The rooms of the allocator below lib/, from the lowest up.
lib_rooms() { sed -n 's/^lib-rooms := //p' "$root/lib/rooms.mk"; }

hash_of() { cat "$@" | sha256sum | cut -c1-16; }
