#!/usr/bin/env python3
"""A second terminal in the guest of 'make vm-shell'.

Usage: console.py SOCKET

Connects this terminal to the guest's second serial line. Ctrl-] leaves; the guest goes on. Exit
status: 0, the user left or the guest has ended; 1, there is no such guest.
"""

import os
import select
import socket
import sys
import termios
import tty

LEAVE = b"\x1d"                                         # Ctrl-]


def relay(line):
    """Pass bytes both ways, until Ctrl-] or until the guest ends."""
    while True:
        ready, _, _ = select.select([0, line], [], [])
        if line in ready:
            data = line.recv(4096)
            if not data:
                return "the guest has ended"
            os.write(1, data)
        if 0 in ready:
            data = os.read(0, 4096)
            keep, found, _ = data.partition(LEAVE)
            line.sendall(keep)
            if found or not data:
                return "left; the guest goes on"


def main():
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(os.path.realpath(sys.argv[1]))     # a path must be short
    except OSError:
        print("error: no guest is running: start 'make vm-shell' in another terminal first",
              file=sys.stderr)
        return 1
    print("Connected to the guest. Enter begins, Ctrl-] leaves.", flush=True)
    before = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        if before:
            tty.setraw(0)
        how = relay(line)
    finally:
        if before:
            termios.tcsetattr(0, termios.TCSADRAIN, before)
    print("\r\n" + how)
    return 0


if __name__ == "__main__":
    sys.exit(main())
