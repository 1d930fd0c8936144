#!/bin/bash
# Draw the pictures of README from a real run: 'top' and 'map' in a terminal, and the page of
# 'report' in a browser. They replace those in vm/screenshots/; those of the report's results and of
# the page of 'map', which README does not show, stay in the cache. The script of the latter page
# has to work: title, legend, and the figures of the square that is pointed at.
# Usage: vm/screenshots.sh       KERNEL: the guest's (6.12)

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kernel=${KERNEL:-6.12}
out=$products/screenshots
"$root/vm/setup.sh" guest module tool browser
"$root/vm/tool.sh" tests "$kernel"
lock "screenshots-$(basename "$products")"
mkdir -p "$out"
"$root/vm/run.sh" --kernel "$kernel" --out "$out/guest" "$root/vm/screenshots/guest.sh" ||
	die "the guest failed: $out/guest"

# browse NAME OPTION...: a page in a browser, which has a profile of its own, and as root no sandbox
browse()
{
	local page=$out/guest/files/$1.html
	[ -s "$page" ] || die "the guest has not written $1.html"
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
		--user-data-dir="$out/profile" --virtual-time-budget=2000 "${@:2}" "file://$page"
}

# draw NAME WIDTH HEIGHT: a page as it looks in a window of that size
draw()
{
	rm -f "$out/$1.png"
	browse "$1" --window-size="$2,$3" --screenshot="$out/$1.png"
	[ -s "$out/$1.png" ]
}

# has_drawn NAME REGEX...: after its script has run, a page has each of these in one line
has_drawn()
{
	local text
	browse "$1" --dump-dom | tr '\n' ' ' >"$out/$1.dom"
	for text in "${@:2}"; do
		grep -qE "$text" "$out/$1.dom" || die "the script of $1.html has not drawn: $text"
	done
}

# The part of the report behind the history: ratios of a benchmark, latencies.
page=$out/guest/files
awk '/<h2>Benchmark/ { skip = 0 } !skip { print } /^<body>/ { skip = 1 }' "$page/report.html" \
	>"$page/results.html"
# The page of the map, with the pointer at its first square.
cat >>"$page/map_page.html" <<'END'
<script>
const corner = canvas.getBoundingClientRect();
canvas.onmousemove({ clientX: corner.left + 2, clientY: corner.top + 2 });
</script>
END

step "drawing top" "5 s" draw top 862 556
step "drawing map" "5 s" draw map 676 592
step "drawing the report" "5 s" draw report 1000 1500
step "drawing its results" "5 s" draw results 1000 1500
step "drawing the page of the map" "5 s" draw map_page 1140 1200
step "looking at what its script has made" "5 s" has_drawn map_page \
	'<h1 id="title">Memory of myalloc on [^<]*</h1>' '<p id="legend"><span>' \
	'<table id="cell">.*<td>pages</td><td>0 to [0-9]*, from 0.00 MiB</td>'
for name in top map report; do
	cp "$out/$name.png" "$root/vm/screenshots/"
done
say "pictures: vm/screenshots/top.png, map.png, report.png; also $out/results.png, map_page.png"
say "whole pages: $page"
