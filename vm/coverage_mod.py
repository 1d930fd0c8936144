#!/usr/bin/env python3
"""Sum up which lines of the module were executed in guests.

Usage: coverage_mod.py --sources ROOT --exclude FILE --least PERCENT MODULES RESULTS

MODULES holds the objects' .gcno files, RESULTS the .gcda files that the guests sent, under
files/gcov, with the path of their object. A line counts as executed if it was executed in any
guest.

FILE lists lines that no test can reach, one per line:
    mod/file.c | function | text of the line | reason
An entry that matches no line, or one that was executed, is an error.

Exit status 0: PERCENT of the lines, and every error exit, were executed.
"""

import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ERROR_EXIT = re.compile(r"return (-E[A-Z]|PTR_ERR|ERR_PTR|ERR_CAST)|goto err|err = -E[A-Z]")


def read_gcda(gcda, gcno, scratch):
    """gcov's JSON for one object in one guest."""
    stem = os.path.join(scratch, os.path.basename(gcda)[:-len(".gcda")])
    shutil.copy(gcda, stem + ".gcda")
    shutil.copy(gcno, stem + ".gcno")
    text = subprocess.run(["gcov", "--json-format", "--stdout", stem + ".gcda"],
                          cwd=scratch, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    for line in text.splitlines():
        if line:
            yield json.loads(line)


def collect(modules, results):
    """{file: {line: [count, function]}} for mod/*.c, and the number of .gcda files."""
    lines = collections.defaultdict(dict)
    used = 0
    modules = os.path.realpath(modules)
    for directory, _, names in os.walk(results):
        for name in names:
            if not name.endswith(".gcda") or "/files/gcov/" not in directory:
                continue
            path = "/" + os.path.join(directory, name).split("/files/gcov/", 1)[1]
            if not path.startswith(modules) or "/src/mod/" not in path:
                continue
            used += 1
            with tempfile.TemporaryDirectory() as scratch:
                for data in read_gcda(os.path.join(directory, name),
                                      path[:-len("gcda")] + "gcno", scratch):
                    add(lines, data)
    return lines, used


def add(lines, data):
    for entry in data["files"]:
        found = re.search(r"(?:^|/)(mod/[a-z_/]+\.c)$", entry["file"])
        if not found:
            continue
        for line in entry["lines"]:
            known = lines[found.group(1)].setdefault(line["line_number"],
                                                     [0, line.get("function_name", "")])
            known[0] += line["count"]


def read_exclusions(path):
    exclusions = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            words = [w.strip() for w in line.split(" | ")]
            if len(words) != 4 or not all(words):
                sys.exit("%s:%d: not 'file | function | text | reason'" % (path, number))
            exclusions.append(tuple(words[:3]))
    return exclusions


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--sources", required=True)
    parser.add_argument("--exclude", required=True)
    parser.add_argument("--least", type=float, required=True)
    parser.add_argument("modules")
    parser.add_argument("results")
    arguments = parser.parse_args()

    exclusions = read_exclusions(arguments.exclude)
    unused = set(exclusions)
    lines, used = collect(arguments.modules, arguments.results)
    if not used:
        sys.exit("no coverage came out of the guests")
    missed, exits_missed, all_lines, all_hit, all_exits, excluded = [], [], 0, 0, 0, 0
    print("%-24s %7s %9s %7s" % ("file", "lines", "executed", ""))
    for path in sorted(lines):
        with open(os.path.join(arguments.sources, path), encoding="utf-8") as f:
            text = [line.strip() for line in f]
        total = hit = 0
        for number, (count, function) in sorted(lines[path].items()):
            source = text[number - 1]
            if not count and (path, function, source) in exclusions:
                unused.discard((path, function, source))
                excluded += 1
                continue
            error_exit = bool(ERROR_EXIT.search(source))
            total += 1
            hit += bool(count)
            all_exits += error_exit
            if not count:
                missed.append("%s:%d: %s(): %s" % (path, number, function, source))
                if error_exit:
                    exits_missed.append(missed[-1])
        print("%-24s %7d %9d %6.1f %%" % (path, total, hit, 100 * hit / max(total, 1)))
        all_lines += total
        all_hit += hit
    percent = 100 * all_hit / max(all_lines, 1)
    print("%-24s %7d %9d %6.1f %%" % ("all", all_lines, all_hit, percent))
    print("error exits: %d, executed: %d" % (all_exits, all_exits - len(exits_missed)))
    print("excluded: %d lines, by %d entries" % (excluded, len(exclusions)))
    print("from %d counter files" % used)
    if missed:
        print("\nnot executed:")
        print("\n".join(missed))
    for entry in sorted(unused):
        print("%s: of no use: %s" % (arguments.exclude, " | ".join(entry)))
    return 0 if percent >= arguments.least and not exits_missed and not unused else 1


if __name__ == "__main__":
    sys.exit(main())
