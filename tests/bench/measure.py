# SPDX-License-Identifier: GPL-2.0-or-later
"""What a benchmark is: one quantity of ours, the same quantity of named peers, measured in turns.

A module tests/bench/bench_NAME.py has `measures(scratch)`, a generator of Measure; what it sets up it takes down when
the generator is closed:

    def measures(scratch):
        net = Net(scratch)
        try:
            yield Measure("mails of 20 KB", "mails/s", ours, {"Postfix, unfiltered": postfix}, target=1.5)
        finally:
            net.close()

Each function runs one round of a few seconds at most and returns a number, larger is better.
"""

import dataclasses
import statistics
from collections.abc import Callable


@dataclasses.dataclass
class Measure:
    """One line of the table for each peer."""
    what: str
    unit: str
    ours: Callable[[], float]
    peers: dict[str, Callable[[], float]]
    target: float | None = None     # of the ratio to the first peer; shown, and missed or met


@dataclasses.dataclass
class Row:
    """A result: medians of interleaved rounds, and how far our own rounds were apart."""
    measure: Measure
    peer: str
    ours: float
    theirs: float
    spread: float

    @property
    def ratio(self):
        return self.ours / self.theirs if self.theirs else float("inf")

    def cells(self):
        measure = self.measure
        target = "" if measure.target is None or self.peer != next(iter(measure.peers)) else (
            f"{measure.target:g} {'met' if self.ratio >= measure.target else 'MISSED'}")
        return [measure.what, measure.unit, f"{self.ours:,.1f}", f"±{self.spread:.0%}", self.peer,
                f"{self.theirs:,.1f}", f"{self.ratio:.2f}", target]


HEADING = ["what", "unit", "ours", "spread", "peer", "peer's", "ratio", "target"]


def rounds(measure, count):
    """Measure ours and each peer in turns `count` times, so that what disturbs the machine disturbs all."""
    ours, theirs = [], {name: [] for name in measure.peers}
    for _ in range(count):
        ours.append(measure.ours())
        for name, function in measure.peers.items():
            theirs[name].append(function())
    middle = statistics.median(ours)
    spread = (max(ours) - min(ours)) / 2 / middle if middle else 0.0
    return [Row(measure, name, middle, statistics.median(values), spread) for name, values in theirs.items()]
