#!/usr/bin/env python3
"""See whether all tests that were executed before are still executed.

Usage: superset.py OLD [NEW]

OLD and NEW are two folders of results, with KTAP files in them or in folders below, as
vm/test.sh and vm/matrix.sh leave them; or two files like vm/TESTS.md. OLD may also be a commit,
whose vm/TESTS.md is used. NEW is by default that of this checkout: the results of its last tests
if OLD is a folder, else vm/TESTS.md.

In results each test is compared by its name: file, suites, test. One that passed or failed was
executed. Names that differ only in numbers, such as a time, are the same test, as long as there
are as many of them. TESTS.md has no names of tests that passed, so there the number of tests of
each row is compared; a lost test beside a new one in the same row is not detected.

A missing test is not lost if vm/renames.conf has its new name, and that was executed or skipped.
One that was executed before and is skipped now is listed, not lost.

Prints a line for each lost test, for each that is skipped now, and for each file the number of
new ones; then a sum. Exit status: 0; 1 if a test was lost; 2 if the input cannot be used.
"""

import collections
import os
import re
import subprocess
import sys

import ktap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = "vm/TESTS.md"
RENAMES = os.path.join(ROOT, "vm", "renames.conf")

COUNTS = "passed", "failed", "skipped"     # columns of TESTS.md
NUMBERS = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?")


class Unusable(Exception):
    """The input is incomplete."""


class Tests:
    """How often each name was executed, and how often skipped."""

    def __init__(self):
        self.ran = collections.Counter()
        self.skipped = collections.Counter()


def ktap_files(top):
    """The results of a folder, without folders left by guests, whose files are beside them too."""
    for where, folders, names in os.walk(top):
        if "stdout" in names:
            folders.clear()
            continue
        folders.sort()
        for name in sorted(names):
            if name.endswith(".ktap"):
                yield os.path.join(where, name)


def read_folder(top):
    tests = Tests()
    for path in ktap_files(top):
        total = ktap.Sum()
        with open(path, encoding="utf-8", errors="replace") as file:
            ktap.read(os.path.relpath(path, top)[:-len(".ktap")], file, total)
        tests.ran.update(total.ran)
        tests.skipped.update(total.left_out)
    if not tests.ran:
        raise Unusable("no test was executed in %s" % top)
    return tests


def read_page(text, name):
    """A file like TESTS.md. A test is named by the command of the section and the first cell."""
    tests, section, columns = Tests(), None, {}
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:].strip("`")
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if "passed" in cells:
            columns = {what: cells.index(what) for what in COUNTS if what in cells}
        elif not cells:
            columns = {}
        elif columns and not cells[0].startswith("--"):
            row = "%s / %s" % (section, cells[0])
            for what, column in columns.items():
                nr = int(cells[column].replace(",", "") or 0)
                (tests.skipped if what == "skipped" else tests.ran)[row] += nr
    if not tests.ran:
        raise Unusable("no table of results in %s" % name)
    return tests


def read_renames(lines):
    """[(pattern, new name)]"""
    renames = []
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        old, arrow, new = line.partition(" => ")
        if not arrow or old.count("*") > 1 or new.count("*") != old.count("*"):
            raise Unusable("renames.conf: not 'OLD => NEW', with '*' once in both or in none: %r" %
                           line)
        renames.append((old.strip(), new.strip()))
    return renames


def renamed(renames, name):
    """The new name of a test, by the first matching line; None if there is none."""
    for old, new in renames:
        before, star, behind = old.partition("*")
        if name == old:
            return new
        if star and len(name) >= len(before) + len(behind) and name.startswith(before) and \
                name.endswith(behind):
            return new.replace("*", name[len(before):len(name) - len(behind)])
    return None


def without_numbers(name):
    """The file keeps its numbers: kunit_host-16K is not kunit_host-64K."""
    file, slash, test = name.partition(" / ")
    return file + slash + NUMBERS.sub("#", test)


def take_same(old, new):
    """Remove from both counters the names that differ only in numbers."""
    left = collections.defaultdict(list)
    for name in sorted(new.elements()):
        left[without_numbers(name)].append(name)
    for name in sorted(old.elements()):
        if left[without_numbers(name)]:
            old[name] -= 1
            new[left[without_numbers(name)].pop(0)] -= 1
    return +old, +new


def compare(old, new, renames=(), page=False):
    """(lost, skipped now, new): counters of names. PAGE: names are rows, with a count for each."""
    lost, more, fresh = old.ran - new.ran, new.ran - old.ran, new.skipped - old.skipped
    if page:
        skipped = lost & fresh
    else:
        lost, more = take_same(lost, more)
        skipped = lost - take_same(lost.copy(), fresh)[0]
    lost -= skipped
    for name in list(lost):
        now = renamed(renames, name)
        if now and new.ran[now]:
            more[now] = 0
            del lost[name]
        elif now and new.skipped[now]:
            skipped[name] = lost.pop(name)
    return +lost, +skipped, +more


def show(lost, skipped, more):
    lines = []
    for title, counter in (("LOST", lost), ("skipped now", skipped)):
        for name, nr in sorted(counter.items()):
            lines.append("%s: %s%s" % (title, name, "" if nr == 1 else " (%d)" % nr))
    by_file = collections.Counter()
    for name, nr in more.items():
        by_file[name.partition(" / ")[0]] += nr
    lines += ["new: %s: %d" % item for item in sorted(by_file.items())]
    lines.append("%d lost, %d skipped now, %d new" % tuple(
        sum(counter.values()) for counter in (lost, skipped, more)))
    return "\n".join(lines)


def results_of_checkout():
    return subprocess.run(["bash", "-c", '. "$0/vm/lib.sh"; echo "$products/results"', ROOT],
                          stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def page_of(word):
    """The text of a file like TESTS.md, or of that of a commit."""
    if os.path.isfile(word):
        with open(word, encoding="utf-8") as file:
            return file.read()
    done = subprocess.run(["git", "-C", ROOT, "show", "%s:%s" % (word, TESTS)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise Unusable("'%s' is neither a folder of results, a file, nor a commit with %s" %
                       (word, TESTS))
    return done.stdout


def main(words):
    if len(words) not in (1, 2) or words[0].startswith("-"):
        raise Unusable("usage: superset.py OLD [NEW]; see the head of this file")
    old = words[0]
    folder = os.path.isdir(old)
    new = words[1] if len(words) == 2 else \
        results_of_checkout() if folder else os.path.join(ROOT, TESTS)
    if os.path.isdir(new) != folder:
        raise Unusable("one of '%s' and '%s' is a folder of results, the other is not" % (old, new))
    both = [read_folder(word) if folder else read_page(page_of(word), word) for word in (old, new)]
    with open(RENAMES, encoding="utf-8") as file:
        found = compare(*both, read_renames(file), not folder)
    print(show(*found))
    return 1 if found[0] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Unusable, OSError) as error:
        print("superset.py: %s" % error, file=sys.stderr)
        sys.exit(2)
