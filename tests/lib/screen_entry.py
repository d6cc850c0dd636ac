# SPDX-License-Identifier: GPL-2.0-or-later
"""A screen entry of the whole gateway without a login: viewers in the lgwan zone, the desktop in the internet zone."""

from .peers.rfb import FakeDesktop, Viewer
from .waiting import PATIENCE_SECONDS

PORT = 5900


def screen(topology, *statements):
    return (f'screen web {{ from lgwan; to internet; listen {PORT}; desktop {topology.zones["internet"].peer4}:5900; '
            f'security none; {" ".join(statements)} }}')


def fake_desktop(topology, script=None):
    zone = topology.zones["internet"]
    return FakeDesktop(topology.net, zone.namespace, zone.peer4, script=script)


def still(desktop, stream):
    """A script of a desktop that stands still in one colour."""
    desktop.show(stream, 0x112233)
    desktop.serve(stream)


def viewer_of(topology):
    zone = topology.zones["lgwan"]
    viewer = Viewer(topology.net.connect(zone.namespace, zone.gateway4, PORT, PATIENCE_SECONDS))
    viewer.begin()
    return viewer
