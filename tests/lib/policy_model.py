# SPDX-License-Identifier: GPL-2.0-or-later
"""What a policy means, written a second time and independently of the product: a plain walk over the permits.

Knows only what the operator guide promises: zones own their networks but for the gateway's own and the broadcast addresses
in them; a zone that enforces its list of stations admits
no others; between two zones the lowest permit number that matches and is in force counts; everything else is denied.
What flows use up of limits and guards, and what they have to show, is in Course.
"""

import collections
import dataclasses
import datetime
import functools
import ipaddress

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
REQUESTS = {1: {8, 13, 15, 17}, 58: {128}}    # ICMP messages that begin something
MARTIANS = [ipaddress.ip_network(n) for n in (
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/96", "::ffff:0:0/96", "fe80::/10", "fec0::/10", "ff00::/8")]

address_of = functools.cache(ipaddress.ip_address)
network_of = functools.cache(ipaddress.ip_network)


@functools.cache
def lies_in(address, network):
    """Whether an address is one of a network, both as text."""
    return address_of(address) in network_of(network)


@functools.cache
def is_martian(address):
    return any(address_of(address) in network for network in MARTIANS)


@dataclasses.dataclass(frozen=True)
class Shown:
    """What the first bytes of an initiator show: a protocol, the name in it (None: none), and whether TLS hides another."""
    kind: str
    name: str = None
    hidden: bool = False


@dataclasses.dataclass(frozen=True)
class Conform:
    kind: str
    names: tuple = ()           # that may be asked for; empty: any
    hidden: bool = False        # whether TLS may hide its name

    LISTS = {"tls": "server-name", "http": "host", "dns": "name"}

    def text(self):
        names = "".join(f" {self.LISTS[self.kind]} {name};" for name in self.names)
        return f"conform {self.kind} {{{names}{' ech allow;' if self.hidden else ''} }}"

    @staticmethod
    def is_listed(entry, name):
        return name is not None and (name.endswith(entry[1:]) if entry.startswith("*") else name == entry)

    def refuses(self, shown):
        """Why the flow that shows this is denied, or None."""
        if shown.kind != self.kind:
            return "conform-protocol"
        if shown.hidden and not self.hidden:
            return "conform-hidden"
        if self.names and not any(self.is_listed(entry, shown.name) for entry in self.names):
            return "conform-name"
        return None


@dataclasses.dataclass(frozen=True)
class Guard:
    """What each source of a zone may: an IPv4 address or an IPv6 /64."""
    rate: int = None            # new flows a minute; as many at once
    connections: int = None

    def text(self):
        rate = f"source-rate {self.rate}/m; " if self.rate else ""
        return f"guard {{ {rate}{f'source-connections {self.connections}; ' if self.connections else ''}}}"


@dataclasses.dataclass(frozen=True)
class Service:
    name: str
    matches: tuple              # (protocol number, low, high): ports, ICMP types; (0, 65535) for other protocols
    conform: Conform = None

    def text(self):
        def statement(protocol, low, high):
            if protocol in (1, 58):
                value = "any" if (low, high) == (0, 255) else low
                return f"{'icmp' if protocol == 1 else 'icmp6'} {value};"
            if protocol in (6, 17):
                return f"{'tcp' if protocol == 6 else 'udp'} {low if low == high else f'{low}-{high}'};"
            return f"protocol {protocol};"
        shows = f" {self.conform.text()}" if self.conform else ""
        return f"service {self.name} {{ {' '.join(statement(*m) for m in self.matches)}{shows} }}"

    def holds(self, flow):
        return any(protocol == flow.protocol and low <= flow.port <= high for protocol, low, high in self.matches)

    def meets(self, other):
        """Whether a port of TCP or UDP is in both."""
        return any(mine[0] == its[0] and mine[0] in (6, 17) and mine[1] <= its[2] and its[1] <= mine[2]
                   for mine in self.matches for its in other.matches)


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
    rate: int = None            # new flows a minute; as many at once
    connections: int = None     # at one time

    def text(self):
        parts = [f"from {self.source_zone};"]
        parts += [f"source {place};" for place in self.sources]
        parts += [f"destination {place};" for place in self.targets]
        parts += [f"service {service.name};" for service in self.services]
        parts += [f"schedule {self.schedule.name};"] if self.schedule else []
        parts += [f"expires {self.expires};"] if self.expires else []
        limits = [f"rate {self.rate}/m;"] if self.rate else []
        limits += [f"connections {self.connections};"] if self.connections else []
        parts += [f"limit {{ {' '.join(limits)} }}"] if limits else []
        return f"permit {self.number} {{ {' '.join(parts)} }}"

    def conform_of(self, flow):
        """What a flow that it lets in has to show; None: nothing. All its services that hold the flow ask the same."""
        return next(s.conform for s in self.services if s.holds(flow))


@dataclasses.dataclass(frozen=True)
class Flow:
    source_zone: str
    source: str
    target: str
    protocol: int
    port: int                   # ICMP: type; 0 where the protocol has none
    mac: str = None
    at: datetime.datetime = None    # local time; None: when it is asked
    shown: Shown = None         # by its first bytes

    def begins(self):
        """Whether such a packet can begin a flow: of ICMP only what asks for something can."""
        return self.port in REQUESTS.get(self.protocol, {self.port})

    def line(self):
        """As `sekisho trace --flows` takes it."""
        words = [f"from={self.source_zone}", f"src={self.source}", f"dst={self.target}", f"proto={self.protocol}"]
        words += [f"dport={self.port}"] if self.protocol in (6, 17) else []
        words += [f"icmp-type={self.port}"] if self.protocol in (1, 58) else []
        words += [f"mac={self.mac}"] if self.mac else []
        words += [f"at={self.at:%Y-%m-%dT%H:%M:%S}"] if self.at else []
        return " ".join(words)


class Policy:
    """Permits by zone pair; `networks` is {zone: [the gateway's addresses with their prefix lengths, or, where it has none, networks]},
    `stations` {zone: {mac: [addresses]}} of those that enforce.

    groups: {name: networks as text}; station_groups: {name: (zone, [macs])}; guards: {zone: Guard}. transparent: whether its crossing
    is between zones without addresses of the gateway; where their networks overlap the longest prefix tells the zone.
    """

    def __init__(self, networks, services=(), permits=(), stations=None, groups=None, station_groups=None, schedules=(),
                 holidays=(), guards=None, transparent=False):
        interfaces = {zone: [ipaddress.ip_interface(n) for n in of] for zone, of in networks.items()}
        self.own = {str(i.ip) for of in interfaces.values() for i in of if i.ip != i.network.network_address}
        self.broadcasts = {str(i.network.broadcast_address) for of in interfaces.values() for i in of
                           if i.version == 4 and str(i.ip) in self.own}
        self.networks = sorted(((str(i.network), zone) for zone, of in interfaces.items() for i in of),
                               key=lambda pair: network_of(pair[0]).prefixlen, reverse=True)
        self.services, self.permits = services, sorted(permits, key=lambda p: p.number)
        self.stations, self.groups, self.station_groups = stations or {}, groups or {}, station_groups or {}
        self.schedules, self.holidays = schedules, frozenset(holidays)
        self.guards, self.transparent = guards or {}, transparent
        self.places, self.zones = {}, {}

    def zone_extra(self):
        """{zone: the statements of its stations and its guard}."""
        extra = {zone: [f"station {mac} {{ {' '.join(f'address {a};' for a in addresses)} }}"
                        if addresses else f"station {mac};" for mac, addresses in listed.items()]
                 for zone, listed in self.stations.items()}
        for zone, guard in self.guards.items():
            extra.setdefault(zone, []).append(guard.text())
        return {zone: " ".join(statements) for zone, statements in extra.items()}

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
        # Which flow of several is the last that a limit lets in is certain within one queue.
        how = " queues 1;" * any(p.rate or p.connections for p in self.permits) + " transparent;" * self.transparent
        for pair, permits in pairs.items():
            lines.append(f"crossing {' '.join(sorted(pair))} {{{how} {' '.join(p.text() for p in permits)} }}")
        return "\n".join(lines)

    def zone_of(self, address):
        if address not in self.zones:
            self.zones[address] = next((zone for network, zone in self.networks if lies_in(address, network)), None)
        return self.zones[address]

    def place(self, name):
        """The networks that a source or destination stands for, as text."""
        if name not in self.places:
            if name in self.groups:
                self.places[name] = self.groups[name]
            elif name in self.station_groups:
                zone, macs = self.station_groups[name]
                self.places[name] = [address for mac in macs for address in self.stations[zone][mac]]
            else:
                self.places[name] = [name]
        return self.places[name]

    def holds(self, places, address):
        return any(lies_in(address, network) for place in places for network in self.place(place))

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

    def refuses_sender(self, flow):
        """Why a packet goes no further than its zone's port, whatever it is; or None."""
        nobodys = flow.source in self.own or flow.source in self.broadcasts
        if nobodys or is_martian(flow.source) or self.zone_of(flow.source) != flow.source_zone:
            return "source"
        if is_martian(flow.target):
            return "target"
        return None if self.admits(flow) else "station"

    def refuses_way(self, flow):
        """Why nothing leads from a flow's zone to its target; or None."""
        target_zone = self.zone_of(flow.target)
        if flow.target in self.own:
            return "gateway"
        if flow.target in self.broadcasts:
            return "target"
        if target_zone == flow.source_zone:
            return "same-zone"
        joined = any({p.source_zone, p.target_zone} == {flow.source_zone, target_zone} for p in self.permits)
        return None if joined else "no-crossing"

    def verdict(self, flow, now=None):
        """(why, the Permit or None): what the policy says of a flow at its own time, or else `now`, whatever else there is."""
        why = self.refuses_sender(flow) or self.refuses_way(flow)
        if why:
            return why, None
        if not flow.begins():
            return "not-a-request", None
        why, when = "no-permit", flow.at or now or datetime.datetime.now()
        for permit in self.permits:
            if (permit.source_zone, permit.target_zone) != (flow.source_zone, self.zone_of(flow.target)):
                continue
            if permit.sources and not self.holds(permit.sources, flow.source):
                continue
            if self.holds(permit.targets, flow.target) and any(s.holds(flow) for s in permit.services):
                if self.in_force(permit, when):
                    return "permitted", permit
                why = "time"
        return why, None


class Course:
    """What becomes of flows that begin one after the other and do not end: the policy's verdict, who is shut out, and what earlier
    flows have used up. Holds for flows of less than a minute's fraction: what a rate gives back meanwhile is not reckoned.

    shut: hardware and other addresses of stations that are isolated. In a zone whose guard counts connections it is told of flows
    only that the guard is the first to refuse: how long the kernel counts one that somebody else refused is no promise.
    """

    def __init__(self, policy, now, shut=()):
        self.policy, self.now, self.shut = policy, now, frozenset(shut)
        self.begun = collections.Counter()      # flows by (zone, source), and by permit number

    @staticmethod
    def source_of(flow):
        six = ":" in flow.source
        return ipaddress.ip_interface(f"{flow.source}/64").network if six else flow.source

    def passes_guard(self, flow):
        """None, or why a zone's guard drops a new flow, which it has counted else."""
        guard, source = self.policy.guards.get(flow.source_zone), (flow.source_zone, self.source_of(flow))
        if guard is None:
            return None
        if guard.rate and self.begun[source] >= guard.rate:
            return "source-rate"
        if guard.connections and self.begun[source] >= guard.connections:
            return "source-connections"
        self.begun[source] += 1
        return None

    def refuses(self, permit, flow):
        """Why a permit that holds a flow does not let it in, or None. A datagram shows all at once, so one that shows the wrong thing
        begins nothing; TCP has begun before it can show anything."""
        conform = permit.conform_of(flow)
        why = conform.refuses(flow.shown) if conform else None
        if why and flow.protocol == 17:
            return why
        if permit.rate and self.begun[permit.number] >= permit.rate:
            return "limit-rate"
        if permit.connections and self.begun[permit.number] >= permit.connections:
            return "limit-connections"
        self.begun[permit.number] += 1
        return why

    def judge(self, flow):
        """Why a flow passes ("permitted") or does not."""
        if flow.mac in self.shut or flow.source in self.shut:
            return "shut-out"
        why, permit = self.policy.verdict(flow, self.now)
        if self.policy.refuses_sender(flow):
            return why
        over = self.passes_guard(flow) if flow.begins() else None
        return over or (self.refuses(permit, flow) if permit else None) or why
