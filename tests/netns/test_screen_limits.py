# SPDX-License-Identifier: GPL-2.0-or-later
"""How many sessions a group may have, on all screens or by an entry of its own; how many the gateway has room for."""

import contextlib

import pytest

from lib.peers.rfb import Viewer
from lib.peers.vencrypt import Refused, SecureViewer
from lib.waiting import wait_until
from test_screen_login import PLAIN, PORT, admitted, connect, fake_desktop, password_of, refused, screen, wait_sessions

GUESTS = "screen guests {{ from lgwan; to internet; listen {port}; desktop {desktop}:5900; " \
    "security x509-plain; tls {{ certificate screen; }} group guests; sessions 1; }}\n"
OWN_PORT = PORT + 1
SESSIONS_MAX = 320      # src/policy/snapshot.h


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


def test_limit_of_a_group_holds_over_all_screens(make_gateway, topology):
    """Z14, Z5: `screen-group`: users of a group count together, whatever screen each is at; who is in none of it is not counted."""
    fake_desktop(topology)
    guests = GUESTS.format(port=OWN_PORT, desktop=topology.zones["internet"].peer4).replace("sessions 1", "sessions 9")
    others = "screen-user abe { group guests; }\n"
    gateway = make_gateway("screen-group staff { sessions 2; }\n" + others + guests + screen(topology))
    secrets = {user: password_of(gateway, user) for user in ("abe", "suzuki", "sato")}
    console = gateway.open_console()
    kept = [admitted(topology, "abe", secrets["abe"], port=OWN_PORT), admitted(topology, "suzuki", secrets["suzuki"])]
    first = admitted(topology, "sato", secrets["sato"], port=OWN_PORT)
    refused(topology, "suzuki", secrets["suzuki"])
    gateway.wait_event("screen-login-refused ", 'user="suzuki"', 'name="web"', 'reason="sessions of group staff"')
    kept.append(admitted(topology, "abe", secrets["abe"], port=OWN_PORT))
    first.close()
    wait_sessions(console, ("abe", 5900), ("abe", 5900), ("suzuki", 5900))
    kept.append(admitted(topology, "suzuki", secrets["suzuki"]))
    for viewer in kept:
        viewer.close()


def test_limit_of_a_pair_of_zones_holds_over_its_screens(make_gateway, topology):
    """Z14: `sessions-per-zone-pair`: both screens from lgwan to internet count together; who leaves one makes room at the other."""
    fake_desktop(topology)
    gateway = make_gateway("".join(
        f"screen {name} {{ from lgwan; to internet; listen {port}; desktop {topology.zones['internet'].peer4}:5900; "
        "security none; sessions-per-zone-pair 2; }\n" for name, port in (("web", PORT), ("more", OWN_PORT))))
    first, second = (Viewer(connect(topology, port=port)) for port in (PORT, OWN_PORT))
    assert connect(topology, port=OWN_PORT).recv(1) == b"", "one more than the pair of zones allows was served"
    gateway.wait_event("session-refused ", 'name="more"', 'reason="sessions of one pair of zones"')
    first.close()
    wait_until(lambda: connect(topology, port=OWN_PORT).recv(3) == b"RFB", "room for one more")
    second.close()


@pytest.mark.limit(240)
def test_limit_of_the_gateway_is_kept_and_leaves_who_is_in_alone(make_gateway, topology):
    """Z14: with SESSIONS_MAX sessions the next connection is closed, at whichever entry; who is in still sees, and who leaves makes room."""
    fake_desktop(topology)
    entries = [f"screen {name} {{ from lgwan; to internet; listen {port}; desktop {topology.zones['internet'].peer4}:5900; "
               "security none; sessions 320; sessions-per-source 320; }\n" for name, port in (("web", PORT), ("more", OWN_PORT))]
    gateway = make_gateway("".join(entries))
    sources = [topology.zones["lgwan"].peer4] + [address.partition("/")[0] for address in topology.zones["lgwan"].more]
    with contextlib.ExitStack() as stack:
        def enter(number):
            viewer = Viewer(stack.enter_context(connect(topology, port=(PORT, OWN_PORT)[number % 2], source=sources[number % len(sources)])))
            viewer.begin()
            return viewer
        viewers = [enter(number) for number in range(SESSIONS_MAX)]
        for port in (PORT, OWN_PORT):
            assert connect(topology, port=port, source=sources[-1]).recv(1) == b"", "one more than the gateway has room for was served"
        for name in ("web", "more"):
            gateway.wait_event("session-refused ", f'name="{name}"', 'reason="sessions of the gateway"')
        for viewer in (viewers[0], viewers[-1]):
            viewer.read_update()
            viewer.wait_pixel(0, 0, 0x112233)
        viewers[0].close()
        wait_until(lambda: connect(topology, source=sources[-1]).recv(3) == b"RFB", "room for one more")
