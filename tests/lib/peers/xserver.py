# SPDX-License-Identifier: GPL-2.0-or-later
"""X servers and the windows on them: when they are there for others."""

import socket

from ..waiting import wait_until


def wait_display(display):
    """Until the X server of a display such as ":10" takes clients. Its socket has a name a moment before that, and Xlib
    tries once."""
    def takes_clients():
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(f"/tmp/.X11-unix/X{display[1:]}")
            except (FileNotFoundError, ConnectionRefusedError):
                return False
        return True
    wait_until(takes_clients, f"the X server of {display}")


def focus_window(side, title):
    """Give the keyboard to the window of this title, once it is shown: X refuses it to one that has a title but is not.

    side: whatever has run() for clients of an X server, such as Desktop.
    """
    def shown():
        return side.run("xdotool", "search", "--onlyvisible", "--name", title, check=False).stdout.split()
    side.run("xdotool", "windowfocus", "--sync", wait_until(shown, f"a window {title!r}")[0])
