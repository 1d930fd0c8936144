#!/usr/bin/env python3
"""Instructions per operation, beside those of a baseline.

Usage: icount.py RESULT.json BASELINE.json
       icount.py --write RESULT.json BASELINE.json

RESULT is what 'myallocctl -o RESULT.json bench run' has kept under an emulator whose
cycle counter counts instructions (QEMU, -icount shift=0). Prints what has changed by
1 % or more, and the sums. --write makes BASELINE of it instead.

Exit status: 0; 2 if the files cannot be used.
"""

import json
import math
import sys

CHANGE = 0.01


def fail(text):
    print("icount.py: " + text, file=sys.stderr)
    sys.exit(2)


def figures(result):
    """{shape: {side: instructions per operation, the median}}, without what has none."""
    shapes = {}
    for shape in result["result"]["shapes"]:
        sides = {}
        for side in shape["sides"]:
            if side["cycles"] and side["role"] != "aside":
                # Of the longest operation the longest counts.
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


def write(result, name):
    kept = {
        "kernel": result["system"]["kernel"],
        "command": result["command"],
        "unit": "instructions per operation",
        "shapes": figures(result),
    }
    with open(name, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1, sort_keys=True)
        file.write("\n")
    print("wrote %s: %d shapes" % (name, len(kept["shapes"])))


def compare(result, baseline):
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
            if abs(value - old) >= CHANGE * old:
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


def main():
    words = sys.argv[1:]
    if len(words) == 3 and words[0] == "--write":
        write(load(words[1]), words[2])
    elif len(words) == 2:
        compare(load(words[0]), load(words[1]))
    else:
        fail("two files must follow; see the head of this file")


main()
