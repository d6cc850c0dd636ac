# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies and flows drawn by chance, for the evaluator of lib/policy_model.py and whoever it is compared with."""

import dataclasses
import datetime
import ipaddress
import random

from .policy_model import NUMBERS, REQUESTS, Conform, Course, Flow, Guard, Permit, Policy, Schedule, Service, Shown

KINDS = ["tls", "http", "dns", "ssh", "smtp", "rdp"]
NAMES = ["portal.example.jp", "a.city.example.jp", "city.example.jp", "evilcity.example.jp", "www.example.com"]
ENTRIES = ["portal.example.jp", "*.city.example.jp", "city.example.jp"]
BOGONS = {4: ["0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
          6: ["::5", "::ffff:198.51.100.7", "fe80::7", "fec0::7"]}
NUMBERED = (1, 6, 17, 58)   # protocols whose packets have the flow's number in what connection tracking knows them by


class Generator:
    """Policies and flows over given hosts: {zone: [addresses of both families]}; repeatable by its seed.

    macs: {zone: a station that is bound to every host}: the others of a list are made up. calm: a local time; with it
    no window begins or ends within an hour of it, and the caller sees to it that it is not near midnight. Of twenty flows one is
    from or to one of the addresses that no host has, one from an address that its zone does not have. With `counted` some permits have
    limits and some zones guards: small ones, for flows that all begin within seconds. transparent: as Policy has it.
    """

    PORTS = [100, 101, 103, 110, 127, 128, 129, 200]
    OTHER_PROTOCOLS = [47, 50, 89]

    def __init__(self, seed, networks, hosts, macs=None, calm=None, counted=False, transparent=False):
        self.seed, self.rng, self.networks, self.hosts = seed, random.Random(seed), networks, hosts
        self.macs, self.calm, self.counted, self.transparent = macs or {}, calm, counted, transparent
        self.policy = None
        self.by_version = {(zone, version): [h for h in of if ipaddress.ip_address(h).version == version]
                           for zone, of in hosts.items() for version in (4, 6)}

    def network(self, zone, address):
        """A host, or a network around it, inside the zone's network."""
        inside = max((n for n in (ipaddress.ip_network(m, strict=False) for m in self.networks[zone])
                      if ipaddress.ip_address(address) in n), key=lambda n: n.prefixlen)
        longest = inside.max_prefixlen
        bits = self.rng.choice([longest] * 3 + [longest - 1, longest - 2, longest - 4, inside.prefixlen])
        network = ipaddress.ip_network(f"{address}/{max(bits, inside.prefixlen)}", strict=False)
        return str(network.network_address if network.prefixlen == longest else network)

    def member(self, zone):
        return self.network(zone, self.rng.choice(self.hosts[zone]))

    def make_stations(self):
        """Lists for some of the zones; one station of each may use any address that is nobody's."""
        lists = {}
        for zone in sorted(self.hosts):
            if self.rng.random() < 0.5:
                continue
            listed = {self.macs[zone]: list(self.hosts[zone])} if zone in self.macs else {}
            for number in range(self.rng.randint(1, 4)):
                listed[f"02:{self.rng.randrange(256):02x}:00:00:10:{number:02x}"] = self.rng.sample(self.hosts[zone], 2)
            listed["02:00:00:00:20:01"] = []
            lists[zone] = listed
        return lists

    def make_groups(self, stations):
        groups = {f"group-{zone}-{i}": tuple({self.member(zone) for _ in range(self.rng.randint(1, 4))})
                  for zone in sorted(self.hosts) for i in range(2)}
        station_groups = {}
        for zone, listed in stations.items():
            bound = [mac for mac, addresses in listed.items() if addresses]
            station_groups[f"stations-{zone}"] = (zone, self.rng.sample(bound, self.rng.randint(1, len(bound))))
        return groups, station_groups

    def make_guards(self):
        """A guard for some of the zones, that one source can meet: by the seed of rates or of connections."""
        guards = {}
        for zone in sorted(self.hosts) if self.counted else ():
            if self.rng.random() < 0.3:
                guards[zone] = Guard(rate=self.rng.randint(1, 3)) if self.seed % 3 == 0 else Guard(connections=self.rng.randint(2, 12))
        return guards

    def make_ports(self, protocol):
        low = self.rng.choice(self.PORTS)
        return protocol, low, self.rng.choice([p for p in self.PORTS if p >= low])

    def make_match(self):
        kind = self.rng.choice(["tcp", "udp", "udp", "icmp", "icmpv6", "other"])
        if kind == "other":
            return self.rng.choice(self.OTHER_PROTOCOLS), 0, 65535
        if kind in ("icmp", "icmpv6"):
            types = sorted(REQUESTS[NUMBERS[kind]])
            return (NUMBERS[kind], *self.rng.choice([(0, 255), *((t, t) for t in types)]))
        return self.make_ports(NUMBERS[kind])

    def make_service(self, number):
        matches = {self.make_match() for _ in range(self.rng.randint(1, 3))}
        # Both families in each: a permit whose parts have no family in common is refused.
        matches.add((NUMBERS["udp"], 40000 + number, 40000 + number))
        return Service(f"s{number}", tuple(sorted(matches)))

    def make_conform_service(self, number):
        kind = KINDS[(self.seed + number) % len(KINDS)]
        names = tuple(self.rng.sample(ENTRIES, self.rng.randint(0, 2))) if kind in Conform.LISTS else ()
        hidden = kind == "tls" and self.rng.random() < 0.2
        protocols = [6, 17] if kind == "dns" else [6]
        return Service(f"c{number}", tuple(self.make_ports(p) for p in protocols), Conform(kind, names, hidden))

    def make_window(self):
        first = self.rng.randrange(7)
        last = self.rng.randrange(first, 7)
        while True:
            begin, end = self.rng.randrange(24 * 60), self.rng.randrange(24 * 60 + 1)
            minute = self.calm.hour * 60 + self.calm.minute if self.calm else 0
            nearest = min(abs((edge - minute + 720) % 1440 - 720) for edge in (begin, end))
            if begin % 1440 != end % 1440 and (not self.calm or nearest > 60):
                return first, last, begin, end

    def make_schedule(self, number):
        windows = {self.make_window() for _ in range(self.rng.randint(1, 3))}
        return Schedule(f"times-{number}", self.rng.choice(["keep", "skip", "only"]), tuple(sorted(windows)))

    def pick_services(self, services):
        """One or two of them; not two that ask for different things at one port: the compiler refuses that."""
        while True:
            picked = set(self.rng.sample(services, self.rng.randint(1, 2)))
            if not any(a.conform != b.conform and a.meets(b) for a in picked for b in picked - {a}):
                return tuple(sorted(picked, key=lambda s: s.name))

    def make_limits(self):
        """Of one permit in four: how many at one time, or new in a minute, or both."""
        if not self.counted or self.rng.random() > 1 / 4:
            return {}
        which = self.rng.choice([("connections",), ("connections",), ("rate",), ("connections", "rate")])
        return {name: self.rng.randint(1, 3) for name in which}

    def make_pair(self):
        """Between the most sensitive and the outside zone no packet crosses: the compiler refuses such a permit."""
        zones = ["lgwan", "mynumber"] if self.transparent else sorted(self.hosts)
        return self.rng.choice([(a, b) for a in zones for b in zones if a != b and {a, b} != {"mynumber", "internet"}])

    def make_permit(self, number, services, schedules, today):
        a, b = self.make_pair()
        source_groups = [g for g in self.policy.groups if g.startswith(f"group-{a}")]
        source_groups += [g for g, (zone, _) in self.policy.station_groups.items() if zone == a]
        target_groups = [g for g in (*self.policy.groups, *self.policy.station_groups) if b in g]

        def places(zone, groups, fewest):
            made = {self.rng.choice(groups) if groups and self.rng.random() < 0.4 else self.member(zone)
                    for _ in range(self.rng.randint(fewest, 3))}
            return tuple(sorted(made))
        families = {4, 6}
        while True:
            sources, targets = places(a, source_groups, 0), places(b, target_groups, 1)
            have = [families if not found else {ipaddress.ip_network(n).version for p in found for n in self.policy.place(p)}
                    for found in (sources, targets)]
            if have[0] & have[1]:
                break
        return Permit(number, a, b, sources, targets, self.pick_services(services), self.rng.choice([None, *schedules]),
                      self.rng.choice([None, None, today + datetime.timedelta(days=self.rng.randint(-3, 3))]), **self.make_limits())

    def make_policy(self, permit_count, today):
        """permit_count permits; schedules, holidays and last days lie around `today`."""
        stations = self.make_stations()
        groups, station_groups = self.make_groups(stations)
        services = [self.make_service(i) for i in range(self.rng.randint(2, 6))]
        services += [self.make_conform_service(i) for i in range(self.rng.randint(2, 4))]
        schedules = [self.make_schedule(i) for i in range(self.rng.randint(0, 4))]
        holidays = {today + datetime.timedelta(days=self.rng.randint(-3, 3)) for _ in range(3)}
        self.policy = Policy(self.networks, services, (), stations, groups, station_groups, schedules, holidays, self.make_guards(),
                             self.transparent)
        numbers = sorted(self.rng.sample(range(1, 65536), permit_count))
        self.policy.permits = [self.make_permit(n, services, schedules, today) for n in numbers]
        return self.policy

    def make_shut(self):
        """Stations for an operator to isolate: one that the lists have made up, and an address that any station may have."""
        made_up = [mac for listed in self.policy.stations.values() for mac in listed if mac not in self.macs.values()]
        hosts = [h for zone in sorted(self.hosts) for h in self.hosts[zone]]
        return [self.rng.choice(made_up or ["02:99:00:00:00:01"]), self.rng.choice(hosts)]

    def make_mac(self, zone, source):
        """Mostly a station that fits, now and then any other."""
        listed = self.policy.stations.get(zone, {})
        fitting = [mac for mac, addresses in listed.items() if source in addresses]
        if fitting and self.rng.random() < 0.7:
            return self.rng.choice(fitting)
        return self.rng.choice([*listed, "02:99:00:00:00:01"]) if listed else self.macs.get(zone)

    def make_ends(self, a, b, version):
        source, target = self.rng.choice(self.by_version[a, version]), self.rng.choice(self.by_version[b, version])
        chosen = self.rng.random()
        if chosen < 0.05:
            address = self.rng.choice(sorted(i for i in self.policy.own | self.policy.broadcasts if (":" in i) == (version == 6))
                                      or BOGONS[version])
            return (address, target) if self.rng.random() < 0.5 else (source, address)
        if chosen < 0.1:
            return self.rng.choice([*BOGONS[version], *self.by_version[b, version]]), target
        return source, target

    def make_flow(self, around=None):
        """A flow between hosts of two zones, its port, type and time picked near what the policy names."""
        a, b = self.rng.sample(sorted(self.hosts), 2)
        if self.rng.random() < 0.02:
            b = a
        version = self.rng.choice([4, 4, 6])
        source, target = self.make_ends(a, b, version)
        protocol = self.rng.choice([6, 6, 17, 17, 1 if version == 4 else 58, self.rng.choice(self.OTHER_PROTOCOLS)])
        if protocol in (6, 17):
            port = self.rng.choice(self.PORTS)
        else:
            port = self.rng.choice([*REQUESTS[protocol], 0]) if protocol in REQUESTS else 0
        at = around + datetime.timedelta(minutes=self.rng.randint(-3 * 1440, 3 * 1440)) if around else None
        return Flow(a, source, target, protocol, port, self.make_mac(a, source), at)

    def make_shown(self, conform):
        """First bytes for a flow that has to show something: mostly what is asked for, else anything else."""
        name = self.rng.choice([*NAMES, *conform.names]).replace("*", "deep.below")
        if self.rng.random() < 0.8:
            hidden = conform.kind == "tls" and self.rng.random() < 0.4
            nameless = conform.kind == "tls" and self.rng.random() < 0.1
            return Shown(conform.kind, None if nameless else name, hidden)
        return Shown(self.rng.choice(["tls", "http", "ssh", "smtp", "rdp"]), name)

    def is_uncertain(self, flow, permit):
        """Whether it takes more than the guide promises to say what becomes of a flow (see Course)."""
        guard = self.policy.guards.get(flow.source_zone)
        if guard is None or self.policy.refuses_sender(flow) in ("source", "station"):
            return False
        if self.policy.refuses_sender(flow) == "target" or self.policy.refuses_way(flow) in ("gateway", "target"):
            return True     # whether such a packet comes as far as the guard
        if guard.connections is None:
            return False
        return permit is None or permit.rate or permit.connections or (flow.protocol == 17 and permit.conform_of(flow))

    def draw(self, count, now, shut=()):
        """[(flow, why)] of `count` flows that begin one after the other; half of them are drawn until the policy permits one, so that
        what is in force is tried."""
        course, drawn = Course(self.policy, now, shut), []
        pairs = set()   # what connection tracking knows packets without ports or numbers by: any other would be of the same flow
        while len(drawn) < count:
            flow = self.make_flow()
            ends = (flow.protocol, frozenset((flow.source, flow.target)))
            _, permit = self.policy.verdict(flow, now)
            if ends in pairs or flow.target in shut or self.is_uncertain(flow, permit):
                continue    # to one that is shut out: it may not even say where it is
            if permit is None and len(drawn) >= count // 2 and self.rng.random() > 0.05:
                continue
            conform = permit and permit.conform_of(flow)
            if conform:
                flow = dataclasses.replace(flow, shown=self.make_shown(conform))
            if flow.protocol not in NUMBERED:
                pairs.add(ends)
            drawn.append((flow, course.judge(flow)))
        return drawn
