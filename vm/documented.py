#!/usr/bin/env python3
"""Check that each function of lib/ and mod/ that another file calls has a kernel-doc block.

Usage: documented.py TREE OBJECTS...

TREE is the checkout, OBJECTS are directories of object files with the same layout as its sources.
A function is called by another file if an object has it as an undefined symbol, so code that the
objects' configuration leaves out does not count. Nor do functions whose names a macro makes.
Inline functions of headers whose names begin with myalloc_ count if another file of lib/, mod/
or kunit/ calls them; others belong to their folder, and those of lib/env to the environment.

The block begins with "/**" and the name, in the source or a header. kernel-doc -Wall checks that
it is complete. Exit status 1 if one is missing.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import arrows

BLOCK = re.compile(r"^/\*\*\n \* (\w+)\(\) - ", re.M)

INLINE = re.compile(r"^static (?:__always_inline|inline)[^;{}#]*?\b(myalloc_\w+)\([^;{]*\)\n\{", re.M)
# Folders of native programs only.
NATIVE = ("lib/env/", "lib/tests/", "lib/fuzz/", "lib/bench/", "lib/host_malloc/")


def files(tree, ending):
    for top in "lib", "mod", "kunit":
        for where, _, names in os.walk(os.path.join(tree, top)):
            for name in names:
                if name.endswith(ending):
                    yield os.path.relpath(os.path.join(where, name), tree)


def text_of(tree, path):
    with open(os.path.join(tree, path), encoding="utf-8") as f:
        return f.read()


def functions(objects, path):
    """Functions that the object of a file defines."""
    for top in objects:
        obj = os.path.join(top, arrows.stem(path) + ".o")
        if os.path.exists(obj):
            text = subprocess.run(["nm", "-g", "--defined-only", obj], check=True,
                                  capture_output=True, text=True).stdout
            return {words[-1] for words in map(str.split, text.splitlines())
                    if words[-2] in "TW"}
    return set()


def inlines(tree):
    """Inline functions without a block that other files call, one line each."""
    texts = {p: text_of(tree, p) for p in files(tree, (".c", ".h")) if not p.startswith(NATIVE)}
    for path in sorted(p for p in texts if p.endswith(".h")):
        for name in sorted(set(INLINE.findall(texts[path])) - set(BLOCK.findall(texts[path]))):
            call = re.compile(r"\b%s\(" % name)
            callers = sorted(p for p, text in texts.items() if p != path and call.search(text))
            if callers:
                yield "%s: %s(), called by %s, has no kernel-doc" % (path, name, callers[0])


def find(tree, objects):
    """All functions without a block, one line each."""
    sources = sorted(files(tree, ".c"))
    _, needed = arrows.symbols(objects, sources)
    in_headers = set().union(*(BLOCK.findall(text_of(tree, p)) for p in files(tree, ".h")))
    bad = list(inlines(tree))
    for path in sources:
        if not path.startswith(("lib/", "mod/")):
            continue
        text = text_of(tree, path)
        for name in sorted(functions(objects, path) - in_headers - set(BLOCK.findall(text))):
            callers = sorted(p for p, names in needed.items() if name in names and p != path)
            if callers and re.search(r"\b%s\(" % re.escape(name), text):
                bad.append("%s: %s(), called by %s, has no kernel-doc" % (path, name, callers[0]))
    return bad


def main():
    bad = find(sys.argv[1], sys.argv[2:])
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
