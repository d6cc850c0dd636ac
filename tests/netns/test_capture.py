# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of a zone's packets for the administrator (issue of the packet arbiter, item 8; L1)."""

import base64
import os
import re
import socket
import threading
import time

import pytest

from lib.first_payload import Responder
from lib.net import run
from lib.peers import EchoServer, tcp_talk
from lib.traffic import on_one_processor
from lib.waiting import wait_until

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


def during(net, gateway, console, command, traffic):
    """What a capture of mynumber says while `traffic` goes on: from when the kernel has its rules."""
    def begin():
        wait_until(lambda: "sekisho-capture" in net.run(gateway.zone_namespace("mynumber"), "nft", "list", "tables").stdout, "the capture")
        traffic()
    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    text = console.run(command, timeout=40)
    thread.join(10)
    return text


def read_by_tcpdump(text, tmp_path):
    """What tcpdump reads in a file that was printed in base64."""
    letters = "".join(re.findall(r"^ *([A-Za-z0-9+/=]{4,76}) *$", text, re.M))
    assert letters, text
    path = tmp_path / f"{time.monotonic_ns()}.pcapng"
    path.write_bytes(base64.b64decode(letters))
    return run("tcpdump", "-n", "-r", path).stdout.splitlines()


def capture(net, gateway, console, words, traffic, tmp_path):
    return read_by_tcpdump(during(net, gateway, console, f"capture zone mynumber raw {words}", traffic), tmp_path)


def packets(text):
    """The lines of a table of packets: port, protocol, source, destination, flags, bytes, verdict."""
    line = r"\d\d:\d\d:\d\d\.\d{6}  (in |out) +(\S+) +(\S+) +(\S+) {2,}(?:(\S+(?: \S+)*) {2,})?(\d+) {2,}(\S.*?) *$"
    return [tuple(cell.strip() for cell in found) for found in re.findall("^" + line, text, re.M)]


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
    lines = capture(net, gateway, console, "count 4 seconds 20 proto tcp and port 7000", traffic, tmp_path)
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
    lines = capture(net, gateway, console, f"seconds 6 net 10.20.0.0/24 not host {SERVER} proto udp", traffic, tmp_path)
    assert sorted(re.findall(r"> 10\.20\.0\.99\.(\d+): UDP", "\n".join(lines))) == ["1111", "2222", "3333"] and len(lines) == 3
    lines = capture(net, gateway, console, "seconds 6 port 2222 or port 3333 and host fd00:20::8", traffic, tmp_path)
    assert len([x for x in lines if ".2222: UDP" in x]) == 3
    assert len([x for x in lines if "fd00:20::8.3333: UDP" in x]) == 1 and len(lines) == 4


def test_capture_refuses_what_it_does_not_understand(gateway, console):
    for words in ("nowhere", "mynumber count 0", "mynumber count 5000", "mynumber seconds 61", "mynumber host", "mynumber net 1.2.3.4",
                  "mynumber port 70000", "mynumber or", "mynumber raw file", "mynumber proto tcp port", "mynumber host 1.2.3", "mynumber really"):
        shown = console.run(f"capture zone {words}")
        assert "allowed" in shown or "no zone" in shown, f"{words}: {shown}"


def test_capture_keeps_no_file_open_that_it_does_not_write(gateway, console):
    """One form a capture; the file that the supervisor opened for a command that is refused is closed again."""
    process = f"/proc/{gateway.pids('netfilter')[0]}/fd"
    before = len(os.listdir(process))
    for number in range(3):
        for words in (f"file kept-{number} raw", f"raw file kept-{number}", f"file kept-{number} colour red", f"file kept-{number} file x"):
            assert "allowed:" in console.run(f"capture zone mynumber seconds 1 {words}")
    assert len(os.listdir(process)) == before


def test_capture_shows_a_line_a_packet_with_what_the_policy_says(net, topology, gateway, console):
    """Who to whom, how, and the verdict: of a permit, of its answers, of what is refused, of the gateway's own; no payload (A6)."""
    Responder(net, topology.zones["lgwan"].namespace, SERVER, 7000, answer=b"yes")
    peer = topology.zones["mynumber"].namespace

    def traffic():
        client = net.connect(peer, SERVER, 7000)
        client.sendall(b"SECRET")
        client.recv(10)
        net.socket(peer, kind=socket.SOCK_DGRAM).sendto(b"SECRET", (SERVER, 9))
        net.socket(peer, socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x" * 300, ("fd00:20::8", 7000))
        net.run(peer, "ping", "-c1", "-W1", "10.10.0.1", check=False)
        client.close()
    text = during(net, gateway, console, "capture zone mynumber seconds 8 count 100", traffic)
    seen = packets(text)
    assert "SECRET" not in text
    first = next(x for x in seen if x[1] == "tcp")
    assert first[0] == "in" and first[2].startswith("10.10.0.5:") and first[3] == "10.20.0.8:7000"
    assert first[4] == "syn" and first[6] == "permit 10", first
    second = [x for x in seen if x[1] == "tcp"][1]
    assert second[:5] == ("out", "tcp", "10.20.0.8:7000", first[2], "syn ack") and second[6] == "answer, permit 10", second
    assert any(x[0] == "in" and x[1] == "udp" and x[3] == "10.20.0.8:9" and x[5] == "34" and x[6] == "deny no-permit" for x in seen), text
    assert any(x[3] == "[fd00:20::8]:7000" and x[5] == "348" and x[6] == "permit 11" for x in seen), text
    assert any(x[0] == "out" and x[2] == "fd00:20::8" and x[4] == "type 1 code 4" and x[6] == "as its flow" for x in seen), text
    assert any(x[1] == "icmp" and x[3] == "10.10.0.1" and x[4] == "type 8 code 0" and x[6] == "gateway" for x in seen), text


def test_capture_shows_a_thousand_packets(net, topology, gateway, console):
    """Every row arrives, in order."""
    peer = topology.zones["mynumber"].namespace
    plain = net.socket(peer, kind=socket.SOCK_DGRAM)

    def many():
        with on_one_processor():
            for number in range(1000):
                plain.sendto(b"x", (SERVER, 20000 + number))
                time.sleep(0.0005)
    seen = packets(during(net, gateway, console, "capture zone mynumber seconds 30 count 1000 proto udp", many))
    assert [int(x[3].split(":")[1]) for x in seen] == list(range(20000, 21000))


def test_capture_into_a_file_is_listed_printed_and_removed(net, topology, gateway, console, tmp_path):
    """The file is pcapng, on the disk of the appliance, bounded, and every use of it is recorded (A6, L1)."""
    peer = topology.zones["mynumber"].namespace
    plain = net.socket(peer, kind=socket.SOCK_DGRAM)

    def traffic():
        for _ in range(3):
            plain.sendto(b"x", (SERVER, 1111))
    said = during(net, gateway, console, "capture zone mynumber count 3 seconds 20 file case-7 port 1111", traffic)
    assert "3 packets" in said, said
    gateway.wait_event("capture-started", "file case-7 port 1111", seconds=10)
    assert re.search(r"case-7 +\d+", console.run("show captures"))
    assert "is kept" in console.run("capture zone mynumber count 3 seconds 2 file case-7")
    lines = read_by_tcpdump(console.run("save capture case-7", timeout=30), tmp_path)
    assert len(lines) == 3 and all(f"> {SERVER}.1111: UDP" in line for line in lines)
    gateway.wait_event("capture-printed", 'name="case-7"', seconds=10)
    for command in ("save capture ../audit", "clear capture case-8", "capture zone mynumber file a/b"):
        said = console.run(command)
        assert "no capture" in said or "a name has" in said, said
    assert "removed" in console.run("clear capture case-7")
    gateway.wait_event("capture-removed", 'name="case-7"', seconds=10)
    assert "case-7" not in console.run("show captures")
    for number in range(16):
        (gateway.state / "captures" / f"kept-{number}.pcapng").write_bytes(b"x")
    assert "16 captures are kept" in console.run("capture zone mynumber count 1 seconds 2 file one-more")


@pytest.mark.parametrize("form", ["", "raw", "file given-up"])
def test_capture_ends_by_ctrl_c(net, topology, gateway, console, tmp_path, form):
    """A5: the prompt is back, the kernel copies no packet any more, and the next capture can begin, long before the time is over;
    of what goes into a file, what was taken stays."""
    peer = topology.zones["mynumber"].namespace
    plain = net.socket(peer, kind=socket.SOCK_DGRAM)

    def tables():
        return net.run(gateway.zone_namespace("mynumber"), "nft", "list", "tables").stdout
    console.send(f"capture zone mynumber seconds 60 count 1000 {form} proto udp\r")
    wait_until(lambda: "sekisho-capture" in tables(), "the capture")
    for _ in range(3):
        plain.sendto(b"x", (SERVER, 9))
    console.send("\x03")
    console.expect(console.PROMPT)
    wait_until(lambda: "sekisho-capture" not in tables(), "the end of the capture")
    gateway.wait_event("capture-ended", 'zone="mynumber"', 'packets="3"', seconds=10)
    assert "another capture" not in console.run("capture zone mynumber seconds 1")
    if form.startswith("file"):
        assert len(read_by_tcpdump(console.run("save capture given-up"), tmp_path)) == 3
        console.run("clear capture given-up")


def test_capture_stops_sending_by_ctrl_c(net, topology, gateway, console):
    """The same while what was taken is being printed: the rest is not sent behind the prompt, and the next capture can begin."""
    peer = topology.zones["mynumber"].namespace
    plain = net.socket(peer, kind=socket.SOCK_DGRAM)

    def traffic():
        for _ in range(100):
            plain.sendto(b"x" * 1000, (SERVER, 9))
    begun = threading.Thread(target=lambda: (wait_until(lambda: "sekisho-capture" in net.run(
        gateway.zone_namespace("mynumber"), "nft", "list", "tables").stdout, "the capture"), traffic()), daemon=True)
    begun.start()
    console.send("capture zone mynumber seconds 60 count 50 raw proto udp\r")
    gateway.wait_event("capture-ended", seconds=20)
    console.send("\x03")
    console.expect(console.PROMPT)
    begun.join(10)
    assert "another capture" not in console.run("capture zone mynumber seconds 1")


WITHOUT_MYNUMBER = """
service talk { tcp 7000; udp 7000; }
crossing lgwan internet { permit 10 { from internet; destination 10.20.0.8; service talk; } }
"""


@pytest.mark.parametrize("when", ["taken", "sent"])
def test_capture_ends_with_the_policy_that_it_is_shown_by(net, make_gateway, when):
    """A commit takes the zone away whose packets are captured, or on their way: the console is told, and new flows go on passing."""
    gateway = make_gateway(WITHOUT_MYNUMBER)
    EchoServer(net, "peer-lgwan", SERVER, 7000)
    said = {}
    with gateway.console() as console, gateway.console() as other:
        for one in (console, other):
            one.expect(one.PROMPT)
            one.run("terminal length 0")
        thread = threading.Thread(target=lambda: said.update(text=other.run(
            "capture zone mynumber seconds 30 count 1000 proto udp", timeout=60)), daemon=True)
        thread.start()
        gateway.wait_event("capture-started", seconds=10)
        console.run("configure")
        console.run("delete zone mynumber")
        plain = net.socket("peer-mynumber", kind=socket.SOCK_DGRAM)
        for _ in range(300 if when == "taken" else 1000):
            plain.sendto(b"x", (SERVER, 9))
            time.sleep(0.0005)
        if when == "sent":
            gateway.wait_event("capture-ended", seconds=10)
        assert "committed" in console.run("commit", timeout=30)
        thread.join(60)
        assert not thread.is_alive()
        if when == "taken":
            assert "the policy has changed" in said["text"]
        gateway.wait_event("capture-ended", 'zone="mynumber"', seconds=10)
        wait_until(lambda: tcp_talk(net, "peer-internet", SERVER, 7000, timeout=1) == b"hello", "new flows to pass", 20)
        assert "channel-violation" not in gateway.log()
