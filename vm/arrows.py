#!/usr/bin/env python3
"""Check that calls and includes between rooms, and between files, run one way.

Usage: arrows.py TREE CONF OBJECTS...

TREE is the checkout, CONF says which rooms may use which (vm/arrows.conf). OBJECTS are directories
of object files with the same layout as the sources in TREE, e.g. OBJECTS/lib/page/block.o; or
FOLDER=DIRECTORY, where DIRECTORY/cmd/opt.o is the object of FOLDER/cmd/opt.c.

Arrows come from three sources: #include "..." in the sources, the undefined symbols of the
objects, and calls in the bodies of a header's inline functions, which belong to no object. These
calls count between rooms only: a header may declare functions of several files of its room. A
header and the source of the same name count as one file. Errors are an arrow from a room to one
that it may not use, a cycle of files, and a source without a room in a folder that has rooms.
Exit status 1 if there are any.

Limit: a call through a function pointer is not an arrow. People review such pointers.
"""

import glob
import os
import re
import subprocess
import sys

INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
# Include paths that the compiler gets, by top folder of the including file, in addition to that
# file's own folder.
ROOTS = {"userspace-tool": ("userspace-tool", "mod/uapi")}
OTHER_ROOTS = "lib", "mod", "", "lib/env/kernel"
INTERFACE = "lib/myalloc.h"
CALL = re.compile(r"\b(\w+)\(")


class Rooms:
    """Maps files to rooms, and rooms to the rooms that they may use."""

    def __init__(self, tree, conf):
        self.direct, self.places = {}, {}
        with open(conf, encoding="utf-8") as f:
            for line in f:
                line = line.split("#")[0].strip()
                if line:
                    places, colon, uses = line.partition(":")
                    self.add(tree, places.split(), uses.split() if colon else None)
        for room, uses in self.direct.items():
            for other in uses:
                if other not in self.direct:
                    sys.exit("%s: %s uses %s, which is no room" % (conf, room, other))

    def add(self, tree, places, uses):
        """A line of the file; USES is None without a colon."""
        room = places[0]
        if room == "LIB":
            for name in lib_rooms(tree):
                self.add(tree, ["lib/" + name], uses)
                uses = ["lib/" + name]
            return
        if uses is not None:
            self.direct[room] = uses
        elif room not in self.direct:
            sys.exit("more places of %s, which is no room yet" % room)
        self.places.update({place: room for place in places})

    def of(self, *paths):
        """The room of a file, or of a header and its source; None if it has none."""
        found = [p for p in self.places for path in paths
                 if path == p or path.startswith(p + "/")]
        return self.places[max(found, key=len)] if found else None

    def may(self, room):
        """All rooms that a room may use."""
        todo, seen = [room], set()
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += self.direct[at]
        return seen


def lib_rooms(tree):
    """The rooms of the allocator, from the lowest up."""
    with open(os.path.join(tree, "lib", "rooms.mk"), encoding="utf-8") as f:
        return re.search(r"^lib-rooms := (.*)$", f.read(), re.M).group(1).split()


def sources(tree, rooms):
    """The sources and headers in folders that have rooms, by path in the tree."""
    for top in sorted({p.split("/")[0] for p in rooms.places}):
        for where, _, names in os.walk(os.path.join(tree, top)):
            for name in names:
                path = os.path.relpath(os.path.join(where, name), tree)
                if name.endswith((".c", ".h")):
                    yield path


def stem(path):
    return os.path.splitext(path)[0]


def includes(tree, path, known):
    """Paths of the tree that a file includes."""
    with open(os.path.join(tree, path), encoding="utf-8") as f:
        names = INCLUDE.findall(f.read())
    roots = ROOTS.get(path.split(os.sep)[0], OTHER_ROOTS)
    for name in names:
        for root in (os.path.dirname(path),) + roots:
            candidate = os.path.normpath(os.path.join(root, name))
            if candidate in known:
                yield candidate
                break


def inline_calls(tree, path):
    """Names of functions that the bodies of a header's functions call. Calls in macros, and in
    the interface of all rooms, count where these are used."""
    if path == INTERFACE:
        return
    with open(os.path.join(tree, path), encoding="utf-8") as f:
        text = re.sub(r"^#define (?:.*\\\n)*.*", "", f.read(), flags=re.M)
    for line in text.splitlines():
        if line.startswith("\t"):
            yield from CALL.findall(line)


def symbols(objects, paths):
    """Symbols that objects define, {symbol: path}, and that they need, {path: symbols}."""
    defined, needed = {}, {}
    places = [place.rpartition("=")[::2] for place in objects]
    for _, top in places:
        if not glob.glob(os.path.join(top, "*/**/*.o"), recursive=True):
            sys.exit("no objects in " + top)
    for path in paths:
        for folder, top in places:
            if not path.startswith(folder):
                continue
            obj = os.path.join(top, os.path.relpath(stem(path), folder or None) + ".o")
            if path.endswith(".c") and os.path.exists(obj):
                text = subprocess.run(["nm", "-g", obj], check=True, capture_output=True,
                                      text=True).stdout
                for line in text.splitlines():
                    words = line.split()
                    if words[-2] == "U":
                        needed.setdefault(path, set()).add(words[-1])
                    elif words[-2] in "TDBRVWSCt":
                        defined.setdefault(words[-1], path)
                break
    return defined, needed


def read(tree, rooms, objects):
    """All arrows: {(from, to): why}, by file without its ending."""
    paths = sorted(path for path in sources(tree, rooms) if rooms.of(path))
    known, arrows = set(paths), {}
    for path in paths:
        for other in includes(tree, path, known):
            arrows.setdefault((stem(path), stem(other)), "includes " + other)
    defined, needed = symbols(objects, paths)
    for path, names in sorted(needed.items()):
        for name in sorted(names & defined.keys()):
            arrows.setdefault((stem(path), stem(defined[name])), "calls %s()" % name)
    for path in paths:
        for name in inline_calls(tree, path) if path.endswith(".h") else ():
            if name in defined and rooms.of(path) != rooms.of(defined[name]):
                arrows.setdefault((stem(path), stem(defined[name])),
                                  "calls %s() inline" % name)
    return {a: why for a, why in arrows.items() if a[0] != a[1]}


def room_of(rooms, name):
    return rooms.of(name + ".c", name + ".h")


def upward(rooms, arrows):
    """Arrows to rooms that may not be used."""
    for (start, end), why in sorted(arrows.items()):
        here, there = room_of(rooms, start), room_of(rooms, end)
        if there not in rooms.may(here):
            yield "%s %s: %s may not use %s" % (start, why, here, there)


def circles(arrows):
    """Files that depend on each other: Tarjan's strongly connected components."""
    edges = {}
    for start, end in arrows:
        edges.setdefault(start, []).append(end)
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def find(tree, conf, objects):
    """All errors, one line each."""
    rooms = Rooms(tree, conf)
    arrows = read(tree, rooms, objects)
    bad = ["%s is in no room" % path for path in sorted(sources(tree, rooms))
           if not rooms.of(path)]
    bad += upward(rooms, arrows)
    for group in circles(arrows):
        bad.append("a circle: " + ", ".join(
            "%s %s" % (a, why) for (a, b), why in sorted(arrows.items())
            if a in group and b in group))
    return bad


def main():
    bad = find(sys.argv[1], sys.argv[2], sys.argv[3:])
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
