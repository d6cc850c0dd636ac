# SPDX-License-Identifier: GPL-2.0-or-later
"""How many sessions a group may have: those of the entry that is for this group."""

import pytest

from lib.peers.vencrypt import Refused, SecureViewer
from test_screen_login import PLAIN, PORT, admitted, connect, fake_desktop, password_of, screen, wait_sessions

GUESTS = "screen guests {{ from lgwan; to internet; listen {port}; desktop {desktop}:5900; " \
    "security x509-plain; tls {{ certificate screen; }} group guests; sessions 1; }}\n"
OWN_PORT = PORT + 1


def test_limit_of_a_group_is_that_of_its_entry(make_gateway, topology):
    """Z14, Z5: a group with an entry of its own has that many sessions, takes none from others, and nobody else gets in there."""
    fake_desktop(topology)
    guests = GUESTS.format(port=OWN_PORT, desktop=topology.zones["internet"].peer4)
    gateway = make_gateway(guests + screen(topology, f"{PLAIN} sessions 2;"))
    secrets = {user: password_of(gateway, user) for user in ("suzuki", "sato")}
    console = gateway.open_console()
    first = admitted(topology, "sato", secrets["sato"], port=OWN_PORT)
    assert connect(topology, port=OWN_PORT).recv(1) == b"", "one guest more than the group's entry allows was served"
    gateway.wait_event("session-refused ", 'name="guests"', 'reason="sessions in total"')
    kept = [admitted(topology, user, secrets[user]) for user in ("suzuki", "sato")]
    wait_sessions(console, ("sato", 5900), ("sato", 5900), ("suzuki", 5900))
    first.close()
    wait_sessions(console, ("sato", 5900), ("suzuki", 5900))
    stranger = SecureViewer(connect(topology, port=OWN_PORT), "suzuki", login=False)
    with pytest.raises(Refused):
        stranger.log_in("suzuki", secrets["suzuki"])
    gateway.wait_event("screen-login-refused ", 'user="suzuki"', 'name="guests"', 'reason="not in a group of this screen"')
    for viewer in kept:
        viewer.close()
