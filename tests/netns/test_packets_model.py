# SPDX-License-Identifier: GPL-2.0-or-later
"""Three judges of generated policies agree: the datapath, `sekisho trace`, and the tests' own evaluator (Z1, Z8)."""

import contextlib
import datetime
import os
import socket
import struct
import subprocess
import time

import pytest

from lib.gateway import SEKISHO, config_text
from lib.policy_model import Generator
from lib.waiting import wait_until

HOSTS = {
    "mynumber": ["10.10.0.5", "10.10.0.6", "10.10.0.7", "10.10.0.40", "fd00:10::5", "fd00:10::6", "fd00:10::40"],
    "lgwan": ["10.20.0.8", "10.20.0.9", "10.20.0.20", "10.20.0.25", "fd00:20::8", "fd00:20::9", "fd00:20::25"],
    "internet": ["203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.14", "2001:db8:113::5", "2001:db8:113::14"],
}
NETWORKS = {"mynumber": ["10.10.0.1/24", "fd00:10::1/64"], "lgwan": ["10.20.0.1/24", "fd00:20::1/64"],
            "internet": ["203.0.113.1/28", "2001:db8:113::1/64"]}
FLOWS = 300
NUMBERED = (1, 6, 17, 58)   # protocols whose packets have the flow's number in what connection tracking knows them by
POLICIES, PACKETS = int(os.environ.get("POLICIES", "30")), int(os.environ.get("PACKETS", "300"))


@pytest.fixture
def more_hosts(net, topology):
    """Every address of HOSTS is one of its zone's peer, which answers for it in time."""
    for name, zone in topology.zones.items():
        have = net.run(zone.namespace, "ip", "-br", "address").stdout
        for host in HOSTS[name]:
            if f" {host}/" not in have:
                peer = zone.peer[1 if ":" in host else 0]
                net.address(zone.namespace, "port", f"{host}/{peer.partition('/')[2]}")


def traced(config, flows):
    """For each flow the number of the permit that `sekisho trace` names, or None."""
    done = subprocess.run([SEKISHO, "trace", "--config", config, "--flows", "-"], capture_output=True, text=True,
                          input="".join(f"{flow.line()}\n" for flow in flows), timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers = [line.split() for line in done.stdout.splitlines()]
    assert len(answers) == len(flows)
    return [int(words[1]) if words[0] == "permit" else None for words in answers]


class Arrivals:
    """Every packet that reaches a peer, read below its own stack: (source, target, number of its flow)."""

    def __init__(self, net, topology):
        self.sockets, self.seen = [], set()
        for zone in topology.zones.values():
            for ethertype in (0x800, 0x86dd):
                made = net.socket(zone.namespace, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ethertype), timeout=0)
                made.bind(("port", ethertype))
                self.sockets.append(made)
        net.on_close(lambda: [s.close() for s in self.sockets])

    def note(self, data):
        if data[0] >> 4 == 4:
            number, source, target = struct.unpack_from("!4xH6x4s4s", data)
            self.seen.add((socket.inet_ntop(socket.AF_INET, source), socket.inet_ntop(socket.AF_INET, target), number))
        else:
            label, source, target = struct.unpack_from("!I4x16s16s", data)
            self.seen.add((socket.inet_ntop(socket.AF_INET6, source), socket.inet_ntop(socket.AF_INET6, target),
                           label & 0xfffff))

    def read(self, flows):
        """The numbers of the flows whose packet came in; answers of peers have other addresses or numbers."""
        for made in self.sockets:
            while True:
                try:
                    data, where = made.recvfrom(2048)
                except OSError:
                    break
                if where[2] != socket.PACKET_OUTGOING:
                    self.note(data)
        return {number for number, flow in enumerate(flows, 1) if (flow.source, flow.target, number) in self.seen}


def packet_of(flow, number):
    """The flow's first packet, with its number as IP identification or flow label, and in its ports."""
    from scapy.all import ICMP, IP, ICMPv6EchoRequest, ICMPv6Unknown, IPv6, TCP, UDP, Raw
    six = ":" in flow.source
    ip = IPv6(src=flow.source, dst=flow.target, fl=number, nh=flow.protocol) if six else IP(
        src=flow.source, dst=flow.target, id=number, proto=flow.protocol)
    if flow.protocol == 1:
        return ip / ICMP(type=flow.port, id=number)
    if flow.protocol == 58:
        return ip / (ICMPv6EchoRequest(id=number) if flow.port == 128 else ICMPv6Unknown(type=flow.port, msgbody=bytes(4)))
    if flow.protocol == 6:
        return ip / TCP(sport=20000 + number, dport=flow.port, flags="S")
    if flow.protocol == 17:
        return ip / UDP(sport=20000 + number, dport=flow.port) / b"12345678"
    return ip / Raw(bytes(24))


def send_all(net, gateway, topology, flows):
    from scapy.all import Ether
    wires = {name: net.packet_socket(zone.namespace, "port") for name, zone in topology.zones.items()}
    macs = {name: net.run(gateway.zone_namespace(name), "cat", f"/sys/class/net/{zone.port}/address").stdout.strip()
            for name, zone in topology.zones.items()}
    for number, flow in enumerate(flows, 1):
        frame = Ether(dst=macs[flow.source_zone], src=flow.mac) / packet_of(flow, number)
        wires[flow.source_zone].send(bytes(frame))
        if number % 20 == 0:
            time.sleep(0.01)
    for wire in wires.values():
        wire.close()


def belongs_to_another(flow, flows):
    """Whether connection tracking has no port or number to tell it from one of `flows`, or from the answer to one."""
    return flow.protocol not in NUMBERED and any(
        flow.protocol == other.protocol and {flow.source, flow.target} == {other.source, other.target} for other in flows)


def calm_zone():
    """(time zone, its time now): the one of the two that is further from midnight, where dates change."""
    utc = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    zones = {"UTC": utc, "Asia/Tokyo": utc + datetime.timedelta(hours=9)}
    return max(zones.items(), key=lambda item: min(item[1].hour, 23 - item[1].hour))


@pytest.mark.limit(120)
@pytest.mark.parametrize("seed", range(5))
def test_packets_datapath_trace_and_evaluator_agree(net, topology, make_gateway, more_hosts, seed):
    """Z1, Z2, Z7, Z8, Z10: real packets of 300 flows through a generated policy."""
    time_zone, now = calm_zone()
    macs = {name: zone.mac for name, zone in topology.zones.items()}
    generator = Generator(seed, NETWORKS, HOSTS, macs, calm=now)
    policy = generator.make_policy(10 + 20 * seed, now.date())
    # What is in force has to be tried: half of the flows are drawn until one is permitted.
    flows = []
    while len(flows) < FLOWS:
        flow = generator.make_flow()
        if belongs_to_another(flow, flows):
            continue
        if len(flows) < FLOWS // 2 or policy.permit_for(flow, now) is not None or generator.rng.random() < 0.05:
            flows.append(flow)
    expected = [policy.permit_for(flow, now) for flow in flows]
    gateway = make_gateway(policy.text(), system=f"time-zone {time_zone};", zone_extra=policy.zone_extra())
    arrivals = Arrivals(net, topology)
    send_all(net, gateway, topology, flows)
    permitted = {number for number, permit in enumerate(expected, 1) if permit is not None}
    with contextlib.suppress(AssertionError):
        wait_until(lambda: permitted <= arrivals.read(flows), "every permitted packet", 10)
    time.sleep(0.3)
    arrived = arrivals.read(flows)
    for number, (flow, permit) in enumerate(zip(flows, expected), 1):
        assert (number in arrived) == (permit is not None), f"{flow}: evaluator {permit}, datapath {number in arrived}"
    assert 20 < len(permitted) < FLOWS - 20, "the generator made a policy that tries nothing"
    assert traced(gateway.config_path, flows) == expected


@pytest.mark.limit(3600 if POLICIES > 30 else 120)
def test_packets_trace_and_evaluator_agree_on_many_policies(topology, tmp_path):
    """Z1, Z7, Z8, Z10, C2: POLICIES generated policies, PACKETS flows each, at times around them.

    The long form: POLICIES=1000 PACKETS=1000 make check-netns TESTS=many_policies.
    """
    config = tmp_path / "policy.conf"
    permitted = 0
    for seed in range(100, 100 + POLICIES):
        noon = datetime.datetime(2026, 11, 24, 12, 0) + datetime.timedelta(days=seed)
        generator = Generator(seed, NETWORKS, HOSTS)
        policy = generator.make_policy((1 + seed % 60) * (1 if seed % 10 else 5), noon.date())
        config.write_text(config_text(topology, policy.text(), zone_extra=policy.zone_extra()))
        flows = [generator.make_flow(noon) for _ in range(PACKETS)]
        expected = [policy.permit_for(flow) for flow in flows]
        for flow, want, got in zip(flows, expected, traced(config, flows)):
            assert want == got, (seed, flow)
        permitted += sum(permit is not None for permit in expected)
    assert permitted > POLICIES * PACKETS // 200, "the generator made policies that try nothing"
