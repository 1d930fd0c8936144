"""Run the cases of a test program and print the results in KTAP."""


def run(cases, prefix=""):
    """CASES: (name, function, the value that it has to return). Returns the exit status."""
    print("KTAP version 1\n1..%d" % len(cases))
    failed = 0
    for number, (name, function, expected) in enumerate(cases, 1):
        got = function()
        good = got == expected
        if not good:
            failed = 1
            print("# got %r" % (got,))
        print("%s %d - %s" % ("ok" if good else "not ok", number, prefix + name), flush=True)
    return failed
