# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures that several files share: a console of the file's `gateway`, and the two halves of the screen relay alone (lib/relay.py)."""

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


@pytest.fixture
def console(gateway):
    """Open at its prompt, without pages."""
    with gateway.console() as made:
        made.expect(made.PROMPT)
        made.run("terminal length 0")
        yield made
