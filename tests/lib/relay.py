# SPDX-License-Identifier: GPL-2.0-or-later
"""The two halves of the screen relay alone, with a small driver in the supervisor's place (tests/bench/screen_driver.c).

Viewers are in the lgwan zone's namespace, desktops in the internet zone's, the driver in the gateway's.
"""

import os
import re

from .waiting import PATIENCE_SECONDS, wait_until

DRIVER = os.environ.get("SCREEN_DRIVER", "/out/bench/screen_driver")
LIBEXEC = os.environ.get("SEKISHO_LIBEXEC", "/out/libexec")


def prepare(topology):
    """Give the gateway's namespace its addresses, which are the supervisor's to give otherwise."""
    for zone in topology.zones.values():
        topology.net.address(topology.gateway, zone.port, *zone.gateway)
    return topology


class Relay:
    """A running driver: accepts viewers at host:port, connects to the desktop at desktop_host:desktop_port."""

    PORT, DESKTOP_PORT = 5900, 5900

    def __init__(self, net, topology, frame_rate=60, idle_s=0, limit_s=0, statements="", authority="",
                 password=""):
        """net: what the driver and its peers are started in and end with; the topology may live longer.

        statements: more of the screen's entry in the configuration.
        authority, password: files that stand for the slots of its desktop-security.
        """
        self.topology, self.net = topology, net
        self.viewers, self.desktops = topology.zones["lgwan"], topology.zones["internet"]
        self.host, self.desktop_host = self.viewers.gateway4, self.desktops.peer4
        self.process = self.net.popen(topology.gateway, DRIVER, LIBEXEC, self.PORT, self.desktop_host,
                                      self.DESKTOP_PORT, frame_rate, idle_s, limit_s, statements, authority,
                                      password)
        self.process.wait_log("ready")

    def connect(self, timeout=PATIENCE_SECONDS):
        """A socket from the viewers' namespace to the relay."""
        return self.net.connect(self.viewers.namespace, self.host, self.PORT, timeout)

    def lines(self, *parts):
        """The lines of the driver's output that have all `parts`, oldest first; one that is still being written is none."""
        return [line for line in self.process.log().split("\n")[:-1] if all(p in line for p in parts)]

    def wait_line(self, *parts, seconds=5.0, count=1):
        return wait_until(lambda: self.lines(*parts)[count - 1:], f"a line with {parts}", seconds)[0]

    def wait_end(self, side, seconds=5.0, count=1):
        """The end event of the newest session's half that faces `side`, as a dictionary of its fields."""
        line = self.wait_line("screen-ended ", f"peer={side}", seconds=seconds, count=count)
        return dict(re.findall(r"(\S+)=(\S*)", self.lines("screen-ended ", f"peer={side}")[-1] if count == 1 else line))

    def pids(self, session):
        """(viewer's half, source's half) of a session by its number."""
        line = self.wait_line(f"started {session} ")
        return tuple(int(p) for p in line.split()[2:4])
