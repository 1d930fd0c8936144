# Sourced by scenarios, after ktap.sh: checks of the result of a stress run.
#
#	sound FILE [PREFIX]	no damage, no free refused, no invariant broken, every page is back;
#				a test for each, whose name begins with PREFIX

sound()
{
	for figure in '"verify_errors": *0' '"free_errors": *0' '"validate_errors": *0' \
		      '"balanced": *true'; do
		if grep -q "$figure" "$1"; then
			ok "${2:-}$figure"
		else
			not_ok "${2:-}$figure" "$(cat /tmp/said "$1" 2>/dev/null)"
		fi
	done
}
