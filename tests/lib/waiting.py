# SPDX-License-Identifier: GPL-2.0-or-later
"""Bounded waits: nothing in the tests waits without a limit, and a wait that fails says what for."""

import time

PATIENCE_SECONDS = 30.0  # no wait gives up sooner: a machine that does other things as well may need it all


class WaitedTooLong(AssertionError):
    """A condition did not come true in time."""


def wait_until(condition, what, seconds=5.0, pause=0.02):
    """Call `condition` until it returns something true, and return that; raise after `seconds` or PATIENCE_SECONDS.

    For whatever another thread or process counts or writes, also where it has surely been sent by now. A promise that is a
    time is no business of this function: take the time and compare.
    """
    seconds = max(seconds, PATIENCE_SECONDS)
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise WaitedTooLong(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)


def kept_within(attempt, seconds):
    """A promise that is a time. attempt: a function that tries once and returns how many seconds it took."""
    took = attempt()
    assert took < seconds, f"promised within {seconds} s, took {took}"


def holds_for(condition, what, seconds):
    """Fail as soon as `condition` is false within `seconds`: for things that must NOT happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"no longer true: {what}"
        time.sleep(0.02)
