# SPDX-License-Identifier: GPL-2.0-or-later
"""Several runs of the same tests divide the files among them (pytest plugin; `--share DIR`).

Most tests of tests/netns wait: for a deadline, a lease, a peer's answer. So tests/netns/run.sh starts several runs, each in a
root with namespaces of its own. Each goes through all files in the same order and takes those that no other has taken: a
file's first test makes DIR/NAME, which succeeds in one run only. The others pass over the file, and count none of its tests.
DIR/NAME holds how many tests the file has for this run; tests/netns/run.sh compares their sum with what was reported.
"""

import collections
import os
import pathlib


class Sharing:
    """What this run has taken and what it has found taken."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.mine = {}      # a file's path: whether it is ours
        self.tests = {}     # a file's path: how many of its tests were chosen

    def take(self, path):
        """Try to take a file; return whether it is ours from now on. Raise OSError where DIR cannot be written."""
        name = self.directory / path.name
        try:
            claim = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(claim, "w") as out:
            out.write(f"{self.tests[path]}\n")
        return True

    def pytest_collection_finish(self, session):
        self.tests = collections.Counter(item.path for item in session.items)

    def pytest_runtest_protocol(self, item, nextitem):
        """Not None (the test is done with) for the tests of a file that another run has taken."""
        if item.path not in self.mine:
            self.mine[item.path] = self.take(item.path)
        return None if self.mine[item.path] else True
