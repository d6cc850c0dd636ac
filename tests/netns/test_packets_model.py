# SPDX-License-Identifier: GPL-2.0-or-later
"""Three judges of generated policies agree: the datapath, `sekisho trace`, and the tests' own evaluator (Z1, Z8)."""

import random
import socket
import struct
import subprocess
import time

import pytest

from lib.gateway import SEKISHO, config_text
from lib.policy_model import random_flow, random_policy
from lib.waiting import wait_until

PORTS = [100, 101, 103, 110, 127, 128, 129, 200]
HOSTS = {
    "mynumber": ["10.10.0.5", "10.10.0.6", "10.10.0.7", "10.10.0.40"],
    "lgwan": ["10.20.0.8", "10.20.0.9", "10.20.0.20", "10.20.0.25"],
    "internet": ["203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.14"],
}
NETWORKS = {"mynumber": ["10.10.0.1/24"], "lgwan": ["10.20.0.1/24"], "internet": ["203.0.113.1/28"]}
FLOWS = 300


@pytest.fixture
def more_hosts(net, topology):
    """Every address of HOSTS is one of its zone's peer."""
    for name, zone in topology.zones.items():
        have = net.run(zone.namespace, "ip", "-br", "address").stdout
        for host in HOSTS[name]:
            if f" {host}/" not in have:
                net.address(zone.namespace, "port", f"{host}/{zone.peer[0].partition('/')[2]}")


def traced(config, flow):
    """The number of the permit that `sekisho trace` names, or None."""
    port = "" if flow.protocol == "icmp" else f":{flow.port}"
    done = subprocess.run([SEKISHO, "trace", "--config", config, "--from", flow.source_zone, "--src", flow.source,
                           "--dst", f"{flow.target}{port}", "--proto", flow.protocol], capture_output=True, text=True,
                          timeout=10, check=False)
    assert done.returncode in (0, 1), done.stderr
    return int(done.stdout.split()[1]) if done.returncode == 0 else None


class Arrivals:
    """Every IPv4 packet that reaches a peer, read below its own stack: (source, target, identification)."""

    def __init__(self, net, topology):
        self.sockets, self.seen = [], set()
        for zone in topology.zones.values():
            made = net.socket(zone.namespace, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800), timeout=0)
            made.bind(("port", 0x800))
            self.sockets.append(made)
        net.on_close(lambda: [s.close() for s in self.sockets])

    def read(self, flows):
        """The numbers of the flows whose packet came in; answers of peers have other addresses."""
        for made in self.sockets:
            while True:
                try:
                    data, where = made.recvfrom(2048)
                except OSError:
                    break
                if where[2] != socket.PACKET_OUTGOING:
                    number, source, target = struct.unpack_from("!4xH6x4s4s", data)
                    self.seen.add((socket.inet_ntoa(source), socket.inet_ntoa(target), number))
        return {number for number, flow in enumerate(flows, 1) if (flow.source, flow.target, number) in self.seen}


def packet_of(flow, number):
    """The flow's first packet, with its number as IP identification and source port."""
    from scapy.all import ICMP, IP, TCP, UDP
    ip = IP(src=flow.source, dst=flow.target, id=number)
    if flow.protocol == "icmp":
        return ip / ICMP(type=8, id=number)
    if flow.protocol == "tcp":
        return ip / TCP(sport=20000 + number, dport=flow.port, flags="S")
    return ip / UDP(sport=20000 + number, dport=flow.port) / b"12345678"


def send_all(net, gateway, topology, flows):
    from scapy.all import Ether
    wires = {name: net.packet_socket(zone.namespace, "port") for name, zone in topology.zones.items()}
    macs = {name: net.run(gateway.zone_namespace(name), "cat", f"/sys/class/net/{zone.port}/address").stdout.strip()
            for name, zone in topology.zones.items()}
    for number, flow in enumerate(flows, 1):
        frame = Ether(dst=macs[flow.source_zone], src=topology.zones[flow.source_zone].mac) / packet_of(flow, number)
        wires[flow.source_zone].send(bytes(frame))
        if number % 20 == 0:
            time.sleep(0.01)
    for wire in wires.values():
        wire.close()


@pytest.mark.limit(120)
@pytest.mark.parametrize("seed", range(5))
def test_packets_datapath_trace_and_evaluator_agree(net, topology, make_gateway, more_hosts, seed):
    policy = random_policy(seed, NETWORKS, HOSTS, 4 + 6 * seed, PORTS)
    rng = random.Random(1000 + seed)
    flows = [random_flow(rng, HOSTS, PORTS) for _ in range(FLOWS)]
    expected = [policy.permit_for(flow) for flow in flows]
    gateway = make_gateway(policy.text())
    arrivals = Arrivals(net, topology)
    send_all(net, gateway, topology, flows)
    permitted = {number for number, permit in enumerate(expected, 1) if permit is not None}
    wait_until(lambda: permitted <= arrivals.read(flows), "every permitted packet", 10)
    time.sleep(0.3)
    arrived = arrivals.read(flows)
    for number, (flow, permit) in enumerate(zip(flows, expected), 1):
        assert (number in arrived) == (permit is not None), f"{flow}: evaluator {permit}, datapath {number in arrived}"
    assert 0 < len(permitted) < FLOWS, "the generator made a policy that tries nothing"
    for flow, permit in list(zip(flows, expected))[:60]:
        assert traced(gateway.config_path, flow) == permit, flow


@pytest.mark.limit(120)
def test_packets_trace_and_evaluator_agree_on_many_policies(topology, tmp_path):
    config = tmp_path / "policy.conf"
    for seed in range(100, 130):
        policy = random_policy(seed, NETWORKS, HOSTS, 30, PORTS)
        config.write_text(config_text(topology, policy.text()))
        rng = random.Random(seed)
        for _ in range(30):
            flow = random_flow(rng, HOSTS, PORTS)
            assert traced(config, flow) == policy.permit_for(flow), (seed, flow)
