# Words for the shell tests of the tool: run it and check what it printed.
# shellcheck shell=sh
#
#	begin NAME		a test begins; the one before ends
#	tool WORD...		run the tool against the fake device; $rc is its status, the files
#				$out and $err have what it printed
#	script LINE...		what the fake device does: see fake_dev.c
#	fail WHY		this test has failed
#	skip_test WHY		this test cannot be run here
#	valid SCHEMA FILE...	JSON documents hold to a schema
#	finish			checks all that --json printed against its schema, ends the last test
#				and prints the plan; the status is the verdict
#
# A test fails if any of its expectations does not hold; the others are checked nevertheless.

# shellcheck source=../../vm/guest/ktap.sh
. "$(dirname "$0")/../../vm/guest/ktap.sh"

build=${1:?"usage: $0 BUILD_DIRECTORY"}
MYALLOCCTL=$build/check/myallocctl
JSONQ=$build/check/jsonq
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
out=$tmp/out err=$tmp/err log=$tmp/log
export FAKE_DEV="$tmp/script" FAKE_LOG="$log" NO_COLOR=1
# All columns of every table, unless a test is about their number.
export COLUMNS=1000
unset FAKE_ROOT FAKE_EUID FAKE_HV
: >"$FAKE_DEV"
test_name="" test_why="" test_skip="" nr_json=0
mkdir "$tmp/json"

end_test()
{
	if [ -z "$test_name" ]; then
		return
	elif [ -n "$test_why" ]; then
		not_ok "$test_name" "$test_why"
	elif [ -n "$test_skip" ]; then
		skip "$test_name" "$test_skip"
	else
		ok "$test_name"
	fi
}

begin()
{
	end_test
	test_name=$1 test_why="" test_skip=""
	: >"$FAKE_DEV"
	unset FAKE_ROOT FAKE_EUID FAKE_HV
}

# The last lines of what it says, if the documents do not.
valid()
{
	wrong=$(/usr/bin/python3 "$(dirname "$0")/valid.py" "$@" 2>&1) ||
		fail "$(printf '%s\n' "$wrong" | tail -20)"
}

finish()
{
	if [ $nr_json -gt 0 ]; then
		begin "all that --json printed is as its schema says"
		if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
			"$MYALLOCCTL" schema >"$tmp/schema"
			valid "$tmp/schema" "$tmp"/json/*
		else
			skip_test "python3-jsonschema is not installed"
		fi
	fi
	end_test
	ktap_end
}

fail()
{
	test_why="$test_why${test_why:+
}$*"
}

skip_test()
{
	test_skip=$*
}

script()
{
	printf '%s\n' "$@" >"$FAKE_DEV"
}

tool()
{
	rm -f "$log"
	: >"$log"
	command="$*"
	"$MYALLOCCTL" "$@" >"$out" 2>"$err" </dev/null
	rc=$?
	case " $command " in
	*" -j"*|*" -p"*|*" --json "*|*" --pretty "*)
		nr_json=$((nr_json + 1))
		cp "$out" "$tmp/json/$nr_json" ;;
	esac
	if grep -q 'Sanitizer\|runtime error' "$err"; then
		fail "sanitizer in '$command': $(grep -m1 'ERROR\|runtime error' "$err")"
	fi
}

exits()
{
	[ "$rc" = "$1" ] || fail "'$command' exits $rc, not $1: $(head -3 "$err" | tr '\n' ' ')"
}

# has out|err TEXT: the text is there, as it stands
has()
{
	grep -qF -e "$2" "$tmp/$1" || fail "'$command': no '$2' in std$1: $(head -5 "$tmp/$1" | tr '\n' '|')"
}

has_not()
{
	! grep -qF -e "$2" "$tmp/$1" || fail "'$command': '$2' is in std$1"
}

# line out|err PATTERN: a whole line matches the extended pattern
line()
{
	grep -qE -e "^$2\$" "$tmp/$1" || fail "'$command': no line '$2' in std$1: $(head -20 "$tmp/$1" | tr '\n' '|')"
}

empty()
{
	[ ! -s "$tmp/$1" ] || fail "'$command': std$1 is not empty: $(head -2 "$tmp/$1" | tr '\n' '|')"
}

# documents N: stdout is N JSON documents and nothing else
documents()
{
	got=$("$JSONQ" "$out" 2>&1)
	[ "$got" = "$1" ] || fail "'$command': $got JSON documents, not $1"
}

# json POINTER VALUE, in what is on stdout
json()
{
	got=$("$JSONQ" "$out" "$1" 2>&1) || got="nothing ($got)"
	[ "$got" = "$2" ] || fail "'$command': $1 is $got, not $2"
}

# called CALL N: how often the device was asked for it
called()
{
	got=$(grep -c "^$1\( \|\$\)" "$log")
	[ "$got" = "$2" ] || fail "'$command': $1 was called $got times, not $2"
}

logged()
{
	grep -qF -e "$1" "$log" || fail "'$command': the device did not see '$1' but $(tr '\n' '|' <"$log")"
}
