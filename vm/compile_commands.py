#!/usr/bin/env python3
"""Write compile_commands.json, from which editors and clangd know how each file is compiled.

Usage: compile_commands.py OUT ROOT MIRROR BUILD <LINES

MIRROR: where kbuild has compiled the modules from copies of ROOT's files and has left its commands
in .NAME.o.cmd files; BUILD: its directory. LINES: the native build's commands, from 'make -n'.
Files that are compiled in several ways have several entries; the first is the kernel's.
"""

import json
import os
import re
import sys

SAVED = re.compile(r"^(?:saved)?cmd_\S+ := (.*?)(?: ; .*)?$", re.MULTILINE)
SOURCE = re.compile(r"^source_\S+ := (.*\.c)$", re.MULTILINE)
ENTER = re.compile(r"Entering directory '(.*)'")
COMPILE = re.compile(r"^(?:.*&& )?((?:\S*/)?(?:cc|gcc|clang)\S* .*? -c .*?(\S+\.c))\s*(?:;.*)?$")


def of_kbuild(root, mirror, build):
    entries = []
    for directory, _, names in sorted(os.walk(mirror)):
        for name in sorted(names):
            if not name.endswith(".o.cmd"):
                continue
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                text = file.read()
            command, source = SAVED.search(text), SOURCE.search(text)
            if not command or not source or source.group(1).endswith(".mod.c"):
                continue
            here = os.path.join(build, source.group(1)).replace(mirror, root)
            if here.startswith(root + "/") and os.path.exists(here):
                entries.append({"directory": build, "file": here,
                                "command": command.group(1).replace(mirror, root)})
    return entries


def of_make(lines):
    entries, directory = [], os.getcwd()
    for line in lines:
        entered, compiled = ENTER.search(line), COMPILE.match(line.strip())
        if entered:
            directory = entered.group(1)
        elif compiled and "echo '" not in line:
            entries.append({"directory": directory, "command": compiled.group(1),
                            "file": os.path.normpath(os.path.join(directory,
                                                                  compiled.group(2)))})
    return entries


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    out, root, mirror, build = sys.argv[1:]
    kernel, native = of_kbuild(root, mirror, build), of_make(sys.stdin)
    if not kernel or not native:
        sys.exit("compile_commands.py: %d commands of kbuild, %d of make" %
                 (len(kernel), len(native)))
    with open(out, "w", encoding="utf-8") as file:
        json.dump(kernel + native, file, indent=1)
        file.write("\n")
    print("%s: %d files of the modules, %d natively" % (out, len(kernel), len(native)))


main()
