# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail sessions and commits: a session goes on only under the rules that its processes were started with (C2, M7, Z4).

    peer-internet  --25-->  gateway, entry inbound  --25-->  peer-lgwan
    peer-lgwan     --25-->  gateway, entry outward  --25-->  peer-internet
"""

import pytest

from lib.certificates import Authority, put_slot
from lib.mail_peers import Dialogue, OrderSink

ENTRIES = ("inbound", "outward")
# What a commit changes, and whose sessions it ends: their processes read these at their start.
CHANGES = [
    ("set mail inbound language en", ()),
    ("set mail inbound size-limit 4MB", ()),
    ("set mail inbound recipients 50", ("inbound",)),
    ("set mail inbound domain town.example.lg.jp", ("inbound",)),
    ("set mail inbound tls certificate mail", ("inbound",)),
    ("set mail inbound tls required", ("inbound",)),
    ("set mail inbound tls certificate other", ("inbound",)),
    (("set mail inbound next-hop-tls authority inner", "set mail inbound next-hop-tls name mx.city.example.lg.jp"), ("inbound",)),
    ("set mail inbound next-hop-tls name mx2.city.example.lg.jp", ("inbound",)),
    ("set mail inbound next-hop-tls authority second", ("inbound",)),
    ("delete mail inbound tls", ("inbound",)),
    ("set mail outward outbound label 社外秘", ()),
    ("set mail outward outbound sender vendor.example.jp", ("outward",)),
    ("delete mail outward outbound sender vendor.example.jp", ("outward",)),
    ("set mail outward outbound null-sender", ("outward",)),
    ("set mail outward outbound attachments refuse", ("outward",)),
    ("delete mail outward outbound attachments", ("outward",)),
    ("set system host-name other", ()),
]


def blocks(zones):
    return (f"mail inbound {{ from internet; to lgwan; domain city.example.lg.jp; next-hop {zones['lgwan'].peer4}; }}",
            f"mail outward {{ from lgwan; to internet; next-hop {zones['internet'].peer4}; "
            "outbound { sender city.example.lg.jp; } }")


def commit(console, lines):
    console.run("configure")
    for line in [lines] if isinstance(lines, str) else lines:
        said = console.run(line)
        assert "error" not in said.lower(), f"{line}: {said}"
    said = console.run("commit", timeout=60)
    assert "committed" in said, f"{lines}: {said}"
    console.run("exit")


class Sessions:
    """One session of each entry, past its EHLO; a new one is opened where one has ended."""

    def __init__(self, net, zones):
        self.net, self.near = net, {"inbound": zones["internet"], "outward": zones["lgwan"]}
        self.open = {}
        self.fill()

    def fill(self):
        for entry, zone in self.near.items():
            if entry not in self.open:
                peer = Dialogue(self.net, zone.namespace, zone.gateway4)
                assert peer.reply().startswith("220 ")
                assert peer.ask("EHLO mx.example.jp").startswith("250")
                self.open[entry] = peer

    def check(self, change, ended):
        for entry in ENTRIES:
            if entry in ended:
                assert self.open.pop(entry).ended(), f"{change}: the session of {entry} went on"
            else:
                assert self.open[entry].ask("NOOP").startswith("250 "), f"{change}: the session of {entry} ended"
        self.fill()


@pytest.mark.limit(180)
def test_mail_commit_ends_the_sessions_whose_rules_it_changes(net, topology, make_gateway, tmp_path):
    """C2 M7 Z4: TLS, recipients, domains and senders: no session goes on in plain text where the policy now asks for TLS; the
    sessions of other entries, and changes that each message reads anew, are left alone."""
    state = tmp_path / "state"
    state.mkdir()
    for slot in ("inner", "second"):
        put_slot(state, slot, Authority().pem, "authority")
    gateway = make_gateway(*blocks(topology.zones), state=state)
    sinks = [OrderSink(net, topology.zones[z].namespace, topology.zones[z].peer4) for z in ("lgwan", "internet")]
    sessions, console = Sessions(net, topology.zones), gateway.console(timeout=30)
    console.expect(console.PROMPT)
    for change, ended in CHANGES:
        commit(console, change)
        sessions.check(change, ended)
    assert all(not sink.messages() for sink in sinks)
