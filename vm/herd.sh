#!/bin/bash
# Install herd7, which decides litmus tests, with the kernel's memory model. Prints the command.
# Usage: vm/herd.sh
#
# Of Debian's suites only sid has it. It is unpacked into the cache, with the C library that it was
# built for, and run by that library's own loader; the machine is not changed. The memory model
# comes from the kernel's source package.

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
name=herd pattern='linux-source-6\.12' arch=x86_64 fragments=
# shellcheck source=vm/apt.sh
. "$root/vm/apt.sh"
# shellcheck source=vm/kernel-source.sh
. "$root/vm/kernel-source.sh"

herd=$cache/herd
lock herd
model=$(lock source; get_source_tree)/tools/memory-model

fetch()
{
	rm -rf "$herd.new"
	mkdir -p "$herd.new/debs"
	fetch_debs "$herd.new/debs" herdtools7 libc6 libgmp10
	for deb in "$herd.new/debs"/*.deb; do
		dpkg -x "$deb" "$herd.new"
	done
	rm -rf "$herd.new/debs" "$herd"
	mv "$herd.new" "$herd"
}

if [ ! -x "$herd/usr/bin/herd7" ]; then
	use_suite sid
	step "fetching herd7" "10 to 60 s" fetch
fi
lib=$herd/usr/lib/x86_64-linux-gnu
cat >"$herd/run" <<EOF
#!/bin/sh
cd "$model" && exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$herd/usr/bin/herd7" \\
	-set-libdir "$herd/usr/share/herdtools7/herd" -conf linux-kernel.cfg "\$@"
EOF
chmod +x "$herd/run"
echo "$herd/run"
