# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests/check.sh makes of the suites' results: the closing line of `make check` is the sum of all of them."""

import os
import pathlib
import subprocess

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
COUNTS = {"unit": (7, 0), "prove": (6, 0), "lint": (5, 0), "fuzz-smoke": (4, 0), "reproducible": (1, 0)}
TARGETS = {"lint": "lint", "fuzz-smoke": "fuzz-smoke"}
JUNIT = {"golden.xml": (10, 0, 0, 0), "netns.1.xml": (200, 0, 0, 0), "netns.2.xml": (300, 0, 0, 0), "uml.xml": (20, 0, 0, 0),
         "firmware.xml": (30, 0, 0, 0)}


def junit(tests, failures, errors, skipped):
    """As pytest writes it: one line, without its end."""
    return (f'<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="{errors}" failures="{failures}" '
            f'skipped="{skipped}" tests="{tests}" time="1.0"><testcase name="x" /></testsuite></testsuites>')


def check(tmp_path, counts, files, status=None):
    """The last lines of check.sh where each suite leaves these; its exit status. status: {suite: that of its command}, else 0."""
    make = tmp_path / "make"
    steps = [f'{TARGETS.get(name, "check-" + name)}) echo "{good} {bad}" >"$O/check/{name}.count" ;;' for name, (good, bad) in counts.items()]
    suites = {file.partition(".")[0] for file in files}
    steps += [f"check-{suite}) " + "".join(f"printf '%s' '{junit(*numbers)}' >\"$O/check/{file}\"; "
                                           for file, numbers in files.items() if file.startswith(suite + "."))
              + f"exit {(status or {}).get(suite, 0)} ;;" for suite in sorted(suites)]
    make.write_text('#!/bin/sh\ncase $1 in\n' + "\n".join(steps) + "\nesac\n")
    make.chmod(0o755)
    done = subprocess.run(["sh", TESTS / "check.sh"], env={**os.environ, "O": str(tmp_path / "out"), "MAKE": str(make)},
                          capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines()[-1], done.stdout, done.returncode


def test_check_adds_up_every_file_of_every_suite(tmp_path):
    last, said, code = check(tmp_path, COUNTS, JUNIT)
    assert (last, code) == ("583 passed, 0 failed", 0)
    assert "== netns: 500 passed, 0 failed" in said


@pytest.mark.parametrize("file", ["netns.1.xml", "netns.2.xml"])
def test_check_counts_a_failure_in_any_file(tmp_path, file):
    last, said, code = check(tmp_path, COUNTS, {**JUNIT, file: (100, 2, 1, 4)}, {"netns": 1})
    passed = 583 - JUNIT[file][0] + 93
    assert (last, code) == (f"{passed} passed, 3 failed", 1)
    assert "netns: 4 skipped" in said


def test_check_fails_where_a_suite_did_not_run_or_ended_badly(tmp_path):
    without = {name: counts for name, counts in COUNTS.items() if name != "prove"}
    last, said, code = check(tmp_path, without, JUNIT)
    assert (last, code) == ("577 passed, 1 failed", 1) and "prove did not run" in said
    last, said, code = check(tmp_path, COUNTS, JUNIT, {"uml": 2})
    assert (last, code) == ("583 passed, 1 failed", 1) and "uml ended with status 2" in said
