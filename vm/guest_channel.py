#!/usr/bin/env python3
"""Read the data that a guest sends (see guest/init.c) while it runs, and write it to files.

Usage: guest_channel.py STREAM OUT [--show] [--qmp SOCKET] [--name WHAT]

Reads the file STREAM as it grows, until the guest's last message, or until the
process whose pipe is standard input has ended and nothing more can come.
Writes OUT/stdout, OUT/stderr, OUT/files/NAME. --show also prints the script's
output as it arrives. --qmp is QEMU's control socket, for requests of the script:
nmi N, that many non-maskable interrupts, 10 ms apart.

--boot S MACHINE: if nothing has come after S seconds, kill the process whose number
is in the file MACHINE.

Exit status: 0, the guest sent everything, and OUT/exit holds its script's exit
status; 1, it did not get that far; 2, the data does not follow init.c's protocol;
3, it was killed because nothing had come.
"""

import argparse
import json
import os
import select
import signal
import socket
import sys
import threading
import time


class Broken(Exception):
    """The data does not follow init.c's protocol."""


class Monitor:
    """QEMU's control socket (QMP): a line of JSON each way for each command."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw", encoding="utf-8")
        self.lines.readline()                           # its greeting
        self.command("qmp_capabilities")

    def command(self, name):
        """Run one without arguments; False if QEMU is gone or refuses."""
        self.lines.write(json.dumps({"execute": name}) + "\n")
        self.lines.flush()
        for line in self.lines:
            answer = json.loads(line)
            if "return" in answer or "error" in answer:  # else an event
                return "return" in answer
        return False

    def nmi(self, count):
        """Runs in parallel with the reader of the channel."""
        try:
            while count > 0 and self.command("inject-nmi"):
                count -= 1
                time.sleep(0.01)
        except OSError:
            pass


class Channel:
    """Takes bytes in pieces of any size and acts on each complete message."""

    def __init__(self, out, show=None, qmp=None):
        self.out = out
        self.show = show
        self.qmp = qmp
        self.pending = b""
        self.release = None
        self.exit = None
        self.ended = False
        os.makedirs(os.path.join(out, "files"), exist_ok=True)
        self.streams = {}
        for tag, name in ((b"out", "stdout"), (b"err", "stderr")):
            self.streams[tag] = open(os.path.join(out, name), "wb")

    def close(self):
        for stream in self.streams.values():
            stream.close()

    def feed(self, data):
        self.pending += data
        while not self.ended and self._one():
            pass

    def _one(self):
        head, newline, rest = self.pending.partition(b"\n")
        if not newline:
            if len(head) > 1024:
                raise Broken("no message begins with %r" % head[:80])
            return False
        words = head.split(b" ", 2)
        tag = words[0][1:]
        if words[0][:1] != b"@":
            raise Broken("no message begins with %r" % head[:80])
        if tag in (b"out", b"err", b"file"):
            size = int(words[1])
            if len(rest) < size:
                return False
            body, self.pending = rest[:size], rest[size:]
            if tag == b"file":
                self._file(words[2].decode(), body)
            else:
                self.streams[tag].write(body)
                self.streams[tag].flush()
                if self.show:
                    self.show.write(body)
                    self.show.flush()
            return True
        self.pending = rest
        if tag == b"hello":
            self.release = words[1].decode()
        elif tag == b"exit":
            self.exit = int(words[1])
        elif tag == b"end":
            self.ended = True
        elif tag == b"ask":
            self._ask(head.decode().split()[1:])
        else:
            raise Broken("unknown message %r" % head[:80])
        return True

    def _ask(self, words):
        if len(words) != 2 or words[0] != "nmi" or not self.qmp:
            raise Broken("the script asks for %r" % words)
        threading.Thread(target=Monitor(self.qmp).nmi, args=(int(words[1]),),
                         daemon=True).start()

    def _file(self, name, body):
        base = os.path.realpath(os.path.join(self.out, "files"))
        path = os.path.realpath(os.path.join(base, name))
        if os.path.commonpath([base, path]) != base or path == base:
            raise Broken("file name %r leads outside" % name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(body)


def alive():
    """Is the writer of our standard input still alive?"""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return not ready or bool(os.read(sys.stdin.fileno(), 4096))


def kill(path):
    """End the process whose id is in the file, unless it has ended already."""
    try:
        with open(path, encoding="utf-8") as machine:
            os.kill(int(machine.read()), signal.SIGTERM)
    except (OSError, ValueError):
        pass


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("stream")
    parser.add_argument("out")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--qmp")
    parser.add_argument("--name", default="the guest")
    parser.add_argument("--boot", nargs=2, metavar=("S", "MACHINE"))
    arguments = parser.parse_args()
    stream, out = arguments.stream, arguments.out
    started = heard = time.monotonic()
    channel = Channel(out, sys.stdout.buffer if arguments.show else None, arguments.qmp)
    try:
        with open(stream, "rb") as f:
            while not channel.ended:
                running = alive()
                data = f.read()
                if data:
                    channel.feed(data)
                    heard = time.monotonic()
                    continue
                if not running:
                    break
                if arguments.boot and channel.release is None and \
                        time.monotonic() - started > float(arguments.boot[0]):
                    kill(arguments.boot[1])
                    return 3
                if time.monotonic() - heard > 20:
                    heard = time.monotonic()
                    print("    … %s has been running for %d s"
                          % (arguments.name, heard - started), file=sys.stderr, flush=True)
                time.sleep(0.05)
    except (Broken, ValueError, IndexError) as e:
        print("what the guest sent is broken: %s" % e, file=sys.stderr)
        return 2
    finally:
        channel.close()
    if channel.release:
        with open(os.path.join(out, "release"), "w") as f:
            f.write(channel.release + "\n")
    if not channel.ended or channel.exit is None:
        return 1
    with open(os.path.join(out, "exit"), "w") as f:
        f.write("%d\n" % channel.exit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
