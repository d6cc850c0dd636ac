# SPDX-License-Identifier: GPL-2.0-or-later
"""What crosses and what answers equals the configuration exactly (Z1, Z5, Z6, Z7, Z8, Z9, Z13)."""

import errno
import re
import socket
import time

import pytest

from lib.rules import counter
from lib.traffic import Sink, on_one_processor
from lib.waiting import wait_until

POLICY = """
service web { tcp 80; tcp 8000-8010; udp 5000; }
service ping { icmp 8; }
service ping6 { icmp6 128; }
service tunnel { protocol 47; }
crossing mynumber lgwan {
    permit 10 { source 10.10.0.5; destination 10.20.0.8; service web; log; }
    permit 11 { source fd00:10::5; destination fd00:20::8; service web; }
    permit 20 { source 10.10.0.0/24; destination 10.20.0.8; service ping; }
    permit 21 { source fd00:10::/64; destination fd00:20::8; service ping6; }
    permit 30 { source 10.10.0.5; destination 10.20.0.8; service tunnel; }
}
"""
ZONES = ("mynumber", "lgwan", "internet")
PERMITTED_TCP = {80, *range(8000, 8011)}
PAIRS = [(a, b) for a in ZONES for b in ZONES if a != b]


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(POLICY)


def open_ports(net, namespace, host, *options):
    """TCP or UDP ports that nmap finds open from a namespace. Below the rate at which the gateway guards itself against one
    source (4,000 new flows a second), so that a permitted port is not missed for that."""
    family = ["-6"] if ":" in host else []
    shown = net.run(namespace, "nmap", "-n", "-Pn", "--max-retries", "1", "--min-rate", "2000", "--max-rate", "3000", "-oG", "-", *family,
                    *options, host, timeout=110).stdout
    return {int(port) for port in re.findall(r"(\d+)/open/", shown)}


def missed(net, namespace, host, ports):
    """Which of these TCP ports are open all the same. nmap gives a port up after two packets that had no answer in time, as it
    happens where it competes for the processor; TCP itself does not."""
    return {port for port in ports if net.reaches(namespace, host, port, timeout=15)}


def listen_everywhere(net, zone, ports):
    """A peer that accepts on all these ports, on all of its addresses, in both families."""
    made = []
    for port in ports:
        listener = net.socket(zone.namespace, socket.AF_INET6)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", port))
        listener.listen(64)
        made.append(listener)
    net.on_close(lambda: [x.close() for x in made])


# Matrices

@pytest.mark.limit(240)
def test_packets_all_tcp_ports_between_every_pair(net, topology, gateway):
    """Each ordered pair of zones, every TCP port: exactly the permitted ones are open (Z1, Z8)."""
    for zone in topology.zones.values():
        listen_everywhere(net, zone, [22, 25, 79, 80, 81, 443, 7999, *range(8000, 8012)])
    for source, target in PAIRS:
        peer = topology.zones[target]
        permitted = PERMITTED_TCP if (source, target) == ("mynumber", "lgwan") else set()
        found = open_ports(net, topology.zones[source].namespace, peer.peer4, "-p", "1-65535" if source == "mynumber" else
                           "22,25,79-81,443,7999-8011")
        assert found | missed(net, topology.zones[source].namespace, peer.peer4, permitted - found) == permitted, (source, target)


def test_packets_ipv6_tcp_between_every_pair(net, topology, gateway):
    for zone in topology.zones.values():
        listen_everywhere(net, zone, [22, 79, 80, 81, *range(7999, 8012)])
    for source, target in PAIRS:
        permitted = PERMITTED_TCP if (source, target) == ("mynumber", "lgwan") else set()
        peer = topology.zones[target].peer6
        found = open_ports(net, topology.zones[source].namespace, peer, "-p", "22,79-81,7999-8011")
        assert found | missed(net, topology.zones[source].namespace, peer, permitted - found) == permitted, (source, target)


@pytest.mark.parametrize("family", [4, 6])
def test_packets_udp_between_every_pair(net, topology, gateway, family):
    sinks = {}
    for name, zone in topology.zones.items():
        host = zone.peer4 if family == 4 else zone.peer6
        sinks[name] = {port: Sink(net, zone.namespace, host, port) for port in (5000, 5001)}
    for source, target in PAIRS:
        zone = topology.zones[target]
        for port in (5000, 5001):
            sender = net.socket(topology.zones[source].namespace, socket.AF_INET if family == 4 else socket.AF_INET6,
                                socket.SOCK_DGRAM)
            for _ in range(3):
                try:
                    sender.sendto(b"new " + bytes(12), (zone.peer4 if family == 4 else zone.peer6, port))
                except OSError:
                    pass  # told by ICMP that it is denied
            sender.close()
    wait_until(lambda: len(sinks["lgwan"][5000].got) == 3, "the permitted packets")
    time.sleep(0.3)
    arrived = {(name, port): len(sink.got) for name, of in sinks.items() for port, sink in of.items() if sink.got}
    assert arrived == {("lgwan", 5000): 3}


@pytest.mark.limit(120)
def test_packets_all_udp_ports(net, topology, make_gateway):
    """Z1, Z8: one packet to every UDP port; exactly the permitted port's crosses, seen by a capture on the far side."""
    from scapy.all import IP, UDP, Ether, raw
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-rate 1000000/s; source-connections 0; }"})
    target = topology.zones["lgwan"]
    capture = net.capture(target.namespace, "port", "udp")
    wire = net.packet_socket("peer-mynumber", "port")
    frame = bytearray(raw(Ether(dst=gateway_mac(net, gateway, "mynumber", "eth0"), src=topology.zones["mynumber"].mac) /
                          IP(src="10.10.0.5", dst="10.20.0.8") / UDP(sport=40000, chksum=0)))
    before = counter(net, gateway, "mynumber", "queued")
    for port in range(65536):
        frame[36:38] = port.to_bytes(2, "big")
        wire.send(frame)
        if port % 500 == 499:   # not more than the queue holds, nor a busy kernel on the way to its rules
            wait_until(lambda p=port: counter(net, gateway, "mynumber", "queued") == before + p + 1, "the arbiter to keep up", 20)
    wait_until(lambda: counter(net, gateway, "mynumber", "queued") == before + 65536, "every packet to be judged", 20)
    capture.wait(lambda p: UDP in p and p[UDP].dport == 5000, "the permitted datagram")
    time.sleep(0.5)
    assert {p[UDP].dport for p in capture.stop() if UDP in p and p[UDP].sport == 40000} == {5000}


def test_packets_all_ipv6_next_headers(net, topology, gateway):
    """Z8, Z9: of all next headers of IPv6 none crosses that no permit names, extension headers first of all."""
    from scapy.all import Ether, IPv6, Raw
    capture = net.capture("peer-lgwan", "port", "ip6 and not icmp6")
    wire = net.packet_socket("peer-mynumber", "port")
    head = Ether(dst=gateway_mac(net, gateway, "mynumber", "eth0"), src=topology.zones["mynumber"].mac, type=0x86DD)
    for number in range(256):
        wire.send(bytes(head / IPv6(src="fd00:10::5", dst="fd00:20::8", nh=number) / Raw(b"\0" * 40)))
    wire.send(bytes(head / IPv6(src="fd00:10::5", dst="fd00:20::8", nh=17) / Raw(bytes.fromhex("9c401388000c0000") + b"\0" * 4)))
    capture.wait(lambda p: p.src != topology.zones["lgwan"].mac and IPv6 in p and p[IPv6].nh == 17, "the permitted datagram")
    crossed = [p[IPv6].nh for p in capture.stop() if IPv6 in p and p[IPv6].src == "fd00:10::5"]
    assert crossed == [17]


@pytest.mark.parametrize("source", ZONES)
def test_packets_to_many_cross_from_no_zone(net, topology, gateway, source):
    """Z9: multicast, broadcast and what finds neighbours crosses nowhere, from whichever zone it comes."""
    from scapy.all import ARP, ICMP, IP, UDP, Ether, ICMPv6MLReport2, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS, IPv6
    captures = {name: net.capture(zone.namespace, "port") for name, zone in topology.zones.items() if name != source}
    zone, mark = topology.zones[source], b"to-many-0123456"
    wire = net.packet_socket(zone.namespace, "port")
    v4 = [IP(src=zone.peer4, dst=d) / UDP(dport=5000) / mark for d in
          ("224.0.0.1", "224.0.0.251", "239.1.2.3", "255.255.255.255", "10.20.0.255", "10.10.0.255", "203.0.113.15")]
    v4 += [IP(src=zone.peer4, dst="224.0.0.1") / ICMP() / mark, IP(src=zone.peer4, dst="224.0.0.22", proto=2) / mark]
    v6 = [IPv6(src=zone.peer6, dst=d, hlim=255) / UDP(dport=5000) / mark for d in ("ff01::1", "ff02::1", "ff02::fb", "ff05::2", "ff0e::1")]
    v6 += [IPv6(src="fe80::5", dst=other.peer6, hlim=255) / UDP(dport=5000) / mark for other in topology.zones.values()]
    v6 += [IPv6(src="fe80::5", dst="ff02::1", hlim=255) / what / mark
           for what in (ICMPv6ND_RA(), ICMPv6ND_RS(), ICMPv6ND_NS(tgt=zone.peer6), ICMPv6MLReport2())]
    v6 += [IPv6(src="fe80::5", dst="fe80::1", hlim=255) / UDP(dport=5000) / mark]
    mac = gateway_mac(net, gateway, source, zone.port)
    for to in (mac, "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"):
        for packet in [*v4, *v6, *(ARP(op=op, psrc=zone.peer4, pdst=other.peer4) / mark
                                   for op in (1, 2, 3) for other in topology.zones.values())]:
            kind = 0x86DD if IPv6 in packet else 0x806 if ARP in packet else 0x800
            wire.send(bytes(Ether(dst=to, src=zone.mac, type=kind) / packet))
    time.sleep(0.5)
    for name, capture in captures.items():
        assert [p.summary() for p in capture.stop() if mark in bytes(p)] == [], name


def test_packets_ping_follows_the_permits_in_both_families(net, topology, gateway):
    for source, target in PAIRS:
        zone = topology.zones[target]
        for host in (zone.peer4, zone.peer6):
            permitted = (source, target) == ("mynumber", "lgwan")
            answered = net.run(topology.zones[source].namespace, "ping", "-c", "2", "-i", "0.2", "-W", "15" if permitted else "1", host,
                               check=False).returncode == 0
            assert answered == permitted, (source, target, host)


def test_packets_other_protocols_by_number_only(net, topology, gateway):
    """Protocol 47 is permitted, every other number is not; seen by a capture on the far side (Z8)."""
    from scapy.all import GRE, IP, Ether, Raw
    target = topology.zones["lgwan"]
    capture = net.capture(target.namespace, "port", "ip and not icmp and not tcp and not udp")
    wire = net.packet_socket("peer-mynumber", "port")
    mac = gateway_mac(net, gateway, "mynumber", "eth0")
    for protocol in range(0, 256):
        if protocol in (1, 6, 17):
            continue
        packet = Ether(dst=mac, src=topology.zones["mynumber"].mac) / IP(src="10.10.0.5", dst="10.20.0.8", proto=protocol)
        wire.send(bytes(packet / (GRE() if protocol == 47 else Raw(b"\0" * 16))))
    capture.wait(lambda p: IP in p and p[IP].proto == 47, "the permitted packet")
    time.sleep(0.5)
    assert {p[IP].proto for p in capture.stop() if IP in p and p[IP].src == "10.10.0.5"} == {47}
    gateway.wait_event("flow-denied", 'from="mynumber"', 'to="lgwan"', 'proto="2"', 'reason="no-permit"')


# Packets that only an attacker sends

def gateway_mac(net, gateway, zone, port):
    return net.run(gateway.zone_namespace(zone), "cat", f"/sys/class/net/{port}/address").stdout.strip()


def hostile_packets():
    """name: (the packet from its IP header on, the counter that it must raise)."""
    from scapy.all import (AH, ICMP, IP, TCP, UDP, IPOption_LSRR, IPOption_RR, IPOption_SSRR, IPv6, IPv6ExtHdrDestOpt,
                           IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw)
    v4 = {"src": "10.10.0.5", "dst": "10.20.0.8"}
    v6 = {"src": "fd00:10::5", "dst": "fd00:20::8"}
    syn = TCP(sport=1024, dport=80, flags="S")
    return {
        "source of another zone": (IP(**{**v4, "src": "203.0.113.5"}) / syn, "spoofed"),
        "source of the target": (IP(**{**v4, "src": "10.20.0.9"}) / syn, "spoofed"),
        "source of the far gateway": (IP(**{**v4, "src": "10.20.0.1"}) / syn, "spoofed"),
        "loopback source": (IP(**{**v4, "src": "127.0.0.1"}) / syn, "spoofed"),
        "no source": (IP(**{**v4, "src": "0.0.0.0"}) / syn, "spoofed"),
        "multicast source": (IP(**{**v4, "src": "224.0.0.5"}) / syn, "spoofed"),
        "IPv6 source of another zone": (IPv6(**{**v6, "src": "2001:db8:113::5"}) / syn, "spoofed"),
        "IPv6 link-local source": (IPv6(**{**v6, "src": "fe80::5"}) / syn, "spoofed"),
        "first fragment": (IP(**v4, flags="MF") / syn, "fragment"),
        "later fragment": (IP(**v4, frag=3, proto=6) / Raw(b"x" * 64), "fragment"),
        "tiny fragment": (IP(**v4, flags="MF", proto=6) / Raw(b"\x04\x00\x00\x50\0\0\0\0"), "fragment"),
        "overlapping fragment": (IP(**v4, frag=1, proto=6) / Raw(b"\0\x02" * 8), "fragment"),
        "loose source route": (IP(**v4, options=[IPOption_LSRR(routers=["10.20.0.8"])]) / syn, "options"),
        "strict source route": (IP(**v4, options=[IPOption_SSRR(routers=["10.20.0.8"])]) / syn, "options"),
        "record route": (IP(**v4, options=[IPOption_RR(routers=["0.0.0.0"])]) / syn, "options"),
        "IPv6 hop-by-hop": (IPv6(**v6) / IPv6ExtHdrHopByHop() / syn, "options"),
        "IPv6 destination options": (IPv6(**v6) / IPv6ExtHdrDestOpt() / syn, "options"),
        "IPv6 routing type 0": (IPv6(**v6) / IPv6ExtHdrRouting(addresses=["fd00:20::8"]) / syn, "options"),
        "IPv6 fragment": (IPv6(**v6) / IPv6ExtHdrFragment(m=1) / syn, "options"),
        "IPv6 atomic fragment": (IPv6(**v6) / IPv6ExtHdrFragment(m=0) / syn, "options"),
        "authentication header": (IP(**v4) / AH(nh=6, payloadlen=1) / syn, "options"),
        "IPv6 authentication header": (IPv6(**v6) / AH(nh=6, payloadlen=1) / syn, "options"),
        "multicast": (IP(**{**v4, "dst": "224.0.0.9"}) / UDP(dport=5000), "multicast"),
        "broadcast": (IP(**{**v4, "dst": "255.255.255.255"}) / UDP(dport=5000), "multicast"),
        "IPv6 multicast": (IPv6(**{**v6, "dst": "ff0e::1"}) / UDP(dport=5000), "multicast"),
        "TCP without SYN": (IP(**v4) / TCP(sport=1025, dport=80, flags="A"), "invalid"),
        "TCP SYN and FIN": (IP(**v4) / TCP(sport=1026, dport=80, flags="SF"), "invalid"),
        "TCP of no flags": (IP(**v4) / TCP(sport=1027, dport=80, flags=0), "invalid"),
        "TCP Christmas tree": (IP(**v4) / TCP(sport=1028, dport=80, flags="FPU"), "invalid"),
        "TCP RST out of nothing": (IP(**v4) / TCP(sport=1029, dport=80, flags="R"), "invalid"),
        "ICMP error about nothing": (IP(**v4) / ICMP(type=3, code=1) / IP(src="10.20.0.8", dst="10.10.0.5") / UDP(), "invalid"),
        "ICMP reply to nothing": (IP(**v4) / ICMP(type=0), "invalid"),
    }


def test_packets_hostile_ones_are_dropped_and_counted_by_kind(net, topology, gateway):
    from scapy.all import IP, Ether, IPv6
    capture = net.capture("peer-lgwan", "port", "ip or (ip6 and not icmp6)")
    wire = net.packet_socket("peer-mynumber", "port")
    mac = gateway_mac(net, gateway, "mynumber", "eth0")
    for name, (packet, kind) in hostile_packets().items():
        before = counter(net, gateway, "mynumber", kind)
        wire.send(bytes(Ether(dst=mac, src=topology.zones["mynumber"].mac, type=0x86DD if IPv6 in packet else 0x800) / packet))
        wait_until(lambda k=kind, b=before: counter(net, gateway, "mynumber", k) > b, f"counter {kind} for: {name}", 3)
    own = topology.zones["lgwan"].mac  # the peer's own reports of multicast groups are in the capture too
    assert [p.summary() for p in capture.stop() if (IP in p or IPv6 in p) and p.src != own] == []
    gateway.wait_event("source-spoofed", 'zone="mynumber"', 'src="203.0.113.5"')
    gateway.wait_event("packets-dropped", 'zone="mynumber"', 'reason="fragment"')


@pytest.mark.parametrize("family", [4, 6])
def test_packets_authentication_header_takes_no_flow_of_what_is_behind_it(net, topology, gateway, family):
    """Z8: the kernel reads on behind an AH, and would take the packet for one of the running flow; it is dropped before."""
    from scapy.all import AH, IP, UDP, Ether, IPv6
    near, far = topology.zones["mynumber"], topology.zones["lgwan"]
    ends = [(z.peer4 if family == 4 else z.peer6) for z in (near, far)]
    sink = Sink(net, far.namespace, ends[1], 5000)
    sender = net.socket(near.namespace, socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM, timeout=5)
    sender.bind((ends[0], 6000))
    for _ in range(2):  # with an answer, the flow is established
        sender.sendto(b"new " + bytes(12), (ends[1], 5000))
        assert sender.recv(100)
    capture = net.capture(far.namespace, "port", "proto 51" if family == 4 else "ip6 proto 51")
    before = counter(net, gateway, "mynumber", "options")
    head = IP(src=ends[0], dst=ends[1]) if family == 4 else IPv6(src=ends[0], dst=ends[1])
    frame = Ether(dst=gateway_mac(net, gateway, "mynumber", "eth0"), src=near.mac) / head
    net.packet_socket(near.namespace, "port").send(bytes(frame / AH(nh=17, payloadlen=1) / UDP(sport=6000, dport=5000) / b"hidden in AH"))
    sender.sendto(b"last" + bytes(12), (ends[1], 5000))
    wait_until(lambda: [x for x in sink.got if x[0] == "last"], "the flow to go on")
    assert capture.stop() == []
    wait_until(lambda: counter(net, gateway, "mynumber", "options") > before, "the packet with AH to be counted")
    assert counter(net, gateway, "mynumber", "options") == before + 1


def test_packets_gateway_answers_on_no_port_that_is_not_configured(net, topology, gateway):
    """No listener is configured: nothing answers, not even a ping, in either family (Z13)."""
    for zone in topology.zones.values():
        for host in (zone.gateway4, zone.gateway6):
            assert open_ports(net, zone.namespace, host, "-p", "1-1024,5900,8000-8100") == set()
            assert net.run(zone.namespace, "ping", "-c", "1", "-W", "1", host, check=False).returncode != 0
    gateway.wait_event("flow-denied", 'from="internet"', 'reason="gateway"')


def test_packets_gateway_addresses_of_other_zones_are_out_of_reach(net, topology, gateway):
    for source, target in PAIRS:
        far = topology.zones[target]
        for host in (far.gateway4, far.gateway6):
            assert open_ports(net, topology.zones[source].namespace, host, "-p", "22,25,80,5900,8000-8010") == set()


def test_packets_far_zone_cannot_open_flows_backwards(net, topology, gateway):
    """A permit has a direction: the responder opens nothing, also from the permitted port (Z8)."""
    listen_everywhere(net, topology.zones["mynumber"], [80, 8000])
    backwards = net.socket("peer-lgwan", timeout=1.0)
    backwards.bind(("10.20.0.8", 80))
    with pytest.raises(OSError):
        backwards.connect(("10.10.0.5", 8000))
    backwards.close()


def test_packets_stations_bind_hardware_to_addresses(net, topology, make_gateway):
    """Z7: a listed station passes with its own address only; an unknown one is shut out and named."""
    from scapy.all import IP, UDP, Ether, Raw
    known = topology.zones["mynumber"].mac
    gateway = make_gateway(POLICY, zone_extra={"mynumber": f"station {known} {{ address 10.10.0.5; }}"})
    sink = Sink(net, "peer-lgwan", "10.20.0.8", 5000)
    wire = net.packet_socket("peer-mynumber", "port")
    mac = gateway_mac(net, gateway, "mynumber", "eth0")

    def send(station, source):
        packet = IP(src=source, dst="10.20.0.8") / UDP(sport=6000, dport=5000) / Raw(b"new " + bytes(12))
        wire.send(bytes(Ether(dst=mac, src=station) / packet))

    send(known, "10.10.0.5")
    wait_until(lambda: len(sink.got) == 1, "the listed station's packet")
    send("02:00:00:00:66:66", "10.10.0.5")
    send(known, "10.10.0.77")
    wait_until(lambda: counter(net, gateway, "mynumber", "station") == 2, "both to be counted")
    assert len(sink.got) == 1
    gateway.wait_event("station-unknown", 'zone="mynumber"', 'mac="02:00:00:00:66:66"')


def test_packets_flow_without_answers_is_judged_once(net, topology, gateway):
    """One-way UDP (a syslog stream, a camera) takes the fast way too, and no rate guard holds it for new flows."""
    sink = net.socket("peer-lgwan", socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("10.20.0.8", 5000))
    sender = net.socket("peer-mynumber", socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("10.20.0.8", 5000))
    sender.send(b"first")
    assert sink.recv(100) == b"first"
    before = counter(net, gateway, "mynumber", "queued")
    with on_one_processor():
        for first in range(0, 10000, 200):  # not more than a busy kernel and the socket have room for
            numbers = [b"%d" % number for number in range(first, first + 200)]
            for number in numbers:
                sender.send(number)
            assert [sink.recv(100) for _ in numbers] == numbers
    assert counter(net, gateway, "mynumber", "queued") == before
    assert counter(net, gateway, "mynumber", "rate") == 0
    sender.close()
    sink.close()


# What a person sees of it

def test_packets_denials_are_reported_with_exact_counts(net, topology, gateway):
    """Z12: every denied packet is in exactly one event's count, whether judged or dropped as denied before."""
    sender = net.socket("peer-mynumber", socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind(("", 6001))
    for _ in range(50):
        try:
            sender.sendto(b"x", ("10.20.0.8", 5001))
        except OSError:
            pass  # told by ICMP
        time.sleep(0.005)
    for port in range(7000, 7040):
        other = net.socket("peer-mynumber", socket.AF_INET, socket.SOCK_DGRAM)
        other.sendto(b"x", ("203.0.113.5", port))
        other.close()

    def told():
        """UDP of the sender that was judged, what of it was counted together, and what was dropped as denied before."""
        kinds = (('flow-denied', 'src="10.10.0.5"', 'proto="17"'), ('flows-denied', 'src="10.10.0.5"'),
                 ('packets-dropped', 'zone="mynumber"', 'reason="again"'))
        lines = [line for line in gateway.audit_lines() if any(all(part in line for part in kind) for kind in kinds)]
        return sum(int(re.search(r' count="(\d+)"', line)[1]) for line in lines)

    wait_until(lambda: told() >= 90, "all denials in the log", 25)
    time.sleep(0.5)
    assert told() == 90
    first = gateway.wait_event("flow-denied", 'from="mynumber"', 'to="internet"', 'dst="203.0.113.5"', 'reason="no-crossing"')
    assert 'count="1"' in first


def test_packets_queue_kind_of_this_kernel_is_told(gateway):
    """Which of the two ways this kernel has, `tests/firmware` knows for the product's own."""
    line = gateway.wait_event("queue-kind", "detail=")
    assert 'detail="NFQUEUE target"' in line or 'detail="queue expression"' in line


def test_packets_permitted_flow_with_log_is_reported(net, topology, gateway):
    listen_everywhere(net, topology.zones["lgwan"], [80])
    net.connect("peer-mynumber", "10.20.0.8", 80).close()
    gateway.wait_event("flow-permitted", 'from="mynumber"', 'to="lgwan"', 'src="10.10.0.5"', 'dport="80"', 'permit="10"')


def test_packets_gateway_hears_that_a_next_hop_is_dead(net, topology, make_gateway):
    """Z13: of what the kernel sends to itself only errors about the gateway's own flows come in: a dead next hop is noticed at
    once, and nothing else is reached by loopback."""
    gateway = make_gateway(system="syslog { zone lgwan; server 10.20.0.99 { transport tcp; port 514; } }")
    inside = gateway.zone_namespace("lgwan")
    with pytest.raises(OSError) as told:
        net.connect(inside, "10.20.0.99", 514, timeout=30)
    assert told.value.errno == errno.EHOSTUNREACH, told.value
    listener = net.socket(inside)
    listener.bind(("127.0.0.1", 7000))
    listener.listen(1)
    assert not net.reaches(inside, "127.0.0.1", 7000)
    listener.close()
