#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Is a page with a script well-formed? Says what is not, a line for each.

Usage: page.py FILE

Each element that is opened is closed, in order; each that the script asks for by its id exists; the
brackets of the script match, outside of its strings. The script is not executed: 'make screenshots'
does that in a browser. Exits 1 if anything is wrong.
"""
import html.parser
import re
import sys

VOID = {"meta", "link", "br", "hr", "img", "input"}
PAIRS = {")": "(", "]": "[", "}": "{"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.wrong, self.script = [], set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.ids.update(value for name, value in attrs if name == "id")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.wrong.append(f"</{tag}> ends nothing: open are {self.open}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.script += data


def brackets(script):
    """Find the first bracket that has no partner."""
    stack = []
    for match in re.finditer(r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[][(){}'"]""", script):
        char = match.group()
        if char in "([{":
            stack.append(char)
        elif char in PAIRS and (not stack or stack.pop() != PAIRS[char]) or char in "'\"":
            return f"{char} in {script[max(0, match.start() - 30):match.end() + 30]!r}"
    return f"{''.join(stack)} at the end" if stack else ""


def main():
    page = Page()
    with open(sys.argv[1], encoding="utf-8") as file:
        page.feed(file.read())
    page.close()
    wrong = page.wrong + [f"<{tag}> is not closed" for tag in page.open]
    asked = re.findall(r"getElementById\('([^']*)'\)", page.script)
    wrong += [f"no element has the id {name}" for name in asked if name not in page.ids]
    if not asked:
        wrong.append("the script asks for no element")
    lone = brackets(page.script)
    if lone:
        wrong.append("no partner of " + lone)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
