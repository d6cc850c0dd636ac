# SPDX-License-Identifier: GPL-2.0-or-later
"""What /proc says of a process, which may end between any two looks and in the middle of one.

Each function looks once and never asks first whether the process is there: that would answer for another moment. Its end is an
answer like any other (None, or nothing), and every other error is raised.
"""

import contextlib
import os
import pathlib

# Of a process that has ended: its directory is gone, or it is gone while a file of it is open. What a zombie no longer has
# (its program, its memory, its descriptors) is either absent or empty.
ENDED = (FileNotFoundError, ProcessLookupError)


def text(pid, name):
    """The contents of /proc/PID/name as one read gave them; None: the process has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except ENDED:
        return None


def link(pid, name):
    """Where the link /proc/PID/name points; None: the process has ended, or it has closed that."""
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except ENDED:
        return None


def state(pid):
    """The letter of its state as proc_pid_stat(5) has it, such as R, S, T or Z; "X": it has ended."""
    stat = text(pid, "stat")
    return stat.rpartition(")")[2].split()[0] if stat else "X"


def alive(pid):
    """Whether the process runs or could (stopped ones are alive); one that only its parent still has to ask for is not."""
    return state(pid) not in "ZX"


def waits(pid):
    """Whether it waits for something to come: what wakes it makes it ready to run in the same moment."""
    return state(pid) == "S"


def stands(pid):
    """Whether it has been stopped: a signal that does it is sent before it takes effect."""
    return state(pid) == "T"


def program(pid):
    """The name of its program's file; None: it has ended. Between fork and exec it is the parent's."""
    found = link(pid, "exe")
    return os.path.basename(found).removesuffix(" (deleted)") if found else None


def status(pid):
    """/proc/PID/status as {name: value}; None: the process has ended."""
    found = text(pid, "status")
    return dict(line.split(":\t", 1) for line in found.splitlines() if ":\t" in line) if found else None


def descriptors(pid):
    """{number: what it is} of the descriptors that were there for both looks; nothing where the process has ended."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except ENDED:
        return {}
    found = {int(number): link(pid, f"fd/{number}") for number in numbers}
    return {number: target for number, target in found.items() if target is not None}


def reaped(pids):
    """Whether their parent has asked for each of them, and so knows that they have ended: what is only no longer alive may
    still count for it."""
    return not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def send(pid, signo):
    """Send a signal; whether there was a process to send it to."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signo)
        return True
    return False
