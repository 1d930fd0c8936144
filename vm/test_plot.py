#!/usr/bin/env python3
"""Tests of bench/plot.py: the plots of a result, titles, one style for each allocator."""

import functools
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PLOT = os.path.join(HERE, "bench", "plot.py")


def side(name, role, ns, rounds):
    return {"name": name, "role": role, "ratio": ns / 10 if role == "opponent" else None,
            "time": {"min": ns, "p50": ns, "p99": ns, "max": ns}, "cycles": None,
            "rounds": rounds}


def shape(name, unit, rounds):
    return {"name": name, "what": "some work", "unit": unit, "bytes": 64, "order": 0,
            "batch": 1, "fill_permille": 0,
            "sides": [side("myalloc", "ours", 10, rounds), side("slub", "opponent", 20, rounds)]}


def drawn(*shapes):
    """{file: text} of the plots of a result."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "result.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"time": "2001-02-03T04:05:06Z", "result": {"shapes": shapes},
                       "system": {"kernel": "6.12.1-x", "machine": "x86_64",
                                  "accelerator": "kvm"}}, file)
        out = os.path.join(directory, "out")
        subprocess.run(["/usr/bin/python3", PLOT, path, out], check=True, stderr=subprocess.DEVNULL)
        texts = {}
        for name in os.listdir(out):
            with open(os.path.join(out, name), encoding="utf-8") as file:
                texts[name] = file.read()
        return texts


def table():
    with open(os.path.join(HERE, "..", "userspace-tool", "out", "allocators.h"),
              encoding="utf-8") as file:
        lines = [line.split('ALLOCATOR("')[1] for line in file if '\tALLOCATOR("' in line]
    return [(name, color, rest.split(")")[0]) for name, color, rest in
            (line.replace('"', "", 1).split(", ", 2) for line in lines)]


MEANS = [[1000, 3000, 100], [1100, 3300, 100]]
CALLS = [[10, 30, 1], [20, 60, 1], [900, 2700, 1]]
PAIR = shape("object/64/pair", "ns", MEANS)
CALL = shape("call/object/64/alloc", "ns, single call", CALLS)


@functools.lru_cache(maxsize=None)
def both():
    return drawn(PAIR, CALL)


TESTS = (
    ("means of rounds are not called latency", lambda: set(drawn(PAIR)) ==
     {"ratios.svg", "spread.svg"}),
    ("single calls are", lambda: set(both()) == {"ratios.svg", "spread.svg", "latency.svg"}),
    ("a title names kernel, machine and date", lambda: all(
        "6.12.1-x, x86_64, kvm, 2001-02-03" in text for text in both().values())),
    ("an allocator has its color", lambda: all(
        dict((name, color) for name, color, _ in table())["slub"].strip('"') in text
        for text in both().values())),
    ("no two allocators have the same color", lambda: len(table()) > 10 and
     len({color for _, color, _ in table()}) == len(table())),
    ("no two have the same mark and dashes", lambda:
     len({rest for _, _, rest in table()}) == len(table())),
)


def main():
    print("KTAP version 1\n1..%d" % len(TESTS))
    probe = subprocess.run(["/usr/bin/python3", "-c", "import matplotlib"], check=False,
                           stderr=subprocess.DEVNULL)
    bad = 0
    for number, (name, test) in enumerate(TESTS, 1):
        if probe.returncode:
            print("ok %d - plot: %s # SKIP python3-matplotlib is not installed" % (number, name))
            continue
        good = test()
        bad += not good
        print("%s %d - plot: %s" % ("ok" if good else "not ok", number, name))
    sys.exit(bad > 0)


main()
