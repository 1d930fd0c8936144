# shellcheck shell=bash
# Functions for apt: refresh the lists, find the version of a package, fetch a package without
# installing it.
# Sourced, never run.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apt_options=(-q -y -o DPkg::Lock::Timeout=300)

need_debian()
{
	command -v apt-get >/dev/null ||
		die "this is not a Debian-family system (no apt-get); needed: $*"
}

# as_root PURPOSE COMMAND...
as_root()
{
	local purpose=$1
	shift
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	elif command -v sudo >/dev/null; then
		sudo DEBIAN_FRONTEND=noninteractive "$@"
	else
		die "not root, and no sudo, $purpose; as root run: $*"
	fi
}

# Ask for a sudo password, if needed, before output goes to a log.
ask_password()
{
	if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
		sudo -v || die "sudo was refused, $1"
	fi
}

lists_refreshed=0
apt_update()
{
	[ $lists_refreshed = 0 ] || return 0
	ask_password "to refresh the package lists"
	step "refreshing the package lists" "5 to 20 s" \
		as_root "to refresh the package lists" \
		apt-get "${apt_options[@]}" update
	lists_refreshed=1
}

# version_of PACKAGE: print the version that apt would install.
version_of()
{
	apt-cache "${apt_private[@]}" policy "$1" 2>/dev/null |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# fetch_debs DIR PACKAGE=VERSION...: download into DIR.
fetch_debs()
(
	cd "$1"
	shift
	sandbox=()
	[ "$(id -u)" != 0 ] || sandbox=(-o APT::Sandbox::User=root)
	apt-get "${apt_options[@]}" "${apt_private[@]}" "${sandbox[@]}" download "$@"
)

# Options that make apt use another suite than the machine's own, without changing the machine;
# use_suite sets them.
apt_private=()

# The sources of this machine's Debian, as lines of sources.list.
debian_sources()
{
	# shellcheck disable=SC2016 # apt's own placeholders
	apt-get indextargets --format '$(LABEL)|deb $(REPO_URI) $(CODENAME) $(COMPONENT)' \
		'Created-By: Packages' | sed -n 's/^Debian\(-Security\)\?|//p' | sort -u
}

# suite_source NAME: the main part of suite NAME, from the archive of this machine, as a line of
# sources.list
suite_source()
{
	local codename archive
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck disable=SC2016 # apt's own placeholders
	archive=$(apt-get indextargets --format \
		'$(CODENAME)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
		awk -F'|' -v c="$codename" \
			'$1 == c && $2 == "Debian" && $3 == "main" && !n++ { print $4 }')
	[ -n "$archive" ] ||
		die "the apt sources of this machine have no '$codename main' of Debian" \
		    "to take the suite '$1' from"
	echo "deb $archive $1 main"
}

# use_suite NAME: from here on use suite NAME of the same archive.
use_suite()
{
	local dir=$cache/suite/$1
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	suite_source "$1" >"$dir/sources.list"
	apt_private=(
		-o "Dir::Etc::sourcelist=$dir/sources.list"
		-o "Dir::Etc::sourceparts=-"
		-o "Dir::State::Lists=$dir/lists"
		-o "Dir::Cache=$dir/cache"
		-o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
		-o "Acquire::IndexTargets::deb::Translations::DefaultEnabled=false"
		-o "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"
	)
	[ "$(id -u)" != 0 ] || apt_private+=(-o APT::Sandbox::User=root)
	step "reading the package list of the suite '$1'" "10 s" \
		apt-get "${apt_options[@]}" "${apt_private[@]}" \
		-o Debug::NoLocking=1 update
}
