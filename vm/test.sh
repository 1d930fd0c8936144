#!/bin/bash
# Run tests and sum up the results. The last line says how many passed and failed.
# Usage: vm/test.sh PART...
#   check           the native suites and the harness's own tests
#   kunit           the KUnit suites in the kernel $KUNIT_KERNEL (kunit)
#   scenarios       vm/scenarios/*.sh in a guest with the kernel $KERNEL (6.12)
#   demo            vm/demo.sh, what 'make vm' shows, with the kernel $DEMO_KERNEL (6.12-arm64)
#   packages        the Debian packages on a clean system: apt, DKMS, load in a guest, remove
#   lifecycle, ioctl_fuzz   the long vm/lifecycle.sh or vm/ioctl_fuzz.sh, likewise
# Parts run at the same time; their output is prefixed with their names. Suites
# and scenarios are named after their files.
# ONLY='name name' or name,name runs only these scenarios, LANES=N so many of them at the same time
# (2).
# Results stay in $RESULTS. RECORD=1: also writes a section of vm/TESTS.md, unless ONLY selects
# less than the whole.

# shellcheck source=vm/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

kernel=${KERNEL:-6.12}
ONLY=${ONLY:-}
ONLY=${ONLY//,/ }
results=${RESULTS:-$products/results}
# Only for these parts, as another run may be in progress.
for part; do
	rm -rf "${results:?}/${part:?}"
done
mkdir -p "$results"
began=$SECONDS

# turn COMMAND...: run it when fewer than one per CPU are running. A guest whose virtual CPUs wait
# for each other is slowed down by far more than its share.
turn()
{
	local slot slots fd status=0
	slots=$(nproc)
	while true; do
		for ((slot = 0; slot < slots; slot++)); do
			exec {fd}>"$results/turn.$slot"
			! flock -n "$fd" || break 2
			exec {fd}>&-
		done
		sleep 0.5
	done
	# Without the descriptor, so that background processes of the command do not keep the turn.
	eval "\"\$@\" $fd>&-" || status=$?
	exec {fd}>&-
	return "$status"
}

# stage PART NAME COMMAND...: run it. Its success is a test of its own, so that a
# command that ends without reporting anything counts as a failure.
stage()
{
	local file=$results/$1/stage-${2//[^a-zA-Z0-9]/-}.ktap name=$2 status=0
	shift 2
	step_said=
	"$@" || status=$?
	(
		# shellcheck source=vm/guest/ktap.sh
		. "$root/vm/guest/ktap.sh"
		if [ $status = 0 ]; then
			ok "$name"
		else
			not_ok "$name" "$step_said"
		fi
		ktap_plan
	) >"$file"
	return "$status"
}

part_check()
{
	local status=0
	"$root/vm/test_ktap.py" >"$results/check/harness.ktap" || status=1
	"$root/vm/test_record.py" >"$results/check/record.ktap" 2>/dev/null || status=1
	"$root/vm/test_plot.py" >"$results/check/plot.ktap" || status=1
	"$root/vm/test_superset.py" >"$results/check/superset.ktap" || status=1
	"$root/vm/test_icount.py" >"$results/check/icount.ktap" || status=1
	turn stage check "native suites" \
		step "building and running the native suites" "6 to 15 min" \
		make -C "$root/lib/tests" -j"$(nproc)" O="$products/check/lib" \
		KTAP_DIR="$results/check" check || status=1
	turn stage check "inputs that a fuzzer has kept" \
		step "running the inputs that a fuzzer has kept" "30 to 80 s" \
		make -C "$root/lib/fuzz" -j"$(nproc)" O="$products/check/fuzz" \
		KTAP_DIR="$results/check" check || status=1
	turn stage check "tests of the tool" \
		step "testing the tool against a device that is made up" "1 to 4 min" \
		make -C "$root/userspace-tool" -j"$(nproc)" O="$products/check/tool" \
		KTAP_DIR="$results/check" check || status=1
	return "$status"
}

# valid_json DIRECTORY: validate the documents that a guest has sent with the schema beside them
# shellcheck disable=SC2317 # called by stage
valid_json()
{
	"$root/vm/setup.sh" schema &&
		/usr/bin/python3 "$root/userspace-tool/tests/valid.py" "$1/schema" "$1"/*.json
}

# guest PART KERNEL SCRIPT [OPTION]...: run a script in a guest, and file its results.
guest()
{
	local part=$1 kernel=$2 script=$3 name out file status=0
	name=$(basename "$script" .sh)
	out=$results/$part/$kernel-$name
	shift 3
	turn "$root/vm/run.sh" --kernel "$kernel" --out "$out" "$@" "$script" || status=$?
	if [ -e "$out/verdict.ktap" ]; then
		cp "$out/verdict.ktap" "$results/$part/$kernel-$name-guest.ktap"
		cp "$out/stdout" "$results/$part/$kernel-$name.ktap"
		for file in "$out"/files/ktap/*.ktap; do
			[ ! -e "$file" ] ||
				cp "$file" "$results/$part/$kernel-$name-$(basename "$file")"
		done
		[ ! -e "$out/files/json/schema" ] ||
			stage "$part" "$kernel $name: JSON is as its schema says" \
				valid_json "$out/files/json" || status=1
	else
		stage "$part" "$kernel $name: the guest was started" false || true
	fi
	return "$status"
}

# Print the number of suites in a module: the kernel finds them as an array of
# pointers in a section of this name.
suites_in()
{
	local sum=0 size
	while read -r size; do
		sum=$((sum + 16#$size / 8))
	done < <(readelf -SW "$@" |
		sed -n 's/^ *\[ *[0-9]*\] \.kunit_test_suites  *[A-Z]* *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p')
	echo "$sum"
}

part_kunit()
{
	local modules name=${KUNIT_KERNEL:-kunit} status=0
	turn stage kunit "kernel $name" "$root/vm/kernel.sh" "$name" >/dev/null || return 1
	turn stage kunit "modules for $name" "$root/vm/module.sh" "$name" >/dev/null ||
		return 1
	modules=$("$root/vm/module.sh" "$name")
	guest kunit "$name" "$root/vm/scenarios/kunit.sh" \
		--append "GUEST_SUITES=$(suites_in "$modules"/*kunit*.ko)" || status=1
	return "$status"
}

# The demonstration is for people; its status is the result.
part_demo()
{
	local kernel=${DEMO_KERNEL:-6.12-arm64} out status=0
	out=$results/demo/$kernel
	prepare demo || return 1
	turn "$root/vm/run.sh" --kernel "$kernel" --out "$out" "$root/vm/demo.sh" || status=$?
	if [ -e "$out/verdict.ktap" ]; then
		cp "$out/verdict.ktap" "$results/demo/$kernel-guest.ktap"
	else
		stage demo "$kernel demo: the guest was started" false || true
	fi
	return "$status"
}

# Prepare the needs of the part's guests.
prepare()
{
	turn stage "$1" "kernel $kernel" "$root/vm/kernel.sh" "$kernel" >/dev/null &&
		turn stage "$1" "modules for $kernel" "$root/vm/module.sh" "$kernel" \
			>/dev/null &&
		turn stage "$1" "the tool" "$root/vm/tool.sh" tests "$kernel"
}

part_long()
{
	prepare "$1" && guest "$1" "$kernel" "$root/vm/$1.sh"
}

# shellcheck disable=SC2317 # called by stage
# installed PART KERNEL: the files of packages and 'make install'; its results beside the others
installed()
{
	"$root/vm/install_test.sh" "$2" >"$results/$1/$2-install.ktap"
}

# shellcheck disable=SC2317 # called by stage
# dkms_each KERNEL: a test for each kernel of kernels.conf; its results beside the others
dkms_each()
{
	"$root/vm/packages.sh" each >"$results/packages/$1-dkms.ktap"
}

# dkms_files CHROOT RELEASE: print the files that the guest takes from the system in which DKMS has
# built the modules, as options of run.sh
dkms_files()
{
	local file
	for file in /usr/bin/myallocctl /bin/kmod; do
		echo "--add $1$file:${file#/}"
		as_root "to run a chroot" chroot "$1" ldd "$file" | grep -o '/[^ ]*' |
			while read -r file; do
				echo "--add $1$file:${file#/}"
			done
	done
	echo "--add $1/bin/kmod:sbin/modprobe"
	(cd "$1" && find "lib/modules/$2/" -name '*.ko*' -o -name 'modules.*' -type f) |
		while read -r file; do
			echo "--add $1/$file:$file"
		done
}

part_packages()
{
	local status=0 system options
	stage packages "the packages are built, and lintian is silent" "$root/vm/deb.sh" >/dev/null ||
		return 1
	stage packages "kernel $kernel" "$root/vm/kernel.sh" "$kernel" >/dev/null || return 1
	stage packages "what is installed, and what packages contain" installed packages "$kernel" ||
		status=1
	stage packages "a clean system installs them, and DKMS builds for each kernel" \
		"$root/vm/packages.sh" install || return 1
	stage packages "DKMS builds for the other kernels that have headers" dkms_each "$kernel" || status=1
	system=$("$root/vm/packages.sh" path)
	# One of the parameters is misspelt, which 'doctor' has to find.
	mkdir -p "$results/packages/modprobe.d"
	sed 's/^options myalloc .*/& reserve_md=1/' "$root/mod/packaging/examples/modprobe.conf" \
		>"$results/packages/modprobe.d/myalloc.conf"
	options=$(dkms_files "$system" "$(cat "$cache/kernel/$kernel/release")" | sort -u)
	# shellcheck disable=SC2086 # words
	guest packages "$kernel" "$root/vm/packages_guest.sh" --bare $options \
		--add "$results/packages/modprobe.d/myalloc.conf:etc/modprobe.d/myalloc.conf" || status=1
	stage packages "purging them leaves nothing" "$root/vm/packages.sh" remove || status=1
	return "$status"
}

# shellcheck disable=SC2317 # called by stage
shell_works()
{
	"$root/vm/test_shell.py" "$kernel" "$results/scenarios/$kernel-shell" \
		>"$results/scenarios/$kernel-shell.ktap"
}

own_scenarios()
{
	local status=0
	turn stage scenarios "the example of README.md builds for $kernel" \
		"$root/vm/readme.sh" "$kernel" || status=1
	stage scenarios "module and tool have the version of the changelog" \
		"$root/vm/version.sh" "$kernel" || status=1
	turn stage scenarios "what is installed, and what packages contain" installed scenarios "$kernel" ||
		status=1
	# User Mode Linux has one terminal.
	[ "$arch_kbuild" = um ] ||
		turn stage scenarios "the prompt of 'make vm-shell'" shell_works || status=1
	return "$status"
}

part_scenarios()
{
	local script status=0 ended
	local -A running=()
	prepare scenarios || return 1
	# Builds and installations as users make them, for this machine's own kernels. They run
	# beside the guests, of which there are several, since each spends much of its time booting
	# and waiting.
	use_arch "$(arch_of "$kernel")"
	if [ -z "$arch_cross$ONLY" ]; then
		own_scenarios &
		running[$!]=own_scenarios
	fi
	for script in "$root"/vm/scenarios/*.sh; do
		case $(basename "$script" .sh) in
		kunit)	continue ;;
		esac
		if [ -n "$ONLY" ]; then
			case " $ONLY " in
			*" $(basename "$script" .sh) "*) ;;
			*)	continue ;;
			esac
		elif grep -q '^# only: ' "$script"; then
			continue
		fi
		if [ ${#running[@]} -ge "${LANES:-2}" ]; then
			wait -n -p ended "${!running[@]}" || status=1
			unset "running[$ended]"
		fi
		guest scenarios "$kernel" "$script" &
		running[$!]=$script
	done
	for ended in "${!running[@]}"; do
		wait "$ended" || status=1
	done
	return "$status"
}

# run_part PART: run a part with its name before each line, and store its status in a file.
run_part()
{
	local status=0
	mkdir -p "$results/$1"
	case $1 in
	check)		part_check || status=$? ;;
	demo)		part_demo || status=$? ;;
	kunit)		part_kunit || status=$? ;;
	packages)	part_packages || status=$? ;;
	scenarios)	part_scenarios || status=$? ;;
	*)		part_long "$1" || status=$? ;;
	esac
	echo $status >"$results/$1/status"
} 2> >(sed -u "s/^/[$1] /" >&2)

# guests PART...: print the kernels that these parts boot, in words
guests()
{
	local part names=()
	for part; do
		case $part in
		check)	;;
		kunit)	names+=("${KUNIT_KERNEL:-kunit}") ;;
		demo)	names+=("${DEMO_KERNEL:-6.12-arm64}") ;;
		*)	names+=("$kernel") ;;
		esac
	done
	[ ${#names[@]} -gt 0 ] || names=(-)
	printf '%s\n' "${names[@]}" | sort -u | while read -r name; do
		if [ -e "$cache/kernel/$name/release" ]; then
			echo "$name (Linux $(cat "$cache/kernel/$name/release"))"
		else
			echo "$name"
		fi
	done | paste -sd , | sed 's/,/, /g'
}

# Prepare the common needs of all parts before they start to wait for each other.
groups=(native module tool guest source man schema)
case " $* " in *" scenarios "*|*" packages "*) groups+=(package sign) ;; esac
case " $* " in *" scenarios "*) groups+=(shell) ;; esac
"$root/vm/setup.sh" "${groups[@]}"

pids=()
for part; do
	case $part in
	check|kunit|demo|scenarios|packages|lifecycle|ioctl_fuzz) ;;
	*)	die "vm/test.sh: no part '$part'; see the head of vm/test.sh" ;;
	esac
	run_part "$part" >&2 &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || true
done
for part; do
	if [ "$(cat "$results/$part/status" 2>/dev/null)" != 0 ]; then
		say "part '$part' FAILED; its results: $results/$part"
		[ -n "$(find "$results/$part" -name '*.ktap')" ] ||
			stage "$part" "$part: anything at all" false || true
	fi
done

say "the whole took $((SECONDS - began)) s"
cd "$results"
mapfile -t files < <(find "$@" -maxdepth 1 -name '*.ktap' | sort)
[ ${#files[@]} -gt 0 ] || die "no results at all"
status=0
"$root/vm/ktap.py" "${files[@]}" >"$results/summary" || status=$?
cat "$results/summary"
if [ "$*" = "check kunit demo scenarios" ]; then
	command="make test"
else
	command="make ${*//_/-}"
fi
[ -z "$ONLY" ] || RECORD=
record tests "$command" "$(guests "$@")" "${files[@]}"
exit $status
