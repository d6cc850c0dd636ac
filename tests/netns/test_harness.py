# SPDX-License-Identifier: GPL-2.0-or-later
"""The harness itself: its peers work over a plain wire, so that a failure elsewhere is the gateway's."""

import collections
import fcntl
import os
import signal
import socket
import struct
import subprocess
import termios
import threading

import pytest

from lib import processes
from lib.gateway import Console
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


def test_harness_capture_has_all_that_came_before_its_end(net):
    """Also what tcpdump, which had no processor for a while, has not yet looked at."""
    plain_pair(net)
    capture = net.capture("right", "r0", "udp port 7000")
    os.kill(capture.process.pid, signal.SIGSTOP)
    with net.socket("left", kind=socket.SOCK_DGRAM) as one:
        for number in range(100):
            one.sendto(number.to_bytes(), ("192.0.2.2", 7000))
    timer = threading.Timer(0.5, os.kill, (capture.process.pid, signal.SIGCONT))
    timer.start()
    assert [packet["UDP"].load[0] for packet in capture.stop()] == list(range(100))
    timer.join()


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
        """Until a hundred looks have met a running program; only the newest can be one."""
        for pid in started[-1:]:
            seen = looks(pid)
            met[seen["program"]] += 1
            assert isinstance(seen["alive"], bool) and isinstance(seen["send"], bool), seen
        return met["true"] >= 100

    churning = Background(churn)
    try:
        wait_until(look, "a hundred looks at running processes", pause=0)
    finally:
        churning.stop()
    assert all(looks(pid) == ENDED for pid in started)


class Line:
    """The far end of a console's line, which sends each piece when the one before has been read: as slow as a line can be."""

    def __init__(self, tmp_path):
        near, self.far = socket.socketpair()
        self.near = os.dup(near.fileno())
        self.console = Console(near.detach(), tmp_path / "console.txt", 30)

    def unread_bytes(self):
        return struct.unpack("i", fcntl.ioctl(self.near, termios.FIONREAD, bytes(4)))[0]

    def send(self, *pieces):
        for piece in pieces:
            wait_until(lambda: self.unread_bytes() == 0, "the piece before to be read", pause=0.001)
            self.far.sendall(piece.encode())

    def answer(self, line, *pieces):
        """Wait for a typed line; send the pieces."""
        typed = b""
        while not typed.endswith(line.encode() + b"\r"):
            typed += self.far.recv(100)
        self.send(*pieces)

    def close(self):
        self.console.close()
        self.far.close()
        os.close(self.near)


@pytest.fixture
def line(tmp_path):
    made = Line(tmp_path)
    yield made
    made.close()


FLOWS = ("10.10.0.5:4000 -> ", "10.20.0.8:7000\r\n10.10.0.6:4001 ", "-> 10.20.0.8:7000\r\n# ", "end\r\n")


def test_harness_console_takes_nothing_in_an_answer_for_the_prompt(line):
    """An answer that comes in pieces which end as a prompt does is read to its end; so is the next one."""
    prompt = "sekisho-test> "
    far = Background(lambda _stopping: [line.send(prompt), line.answer("show flows", "show flows\r\n", *FLOWS, prompt),
                                        line.answer("show zones", "show zones\r\nlgwan\r\n", prompt)])
    line.console.expect(line.console.PROMPT)
    assert line.console.run("show flows") == "".join(FLOWS).replace("\r", "").removesuffix("\n")
    assert line.console.run("show zones") == "lgwan"
    far.stop()


def test_harness_console_takes_an_older_prompt_for_no_answer(line):
    """A prompt that is still to come when a line is typed is not the end of its answer; nor is an edited line's."""
    prompt = "sekisho-test# "
    echo = "set zone lgwan description " + "x" * 40     # at the right margin of 80 columns
    wrapped = echo[:66] + " \r" + echo[66:]
    far = Background(lambda _stopping: [line.send("greeting\r\n" + prompt, "\r\033[J" + prompt),
                                        line.answer(echo, wrapped[:20], wrapped[20:] + "\r\n", "refused\r\n", prompt)])
    assert line.console.run(echo) == "refused"
    far.stop()


def test_harness_console_knows_a_host_by_the_name_that_it_was_given(line):
    far = Background(lambda _stopping: [line.answer(echo, echo + "\r\n", prompt) for echo, prompt in (
        ("set system host-name gate-7", "sekisho-1*# "), ("commit", "gate-7# "))])
    assert line.console.run("set system host-name gate-7") == ""
    assert line.console.run("commit") == ""
    far.stop()
