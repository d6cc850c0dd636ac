# SPDX-License-Identifier: GPL-2.0-or-later
"""A transparent crossing: the gateway between hosts of one network, none of which is told of it (Z2, Z6, Z7, Z8, Z9; ADR 412).
Picture in lib/inline.py."""

import functools
import os
import re
import signal
import socket
import time

import pytest

from lib.gateway import Gateway
from lib.inline import (BEHIND, BEHIND_6, MACS, NEAR, NEAR2, NEAR2_6, NEAR_6, PRINTER, ROUTER, ROUTER_6, SERVER, SERVER_6, OneNetwork,
                        policy)
from lib.traffic import Sink, Stream
from lib.waiting import wait_until

CROSSING = """
service echo { tcp 7000; udp 7000; }
service ping { icmp 8; icmp6 128; }
crossing inner outer {
    transparent;
    permit 10 { source 10.1.0.5 fd00:1::5; destination 10.1.0.1 fd00:1::1 172.16.0.8 fd00:8::8; service echo ping; }
    permit 20 { from outer; source 10.1.0.9 fd00:1::9; destination 10.1.0.5 fd00:1::5; service echo; }
}
"""


# The same zones while the gateway has addresses in them.
ROUTED = """
system { organization "試験市"; host-name sekisho-test; }
zone inner { tier sensitive; port inner; address 10.1.0.254/24 fd00:1::fe/64; }
zone outer { tier business; port outer; address 192.0.2.1/24; }
service echo { tcp 7000; udp 7000; }
crossing inner outer { permit 10 { destination 192.0.2.7; service echo; } }
"""


@pytest.fixture
def network(net):
    return OneNetwork(net)


@pytest.fixture
def insert(network):
    """insert(configuration): put the gateway between the two cables, and wait until it enforces."""
    made = []

    def start(config=policy(CROSSING), **options):
        network.plug("gateway")
        made.append(Gateway(network, config, **options))
        network.wait_link()
        return made[-1]

    yield start
    for running in reversed(made):
        running.stop()


REACHED_SECONDS = 15.0      # for what is permitted; what is not has 2 s to come through all the same


def ping(net, namespace, source, destination, seconds=REACHED_SECONDS):
    return net.run(namespace, "ping", "-c", "1", "-W", int(seconds), "-I", source, destination, check=False).returncode == 0


def reaches(net, namespace, source, destination, timeout=2.0):
    """Whether a TCP connection of a host's address to port 7000 is accepted."""
    try:
        net.connect(namespace, destination, 7000, timeout=timeout, source=source).close()
    except OSError:
        return False
    return True


def test_transparent_hosts_go_on_as_configured_when_the_gateway_comes_between(net, network, insert):
    """Z2, Z8: no host is renumbered; what a permit names crosses in both families, the default gateway on the other side works,
    and nothing else crosses. Before, all of it did."""
    sinks = [Sink(net, "far", host, 7000) for host in (ROUTER, SERVER, BEHIND, ROUTER_6, SERVER_6, BEHIND_6)]
    sinks += [Sink(net, "near", host, 7000) for host in (NEAR, NEAR_6)]
    tried = [("near", a, b) for a, b in ((NEAR, ROUTER), (NEAR, BEHIND), (NEAR_6, ROUTER_6), (NEAR_6, BEHIND_6), (NEAR, SERVER),
                                         (NEAR2, ROUTER), (NEAR2, BEHIND), (NEAR_6, SERVER_6), (NEAR2_6, ROUTER_6))]
    tried += [("far", a, b) for a, b in ((SERVER, NEAR), (SERVER_6, NEAR_6), (ROUTER, NEAR), (ROUTER_6, NEAR_6), (BEHIND, NEAR))]

    def reached(permitted):
        return {(source, destination) for namespace, source, destination in tried
                if reaches(net, namespace, source, destination, REACHED_SECONDS if (source, destination) in permitted else 2.0)}
    before = network.settings()
    everything = {(a, b) for _, a, b in tried}
    assert reached(everything) == everything and sinks
    insert()
    assert network.settings() == before
    permitted = {(NEAR, ROUTER), (NEAR, BEHIND), (NEAR_6, ROUTER_6), (NEAR_6, BEHIND_6), (SERVER, NEAR), (SERVER_6, NEAR_6)}
    assert reached(permitted) == permitted
    assert all(ping(net, "near", NEAR, host) for host in (ROUTER, BEHIND)) and not ping(net, "near", NEAR, SERVER, 2)
    assert all(ping(net, "near", NEAR_6, host) for host in (ROUTER_6, BEHIND_6)) and not ping(net, "near", NEAR_6, SERVER_6, 2)


# What is on the wires

@functools.cache
def frames():
    """{name: frame} from near: everything that a bridge would carry to far, each with its name as the marker."""
    from scapy.all import (ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, LLC, Raw)
    all_hosts, far = "ff:ff:ff:ff:ff:ff", MACS["far"]
    inner = IP(src=NEAR, dst=ROUTER) / UDP(sport=5000, dport=7000)
    found = {
        "arp-announcement": (all_hosts, ARP(op=1, psrc=NEAR, pdst=NEAR, hwsrc=MACS["near"])),
        "arp-answer": (far, ARP(op=2, psrc=NEAR, pdst=ROUTER, hwsrc=MACS["near"], hwdst=far)),
        "lldp": ("01:80:c2:00:00:0e", Ether(type=0x88cc)),
        "spanning-tree": ("01:80:c2:00:00:01", LLC(dsap=0x42, ssap=0x42, ctrl=3)),
        "experimental": (far, Ether(type=0x88b5)),
        "experimental-broadcast": (all_hosts, Ether(type=0x88b5)),
        "pppoe": (far, Ether(type=0x8863)),
        "tagged": (far, Dot1Q(vlan=7) / inner),
        "tagged-twice": (far, Dot1Q(vlan=7, type=0x88a8) / Dot1Q(vlan=8) / inner),
        "priority-tagged-denied": (far, Dot1Q(vlan=0) / IP(src=NEAR, dst=SERVER) / UDP(sport=5000, dport=7000)),
        "broadcast": (all_hosts, IP(src=NEAR, dst="255.255.255.255") / UDP(sport=5000, dport=7000)),
        "network-broadcast": (all_hosts, IP(src=NEAR, dst="10.1.0.255") / UDP(sport=5000, dport=7000)),
        "multicast": ("01:00:5e:00:00:fb", IP(src=NEAR, dst="224.0.0.251") / UDP(sport=5353, dport=5353)),
        "multicast-6": ("33:33:00:00:00:01", IPv6(src=NEAR_6, dst="ff02::1") / UDP(sport=5000, dport=7000)),
        "dhcp": (all_hosts, IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)),
        "host-in-broadcast": (all_hosts, inner),
        "udp-other-port": (far, IP(src=NEAR, dst=ROUTER) / UDP(sport=5000, dport=7001)),
        "udp-other-host": (far, IP(src=NEAR, dst=SERVER) / UDP(sport=5000, dport=7000)),
        "udp-other-source": (far, IP(src=NEAR2, dst=ROUTER) / UDP(sport=5000, dport=7000)),
        "tcp-other-port": (far, IP(src=NEAR, dst=ROUTER) / TCP(sport=5000, dport=7001, flags="S")),
        "icmp-timestamp": (far, IP(src=NEAR, dst=ROUTER) / ICMP(type=13)),
        "gre": (far, IP(src=NEAR, dst=ROUTER, proto=47)),
        "esp-6": (far, IPv6(src=NEAR_6, dst=ROUTER_6, nh=50)),
        "ping-other-host-6": (far, IPv6(src=NEAR_6, dst=SERVER_6) / ICMPv6EchoRequest(id=9)),
        "link-local": (far, IPv6(src="fe80::5", dst="fe80::1") / UDP(sport=5000, dport=7000)),
    }
    return {name: bytes((Ether(dst=to, src=MACS["near"]) / rest if not isinstance(rest, Ether)
                         else Ether(dst=to, src=MACS["near"], type=rest.type)) / Raw(marker(name)))
            for name, (to, rest) in found.items()}


# Of these, packets between addresses that permits name as one another's ends, whatever they carry.
BETWEEN_STATED_ADDRESSES = {"udp-other-port", "udp-other-host", "udp-other-source", "tcp-other-port", "icmp-timestamp", "gre", "esp-6",
                            "ping-other-host-6", "priority-tagged-denied"}


def marker(name):
    return f"<{name}>".encode()


def arrived(net, namespace, send, expected=()):
    """Which marked frames come to a namespace after `send`: the expected ones, and what else comes in that time and a little more."""
    capture = net.capture(namespace, "port")
    send()
    for name in expected:
        capture.wait(lambda p, wanted=marker(name): wanted in bytes(p), name)
    time.sleep(0.3)
    seen = b"".join(bytes(p) for p in capture.stop())
    return {name for name in frames() if marker(name) in seen}


def gateway_mac(net, gateway, zone, port):
    return net.run(gateway.zone_namespace(zone), "cat", f"/sys/class/net/{port}/address").stdout.strip()


def test_transparent_carries_no_frame_that_is_not_a_permitted_packet(net, network, insert):
    """Z2, Z6: of what a bridge would carry (and on the switch is seen to carry) nothing comes to the other side, whether it is sent
    to the far host's hardware address or to the gateway's."""
    wire = net.packet_socket("near", "port")

    def send(to=None):
        for frame in frames().values():
            wire.send(frame if to is None or frame[0] & 1 else bytes.fromhex(to.replace(":", "")) + frame[6:])
    never_bridged = {"lldp", "spanning-tree"}  # a bridge keeps these to itself
    bridged = set(frames()) - never_bridged
    assert arrived(net, "far", send, bridged) == bridged
    gateway = insert()
    sink = Sink(net, "far", ROUTER, 7000)
    with net.socket("near", kind=2) as control:
        control.bind((NEAR, 0))
        control.sendto(b"permitted", (ROUTER, 7000))
        assert control.recv(100) == b"permitted" and sink
    assert arrived(net, "far", send) == set()
    assert arrived(net, "far", lambda: send(gateway_mac(net, gateway, "inner", "inner"))) == set()


def answers(net, host, expression, requests, read):
    """{target: hardware addresses that answer for it}: what comes to a host within half a second of the requests {target: frame}.
    read: of a packet, (target, hardware address)."""
    capture = net.capture(host, "port", f"ether dst {MACS[host]} and {expression}")
    with net.packet_socket(host, "port") as wire:
        for frame in requests.values():
            wire.send(bytes(frame))
    time.sleep(0.5)
    found = {target: set() for target in requests}
    for target, mac in map(read, capture.stop()):
        found.setdefault(target, set()).add(mac)
    return found


def ask_arp(net, *targets, source=NEAR, to="ff:ff:ff:ff:ff:ff", host="near"):
    """Who answers ARP requests of a host."""
    from scapy.all import ARP, Ether
    return answers(net, host, "arp[6:2] == 2",
                   {t: Ether(dst=to, src=MACS[host]) / ARP(op=1, hwsrc=MACS[host], psrc=source, pdst=t) for t in targets},
                   lambda p: (p[ARP].psrc, p[ARP].hwsrc))


def ask_neighbour(net, *targets, source=NEAR_6, to=None):
    """The same in IPv6, from near."""
    from scapy.all import Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6, in6_getnsma, in6_getnsmac, inet_pton

    def solicitation(target):
        group = in6_getnsma(inet_pton(socket.AF_INET6, target))
        packet = Ether(dst=to or in6_getnsmac(group), src=MACS["near"])
        packet /= IPv6(src=source, dst=target if to else socket.inet_ntop(socket.AF_INET6, group), hlim=255)
        packet /= ICMPv6ND_NS(tgt=target)
        return packet / ICMPv6NDOptSrcLLAddr(lladdr=MACS["near"]) if source != "::" else packet
    return answers(net, "near", "icmp6 and ip6[40] == 136", {t: solicitation(t) for t in targets},
                   lambda p: (p[ICMPv6ND_NA].tgt, p[Ether].src))


def expect(wanted, ask):
    """The answers are these, on a busy machine perhaps not within the first half second."""
    for _ in range(10):
        found = ask()
        if found == wanted:
            break
    assert found == wanted


@pytest.mark.limit(120)
def test_transparent_answers_for_the_other_side_and_for_nobody_else(net, network, insert):
    """Z2: ARP and neighbour discovery are answered for exactly what the configuration puts on the other side, asked by broadcast or
    not; a host that probes for its own address hears nothing of the gateway, also not when its cable was pulled meanwhile."""
    gateway = insert()
    mac = gateway_mac(net, gateway, "inner", "inner")
    outer = gateway_mac(net, gateway, "outer", "outer")
    for _ in range(2):
        expect({ROUTER: {mac}, SERVER: {mac}}, lambda: ask_arp(net, ROUTER, SERVER))
        expect({ROUTER: {mac}}, lambda: ask_arp(net, ROUTER, to=mac))
        expect({ROUTER_6: {mac}, SERVER_6: {mac}}, lambda: ask_neighbour(net, ROUTER_6, SERVER_6))
        expect({ROUTER_6: {mac}}, lambda: ask_neighbour(net, ROUTER_6, to=mac))
        expect({NEAR: {outer}, "10.1.0.77": {outer}}, lambda: ask_arp(net, NEAR, "10.1.0.77", source=ROUTER, host="far"))
        for host in ("near", "far"):
            net.run(host, "ip", "link", "set", "port", "down")
            net.run(host, "ip", "link", "set", "port", "up")
        net.address("near", "port", *(f"{a}/64" for a in (NEAR_6, NEAR2_6)))  # lost with the link, by the host's own settings
        network.wait_link()
    nobody = ["10.1.0.5", "10.1.0.77", "10.1.0.255", "10.1.1.1", BEHIND, "192.0.2.1", "0.0.0.0", "169.254.0.1"]
    assert ask_arp(net, *nobody) == {address: set() for address in nobody}
    assert ask_arp(net, ROUTER, source="192.0.2.9") == ask_arp(net, ROUTER, source=SERVER) == {ROUTER: set()}
    nobody = [NEAR_6, "fd00:1::77", "fd00:1::100", BEHIND_6, "2001:db8::1", "fe80::1"]
    assert ask_neighbour(net, *nobody) == {address: set() for address in nobody}
    assert ask_arp(net, NEAR, "10.1.0.77", source="0.0.0.0") == {NEAR: set(), "10.1.0.77": set()}
    assert ask_neighbour(net, NEAR_6, "fd00:1::77", source="::") == {NEAR_6: set(), "fd00:1::77": set()}


def test_transparent_gateway_asks_like_a_host_of_the_other_side(net, network, insert):
    """RFC 5227: the gateway looks for hosts, and never so that one that is coming up takes it for a claim on its address."""
    from scapy.all import ARP
    Sink(net, "far", ROUTER, 7000)
    insert()
    near, far = (net.capture(host, "port", "arp[6:2] == 1") for host in ("near", "far"))
    net.connect("near", ROUTER, 7000, source=NEAR).close()
    asked = {(p[ARP].psrc, p[ARP].pdst) for p in far.stop() if p[ARP].hwsrc != MACS["far"]}
    assert asked == {("10.1.0.2", ROUTER)}
    net.run("far", "ip", "neigh", "flush", "all")
    assert ping(net, "near", NEAR, ROUTER)
    asked = {(p[ARP].psrc, p[ARP].pdst) for p in near.stop() if p[ARP].hwsrc != MACS["near"]}
    assert asked <= {(ROUTER, NEAR), (ROUTER, NEAR2)}, asked


def test_transparent_hosts_find_no_duplicate_of_their_own_address(net, network, insert):
    """Z2: with the gateway in place a host comes up with its address by duplicate address detection, and in IPv6 one that takes an
    address of the other side learns that it is in use."""
    insert()
    net.run("near", "ip", "address", "delete", f"{NEAR_6}/64", "dev", "port")
    net.run("near", "ip", "address", "add", f"{NEAR_6}/64", "dev", "port")
    net.run("near", "ip", "address", "add", f"{SERVER_6}/64", "dev", "port")

    def found(address):
        shown = net.run("near", "ip", "-6", "-o", "address", "show", "dev", "port", "to", address).stdout
        return "duplicate" if "dadfailed" in shown else "undecided" if "tentative" in shown else "usable"
    wait_until(lambda: "undecided" not in (found(NEAR_6), found(SERVER_6)), "the end of detection", 20)
    assert (found(NEAR_6), found(SERVER_6)) == ("usable", "duplicate")


# Who is who

def test_transparent_addresses_of_the_other_side_are_nobody_s_here(net, network, insert):
    """Z7: a host that sends from an address of the other side, or claims one, reaches nobody and is named; the owner goes on."""
    from scapy.all import ARP, UDP, Ether, ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IP, IPv6, Raw
    gateway = insert()
    Sink(net, "near", NEAR, 7000)
    stream = Stream(net, "far", NEAR, 7000, source=SERVER)
    mac = gateway_mac(net, gateway, "inner", "inner")
    claims = [ARP(op=2, hwsrc=MACS["near"], psrc=SERVER, hwdst=mac, pdst=ROUTER),
              ARP(op=1, hwsrc=MACS["near"], psrc=SERVER, pdst=SERVER),
              IPv6(src=NEAR_6, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=SERVER_6, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MACS["near"]),
              IP(src=SERVER, dst=ROUTER) / UDP(sport=5000, dport=7000) / Raw(b"spoofed"),
              IP(src=BEHIND, dst=ROUTER) / UDP(sport=5000, dport=7000) / Raw(b"spoofed"),
              IPv6(src=ROUTER_6, dst=SERVER_6) / UDP(sport=5000, dport=7000) / Raw(b"spoofed")]
    capture = net.capture("far", "port")
    with net.packet_socket("near", "port") as wire:
        for claim in claims:
            wire.send(bytes(Ether(dst=mac, src=MACS["near"]) / claim))
    gateway.wait_event(" source-spoofed ", 'zone="inner"', SERVER, seconds=15)
    gateway.wait_event(" source-spoofed ", 'zone="inner"', BEHIND, seconds=15)
    gateway.wait_event(" address-claimed ", 'zone="inner"', MACS["near"], seconds=15)
    before = len(stream.echoes)
    wait_until(lambda: len(stream.echoes) > before + 5 and not stream.ended, "the owner's connection to go on", 20)
    assert not [p for p in capture.stop() if b"spoofed" in bytes(p)]


def opened(gateway):
    console = gateway.console()
    console.expect(console.PROMPT)
    return console


def test_transparent_judgement_is_the_same_on_the_wire_and_in_words(net, network, insert):
    """Z10: `test flow` says what the datapath does; the denial is an event; flows are listed and counted under their permit."""
    gateway = insert()
    Sink(net, "far", BEHIND, 7000)
    stream = Stream(net, "near", BEHIND, 7000, source=NEAR)
    assert not reaches(net, "near", NEAR, SERVER)
    gateway.wait_event(" flow-denied ", 'from="inner"', SERVER, seconds=15)
    console = opened(gateway)
    assert re.search(r"permit +.*10", console.run(f"test flow inner {NEAR} {BEHIND} tcp 7000"))
    assert re.search(r"permit +.*20", console.run(f"test flow outer {SERVER_6} {NEAR_6} udp 7000"))
    assert re.search(r"deny +no-permit", console.run(f"test flow inner {NEAR} {SERVER} tcp 7000"))
    assert re.search(r"deny +spoofed", console.run(f"test flow inner {SERVER} {ROUTER} tcp 7000"))
    assert re.search(r"deny +same-zone", console.run(f"test flow inner {NEAR} {NEAR2} tcp 7000"))
    assert stream.ended is None and f"{BEHIND}:7000" in console.run("show flows")
    shown = console.run("show separation")
    assert len(re.findall(r"by permits", shown)) == 2, shown


# What changes while it runs

def test_transparent_commit_keeps_flows_and_cuts_what_is_denied_now(net, network, insert):
    """C2: running connections take no notice of a commit; one that is denied by it is reset, in both directions of initiative."""
    gateway = insert()
    for namespace, host in (("far", ROUTER), ("near", NEAR), ("near", NEAR_6)):
        Sink(net, namespace, host, 7000)
    kept, kept6 = Stream(net, "near", ROUTER, 7000, source=NEAR), Stream(net, "far", NEAR_6, 7000, source=SERVER_6)
    cut = Stream(net, "far", NEAR, 7000, source=SERVER)
    console = opened(gateway)
    console.run("configure")
    console.run("delete crossing inner outer permit 20 source 10.1.0.9")
    said = console.run("commit", timeout=30)
    assert "committed" in said, said
    wait_until(lambda: cut.ended, "the end of what is denied now", 20)
    before = len(kept.echoes), len(kept6.echoes)
    wait_until(lambda: len(kept.echoes) > before[0] + 5 and len(kept6.echoes) > before[1] + 5, "the others to go on", 20)
    assert cut.ended[1] == "ECONNRESET" and kept.ended is None and kept6.ended is None


def test_transparent_isolation_cuts_and_restores(net, network, insert):
    """Z11: an isolated zone has no path and its port is down; restored, it answers for the other side again in both families. An
    isolated station is shut out by its hardware address."""
    gateway = insert()
    for host in (ROUTER, ROUTER_6):
        Sink(net, "far", host, 7000)
    console = opened(gateway)
    assert "isolated" in console.run("isolate zone outer")
    assert "no path" in console.run("show separation") and not reaches(net, "near", NEAR, ROUTER)
    console.run("restore zone outer")

    def both():
        return reaches(net, "near", NEAR, ROUTER) and reaches(net, "near", NEAR_6, ROUTER_6)
    wait_until(both, "the way over both addresses", 20)
    stream = Stream(net, "near", ROUTER, 7000, source=NEAR)
    wait_until(lambda: stream.echoes, "an echo", 20)
    assert "isolated" in console.run(f"isolate station {MACS['near']}")
    end = time.monotonic()
    time.sleep(1.0)
    assert not [t for t in stream.echoes if t > end + 0.1] and not reaches(net, "near", NEAR_6, ROUTER_6)
    console.run(f"restore station {MACS['near']}")
    wait_until(both, "the way after the station is restored", 20)


def test_transparent_rules_are_those_that_the_policy_asks_for(insert):
    """Z1, Z6: netfilter's own comparison (ADR 814) finds what it loaded, also the rules that ask in the name of the other side."""
    gateway = insert()
    console = opened(gateway)
    for zone in ("inner", "outer"):
        assert console.run(f"show rules {zone} | match asks | match rules | count").strip() == "1"
        gateway.wait_event(" rules-compared ", f'zone="{zone}"', seconds=60)
    assert not [line for line in gateway.audit_lines() if " rules-differ " in line]


@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
def test_transparent_shuts_without_its_keepers_and_heals(net, network, insert, role):
    """F: while nobody judges nothing passes, established or new, though the gateway still answers for addresses; then it heals."""
    gateway = insert()
    Sink(net, "far", ROUTER, 7000)
    stream = Stream(net, "near", ROUTER, 7000, source=NEAR)
    wait_until(lambda: stream.echoes, "an echo", 20)
    stopped = [gateway.pid, *gateway.pids(role)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(1.5)
    shut = time.monotonic()
    assert not reaches(net, "near", NEAR, ROUTER, timeout=1.0)
    end = time.monotonic()
    for pid in reversed(stopped):
        os.kill(pid, signal.SIGCONT)
    assert not [t for t in stream.echoes if shut < t < end]
    wait_until(lambda: reaches(net, "near", NEAR, ROUTER), "new connections again", 20)


def test_transparent_without_rules_has_no_path_but_the_stated_one(net, network, insert):
    """Z6: all rules flushed and the keepers stopped, hosts reach what permits name and nothing else; no other frame crosses."""
    gateway = insert()
    for host in (ROUTER, PRINTER):
        Sink(net, "far", host, 7000)
    for pid in [gateway.pid, *gateway.pids("netfilter")]:
        os.kill(pid, signal.SIGSTOP)
    try:
        for zone in ("inner", "outer"):
            net.run(gateway.zone_namespace(zone), "nft", "flush", "ruleset")
        assert reaches(net, "near", NEAR, ROUTER, REACHED_SECONDS), "the control: without rules a stated pair of addresses is joined"
        assert not reaches(net, "near", NEAR, PRINTER)
        assert ask_arp(net, "10.1.0.77", BEHIND) == {"10.1.0.77": set(), BEHIND: set()}
        wire = net.packet_socket("near", "port")
        mac = bytes.fromhex(gateway_mac(net, gateway, "inner", "inner").replace(":", ""))
        found = arrived(net, "far", lambda: [wire.send(f if f[0] & 1 else mac + f[6:]) for f in frames().values()],
                        ["udp-other-port"])
        assert "udp-other-port" in found and found <= BETWEEN_STATED_ADDRESSES
    finally:
        for pid in [*gateway.pids("netfilter"), gateway.pid]:
            os.kill(pid, signal.SIGCONT)


def test_transparent_comes_and_goes_by_commit(net, network, insert):
    """C2, Z2: zones with addresses of the gateway become transparent by a commit, and are what they were by the next."""
    gateway = insert(ROUTED)
    for host in (ROUTER, ROUTER_6):
        Sink(net, "far", host, 7000)
    mac = gateway_mac(net, gateway, "inner", "inner")
    expect({"10.1.0.254": {mac}, ROUTER: set()}, lambda: ask_arp(net, "10.1.0.254", ROUTER))
    console = opened(gateway)
    console.run("configure")
    for line in ("delete zone inner address 10.1.0.254/24", "delete zone inner address fd00:1::fe/64",
                 "delete zone outer address 192.0.2.1/24", "set zone inner network 10.1.0.0/24", "set zone inner network fd00:1::/120",
                 "set zone outer network 10.1.0.1", "set zone outer network fd00:1::1", "set crossing inner outer transparent",
                 "delete crossing inner outer permit 10 destination 192.0.2.7",
                 "set crossing inner outer permit 10 destination 10.1.0.1", "set crossing inner outer permit 10 destination fd00:1::1"):
        said = console.run(line)
        assert "error" not in said.lower(), f"{line}: {said}"
    said = console.run("commit", timeout=30)
    assert "committed" in said, said
    wait_until(lambda: reaches(net, "near", NEAR, ROUTER) and reaches(net, "near", NEAR_6, ROUTER_6), "the far hosts", 20)
    assert ask_arp(net, "10.1.0.254") == {"10.1.0.254": set()}
    console.run("configure")
    said = console.run("rollback 1") + console.run("commit", timeout=30)
    assert "committed" in said, said
    expect({"10.1.0.254": {mac}, ROUTER: set()}, lambda: ask_arp(net, "10.1.0.254", ROUTER))
    assert not reaches(net, "near", NEAR, ROUTER)


def committed(console, *lines):
    console.run("configure")
    for line in lines:
        said = console.run(line)
        assert "error" not in said.lower(), f"{line}: {said}"
    said = console.run("commit", timeout=30)
    assert "committed" in said, said


def addresses_6(net, gateway):
    """The zone inner's IPv6 addresses, link-local ones too."""
    shown = net.run(gateway.zone_namespace("inner"), "ip", "-6", "-o", "address", "show", "dev", "inner").stdout
    return re.findall(r"inet6 (\S+)/", shown)


def test_transparent_learns_ipv6_by_commit_and_unlearns_it(net, network, insert):
    """C2, Z2: a crossing that began with IPv4 alone carries IPv6 once a commit says so, and the gateway has no IPv6 address after
    it was taken back."""
    gateway = insert(re.sub(r" route fd00:[^;]*;| fd00:[^ ;]*", "", policy("""
service echo { tcp 7000; }
crossing inner outer { transparent; permit 10 { source 10.1.0.5; destination 10.1.0.1; service echo; } }
""")))
    for host in (ROUTER, ROUTER_6):
        Sink(net, "far", host, 7000)
    stream = Stream(net, "near", ROUTER, 7000, source=NEAR)
    assert addresses_6(net, gateway) == []
    console = opened(gateway)
    committed(console, "set zone inner network fd00:1::/120", "set zone outer network fd00:1::1",
              "set crossing inner outer permit 10 source fd00:1::5", "set crossing inner outer permit 10 destination fd00:1::1")
    wait_until(lambda: reaches(net, "near", NEAR_6, ROUTER_6), "the far host in IPv6", 20)
    committed(console, "rollback 1")
    assert addresses_6(net, gateway) == [] and not reaches(net, "near", NEAR_6, ROUTER_6)
    before = len(stream.echoes)
    wait_until(lambda: len(stream.echoes) > before + 5, "IPv4 to go on", 20)
    assert stream.ended is None


def test_routed_zone_learns_ipv6_by_commit_and_unlearns_it(net, network, insert):
    """C2, Z2: the same of a zone with addresses of the gateway: it answers for its first IPv6 address, and has none afterwards."""
    gateway = insert(ROUTED.replace(" fd00:1::fe/64", ""))
    assert addresses_6(net, gateway) == []
    console = opened(gateway)
    committed(console, "set zone inner address fd00:1::fe/64")
    mac = gateway_mac(net, gateway, "inner", "inner")
    expect({"fd00:1::fe": {mac}}, lambda: ask_neighbour(net, "fd00:1::fe"))
    found = addresses_6(net, gateway)
    assert len(found) == 2 and any(address.startswith("fe80:") for address in found), found
    committed(console, "rollback 1")
    assert addresses_6(net, gateway) == []


def test_transparent_answers_for_no_address_of_a_refused_commit(net, network, insert):
    """C2, Z2: a commit that the kernel refuses midway leaves the gateway answering for what it answered for before, no more."""
    gateway = insert()
    inner = gateway.zone_namespace("inner")
    before = net.run(inner, "ip", "-4", "neigh", "show", "proxy").stdout
    assert ROUTER in before
    net.run(inner, "ip", "link", "set", "inner", "mtu", "1000")  # too small for IPv6: the port has none of it any more
    console = opened(gateway)
    console.run("configure")
    for address in ("10.1.0.77", "fd00:1::77"):
        console.run(f"set zone outer network {address}")
    said = console.run("commit", timeout=30)
    assert "committed" not in said, said
    assert net.run(inner, "ip", "-4", "neigh", "show", "proxy").stdout == before
