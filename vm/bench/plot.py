#!/usr/bin/env python3
"""Draw a benchmark's result.

Usage: plot.py RESULT.json DIRECTORY [PATTERN]...

RESULT: written by 'myallocctl -o RESULT.json bench run' or by host.py. Writes to DIRECTORY the
plots for which it has data: ratios.svg (theirs over ours, each shape), latency.svg (distribution
of single calls), spread.svg (distribution of the cost over rounds, each the mean of many calls),
size.svg (cost against object size), fill.svg (cost against fill of the zone). PATTERN: only
shapes with such names, as in 'object/64/*'.

Each allocator has its color, marker and dashes from userspace-tool/out/allocators.h, as on the
page of 'myallocctl report'.
"""

import fnmatch
import json
import os
import re
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "..", "..", "userspace-tool", "out", "allocators.h")
LINE = re.compile(r'ALLOCATOR\("([^"]+)", "([^"]+)", \'(.)\', "([^"]*)"\)')


def looks():
    """{name: (color, marker, dashes)} of the allocators that have one."""
    with open(TABLE, encoding="utf-8") as file:
        return {name: (color, mark, (0, tuple(float(n) for n in dash.split())) if dash else "-")
                for name, color, mark, dash in LINE.findall(file.read())}


def look(name):
    return LOOKS.get(name, ("#777777", "o", ":"))


def unit_of(shape):
    """Instructions if they were counted instead of time, else nanoseconds."""
    return "cycles" if INSTRUCTIONS and shape["sides"][0]["cycles"] else "time"


def figure_of(shape, side, which="p50"):
    kept = side[unit_of(shape)]
    return kept[which] if kept else None


def ours_of(shape):
    return next((s for s in shape["sides"] if s["role"] == "ours" and s["time"]), None)


def save(figure, directory, name):
    # Room for the headline, half an inch.
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.5 / figure.get_figheight()))
    figure.savefig(os.path.join(directory, name))
    plt.close(figure)


def headline(figure, what):
    figure.suptitle("%s\n%s" % (what, WHERE), x=0.01, ha="left", fontsize=11)


def legend(axes):
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0,
                frameon=False)


def plain(axis, base=10):
    """Ticks at 1, 2 and 5 times powers of ten, written as plain numbers."""
    axis.set_major_locator(matplotlib.ticker.LogLocator(
        base=base, subs=(1, 2, 5) if base == 10 else (1,), numticks=30))
    axis.set_minor_locator(matplotlib.ticker.NullLocator())
    axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda v, _: "%.12g" % v))


def frame(axes, title, xlabel, ylabel):
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.spines["top"].set_visible(False)
    axes.spines["right"].set_visible(False)
    axes.grid(True, axis="both", linewidth=0.3, alpha=0.6)
    axes.set_axisbelow(True)


def ratio_of(shape, side):
    ours = ours_of(shape)
    if unit_of(shape) == "time":
        return side["ratio"]
    return figure_of(shape, side) / figure_of(shape, ours) if side["cycles"] else None


def ratios(shapes, directory):
    rows = [s for s in shapes if s["unit"] == "ns" and ours_of(s) and
            any(side["role"] == "opponent" and ratio_of(s, side) for side in s["sides"])]
    if not rows:
        return
    figure, axes = plt.subplots(figsize=(10, 1.6 + 0.17 * len(rows)))
    names = []
    for y, shape in enumerate(rows):
        points = [(ratio_of(shape, side), side["name"]) for side in shape["sides"]
                  if side["role"] == "opponent" and ratio_of(shape, side)]
        axes.plot([min(p[0] for p in points), max(p[0] for p in points)], [y, y],
                  color="#cccccc", linewidth=1, zorder=1)
        for ratio, name in points:
            color, mark, _ = look(name)
            axes.scatter(ratio, y, s=45 if mark == "*" else 22, color=color, marker=mark, linewidths=0, zorder=2,
                         label=None if name in names else name)
            names.append(name)
    axes.axvline(1, color=look("myalloc")[0], linewidth=1.5, label="myalloc")
    axes.set_xscale("log")
    plain(axes.xaxis)
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([s["name"] for s in rows], fontsize=6)
    axes.set_ylim(len(rows) - 0.3, -0.7)
    legend(axes)
    frame(axes, "", "theirs over ours: right of the line ours is better", "")
    headline(figure, "Cost of others over that of myalloc, %s" % UNIT_NAME)
    save(figure, directory, "ratios.svg")


def shares(rows, directory, name, what, values_of, xlabel, ylabel):
    """Share of values up to x: a part for each shape, a line for each side."""
    if not rows:
        return
    figure, all_axes = plt.subplots(len(rows), 1, figsize=(9, 0.8 + 2.5 * len(rows)),
                                    squeeze=False)
    for axes, shape in zip(all_axes[:, 0], rows):
        for side in shape["sides"]:
            values = sorted(values_of(shape, side))
            if not values or side["role"] in ("cost", "aside"):
                continue
            color, mark, dashes = look(side["name"])
            axes.step(values, [100 * (i + 1) / len(values) for i in range(len(values))],
                      where="post", label=side["name"], color=color, linestyle=dashes,
                      linewidth=2 if side["role"] == "ours" else 1.3, marker=mark, markersize=5,
                      markevery=max(len(values) // 5, 1))
        axes.set_xscale("log")
        plain(axes.xaxis)
        legend(axes)
        frame(axes, "%s: %s" % (shape["name"], shape["what"]), xlabel(shape), ylabel)
    headline(figure, what)
    save(figure, directory, name)


def in_cycles(shape):
    return all(r[1] for side in shape["sides"] for r in side["rounds"])


def latency(shapes, directory):
    """Latency is that of single calls, so only of shapes with one call in a round."""
    shares([s for s in shapes if s["unit"] == "ns, single call" and ours_of(s)], directory,
           "latency.svg", "Latency of single calls",
           lambda shape, side: [r[1] if in_cycles(shape) else r[0] for r in side["rounds"]],
           lambda shape: "cycles of one call" if in_cycles(shape) else "ns of one call",
           "% of calls")


def spread(shapes, directory):
    wanted = ("object/64/pair", "object/64/batch-100/shuffled", "object/64/churn", "page/0/pair",
              "page/0/batch-100", "host/64/pair", "host/64/batch-1000/shuffled", "host/64/churn")
    shares([s for s in shapes if s["name"] in wanted and ours_of(s)], directory,
           "spread.svg", "Cost of a call, the mean over a round: distribution over rounds",
           lambda shape, side: [r[0] / r[2] for r in side["rounds"] if r[2]],
           lambda shape: "ns per call, mean of a round", "% of rounds")


def lines(shapes, directory, name, title, key, xlabel, log):
    """Cost against a property of shapes that are otherwise the same: {pattern: shapes}."""
    patterns = {}
    for shape in shapes:
        pattern, value = key(shape)
        if pattern:
            patterns.setdefault(pattern, []).append((value, shape))
    patterns = {p: sorted(s, key=lambda pair: pair[0]) for p, s in patterns.items() if len(s) > 1}
    if not patterns:
        return
    figure, all_axes = plt.subplots(len(patterns), 1, figsize=(9, 0.8 + 2.8 * len(patterns)),
                                    squeeze=False)
    for axes, (pattern, pairs) in zip(all_axes[:, 0], patterns.items()):
        series = {}
        for value, shape in pairs:
            for side in shape["sides"]:
                figure_here = figure_of(shape, side) if side["time"] else None
                if figure_here and side["role"] in ("ours", "opponent", "floor"):
                    series.setdefault((side["name"], side["role"]), []).append((value, figure_here))
        for (side, role), points in series.items():
            color, mark, dashes = look(side)
            axes.plot([p[0] for p in points], [p[1] for p in points], marker=mark, markersize=5,
                      color=color, label=side, linewidth=2 if role == "ours" else 1.3,
                      linestyle=dashes)
        if log:
            axes.set_xscale("log", base=2)
            plain(axes.xaxis, 2)
        axes.set_yscale("log")
        plain(axes.yaxis)
        legend(axes)
        frame(axes, pattern, xlabel, UNIT_NAME)
    headline(figure, title)
    save(figure, directory, name)


def size_key(shape):
    parts = shape["name"].split("/")
    tail = "/".join(parts[2:])
    if parts[0] in ("object", "host") and shape["bytes"] and tail in (
            "pair", "batch-100", "batch-1000/shuffled", "bulk-64", "churn"):
        return tail, shape["bytes"]
    return None, 0


def fill_key(shape):
    parts = shape["name"].split("/")
    if parts[0] == "page" and shape["fill_permille"] and shape["unit"] == "ns":
        return "order %d, %s" % (shape["order"], parts[-1]), shape["fill_permille"] / 10
    return None, 0


def main():
    global INSTRUCTIONS, UNIT_NAME, WHERE, LOOKS
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        kept = json.load(file)
    directory = sys.argv[2]
    os.makedirs(directory, exist_ok=True)
    wanted = sys.argv[3:] or ["*"]
    shapes = [s for s in kept["result"]["shapes"]
              if any(fnmatch.fnmatch(s["name"], pattern) for pattern in wanted)]
    # Under an emulator only instructions are meaningful.
    INSTRUCTIONS = kept["system"].get("accelerator") == "tcg"
    UNIT_NAME = "instructions" if INSTRUCTIONS else "ns"
    system = kept["system"]
    WHERE = ", ".join(str(word) for word in (system.get("kernel"), system.get("machine"),
                                             system.get("accelerator"), kept["time"][:10])
                      if word and word != "none")
    LOOKS = looks()
    plt.rcParams.update({"font.size": 9, "svg.fonttype": "none"})
    ratios(shapes, directory)
    if not INSTRUCTIONS:
        latency(shapes, directory)
        spread(shapes, directory)
    lines(shapes, directory, "size.svg", "Cost against size", size_key, "bytes", True)
    lines(shapes, directory, "fill.svg", "Cost against fill", fill_key, "% of the zone in use",
          False)


INSTRUCTIONS = False
UNIT_NAME = "ns"
WHERE = ""
LOOKS = {}
main()
