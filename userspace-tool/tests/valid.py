#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Do JSON documents hold to a schema? Says what does not, a line for each.

Usage: valid.py SCHEMA FILE...

A file has any number of documents one after the other; one that does not begin with a brace is
no JSON and is left out. Exits 1 if anything is wrong, 2 if the schema itself is.
"""
import json
import sys

import jsonschema


def documents(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read().strip()
    if not text.startswith("{"):
        return
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        yield document
        while at < len(text) and text[at].isspace():
            at += 1


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.Draft202012Validator
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        print("the schema is wrong:", error.message)
        return 2
    validator = kind(schema)
    bad = 0
    for path in sys.argv[2:]:
        for document in documents(path):
            for error in validator.iter_errors(document):
                bad = 1
                print(f"'{document.get('command')}': {error.json_path}: {error.message[:200]}")
    return bad


sys.exit(main())
