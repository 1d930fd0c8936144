#!/bin/sh
# Words: help at every level, wrong words, options, values, exit codes.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

objects="info stat top record report explain check map whatis owners page cache heap pool ring arena client contract drain reserve node validate stress bench snapshot diff result schema buildinfo doctor"

begin "help lists every object"
tool help
exits 0
empty err
for object in $objects; do
	line out "  $object +.*"
done
cp "$out" "$tmp/first"
for words in --help -h; do
	tool $words
	exits 0
	cmp -s "$out" "$tmp/first" || fail "$words prints something else than help"
done

begin "help at every object and verb"
for words in info top record report "stat show" "stat watch" "stat explain" explain check map whatis \
	owners snapshot diff "page alloc" "page fill" "page test" \
	"cache list" "cache show" "cache create" "cache shrink" "heap list" "heap show" "heap test" \
	"arena list" "arena show" "arena test" "ring list" "ring show" "ring read" "ring follow" "ring map" \
	"ring test" drain validate \
	"stress run" "stress kinds" "bench list" "bench run" "bench show" "bench compare" \
	"result diff" buildinfo doctor; do
	# shellcheck disable=SC2086
	tool $words help
	exits 0
	has out "Usage: myallocctl $words"
	has out "--json"
	cp "$out" "$tmp/first"
	# shellcheck disable=SC2086
	tool $words --help
	exits 0
	cmp -s "$out" "$tmp/first" || fail "'$words --help' prints something else"
	# shellcheck disable=SC2086
	tool help $words
	exits 0
	cmp -s "$out" "$tmp/first" || fail "'help $words' prints something else"
	called OPEN 0
done
for object in stat page cache heap arena ring stress bench result; do
	tool $object help
	exits 0
	has out "Usage: myallocctl [OPTIONS] $object COMMAND"
done

# of OBJECT VERB OPTION MEMBER VALUE: what the help on stdout, of all objects, says of an option
of()
{
	got=$(/usr/bin/python3 - "$out" "$@" <<'END'
import json, sys
path, obj, verb, option, member = sys.argv[1:6]
def named(items, name):
    return next(i for i in items if i["name"] == name)
help = json.load(open(path))["result"]
print(json.dumps(named(named(named(help["objects"], obj)["commands"], verb)["options"], option)[member]))
END
)
	[ "$got" = "$5" ] || fail "'$command': $4 of --$3 of '$1 $2' is $got, not $5"
}

begin "help as JSON has what help as text has"
tool -j help
exits 0
empty err
documents 1
json /kind help
json /ok true
cp "$out" "$tmp/all"
if command -v /usr/bin/python3 >/dev/null; then
	/usr/bin/python3 -c '
import json, sys
help = json.load(open(sys.argv[1]))["result"]
for o in help["objects"]:
    for c in o["commands"]:
        print(o["name"], c["name"] or "-", *[x["name"] for x in c["options"] + help["options"]])
' "$out" >"$tmp/commands"
	[ "$(cut -d' ' -f1 "$tmp/commands" | uniq | tr '\n' ' ')" = "$objects " ] ||
		fail "its objects are $(cut -d' ' -f1 "$tmp/commands" | uniq | tr '\n' ' ')"
	while read -r object verb options; do
		[ "$verb" != - ] || verb=""
		# shellcheck disable=SC2086
		tool $object $verb help
		got=$(sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p' "$out" | tr '\n' ' ')
		[ "$got" = "$options " ] || fail "'$object $verb': $options in the JSON, $got in the text"
	done <"$tmp/commands"
	tool -j help
	of stress run ops type '"number"'
	of stress run ops minimum 1
	of stress run ops maximum 18446744073709551615
	of stress run time unit '"ms"'
	of stress run fill type '"share"'
	of stress run fill default '"50%"'
	of stress run cpus maximum null
else
	skip_test "python3 is not installed"
fi

begin "help as JSON at a level has that level only"
for words in "-j stat help" "stat help -j" "stat -j help" "help -j stat" "help stat -j"; do
	# shellcheck disable=SC2086
	tool $words
	exits 0
	documents 1
	json /kind help
	json /result/objects/0/name stat
	json /result/objects/0/commands/1/name watch
	json /result/objects/0/default show
	json /result/options/0/name json
	json /result/objects/1 "nothing ()"
done
for words in "-j stress run help" "stress run help -j" "help stress run -j" "-j stress run --help"; do
	# shellcheck disable=SC2086
	tool $words
	exits 0
	documents 1
	json /kind help
	json /result/objects/0/commands/0/name run
	json /result/objects/0/commands/1 "nothing ()"
done

begin "version"
for words in --version -V "stat --version" "stress run -V"; do
	# shellcheck disable=SC2086
	tool $words
	exits 0
	line out "myallocctl [0-9.]+ \(JSON schema 2, .*\)"
done

begin "no word at all"
tool
exits 2
empty out
has err "missing object"
for object in page stress bench result; do
	tool $object
	exits 2
	has err "missing command"
done

begin "a wrong object"
tool strss run
exits 2
empty out
has err "unknown object 'strss'; did you mean 'stress'?"
line err "expected one of: $objects help"
tool xyzzy
exits 2
has err "unknown object 'xyzzy'"
has_not err "did you mean"

begin "a wrong command"
tool stat shw
exits 2
has err "unknown stat command 'shw'; did you mean 'show'?"
has err "expected one of: show watch explain help"
tool cache lst
has err "did you mean 'list'?"
tool help stat shw
exits 2

begin "a wrong option"
tool stress run --treads 2
exits 2
has err "unknown option '--treads'; did you mean '--threads'?"
has err "expected one of: --kind --seed"
tool stress run -X
exits 2
has err "unknown option '-X'"
tool stat --count 2 show
exits 2
tool --nothing
exits 2

begin "options with and without values"
tool stress run --ops
exits 2
has err "--ops needs a value"
tool page alloc --zero=yes
exits 2
has err "--zero takes no value"
tool page alloc -n
exits 2
has err "--count needs a value"

begin "too many words"
for words in "info now" "stat show all" "drain pages objects" "validate it" \
	"page alloc 5" "cache show a b" "map all" "whatis 0x2 0x3" "explain splits merges" "owners all" "snapshot now" "diff a b c" "stress run pages objects" "doctor who"; do
	# shellcheck disable=SC2086
	tool $words
	exits 2
	has err "unexpected argument"
	called OPEN 0
done

begin "too few words"
tool cache show
exits 2
has err "missing name or number"
tool whatis
exits 2
has err "missing place: a page as reports name it"
tool result diff a.json
exits 2
has err "missing files"

begin "wrong values name what is right"
while read -r words; do
	# shellcheck disable=SC2086
	tool $words
	exits 2
	empty out
	called OPEN 0
done <<END
page alloc --order x
page alloc --order -1
page alloc --count 0
page alloc --count 9999999999
page alloc --exact 0
page alloc --exact 3 --order 2
page alloc --hold soon
page fill --fill 0%
page fill --fill 101%
page test --rounds 0
cache create --size 0
cache create --size 64K
cache create --align 3
cache create --checks Q
cache create bad/name
cache create this-name-is-longer-than-a-name-can-be
cache create --magazine 4 --no-magazine
cache create --certain --trusting
stat watch -i 0
stat watch -n 0
drain everything
stress run nothing
stress run --threads 0
stress run --threads 257
stress run --kind cross --threads 3
stress run --cpus 3-1
stress run --cpus 256
stress run --time 0
stress run --ops 0
stress run --fill 0
stress run --orders 15:1
stress run --orders 0:0
stress run --orders 1:
stress run --sizes 0:1
stress run --sizes 32769:1
stress run --sizes 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
stress run --checks X
stress run --seed -5
END
tool page alloc --count 0
has err "must be from 1 to"
tool stress run --orders 15:1
has err "must be from 0 to 14"

begin "words that people try are explained"
for words in "page free" "cache alloc" "cache free" "cache destroy" "stat diff"; do
	# shellcheck disable=SC2086
	tool $words
	exits 2
	has err "unknown command '$words':"
	called OPEN 0
done

begin "the common options are taken at any place"
for words in "-j stat show" "stat -j show" "stat show -j" "stat --json" \
	"--json stat" "stat show --json"; do
	# shellcheck disable=SC2086
	tool $words
	exits 0
	documents 1
	json /kind "stat show"
done
tool -j stat help
exits 0

begin "an error is JSON too, and alone on stdout"
script "fail OPEN 1 ENOENT"
tool -j info
exits 3
documents 1
json /kind error
json /ok false
json /exit 3
has err "load the module"
tool -j stress run --ops 0
exits 2
documents 1
json /exit 2
tool -j stat shw
exits 2
documents 1

begin "a result that cannot be written is an error"
# to FILE WORD...: the result goes there
to()
{
	: >"$log"
	file=$1
	shift
	command="$* >$file"
	"$MYALLOCCTL" "$@" >"$file" 2>"$err" </dev/null
	rc=$?
}
if [ -w /dev/full ]; then
	for words in help --version "help stress run" "page test --help" "stat help" info \
		stat "stat watch -n 3 -i 1ms" map "whatis page:0" "explain splits" "check splits<9" snapshot "page alloc -n 5000 --handles" \
		"page fill --hold 1ms" "page test" cache "cache show requests" \
		"cache create -n 10" "cache shrink" heap "heap show web" "heap test" \
		\
		arena "arena show frame-0" "arena test" drain validate "stress run --ops 5" \
		"stress kinds" "bench list" "bench run --rounds 1" doctor; do
		for how in "" -j; do
			script "set pages 65536"
			# shellcheck disable=SC2086
			to /dev/full $how $words
			exits 1
			line err "myallocctl: error: cannot write to standard output: No space left on device"
			[ "$(grep -c 'cannot write' "$err")" = 1 ] || fail "'$command': said more than once"
			[ ! -s "$log" ] || logged "CLOSE held=0"
		done
	done
	# An error of the work itself comes first.
	script "set errors 1"
	to /dev/full validate
	exits 1
	script "fail OPEN 1 ENOENT"
	to /dev/full -j info
	exits 3
	line err "myallocctl: error: cannot write to standard output: No space left on device"
	# A series ends at the first line that is lost.
	script
	to /dev/full stat watch -i 1ms
	exits 1
	called STAT 2
	tool -o /dev/full stat
	exits 1
	has err "cannot write the result to '/dev/full': No space left on device"
fi

begin "a result that nobody reads is an error, not a death"
mkfifo "$tmp/pipe"
for words in help stat "stat watch -i 1ms" "page test -j" "stress run --ops 5"; do
	: >"$log"
	command="$words >pipe"
	# The only reader is gone before the result comes.
	exec 3<>"$tmp/pipe" 4>"$tmp/pipe"
	exec 3>&-
	# shellcheck disable=SC2086
	"$MYALLOCCTL" $words 2>"$err" >&4 4>&- </dev/null
	rc=$?
	exec 4>&-
	exits 1
	line err "myallocctl: error: cannot write to standard output: Broken pipe"
	[ ! -s "$log" ] || logged "CLOSE held=0"
done

begin "a result without a place to go is an error, and never goes to the device"
for words in help stat "page test -j"; do
	: >"$log"
	command="$words >&-"
	# shellcheck disable=SC2086
	"$MYALLOCCTL" $words 2>"$err" >&- </dev/null
	rc=$?
	exits 1
	line err "myallocctl: error: cannot write to standard output: Bad file descriptor"
done
tool -o /nonexistent/file stat
exits 1
has err "cannot write the result to '/nonexistent/file'"
called OPEN 0

finish
