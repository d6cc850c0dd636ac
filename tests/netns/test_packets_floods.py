# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods: what is dropped is counted to the last packet, and what is permitted goes on (Z12, Z14; reliability.md)."""

import re
import time

import pytest

from lib.traffic import Sink, Source, Stream
from lib.waiting import wait_until

SERVER, PORT = "10.20.0.8", 7000
POLICY = """
service echo { tcp 7000; udp 7000; }
crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }
"""
WIDE_GUARD = "guard { source-rate 1000000/s; source-connections 0; scan-ports 0; scan-hosts 0; denied-rate 1000000/s; }"
PACKETS = 20000
FLOODER = "10.10.0.9"
FIRST_PORT = 10000


def told(gateway, event, *parts):
    """The sum of `count` over the events of a name."""
    counts = (re.search(r' count="(\d+)"', line) for line in gateway.audit_lines()
              if f" {event} " in line and all(p in line for p in parts))
    return sum(int(found[1]) for found in counts if found)


def established_goes_on(sink, source, stream, since):
    """The flow's packets arrive, the connection answers and was never cut."""
    wait_until(lambda: [x for x in sink.of("flow") if x[2] > since], "the UDP flow to go on", 20)
    wait_until(lambda: [t for t in stream.echoes if t > since], "the connection to go on", 20)
    assert stream.ended is None
    assert source.sent > 0


def lost_new(sink, source):
    """How many of the permitted new flows' packets are missing: those that met a full queue like the flood's own, or that are still
    on their way. To be asked when the source has ended."""
    return source.sent - len({item[1] for item in sink.of("new ")})


def all_accounted(accounted, sink, source, flood):
    """Each packet is in a count or has arrived, and none is in two: also when all that is left to be told has been told."""
    source.end()
    wait_until(lambda: accounted() >= flood + lost_new(sink, source), f"all of {flood} packets to be accounted for", 60, 0.5)
    time.sleep(TELL_SECONDS)
    assert accounted() == flood + lost_new(sink, source)


@pytest.mark.limit(150)
def test_packets_flood_of_denied_ones_is_counted_exactly(net, topology, make_gateway):
    """Z12, Z14: 20,000 packets to as many ports that nobody permits, as fast as they can be sent. Each is in exactly one count: denied
    by the arbiter, or dropped by a full queue. The established flow and the console go on."""
    from scapy.all import IP, UDP, Ether, raw
    gateway = make_gateway(POLICY, zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    stream, source = Stream(net, "peer-mynumber", SERVER, PORT), Source(net, "peer-mynumber", SERVER, PORT)
    wait_until(lambda: sink.of("flow") and stream.echoes, "traffic to flow", 10)
    shown = net.run(gateway.zone_namespace("mynumber"), "cat", "/sys/class/net/eth0/address").stdout.strip()
    wire = net.packet_socket("peer-mynumber", "port")
    frame = bytearray(raw(Ether(dst=shown, src=topology.zones["mynumber"].mac) / IP(src=FLOODER, dst="10.20.0.9") /
                          UDP(sport=40000, chksum=0)))
    for port in range(FIRST_PORT, FIRST_PORT + PACKETS):
        frame[36:38] = port.to_bytes(2, "big")
        wire.send(frame)
    with gateway.console() as console:
        console.expect(console.PROMPT, timeout=20)
        assert "mynumber" in console.run("show flows", timeout=20)

    def accounted():
        by_kind, rest = (told(gateway, event, f'src="{FLOODER}"') for event in ("flow-denied", "flows-denied"))
        return by_kind, rest, told(gateway, "queue-overrun", 'zone="mynumber"')
    wait_until(lambda: sum(accounted()) >= PACKETS, f"{PACKETS} packets to be accounted for", 60, 0.5)
    established_goes_on(sink, source, stream, time.monotonic())
    all_accounted(lambda: sum(accounted()), sink, source, PACKETS)
    print("denied by kind, together, dropped by a full queue:", accounted())


SYNS = 20000
SYN_PAUSE_US = 50           # between two of them: 20,000 a second, for a second
SYN_GUARD = "guard { source-rate 200/s; }"  # far less than the flood, however slow the machine; more than the permitted source sends
TELL_SECONDS = 2.0          # after which a sum that was too large would have been told of
ANSWER_SECONDS = 1.0        # in which the console answers, whatever is under way


def syn_flood(net, *options):
    """SYNs from the flooder, each from another port, to the permitted service; a running hping3."""
    return net.popen("peer-mynumber", "hping3", "-q", "-n", "-S", "-p", PORT, "-s", "1024", "-c", SYNS, "-i", f"u{SYN_PAUSE_US}",
                     *options, SERVER)


def count_syns(net):
    """What arrives at the server of the flooder's connections, counted by its kernel; returns a function that reads the count."""
    net.run("peer-lgwan", "nft", "add table ip seen; add counter ip seen syns;"
            "add chain ip seen before { type filter hook prerouting priority 0; };"
            f"add rule ip seen before ip saddr {FLOODER} tcp flags & (syn | ack) == syn counter name syns")

    def arrived():
        shown = net.run("peer-lgwan", "nft", "list", "counter", "ip", "seen", "syns").stdout
        return int(re.search(r"packets (\d+)", shown)[1])
    return arrived


def answer_times(console, running):
    """How long the console takes for an answer, again and again while a process runs; the middle one."""
    times = []
    while running():
        begin = time.monotonic()
        assert "mynumber" in console.run("show zones", timeout=20)
        times.append(time.monotonic() - begin)
        time.sleep(0.05)
    assert times, "the flood was over before the console could be asked"
    return sorted(times)[len(times) // 2]


@pytest.mark.limit(150)
@pytest.mark.parametrize("spoofed", [False, True])
def test_packets_syn_flood_leaves_established_flows_alone(net, make_gateway, spoofed):
    """Z9, Z12, Z14: 20,000 SYNs in a second to a permitted port, from a station or in the names of others. Each is dropped and told
    of, or has reached the server; an established flow loses not one packet, the console answers within a second, and new
    flows of others pass."""
    gateway = make_gateway(POLICY.replace("source 10.10.0.5;", "source 10.10.0.0/24;"), zone_extra={"mynumber": SYN_GUARD})
    net.address("peer-mynumber", "port", f"{FLOODER}/24")
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    stream, source = Stream(net, "peer-mynumber", SERVER, PORT), Source(net, "peer-mynumber", SERVER, PORT, pause=0.02)
    wait_until(lambda: len(sink.of("flow")) > 10 and stream.echoes, "traffic to flow", 10)
    with gateway.open_console() as console:     # before the flood, which is over in a second
        arrived, begin = count_syns(net), time.monotonic()
        flood = syn_flood(net, "--rand-source") if spoofed else syn_flood(net, "-a", FLOODER)
        assert answer_times(console, flood.running) < ANSWER_SECONDS
        end = time.monotonic()

    def accounted():
        reasons = ("spoofed",) if spoofed else ("rate", "flows", "again")
        dropped = sum(told(gateway, "packets-dropped", 'zone="mynumber"', f'reason="{reason}"') for reason in reasons)
        return dropped + told(gateway, "queue-overrun", 'zone="mynumber"') + arrived()
    wait_until(lambda: accounted() >= SYNS, f"all of {SYNS} SYNs to be accounted for", 60, 0.5)
    assert gateway.wait_event("source-spoofed" if spoofed else "source-limited", 'zone="mynumber"', seconds=20)
    established_goes_on(sink, source, stream, end)
    numbers = {item[1] for item in sink.of("flow") if begin < item[2] < end}
    assert len(numbers) > 20 and len(numbers) == max(numbers) - min(numbers) + 1, "packets of the established flow are missing"
    wait_until(lambda: [x for x in sink.of("new ") if x[2] > end], "new flows of others to pass", 20)
    all_accounted(accounted, sink, source, SYNS)
