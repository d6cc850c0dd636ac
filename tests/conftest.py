# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures and limits of every test: a time bound, and on failure the gateway's log in the report.

Run inside the test root, where nothing reaches the host's network and everything ends with the command:
    rootfs/enter.sh test . OUTPUT sh -c 'cd tests && python3 -B -m pytest netns/test_harness.py'
"""

import faulthandler
import signal
import sys

import pytest

from lib import gateway as gateway_module
from lib.gateway import Gateway, config_text
from lib.net import Net, Topology
from lib.sharing import Sharing

DEFAULT_LIMIT_SECONDS = 60
LIMIT_FACTOR = 3    # how much slower a busy machine may be than the one that the limits are for


class TimeLimit(BaseException):
    """Raised inside a test that has used up its time; not an Exception, so that no test swallows it."""


def pytest_addoption(parser):
    parser.addoption("--share", metavar="DIR", help="divide the files with other runs that were given the same directory")


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): the time that the test may take on an idle machine (default 60)")
    if config.getoption("share"):
        config.pluginmanager.register(Sharing(config.getoption("share")))
    faulthandler.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    marker = item.get_closest_marker("limit")
    seconds = (marker.args[0] if marker else DEFAULT_LIMIT_SECONDS) * LIMIT_FACTOR

    def out_of_time(_signo, _frame):
        faulthandler.dump_traceback(file=sys.__stderr__)
        raise TimeLimit(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(seconds + 60, exit=True)
    try:
        return (yield)
    except TimeLimit as late:
        pytest.fail(str(late))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for running in gateway_module.started:
            report.sections.append((f"gateway {running.prefix}", running.report()))
    return report


@pytest.fixture
def net(tmp_path):
    """Namespaces and background processes, ended after the test whatever happens."""
    made = Net(tmp_path)
    try:
        yield made
    finally:
        made.close()
        gateway_module.started.clear()


@pytest.fixture
def topology(net):
    """Three zones and a namespace for the gateway (picture in lib/net.py)."""
    return Topology(net)


@pytest.fixture
def make_gateway(topology):
    """make_gateway(*blocks, **kwargs): start sekishod with the topology's zones and these configuration blocks."""
    made = []

    def make(*blocks, system="", zone_extra=None, **kwargs):
        text = config_text(topology, *blocks, system=system, zone_extra=zone_extra)
        made.append(Gateway(topology, text, **kwargs))
        return made[-1]

    yield make
    for running in reversed(made):
        running.stop()
