# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of a zone's packets for the administrator (issue of the packet arbiter, item 8; L1)."""

import base64
import re
import socket
import threading
import time

import pytest

from lib.first_payload import Responder
from lib.net import run

POLICY = """
service talk { tcp 7000-7010; udp 7000; }
crossing mynumber lgwan {
    permit 10 { source 10.10.0.0/24; destination 10.20.0.8; service talk; }
    permit 11 { source fd00:10::5; destination fd00:20::8; service talk; }
}
"""
SERVER = "10.20.0.8"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(POLICY)


@pytest.fixture
def console(gateway):
    with gateway.console() as made:
        made.expect(made.PROMPT)
        made.run("terminal length 0")
        yield made


def capture(console, words, traffic, tmp_path):
    """Run a capture while `traffic` goes on; what tcpdump reads in it."""
    thread = threading.Thread(target=lambda: (time.sleep(0.5), traffic()), daemon=True)
    thread.start()
    text = console.run(f"capture zone {words}", timeout=40)
    thread.join(10)
    letters = "".join(re.findall(r"^ *([A-Za-z0-9+/=]{4,76}) *$", text, re.M))
    assert letters, text
    path = tmp_path / f"{time.monotonic_ns()}.pcapng"
    path.write_bytes(base64.b64decode(letters))
    return run("tcpdump", "-n", "-r", path).stdout.splitlines()


def test_capture_is_a_file_that_tcpdump_reads(net, topology, gateway, console, tmp_path):
    """Both directions at the zone's port, by a filter, ended by its count; recorded with who and what (L1)."""
    Responder(net, topology.zones["lgwan"].namespace, SERVER, 7000, answer=b"yes")
    peer = topology.zones["mynumber"].namespace

    def traffic():
        net.run(peer, "ping", "-c2", "-i0.2", "-W1", "10.10.0.1", check=False)
        client = net.connect(peer, SERVER, 7000)
        client.sendall(b"hello")
        client.recv(10)
        client.close()
    lines = capture(console, "mynumber count 4 seconds 20 proto tcp and port 7000", traffic, tmp_path)
    assert len(lines) == 4
    assert "10.10.0.5." in lines[0] and "> 10.20.0.8.7000: Flags [S]" in lines[0]
    assert "10.20.0.8.7000 > 10.10.0.5." in lines[1] and "Flags [S.]" in lines[1]
    gateway.wait_event("capture-started", 'zone="mynumber"', 'count="4"', "proto tcp and port 7000", seconds=10)
    gateway.wait_event("capture-ended", 'zone="mynumber"', 'packets="4"', seconds=10)
    tables = net.run(gateway.zone_namespace("mynumber"), "nft", "list", "tables").stdout
    assert "sekisho-capture" not in tables and "sekisho" in tables


def test_capture_sees_what_is_refused_and_filters_exactly(net, topology, gateway, console, tmp_path):
    """What the rules drop is seen too; host, net, not and or select each packet once."""
    peer = topology.zones["mynumber"].namespace
    plain = net.socket(peer, kind=socket.SOCK_DGRAM)
    six = net.socket(peer, socket.AF_INET6, socket.SOCK_DGRAM)

    def traffic():
        for port in (1111, 2222, 3333):
            plain.sendto(b"x", (SERVER, port))
            plain.sendto(b"x", ("10.20.0.99", port))
            six.sendto(b"x", ("fd00:20::8", port))
    lines = capture(console, f"mynumber seconds 3 net 10.20.0.0/24 not host {SERVER} proto udp", traffic, tmp_path)
    assert sorted(re.findall(r"> 10\.20\.0\.99\.(\d+): UDP", "\n".join(lines))) == ["1111", "2222", "3333"] and len(lines) == 3
    lines = capture(console, "mynumber seconds 3 port 2222 or port 3333 and host fd00:20::8", traffic, tmp_path)
    assert len([x for x in lines if ".2222: UDP" in x]) == 3
    assert len([x for x in lines if "fd00:20::8.3333: UDP" in x]) == 1 and len(lines) == 4


def test_capture_refuses_what_it_does_not_understand(gateway, console):
    for words in ("nowhere", "mynumber count 0", "mynumber count 5000", "mynumber seconds 61", "mynumber host", "mynumber net 1.2.3.4",
                  "mynumber port 70000", "mynumber or", "mynumber proto tcp port", "mynumber host 1.2.3", "mynumber really"):
        shown = console.run(f"capture zone {words}")
        assert "allowed" in shown or "no zone" in shown, f"{words}: {shown}"
