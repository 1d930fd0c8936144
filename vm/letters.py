#!/usr/bin/env python3
"""Invariants are named by a letter and a number; each letter belongs to one file.

Usage: letters.py [DIRECTORY]

Reads the comments at the beginning of the files of lib/ and mod/, where a line with an
invariant's name and two spaces states it, and the table in lib/DESIGN.md. Errors are two files
with the same letter, numbers of a file that do not count from 1, a table that differs, and a
reference such as 'Z4 of block.c' to an invariant that the file does not state. Exit status: 0,
1.
"""

import collections
import os
import re
import sys

STATED = re.compile(r"^ \*\t([A-Z])(\d+)  \S", re.MULTILINE)
CITED = re.compile(r"\b([A-Z])(\d+)(?: to [A-Z](\d+))? of\s(?:\s\*\s)?(\w+\.c)\b")
ROW = re.compile(r"^\| ([A-Z]) \| `([\w/.]+)` \|", re.MULTILINE)


def sources(root):
    for top in "lib", "mod":
        for directory, _, names in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(directory, name), root)


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def check(root):
    """The errors, as sentences."""
    wrong, stated, cited = [], collections.OrderedDict(), []
    for name in sources(root):
        text = read(root, name)
        for letter, number in STATED.findall(text):
            stated.setdefault((letter, name), []).append(int(number))
        cited += [(name, *match) for match in CITED.findall(text)]
    owners = {}
    for (letter, name), numbers in stated.items():
        if letter in owners:
            wrong.append("%s: %s is the letter of %s" % (name, letter, owners[letter]))
        owners.setdefault(letter, name)
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append("%s: %s counts %s" % (name, letter, numbers))
    for name, letter, number, last, where in cited:
        whole = owners.get(letter, "")
        if os.path.basename(whole) != where or \
                int(last or number) > len(stated[letter, whole]):
            wrong.append("%s: %s does not state %s%s" % (name, where, letter, last or number))
    rows = dict(ROW.findall(read(root, "lib/DESIGN.md")))
    for letter in sorted(set(rows) | set(owners)):
        if rows.get(letter) != owners.get(letter):
            wrong.append("lib/DESIGN.md: %s is of %s, the table says %s" %
                         (letter, owners.get(letter), rows.get(letter)))
    return wrong


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    wrong = check(root)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
