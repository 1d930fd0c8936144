#!/usr/bin/env python3
"""Tests of superset.py: tests that are no longer executed must be found. Prints KTAP."""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import ktap_cases
import superset

SUITES = """KTAP version 1
1..1
    KTAP version 1
    # Subtest: suite
    1..3
    ok 1 one
    not ok 2 two
    ok 3 three # SKIP no node
not ok 1 suite
"""
PAGE = """# What was tested

## `make test`

**5 passed.**

| results | passed | failed | skipped |
|---|---|---|---|
| a | 1,003 | 0 | 2 |
| b | 1 | 1 | 0 |

## `make matrix`

| leg | passed | failed | time |
|---|---|---|---|
| 6.1 | 10 | 0 | 5 s |
| 6.12 | 20 | 0 | 7 s |
"""


def ktap(*names):
    return "KTAP version 1\n1..%d\n" % len(names) + "".join(
        "ok %d - %s\n" % (i, name) for i, name in enumerate(names, 1))


def write(top, files):
    for name, text in files.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def folder(files):
    with tempfile.TemporaryDirectory() as top:
        write(top, files)
        return superset.read_folder(top)


def folders(old, new, *renames):
    """(lost, skipped now, new) of two folders."""
    return tuple(dict(counter) for counter in
                 superset.compare(folder(old), folder(new), superset.read_renames(renames)))


def one(old, new, *renames):
    """The same, of the results of one file."""
    return folders({"a.ktap": ktap(*old)}, {"a.ktap": ktap(*new)}, *renames)


def pages(old, new):
    return tuple(dict(counter) for counter in
                 superset.compare(superset.read_page(old, "old"), superset.read_page(new, "new"),
                                  page=True))


def unusable(function, *words):
    try:
        function(*words)
    except superset.Unusable:
        return True
    return False


def command(*words):
    """Exit status and output of the command."""
    done = subprocess.run([superset.__file__, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def of_folders(old, new):
    with tempfile.TemporaryDirectory() as top:
        write(top, {"old/" + name: text for name, text in old.items()})
        write(top, {"new/" + name: text for name, text in new.items()})
        return command(top + "/old", top + "/new")


NONE = {}, {}, {}
CASES = [
    ("the same", lambda: one("ab", "ab"), NONE),
    ("another order", lambda: one("ab", "ba"), NONE),
    ("one that is gone", lambda: one("ab", "b"), ({"a / a": 1}, {}, {})),
    ("one that is new", lambda: one("a", "ab"), ({}, {}, {"a / b": 1})),
    ("a file that is gone", lambda: folders({"a.ktap": ktap("x"), "b.ktap": ktap("x")},
                                            {"a.ktap": ktap("x")}), ({"b / x": 1}, {}, {})),
    ("a file in another folder", lambda: folders({"p/a.ktap": ktap("x")}, {"q/a.ktap": ktap("x")}),
     ({"p/a / x": 1}, {}, {"q/a / x": 1})),
    ("one that failed was executed", lambda: folders({"a.ktap": SUITES}, {"a.ktap": ktap("x")}),
     ({"a / suite / one": 1, "a / suite / two": 1}, {}, {"a / x": 1})),
    ("one that fails now is executed", lambda: folders(
        {"a.ktap": SUITES.replace("not ok", "ok")}, {"a.ktap": SUITES}), NONE),
    ("one that was skipped is not lost", lambda: folders(
        {"a.ktap": SUITES}, {"a.ktap": SUITES.replace("    ok 3 three # SKIP no node\n", "")
                             .replace("1..3", "1..2")}), NONE),
    ("one that is skipped now", lambda: one("ab", ("a", "b # SKIP why")), ({}, {"a / b": 1}, {})),
    ("one that is not skipped any more", lambda: one(("a", "b # SKIP why"), "ab"),
     ({}, {}, {"a / b": 1})),
    ("a figure in the name", lambda: one(("takes 12.5 ns", "at 0xff0"), ("takes 9 ns", "at 0x10")),
     NONE),
    ("a figure in the name of one that is skipped", lambda: one(("takes 12 ns", "b"),
                                                                ("takes 9 ns # SKIP", "b")),
     ({}, {"a / takes 12 ns": 1}, {})),
    ("fewer that differ in a figure",
     lambda: one(("1 CPU", "2 CPUs", "3 CPUs"), ("1 CPU", "4 CPUs")), ({"a / 3 CPUs": 1}, {}, {})),
    ("figures of files differ", lambda: folders({"a-16K.ktap": ktap("x")},
                                                {"a-64K.ktap": ktap("x")}),
     ({"a-16K / x": 1}, {}, {"a-64K / x": 1})),
    ("one with another name", lambda: one("ab", "ac", "a / b => a / c"), NONE),
    ("all of a file", lambda: folders({"a.ktap": ktap("x", "y")}, {"b.ktap": ktap("x", "z")},
                                      "a / * => b / *"), ({"a / y": 1}, {}, {"b / z": 1})),
    ("two that became one", lambda: one("abc", "cd", "a / a => a / d", "a / b => a / d"), NONE),
    ("a new name that nobody has", lambda: one("ab", "a", "a / b => a / c"),
     ({"a / b": 1}, {}, {})),
    ("a new name that is skipped", lambda: one("ab", ("a", "c # SKIP"), "a / b => a / c"),
     ({}, {"a / b": 1}, {})),
    ("comments are no names", lambda: one("a", "a", "# x => y", ""), NONE),
    ("what a guest leaves is not counted twice", lambda: folders(
        {"p/a.ktap": ktap("x"), "p/a/stdout": "", "p/a/files/a.ktap": ktap("x")},
        {"p/a.ktap": ktap("x")}), NONE),
    ("a line without a new name", lambda: unusable(superset.read_renames, ["a / b"]), True),
    ("a '*' in one name only", lambda: unusable(superset.read_renames, ["a / * => b / c"]), True),
    ("no results", lambda: unusable(folder, {"x": ""}), True),
    ("pages: the same", lambda: pages(PAGE, PAGE), NONE),
    ("pages: a row with fewer", lambda: pages(PAGE, PAGE.replace("1,003", "998")),
     ({"make test / a": 5}, {}, {})),
    ("pages: a row that is gone", lambda: pages(PAGE, PAGE.replace("| b | 1 | 1 | 0 |\n", "")),
     ({"make test / b": 2}, {}, {})),
    ("pages: a section that is gone", lambda: pages(PAGE, PAGE[:PAGE.index("## `make matrix")]),
     ({"make matrix / 6.1": 10, "make matrix / 6.12": 20}, {}, {})),
    ("pages: some of a row are skipped now", lambda: pages(
        PAGE, PAGE.replace("1,003 | 0 | 2", "1,000 | 0 | 4")),
     ({"make test / a": 1}, {"make test / a": 2}, {})),
    ("pages: more", lambda: pages(PAGE, PAGE.replace("| 20 |", "| 21 |")),
     ({}, {}, {"make matrix / 6.12": 1})),
    ("pages: no table", lambda: unusable(superset.read_page, "# Text\n", "x"), True),
    ("the command, nothing is lost", lambda: of_folders(
        {"a.ktap": ktap("x", "y")}, {"a.ktap": ktap("x", "y # SKIP", "z")}),
     (0, "skipped now: a / y\nnew: a: 1\n0 lost, 1 skipped now, 1 new\n")),
    ("the command, something is", lambda: of_folders({"a.ktap": ktap("x", "y")},
                                                     {"a.ktap": ktap("x")}),
     (1, "LOST: a / y\n1 lost, 0 skipped now, 0 new\n")),
    ("the command, no results", lambda: of_folders({"a.ktap": ""}, {"a.ktap": ktap("x")})[0], 2),
    ("the command, neither folder nor commit", lambda: command("no-such-commit")[0], 2),
    ("vm/renames.conf can be read", lambda: isinstance(superset.read_renames(
        open(superset.RENAMES, encoding="utf-8")), list), True),
]


if __name__ == "__main__":
    sys.exit(ktap_cases.run(CASES, "superset: "))
