# SPDX-License-Identifier: GPL-2.0-or-later
"""A power cut at any moment of a commit leaves the old configuration or the new one, whole (C2, Z13).

Most moments are cuts without a boot each: QEMU is stopped with SIGSTOP, its disk is copied, it goes on. What lies in the copy is
what a kill at that moment leaves, for QEMU writes to the disk's file what the guest writes and nothing else. The copies are
mounted by the firmware's own kernel, which replays the journal. The last moment of each boot is a kill, and there the appliance
itself starts again and is asked.
"""

import os
import random
import re
import statistics
import time

import pytest

from lib import first_boot
from lib.appliance import ZONES, commit
from lib.qemu import copy_disk
from lib.waiting import wait_until

CUTS = int(os.environ.get("CUTS") or 6)
SEED = int(os.environ.get("SEED") or 1)
CUTS_OF_A_COMMIT = 5
CUTS_OF_A_BOOT = 4 * CUTS_OF_A_COMMIT   # as many copies as the machine that looks into them has slots for
CONSOLE_LINES = 30
SERVICES = 150          # enough for a file of several blocks
COMMITTED = "committed: configuration "
# Each saved configuration by its last two: name, its first line, what that line should say, which commit it is. Nothing here
# holds an equals sign or a quotation mark: it travels on the kernel command line.
LOOK = ("until mkdir /run/copy; do sleep 1; done; for d in {disks}; do mount -t ext4 /dev/$d /run/copy; echo DISK $d; cd /run/copy/sekisho/config; "
        "for f in $(ls | grep ^config.0 | tail -n 2); do echo FILE $f; head -n 1 $f; tail -n +2 $f | sha256sum; "
        "grep -o cut.[0-9]* $f; done; cd /; umount /run/copy; done; echo END")


def many_services():
    return "".join(f"service service-{n} {{ tcp {2000 + n}; udp {3000 + n}; }}\r" for n in range(SERVICES))


class Commits:
    """An appliance whose configurations are numbered: commit n writes the description `cut n`."""

    def __init__(self, board, seed):
        self.board, self.random = board, random.Random(seed)
        self.number, self.took = 0, []

    def begin(self):
        """A first configuration, and how long commits take here."""
        first_boot.begin(self.board.console)
        commit(self.board.console, *ZONES)
        self.enter()
        self.console.send("load merge terminal\r")
        self.console.expect("Ctrl-D")
        self.console.run(many_services() + "\x04")
        self.commit()

    @property
    def console(self):
        return self.board.console

    def enter(self):
        self.console.run("")
        self.console.run("configure")

    def start(self):
        self.number += 1
        self.console.run(f"set zone lgwan description cut-{self.number}")
        self.console.send("commit\r")
        return time.monotonic()

    def finish(self, started):
        self.console.expect(COMMITTED)
        self.took.append(time.monotonic() - started)
        self.console.expect(self.console.PROMPT)

    def commit(self):
        self.finish(self.start())

    def moments(self, count):
        """Begin a commit and stop at `count` random moments, from its first instant to a little behind its end."""
        span = 1.15 * statistics.median(self.took[-9:])
        waits = sorted(self.random.uniform(0, span) for _ in range(count))
        started = self.start()
        for wait in waits:
            time.sleep(max(0, started + wait - time.monotonic()))
            stopped = time.monotonic()
            yield
            started += time.monotonic() - stopped   # for the machine no time has passed
        if self.board.running():
            self.finish(started)

    def acknowledged(self):
        """Whether the appliance has told its operator that the commit under way is done."""
        return self.board.transcript().rpartition(f"cut-{self.number}")[2].count(COMMITTED) > 0


def newest_whole(text):
    """The commit that an appliance with these saved files starts with, by the rule of its store; the older one must be whole too,
    for nobody has touched it."""
    files = []
    for part in text.split("FILE ")[1:]:
        said = re.search(r"^# sekisho-configuration sha256=([0-9a-f]{64})$", part, re.MULTILINE)
        is_so = re.search(r"^([0-9a-f]{64})  -$", part, re.MULTILINE)
        cut = re.search(r"^cut-(\d+)$", part, re.MULTILINE)
        assert said and is_so and said[1] == is_so[1], f"a saved file is not whole:\n{text}"
        files.append(int(cut[1]) if cut else 0)
    assert files == sorted(files) and len(files) == 2, text
    return files[-1]


def look_into(board, copies):
    """The firmware's kernel mounts each copy; return the text about each."""
    names = [f"vd{chr(ord('c') + i)}" for i in range(len(copies))]
    board.disks, board.watch = copies, LOOK.format(disks=" ".join(names))
    board.power_on()
    seen = board.wait_watched()
    board.stop()
    parts = dict(part.split("\n", 1) for part in seen.split("DISK ")[1:])
    assert sorted(parts) == names, seen
    return [parts[name] for name in names]


def expect_old_or_new(found, number, acknowledged):
    """Return: whether it is the new one."""
    assert found in ((number,) if acknowledged else (number - 1, number)), (found, number, acknowledged)
    return found == number


def cut_without_a_boot(commits, copies):
    """One commit, cut at several moments. Yields what each left (a copy of the disk), during which commit, and whether that was
    acknowledged."""
    for _, to in zip(commits.moments(len(copies)), copies):
        with commits.board.frozen():
            yield copy_disk(commits.board.data, to), commits.number, commits.acknowledged()


def cut_and_ask(commits):
    """A kill, and the appliance's own answer after it. Return: whether it came back with the new one."""
    board = commits.board
    for _ in commits.moments(1):
        with board.frozen():
            acknowledged = commits.acknowledged()
            board.process.kill()
        board.power_cut()
    board.power_on()
    board.wait_ready(60)
    first_boot.log_in(board.console)
    shown = board.console.run("show configuration zone lgwan | no-more")
    found = int(re.search(r"description cut-(\d+)|description \"cut-(\d+)\"", shown).expand(r"\1\2"))
    is_new = expect_old_or_new(found, commits.number, acknowledged)
    assert board.console.run(f"show log {CONSOLE_LINES} | match config-damaged | count").strip() == "0"
    commits.number = found
    commits.enter()
    return is_new


@pytest.mark.limit(120 + 20 * CUTS)
def test_power_cut_at_any_moment_of_a_commit_leaves_the_old_or_the_new_configuration(machine, tmp_path):
    """CUTS moments, 1,000 in the long form. What was acknowledged is never lost."""
    board = machine()
    board.power_on()
    board.wait_ready(60)
    commits = Commits(board, SEED)
    commits.begin()
    looker = machine(watch="true")
    done = kills = new = 0
    while done < CUTS:
        kept = [tmp_path / f"cut-{i}.img" for i in range(min(CUTS_OF_A_BOOT, CUTS - done) - 1)]
        moments = [moment for i in range(0, len(kept), CUTS_OF_A_COMMIT)
                   for moment in cut_without_a_boot(commits, kept[i:i + CUTS_OF_A_COMMIT])]
        new += cut_and_ask(commits)
        texts = look_into(looker, kept) if kept else []
        new += sum(expect_old_or_new(newest_whole(text), number, acknowledged)
                   for text, (_, number, acknowledged) in zip(texts, moments, strict=True))
        kills += 1
        done += len(kept) + 1
        print(f"power cuts: {done} ({kills} of them with a boot), {new} left the new configuration, "
              f"median commit {statistics.median(commits.took):.2f} s", flush=True)
