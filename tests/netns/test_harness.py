# SPDX-License-Identifier: GPL-2.0-or-later
"""The harness itself: its peers work over a plain wire, so that a failure elsewhere is the gateway's."""

import collections
import os
import signal
import subprocess

from lib import processes
from lib.net import NETNS_DIR, Background, Topology
from lib.peers import (Desktop, EchoServer, Postfix, SmtpSink, Syslog, capture_screen, difference, nmap, ping,
                       submit, swaks, tcp_talk, udp_talk)
from lib.waiting import wait_until

ENDED = {"alive": False, "program": None, "status": None, "descriptors": {}, "text": None, "link": None, "send": False}


def plain_pair(net):
    net.namespace("left")
    net.namespace("right")
    net.veth("left", "l0", "right", "r0")
    net.address("left", "l0", "192.0.2.1/24", "2001:db8::1/64")
    net.address("right", "r0", "192.0.2.2/24", "2001:db8::2/64")


def test_harness_echo_and_capture_see_traffic(net):
    plain_pair(net)
    capture = net.capture("right", "r0")
    EchoServer(net, "right", "192.0.2.2", 7000)
    EchoServer(net, "right", "2001:db8::2", 7000)
    assert tcp_talk(net, "left", "192.0.2.2", 7000) == b"hello"
    assert udp_talk(net, "left", "192.0.2.2", 7000) == b"hello"
    assert tcp_talk(net, "left", "2001:db8::2", 7000) == b"hello"
    assert udp_talk(net, "left", "192.0.2.2", 7001, timeout=0.3) is None
    assert ping(net, "left", "192.0.2.2")
    assert nmap(net, "left", "192.0.2.2", "-p", "7000,7001")[0] == {("tcp", 7000): "open", ("tcp", 7001): "closed"}
    assert any(p.haslayer("TCP") for p in capture.stop())


def test_harness_postfix_delivers_and_relays(net):
    plain_pair(net)
    far = Postfix(net, "right", "192.0.2.2", "far.example.jp", domains=["example.jp"])
    near = Postfix(net, "left", "192.0.2.1", "near.example.com", relay="[192.0.2.2]")
    near.send("a@example.com", "b@example.jp", b"Subject: hello\r\n\r\ntext\r\n")
    assert b"\ntext" in far.wait_messages()[0]
    near.wait_sent()
    near.wait_empty()


def test_harness_sink_keeps_messages(net):
    plain_pair(net)
    sink = SmtpSink(net, "right", "192.0.2.2")
    message = b"Subject: x\r\n\r\nbody\r\n..\r\n"
    assert submit(net, "left", "192.0.2.2", "a@example.com", "b@example.jp", message)[0] == 250
    assert any(b"body\n..\n" in f.read_bytes() for f in sink.files())
    dialogue = swaks(net, "left", "192.0.2.2", "--from", "a@example.com", "--to", "b@example.jp").stdout
    assert "<-  250 2.0.0 Ok" in dialogue


def test_harness_syslog_keeps_messages(net):
    plain_pair(net)
    syslog = Syslog(net, "right", "192.0.2.2")
    udp_talk(net, "left", "192.0.2.2", 514, b"<134>1 - host app - ID [x@1 a=\"b\"] text", timeout=0.1)
    assert syslog.wait_line("ID", "text").startswith("<134>1 ")
    assert syslog.parsed() == ['local0|info|host|app|-|ID|[x@1 a="b"]|text']


def test_harness_viewer_sees_the_desktop(net, tmp_path):
    plain_pair(net)
    desktop = Desktop(net, "right", "192.0.2.2", 5900)
    desktop.show_test_picture()
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(net, "left", "192.0.2.2", 5900, tmp_path / "viewer.png")
    assert difference(true, seen) == 0


def test_harness_topology_reaches_the_ports(net):
    topology = Topology(net)
    for zone in topology.zones.values():
        net.address(topology.gateway, zone.port, *zone.gateway)
        assert ping(net, zone.namespace, zone.gateway4)
        assert ping(net, zone.namespace, zone.gateway6)


def looks(pid):
    """What each function of lib/processes.py says of a process."""
    return {"alive": processes.alive(pid), "program": processes.program(pid), "status": processes.status(pid),
            "descriptors": processes.descriptors(pid), "text": processes.text(pid, "maps"), "link": processes.link(pid, "ns/net"),
            "send": processes.send(pid, 0)}


def test_harness_processes_are_told_from_those_that_have_ended(net):
    one = net.popen(net.namespace("left"), "sleep", "60")
    wait_until(lambda: processes.program(one.pid) == "sleep", "the program")
    os.kill(one.pid, signal.SIGSTOP)
    wait_until(lambda: processes.status(one.pid)["State"].startswith("T"), "a stopped process")
    seen = looks(one.pid)
    assert seen["alive"] and seen["program"] == "sleep" and "[stack]" in seen["text"] and seen["send"]
    assert seen["link"] == f"net:[{os.stat(NETNS_DIR / 'left').st_ino}]" and {0, 1, 2} <= set(seen["descriptors"])
    os.kill(one.pid, signal.SIGKILL)
    wait_until(lambda: not processes.alive(one.pid), "its end")
    assert processes.status(one.pid)["State"].startswith("Z"), "nobody has asked for its status yet"
    assert processes.program(one.pid) is None and processes.descriptors(one.pid) == {} and not processes.text(one.pid, "maps")
    assert one.stop() == -signal.SIGKILL
    assert looks(one.pid) == ENDED


def test_harness_processes_may_end_in_the_middle_of_a_look():
    """Many looks at processes that live for a millisecond: each is answered, whichever moment of their end it meets."""
    started, met = [], collections.Counter()

    def churn(stopping):
        while not stopping.is_set():
            with subprocess.Popen(["true"]) as one:
                started.append(one.pid)

    def look():
        """Until a thousand looks have met a running program; only the newest can be one."""
        for pid in started[-1:]:
            seen = looks(pid)
            met[seen["program"]] += 1
            assert isinstance(seen["alive"], bool) and isinstance(seen["send"], bool), seen
        return met["true"] >= 1000

    churning = Background(churn)
    try:
        wait_until(look, "a thousand looks at running processes", pause=0)
    finally:
        churning.stop()
    assert all(looks(pid) == ENDED for pid in started)
