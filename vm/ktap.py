#!/usr/bin/env python3
"""Read KTAP test results, strictly, and sum them up.

Usage: ktap.py [--quiet] FILE...

Counts the leaves: a test with subtests is judged by them, and by its own line.
Every irregularity is a failure of its own: no version line, no plan, a plan that the results do
not match, a number twice or out of order, results cut short, a bail-out, a test that is ok
although a subtest failed, a name twice. A file without tests is a failure too.

Prints each failure with the last diagnostic lines before it, each test that was skipped with the
reason that it gave, and as its last line 'N passed, N failed, N skipped' (the last part only if
any were skipped). Exit status 0: at least one test, and none failed.

The format: https://docs.kernel.org/dev-tools/ktap.html
"""

import re
import sys

VERSION = re.compile(r"(?:K?TAP) version (\d+)$")
PLAN = re.compile(r"1\.\.(\d+)(?:\s*#\s*(.*))?$")
POINT = re.compile(r"(ok|not ok)\b(?:\s+(\d+))?(?:\s+-)?\s*(.*)$")
DIRECTIVE = re.compile(r"(?:^|\s)#\s*(SKIP|TODO|XFAIL|TIMEOUT|ERROR)\b:?\s*(.*)$",
                       re.IGNORECASE)
BAIL = re.compile(r"Bail out!\s*(.*)$")
INDENT = 4
SAID_LINES = 4          # of diagnostic text that are printed with a failure
SAID_CHARS = 200        # of each of them


class Sum:
    """The counts."""

    def __init__(self):
        self.passed = 0
        self.skipped = 0
        self.failures = []      # (path, reason)
        self.skips = []         # 'path: reason', or the path alone
        self.ran = []           # paths of those that passed or failed
        self.left_out = []      # paths of those that were skipped

    @property
    def failed(self):
        return len(self.failures)

    def fail(self, path, reason):
        self.failures.append((" / ".join(path), reason))

    def skip(self, path, reason):
        self.skipped += 1
        self.left_out.append(" / ".join(path))
        self.skips.append(self.left_out[-1] + (": " + reason if reason else ""))

    def line(self):
        text = "%d passed, %d failed" % (self.passed, self.failed)
        if self.skipped:
            text += ", %d skipped" % self.skipped
        return text


class Level:
    """One KTAP document: the whole, or the subtests of one test."""

    def __init__(self):
        self.plan = None
        self.version = False
        self.points = 0
        self.failed = 0
        self.names = set()
        self.began = 0          # number of failures before it
        self.name = None        # from '# Subtest:'
        self.said = []          # diagnostic text since the last result


class Parser:
    """Reads one file line by line. levels[n] is at n * 4 spaces of indent."""

    def __init__(self, name, total):
        self.name = name
        self.total = total
        self.levels = [Level()]
        self.bailed = False

    def path(self, *more):
        inner = [l.name for l in self.levels[1:] if l.name]
        return [self.name] + inner + [m for m in more if m]

    def open_level(self, depth):
        """Make depth the current one. A deeper level that is still open was not closed by its
        test's own line, so it was cut short."""
        while len(self.levels) > depth + 1:
            level = self.levels[-1]
            self.close(level)
            self.total.fail(self.path(),
                            "subtests without the line of their test")
            self.levels.pop()
        while len(self.levels) < depth + 1:
            level = Level()
            level.began = self.total.failed
            self.levels.append(level)
        return self.levels[depth]

    def close(self, level):
        """The level is complete: check it against its plan."""
        if level.plan is None:
            self.total.fail(self.path(), "no plan")
        elif level.plan != level.points:
            self.total.fail(self.path(), "planned %d tests, %d reported"
                            % (level.plan, level.points))

    def line(self, raw):
        text = raw.rstrip("\r\n")
        stripped = text.lstrip(" ")
        depth, rest = divmod(len(text) - len(stripped), INDENT)
        if not stripped or rest or self.bailed:
            return
        match = BAIL.match(stripped)
        if match:
            self.total.fail(self.path(), "bailed out: %s" % match.group(1))
            self.bailed = True
            return
        match = VERSION.match(stripped)
        if match:
            level = self.open_level(depth)
            if level.version and depth:
                self.total.fail(self.path(), "a second version line")
            level.version = True
            return
        match = PLAN.match(stripped)
        if match:
            self.open_level(depth)
            self.take_plan(self.levels[depth], match)
            return
        match = re.match(r"#\s*Subtest:\s*(.*)$", stripped)
        if match:
            # KUnit before 6.3 opens a level with this line alone.
            self.open_level(depth).name = match.group(1)
            return
        match = POINT.match(stripped)
        if match:
            self.point(depth, match)
            self.levels[depth].said = []
        elif stripped.startswith("# ") and depth < len(self.levels):
            self.levels[depth].said.append(stripped[2:].strip())

    def take_plan(self, level, match):
        if level.plan is not None:
            self.total.fail(self.path(), "a second plan")
            return
        level.plan = int(match.group(1))
        skip = DIRECTIVE.search("# " + (match.group(2) or ""))
        if level.plan == 0 and skip and skip.group(1).upper() == "SKIP":
            self.total.skip(self.path(), skip.group(2).strip())

    def point(self, depth, match):
        good = match.group(1) == "ok"
        number = match.group(2)
        name = match.group(3).strip()
        directive = DIRECTIVE.search(name)
        kind = None
        if directive:
            kind = directive.group(1).upper()
            name = name[:directive.start()].strip()
        subtests = None
        if len(self.levels) == depth + 2:
            subtests = self.levels[-1]
            if subtests.name is None:
                subtests.name = name
            self.close(subtests)
            self.levels.pop()
        level = self.open_level(depth)
        level.points += 1
        path = self.path(name or "test %s" % number)
        if number is not None and int(number) != level.points:
            self.total.fail(path, "is number %s, expected %d"
                            % (number, level.points))
            level.points = int(number)
        if name and name in level.names:
            self.total.fail(path, "the name occurs twice")
        level.names.add(name)

        skipped = kind == "SKIP"
        bad = kind in ("TIMEOUT", "ERROR") or (not good and kind is None)
        if subtests is not None and subtests.points:
            inner = self.total.failed - subtests.began
            if bad and not inner:
                self.total.fail(path, "not ok, though each of its subtests is")
            elif inner and not bad:
                self.total.fail(path, "ok, though a subtest is not")
            return
        if subtests is not None and subtests.plan == 0:
            return
        if skipped:
            self.total.skip(path, directive.group(2).strip())
            return
        self.total.ran.append(" / ".join(path))
        if bad:
            reason = directive.group(0).strip() if directive else "not ok"
            said = [text[:SAID_CHARS] for text in level.said[-SAID_LINES:]]
            self.total.fail(path, ": ".join([reason] + [" | ".join(said)] * bool(said)))
        else:
            self.total.passed += 1

    def finish(self):
        top = self.levels[0]
        if self.bailed:
            return
        self.open_level(0)
        if not top.version:
            self.total.fail(self.path(), "no version line: not KTAP")
        self.close(top)
        if not top.points and top.plan != 0:
            self.total.fail(self.path(), "no test in it")


def read(name, lines, total):
    """Add the results of the KTAP document called name to total."""
    parser = Parser(name, total)
    for line in lines:
        parser.line(line)
    parser.finish()


def main():
    quiet = "--quiet" in sys.argv
    total = Sum()
    for name in sys.argv[1:]:
        if name == "--quiet":
            continue
        try:
            with open(name, encoding="utf-8", errors="replace") as f:
                read(name, f, total)
        except OSError as e:
            total.fail([name], e.strerror)
    for path, reason in total.failures:
        print("FAILED: %s: %s" % (path, reason))
    if not quiet:
        for path in total.skips:
            print("skipped: %s" % path)
    print(total.line())
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
