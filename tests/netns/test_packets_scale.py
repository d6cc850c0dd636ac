# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten thousand permits and as many stations, loaded as one transaction; how fast they are is for make bench (Z7, Z8)."""

import random
import socket

import pytest

from lib import large_policy
from lib.peers import udp_talk
from lib.traffic import Sink
from lib.waiting import holds_for, wait_until
from test_packets_matrix import gateway_mac

COUNT = 10000


@pytest.mark.limit(180)
def test_packets_ten_thousand_permits_and_stations(net, topology, make_gateway):
    """Each permit opens what it names for the station it names, the first as the last, and nothing beside it."""
    from scapy.all import IP, TCP, Ether
    large_policy.widen(topology)
    gateway = make_gateway(large_policy.permits(COUNT), seconds=60,
                           zone_extra={"mynumber": large_policy.stations(COUNT, topology.zones["mynumber"].mac)})
    sink = Sink(net, "peer-lgwan", large_policy.SERVER, large_policy.PORT)
    assert udp_talk(net, "peer-mynumber", large_policy.SERVER, large_policy.PORT, bytes(16), timeout=5) is not None
    assert udp_talk(net, "peer-mynumber", large_policy.SERVER, large_policy.PORT + 1, bytes(16), timeout=0.5) is None
    sink.stop()

    tried = [250, 9998, *random.Random(7).sample(range(251, 9998), 8)]
    net.address("peer-lgwan", "port", *(f"{large_policy.destination(i)}/16" for i in tried))
    wire = net.packet_socket("peer-mynumber", "port")
    far = net.socket("peer-lgwan", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800), timeout=0)
    router = gateway_mac(net, gateway, "mynumber", "eth0")
    arrived = set()

    def listen():
        """Note what arrived: numbers of permits, or -1 for what none of them opens."""
        while True:
            try:
                frame = Ether(far.recv(65535))
            except BlockingIOError:
                return arrived
            if TCP in frame and frame[TCP].flags == "S":
                arrived.add(frame[TCP].seq if frame[TCP].dport == large_policy.tcp_port(frame[TCP].seq) else -1)

    def send(i, port, station):
        packet = IP(src=large_policy.source(i), dst=large_policy.destination(i)) / TCP(sport=40000, dport=port, seq=i)
        wire.send(bytes(Ether(dst=router, src=station) / packet))

    for i in tried:
        send(i, large_policy.tcp_port(i + 1), large_policy.station_mac(i - 250))
        send(i, large_policy.tcp_port(i), large_policy.station_mac(i - 249))
    holds_for(lambda: not listen(), "the other port and the other station to be refused", 1.0)
    for i in tried:
        send(i, large_policy.tcp_port(i), large_policy.station_mac(i - 250))
    wait_until(lambda: listen() >= set(tried), "every permitted first packet", 15)
    assert arrived == set(tried)
