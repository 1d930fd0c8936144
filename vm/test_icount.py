#!/usr/bin/env python3
"""Tests of bench/icount.py: the shapes that it accepts, and its exit status."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ICOUNT = os.path.join(HERE, "bench", "icount.py")
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.dirname(ICOUNT)]
# pylint: disable=wrong-import-position
import icount
import ktap_cases
import record

WHY = record.read_reasons(["since slow/known a new step\n", "behind slow/* the other does less\n"])
BASELINE = {"kernel": "6.12", "shapes": {
    name: {"myalloc": 1000, "slub": 1000} for name in ("slow/known", "slow/why", "even")}}


def result(shapes, unit="ns", kernel="6.12"):
    """A result file of the tool: SHAPES has ours and theirs by name."""
    return {"system": {"kernel": kernel}, "command": "bench run", "result": {"shapes": [
        {"name": name, "unit": unit, "sides": [
            {"name": side, "role": role, "cycles": {"p50": value, "max": value + 500}}
            for side, role, value in (("myalloc", "ours", pair[0]), ("slub", "opponent", pair[1]))]}
        for name, pair in shapes.items()]}}


def compare(shapes, **more):
    """Exit status and output."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = icount.compare(result(shapes, **more), BASELINE, WHY)
    return status, out.getvalue()


def command(*words, shapes=None):
    """Exit status and the baseline after the command was executed with two files."""
    with tempfile.TemporaryDirectory() as directory:
        files = [os.path.join(directory, name) for name in ("result.json", "baseline.json")]
        for name, content in zip(files, (result(shapes), BASELINE) if shapes else ()):
            with open(name, "w", encoding="utf-8") as file:
                json.dump(content, file)
        done = subprocess.run([sys.executable, ICOUNT, *words, *files], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not shapes:
            return done.returncode, None
        with open(files[1], encoding="utf-8") as file:
            return done.returncode, json.load(file)["shapes"]


def names(output):
    return [line.split(": ")[1] for line in output.splitlines() if line.startswith("slower by")]


CASES = [
    ("nothing has changed", lambda: compare({"even": (1000, 1000)})[0], 0),
    ("slower without a reason", lambda: compare({"slow/why": (1011, 1000)})[0], 1),
    ("it says how much, and which", lambda: compare({"slow/why": (1011, 1000)})[1].splitlines()[-1],
     "slower by 1.1 %, and vm/bench/reasons.conf has no 'since' for it: slow/why"),
    ("all of them are named, and no others",
     lambda: names(compare({"slow/why": (1011, 1000), "slow/known": (2000, 1000),
                            "even": (1200, 1000)})[1]), ["slow/why", "even"]),
    ("slower by 1 % exactly", lambda: compare({"slow/why": (1010, 1000)})[0], 0),
    ("slower with a reason", lambda: compare({"slow/known": (2000, 1000)})[0], 0),
    ("faster", lambda: compare({"slow/why": (500, 1000)})[0], 0),
    ("theirs is slower", lambda: compare({"slow/why": (1000, 2000)})[0], 0),
    ("a shape that the baseline lacks", lambda: compare({"new": (1000, 1000)})[0], 0),
    ("the longest operation counts, where it is measured",
     lambda: compare({"slow/why": (520, 500)}, unit="ns, longest")[0], 1),
    ("a baseline of another kernel excuses nothing",
     lambda: compare({"slow/why": (1011, 1000)}, kernel="7.0")[0], 1),
    ("the command fails", lambda: command(shapes={"slow/why": (1011, 1000)})[0], 1),
    ("the command succeeds", lambda: command(shapes={"even": (1000, 1000)})[0], 0),
    ("the command without files", lambda: command()[0], 2),
    ("a new shape is added to the baseline, and what it has stays",
     lambda: command("--add", shapes={"slow/why": (1011, 1000), "new": (7, 9)}),
     (0, {**BASELINE["shapes"], "new": {"myalloc": 7, "slub": 9}})),
]


if __name__ == "__main__":
    sys.exit(ktap_cases.run(CASES, "icount: "))
