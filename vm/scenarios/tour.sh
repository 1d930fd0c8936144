# The commands of README's section "A tour", as printed: each must succeed, and where README shows
# its output, print the same up to numbers.
# needs: file=README.md timeout=600
. /guest/ktap.sh
. /guest/memory.sh

# The tour is for common page sizes: 64 MiB are few pages of 64 KiB.
if [ "$PAGE_KB" != 4 ]; then
	skip "README has a tour of some commands" "it is for pages of 4 KiB"
	finish
fi
mkdir /tmp/tour
cd /tmp/tour || exit 1
ln -s /guest/modules/*.ko .

# The indented lines of the section, with a tab between command and description; a line "> OUTPUT"
# with the joined output follows a command whose output is shown.
awk '
function flush() { if (output != "") print "> " output; output = "" }
/^#/ { here = $0 == "## A tour"; next }
!here { next }
!/^    / { flush(); console = 0; next }
{ line = substr($0, 5) }
line ~ /^# / { flush(); console = 1; print substr(line, 3); next }
console { output = output (output == "" ? "" : " ") line; next }
{ sub(/   *[^ ].*/, "\t&", line); print line }
END { flush() }' /guest/README.md >/tmp/printed

# shorter COMMAND: print options for a command that would wait for a person or work for minutes
shorter()
{
	case $1 in
	"myallocctl top")	echo --once ;;
	"myallocctl stat watch"|"myallocctl ring follow "*)	echo --count 2 ;;
	*" record")		echo -i 200ms --for 2s ;;
	"myallocctl bench run")	echo "--rounds 1 --ops 50 'object/64/*'" ;;
	esac
}

# as_printed TEXT: the last command has printed this text: numbers may differ, and "..." is anything
as_printed()
{
	grep -qE "$(echo "$1" | sed 's/[]()*+?|[]/\\&/g; s/\.\.\./@/g; s/[0-9][0-9]*/[0-9]+/g
		s/  */ +/g; s/@/.*/g')" /tmp/output
}

nr=0
# run COMMAND [OPTION]...: run it, with its output in /tmp/output
run()
{
	command=$1
	nr=$((nr + 1))
	expect "$command" timeout 300 sh -c "$*"
	# shellcheck disable=SC2154 # of ktap.sh
	cp "$ktap_output" /tmp/output
}

while IFS='	' read -r line about; do
	case $line in
	'> '*)
		note "$(cat /tmp/output)"
		expect "prints the like: $command" as_printed "${line#> }"
		continue ;;
	esac
	# The description names a module that the command needs, or another command.
	case $about in
	*"(with "*)
		about=${about#*(with }
		run "insmod ${about%)*}" ;;
	esac
	run "$line" "$(shorter "$line")"
	case $about in
	*"'myallocctl "*)
		about=${about#*\'}
		run "${about%\'*}" ;;
	esac
done </tmp/printed
expect "README has a tour of some commands" test "$nr" -ge 18

expect "the drivers unload" rmmod myalloc_example myalloc_packets myalloc_bench
expect "the module unloads" rmmod myalloc
finish
