# SPDX-License-Identifier: GPL-2.0-or-later
"""Guards that hold before anybody judges: limits of each source, claims of addresses, sources that cannot be (Z7, Z9, Z12,
Z14)."""

import contextlib
import re
import socket
import time

import pytest

from lib.traffic import Sink
from lib.waiting import wait_until

SERVER, SERVER6 = "10.20.0.8", "fd00:20::8"
POLICY = """
service echo { tcp 7000; udp 7000; }
crossing mynumber lgwan {
    permit 10 { destination 10.20.0.8; service echo; }
    permit 11 { destination fd00:20::8; service echo; }
}
"""
OTHER_MAC = "02:00:00:00:66:66"


class Wire:
    """Frames from one peer's port to the gateway's."""

    def __init__(self, net, topology, gateway, zone="mynumber"):
        self.zone = topology.zones[zone]
        self.socket = net.packet_socket(self.zone.namespace, "port")
        self.gateway_mac = net.run(gateway.zone_namespace(zone), "cat", f"/sys/class/net/{self.zone.port}/address").stdout.strip()

    def send(self, packet, source=None, **fields):
        from scapy.all import Ether
        self.socket.send(bytes(Ether(dst=self.gateway_mac, src=source or self.zone.mac, **fields) / packet))


def counted(net, gateway, zone, name, family="inet"):
    shown = net.run(gateway.zone_namespace(zone), "nft", "list", "counter", family, "sekisho", name).stdout
    return int(re.search(r"packets (\d+)", shown)[1])


@contextlib.contextmanager
def halted(gateway, role):
    """While a process of the gateway stands, and the supervisor that would start another."""
    gateway.halt(role)
    try:
        yield
    finally:
        gateway.resume()


def neighbour(net, gateway, address):
    """The hardware address that the gateway has for an address, or nothing."""
    shown = net.run(gateway.zone_namespace("mynumber"), "ip", "neigh", "show", address).stdout
    found = re.search(r"lladdr ([0-9a-f:]+)", shown)
    return found and found[1]


def test_packets_arp_claims_of_other_addresses_are_refused(net, topology, make_gateway):
    """Z7: nobody can take the gateway's address or that of a listed station by ARP; both are named."""
    from scapy.all import ARP, Raw
    known = topology.zones["mynumber"].mac
    gateway = make_gateway(POLICY, zone_extra={"mynumber": f"station {known} {{ address 10.10.0.5; }}"})
    wire = Wire(net, topology, gateway)
    sink = Sink(net, "peer-lgwan", SERVER, 7000)
    net.connect("peer-mynumber", SERVER, 7000).close()
    assert neighbour(net, gateway, "10.10.0.5") == known and sink
    before = counted(net, gateway, "mynumber", "neighbour", "arp")
    claims = [ARP(op=2, hwsrc=OTHER_MAC, psrc="10.10.0.5", hwdst=wire.gateway_mac, pdst="10.10.0.1"),
              ARP(op=1, hwsrc=OTHER_MAC, psrc="10.10.0.5", pdst="10.10.0.5"),
              ARP(op=2, hwsrc=known, psrc="10.10.0.5", hwdst=wire.gateway_mac, pdst="10.10.0.1"),
              ARP(op=2, hwsrc=OTHER_MAC, psrc="10.10.0.1", hwdst=wire.gateway_mac, pdst="10.10.0.1"),
              Raw(bytes(ARP(op=1, hwsrc=OTHER_MAC, psrc="10.10.0.9", pdst="10.10.0.1")).replace(b"\x08\x00", b"\x86\xdd", 1))]
    for number, claim in enumerate(claims, 1):
        wire.send(claim, OTHER_MAC, type=0x806)
        wait_until(lambda n=number: counted(net, gateway, "mynumber", "neighbour", "arp") == before + n, f"claim {number} to be counted")
    assert neighbour(net, gateway, "10.10.0.5") == known
    gateway.wait_event("address-claimed", 'zone="mynumber"', f'mac="{OTHER_MAC}"')
    wire.send(ARP(op=1, hwsrc=known, psrc="10.10.0.5", pdst="10.10.0.1"))
    net.connect("peer-mynumber", SERVER, 7000).close()
    assert counted(net, gateway, "mynumber", "neighbour", "arp") == before + len(claims)


def test_packets_neighbour_advertisements_for_others_are_refused(net, topology, make_gateway):
    """Z7, the same in IPv6: by the sender's hardware address and by the one in the option."""
    from scapy.all import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
    known, address = topology.zones["mynumber"].mac, "fd00:10::5"
    gateway = make_gateway(POLICY, zone_extra={"mynumber": f"station {known} {{ address {address}; }}"})
    wire = Wire(net, topology, gateway)
    Sink(net, "peer-lgwan", SERVER6, 7000)
    net.connect("peer-mynumber", SERVER6, 7000).close()
    assert neighbour(net, gateway, address) == known
    before = counted(net, gateway, "mynumber", "neighbour")
    lied = ICMPv6NDOptDstLLAddr(lladdr=OTHER_MAC)
    to = {"dst": "fd00:10::1", "hlim": 255}
    claims = [(OTHER_MAC, IPv6(src="fe80::66", **to) / ICMPv6ND_NA(tgt=address, O=1) / lied),
              (known, IPv6(src=address, **to) / ICMPv6ND_NA(tgt=address, O=1) / lied),
              (OTHER_MAC, IPv6(src=address, **to) / ICMPv6ND_NS(tgt="fd00:10::1")),
              (known, IPv6(src=address, **to) / ICMPv6ND_NS(tgt="fd00:10::1") / ICMPv6NDOptSrcLLAddr(lladdr=OTHER_MAC)),
              (OTHER_MAC, IPv6(src="fe80::66", **to) / ICMPv6ND_NA(tgt="fd00:10::1", O=1) / lied)]
    for source, claim in claims:
        wire.send(claim, source)
    wait_until(lambda: counted(net, gateway, "mynumber", "neighbour") == before + len(claims), "all claims to be counted")
    assert neighbour(net, gateway, address) == known
    gateway.wait_event("address-claimed", 'zone="mynumber"', f'mac="{OTHER_MAC}"')
    net.connect("peer-mynumber", SERVER6, 7000).close()


def test_packets_unlisted_stations_are_only_named_where_the_list_is_reported(net, topology, make_gateway):
    """Z7: station-policy report lets an unknown station pass and names it."""
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "station-policy report; station 02:00:00:00:77:77 { address 10.10.0.9; }"})
    sink = Sink(net, "peer-lgwan", SERVER, 7000)
    net.connect("peer-mynumber", SERVER, 7000).close()
    gateway.wait_event("station-unknown", 'zone="mynumber"', f'mac="{topology.zones["mynumber"].mac}"')
    assert counted(net, gateway, "mynumber", "station") == 0 and sink


@pytest.mark.parametrize("family", [4, 6])
def test_packets_a_station_without_addresses_cannot_use_anothers(net, topology, make_gateway, family):
    """Z7, Z14: a listed station that is bound to no address has any of the zone but those of others; what it sends from theirs is
    dropped before it is counted for them."""
    from scapy.all import IP, UDP, IPv6
    unbound, theirs, free, host = topology.zones["mynumber"].mac, "10.10.0.66", "10.10.0.7", SERVER
    if family == 6:
        theirs, free, host = "fd00:10::66", "fd00:10::7", SERVER6
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-rate 4/m; } "
                                               f"station {unbound}; station {OTHER_MAC} {{ address {theirs}; }}"})
    wire, sink = Wire(net, topology, gateway), Sink(net, "peer-lgwan", host, 7000)

    def send(mac, source, *ports):
        for port in ports:
            wire.send((IP if family == 4 else IPv6)(src=source, dst=host) / UDP(sport=port, dport=7000) / (b"new " + bytes(12)), mac)
    send(unbound, theirs, *range(20000, 20010))
    wait_until(lambda: counted(net, gateway, "mynumber", "station") == 10, "all to be dropped")
    gateway.wait_event("station-unknown", 'zone="mynumber"', f'mac="{unbound}"')
    send(OTHER_MAC, theirs, 20000, 20001, 20002)
    send(unbound, free, 20003)
    wait_until(lambda: len(sink.got) == 4, "what they may use")
    assert counted(net, gateway, "mynumber", "station") == 10 and counted(net, gateway, "mynumber", "rate") == 0


@pytest.mark.parametrize("family", [4, 6])
def test_packets_new_flows_of_one_source_are_limited(net, topology, make_gateway, family):
    """Z14: over its rate a source's new flows are dropped before they are judged; whoever changes the last 64 bits of its
    address at each packet is one source; another source is not touched."""
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-rate 5/m; }"})
    host = SERVER if family == 4 else SERVER6
    sink = Sink(net, "peer-lgwan", host, 7000)
    sources = ["10.10.0.5"] * 20 if family == 4 else [f"fd00:10::5:{n + 1:x}" for n in range(20)]
    for address in sources[1:] if family == 6 else []:
        net.address("peer-mynumber", "port", f"{address}/64")
    for number, address in enumerate(sources[1:]):
        with net.socket("peer-mynumber", socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as one:
            one.bind((address, 20000 + number))
            one.sendto(b"new " + bytes(12), (host, 7000))
    wait_until(lambda: counted(net, gateway, "mynumber", "rate") == 14, "what is over the limit")
    wait_until(lambda: len(sink.got) == 5, "what is within the limit")
    gateway.wait_event("source-limited", 'zone="mynumber"', 'src="10.10.0.5"' if family == 4 else 'src="fd00:10::"')
    gateway.wait_event("packets-dropped", 'zone="mynumber"', 'reason="rate"')
    if family == 4:
        net.address("peer-mynumber", "port", "10.10.0.6/24")
        net.connect("peer-mynumber", host, 7000, source="10.10.0.6").close()


def test_packets_a_source_that_was_silent_has_no_more_than_its_rate(net, topology, make_gateway):
    """Z14: of a rate by the minute, twelve seconds of silence give back a fifth, not all."""
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-rate 5/m; }"})
    sink = Sink(net, "peer-lgwan", SERVER, 7000)

    def begin(first, count):
        for port in range(first, first + count):
            with net.socket("peer-mynumber", socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.bind(("", port))
                one.sendto(b"new " + bytes(12), (SERVER, 7000))
        wait_until(lambda: len(sink.got) + counted(net, gateway, "mynumber", "rate") == first + count - 20000, "all to be counted")
    began = time.monotonic()
    begin(20000, 5)
    time.sleep(11)
    begin(20005, 20)
    assert len(sink.got) <= 5 + (time.monotonic() - began) // 12


def test_packets_flows_of_one_source_at_a_time_are_limited(net, topology, make_gateway):
    """Z14: a source that holds as many flows as it may gets no more until one has ended; running ones go on."""
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-connections 8; }"})
    Sink(net, "peer-lgwan", SERVER, 7000)
    held = [net.connect("peer-mynumber", SERVER, 7000) for _ in range(8)]
    net.on_close(lambda: [one.close() for one in held])
    with pytest.raises(OSError):
        net.connect("peer-mynumber", SERVER, 7000, timeout=1.5)
    assert counted(net, gateway, "mynumber", "flows") > 0
    gateway.wait_event("source-limited", 'zone="mynumber"', 'src="10.10.0.5"')
    for one in held:
        one.send(b"still there?")
        assert one.recv(100) == b"still there?"
    held.pop().close()
    wait_until(lambda: net.reaches("peer-mynumber", SERVER, 7000), "another flow to be let in", 20)


@pytest.mark.parametrize("family", [4, 6])
def test_packets_flows_of_one_source_that_begin_at_once_are_limited(net, topology, make_gateway, family):
    """Z14: of a hundred flows that begin before the first of them has its verdict a source gets as many as it may; all others are
    counted as dropped."""
    from scapy.all import IP, UDP, Ether, IPv6
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-connections 8; }"})
    sink = Sink(net, "peer-lgwan", SERVER if family == 4 else SERVER6, 7000)
    wire, zone = Wire(net, topology, gateway), topology.zones["mynumber"]
    layer = IP(src=zone.peer4, dst=SERVER) if family == 4 else IPv6(src=zone.peer6, dst=SERVER6)
    frames = [bytes(Ether(dst=wire.gateway_mac, src=zone.mac) / layer / UDP(sport=20000 + n, dport=7000) / (b"new " + bytes(12)))
              for n in range(100)]
    with halted(gateway, "arbiter"):
        for frame in frames:
            wire.socket.send(frame)
    wait_until(lambda: len(sink.got) + counted(net, gateway, "mynumber", "flows") == 100, "all flows to pass or to be dropped")
    assert len(sink.got) == 8
    gateway.wait_event("source-limited", 'zone="mynumber"', 'src="10.10.0.5"' if family == 4 else 'src="fd00:10::"')


def test_packets_sources_that_cannot_be_are_spoofed_in_every_zone(net, topology, make_gateway):
    """Z9: a zone that has the whole internet behind it has not these: what is nowhere, the gateway's own addresses, broadcast
    addresses, other zones' hosts, and networks that each organisation has for itself, unless a route of their own leads there."""
    from scapy.all import IP, UDP, IPv6
    crossing = "service echo { udp 7000; }\ncrossing lgwan internet { permit 10 { from internet; destination 10.20.0.8; service echo; } }"
    gateway = make_gateway(crossing, zone_extra={"internet": "route 0.0.0.0/0 via 203.0.113.5; route ::/0 via 2001:db8:113::5; "
                                                           "route 172.30.0.0/16 via 203.0.113.5;"})
    wire = Wire(net, topology, gateway, "internet")
    sink = Sink(net, "peer-lgwan", SERVER, 7000)

    def send(source):
        layer = IPv6(src=source, dst=SERVER6) if ":" in source else IP(src=source, dst=SERVER)
        wire.send(layer / UDP(sport=5000, dport=7000) / (b"new " + bytes(12)))

    for source in ("198.51.100.7", "172.30.0.9"):
        send(source)
    wait_until(lambda: len(sink.got) == 2, "packets from far away")
    before = counted(net, gateway, "internet", "spoofed")
    bogons = ["0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "10.20.0.9", "10.10.0.5",
              "::5", "::ffff:198.51.100.7", "fe80::7", "fec0::7", "fd00:20::9",
              "10.77.0.1", "100.64.0.1", "172.16.0.1", "172.29.255.254", "192.168.0.1", "198.18.0.1", "2001:0:1::1", "2002::1", "fd77::1",
              "203.0.113.1", "203.0.113.15", "2001:db8:113::1"]
    for source in (*bogons, "::1", "ff02::1"):  # the last ones the kernel drops even before our rules
        send(source)
    wait_until(lambda: counted(net, gateway, "internet", "spoofed") == before + len(bogons), "all of them to be counted")
    assert len(sink.got) == 2
