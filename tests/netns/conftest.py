# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests that drive the two halves of the screen relay alone (lib/relay.py)."""

import pytest

from lib.net import Net, Topology
from lib.relay import Relay, prepare


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """One topology for all tests of a file: making and removing namespaces takes longer than most of these tests."""
    made = Net(tmp_path_factory.mktemp("ground"))
    yield prepare(Topology(made))
    made.close()


@pytest.fixture
def relay(net, ground):
    return Relay(net, ground)
