#!/usr/bin/env python3
"""Instructions per operation, beside those of a baseline.

Usage: icount.py RESULT.json BASELINE.json
       icount.py --add RESULT.json BASELINE.json

RESULT was written by 'myallocctl -o RESULT.json bench run' under an emulator whose cycle counter
counts instructions (QEMU, -icount shift=0). Prints changes of 1 % or more, the geometric mean,
and each shape of ours that is slower by more than that although reasons.conf has no reason for
it. --add instead adds missing shapes to BASELINE; existing ones stay, so that it always has the
first cost of each shape.

Exit status: 0; 1 if a shape is slower without a reason; 2 if the files cannot be used.
"""

import json
import math
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
import record


def fail(text):
    print("icount.py: " + text, file=sys.stderr)
    sys.exit(2)


def figures(result):
    """{shape: {side: median of instructions per operation}}, without shapes that have none."""
    shapes = {}
    for shape in result["result"]["shapes"]:
        sides = {}
        for side in shape["sides"]:
            if side["cycles"] and side["role"] != "aside":
                # For the longest operation, take the maximum.
                which = "max" if shape["unit"] == "ns, longest" else "p50"
                sides[side["name"]] = side["cycles"][which]
        if sides:
            shapes[shape["name"]] = sides
    return shapes


def load(name):
    try:
        with open(name, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        fail("%s: %s" % (name, error))


def add(result, baseline, name):
    new = {shape: sides for shape, sides in figures(result).items()
           if shape not in baseline["shapes"]}
    baseline["shapes"].update(new)
    with open(name, "w", encoding="utf-8") as file:
        json.dump(baseline, file, indent=1, sort_keys=True)
        file.write("\n")
    print("%d shapes added to %s" % (len(new), name))


def unexplained(now, baseline, reasons):
    """[(shape, old, new)] of ours that are slower and for which no reason is known."""
    for name, sides in now.items():
        old, new = baseline["shapes"].get(name, {}).get("myalloc"), sides.get("myalloc")
        if old and new and new - old > record.CHANGE * old and \
                not record.reason(reasons, "since", name):
            yield name, old, new


def compare(result, baseline, reasons):
    """Print the changes; return the exit status."""
    now = figures(result)
    if not now:
        fail("this result counts no instructions: it needs QEMU with -icount")
    if baseline["kernel"] != result["system"]["kernel"]:
        print("note: the baseline is of %s, this is %s: theirs may differ too" %
              (baseline["kernel"], result["system"]["kernel"]))
    changed, logs, same = [], [], 0
    for name, sides in now.items():
        for side, value in sides.items():
            old = baseline["shapes"].get(name, {}).get(side)
            if not old:
                changed.append((name, side, None, value))
                continue
            if side == "myalloc":
                logs.append(math.log(value / old))
            if abs(value - old) >= record.CHANGE * old:
                changed.append((name, side, old, value))
            else:
                same += 1
    print("Instructions per operation against the baseline: %d the same within 1 %%, %d changed"
          % (same, len(changed)))
    for name, side, old, value in changed:
        if old is None:
            print("  %-36s %-14s      new %10.1f" % (name, side, value))
        else:
            print("  %-36s %-14s %10.1f %10.1f  %+6.1f %%" %
                  (name, side, old, value, 100 * (value - old) / old))
    if logs:
        print("ours, geometric mean of new/old: %.4f" % math.exp(sum(logs) / len(logs)))
    slower = list(unexplained(now, baseline, reasons))
    for name, old, new in slower:
        print("slower by %.1f %%, and vm/bench/reasons.conf has no 'since' for it: %s" %
              (100 * (new - old) / old, name))
    return 1 if slower else 0


def main():
    words = sys.argv[1:]
    if len(words) == 3 and words[0] == "--add":
        add(load(words[1]), load(words[2]), words[2])
    elif len(words) == 2:
        return compare(load(words[0]), load(words[1]), record.load_reasons())
    else:
        fail("two files must follow; see the head of this file")
    return 0


if __name__ == "__main__":
    sys.exit(main())
