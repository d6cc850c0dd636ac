# SPDX-License-Identifier: GPL-2.0-or-later
"""What a policy means, written a second time and independently of the product: a plain walk over the permits.

Knows only what the operator guide promises: zones own their networks but for the gateway's own and the broadcast addresses
in them; a zone that enforces its list of stations admits
no others; between two zones the lowest permit number that matches and is in force counts; everything else is denied.
"""

import dataclasses
import datetime
import ipaddress
import random

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
REQUESTS = {1: {8, 13, 15, 17}, 58: {128}}    # ICMP messages that begin something


@dataclasses.dataclass(frozen=True)
class Service:
    name: str
    matches: tuple              # (protocol number, low, high): ports, ICMP types; (0, 65535) for other protocols

    def text(self):
        def statement(protocol, low, high):
            if protocol in (1, 58):
                value = "any" if (low, high) == (0, 255) else low
                return f"{'icmp' if protocol == 1 else 'icmp6'} {value};"
            if protocol in (6, 17):
                return f"{'tcp' if protocol == 6 else 'udp'} {low if low == high else f'{low}-{high}'};"
            return f"protocol {protocol};"
        return f"service {self.name} {{ {' '.join(statement(*m) for m in self.matches)} }}"

    def holds(self, flow):
        return any(protocol == flow.protocol and low <= flow.port <= high for protocol, low, high in self.matches)


@dataclasses.dataclass(frozen=True)
class Schedule:
    name: str
    holidays: str               # keep, skip, only
    windows: tuple              # (first day, last day, first minute, end): the end may lie before, on the next day

    def text(self):
        def window(first, last, begin, end):
            days = DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
            return f"window {days} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02};"
        return f"schedule {self.name} {{ holidays {self.holidays}; {' '.join(window(*w) for w in self.windows)} }}"

    def is_open(self, when, holidays):
        """Whether any day's window that began today or yesterday holds at a local time."""
        for back in (0, 1):
            day = when.date() - datetime.timedelta(days=back)
            if self.holidays != "keep" and (day in holidays) != (self.holidays == "only"):
                continue
            for first, last, begin, end in self.windows:
                start = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=begin)
                length = end - begin if end > begin else end - begin + 24 * 60
                if first <= day.weekday() <= last and start <= when < start + datetime.timedelta(minutes=length):
                    return True
        return False


@dataclasses.dataclass(frozen=True)
class Permit:
    number: int
    source_zone: str
    target_zone: str
    sources: tuple              # networks and names of groups; empty: any of the zone's
    targets: tuple
    services: tuple
    schedule: Schedule = None
    expires: datetime.date = None

    def text(self):
        parts = [f"from {self.source_zone};"]
        parts += [f"source {place};" for place in self.sources]
        parts += [f"destination {place};" for place in self.targets]
        parts += [f"service {service.name};" for service in self.services]
        parts += [f"schedule {self.schedule.name};"] if self.schedule else []
        parts += [f"expires {self.expires};"] if self.expires else []
        return f"permit {self.number} {{ {' '.join(parts)} }}"


@dataclasses.dataclass(frozen=True)
class Flow:
    source_zone: str
    source: str
    target: str
    protocol: int
    port: int                   # ICMP: type; 0 where the protocol has none
    mac: str = None
    at: datetime.datetime = None    # local time; None: when it is asked

    def line(self):
        """As `sekisho trace --flows` takes it."""
        words = [f"from={self.source_zone}", f"src={self.source}", f"dst={self.target}", f"proto={self.protocol}"]
        words += [f"dport={self.port}"] if self.protocol in (6, 17) else []
        words += [f"icmp-type={self.port}"] if self.protocol in (1, 58) else []
        words += [f"mac={self.mac}"] if self.mac else []
        words += [f"at={self.at:%Y-%m-%dT%H:%M:%S}"] if self.at else []
        return " ".join(words)


class Policy:
    """Permits by zone pair; `networks` is {zone: [the gateway's addresses, with their prefix lengths]}, `stations` {zone: {mac: [addresses]}} of those that enforce.

    groups: {name: networks as text}; station_groups: {name: (zone, [macs])}.
    """

    def __init__(self, networks, services=(), permits=(), stations=None, groups=None, station_groups=None, schedules=(),
                 holidays=()):
        own = {zone: [ipaddress.ip_interface(n) for n in of] for zone, of in networks.items()}
        self.networks = {zone: [i.network for i in of] for zone, of in own.items()}
        self.nobodys = {address for of in own.values() for i in of for address in (
            [i.ip, i.network.broadcast_address] if i.version == 4 else [i.ip])}
        self.services, self.permits = services, sorted(permits, key=lambda p: p.number)
        self.stations, self.groups, self.station_groups = stations or {}, groups or {}, station_groups or {}
        self.schedules, self.holidays = schedules, frozenset(holidays)
        self.places = {}

    def zone_extra(self):
        """{zone: the statements of its stations}."""
        return {zone: " ".join(f"station {mac} {{ {' '.join(f'address {a};' for a in addresses)} }}"
                               if addresses else f"station {mac};" for mac, addresses in listed.items())
                for zone, listed in self.stations.items()}

    def text(self):
        pairs = {}
        for permit in self.permits:
            pairs.setdefault(frozenset((permit.source_zone, permit.target_zone)), []).append(permit)
        lines = [f"address-group {name} {{ {' '.join(f'address {a};' for a in members)} }}"
                 for name, members in self.groups.items()]
        lines += [f"station-group {name} {{ zone {zone}; {' '.join(f'station {m};' for m in macs)} }}"
                  for name, (zone, macs) in self.station_groups.items()]
        lines += [f"holiday {day};" for day in sorted(self.holidays)]
        lines += [thing.text() for thing in (*self.services, *self.schedules)]
        for pair, permits in pairs.items():
            lines.append(f"crossing {' '.join(sorted(pair))} {{ {' '.join(p.text() for p in permits)} }}")
        return "\n".join(lines)

    def zone_of(self, address):
        return next((zone for zone, networks in self.networks.items() if any(address in n for n in networks)), None)

    def place(self, name):
        """The networks that a source or destination stands for."""
        if name not in self.places:
            if name in self.groups:
                members = self.groups[name]
            elif name in self.station_groups:
                zone, macs = self.station_groups[name]
                members = [address for mac in macs for address in self.stations[zone][mac]]
            else:
                members = [name]
            self.places[name] = [ipaddress.ip_network(m) for m in members]
        return self.places[name]

    def holds(self, places, address):
        return any(address in network for place in places for network in self.place(place))

    def admits(self, flow):
        """Whether the zone takes the station: listed, with an address of its own or one that is nobody's."""
        listed = self.stations.get(flow.source_zone)
        if listed is None or flow.mac is None:
            return True
        if flow.mac not in listed:
            return False
        own = listed[flow.mac] or None
        return flow.source in own if own else all(flow.source not in others for others in listed.values())

    def in_force(self, permit, when):
        if permit.expires and when.date() > permit.expires:
            return False
        return permit.schedule is None or permit.schedule.is_open(when, self.holidays)

    def permit_for(self, flow, now=None):
        """The number of the permit that lets a flow pass at its own time, or else `now`; or None."""
        source, target = ipaddress.ip_address(flow.source), ipaddress.ip_address(flow.target)
        target_zone = self.zone_of(target)
        if self.zone_of(source) != flow.source_zone or target_zone in (None, flow.source_zone) or not self.admits(flow):
            return None
        if source in self.nobodys or target in self.nobodys:
            return None
        if flow.port not in REQUESTS.get(flow.protocol, {flow.port}):
            return None
        for permit in self.permits:
            if (permit.source_zone, permit.target_zone) != (flow.source_zone, target_zone):
                continue
            if permit.sources and not self.holds(permit.sources, source):
                continue
            if self.holds(permit.targets, target) and any(s.holds(flow) for s in permit.services) and self.in_force(
                    permit, flow.at or now or datetime.datetime.now()):
                return permit.number
        return None


class Generator:
    """Policies and flows over given hosts: {zone: [addresses of both families]}; repeatable by its seed.

    macs: {zone: a station that is bound to every host}: the others of a list are made up. calm: a local time; with it
    no window begins or ends within an hour of it, and the caller sees to it that it is not near midnight. One flow in twenty is
    from or to one of the addresses that no host has.
    """

    PORTS = [100, 101, 103, 110, 127, 128, 129, 200]
    OTHER_PROTOCOLS = [47, 50, 89]

    def __init__(self, seed, networks, hosts, macs=None, calm=None):
        self.rng, self.networks, self.hosts = random.Random(seed), networks, hosts
        self.macs, self.calm = macs or {}, calm
        self.policy = None

    def network(self, zone, address):
        """A host, or a network around it, inside the zone's network."""
        inside = next(n for n in (ipaddress.ip_network(m, strict=False) for m in self.networks[zone])
                      if ipaddress.ip_address(address) in n)
        longest = inside.max_prefixlen
        bits = self.rng.choice([longest] * 3 + [longest - 1, longest - 2, longest - 4, inside.prefixlen])
        network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
        return str(network.network_address if bits == longest else network)

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

    def make_match(self):
        kind = self.rng.choice(["tcp", "udp", "udp", "icmp", "icmpv6", "other"])
        if kind == "other":
            return self.rng.choice(self.OTHER_PROTOCOLS), 0, 65535
        if kind in ("icmp", "icmpv6"):
            types = sorted(REQUESTS[NUMBERS[kind]])
            return (NUMBERS[kind], *self.rng.choice([(0, 255), *((t, t) for t in types)]))
        low = self.rng.choice(self.PORTS)
        return NUMBERS[kind], low, self.rng.choice([p for p in self.PORTS if p >= low])

    def make_service(self, number):
        matches = {self.make_match() for _ in range(self.rng.randint(1, 3))}
        # Both families in each: a permit whose parts have no family in common is refused.
        matches.add((NUMBERS["udp"], 40000 + number, 40000 + number))
        return Service(f"s{number}", tuple(sorted(matches)))

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

    def make_permit(self, number, services, schedules, today):
        # Between the most sensitive and the outside zone no packet crosses: the compiler refuses such a permit.
        zones = sorted(self.hosts)
        a, b = self.rng.choice([(a, b) for a in zones for b in zones if a != b and {a, b} != {"mynumber", "internet"}])
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
            have = [families if not found else {n.version for p in found for n in self.policy.place(p)}
                    for found in (sources, targets)]
            if have[0] & have[1]:
                break
        return Permit(number, a, b, sources, targets, tuple(set(self.rng.sample(services, self.rng.randint(1, 2)))),
                      self.rng.choice([None, *schedules]),
                      self.rng.choice([None, None, today + datetime.timedelta(days=self.rng.randint(-3, 3))]))

    def make_policy(self, permit_count, today):
        """permit_count permits; schedules, holidays and last days lie around `today`."""
        stations = self.make_stations()
        groups, station_groups = self.make_groups(stations)
        services = [self.make_service(i) for i in range(self.rng.randint(2, 6))]
        schedules = [self.make_schedule(i) for i in range(self.rng.randint(0, 4))]
        holidays = {today + datetime.timedelta(days=self.rng.randint(-3, 3)) for _ in range(3)}
        self.policy = Policy(self.networks, services, (), stations, groups, station_groups, schedules, holidays)
        numbers = sorted(self.rng.sample(range(1, 65536), permit_count))
        self.policy.permits = [self.make_permit(n, services, schedules, today) for n in numbers]
        return self.policy

    def make_mac(self, zone, source):
        """Mostly a station that fits, now and then any other."""
        listed = self.policy.stations.get(zone, {})
        fitting = [mac for mac, addresses in listed.items() if source in addresses]
        if fitting and self.rng.random() < 0.7:
            return self.rng.choice(fitting)
        return self.rng.choice([*listed, "02:99:00:00:00:01"]) if listed else self.macs.get(zone)

    def make_flow(self, around=None):
        """A flow between hosts of two zones, its port, type and time picked near what the policy names."""
        a, b = self.rng.sample(sorted(self.hosts), 2)
        version = self.rng.choice([4, 4, 6])
        source, target = (self.rng.choice([h for h in self.hosts[z] if ipaddress.ip_address(h).version == version])
                          for z in (a, b))
        if self.rng.random() < 0.05:
            address = self.rng.choice(sorted(i for i in self.policy.nobodys if i.version == version))
            source, target = (str(address), target) if self.rng.random() < 0.5 else (source, str(address))
        protocol = self.rng.choice([6, 17, 17, 1 if version == 4 else 58, self.rng.choice(self.OTHER_PROTOCOLS)])
        if protocol in (6, 17):
            port = self.rng.choice(self.PORTS)
        else:
            port = self.rng.choice([*REQUESTS[protocol], 0]) if protocol in REQUESTS else 0
        at = around + datetime.timedelta(minutes=self.rng.randint(-3 * 1440, 3 * 1440)) if around else None
        return Flow(a, source, target, protocol, port, self.make_mac(a, source), at)
