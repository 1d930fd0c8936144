#!/usr/bin/env python3
"""Tests of record.py: only its own section is replaced, figures and counts match the input."""

import fnmatch
import os
import sys
import tempfile

import ktap_cases
import record


def side(name, role, p50, cycles=None):
    spread = {"min": p50, "p50": p50, "p99": p50 + 1, "max": p50 + 2}
    counted = {"min": cycles, "p50": cycles, "p99": cycles, "max": cycles + 7} if cycles else None
    return {"name": name, "role": role, "time": spread, "cycles": counted}


def shape(name, *sides, unit="ns"):
    return {"name": name, "unit": unit, "sides": list(sides)}


def result(*shapes):
    return {"time": "2001-02-03T04:05:06Z", "command": "bench run",
            "system": {"kernel": "6.12", "cpus": 1, "accelerator": "tcg"},
            "result": {"shapes": list(shapes)}}


WHY = ["# comment\n", "\n", "behind object/*/pair\tthe other does less\n",
       "since object/64/* a new step\n", "since object/* never reached\n"]


def bench(lab, *shapes, baseline=None):
    return record.bench_body(lab, result(*shapes), baseline, where=lambda: "here",
                             state=lambda: "abc", reasons=record.read_reasons(WHY))


PAIR = shape("object/64/pair", side("myalloc", "ours", 10, 50), side("slub", "opponent", 30, 75),
             side("bare", "aside", 1, 1))
WORST = shape("worst/x", side("myalloc", "ours", 10, 50), unit="ns, longest")
CERTAIN = shape("frees/64/certain/pair", side("myalloc", "ours", 16, 90))
SLOW = shape("object/8/pair", side("myalloc", "ours", 10), side("slub", "opponent", 9),
             side("kmalloc", "opponent", 12))
UNKNOWN = shape("page/0/pair", side("myalloc", "ours", 10), side("slub", "opponent", 5))
BYTES = shape("memory/zone", side("myalloc", "ours", 4478704), unit="bytes")
with open(record.README, encoding="utf-8") as readme:
    README = readme.read()
BASELINE = {"shapes": {"object/64/pair": {"myalloc": 40, "slub": 1}, "worst/x": {"myalloc": 57}}}

GOOD = "KTAP version 1\n1..3\nok 1 a\nok 2 b\nok 3 c # SKIP no node\n"
BAD = "KTAP version 1\n1..2\nok 1 a\nnot ok 2 b\n"
STAGE = "KTAP version 1\n1..1\nok 1 - built\n"


def tests(said="", **files):
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for name, text in files.items():
            paths.append(os.path.join(directory, name.replace("_", "-") + ".ktap"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(text)
        return record.tests_body("6.12", paths, 125, said, where=lambda: "here", state=lambda: "abc",
                                 now="then")


def matrix(*lines, skips=(), old=([], []), legs=("6.1", "rt", "uml")):
    return record.matrix_body(lines, skips, old, legs, where=lambda: "here", state=lambda: "abc",
                              now="then")


FIRST = ("6.1  5 passed, 0 failed   7 s", "rt  10 passed, 1 failed, 2 skipped   65 s")
SKIPS = ("6.1 skipped: a / b: no | here", "rt skipped: a: no X", "rt skipped: b / c: no X",
         "rt skipped: d")


def matrix_later(*lines):
    """A run of two legs, and then one of LINES, with other sections around."""
    text = "## `make test`\n\n| rt | 1 | 1 | 1 | 1 | 1 | 1 |\n\n## `make matrix`\n\n" + \
        matrix(*FIRST, skips=SKIPS) + "\n## `make fuzz`\n\n| uml | 9 | 9 | 9 | 9 | 9 | 9 |\n"
    return matrix(*lines, old=record.matrix_rows(text))


KERNELS = "# Top\n<!-- kernels: made -->\n" \
    "| leg | Linux | machine | pages | passed | failed | skipped | date |\n" \
    "|---|---|---|---|---|---|---|---|\n%s<!-- kernels end -->\nEnd\n"


def kernels(*lines, legs="abc"):
    return record.kernels_table(KERNELS % "| a | 6.1 | amd64 | 4 KiB | 9 | 0 | 0 | once |\n",
                                lines, legs, now="today")


FREES = "# Top\n<!-- frees: made -->\n%s<!-- frees end -->\nEnd\n"


def frees(lab, *shapes, text=FREES % ""):
    return record.frees_table(text, lab, shapes)


def programs(*rows):
    made = {"time": "then", "rounds": 3, "programs": [
        {"name": name, "sides": [{"name": "glibc", "wall": 2, "cpu": 1.5, "kb": 2048},
                                 {"name": "myalloc", "wall": wall, "cpu": 1, "kb": 3072}]}
        for name, wall in rows]}
    return record.programs_body(made, 60, where=lambda: "here", state=lambda: "abc")


def scale(**more):
    row = {"cpus": 2, "mib": 1024, "spread": False, "zone_bytes": 5 << 20, "load_us": 999,
           "stats_us": 1, "walk_us": 1500, "validate_us": 47905265, "unload_us": 99400, **more}
    return record.scale_body([row] if more else [], 60, where=lambda: "here", state=lambda: "abc",
                             now="then")


def measured():
    """Names of the shapes in RESULTS.md."""
    with open(record.RESULTS, encoding="utf-8") as file:
        return {line.split("|")[1].strip().split(" ")[0] for line in file
                if line.startswith("| ") and "/" in line.split("|")[1]}


def unusable(function, *words):
    try:
        function(*words)
    except record.Unusable:
        return True
    return False


def section_twice():
    """A section written twice appears once; others are unchanged, in their order."""
    text = record.put_section("", "# Head\n\ntext\n", "make kunit", "one")
    text = record.put_section(text, "# Head\n\ntext\n", "make check", "### part\n\ntwo")
    text = record.put_section(text, "# New head\n", "make kunit", "three\n")
    return text == "# New head\n\n## `make check`\n\n### part\n\ntwo\n\n## `make kunit`\n\nthree\n"


def unknown_kept():
    """An unknown heading stays, at the end."""
    text = record.put_section("# H\n\n## By hand\n\nkept\n", "# H\n", "make check", "new")
    return text == "# H\n\n## `make check`\n\nnew\n\n## By hand\n\nkept\n"


def file_replaced():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "FILE.md")
        record.write_section(path, "# H", "make check", "one")
        record.write_section(path, "# H", "make check", "two")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        return text == "# H\n\n## `make check`\n\ntwo\n" and os.listdir(directory) == ["FILE.md"]


def orders_known():
    """The sections of the labs keep their order."""
    return all(command in record.ORDER for command, _ in record.LABS.values())


CASES = [
    ("a section is replaced, the others are not", section_twice),
    ("an unknown section is kept", unknown_kept),
    ("a file is made, and replaced", file_replaced),
    ("every lab has its place", orders_known),
    ("facts of a benchmark", lambda: all(
        "- %s\n" % line in bench("icount", PAIR) for line in
        ("date: 2001-02-03T04:05:06Z", "machine: here", "kernel: Linux 6.12, 1 CPU, tcg",
         "sources: abc", "command: `myallocctl bench run`"))),
    ("ns where time was measured",
     lambda: "| object/64/pair | 10 | 11 | 12 | 30 | 1 | 3.00 |" in bench("uml", PAIR)),
    ("instructions where they were counted",
     lambda: "| object/64/pair | 50 | 50 | 57 | 75 | 1 | 1.50 |" in bench("icount", PAIR)),
    ("the longest of the longest", lambda: "| worst/x | 57 |" in bench("icount", WORST)),
    ("another unit is told", lambda: "| memory/zone (bytes) | 4,478,704 |" in bench("uml", BYTES)),
    ("means", lambda: "| object | slub | 1 | 3.00 | 3.00 | object/64/pair |" in bench("uml", PAIR)),
    ("levels", lambda: "| objects, certain | compare-and-exchange of the state byte | refused | 90 "
     in bench("icount", PAIR, CERTAIN)),
    ("no levels where none was measured", lambda: "### How sure" not in bench("host", BYTES)),
    ("changes, with the first reason that fits",
     lambda: "| object/64/pair | 40 | 50 | +25.0 % | a new step |" in
     bench("icount", PAIR, WORST, baseline=BASELINE)),
    ("who is ahead, and why", lambda: "| object/8/pair | slub | 0.90 | the other does less |" in
     bench("uml", PAIR, SLOW)),
    ("ahead, and the reason is not known",
     lambda: "| page/0/pair | slub | 0.50 |  |" in bench("uml", UNKNOWN)),
    ("nobody is ahead", lambda: "### Where others" not in bench("uml", PAIR, BYTES)),
    ("a reason for nothing", lambda: unusable(record.read_reasons, ["since object/*"])),
    ("a reason of an unknown kind", lambda: unusable(record.read_reasons, ["now object/* why"])),
    ("each reason of the tree is for a shape that was measured", lambda: all(
        any(fnmatch.fnmatchcase(name, pattern) for name in measured())
        for _, pattern, _ in record.load_reasons())),
    ("no change", lambda: "1 of 2 shapes differ" in
     bench("icount", PAIR, WORST, baseline=BASELINE)),
    ("a result without shapes", lambda: unusable(bench, "uml")),
    ("counts of tests", lambda: "**3 passed, 1 failed, 1 skipped.**" in tests(a=GOOD, b=BAD)),
    ("a row for each file", lambda: "| a | 2 | 0 | 1 |\n| b | 1 | 1 | 0 |" in
     tests(a=GOOD, b=BAD)),
    ("stages together", lambda: "| builds and downloads | 2 | 0 | 0 |" in
     tests(stage_x=STAGE, stage_y=STAGE)),
    ("failures and skips by name", lambda: "- b / b: not ok\n" in tests(a=GOOD, b=BAD) and
     "- a / c: no node\n" in tests(a=GOOD, b=BAD)),
    ("how long", lambda: "- time: 2 min 5 s\n" in tests(a=GOOD)),
    ("a text as it is, up to an empty line", lambda: "\n    all 3/3\n" in
     tests(a=GOOD, said="all 3/3\n\nmore\n") and "more" not in
     tests(a=GOOD, said="all 3/3\n\nmore\n")),
    ("a file that is no KTAP is a failure", lambda: "0 passed, 3 failed" in tests(a="")),
    ("no file at all", lambda: unusable(tests)),
    ("legs of the matrix", lambda: "| rt | 10 | 1 | 2 | 1 min 5 s | then | abc |" in
     matrix(*FIRST)),
    ("the sum of the matrix", lambda: "**15 passed, 1 failed.**" in
     matrix(*FIRST)),
    ("rows of legs that were not run stay, the others are replaced", lambda: all(
        line in matrix_later("rt  11 passed, 0 failed   60 s") for line in
        ("**16 passed, 0 failed.**", "| 6.1 | 5 | 0 | 0 | 0 min 7 s | then | abc |\n"
         "| rt | 11 | 0 | 0 | 1 min 0 s | then | abc |\n", "- legs without a result: uml\n"))),
    ("a leg of the matrix that is gone has no row", lambda: "| 6.1 |" not in
     matrix("rt  11 passed, 0 failed   60 s", legs=("rt",),
            old=([["6.1", "5", "0", "0", "7", "then", "abc"]], [["6.1", "5", "why"]]))),
    ("reasons of skips, counted for each leg", lambda:
     "| 6.1 | 1 | no \\| here |\n| rt | 2 | no X |\n| rt | 1 | no reason was given |\n" in
     matrix(*FIRST, skips=SKIPS)),
    ("reasons of legs that were not run stay, those of the others go", lambda:
     "What was skipped:\n\n| leg | skipped | reason |\n|---|---|---|\n| 6.1 | 1 | no \\| here |\n"
     in matrix_later("rt  11 passed, 0 failed   60 s") and
     "no X" not in matrix_later("rt  11 passed, 0 failed   60 s")),
    ("a line that is no leg", lambda: unusable(matrix, "6.1 died")),
    ("no leg", lambda: unusable(matrix)),
    ("a row of README's kernels", lambda: "| b | 7.2 | arm64 | 16 KiB | 3 | 0 | 1 | today |\n" in
     kernels("b 7.2 arm64 16 3 0 1")),
    ("the rows of other legs stay, in the order of the legs", lambda: kernels(
        "b 7.2 arm64 16 3 0 1", "c 7.3 um 4 2 1 0") ==
     KERNELS % "| a | 6.1 | amd64 | 4 KiB | 9 | 0 | 0 | once |\n"
               "| b | 7.2 | arm64 | 16 KiB | 3 | 0 | 1 | today |\n"
               "| c | 7.3 | um | 4 KiB | 2 | 1 | 0 | today |\n"),
    ("a leg that is gone has no row", lambda: "| a |" not in kernels("b 7.2 arm64 16 3 0 1",
                                                                   legs="bc")),
    ("the same twice changes nothing", lambda: record.kernels_table(
        kernels("c 7.3 um 4 2 1 0"), ["c 7.3 um 4 2 1 0"], "abc", now="today") ==
     kernels("c 7.3 um 4 2 1 0")),
    ("a line that is no leg of a kernel", lambda: unusable(kernels, "b died")),
    ("no table of kernels", lambda: unusable(record.kernels_table, "text", [], "abc")),
    ("README's price of a free, in the lab's column",
     lambda: "| objects, default | refused | both may be accepted; the slot may have two users "
     "| 10 |  |\n" in frees("uml", PAIR) and "| one of the two is refused |  | 90 |\n" in
     frees("icount", CERTAIN)),
    ("prices of the other lab, and of what was not measured, stay", lambda: all(
        line in frees("icount", PAIR, text=frees("uml", PAIR, CERTAIN)) for line in
        ("may have two users | 10 | 50 |\n", "one of the two is refused | 16 |  |\n",
         "# Top\n<!-- frees: made -->\n| ", "|\n<!-- frees end -->\nEnd\n"))),
    ("README.md has both tables", lambda: all(
        pattern.search(README) for pattern in (record.FREES, record.KERNELS))),
    ("no table of frees", lambda: unusable(record.frees_table, "text", "uml", [PAIR])),
    ("programs, side by side", lambda: all(
        line in programs(("gcc", 2.5)) for line in
        ("medians of 3 rounds", "| program | glibc | myalloc |", "| gcc | 2.00 | 2.50 |",
         "| gcc | 1.50 | 1.00 |", "| gcc | 2.0 | 3.0 |"))),
    ("no program", lambda: unusable(programs)),
    ("figures of many CPUs", lambda:
        "| 1 GiB | 2 | 5 MiB (0.488 %) | 22.3 KiB (0.00213 %) | 64 | 17 % | 6 | "
        "999 µs | 1 µs | 1.5 ms | 48 s | 99 ms |" in
        scale(cache_bytes=22848, magazine_objects=64, out_of_reach=0.17, drain_calls=6)),
    ("figures of chunks that are far apart", lambda:
        "| 1 GiB, chunks 64 GiB apart | 2 | 5 MiB (0.488 %) |  |  |  |  | 999 µs |" in
        scale(spread=True)),
    ("no figures", lambda: unusable(scale)),
]


if __name__ == "__main__":
    sys.exit(ktap_cases.run([(name, lambda case=case: bool(case()), True)
                             for name, case in CASES], "record: "))
