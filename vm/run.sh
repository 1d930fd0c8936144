#!/bin/bash
# Boot a kernel, run a script in it, and copy out the verdict and the files.
# Usage: vm/run.sh [OPTION]... SCRIPT
#   --kernel NAME      one of kernels.conf (6.12)
#   --out DIR          where the results go (in the cache, by kernel and script)
#   --cpus N           (2)
#   --mem SIZE         (1G)
#   --numa N           nodes that share CPUs and memory (1); or what each of them has,
#                      PARTS@CPUS/...: parts of the memory and a list of CPUs, such as
#                      2@0,1/1@/0@2. These lie in a row, each step 10 further
#   --timeout SECONDS  until the guest is given up (600)
#   --accel HOW        auto, kvm, tcg, or icount: one CPU whose clock counts
#                      instructions (auto)
#   --append WORDS     more for the kernel's command line
#   --add FILE:PATH    one more file for the guest
#   --show             print the script's output as it comes
#   --shell            a prompt on the console instead of a verdict; SHELL_LINK is where
#                      vm/console.sh finds its second terminal
#   --variant NAME     of the modules, see vm/module.sh
#   --bare             without the project's modules and tool
# A script can state its own needs in comment lines; an option given here wins:
#   # needs: cpus=4 mem=2G timeout=600 variant=faults
#   # needs: nmi=1     where there is QEMU: it may ask for NMIs, and finds GUEST_NMI=1
#   # needs: expected=512   taint flags that the script provokes
#   # needs: append=WORD     for the kernel's command line
#   # needs: file=PATH       of the repository, as /guest/NAME
#   # needs: program=NAME    of the Debian package of that name; not in guests of another
#                            architecture than the host's
#   # only: REASON     not run by 'make test', but by the leg of matrix.conf that names it
#   # allow: REGEX     a kernel message that the script provokes
#
# BOOT_MOST=SECONDS (240): an emulated machine that has not come to its script by then boots again.
#
# Exit status 0: the script ran to its end with status 0 and the kernel's log has no
# findings. OUT: stdout, stderr, console, files/, verdict.ktap.

# shellcheck source=vm/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

kernel=6.12 out='' accel=${ACCEL:-auto} append=${APPEND:-} nmi=0 show=0 shell=0
bare=0 expected=0 variant='' programs=() adds=() cpus=2 mem=1G numa=1 timeout=600 script=''

# The script's needs come before the options, so that options override them.
script=${!#}
[ -f "$script" ] || die "vm/run.sh: no script '$script'; see the head of vm/run.sh"
needs()
{
	local word
	while read -r word; do
		case $word in
		cpus=*|mem=*|numa=*|timeout=*|variant=*|nmi=*|expected=*)	declare -g "$word" ;;
		append=*)	append+=" ${word#append=}" ;;
		file=*)		adds+=("$root/${word#*=}:guest/$(basename "${word#*=}")") ;;
		program=*)	programs+=("${word#program=}") ;;
		*)	die "$script: unknown need '$word'" ;;
		esac
	done < <(sed -n 's/^# needs: *//p' "$script" | xargs -rn 1)
}
needs
[ -z "${CPUS:-}" ] || cpus=$CPUS
[ -z "${MEM:-}" ] || mem=$MEM
[ -z "${NUMA:-}" ] || numa=$NUMA
[ -z "${TIMEOUT:-}" ] || timeout=$TIMEOUT

while [ $# -gt 1 ]; do
	case $1 in
	--show)		show=1; shift; continue ;;
	--shell)	shell=1; shift; continue ;;
	--bare)		bare=1; shift; continue ;;
	--add)		adds+=("$2") ;;
	--append)	append+=" $2" ;;
	--kernel|--out|--cpus|--mem|--numa|--timeout|--accel|--variant)
			declare "${1#--}=$2" ;;
	*)		die "vm/run.sh: unknown option '$1'; see the head of vm/run.sh" ;;
	esac
	shift 2
done

"$root/vm/setup.sh" guest
[ $shell = 0 ] || "$root/vm/setup.sh" shell
tree=$("$root/vm/kernel.sh" "$kernel")
arch=$(cat "$tree/arch")
use_arch "$arch"
mkdir -p "$products"
: "${out:=$products/out/$kernel/$(basename "$script" .sh)}"
rm -rf "$out"
mkdir -p "$out/files"
out=$(cd "$out" && pwd -P)

if [ $bare = 0 ]; then
	modules=$("$root/vm/module.sh" "$kernel" "$variant")
	for module in "$modules"/*.ko; do
		adds+=("$module:guest/modules/$(basename "$module")")
	done
	tool=$products/tool$(foreign_name)
	for program in "$tool"/myallocctl "$tool"/guest/*; do
		if [ -f "$program" ] && [ -x "$program" ]; then
			adds+=("$program:guest/bin/$(basename "$program")")
		fi
	done
fi
# A program and the libraries that it is linked with.
[ -z "$arch_cross" ] || programs=()
for program in "${programs[@]}"; do
	"$root/vm/setup.sh" "$program"
	adds+=("$(command -v "$program"):guest/bin/$program")
	for library in $(ldd "$(command -v "$program")" | grep -o '/[^ ]*'); do
		adds+=("$library:${library#/}")
	done
done
if [ $shell = 1 ]; then
	bash=/bin/bash-static
	if [ -n "$arch_cross" ]; then
		bash=$(get_foreign bash bash-static)
		bash=$(find "$bash" -name bash-static -type f)
	fi
	adds+=("$bash:guest/bin/bash")
	[ ! -e "$products/tool/myallocctl.bash" ] ||
		adds+=("$products/tool/myallocctl.bash:guest/myallocctl.bash")
fi
"$root/vm/initramfs.sh" "$arch" "$out/initramfs" "$script" "${adds[@]}"
control='' following=()
trap 'rm -rf "$out/initramfs" "$out/channel" ${control:+"$control"}' EXIT

# --- the command that runs the machine

words="panic=-1 oops=panic panic_on_warn=1 log_buf_len=4M kunit.enable=1 kunit.autorun=1"
# The detectors count seconds of real time, and an emulated CPU on a busy host runs slowly.
words+=" sysctl.kernel.hung_task_timeout_secs=60 watchdog_thresh=60"
words+=" rcupdate.rcu_cpu_stall_timeout=60"
if [ $shell = 1 ]; then
	# The second terminal, for vm/console.py: a socket, whose path must be short.
	control=$(mktemp -d)
	ln -sfn "$control" "${SHELL_LINK:-$products/shell}"
	words+=" GUEST_SHELL=1 quiet TERM=${TERM:-linux}"
	if read -r rows columns < <(stty size 2>/dev/null) && [ "${rows:-0}" -gt 0 ]; then
		words+=" GUEST_ROWS=$rows GUEST_COLUMNS=$columns"
	fi
	[ "$arch" = um ] || words+=" GUEST_SECOND_TTY=$arch_channel"
else
	words+=" loglevel=6"
fi

# add_nodes: translate --numa to options of the emulator
add_nodes()
{
	local layout=$numa part nodes node other sum=0 cpu list
	if [[ $layout != *@* ]]; then
		layout=
		for ((node = 0; node < numa; node++)); do
			layout+=1@$(seq -s, "$node" "$numa" $((cpus - 1)))/
		done
	fi
	IFS=/ read -ra nodes <<<"$layout"
	for node in "${nodes[@]}"; do
		sum=$((sum + ${node%@*}))
	done
	part=$(($(numfmt --from=iec "$mem") / sum))
	for node in "${!nodes[@]}"; do
		if [ "${nodes[node]%@*}" = 0 ]; then
			machine+=(-numa "node,nodeid=$node")
		else
			machine+=(-object
				"memory-backend-ram,id=m$node,size=$((part * ${nodes[node]%@*}))"
				-numa "node,nodeid=$node,memdev=m$node")
		fi
		IFS=, read -ra list <<<"${nodes[node]#*@}"
		for cpu in "${list[@]}"; do
			machine+=(-numa "cpu,node-id=$node,socket-id=$cpu")
		done
		[[ $numa = *@* ]] || continue
		for ((other = 0; other < node; other++)); do
			machine+=(-numa "dist,src=$other,dst=$node,val=$((10 + 10 * (node - other)))")
		done
	done
	machine+=(-smp "$cpus,sockets=$cpus")
}

if [ "$arch" = um ]; then
	# The second serial line is file descriptor 3, inherited.
	machine=("$tree/image" "mem=$mem" "ncpus=$cpus" seccomp=on
		 "initrd=$out/initramfs" root=/dev/ram0 rdinit=/init
		 con=null "con0=fd:0,fd:1" ssl=null "ssl0=null,fd:3"
		 GUEST_CHANNEL=/dev/ttyS0 GUEST_POWEROFF=1)
	# shellcheck disable=SC2206 # words
	machine+=($words $append)
	accel=um
else
	[ "$arch_nmi" = 1 ] || nmi=0
	[ "$nmi" = 0 ] || words+=" GUEST_NMI=1"
	if [ -n "$arch_cross" ]; then
		case $accel in
		auto|tcg) accel=tcg ;;
		*)	die "vm/run.sh: '$accel' cannot run a guest of $arch here; it is emulated" ;;
		esac
	fi
	[ "$accel" != auto ] || accel=$("$root/vm/accel.sh" "$tree/image")
	case $accel in
	kvm)	how=(-accel kvm -cpu host) ;;
	# In QEMU 7.2 cmpxchg16b leaves garbage in the flags (it computes them from a stale cc_op); if an
	# interrupt saves them at that moment, the guest dies of a double fault.
	tcg)	how=(-accel "tcg,thread=multi" -cpu "$arch_cpu") ;;
	icount)	how=(-accel tcg -cpu max -icount "shift=0,sleep=off") cpus=1 ;;
	*)	die "vm/run.sh: --accel is auto, kvm, tcg or icount, not '$accel'" ;;
	esac
	# shellcheck disable=SC2206 # words
	machine=("$arch_qemu" $arch_machine "${how[@]}" -smp "$cpus" -m "$mem"
		 -nodefaults -display none -no-reboot
		 -kernel "$tree/image" -initrd "$out/initramfs"
		 -append "console=$arch_console GUEST_CHANNEL=$arch_channel $arch_words $words $append")
	[ "$numa" = 1 ] || add_nodes
	if [ "$nmi" = 1 ]; then
		# A socket's path must be short.
		control=$(mktemp -d)
		machine+=(-qmp "unix:$control/qmp,server=on,wait=off")
		following+=(--qmp "$control/qmp")
	fi
	if [ $shell = 1 ]; then
		machine+=(-serial mon:stdio
			  -chardev "socket,id=channel,path=$control/terminal,server=on,wait=off")
	else
		machine+=(-serial "file:$out/console" -chardev "file,id=channel,path=$out/channel")
	fi
	# shellcheck disable=SC2206 # words
	machine+=($arch_line)
fi

if [ $shell = 1 ]; then
	trap 'rm -rf "$out/initramfs" "$out/channel" ${control:+"$control"}; stty sane 2>/dev/null || :' EXIT
	[ "$arch" = um ] || say "A second terminal: 'make vm-console', from another one of yours."
	: >"$out/channel"
	"${machine[@]}" 3>"$out/channel"
	exit 0
fi

# --- run it, and read the data that it sends

[ $show = 0 ] || following+=(--show)
label="$kernel $(basename "$script" .sh)"
following+=(--name "$label")
# Rarely, an emulated machine with several CPUs hangs before anything of the project is loaded.
boot_most=${BOOT_MOST:-240}
[ "$accel" != tcg ] || following+=(--boot "$boot_most" "$out/machine.pid")
boot()
{
	rm -rf "$out/files"
	mkdir "$out/files"
	: >"$out/channel"
	{
		# shellcheck disable=SC2016 # expanded by that shell
		sh -c 'echo $$ >"$0"; exec "$@"' "$out/machine.pid" \
			timeout -k 5 "$timeout" "${machine[@]}" \
			</dev/null >"$out/console.stdout" 2>"$out/machine.log" 3>"$out/channel"
		echo $? >"$out/machine.exit"
	} | python3 "$root/vm/guest_channel.py" "$out/channel" "$out" "${following[@]}"
	channel=${PIPESTATUS[1]}
	# UML's console is its standard output; QEMU's is a file.
	[ "$arch" != um ] || mv "$out/console.stdout" "$out/console"
	rm -f "$out/console.stdout" "$out/machine.pid"
}
started=$SECONDS
set +e
boot
for again in 1 2; do
	if [ "$channel" = 3 ]; then
		why="the emulated CPUs did not come to the end of the kernel's own boot in $boot_most s"
	elif [ "$channel" != 0 ] && [ "$accel" = tcg ] &&
	     "$root/vm/kernel_log.py" --emulator "$out/console"; then
		why="the emulator executed a breakpoint that the kernel had taken out of its code"
	else
		break
	fi
	mv "$out/console" "$out/console.emulator-$again"
	say "    $why;"
	say "    the guest boots once more (the first log: $out/console.emulator-$again)"
	boot
done
set -e
took=$((SECONDS - started))

# --- the verdict

verdict=$out/verdict.ktap
# shellcheck source=vm/guest/ktap.sh
. "$root/vm/guest/ktap.sh" >"$verdict"
good() { ok "$label: $1" >>"$verdict"; }
bad() { not_ok "$label: $1" >>"$verdict"; }
tell() { say "$*"; note "$*" >>"$verdict"; }

if [ "$channel" = 0 ]; then
	good "the guest reported"
	status=$(cat "$out/exit")
	if [ "$status" = 0 ]; then
		good "the script succeeded"
	else
		tell "$label: the script ended with status $status"
		[ ! -s "$out/stderr" ] ||
			tell "its last words: $(tail -n 15 "$out/stderr")"
		bad "the script succeeded"
	fi
else
	ended=$(cat "$out/machine.exit")
	if [ "$ended" = 124 ] || [ "$ended" = 137 ]; then
		tell "$label: no report within $timeout s; given up"
	else
		tell "$label: the guest ended without a report (after $took s)"
	fi
	tell "the console's last lines ($out/console):"
	tell "$(tail -n 40 "$out/console" 2>/dev/null | tr -d '\r')"
	tell "$(cat "$out/machine.log")"
	bad "the guest reported"
fi

allow=()
while read -r pattern; do
	[ -z "$pattern" ] || allow+=(--allow "$pattern")
done < <(sed -n 's/^# allow: *//p' "$script")
logs=("$out/console")
[ ! -e "$out/files/dmesg" ] || logs+=("$out/files/dmesg")
if found=$("$root/vm/kernel_log.py" "${allow[@]}" "${logs[@]}"); then
	good "the kernel's log is clean"
else
	tell "$found"
	bad "the kernel's log is clean"
fi

# Taint flags raised by loading our modules and by KUnit: bits 12 (out of tree),
# 13 (unsigned), 18 (a test ran).
if [ "$channel" = 0 ]; then
	taint=$(cat "$out/files/tainted")
	if [ $((taint & ~(1 << 12 | 1 << 13 | 1 << 18 | expected))) = 0 ]; then
		good "the kernel is not tainted"
	else
		tell "$label: taint flags $taint"
		bad "the kernel is not tainted"
	fi
fi
if [ -e "$out/files/kmemleak" ]; then
	if [ -s "$out/files/kmemleak" ]; then
		tell "$label: kmemleak found:"
		tell "$(head -n 60 "$out/files/kmemleak")"
		bad "no memory leaked"
	else
		good "no memory leaked"
	fi
fi
ktap_plan >>"$verdict"

if [ "$ktap_failed" = 0 ]; then
	say "    $label: clean, in $took s under $accel"
else
	say "    $label: FAILED, after $took s under $accel; see $out"
	exit 1
fi
