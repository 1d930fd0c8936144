#!/usr/bin/env python3
"""The core as a native program, beside malloc libraries, on the same loops.

Usage: host.py HOST_BENCH RESULT.json

Each library runs in a process of its own: host_bench with the library preloaded, or without for
glibc. Rounds alternate: ours, theirs, ours, theirs. The first round of each is discarded. All
run on one CPU. Then the same is done with new processes, whose heaps begin elsewhere: by the
chance of its layout, one process may take half as long again as the next. At last two threads on
two CPUs work on one zone. Prints a table; writes a file like that of 'myallocctl bench run -o',
with every round, so that the same plots can be drawn.
"""

import glob
import json
import math
import os
import platform
import subprocess
import sys
import time

LAYOUTS = 5
ROUNDS = 4
ROUND_NS = 2_000_000
SIZES = (8, 64, 256, 1024, 4096)
PATTERNS = (("pair", 1), ("order", 10), ("reverse", 10), ("shuffled", 10),
            ("order", 100), ("reverse", 100), ("shuffled", 100),
            ("order", 1000), ("reverse", 1000), ("shuffled", 1000), ("churn", 4096))
LIBRARIES = (("jemalloc", "libjemalloc.so.2"), ("tcmalloc", "libtcmalloc_minimal.so.4"),
             ("mimalloc", "libmimalloc.so.2*"))


class Worker:
    """One host_bench that waits for commands."""

    def __init__(self, program, name, kind, layout, library=None):
        self.name = name
        self.role = "ours" if name == "myalloc" else \
            "aside" if kind in ("by-address", "heap") else "opponent"
        env = dict(os.environ)
        if library:
            env["LD_PRELOAD"] = library
        self.process = subprocess.Popen([program, kind, str(layout)], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def round(self, pattern, size, batch, ops):
        self.process.stdin.write("%s %d %d %d\n" % (pattern, size, batch, ops))
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("host.py: %s ended in the middle of %s %d" % (self.name, pattern, size))
        return int(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def length(self, pattern, size, batch):
        """Operations that take about ROUND_NS, a multiple of the batch."""
        ops = 10 * batch
        while True:
            ns = self.round(pattern, size, batch, ops)
            if ns >= ROUND_NS / 4 or ops > 1 << 24:
                return max(int(ops * ROUND_NS / max(ns, 1)) // batch, 1) * batch
            ops *= 4


def library_path(pattern):
    for directory in ("/usr/lib/" + platform.machine() + "-linux-gnu", "/usr/lib", "/usr/lib64"):
        found = sorted(glob.glob(os.path.join(directory, pattern)))
        if found:
            return found[0]
    return None


def spread(rounds):
    values = sorted(ns / ops for ns, _, ops in rounds)
    last = len(values) - 1
    return {"min": values[0], "p50": values[last // 2],
            "p99": values[math.ceil(0.99 * len(values)) - 1], "max": values[last]}


def shape_name(pattern, size, batch):
    if pattern == "pair" or pattern == "churn":
        return "host/%d/%s" % (size, pattern)
    tail = "" if pattern == "order" else "/" + pattern
    return "host/%d/batch-%d%s" % (size, batch, tail)


def start(program, layout):
    workers = [Worker(program, "myalloc", "myalloc", layout),
               Worker(program, "glibc", "malloc", layout)]
    for name, pattern in LIBRARIES:
        path = library_path(pattern)
        if path:
            workers.append(Worker(program, name, "malloc", layout, path))
        elif not layout:
            print("host.py: %s is not installed" % name, file=sys.stderr)
    workers.append(Worker(program, "by-address", "by-address", layout))
    workers.append(Worker(program, "heap", "heap", layout))
    return workers


def measure(workers, pattern, size, batch, rounds):
    """Rounds of all workers in turn, added to those of previous layouts."""
    ops = {w.name: w.length(pattern, size, batch) for w in workers}
    for number in range(ROUNDS + 1):
        for worker in workers:
            ns = worker.round(pattern, size, batch, ops[worker.name])
            if number:
                rounds.setdefault((worker.name, worker.role), []).append(
                    (ns, 0, ops[worker.name]))


def shape(name, size, order, batch, sides):
    made = [{"name": n, "role": role, "fails": 0, "error": None, "time": spread(rounds),
             "cycles": None, "ratio": None, "rounds": [list(r) for r in rounds]}
            for n, role, rounds in sides]
    ours = next(s for s in made if s["role"] == "ours")
    for side in made:
        if side["role"] == "opponent":
            side["ratio"] = side["time"]["p50"] / ours["time"]["p50"]
    return {"name": name, "what": name, "unit": "ns", "bytes": size, "order": order,
            "batch": batch, "fill_permille": 0, "sides": made}


def zones(program, what):
    """The output of 'host_bench zone' or 'host_bench threads', one line for each round.

    malloc() asks for large pages: the kernel's tables of these zones, of 2^n bytes, lie in its direct
    map, which has them. Whether the host has any free is its affair.
    """
    env = dict(os.environ, GLIBC_TUNABLES="glibc.malloc.hugetlb=1")
    lines = subprocess.run([program, what], check=True, text=True, env=env,
                           stdout=subprocess.PIPE).stdout.splitlines()
    rounds = {}
    for line in lines:
        name, ns, ops = line.split()
        rounds.setdefault(name, []).append((int(ns), 0, int(ops)))
    return [shape(name, 0, 9 if "order-9" in name else 0, 0, [("myalloc", "ours", kept)])
            for name, kept in rounds.items()]


def table(shapes):
    names = []
    for s in shapes:
        for side in s["sides"]:
            if side["name"] not in names:
                names.append(side["name"])
    print("%-28s" % "median ns" + "".join("%13s" % n for n in names) + "   least ratio")
    logs = []
    for s in shapes:
        by_name = {side["name"]: side for side in s["sides"]}
        text = "%-28s" % s["name"]
        for n in names:
            text += "%13.2f" % by_name[n]["time"]["p50"] if n in by_name else "%13s" % "-"
        ratios = [side["ratio"] for side in s["sides"] if side["ratio"]]
        if ratios:
            logs.append(math.log(min(ratios)))
            text += "%14.2f" % min(ratios)
        print(text)
    if logs:
        print("geometric mean of the least ratios: %.2f" % math.exp(sum(logs) / len(logs)))


def zone_ratio(shapes):
    by_name = {s["name"]: s["sides"][0]["time"] for s in shapes}
    small, large = by_name.get("zone/64M/churn"), by_name.get("zone/256G/churn")
    if small and large:
        print("zone of 256 GiB over one of 64 MiB: %.2f (least: %.2f)" %
              (large["p50"] / small["p50"], large["min"] / small["min"]))


def thread_ratio(shapes):
    """How many operations two threads do in the time in which one does one."""
    by_name = {s["name"]: s["sides"][0]["time"]["p50"] for s in shapes}
    for kind, what in (("straight", "straight from one zone"),
                       ("straight-apart", "straight from a zone for each"),
                       ("magazines", "with magazines"),
                       ("magazines-apart", "with magazines of a zone for each")):
        one, two = (by_name.get("zone/64M/%s/threads-%d" % (kind, n)) for n in (1, 2))
        if one and two:
            print("two threads do %.2f times the work of one %s" % (one / two, what))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, out = sys.argv[1:]
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    started = time.time()
    measured = {(size, pattern, batch): {} for size in SIZES for pattern, batch in PATTERNS}
    for layout in range(LAYOUTS):
        workers = start(program, layout)
        for (size, pattern, batch), rounds in measured.items():
            measure(workers, pattern, size, batch, rounds)
        for worker in workers:
            worker.end()
        print("    … processes %d of %d: done" % (layout + 1, LAYOUTS), file=sys.stderr)
    shapes = [shape(shape_name(pattern, size, batch), size, 0, batch,
                    [(name, role, kept) for (name, role), kept in rounds.items()])
              for (size, pattern, batch), rounds in measured.items()]
    shapes += zones(program, "zone")
    os.sched_setaffinity(0, cpus)
    if len(cpus) > 1:
        shapes += zones(program, "threads")
    else:
        print("host.py: one CPU, so nothing is measured with two threads", file=sys.stderr)
    table(shapes)
    zone_ratio(shapes)
    thread_ratio(shapes)
    result = {"run": {"state": "done", "kernel": [], "debug": False,
                      "elapsed_ms": int(1000 * (time.time() - started))},
              "shapes": shapes}
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"schema": 1, "kind": "bench host", "ok": True,
                   "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                   "system": {"kernel": platform.release(), "machine": platform.machine(),
                              "cpus": os.cpu_count(), "accelerator": "none"},
                   "result": result}, file)
        file.write("\n")


main()
