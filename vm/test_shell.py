#!/usr/bin/env python3
"""Tests of the prompt of 'make vm-shell', by typing on a terminal, and of the second one of
'make vm-console'.

Usage: test_shell.py KERNEL OUT

Boots one guest. The transcripts of its terminals are kept in OUT.
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BOOT_S, COMMAND_S = 600, 240

# Control sequences of a terminal, except for ends of lines.
CONTROL = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[^\[()])|[\x00-\x07\x0e\x0f]")


class Gone(Exception):
    """The expected text has not appeared."""


class Terminal:
    """A program in a terminal of its own, which answers queries of its cursor's position."""

    def __init__(self, name, out, rows, columns, command, **variables):
        self.name, self.size = name, (rows, columns)
        self.raw = b""
        self.log = open(os.path.join(out, name), "wb")
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.program = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=dict(os.environ, TERM="xterm-256color", **variables),
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def resize(self, rows, columns):
        self.size = (rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self):
        answered = 0
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:                             # the program has ended
                return
            self.log.write(data)
            self.log.flush()
            self.raw += data
            # Programs put the cursor into the last corner and query its position.
            while (at := self.raw.find(b"\x1b[6n", answered)) >= 0:
                answered = at + 4
                os.write(self.master, b"\x1b[%d;%dR" % self.size)

    def text(self, since=0):
        """With simple ends of lines: both terminals put a carriage return before each."""
        text = CONTROL.sub("", self.raw[since:].decode("utf-8", "replace"))
        return re.sub(r"\r+\n", "\n", text).replace("\r", "")

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self, pattern, since=0, seconds=COMMAND_S):
        """Wait until the text since then matches; returns the match."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern, self.text(since), re.S)
            if found:
                return found
            time.sleep(0.05)
        raise Gone("%s: no '%s' within %d s; the last lines:\n%s" %
                   (self.name, pattern, seconds, self.text()[-1500:]))

    def run(self, command, seconds=COMMAND_S):
        """Type a command; returns (its exit status, what it printed)."""
        since = len(self.raw)
        # The status is only in the output, not in the echo.
        self.type(command + "; echo \"<$?>\"\r")
        # Text typed before the next prompt would be echoed twice.
        found = self.wait(r"\n(.*?)<(\d+)>\n.*guest:[^\n]*# ", since, seconds)
        return int(found.group(2)), found.group(1)

    def completed(self, begun):
        """The line after the tab key, pressed twice, as the second one lists choices."""
        since = len(self.raw)
        self.type(begun + "\t\t")
        time.sleep(0.5)
        self.type("\x15\r")                             # forget the line
        self.wait(r"\n.*# $", since)
        return self.text(since)

    def ended(self, seconds=COMMAND_S):
        """Its exit status."""
        try:
            return self.program.wait(seconds)
        except subprocess.TimeoutExpired as e:
            raise Gone("%s does not end" % self.name) from e

    def kill(self):
        if self.program.poll() is None:
            os.killpg(self.program.pid, signal.SIGKILL)
            self.program.wait()


TESTS = []


def test(name):
    def enter(function):
        TESTS.append((name, function))
        return function
    return enter


class Stage:
    """The guest of the tests."""

    def __init__(self, kernel, out):
        self.out, self.second = out, None
        self.variables = {"SHELL_LINK": os.path.join(out, "link")}
        self.first = Terminal("first", out, 33, 101, [
            os.path.join(HERE, "run.sh"), "--kernel", kernel, "--out", os.path.join(out, "guest"),
            "--shell", os.path.join(HERE, "demo.sh")], **self.variables)

    def console(self):
        return Terminal("second", self.out, 25, 90, [os.path.join(HERE, "console.sh")],
                        **self.variables)

    def end(self):
        for terminal in (self.first, self.second):
            if terminal:
                terminal.kill()


def expect(good, what):
    if not good:
        raise Gone(what)


@test("without a guest the second terminal says what to start")
def nobody(stage):
    console = Terminal("nobody", stage.out, 25, 90, [os.path.join(HERE, "console.sh")],
                       SHELL_LINK=os.path.join(stage.out, "nothing"))
    expect(console.ended() == 1, "it ends with %s" % console.ended())
    console.wait("start 'make vm-shell'")


@test("a prompt, with the module loaded")
def prompt(stage):
    stage.first.wait(r"The module is loaded\. 'help' lists five things to try.*guest:[^\n]*# $",
                     seconds=BOOT_S)
    expect(stage.first.run("grep -q '^myalloc ' /proc/modules")[0] == 0, "it is not loaded")


@test("the guest knows size and type of the terminal")
def size(stage):
    printed = stage.first.run("stty size; echo $TERM")[1].split()
    expect(printed == ["33", "101", "xterm-256color"], printed)


@test("help lists five things to try, within 100 columns")
def lists(stage):
    printed = stage.first.run("help")[1]
    numbers = re.findall(r"^  (\d)\. ", printed, re.M)
    expect(numbers == list("12345") and "Five things to try" in printed, printed)
    stage.suggested = re.findall(r"^ {7}(\S.*)$", printed, re.M)
    expect(len(stage.suggested) > 10, printed)
    expect(max(map(len, printed.split("\n"))) <= 100, printed)
    expect(stage.first.run("help cd")[0] == 0, "bash's own help is gone")


@test("the tab key completes objects, commands, options and modules")
def completes(stage):
    for begun, wanted in (("myallocctl bu", "myallocctl buildinfo "),
                          ("myallocctl cache cr", "myallocctl cache create "),
                          ("myallocctl cache create --mag", "--magazine"),
                          ("insmod /guest/modules/myalloc_ex", "/guest/modules/myalloc_example.ko "),
                          ("insmod myalloc_ex", "/guest/modules/myalloc_example.ko "),
                          ("rmmod my", "rmmod myalloc ")):
        line = stage.first.completed(begun)
        expect(wanted in line, "'%s' becomes '%s'" % (begun, line))


@test("each thing that help suggests works as it is printed")
def suggestions(stage):
    for command in stage.suggested:
        if command == "myallocctl top":                 # drawn until a key is pressed
            since = len(stage.first.raw)
            stage.first.type(command + "\r")
            stage.first.wait("myalloc_example|example-request", since)
            stage.first.type("q")
            stage.first.wait(r"# $", since)
            continue
        if command.endswith("&"):
            since = len(stage.first.raw)
            stage.first.type(command + "\r")
            stage.first.wait(r"\[1\] \d+", since)
            continue
        status, printed = stage.first.run(command.replace("--seconds 20", "--seconds 1"))
        expect(status == 0 and printed.strip() or re.match("insmod|rmmod|kill", command),
               "'%s' ends with %d: %s" % (command, status, printed))
        expect(status == 0, "'%s' ends with %d: %s" % (command, status, printed))


@test("resize tells the guest that the terminal has another size")
def resizes(stage):
    stage.first.resize(40, 120)
    stage.first.run("resize")
    printed = stage.first.run("stty size")[1].split()
    expect(printed == ["40", "120"], printed)


@test("a second terminal, of another size")
def second(stage):
    stage.second = stage.console()
    stage.second.wait("Connected to the guest")
    stage.second.type("\r")
    stage.second.wait(r"guest:[^\n]*# $")
    printed = stage.second.run("stty size")[1].split()
    expect(printed == ["25", "90"], printed)
    expect(stage.first.run("tty")[1] != stage.second.run("tty")[1], "it is the first one")
    expect(stage.second.run("myallocctl validate")[0] == 0, "no tool in it")


@test("Ctrl-] leaves it, the guest goes on, and it can be had again")
def leaves(stage):
    stage.second.type("\x1d")
    expect(stage.second.ended() == 0, "it ends with %s" % stage.second.ended())
    stage.second.wait("left; the guest goes on")
    expect(stage.first.run("true")[0] == 0, "the first one is gone")
    stage.second = stage.console()
    stage.second.wait("Connected to the guest")
    expect(stage.second.run("echo again")[1].strip() == "again", "no answer")


@test("exit ends the guest, and the second terminal says so")
def ends(stage):
    stage.first.type("exit\r")
    expect(stage.first.ended() == 0, "it ends with %s" % stage.first.ended())
    stage.second.wait("the guest has ended")
    expect(stage.second.ended() == 0, "the second one ends with %s" % stage.second.ended())
    expect("Call Trace" not in stage.first.text(), "the kernel complains")


def main():
    kernel, out = sys.argv[1], os.path.abspath(sys.argv[2])
    os.makedirs(out, exist_ok=True)
    print("KTAP version 1\n1..%d" % len(TESTS), flush=True)
    stage = Stage(kernel, out)
    bad = None
    for number, (name, function) in enumerate(TESTS, 1):
        if bad and bad != nobody:                       # one guest: what follows needs it
            print("# not reached\nnot ok %d - shell: %s" % (number, name), flush=True)
            continue
        try:
            function(stage)
            print("ok %d - shell: %s" % (number, name), flush=True)
        except (Gone, OSError) as e:
            bad = function
            for line in str(e).splitlines():
                print("# " + line)
            print("not ok %d - shell: %s" % (number, name), flush=True)
    stage.end()
    sys.exit(bad is not None)


main()
