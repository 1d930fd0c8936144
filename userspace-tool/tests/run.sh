#!/bin/sh
# Run every test that needs no device; keep the KTAP of each; say which failed.
# Usage: run.sh BUILD_DIRECTORY KTAP_DIRECTORY

build=${1:?} ktap=${2:?}
here=$(dirname "$0")
mkdir -p "$ktap" || exit 1
bad=0

# sound FILE: it is KTAP, with as many results as its plan, which may be the first or the last
# line; a program that died in the middle has no plan or fewer results.
sound()
{
	awk '
	NR == 1 { good = ($0 == "KTAP version 1") }
	/^1\.\.[0-9]+$/ { plans++; plan = substr($0, 4) + 0 }
	/^(not )?ok [0-9]+ / { nr++; n = $1 == "ok" ? $2 : $3; good = good && n == nr }
	/^not ok / { good = 0 }
	END { exit !(good && plans == 1 && plan > 0 && nr == plan) }' "$1"
}

run()
{
	file=$ktap/tool-$1.ktap
	shift
	# A hang-up may be ignored here, as by nohup; the tests send it.
	env --default-signal=HUP "$@" >"$file"
	echo $? >"$file.rc"
}

report()
{
	file=$ktap/tool-$1.ktap
	rc=$(cat "$file.rc")
	rm -f "$file.rc"
	if [ "$rc" = 0 ] && sound "$file"; then
		echo "ok: $(basename "$file" .ktap), $(grep -c '^ok ' "$file") tests"
		return
	fi
	bad=$((bad + 1))
	echo "FAILED: $(basename "$file" .ktap), exit $rc; $file says"
	grep -B8 '^not ok' "$file" | grep '^#\|^not ok'
}

tests="schema rooms width top report prom stats man parse words device look check diff stress bench doctor real"
for test in $tests; do
	case $test in
	parse) run parse "$build/check/parse_test" & ;;
	*) run "$test" sh "$here/${test}_test.sh" "$build" & ;;
	esac
done
wait
for test in $tests; do
	report "$test"
done
[ $bad = 0 ]
