# SPDX-License-Identifier: GPL-2.0-or-later
"""Joins the user's terminal to the machine's serial console; Ctrl-A X ends it."""

import os
import select
import sys
import termios
import tty

LEAD = 0x01


def attach(machine):
    """Copy both ways until Ctrl-A X, the end of input, or the machine's own end. Ctrl-A Ctrl-A sends one Ctrl-A."""
    line = machine.console.child_fd
    terminal = sys.stdin.fileno()
    saved = termios.tcgetattr(terminal) if os.isatty(terminal) else None
    try:
        if saved:
            tty.setraw(terminal)
        os.write(line, b"\r")
        copy(machine, line, terminal)
    finally:
        if saved:
            termios.tcsetattr(terminal, termios.TCSADRAIN, saved)
        print()


def copy(machine, line, terminal):
    led = False
    while machine.running():
        ready, _, _ = select.select([line, terminal], [], [], 1.0)
        if line in ready:
            data = os.read(line, 4096)
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if terminal in ready:
            data = os.read(terminal, 256)
            if not data:
                return
            for byte in data:
                if led and bytes([byte]) in (b"x", b"X"):
                    return
                if byte == LEAD and not led:
                    led = True
                    continue
                os.write(line, bytes([byte]))
                led = False
