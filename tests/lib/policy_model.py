# SPDX-License-Identifier: GPL-2.0-or-later
"""What a policy means, written a second time and independently of the product: a plain walk over the permits.

Knows only what the operator guide promises: zones own their networks; between two zones the lowest permit number that
matches counts; everything else is denied.
"""

import dataclasses
import ipaddress
import random


@dataclasses.dataclass(frozen=True)
class Service:
    name: str
    protocol: str               # "tcp", "udp" or "icmp"
    low: int                    # port, ICMP type
    high: int

    def text(self):
        ports = f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"
        return f"service {self.name} {{ {self.protocol} {ports}; }}"


@dataclasses.dataclass(frozen=True)
class Permit:
    number: int
    source_zone: str
    target_zone: str
    sources: tuple              # networks; empty: any of the zone's
    targets: tuple
    services: tuple

    def text(self):
        parts = [f"from {self.source_zone};"]
        parts += [f"source {network};" for network in self.sources]
        parts += [f"destination {network};" for network in self.targets]
        parts += [f"service {service.name};" for service in self.services]
        return f"permit {self.number} {{ {' '.join(parts)} }}"


@dataclasses.dataclass(frozen=True)
class Flow:
    source_zone: str
    source: str
    target: str
    protocol: str
    port: int                   # ICMP: 8


class Policy:
    """Permits by zone pair; `networks` is {zone: [networks]}."""

    def __init__(self, networks, services, permits):
        self.networks = {zone: [ipaddress.ip_network(n, strict=False) for n in of] for zone, of in networks.items()}
        self.services, self.permits = services, sorted(permits, key=lambda p: p.number)

    def text(self):
        pairs = {}
        for permit in self.permits:
            pairs.setdefault(frozenset((permit.source_zone, permit.target_zone)), []).append(permit)
        lines = [service.text() for service in self.services]
        for pair, permits in pairs.items():
            lines.append(f"crossing {' '.join(sorted(pair))} {{ {' '.join(p.text() for p in permits)} }}")
        return "\n".join(lines)

    def zone_of(self, address):
        return next((zone for zone, networks in self.networks.items() if any(address in n for n in networks)), None)

    def permit_for(self, flow):
        """The number of the permit that lets a flow pass, or None."""
        source, target = ipaddress.ip_address(flow.source), ipaddress.ip_address(flow.target)
        target_zone = self.zone_of(target)
        if self.zone_of(source) != flow.source_zone or target_zone in (None, flow.source_zone):
            return None
        for permit in self.permits:
            if (permit.source_zone, permit.target_zone) != (flow.source_zone, target_zone):
                continue
            if permit.sources and not any(source in n for n in permit.sources):
                continue
            if any(target in n for n in permit.targets) and any(
                    s.protocol == flow.protocol and s.low <= flow.port <= s.high for s in permit.services):
                return permit.number
        return None


def random_network(rng, network, hosts):
    """A host, or a network around one of the hosts, inside a zone's network."""
    address = rng.choice(hosts)
    bits = rng.choice([32, 32, 32, 31, 30, 28, network.prefixlen])
    return ipaddress.ip_network(f"{address}/{bits}", strict=False)


def random_policy(seed, networks, hosts, permit_count, ports):
    """A policy over the given hosts: {zone: [address]}; overlapping prefixes, port ranges and directions included."""
    rng = random.Random(seed)
    zones = sorted(hosts)
    services, permits = [], []
    for number in range(rng.randint(2, 6)):
        protocol = rng.choice(["tcp", "udp", "udp", "icmp"])
        low = 8 if protocol == "icmp" else rng.choice(ports)
        high = low if protocol == "icmp" else rng.choice([p for p in ports if p >= low])
        services.append(Service(f"s{number}", protocol, low, high))
    # Between the most sensitive and the outside zone no packet crosses: the compiler refuses such a permit.
    pairs = [(a, b) for a in zones for b in zones if a != b and {a, b} != {"mynumber", "internet"}]
    for _ in range(permit_count):
        a, b = rng.choice(pairs)
        network = {zone: ipaddress.ip_network(networks[zone][0], strict=False) for zone in (a, b)}
        sources = tuple({random_network(rng, network[a], hosts[a]) for _ in range(rng.randint(0, 2))})
        targets = tuple({random_network(rng, network[b], hosts[b]) for _ in range(rng.randint(1, 2))})
        permits.append(Permit(len(permits) + 1, a, b, sources, targets, tuple(set(rng.sample(services, rng.randint(1, 2))))))
    used = {service for permit in permits for service in permit.services}
    return Policy(networks, [s for s in services if s in used], permits)


def random_flow(rng, hosts, ports):
    zones = sorted(hosts)
    a, b = rng.sample(zones, 2)
    protocol = rng.choice(["tcp", "udp", "udp", "icmp"])
    return Flow(a, rng.choice(hosts[a]), rng.choice(hosts[b]), protocol, 8 if protocol == "icmp" else rng.choice(ports))
