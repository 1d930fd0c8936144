#!/usr/bin/env python3
"""Record measurements and test results in the tree, with machine, kernel and date.

Usage: record.py bench LAB RESULT.json [BASELINE.json]   a section of vm/bench/RESULTS.md
       record.py tests COMMAND GUEST KTAP...             a section of vm/TESTS.md
       record.py matrix TABLE SKIPS                      rows of a section of vm/TESTS.md
       record.py kernels LEGS                            rows of the table in README.md
       record.py programs RESULT.json                    a section of vm/bench/RESULTS.md
       record.py scale RESULT.json                       a section of vm/bench/RESULTS.md

LAB: uml, kvm, icount, host. RESULT: written by 'myallocctl -o RESULT.json bench run' or by
bench/host.py; that of programs by programs.py; that of scale has the lines of
'cpus_test --figures'. COMMAND: the command, such as 'make check'. GUEST: the kernels of the guests, or
'-' if there was none. TABLE: the output of vm/matrix.sh; SKIPS: its lines 'leg skipped: path: reason'; LEGS: its lines
'leg release architecture KiB-of-a-page passed failed skipped'. RECORD_SECONDS: how long it took.
RECORD_TEXT: a file whose first lines, up to an empty one, are copied as they are.

'bench' also writes the price of a free into README.md, where LAB is uml or icount: one column each.

README.md's table of kernels, between two comments, and the section 'make matrix' have a row for each
leg of vm/matrix.conf that was ever recorded, in that order; rows of legs that were not run stay as
they are.

A section begins with its heading and ends before the next one. Each command replaces its own
section and leaves the others unchanged. Exit status: 0; 2 if the input cannot be used.
"""

import collections
import fnmatch
import json
import math
import os
import platform
import re
import subprocess
import sys
import time

import ktap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "vm", "bench", "RESULTS.md")
TESTS = os.path.join(ROOT, "vm", "TESTS.md")
README = os.path.join(ROOT, "README.md")
LEGS = os.path.join(ROOT, "vm", "matrix.conf")
REASONS = os.path.join(ROOT, "vm", "bench", "reasons.conf")

RESULTS_HEAD = """# What was measured

`RECORD=1 make bench`, `bench-icount`, `bench-host`, `bench-kvm`, `bench-scale` and `programs` write
this file: each replaces its own section. Figures are medians over rounds that take turns with the opponent's
in the same kernel. They are of one machine; the ratios are what carries over. `myallocctl bench
list` says what each shape does.

These figures do not say that the other allocators are worse. SLUB and the page allocator serve the
whole machine, reclaim memory, charge it to cgroups, balance NUMA nodes, and have no fixed size; malloc
libraries find the size of a block from its address. On the other hand, each free of myalloc checks
that the address is a live object of the cache, which SLUB does only with `slab_debug`. In user mode
Linux, masking interrupts is a system call, so allocators that mask them look slower than on
hardware. An emulator counts instructions, not cache misses.
"""
TESTS_HEAD = """# What was tested

`RECORD=1 make test`, and every other command that is named here, writes this file: each replaces
its own section. A section tells what was true of one commit on one machine.
"""

LABS = {
    "uml": ("make bench", "ns per operation; the kernel runs as a process (user mode Linux)"),
    "kvm": ("make bench-kvm", "ns per operation, in a guest under KVM"),
    "icount": ("make bench-icount",
               "instructions per operation, counted by an emulator (QEMU, -icount); "
               "of the longest operation, the longest"),
    "host": ("make bench-host", "ns per operation of the core as a native program"),
}
ORDER = ["make bench", "make bench-icount", "make bench-kvm", "make bench-host", "make bench-scale",
         "make programs",
         "make test", "make check", "make kunit", "make scenarios", "make exhaustive",
         "make coverage", "make mutants", "make models", "make tsan", "make fuzz",
         "make big-endian", "make lifecycle", "make ioctl-fuzz", "make matrix", "make coverage-mod"]

# Levels of safety: name, how a free claims, the outcome of two frees of the same memory, and the
# shape that measures the cost.
LEVELS = (
    ("objects, trusting", "not at all", "found when the slot is flushed", "frees/64/trusting/%s"),
    ("objects, default", "plain load and store",
     "refused, unless both overlap within some hundred cycles", "object/64/%s"),
    ("objects, certain", "compare-and-exchange of the state byte", "refused",
     "frees/64/certain/%s"),
    ("pages of order 0", "compare-and-exchange of the tag", "refused", "page/0/%s"),
)
# Text of README.md for each of LEVELS: a later second free, and one at the same moment.
README_LEVELS = {
    "objects, trusting": ("objects, `MYALLOC_TRUSTING`",
                          "accepted, found when the slot is flushed", "likewise"),
    "objects, default": ("objects, default", "refused",
                         "both may be accepted; the slot may have two users"),
    "objects, certain": ("objects, `MYALLOC_CERTAIN`", "refused", "one of the two is refused"),
    "pages of order 0": ("pages of order 0, from a magazine", "refused",
                         "one of the two is refused"),
}
README_LABS = {"uml": "ns, `make bench`", "icount": "instructions, `make bench-icount`"}
PICTURES = {"uml": "ratios.svg", "icount": "instructions.svg"}    # copied by vm/bench.sh
LEVEL_PATTERNS = ("pair", "batch-10", "batch-1000/shuffled")
CHANGE = 0.01


class Unusable(Exception):
    """The input is incomplete."""


def heading(command):
    return "## `%s`" % command


def put_section(text, head, command, body):
    """The file's text with the section of this command replaced, or put in its place."""
    sections = collections.OrderedDict()
    name = None
    for line in text.splitlines():
        if line.startswith("## "):
            name = line
            sections[name] = []
        elif name:
            sections[name].append(line)
    kept = {name: "\n".join(lines).strip("\n") for name, lines in sections.items()}
    kept[heading(command)] = body.strip("\n")
    known = [heading(c) for c in ORDER if heading(c) in kept]
    others = [name for name in kept if name not in known]
    parts = [head.strip("\n")]
    for name in known + others:
        parts.append(name + "\n\n" + kept[name])
    return "\n\n".join(parts) + "\n"


def write_section(path, head, command, body):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        text = ""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(put_section(text, head, command, body))
    os.replace(path + ".new", path)
    print("recorded in %s: %s" % (os.path.relpath(path, ROOT), command), file=sys.stderr)


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def command_output(*words):
    try:
        return subprocess.run(words, check=True, text=True, cwd=ROOT, stderr=subprocess.DEVNULL,
                              stdout=subprocess.PIPE).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def commit():
    """The state of the sources, ignoring the files that this program writes."""
    name = command_output("git", "rev-parse", "--short", "HEAD")
    changed = command_output("git", "status", "--porcelain", "--untracked-files=no", "--", ".",
                             ":!vm/TESTS.md", ":!vm/bench/RESULTS.md", ":!README.md")
    return (name or "no commit") + (" with changes" if changed else "")


def cpus(number):
    return "1 CPU" if number == 1 else "%d CPUs" % number


def machine():
    return "%s, %s, Linux %s" % (processor(), cpus(os.cpu_count()), platform.release())


def facts(rows):
    return "".join("- %s: %s\n" % row for row in rows if row[1])


def took(seconds):
    return "%d min %d s" % divmod(int(seconds), 60) if seconds else ""


# --- benchmarks -------------------------------------------------------------------------


def figure(lab, shape, side, which="p50"):
    """Instructions, in the lab that counts them; otherwise the measured time."""
    if lab == "icount" and side["cycles"]:
        if which == "p50" and shape["unit"] == "ns, longest":
            which = "max"
        return side["cycles"][which]
    return side["time"][which] if side["time"] else None


def number(value):
    if value is None:
        return ""
    if value == int(value) or value >= 1000:
        return "{:,.0f}".format(value)
    return "%.1f" % value if value >= 10 else "%.3g" % value


def sides_of(shapes):
    names = []
    for shape in shapes:
        for side in shape["sides"]:
            if side["role"] != "ours" and side["name"] not in names:
                names.append(side["name"])
    return names


def ours(shape):
    return next((side for side in shape["sides"] if side["role"] == "ours"), None)


def ratios(lab, shape):
    """{opponent: theirs over ours}"""
    mine = ours(shape) and figure(lab, shape, ours(shape))
    if not mine:
        return {}
    found = {}
    for side in shape["sides"]:
        theirs = figure(lab, shape, side)
        if side["role"] == "opponent" and theirs:
            found[side["name"]] = theirs / mine
    return found


def family(shape):
    return shape["name"].split("/")[0]


def means(lab, shapes):
    rows = []
    for kind in collections.OrderedDict.fromkeys(family(s) for s in shapes):
        # Less memory is better too, but the shapes of memory are not operations.
        if kind in ("memory", "worst"):
            continue
        every = {}
        for shape in shapes:
            found = ratios(lab, shape)
            if family(shape) != kind or not found:
                continue
            every.setdefault("the fastest", []).append((min(found.values()), shape["name"]))
            for name, ratio in found.items():
                every.setdefault(name, []).append((ratio, shape["name"]))
        for name, values in every.items():
            least = min(values)
            mean = math.exp(sum(math.log(r) for r, _ in values) / len(values))
            rows.append((kind, name, str(len(values)), "%.2f" % mean, "%.2f" % least[0], least[1]))
    return table(("shapes", "against", "number", "theirs over ours, geometric mean", "least",
                  "where"), rows)


def levels(lab, shapes):
    by_name = {shape["name"]: shape for shape in shapes}
    rows = []
    for name, claim, finds, pattern in LEVELS:
        cells = []
        for what in LEVEL_PATTERNS:
            shape = by_name.get(pattern % what)
            cells.append(number(figure(lab, shape, ours(shape))) if shape else "")
        if any(cells):
            rows.append((name, claim, finds, *cells))
    if not rows:
        return ""
    what = tuple("alloc + free, `%s`" % p for p in LEVEL_PATTERNS)
    return "\n### How sure a free is, and its price\n\n" + \
        table(("level", "how a free claims", "a second free of the same thing") + what, rows)


FREES = re.compile(r"(<!-- frees: [^\n]* -->\n)(.*?)(<!-- frees end -->\n)", re.DOTALL)


def frees_table(text, lab, shapes):
    """README's TEXT with the column of this lab replaced where it was measured."""
    found = FREES.search(text)
    if not found:
        raise Unusable("README.md has no table of frees")
    old = {}
    for line in found.group(2).splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        old[cells[0]] = cells[-len(README_LABS):]
    by_name = {shape["name"]: shape for shape in shapes}
    rows = []
    for name, _, _, pattern in LEVELS:
        words = README_LEVELS[name]
        prices = old.get(words[0], [""] * len(README_LABS))
        shape = by_name.get(pattern % "pair")
        if shape:
            prices[list(README_LABS).index(lab)] = \
                number(figure(lab, shape, ours(shape))).removesuffix(".0")
        rows.append((*words, *prices))
    body = table(("alloc + free of", "a second free, later", "at the same moment",
                  *README_LABS.values()), rows)
    return text[:found.end(1)] + body + text[found.start(3):]


def shape_tables(lab, shapes):
    text = ""
    for kind in collections.OrderedDict.fromkeys(family(s) for s in shapes):
        these = [s for s in shapes if family(s) == kind]
        others = sides_of(these)
        rows = []
        for shape in these:
            mine = ours(shape)
            if not mine or figure(lab, shape, mine) is None:
                continue
            by_name = {side["name"]: side for side in shape["sides"]}
            found = ratios(lab, shape)
            unit = "" if shape["unit"].startswith("ns") else " (%s)" % shape["unit"]
            rows.append([shape["name"] + unit, number(figure(lab, shape, mine)),
                         number(figure(lab, shape, mine, "p99")),
                         number(figure(lab, shape, mine, "max"))] +
                        [number(figure(lab, shape, by_name[n])) if n in by_name else ""
                         for n in others] +
                        ["%.2f" % min(found.values()) if found else ""])
        text += "\n### %s\n\n" % kind + table(
            ["shape", "myalloc", "p99", "max"] + others + ["least ratio"], rows)
    return text


def read_reasons(lines):
    """[(kind, pattern of shapes, reason)], as reasons.conf has them."""
    reasons = []
    for line in lines:
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3 or words[0] not in ("since", "behind"):
            raise Unusable("reasons.conf: not 'since' or 'behind', a pattern and a reason: %r" %
                           line.strip())
        reasons.append((words[0], words[1], words[2].strip()))
    return reasons


def load_reasons():
    with open(REASONS, encoding="utf-8") as file:
        return read_reasons(file)


def reason(reasons, kind, name):
    """The first matching reason; empty if none is known."""
    return next((why for k, pattern, why in reasons
                 if k == kind and fnmatch.fnmatchcase(name, pattern)), "")


def behind(lab, shapes, reasons):
    """The shapes in which another is ahead by 1 % or more, and why."""
    rows = []
    for shape in shapes:
        found = ratios(lab, shape)
        if found and min(found.values()) <= 1 - CHANGE:
            name = min(found, key=found.get)
            rows.append((shape["name"], name, "%.2f" % found[name],
                         reason(reasons, "behind", shape["name"])))
    if not rows:
        return ""
    return "\n### Where others are ahead\n\n" + \
        table(("shape", "ahead", "theirs over ours", "reason"), rows)


def changes(shapes, baseline, reasons):
    """Ours, old and new, where they differ by 1 % or more, and why."""
    rows, logs = [], []
    for shape in shapes:
        old = baseline["shapes"].get(shape["name"], {}).get("myalloc")
        mine = ours(shape)
        if not old or not mine or not mine["cycles"]:
            continue
        new = figure("icount", shape, mine)
        logs.append(math.log(new / old))
        if abs(new - old) >= CHANGE * old:
            rows.append((shape["name"], number(old), number(new),
                         "%+.1f %%" % (100 * (new - old) / old),
                         reason(reasons, "since", shape["name"])))
    text = "\n### Against the baseline\n\n"
    text += "Ours, geometric mean of new over old: %.4f; %d of %d shapes differ by 1 %% or more." \
        % (math.exp(sum(logs) / max(len(logs), 1)), len(rows), len(logs))
    return text + ("\n\n" + table(("shape", "old", "new", "change", "reason"), rows) if rows else "\n")


def bench_body(lab, result, baseline=None, where=machine, state=commit, reasons=None):
    reasons = load_reasons() if reasons is None else reasons
    shapes = result["result"].get("shapes")
    if not shapes:
        raise Unusable("no shapes in this result")
    system = result["system"]
    body = LABS[lab][1][0].upper() + LABS[lab][1][1:] + ".\n\n" + facts((
        ("date", result["time"]),
        ("machine", where()),
        ("kernel", "Linux %s, %s%s" % (
            system["kernel"], cpus(system["cpus"]),
            ", " + system["accelerator"] if lab in ("icount", "kvm") else "")
            if lab != "host" else None),
        ("sources", state()),
        ("command", "`myallocctl %s`" % result["command"] if result.get("command") else None),
    ))
    body += "\n" + means(lab, shapes)
    if lab in PICTURES:
        body += "\n![theirs over ours, for each shape](%s)\n" % PICTURES[lab]
    body += levels(lab, shapes)
    body += behind(lab, shapes, reasons)
    if baseline:
        body += changes(shapes, baseline, reasons)
    return body + shape_tables(lab, shapes)


# --- programs ---------------------------------------------------------------------------

PROGRAM_FIGURES = (("wall", "seconds passed", 1, "%.2f"),
                   ("cpu", "seconds of CPU, user and system", 1, "%.2f"),
                   ("kb", "peak memory of the largest process, MiB", 1024, "%.1f"))


def programs_body(result, seconds, where=machine, state=commit):
    programs = result["programs"]
    if not programs:
        raise Unusable("no programs in this result")
    names = [side["name"] for side in programs[0]["sides"]]
    body = "Programs from Debian with each library as their malloc(), medians of %d rounds. The\n" \
        "output was the same each time. A soak and a measurement: the library is not a product.\n" \
        "`vm/programs.conf` says what they do. Seconds passed include what else the machine did.\n" \
        "\n" % result["rounds"]
    body += facts((
        ("date", result["time"]),
        ("machine", where()),
        ("sources", state()),
        ("time", took(seconds)),
    ))
    for what, title, unit, form in PROGRAM_FIGURES:
        body += "\n### %s\n\n" % title + table(
            ["program"] + names,
            [[p["name"]] + [form % (side[what] / unit) for side in p["sides"]] for p in programs])
    return body


# --- scale ------------------------------------------------------------------------------


def duration(us):
    """Three digits are more than the precision of a single measurement."""
    for unit, name in ((1e6, "s"), (1e3, "ms")):
        if us >= unit:
            return ("%.1f %s" if us < 9.95 * unit else "%.0f %s") % (us / unit, name)
    return "%d µs" % us


def size(count):
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            value = count / unit
            return ("%d %s" if value == int(value) or value >= 100 else "%.3g %s") % (value, name)
    return "%d" % count


def share(part, whole):
    return "%.3g %%" % (100 * part / whole)


def scale_row(row):
    reserve = row["mib"] << 20
    used = "cache_bytes" in row
    return [
        size(reserve) + (", chunks 64 GiB apart" if row["spread"] else ""), str(row["cpus"]),
        "%s (%s)" % (size(row["zone_bytes"]), share(row["zone_bytes"], reserve)),
        "%s (%s)" % (size(row["cache_bytes"]), share(row["cache_bytes"], reserve)) if used else "",
        str(row["magazine_objects"]) if used else "",
        share(row["out_of_reach"], 1) if used else "",
        str(row["drain_calls"]) if used else "",
    ] + [duration(row[what + "_us"]) for what in ("load", "stats", "walk", "validate", "unload")]


def scale_body(rows, seconds, where=machine, state=commit, now=None):
    if not rows:
        raise Unusable("no figures in this result")
    return "The core as a native program, on simulated CPUs and memory; each figure is a single\n" \
        "measurement. The columns: metadata of the zone, and of one cache that all CPUs use often,\n" \
        "both also as a share of the reserve; objects in each of its magazines; what magazines\n" \
        "may keep from other CPUs after each CPU has used 100 caches; interrupts to a CPU when all\n" \
        "magazines are drained; and the time to make the zone, to read its statistics, to visit all\n" \
        "blocks (as the file `owners` does), to validate, and to end it.\n\n" + facts((
            ("date", now or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
            ("machine", where()),
            ("sources", state()),
            ("time", took(seconds)),
        )) + "\n" + table(
            ["reserve", "CPUs", "zone", "cache", "magazine", "out of reach", "interrupts", "make",
             "statistics", "walk", "validate", "end"], [scale_row(row) for row in rows])


# --- tests ------------------------------------------------------------------------------


def read_ktap(path):
    total = ktap.Sum()
    name = os.path.splitext(os.path.basename(path))[0]
    with open(path, encoding="utf-8", errors="replace") as file:
        ktap.read(name, file, total)
    return total


def group_of(path):
    """Group of a small result, of which there is one for each guest or build."""
    name = os.path.splitext(os.path.basename(path))[0]
    if name.startswith("stage-"):
        return "builds and downloads"
    if name.endswith("-guest"):
        return "guests: booted, ended, kernel log clean"
    return name


def tests_body(guest, paths, seconds, text="", where=machine, state=commit, now=None):
    if not paths:
        raise Unusable("no results")
    whole = ktap.Sum()
    groups = collections.OrderedDict()
    for path in paths:
        got = read_ktap(path)
        group = groups.setdefault(group_of(path), [0, 0, 0])
        for i, n in enumerate((got.passed, got.failed, got.skipped)):
            group[i] += n
        whole.passed += got.passed
        whole.skipped += got.skipped
        whole.failures += got.failures
        whole.skips += got.skips
    body = "**%s.**\n\n" % whole.line() + facts((
        ("date", now or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
        ("machine", where()),
        ("guests", guest if guest != "-" else None),
        ("sources", state()),
        ("time", took(seconds)),
    ))
    body += "\n" + table(("results", "passed", "failed", "skipped"),
                         [(name, *("{:,}".format(n) for n in counts))
                          for name, counts in groups.items()])
    if text:
        body += "\n" + "".join("    %s\n" % line for line in text.split("\n\n")[0].splitlines())
    if whole.failures:
        body += "\nFailed:\n\n" + "".join("- %s: %s\n" % f for f in whole.failures)
    if whole.skips:
        body += "\nSkipped:\n\n" + "".join("- %s\n" % name for name in whole.skips)
    return body


MATRIX_COLUMNS = ("leg", "passed", "failed", "skipped", "time", "date", "sources")
SKIP_COLUMNS = ("leg", "skipped", "reason")


def matrix_rows(text):
    """The rows of the section in TEXT, which is that of TESTS.md: (results, skips)."""
    section = text.partition(heading("make matrix") + "\n")[2].partition("\n## ")[0]
    found = {len(MATRIX_COLUMNS): [], len(SKIP_COLUMNS): []}
    for line in section.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        if line.startswith("| ") and cells[0] != "leg":
            found.get(len(cells), []).append([cell.replace("\\|", "|") for cell in cells])
    return found[len(MATRIX_COLUMNS)], found[len(SKIP_COLUMNS)]


def matrix_skips(lines):
    """LINES: 'leg skipped: path: reason'. One row for each leg and reason."""
    counts = collections.Counter()
    for line in lines:
        leg, _, rest = line.partition(" skipped: ")
        counts[leg, rest.partition(": ")[2].strip() or "no reason was given"] += 1
    return [[leg, str(n), why] for (leg, why), n in counts.items()]


def matrix_body(lines, skips, old, legs, state=commit, where=machine, now=None):
    """LINES: leg, 'N passed, N failed[, N skipped]', seconds, 's'. They and SKIPS replace the
    rows of their legs in OLD, the result of matrix_rows(). LEGS: all names, in their order."""
    rows = {row[0]: row for row in old[0]}
    ran = set()
    for line in lines:
        words = line.replace(",", "").split()
        if len(words) < 7 or words[2] != "passed" or words[4] != "failed":
            raise Unusable("no line of vm/matrix.sh: %r" % line)
        skipped = words[5] if words[6] == "skipped" else "0"
        ran.add(words[0])
        rows[words[0]] = [words[0], words[1], words[3], skipped, took(int(words[-2])),
                          now or time.strftime("%Y-%m-%d", time.gmtime()), state()]
    if not ran:
        raise Unusable("no leg was run")
    results = [rows[leg] for leg in legs if leg in rows]
    why = [row for row in old[1] if row[0] not in ran] + matrix_skips(skips)
    why = [row for leg in legs for row in why if row[0] == leg]
    return "**%d passed, %d failed.**\n\n" % tuple(
        sum(int(row[column]) for row in results) for column in (1, 2)) + facts((
            ("machine", where()),
            ("legs without a result", ", ".join(leg for leg in legs if leg not in rows)),
        )) + "\nWhat a leg is: `vm/matrix.conf`. A run of some legs replaces their rows, and each row\n" \
        "tells its commit.\n\n" + table(MATRIX_COLUMNS, results) + \
        ("\nWhat was skipped:\n\n" + table(SKIP_COLUMNS, why) if why else "")


KERNELS = re.compile(r"(<!-- kernels: [^\n]* -->\n)(.*?)(<!-- kernels end -->\n)", re.DOTALL)


def kernels_table(text, lines, legs, now=None):
    """README's TEXT with the rows of these legs replaced; LEGS: all names, in their order."""
    found = KERNELS.search(text)
    if not found:
        raise Unusable("README.md has no table of kernels")
    rows = {}
    for line in found.group(2).splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0]] = cells
    for line in lines:
        words = line.split()
        if len(words) != 7 or not words[3].isdigit():
            raise Unusable("no leg of vm/matrix.sh: %r" % line)
        leg, release, machine, page, passed, failed, skipped = words
        rows[leg] = [leg, release, machine, page + " KiB", passed, failed, skipped,
                     now or time.strftime("%Y-%m-%d", time.gmtime())]
    body = table(("leg", "Linux", "machine", "pages", "passed", "failed", "skipped", "date"),
                 [rows[leg] for leg in legs if leg in rows])
    return text[:found.end(1)] + body + text[found.start(3):]


def write_readme(what, change):
    with open(README, encoding="utf-8") as file:
        text = change(file.read())
    with open(README + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(README + ".new", README)
    print("recorded in README.md: %s" % what, file=sys.stderr)


def matrix_legs():
    with open(LEGS, encoding="utf-8") as file:
        return [line.split()[0] for line in file if line[:1] not in "# \n"]


def write_kernels(lines):
    write_readme("kernels", lambda text: kernels_table(text, lines, matrix_legs()))


def write_matrix(lines, skips):
    with open(TESTS, encoding="utf-8") as file:
        old = matrix_rows(file.read())
    write_section(TESTS, TESTS_HEAD, "make matrix", matrix_body(lines, skips, old, matrix_legs()))


def load(name):
    with open(name, encoding="utf-8") as file:
        return json.load(file)


def main(words):
    seconds = int(os.environ.get("RECORD_SECONDS") or 0)
    if words[:1] == ["bench"] and len(words) in (3, 4) and words[1] in LABS:
        lab = words[1]
        result = load(words[2])
        body = bench_body(lab, result, load(words[3]) if len(words) == 4 else None)
        write_section(RESULTS, RESULTS_HEAD, LABS[lab][0], body)
        if lab in README_LABS:
            write_readme("frees", lambda text: frees_table(text, lab, result["result"]["shapes"]))
    elif words[:1] == ["tests"] and len(words) > 3:
        text = ""
        if os.environ.get("RECORD_TEXT"):
            with open(os.environ["RECORD_TEXT"], encoding="utf-8") as file:
                text = file.read()
        write_section(TESTS, TESTS_HEAD, words[1], tests_body(words[2], words[3:], seconds, text))
    elif words[:1] == ["programs"] and len(words) == 2:
        write_section(RESULTS, RESULTS_HEAD, "make programs",
                      programs_body(load(words[1]), seconds))
    elif words[:1] == ["scale"] and len(words) == 2:
        with open(words[1], encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        write_section(RESULTS, RESULTS_HEAD, "make bench-scale", scale_body(rows, seconds))
    elif words[:1] == ["kernels"] and len(words) == 2:
        with open(words[1], encoding="utf-8") as file:
            write_kernels(file.read().splitlines())
    elif words[:1] == ["matrix"] and len(words) == 3:
        with open(words[1], encoding="utf-8") as lines, open(words[2], encoding="utf-8") as skips:
            write_matrix(lines.read().splitlines(), skips.read().splitlines())
    else:
        raise Unusable("wrong words; see the head of this file")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Unusable, OSError, ValueError, KeyError) as error:
        print("record.py: %s" % error, file=sys.stderr)
        sys.exit(2)
