#!/bin/sh
# schema: each command has one, and what it prints is as it says. Every other test checks that of
# all that it has printed; this one has each command print something.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# words MEMBER FILE: the strings of a list in a file of JSON, a line each
words()
{
	"$JSONQ" "$2" "$1" | tr -d '[]" ' | tr ',' '\n' | sort
}

begin "every command has a schema"
tool -j help
/usr/bin/python3 -c '
import json, sys
for o in json.load(open(sys.argv[1]))["result"]["objects"]:
    for c in o["commands"]:
        print((o["name"] + " " + c["name"]).strip())
' "$out" | tr -d ' ' | sort >"$tmp/commands"
tool schema
exits 0
empty err
called OPEN 0
documents 1
json /\$schema https://json-schema.org/draft/2020-12/schema
cp "$out" "$tmp/all"
words /properties/kind/enum "$tmp/all" | grep -vx 'help\|error' >"$tmp/kinds"
[ "$(wc -l <"$tmp/kinds")" -ge 50 ] || fail "only $(wc -l <"$tmp/kinds") kinds"
cmp -s "$tmp/commands" "$tmp/kinds" || fail "$(diff "$tmp/commands" "$tmp/kinds" | tr '\n' ' ')"

begin "of one object, of one command, and what is neither"
tool schema validate
json /properties/kind/enum '[ "validate", "help", "error" ]'
json /title "myallocctl --json validate"
tool schema stat
json /properties/kind/enum '[ "stat show", "stat watch", "stat explain", "help", "error" ]'
tool schema stat show
json /properties/kind/enum '[ "stat show", "help", "error" ]'
json /\$defs/stat-show/properties/zone/properties/free_pages/description \
	"pages in free blocks of the buddy; pages"
json /\$defs/stat-show/properties/zone/additionalProperties false
tool -j schema stat show
json /result/schema/title "myallocctl --json stat show"
while IFS='|' read -r asked text; do
	# shellcheck disable=SC2086
	tool schema $asked
	exits 2
	has err "$text"
done <<END
sched|unknown object 'sched'
stat shw|unknown stat command 'shw'; did you mean 'show'?
validate x|'validate' is a command itself
cache free|unknown command 'cache free': a cache is destroyed by
stat show x|unexpected argument 'x'
END

begin "a document that is not as it says is told"
tool -j validate
cp "$out" "$tmp/good"
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
	valid "$tmp/all" "$tmp/good"
	while IFS='|' read -r from to text; do
		sed "s/$from/$to/" "$tmp/good" >"$tmp/bad"
		! cmp -s "$tmp/good" "$tmp/bad" || fail "no $from in it"
		wrong=$(/usr/bin/python3 "$(dirname "$0")/valid.py" "$tmp/all" "$tmp/bad") &&
			fail "$to for $from is not seen"
		case $wrong in
		*"$text"*) ;;
		*) fail "$to for $from: $wrong" ;;
		esac
	done <<-END
	"frames":[0-9]*,||'frames' is a required property
	"frames"|"pages"|'pages' was unexpected
	"frames":[0-9]*|"frames":"7"|'7' is not of type 'integer'
	"frames":[0-9]*|"frames":-7|-7 is less than the minimum
	"sound"|"fair"|'fair' is not valid under any
	"first":null|"first":7|7 is not of type 'string', 'null'
	"ok":true,||'ok' is a required property
	"time"|"date"|'date' was unexpected
	"kernel":|"core":|'kernel' is a required property
	"kind":"validate"|"kind":"valid"|'valid' is not one of
	"time":|"seed":7,"time":|False schema does not allow 7
	END
else
	skip_test "python3-jsonschema is not installed"
fi

begin "every command prints what its schema says"
mkdir "$tmp/root"
export FAKE_ROOT="$tmp/root"
mkdir -p "$FAKE_ROOT/sys/kernel/debug/myalloc"
printf '%s\n' "owners - version: 1.0" "web  20  320  -  serve+0x10/0x20 [web]" \
	>"$FAKE_ROOT/sys/kernel/debug/myalloc/owners"
while read -r asked; do
	# shellcheck disable=SC2086
	tool -j $asked
	case $asked in
	buildinfo|doctor) ;;	# of this machine
	*) exits 0 ;;
	esac
done <<END
info
stat
stat watch -n 1 -i 1ms
stat explain
top --once -i 10ms
-o $tmp/record record -i 10ms --for 1s
-o $tmp/report.html report $tmp/record
explain splits
check bad_frees==0
map
map --range 5-6
map --range 0-20
node list
whatis page:8.3
whatis page:5
owners
page alloc
page alloc -n 3 --handles
page fill --hold 0s
page test
page map
page walk --size 4M -n 1000
cache list
cache show 1
cache create
cache shrink
heap list
heap show web
heap test
pool list
pool show urgent
pool test
ring list
ring show packets
ring read packets --keep
ring follow packets -n 1
ring map -n 10
ring test
arena list
arena show frame-0
arena test
client list
client show frob
client leaks
contract plan pages:16@0,3
contract create mine pages:16@0
contract list
contract show frob
contract end frob
contract test
drain
reserve
reserve grow 8M
reserve shrink 8M
validate
stress run --ops 1
stress kinds
bench list
-o $tmp/bench bench run --sides
bench show $tmp/bench
bench compare $tmp/bench $tmp/bench
-o $tmp/snapshot snapshot
diff $tmp/snapshot $tmp/snapshot
diff $tmp/bench $tmp/bench
result diff $tmp/snapshot $tmp/snapshot
schema validate
buildinfo
doctor
END
script "set gone 1"
tool -j client release frob
exits 0
cat "$tmp"/json/* | sed 's/"kind":/\n&/g' | sed -n 's/^"kind":"\([a-z ]*\)","ok".*/\1/p' |
	tr -d ' ' | sort -u | grep -vx 'help\|error' >"$tmp/seen"
cmp -s "$tmp/kinds" "$tmp/seen" || fail "$(diff "$tmp/kinds" "$tmp/seen" | tr '\n' ' ')"

finish
