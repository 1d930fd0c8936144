#!/usr/bin/env python3
"""Check that a disabled trace event costs its fast path one nop.

Usage: jump_labels.py OBJECT

OBJECT is the myalloc.o of a kernel with jump labels. Each fast path must have exactly one entry of
a tracepoint in __jump_table, of its own event: with none the key is loaded and tested, and a second
one is another nop. Exit status 1 if that is wrong.
"""

import bisect
import re
import subprocess
import sys

FAST = {"myalloc_cache_alloc": "cache_alloc", "myalloc_cache_free": "cache_free",
        "myalloc_pages_alloc": "page_alloc", "myalloc_pages_free": "page_free",
        "myalloc_heap_alloc": "heap_alloc", "myalloc_heap_free": "heap_free"}

# An entry is three words: the code, where it jumps to, and the key.
RELOCATION = re.compile(r"^[0-9a-f]{16}  \S+ \S+ +[0-9a-f]{16} (\S+) \+ ([0-9a-f]+)$")


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, path], check=True, capture_output=True,
                          text=True).stdout.splitlines()


def main():
    path = sys.argv[1]
    starts = sorted((int(words[1], 16), int(words[2], 0), words[7])
                    for words in map(str.split, readelf("-s", path))
                    if len(words) == 8 and words[3] == "FUNC" and words[7] in FAST)
    relocations, inside = [], False
    for line in readelf("-r", path):
        if line.startswith("Relocation section"):
            inside = "__jump_table'" in line
        elif inside and RELOCATION.match(line):
            relocations.append(RELOCATION.match(line).groups())
    events = {name: [] for name in FAST}
    for code, key in zip(relocations[::3], relocations[2::3]):
        at = int(code[1], 16)
        start = bisect.bisect_right(starts, (at, 1 << 64, "")) - 1
        if code[0] == ".text" and start >= 0 and at < starts[start][0] + starts[start][1] and \
                key[0].startswith("__tracepoint_"):
            events[starts[start][2]].append(key[0].removeprefix("__tracepoint_"))
    wrong = [name for name in FAST if events[name] != [FAST[name]]]
    for name in wrong:
        print("%s: its jump labels of events are [%s], not [%s]" %
              (name, " ".join(events[name]), FAST[name]))
    return bool(wrong)


sys.exit(main())
