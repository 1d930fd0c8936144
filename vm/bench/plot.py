#!/usr/bin/env python3
"""Draw a benchmark's result.

Usage: plot.py RESULT.json DIRECTORY [PATTERN]...

RESULT: kept by 'myallocctl -o RESULT.json bench run', or written by host.py. Writes to
DIRECTORY what the result has data for: ratios.svg (theirs over ours, each shape),
latency.svg (distribution over rounds), size.svg (cost against object size), fill.svg (cost
against fill of the zone). PATTERN: only shapes of such names, as in 'object/64/*'.
"""

import fnmatch
import json
import os
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt  # noqa: E402

OURS = "#1b6ca8"
OTHERS = ("#c8553d", "#588157", "#8e6c8a", "#d4a017", "#6c757d", "#2a9d8f")


def unit_of(shape):
    """Instructions where they were counted and time was not, else nanoseconds."""
    return "cycles" if INSTRUCTIONS and shape["sides"][0]["cycles"] else "time"


def figure_of(shape, side, which="p50"):
    kept = side[unit_of(shape)]
    return kept[which] if kept else None


def ours_of(shape):
    return next((s for s in shape["sides"] if s["role"] == "ours" and s["time"]), None)


def save(figure, directory, name):
    figure.tight_layout()
    figure.savefig(os.path.join(directory, name))
    plt.close(figure)


def frame(axes, title, xlabel, ylabel):
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.spines["top"].set_visible(False)
    axes.spines["right"].set_visible(False)
    axes.grid(True, axis="both", linewidth=0.3, alpha=0.6)
    axes.set_axisbelow(True)


def opponents(shapes):
    names = []
    for shape in shapes:
        for side in shape["sides"]:
            if side["role"] == "opponent" and side["name"] not in names:
                names.append(side["name"])
    return {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(names)}


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
    colors = opponents(rows)
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.17 * len(rows)))
    for y, shape in enumerate(rows):
        points = [(ratio_of(shape, side), side["name"]) for side in shape["sides"]
                  if side["role"] == "opponent" and ratio_of(shape, side)]
        axes.plot([min(p[0] for p in points), max(p[0] for p in points)], [y, y],
                  color="#cccccc", linewidth=1, zorder=1)
        for ratio, name in points:
            axes.scatter(ratio, y, s=16, color=colors[name], zorder=2)
    axes.axvline(1, color=OURS, linewidth=1.5)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([s["name"] for s in rows], fontsize=6)
    axes.set_ylim(len(rows) - 0.3, -0.7)
    axes.xaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    for name, color in colors.items():
        axes.scatter([], [], s=16, color=color, label=name)
    axes.legend(fontsize=7, loc="lower right")
    frame(axes, "Theirs over ours, %s (right of the line ours is better)" % UNIT_NAME,
          "ratio, logarithmic", "")
    save(figure, directory, "ratios.svg")


def latency(shapes, directory):
    wanted = ("object/64/pair", "object/64/batch-100/shuffled", "object/64/churn", "page/0/pair",
              "page/0/batch-100", "host/64/pair", "host/64/batch-1000/shuffled", "host/64/churn")
    rows = [s for s in shapes if s["name"] in wanted and ours_of(s)]
    if not rows:
        return
    colors = opponents(rows)
    figure, all_axes = plt.subplots(len(rows), 1, figsize=(8, 2.3 * len(rows)), squeeze=False)
    for axes, shape in zip(all_axes[:, 0], rows):
        for side in shape["sides"]:
            values = sorted(r[0] / r[2] for r in side["rounds"] if r[2])
            if not values or side["role"] in ("cost", "aside"):
                continue
            share = [(i + 1) / len(values) for i in range(len(values))]
            ours = side["role"] == "ours"
            axes.step(values, share, where="post", linewidth=2 if ours else 1.2, label=side["name"],
                      color=OURS if ours else colors.get(side["name"], "#999999"),
                      linestyle=":" if side["role"] == "floor" else "-")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
        axes.legend(fontsize=7, loc="lower right")
        frame(axes, shape["name"], "ns per operation, mean of a round", "share of rounds")
    save(figure, directory, "latency.svg")


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
    colors = opponents([s for pairs in patterns.values() for _, s in pairs])
    figure, all_axes = plt.subplots(len(patterns), 1, figsize=(8, 2.8 * len(patterns)),
                                    squeeze=False)
    for axes, (pattern, pairs) in zip(all_axes[:, 0], patterns.items()):
        series = {}
        for value, shape in pairs:
            for side in shape["sides"]:
                figure_here = figure_of(shape, side) if side["time"] else None
                if figure_here and side["role"] in ("ours", "opponent", "floor"):
                    series.setdefault((side["name"], side["role"]), []).append((value, figure_here))
        for (side, role), points in series.items():
            axes.plot([p[0] for p in points], [p[1] for p in points], marker="o", markersize=4,
                      color=OURS if role == "ours" else colors.get(side, "#999999"), label=side,
                      linewidth=2 if role == "ours" else 1.2,
                      linestyle=":" if role == "floor" else "-")
        if log:
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%d"))
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
        axes.legend(fontsize=7)
        frame(axes, "%s: %s" % (title, pattern), xlabel, UNIT_NAME)
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
    global INSTRUCTIONS, UNIT_NAME
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        kept = json.load(file)
    directory = sys.argv[2]
    os.makedirs(directory, exist_ok=True)
    wanted = sys.argv[3:] or ["*"]
    shapes = [s for s in kept["result"]["shapes"]
              if any(fnmatch.fnmatch(s["name"], pattern) for pattern in wanted)]
    # Under an emulator only instructions mean something.
    INSTRUCTIONS = kept["system"].get("accelerator") == "tcg"
    UNIT_NAME = "instructions" if INSTRUCTIONS else "ns"
    plt.rcParams.update({"font.size": 9, "svg.fonttype": "none"})
    ratios(shapes, directory)
    if not INSTRUCTIONS:
        latency(shapes, directory)
    lines(shapes, directory, "size.svg", "Cost against size", size_key, "bytes", True)
    lines(shapes, directory, "fill.svg", "Cost against fill", fill_key, "% of the zone in use",
          False)


INSTRUCTIONS = False
UNIT_NAME = "ns"
main()
