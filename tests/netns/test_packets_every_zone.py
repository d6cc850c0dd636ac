# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrices from every zone, to every other zone and to the gateway itself, in both families: what crosses and what answers
equals the configuration exactly (Z1, Z5, Z8, Z9, Z13). Frames are written by hand and looked at on the wire."""

import socket

import pytest

from lib.rules import counter
from lib.traffic import on_one_processor
from lib.waiting import wait_until

POLICY = """
service web { tcp 80; tcp 8000-8002; udp 5000; }
service tunnel { protocol 47; }
service outward { tcp 443; udp 65535; }
service inward { tcp 65535; udp 1; }
crossing mynumber lgwan {
    permit 10 { destination 10.20.0.8; destination fd00:20::8; service web; service tunnel; }
}
crossing lgwan internet {
    permit 20 { from lgwan; destination 203.0.113.5; destination 2001:db8:113::5; service outward; }
    permit 21 { from internet; destination 10.20.0.8; destination fd00:20::8; service inward; }
}
"""
ZONES = ("mynumber", "lgwan", "internet")
TCP, UDP, TUNNEL, AUTHENTICATION = 6, 17, 47, 51
# What the policy says, written a second time: {(from, to): {(protocol, port)}}; port 0 where the protocol has none.
PERMITTED = {
    ("mynumber", "lgwan"): {*((TCP, p) for p in (80, 8000, 8001, 8002)), (UDP, 5000), (TUNNEL, 0)},
    ("lgwan", "internet"): {(TCP, 443), (UDP, 65535)},
    ("internet", "lgwan"): {(TCP, 65535), (UDP, 1)},
}
NO_LIMIT = "guard { source-rate 1000000/s; source-connections 0; }"
AT_ONCE = 256           # frames that are on their way to the rules at a time: fewer than any queue before them holds
SOURCE_PORT = 40000
L4_AT = {4: 34, 6: 54}  # behind Ethernet and IP
CHECKSUM_AT = {TCP: 16, UDP: 6}


class Judged:
    """How many packets of a zone have come as far as its queues, from the kernel's own table."""

    def __init__(self, net, gateway, zone):
        with net.inside(gateway.zone_namespace(zone)):
            self.file = open("/proc/thread-self/net/netfilter/nfnetlink_queue", encoding="ascii")  # pylint: disable=consider-using-with
        net.on_close(self.file.close)
        self.before = self.count()

    def rows(self):
        self.file.seek(0)
        return [[int(word) for word in line.split()] for line in self.file.read().splitlines()]

    def count(self):
        return sum(row[7] for row in self.rows())

    def dropped(self):
        return sum(row[5] + row[6] for row in self.rows())

    def wait(self, sent):
        wait_until(lambda: self.count() - self.before >= sent and all(row[2] < AT_ONCE for row in self.rows()), f"{sent} packets to be judged",
                   30, 0.0005)


def gateway_mac(net, gateway, zone):
    return net.run(gateway.zone_namespace(zone.name), "cat", f"/sys/class/net/{zone.port}/address").stdout.strip()


def frame_of(source, to, mac, family, protocol):
    """A frame of TCP (SYN) or UDP to port 0, and the sum of all that its checksum is about."""
    from scapy.all import IP, Ether, IPv6, raw
    from scapy.all import TCP as Tcp
    from scapy.all import UDP as Udp
    ends = {"src": source.peer4 if family == 4 else source.peer6, "dst": to}
    inner = Tcp(sport=SOURCE_PORT, dport=0, flags="S") if protocol == TCP else Udp(sport=SOURCE_PORT, dport=0) / bytes(4)
    frame = bytearray(raw(Ether(dst=mac, src=source.mac) / (IP(**ends) if family == 4 else IPv6(**ends)) / inner))
    at = L4_AT[family] + CHECKSUM_AT[protocol]
    return frame, ~int.from_bytes(frame[at:at + 2], "big") & 0xFFFF


def send_all_ports(wire, judged, sent, made, family, protocol):
    """A packet to each of the 65,536 ports; returns how many were sent in all."""
    frame, total = made
    port_at, sum_at = L4_AT[family] + 2, L4_AT[family] + CHECKSUM_AT[protocol]
    for port in range(65536):
        frame[port_at:port_at + 2] = port.to_bytes(2, "big")
        checksum = total + port
        checksum = ~((checksum & 0xFFFF) + (checksum >> 16)) & 0xFFFF
        frame[sum_at:sum_at + 2] = (checksum or 0xFFFF).to_bytes(2, "big")
        wire.send(frame)
        sent += 1
        if sent % AT_ONCE == 0:
            judged.wait(sent)
    judged.wait(sent)
    return sent


def transport(packet):
    """(protocol, port of the destination, port of the source) of TCP and UDP."""
    from scapy.all import TCP as Tcp
    from scapy.all import UDP as Udp
    kind = Tcp if Tcp in packet else Udp
    return TCP if kind is Tcp else UDP, packet[kind].dport, packet[kind].sport


def network(packet):
    from scapy.all import IP, IPv6
    return packet[IP] if IP in packet else packet[IPv6]


def listen(net, zone, ports):
    for port in ports:
        listener = net.socket(zone.namespace, socket.AF_INET6)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", port))
        listener.listen(16)
        net.on_close(listener.close)


@pytest.mark.limit(400)
@pytest.mark.parametrize("name", ZONES)
def test_packets_every_port_of_everybody_from_each_zone(net, topology, make_gateway, name):
    """Z1, Z8, Z13: from one zone each of the 65,536 TCP and UDP ports of a host of every other zone and of the gateway's own address,
    by IPv4 and IPv6. Every packet is judged; exactly the permitted ones come out on the other side, nothing else comes out anywhere, and
    nobody answers but the hosts that were reached."""
    gateway = make_gateway(POLICY, zone_extra={zone: NO_LIMIT for zone in ZONES})
    source = topology.zones[name]
    others = [zone for zone in topology.zones.values() if zone is not source]
    for zone in others:
        listen(net, zone, [22, 25, 443, *{p for of in PERMITTED.values() for protocol, p in of if protocol == TCP} - {443}])
    captures = {zone.name: net.capture(zone.namespace, "port", f"(tcp or udp) and not ether src {zone.mac}") for zone in others}
    answers = net.capture(source.namespace, "port", f"not ether src {source.mac} and (udp or tcp[13] & 0x12 == 0x12 or "
                                                    "(ip6[6] == 6 and ip6[53] & 0x12 == 0x12))")
    wire, judged, sent = net.packet_socket(source.namespace, "port"), Judged(net, gateway, name), 0
    mac = gateway_mac(net, gateway, source)
    targets = [(to, 4) for to in (source.gateway4, *(z.peer4 for z in others))]
    targets += [(to, 6) for to in (source.gateway6, *(z.peer6 for z in others))]
    with on_one_processor():
        for to, family in targets:
            for protocol in (TCP, UDP):
                made = frame_of(source, to, mac, family, protocol)
                sent = send_all_ports(wire, judged, sent, made, family, protocol)
    assert sent == len(targets) * 2 * 65536 and judged.dropped() == 0
    expected_answers = set()
    for zone in others:
        permitted = {(protocol, port) for protocol, port in PERMITTED.get((name, zone.name), ()) if protocol in (TCP, UDP)}
        expected = {(to, *what) for to in (zone.peer4, zone.peer6) for what in permitted}
        expected_answers |= {what for what in expected if what[1] == TCP}
        for what in expected:
            captures[zone.name].wait(lambda p, w=what: (network(p).dst, *transport(p)[:2]) == w, f"{what} to cross")
        assert {(network(p).dst, *transport(p)[:2]) for p in captures[zone.name].stop()} == expected, zone.name
    for what in expected_answers:
        answers.wait(lambda p, w=what: (network(p).src, TCP, transport(p)[2]) == w, f"{what} to answer")
    assert {(network(p).src, transport(p)[0], transport(p)[2]) for p in answers.stop()} == expected_answers


def odd_packets(family, ends):
    """{name: a packet from its IP header on}: every protocol, extension headers, fragments of all kinds. Behind them stands a SYN to a
    port that some permit names."""
    from scapy.all import (AH, GRE, IP, ESP, IPOption_LSRR, IPOption_RR, IPOption_SSRR, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                           IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw)
    from scapy.all import TCP as Tcp
    made = {}
    syns = {port: Tcp(sport=SOURCE_PORT, dport=port, flags="S") for port in (80, 443, 65535)}
    for protocol in set(range(256)) - {1, TCP, UDP, 58}:
        head = IP(**ends, proto=protocol) if family == 4 else IPv6(**ends, nh=protocol)
        made[f"protocol {protocol}"] = head / (GRE() if protocol == TUNNEL else Raw(bytes(40)))
    for port, syn in syns.items():
        if family == 4:
            made[f"first fragment {port}"] = IP(**ends, flags="MF") / syn
            made[f"later fragment {port}"] = IP(**ends, frag=3, proto=TCP) / Raw(bytes(64))
            made[f"last fragment {port}"] = IP(**ends, frag=1, proto=TCP) / Raw(bytes(16))
            made[f"tiny fragment {port}"] = IP(**ends, flags="MF", proto=TCP) / Raw(bytes(syn)[:8])
            made[f"fragment past the end {port}"] = IP(**ends, frag=8189, proto=TCP) / Raw(bytes(64))
            made[f"AH {port}"] = IP(**ends) / AH(nh=TCP, payloadlen=1) / syn
            made[f"ESP {port}"] = IP(**ends) / ESP(data=bytes(syn))
            for option in (IPOption_LSRR(routers=[ends["dst"]]), IPOption_SSRR(routers=[ends["dst"]]), IPOption_RR(routers=["0.0.0.0"])):
                made[f"{option.name} {port}"] = IP(**ends, options=[option]) / syn
            continue
        for header in (IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrRouting(addresses=[ends["dst"]]),
                       IPv6ExtHdrFragment(m=1), IPv6ExtHdrFragment(m=0), IPv6ExtHdrFragment(offset=2), AH(nh=TCP, payloadlen=1)):
            made[f"{header.summary()} {port} {getattr(header, 'm', '')} {getattr(header, 'offset', '')}"] = IPv6(**ends) / header / syn
        made[f"many headers {port}"] = (IPv6(**ends) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() /
                                        IPv6ExtHdrFragment(m=1) / syn)
        made[f"headers in a wrong order {port}"] = IPv6(**ends) / IPv6ExtHdrDestOpt() / IPv6ExtHdrHopByHop() / syn
    return made


@pytest.mark.limit(150)
@pytest.mark.parametrize("name", ZONES)
def test_packets_odd_ones_from_each_zone_cross_as_configured(net, topology, make_gateway, name):
    """Z8, Z9: all IP protocols, IPv6 extension headers, IPv4 options, fragments of all kinds and tagged frames, from one zone to
    a host of every other one and to all of the gateway's addresses: only the protocol that a permit names crosses."""
    from scapy.all import IP, Dot1Q, Ether, IPv6
    from scapy.all import TCP as Tcp
    gateway = make_gateway(POLICY, zone_extra={zone: NO_LIMIT for zone in ZONES})
    source = topology.zones[name]
    others = [zone for zone in topology.zones.values() if zone is not source]
    captures = {zone.name: net.capture(zone.namespace, "port", f"(ip or ip6 or vlan) and not ether src {zone.mac}") for zone in others}
    answers = net.capture(source.namespace, "port", f"(ip or ip6 or vlan) and not ether src {source.mac}")
    wire, mac = net.packet_socket(source.namespace, "port"), gateway_mac(net, gateway, source)
    before, sent, fragments, options = arrived(net, gateway, source), 0, 0, 0
    tags = {"VLAN 1": Dot1Q(vlan=1), "VLAN 7": Dot1Q(vlan=7), "VLAN 4095": Dot1Q(vlan=4095),
            "tagged twice": Dot1Q(vlan=7) / Dot1Q(vlan=8), "priority and a tag": Dot1Q(vlan=0) / Dot1Q(vlan=7)}
    for family in (4, 6):
        kind = 0x800 if family == 4 else 0x86DD
        own = source.peer4 if family == 4 else source.peer6
        places = [z.gateway4 if family == 4 else z.gateway6 for z in topology.zones.values()]
        places += [z.peer4 if family == 4 else z.peer6 for z in others]
        for to in places:
            ends = {"src": own, "dst": to}
            for what, packet in odd_packets(family, ends).items():
                wire.send(bytes(Ether(dst=mac, src=source.mac, type=kind) / packet))
                sent += 1
                fragments += family == 4 and "fragment" in what
                options += family == 4 and (bool(packet.options) or packet.proto == AUTHENTICATION)
            for port in (80, 443, 65535):
                for tag in tags.values():
                    inner = (IP if family == 4 else IPv6)(**ends) / Tcp(sport=SOURCE_PORT, dport=port, flags="S")
                    wire.send(bytes(Ether(dst=mac, src=source.mac) / tag / inner))
                    sent += 1
            wait_until(lambda: arrived(net, gateway, source) - before >= sent, f"{sent} frames at the port")  # pylint: disable=cell-var-from-loop
    wait_until(lambda: counter(net, gateway, name, "fragment") >= fragments and counter(net, gateway, name, "options") >= options,
               "the rules to count them")
    assert counter(net, gateway, name, "fragment") == fragments > 0 < options
    for zone in others:
        expected = {(to, TUNNEL) for to in (zone.peer4, zone.peer6)} if (TUNNEL, 0) in PERMITTED.get((name, zone.name), ()) else set()
        for what in expected:
            captures[zone.name].wait(lambda p, w=what: w == crossed(p), f"{what} to cross")
        assert {crossed(p) for p in captures[zone.name].stop()} - {None} == expected, zone.name
    kinds = {answered(p) for p in answers.stop()} - {None}
    assert kinds == set(), "only errors and what finds neighbours come back"


def arrived(net, gateway, zone):
    """Frames that a zone's port has taken, those that the way to it had no room for left out."""
    return int(net.run(gateway.zone_namespace(zone.name), "cat", f"/sys/class/net/{zone.port}/statistics/rx_packets").stdout)


def crossed(packet):
    """(destination, protocol) of what came over the gateway; None: of the gateway's own search for neighbours. A tag is told."""
    from scapy.all import Dot1Q
    if Dot1Q in packet:
        return "tagged", packet.summary()
    head = network(packet)
    protocol = head.proto if head.version == 4 else head.nh
    return None if is_neighbourly(packet) else (head.dst, protocol)


def is_neighbourly(packet):
    """Neighbour discovery and reports of groups, which never leave a wire."""
    head = network(packet)
    if head.version == 4:
        return False
    inner = bytes(head.payload)
    if head.nh == 0:
        inner = inner[8:]
    return head.nh in (0, 58) and inner[0] in (133, 135, 136, 143)


def answered(packet):
    """What a packet that came back is, unless it is an ICMP error, a TCP reset or of neighbour discovery."""
    from scapy.all import ICMP, Dot1Q
    from scapy.all import TCP as Tcp
    if Dot1Q in packet:
        return "tagged", packet.summary()
    if is_neighbourly(packet) or (Tcp in packet and packet[Tcp].flags & 4):
        return None
    head = network(packet)
    if ICMP in packet and packet[ICMP].type == 3:
        return None
    if head.version == 6 and head.nh == 58 and bytes(head.payload)[0] < 128:
        return None
    return packet.summary()


@pytest.mark.parametrize("name", ZONES)
def test_packets_gateway_is_found_by_its_own_address_alone(net, topology, make_gateway, name):
    """Z9, Z13: asked by ARP and neighbour discovery for everybody of every zone, the gateway answers for its address in this zone."""
    from scapy.all import ARP, Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
    make_gateway(POLICY)
    source = topology.zones[name]
    capture = net.capture(source.namespace, "port", f"(arp or icmp6) and not ether src {source.mac}")
    wire = net.packet_socket(source.namespace, "port")
    others = [zone for zone in topology.zones.values() if zone is not source]
    asked4 = [address for zone in others for address in (zone.gateway4, zone.peer4)] + ["127.0.0.1", "224.0.0.1", source.gateway4]
    asked6 = [address for zone in others for address in (zone.gateway6, zone.peer6)] + ["::1", source.gateway6]
    for address in asked4:
        wire.send(bytes(Ether(dst="ff:ff:ff:ff:ff:ff", src=source.mac) / ARP(op=1, hwsrc=source.mac, psrc=source.peer4, pdst=address)))
    for address in asked6:
        wire.send(bytes(Ether(dst="33:33:ff:00:00:01", src=source.mac) / IPv6(src=source.peer6, dst="ff02::1:ff00:1", hlim=255) /
                        ICMPv6ND_NS(tgt=address) / ICMPv6NDOptSrcLLAddr(lladdr=source.mac)))
    capture.wait(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].psrc == source.gateway4, "the gateway's ARP")
    capture.wait(lambda p: ICMPv6ND_NA in p and p[ICMPv6ND_NA].tgt == source.gateway6, "the gateway's advertisement")
    packets = capture.stop()
    assert {p[ARP].psrc for p in packets if ARP in p and p[ARP].op == 2} == {source.gateway4}
    assert {p[ICMPv6ND_NA].tgt for p in packets if ICMPv6ND_NA in p} == {source.gateway6}
