#!/bin/bash
# Draw the pictures of README from a real run: 'top' and 'map' in a terminal, and the page of
# 'report' in a browser. They replace those in vm/screenshots/; that of the report's results, which
# README does not show, stays in the cache.
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

# draw NAME WIDTH HEIGHT: a page as it looks in a window of that size. The browser has a profile of
# its own, and as root it has no sandbox.
draw()
{
	local page=$out/guest/files/$1.html
	[ -s "$page" ] || die "the guest has not written $1.html"
	rm -f "$out/$1.png"
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
		--user-data-dir="$out/profile" --window-size="$2,$3" \
		--virtual-time-budget=2000 --screenshot="$out/$1.png" "file://$page"
	[ -s "$out/$1.png" ]
}

# The part of the report behind the history: ratios of a benchmark, latencies.
page=$out/guest/files
awk '/<h2>Benchmark/ { skip = 0 } !skip { print } /^<body>/ { skip = 1 }' "$page/report.html" \
	>"$page/results.html"

step "drawing top" "5 s" draw top 862 556
step "drawing map" "5 s" draw map 676 592
step "drawing the report" "5 s" draw report 1000 1500
step "drawing its results" "5 s" draw results 1000 1500
for name in top map report; do
	cp "$out/$name.png" "$root/vm/screenshots/"
done
say "pictures: vm/screenshots/top.png, map.png, report.png; also $out/results.png; whole pages: $page"
