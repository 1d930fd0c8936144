#!/usr/bin/env python3
"""The harness's own tests: every error must be reported as a failure. Prints KTAP.

Covers ktap.py, kernel_log.py, guest_channel.py, arrows.py and documented.py, on which the rest of
the harness relies to detect errors.
"""

import functools
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import arrows
import documented
import guest_channel
import kernel_log
import ktap
import ktap_cases


def sums(text):
    """(passed, failed, skipped) of a KTAP text."""
    total = ktap.Sum()
    ktap.read("t", text.splitlines(), total)
    return total.passed, total.failed, total.skipped


def skips(text):
    """The skipped tests with their reasons."""
    total = ktap.Sum()
    ktap.read("t", text.splitlines(), total)
    return total.skips


def failures(text):
    """The reasons of the failed tests."""
    total = ktap.Sum()
    ktap.read("t", text.splitlines(), total)
    return [reason for _, reason in total.failures]


K = "KTAP version 1\n"
NESTED = K + """1..1
    KTAP version 1
    # Subtest: suite
    1..2
    # module: x
    ok 1 one
    ok 2 two # SKIP not here
# suite: pass:1 fail:0 skip:1 total:2
# Totals: pass:1 fail:0 skip:1 total:2
ok 1 suite
"""
DEEP = K + """1..1
    KTAP version 1
    # Subtest: suite
    1..1
        KTAP version 1
        # Subtest: parameters
        ok 1 a
        not ok 2 b
        1..2
    not ok 1 parameters
not ok 1 suite
"""

SKIP_CASES = [
    ("a skip tells its reason", K + "1..1\nok 1 a # SKIP no KVM here\n", ["t / a: no KVM here"]),
    ("a skip without a reason", K + "1..1\nok 1 a # SKIP\n", ["t / a"]),
    ("a skip in a suite", NESTED, ["t / suite / two: not here"]),
    ("all is skipped", K + "1..0 # SKIP no tool\n", ["t: no tool"]),
]
WHY_CASES = [
    ("a failure without a word", K + "1..1\nnot ok 1 a\n", ["not ok"]),
    ("a failure tells what was said before it",
     K + "1..2\n# of the first\nok 1 a\n# one\n# two\nnot ok 2 b\n", ["not ok: one | two"]),
    ("a failure in a suite does, too",
     K + "1..1\n    # Subtest: s\n    1..1\n    # f: line 7\n    not ok 1 f\n# it\nnot ok 1 s\n",
     ["not ok: f: line 7"]),
    ("only the last words of many", K + "1..1\n# 1\n# 2\n# 3\n# 4\n# 5\nnot ok 1 a\n",
     ["not ok: 2 | 3 | 4 | 5"]),
]
KTAP_CASES = [
    ("two tests pass", K + "1..2\nok 1 a\nok 2 b\n", (2, 0, 0)),
    ("a plan at the end", K + "ok 1 - a\nok 2 - b\n1..2\n", (2, 0, 0)),
    ("one fails", K + "1..2\nok 1 a\nnot ok 2 b\n", (1, 1, 0)),
    ("one is skipped", K + "1..2\nok 1 a\nok 2 b # SKIP no\n", (1, 0, 1)),
    ("not ok with SKIP is skipped", K + "1..1\nnot ok 1 b # SKIP no\n", (0, 0, 1)),
    ("a time-out fails", K + "1..1\nok 1 b # TIMEOUT 3 s\n", (0, 1, 0)),
    ("subtests are the leaves", NESTED, (1, 0, 1)),
    ("subtests two deep", DEEP, (1, 1, 0)),
    ("cut short: fewer than planned", K + "1..3\nok 1 a\nok 2 b\n", (2, 1, 0)),
    ("more than planned", K + "1..1\nok 1 a\nok 2 b\n", (2, 1, 0)),
    ("no plan", K + "ok 1 a\n", (1, 1, 0)),
    ("no version line", "1..1\nok 1 a\n", (1, 1, 0)),
    ("an empty file", "", (0, 3, 0)),
    ("a version line and no more", K, (0, 2, 0)),
    ("a planned 0", K + "1..0 # SKIP no device\n", (0, 0, 1)),
    ("a number twice", K + "1..2\nok 1 a\nok 1 b\n", (2, 2, 0)),
    ("a name twice", K + "1..2\nok 1 a\nok 2 a\n", (2, 1, 0)),
    ("a bail-out", K + "1..2\nok 1 a\nBail out! broken\nok 2 b\n", (1, 1, 0)),
    ("cut short inside subtests",
     K + "1..1\n    KTAP version 1\n    1..2\n    ok 1 a\n", (1, 4, 0)),
    ("ok over a failed subtest",
     DEEP.replace("\nnot ok 1 suite", "\nok 1 suite"), (1, 2, 0)),
    ("not ok over good subtests",
     NESTED.replace("\nok 1 suite", "\nnot ok 1 suite"), (1, 1, 1)),
    ("a second plan", K + "1..1\nok 1 a\n1..1\n", (1, 1, 0)),
    ("words in diagnostics do not count",
     K + "1..1\n# not ok 1 x\nnot okay\nok 1 a\n", (1, 0, 0)),
]

LOG_CASES = [
    ("an empty nvram", "[  1.0] WARNING: nvram corruption detected: 0-length partition", 0),
    ("a warning", "[    1.000000] WARNING: CPU: 0 PID: 1 at mm/x.c:1 f+0x1/0x2", 1),
    ("with a caller", "[    1.000000][   T12] BUG: KASAN: use-after-free in f", 1),
    ("an oops", "[    1.0] Oops: 0000 [#1] PREEMPT SMP", 1),
    ("lockdep", "[    1.0] WARNING: possible circular locking dependency detected", 1),
    ("sleeping", "[    1.0] BUG: sleeping function called from invalid context", 1),
    ("a hung task", "[  1.0] INFO: task sh:12 blocked for more than 120 seconds.", 1),
    ("an RCU stall", "[  1.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks", 1),
    ("UBSAN", "[    1.0] UBSAN: shift-out-of-bounds in lib/x.c:1:1", 1),
    ("refcount", "[    1.0] refcount_t: underflow; use-after-free.", 1),
    ("SLUB", "[    1.0] BUG kmalloc-64 (Tainted: G  O): Right Redzone overwritten", 1),
    ("a leak", "[    1.0] kmemleak: 3 new suspected memory leaks", 1),
    ("without a time stamp", "Kernel panic - not syncing: x", 1),
    ("a soft lockup", "[  1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!", 1),
    ("a taint for being out of tree",
     "[    1.0] myalloc: loading out-of-tree module taints kernel.", 0),
    ("a warning about the processor",
     "[    1.0] RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable", 0),
    ("the watchdog starts", "[    1.0] watchdog: Delayed init of the lockup detector", 0),
    ("an injected failure", "[    1.0] FAULT_INJECTION: forcing a failure.", 0),
    ("our own words", "[    1.0] myalloc: no BUG: here", 0),
]

OOPS = ["[    4.0] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI", "[    4.1] RIP: 0010:f+0x5/0x40"]
GONE = "[    4.1] Code: f3 0f 1e fa 66 <90> c3 cc cc cc cc"
THERE = "[    4.1] Code: f3 0f 1e fa cc <90> c3 cc cc cc cc"
WARNING = "[    3.0] WARNING: CPU: 0 PID: 1 at mm/x.c:1 f+0x1/0x2"
EMULATOR_CASES = [
    ("a breakpoint that is not in the code", OOPS + [GONE], True),
    ("one that is", OOPS + [THERE], False),
    ("one behind other trouble", [WARNING] + OOPS + [GONE], False),
    ("no code is shown", OOPS, False),
    ("another oops", ["[    4.0] Oops: 0000 [#1] PREEMPT SMP", GONE], False),
    ("a clean log", ["[    4.0] hello"], False),
]


def channel(*pieces):
    """Feed the pieces to a Channel; (ended, exit, stdout, files) or 'broken'."""
    with tempfile.TemporaryDirectory() as out:
        c = guest_channel.Channel(out)
        try:
            for piece in pieces:
                c.feed(piece)
        except guest_channel.Broken:
            return "broken"
        finally:
            c.close()
        files = {}
        for directory, _, names in os.walk(os.path.join(out, "files")):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, "rb") as f:
                    files[os.path.relpath(path, os.path.join(out, "files"))] = f.read()
        with open(os.path.join(out, "stdout"), "rb") as f:
            return c.ended, c.exit, f.read(), files


WHOLE = (b"@hello 6.12\n@out 3\nhi\n@file 4 d/name\na\n\0b@exit 0\n@end\n")
COMPLETE = (True, 0, b"hi\n", {"d/name": b"a\n\0b"})
CHANNEL_CASES = [
    ("a whole message", (WHOLE,), COMPLETE),
    ("byte by byte", tuple(bytes([b]) for b in WHOLE), COMPLETE),
    ("cut short in a file", (WHOLE[:30],), (False, None, b"hi\n", {})),
    ("no end", (WHOLE[:-5],), (False, 0, b"hi\n", {"d/name": b"a\n\0b"})),
    ("noise", (b"hello\n",), "broken"),
    ("an NMI without a monitor", (b"@ask nmi 3\n",), "broken"),
    ("a name that leads outside", (b"@file 1 ../x\nx",), "broken"),
]


def follow(stream):
    """(exit status of guest_channel.py, was the machine killed) if the channel has STREAM."""
    with tempfile.TemporaryDirectory() as out:
        path = os.path.join(out, "channel")
        with open(path, "wb") as f:
            f.write(stream)
        with subprocess.Popen(["sleep", "30"], stdout=subprocess.PIPE) as machine:
            number = os.path.join(out, "machine.pid")
            with open(number, "w", encoding="utf-8") as f:
                f.write("%d\n" % machine.pid)
            done = subprocess.run([sys.executable, guest_channel.__file__, path, out, "--boot", "0.2",
                                   number], stdin=machine.stdout, check=False)
            try:
                killed = machine.wait(1) != 0
            except subprocess.TimeoutExpired:
                killed = False
                machine.kill()
            return done.returncode, killed


FOLLOW_CASES = [
    ("a guest from which nothing comes is killed", b"", (3, True)),
    ("one that reports is not", WHOLE, (0, False)),
]


CONF = """lib/low lib/myalloc.h :
lib/high lib/types.h : lib/low
mod/uapi :
userspace-tool/out : mod/uapi
userspace-tool/cmd : userspace-tool/out
"""
ARROW_CASES = [
    ("an arrow down", {"low/a.c": "int a(void) { return 0; }",
                       "high/b.c": '#include "types.h"\nint a(void); int b(void) { return a(); }',
                       "types.h": ""}, []),
    ("an include up", {"low/a.c": '#include "types.h"\n', "types.h": ""},
     ["lib/low/a includes lib/types.h: lib/low may not use lib/high"]),
    ("a call up", {"low/a.c": "int b(void); int a(void) { return b(); }",
                   "high/b.c": "int b(void) { return 0; }"},
     ["lib/low/a calls b(): lib/low may not use lib/high"]),
    ("a circle in a room", {"low/a.c": '#include "low/b.h"\n', "low/a.h": "",
                            "low/b.h": '#include "low/a.h"\n'},
     ["a circle: lib/low/a includes lib/low/b.h, lib/low/b includes lib/low/a.h"]),
    ("a call up in a header", {
        "low/a.h": "int b(void);\nstatic inline int a(void)\n{\n\treturn b();\n}\n",
        "high/b.c": "int b(void) { return 0; }"},
     ["lib/low/a calls b() inline: lib/low may not use lib/high"]),
    ("a call up in a macro, which is its user's", {
        "low/a.h": "#define a(x)\t\\\n\tb(x)\n", "high/b.c": "int b(void) { return 0; }"}, []),
    ("a room that nobody has named", {"other/a.c": "", "high/b.c": ""},
     ["lib/other/a.c is in no room"]),
]


TOOL_CASES = [
    ("the tool's myalloc.h is that of uapi",
     {"userspace-tool/out/a.c": '#include "myalloc.h"\n', "mod/uapi/myalloc.h": "",
      "lib/high/b.c": "", "lib/myalloc.h": ""}, []),
    ("the tool's include up", {"userspace-tool/out/a.c": '#include "cmd/b.h"\n',
                               "userspace-tool/cmd/b.h": ""},
     ["userspace-tool/out/a includes userspace-tool/cmd/b.h: "
      "userspace-tool/out may not use userspace-tool/cmd"]),
    ("the tool's call up", {"userspace-tool/out/a.c": "int b(void); int a(void) { return b(); }",
                            "userspace-tool/cmd/b.c": "int b(void) { return 0; }"},
     ["userspace-tool/out/a calls b(): userspace-tool/out may not use userspace-tool/cmd"]),
    ("a header that several files of the tool implement",
     {"userspace-tool/out/a.c": '#include "out/a.h"\nint a(void) { return b(); }',
      "userspace-tool/out/a.h": "int a(void); int b(void);\n",
      "userspace-tool/out/a_b.c": '#include "out/a.h"\nint b(void) { return 0; }'},
     ["a circle: userspace-tool/out/a calls b(), "
      "userspace-tool/out/a_b includes userspace-tool/out/a.h"]),
    ("the same with a name of its own",
     {"userspace-tool/out/a.c": '#include "out/a_parts.h"\nint a(void) { return b(); }',
      "userspace-tool/out/a_parts.h": "int a(void); int b(void);\n",
      "userspace-tool/out/a_b.c": '#include "out/a_parts.h"\nint b(void) { return 0; }'}, []),
]


A = "int a(void) { return 0; }\n"
DOCUMENTED_CASES = [
    ("a function without a block", A, ["lib/a.c: a(), called by mod/b.c, has no kernel-doc"]),
    ("one with a plain comment", "/* a() - a */\n" + A,
     ["lib/a.c: a(), called by mod/b.c, has no kernel-doc"]),
    ("one with the block of another", "/**\n * c() - c\n */\n" + A,
     ["lib/a.c: a(), called by mod/b.c, has no kernel-doc"]),
    ("one with its block", "/**\n * a() - a\n */\n" + A, []),
    ("one that nobody else calls", A.replace("a(", "d("), []),
]


def check_tree(files, apart=None, check=None):
    """The output of arrows.py, or of @check, for a tree with these files; the objects of the
    folder @apart are not beside them."""
    with tempfile.TemporaryDirectory() as tree:
        conf = os.path.join(tree, "conf")
        with open(conf, "w") as f:
            f.write(CONF)
        for name, text in files.items():
            path = os.path.join(tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text)
        objects = tree + "/objects" if apart else tree
        for name in files:
            if name.endswith(".c"):
                obj = os.path.join(objects, os.path.relpath(name, apart)[:-2] + ".o")
                os.makedirs(os.path.dirname(obj), exist_ok=True)
                subprocess.run(["cc", "-I", tree + "/lib", "-I", tree + "/userspace-tool",
                                "-I", tree + "/mod/uapi", "-c", os.path.join(tree, name),
                                "-o", obj], check=True)
        if check:
            return check(tree, [objects])
        return arrows.find(tree, conf, [apart + "=" + objects if apart else objects])


def cases():
    """All of the above as (name, function, expected)."""
    kinds = (
        ("arrows", ARROW_CASES, lambda files: check_tree(
            {"lib/" + path: text for path, text in files.items()})),
        ("arrows", TOOL_CASES, lambda files: check_tree(files, "userspace-tool")),
        ("documented", DOCUMENTED_CASES, lambda text: check_tree(
            {"lib/a.c": text, "mod/b.c": "int a(void); int b(void) { return a(); }"},
            check=documented.find)),
        ("KTAP", KTAP_CASES, sums),
        ("KTAP", SKIP_CASES, skips),
        ("KTAP", WHY_CASES, failures),
        ("kernel log", LOG_CASES, lambda line: len(kernel_log.find([line]))),
        ("kernel log: the emulator's fault", EMULATOR_CASES, kernel_log.emulator_died),
        ("channel", CHANNEL_CASES, lambda pieces: channel(*pieces)),
        ("channel", FOLLOW_CASES, follow),
    )
    for kind, some, function in kinds:
        for name, given, expected in some:
            yield "%s: %s" % (kind, name), functools.partial(function, given), expected
    yield ("kernel log: an allowed line is let through", lambda: kernel_log.find(
        ["[ 1.0] WARNING: on purpose"], ["on purpose"]), [])


if __name__ == "__main__":
    sys.exit(ktap_cases.run(list(cases())))
