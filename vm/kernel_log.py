#!/usr/bin/env python3
"""Find messages in a kernel's log that a healthy kernel does not print.

Usage: kernel_log.py [--allow REGEX]... FILE...
       kernel_log.py --emulator FILE

Prints each finding with the lines around it. Exit status 0: nothing found;
1: something found; 2: a file could not be read. A message matched by --allow is
one that a test provoked on purpose.

--emulator: exit status 0 if the kernel died of a breakpoint that is not in its code.

Limit: it recognizes only the words below. The taint flags, which the harness also checks, do not
depend on words.
"""

import re
import sys

# Each is matched at the start of a message, after time stamp and caller.
TROUBLE = [
    r"WARNING: ",
    r"BUG: ",
    r"BUG \S+.*\(",                             # SLUB's reports
    r"kernel BUG at ",
    r"Oops: ",
    r"Kernel panic",
    r"Unable to handle ",
    r"general protection fault",
    r"(double fault|stack segment|invalid opcode|divide error): ",
    r"UBSAN: ",
    r"INFO: task .* blocked for more than ",
    r"INFO: (possible|inconsistent|suspicious|trying to register) ",
    r"INFO: (HARDIRQ|SOFTIRQ|RECLAIM)",
    r"INFO: lockdep is turned off",
    r"DEBUG_LOCKS_WARN_ON",
    r"rcu: INFO: .*(stall|self-detected)",
    r"rcu: .*(stalls? on CPUs|kthread starved)",
    r"watchdog: ",
    r"NMI watchdog: .*(LOCKUP|lockup)",
    r"workqueue: .*(stall|hogged)",
    r"BUG: workqueue lockup",
    r"refcount_t: ",
    r"list_(add|del) corruption",
    r"kmemleak: \d+ new suspected memory leak",
    r"kmemleak: .*(disabled|out of memory)",
    r"ODEBUG: ",
    r"Stack depot reached limit",
    r"page allocation failure",
    r"\S+: page allocation failure",
    r"Out of memory: ",
    r"\S+ invoked oom-killer",
    r"Bad page (state|map)",
    r"(sched|scheduling): .*while atomic",
    r"sleeping function called",
    r"do not call blocking ops",
    r"initcall .* returned with (preemption imbalance|disabled interrupts)",
    r"irq \d+: nobody cared",
    r"Memory corruption",
    r".*segfault at ",
    r"traps: ",
    r"\S+\[\d+\]: .*vsyscall",
    r"sysfs: cannot create duplicate",
    r"debugfs: .*already present",
    r"kobject: .*does not have a release",
    r"------------\[ cut here \]",
    r"guest: the kernel's log lost lines",
]

# A time stamp, perhaps a caller (PRINTK_CALLER), perhaps a syslog level.
PREFIX = re.compile(r"^(<\d+>)?(\[ *\d+\.\d+\])?(\[ *[TC]\d+\])? ?")
FOUND = re.compile("|".join("(?:%s)" % p for p in TROUBLE))

# "watchdog: " is also the prefix of the detector's startup message, and the nvram of a new ppc64
# machine is empty.
HARMLESS = re.compile(
    r"watchdog: (Delayed init|Disabling watchdog|Enabled|Perf NMI|CPU\d+: )"
    r"|NMI watchdog: (Enabled|Perf)"
    r"|kmemleak: .*disabled by"
    r"|WARNING: nvram corruption detected: 0-length partition")

AROUND = 25

# The kernel patches its code in steps, and the first step writes a breakpoint. An emulator with a
# thread for each CPU may execute that breakpoint from a stale translation of the code, after the
# kernel has finished and no longer knows the breakpoint. Evidence for this: the instruction before
# the reported address, which should be the breakpoint (cc), is a different one.
BREAKPOINT = re.compile(r"Oops: int3: ")
CODE = re.compile(r"Code: .*?\b([0-9a-f]{2}) <[0-9a-f]{2}>")


def find(lines, allowed=()):
    """The indices of lines with errors."""
    found = []
    for i, line in enumerate(lines):
        text = line[PREFIX.match(line).end():]
        if not FOUND.match(text) or HARMLESS.match(text):
            continue
        if any(re.search(a, text) for a in allowed):
            continue
        found.append(i)
    return found


def emulator_died(lines):
    """Is the first error a breakpoint that is not in the kernel's code?"""
    found = find(lines)
    if not found or not BREAKPOINT.search(lines[found[0]]):
        return False
    codes = filter(None, map(CODE.search, lines[found[0]:]))
    return next((code.group(1) != "cc" for code in codes), False)


def read(name):
    """The lines of a log."""
    with open(name, encoding="utf-8", errors="replace") as f:
        return f.read().replace("\r", "").split("\n")


def show(lines, found, out):
    """The lines around each finding, each line once."""
    last = -1
    for i in found[:40]:
        first = max(last + 1, i - 3)
        if first > last + 1 and last >= 0:
            out.write("    ...\n")
        for j in range(first, min(len(lines), i + AROUND)):
            out.write("%s %s\n" % ("  >" if j in found else "   ", lines[j]))
            last = j


def main():
    if sys.argv[1:2] == ["--emulator"]:
        return 0 if emulator_died(read(sys.argv[2])) else 1
    allowed, files = [], []
    words = iter(sys.argv[1:])
    for word in words:
        if word == "--allow":
            allowed.append(next(words))
        else:
            files.append(word)
    status = 0
    for name in files:
        try:
            lines = read(name)
        except OSError as e:
            print("%s: %s" % (name, e.strerror), file=sys.stderr)
            return 2
        found = find(lines, allowed)
        if found:
            status = 1
            print("%s: %d line(s) that a healthy kernel does not say:"
                  % (name, len(found)))
            show(lines, found, sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main())
