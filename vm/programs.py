#!/usr/bin/env python3
"""Run real programs with this allocator and others as their malloc(), and compare.

Usage: programs.py CONF LIBRARY SOURCES OUT

CONF: programs.conf. LIBRARY: lib/host_malloc's. SOURCES: a copy of lib/, for the
compiler to compile. OUT: a directory; it gets programs.ktap,
result.json and table.txt. ROUNDS (3): rounds in which the libraries take turns. ONLY: names of
programs.

Each program first runs with glibc, with whose output all others are compared, then with this
allocator, which validates its zone at the end of each process. The rounds with every library
follow, and each run's output is compared. Times are those of the shell and all its processes;
the peak is that of the largest one.
"""

import glob
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Preloading libc itself makes its malloc() come before one that the program is linked with.
LIBRARIES = (("glibc", "libc.so.6"), ("jemalloc", "libjemalloc.so.2"),
             ("tcmalloc", "libtcmalloc_minimal.so.4"), ("mimalloc", "libmimalloc.so.2*"))
# Much more than the programs take, and small enough that a validation does not take seconds.
VALIDATED = {"MYALLOC_MALLOC_VALIDATE": "1", "MYALLOC_MALLOC_MB": "1024"}
TIMEOUT = 600


def library_path(pattern):
    for directory in ("/usr/lib/" + platform.machine() + "-linux-gnu", "/lib/" +
                      platform.machine() + "-linux-gnu", "/usr/lib", "/usr/lib64"):
        found = sorted(glob.glob(os.path.join(directory, pattern)))
        if found:
            return found[0]
    return None


def read_conf(path):
    programs = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.strip().split(None, 1)
            if not words or words[0].startswith("#"):
                continue
            if len(words) != 2:
                sys.exit("%s: no command: %s" % (path, line.strip()))
            programs.append((words[0], words[1]))
    return programs


def run(command, library, sources, more=None):
    """One run: its output and status, seconds passed, seconds of CPU, KiB at the peak."""
    env = dict(os.environ, LD_PRELOAD=library, LC_ALL="C", **(more or {}))
    env.update(here=os.path.join(ROOT, "vm", "programs"), lib=os.path.abspath(sources))
    directory = tempfile.mkdtemp(prefix="myalloc-programs-")
    output = os.path.join(directory, "output")
    os.mkdir(os.path.join(directory, "work"))
    start = time.monotonic()
    with open(output, "wb") as file:
        process = subprocess.Popen(["/bin/sh", "-c", command], env=env, stdout=file,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   cwd=os.path.join(directory, "work"), start_new_session=True)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.alarm(TIMEOUT)
        _, status, usage = os.wait4(process.pid, 0)
        signal.alarm(0)
        process.returncode = status
    passed = time.monotonic() - start
    with open(output, "rb") as file:
        text = file.read()
    shutil.rmtree(directory)
    return {"status": status, "output": text, "wall": passed,
            "cpu": usage.ru_utime + usage.ru_stime, "kb": usage.ru_maxrss}


class Results:
    def __init__(self, path, planned):
        self.file = open(path, "w", encoding="utf-8")
        self.number = 0
        self.file.write("KTAP version 1\n1..%d\n" % planned)

    def put(self, ok, name):
        self.number += 1
        self.file.write("%sok %d %s\n" % ("" if ok else "not ", self.number, name))
        self.file.flush()


def differs(name, library, got, expected):
    if not got["status"] and got["output"] == expected["output"]:
        return False
    print("programs.py: %s with %s: status %#x, wrote:\n%s\ninstead of:\n%s" %
          (name, library, got["status"], got["output"].decode(errors="replace")[-2000:],
           expected["output"].decode(errors="replace")[-2000:]), file=sys.stderr)
    return True


def measure(name, command, sides, sources, rounds, results):
    """Results of one program, and the medians of each side."""
    expected = run(command, sides[0][1], sources)
    good = not expected["status"] and expected["output"]
    if not good:
        differs(name, "glibc", expected, expected)
    results.put(good, "%s: runs with glibc" % name)
    ours = dict(sides)["myalloc"]
    checked = run(command, ours, sources, VALIDATED)
    results.put(not differs(name, "myalloc, validated", checked, expected),
                "%s: same output, valid at the end" % name)
    kept = {side: [] for side, _ in sides}
    same = {side: True for side, _ in sides}
    for number in range(rounds):
        for side, library in sides:
            got = run(command, library, sources)
            same[side] = not differs(name, side, got, expected) and same[side]
            kept[side].append(got)
        print("    … %s: round %d of %d" % (name, number + 1, rounds), file=sys.stderr)
    for side, _ in sides:
        results.put(same[side], "%s: same output in every round with %s" % (name, side))
    return [{"name": side, **{what: statistics.median(r[what] for r in kept[side])
                              for what in ("wall", "cpu", "kb")}} for side, _ in sides]


def table(programs):
    names = [side["name"] for side in programs[0]["sides"]]
    lines = []
    for what, title, unit in (("wall", "seconds", 1), ("cpu", "seconds of CPU", 1),
                              ("kb", "peak, MiB", 1024)):
        lines.append("%-18s" % title + "".join("%11s" % n for n in names))
        for program in programs:
            lines.append("%-18s" % program["name"] + "".join(
                "%11.2f" % (side[what] / unit) for side in program["sides"]))
        lines.append("")
    return "\n".join(lines)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    conf, library, sources, out = sys.argv[1:]
    rounds = int(os.environ.get("ROUNDS") or 3)
    only = (os.environ.get("ONLY") or "").split()
    programs = [p for p in read_conf(conf) if not only or p[0] in only]
    sides = []
    for name, pattern in LIBRARIES:
        path = library_path(pattern)
        if not path:
            sys.exit("programs.py: %s is not installed" % name)
        sides.append((name, path))
    sides.insert(1, ("myalloc", os.path.abspath(library)))
    results = Results(os.path.join(out, "programs.ktap"), len(programs) * (2 + len(sides)))
    measured = [{"name": name, "sides": measure(name, command, sides, sources, rounds, results)}
                for name, command in programs]
    text = table(measured)
    print(text)
    with open(os.path.join(out, "table.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(out, "result.json"), "w", encoding="utf-8") as file:
        json.dump({"schema": 1, "kind": "programs", "rounds": rounds,
                   "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                   "programs": measured}, file)
        file.write("\n")


main()
