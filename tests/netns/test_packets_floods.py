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
    end = time.monotonic() + 60
    while sum(accounted()) < PACKETS and time.monotonic() < end:
        time.sleep(0.5)
    print("denied by kind, together, dropped by a full queue:", accounted())
    assert sum(accounted()) == PACKETS
    established_goes_on(sink, source, stream, time.monotonic())
