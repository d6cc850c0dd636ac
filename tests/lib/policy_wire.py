# SPDX-License-Identifier: GPL-2.0-or-later
"""The packets of drawn flows on the wires of a topology: made, sent, and known again where they arrive by the flow's number.

Made by hand: a hundred thousand of them are wanted at once.
"""

import collections
import ipaddress
import itertools
import random
import socket
import struct
import time

from .first_payload import client_hello, dns_query, rdp_request, records

SYN, ACK, PSH = 2, 16, 8
INITIATOR, RESPONDER = 1000, 5000       # sequence numbers of the two SYN
FIRST_PORT = 20000
BATCH = 20                              # packets between two pauses
BUFFER_BYTES = 32 << 20


def first_bytes(shown):
    """What an initiator sends over TCP that shows this."""
    name = shown.name or "nobody.example"
    if shown.kind == "tls":
        return records(client_hello(shown.name, ech=shown.hidden), 64)
    if shown.kind == "dns":
        query = dns_query(name)
        return struct.pack("!H", len(query)) + query
    if shown.kind == "rdp":
        return rdp_request()
    return {"http": f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n", "ssh": "SSH-2.0-OpenSSH_9.9\r\n",
            "smtp": f"EHLO {name}\r\n"}[shown.kind].encode()


def datagram(shown):
    """The same in one datagram."""
    if shown is None:
        return b"12345678"
    return dns_query(shown.name) if shown.kind == "dns" else first_bytes(shown)


def pieces(number, size):
    """[(begin, end)] of what a flow says at first, as it sends them: in one or more segments, some the wrong way round or twice."""
    rng = random.Random(number)
    cuts = [0, *sorted(rng.sample(range(1, size), rng.choice([0, 0, 1, 2, 4]))), size]
    made = list(zip(cuts, cuts[1:]))
    if rng.random() < 0.3:
        rng.shuffle(made)
    if rng.random() < 0.3:
        made.insert(rng.randrange(len(made) + 1), rng.choice(made))
    return made


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def internet_packet(source, target, protocol, number, body, at=None):
    """An IP packet whose identification or flow label is `number`. at: where in `body` its checksum belongs; None: it has none."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    if at is not None:
        pseudo = ends + struct.pack("!HH", protocol, len(body)) if at != 2 or protocol == 58 else b""
        body = body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2:]
    if len(ends) == 32:
        return struct.pack("!IHBB", 6 << 28 | number, len(body), protocol, 64) + ends + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number, 0, 64, protocol, 0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def tcp_packet(source, target, ports, number, flags, sequence, acknowledged=0, payload=b""):
    body = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, flags, 65535, 0, 0) + payload
    return internet_packet(source, target, 6, number, body, 16)


def first_packet(flow, number):
    """Of a flow; its number is in its ports, too."""
    def whole(body, at=None):
        return internet_packet(flow.source, flow.target, flow.protocol, number, body, at)
    if flow.protocol in (1, 58):
        return whole(struct.pack("!BBHHH", flow.port, 0, 0, number, 1) + bytes(12), 2)
    if flow.protocol == 6:
        return tcp_packet(flow.source, flow.target, (FIRST_PORT + number, flow.port), number, SYN, INITIATOR)
    if flow.protocol == 17:
        payload = datagram(flow.shown)
        return whole(struct.pack("!HHHH", FIRST_PORT + number, flow.port, 8 + len(payload), 0) + payload, 6)
    return whole(bytes(24))


class Arrivals:
    """Every packet that reaches a peer, read below its own stack: {(source, target, number of its flow): [what IP carried]}."""

    def __init__(self, net, topology):
        self.sockets, self.seen = [], collections.defaultdict(list)
        for zone in topology.zones.values():
            for ethertype in (0x800, 0x86dd):
                made = net.socket(zone.namespace, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ethertype), timeout=0)
                made.setsockopt(socket.SOL_SOCKET, 33, BUFFER_BYTES)    # SO_RCVBUFFORCE
                made.bind(("port", ethertype))
                self.sockets.append(made)

    def close(self):
        for made in self.sockets:
            made.close()

    def note(self, data):
        if data[0] >> 4 == 4:
            length, number, ends = *struct.unpack_from("!2xHH", data), data[12:20]
            body = data[20:length]
        else:
            label, length, ends = *struct.unpack_from("!IH", data), data[8:40]
            number, body = label & 0xfffff, data[40:40 + length]
        self.seen[ends[:len(ends) // 2], ends[len(ends) // 2:], number].append(body)

    def read(self):
        """Take in what has come."""
        for made in self.sockets:
            while True:
                try:
                    data, where = made.recvfrom(2048)
                except BlockingIOError:
                    break
                if where[2] != socket.PACKET_OUTGOING:
                    self.note(data)

    def of(self, source, target, number):
        """What has come of one flow in one direction."""
        return self.seen.get((ipaddress.ip_address(source).packed, ipaddress.ip_address(target).packed, number), ())


class Exchange:
    """Flows of one policy, numbered from 1, over the gateway: their first packets, and for those that have something to show the answer
    and what they say then. The peers' own stacks are kept silent by silence()."""

    def __init__(self, net, topology, gateway, flows, zone_of):
        self.flows, self.zone_of, self.zones = dict(enumerate(flows, 1)), zone_of, topology.zones
        self.arrivals = Arrivals(net, topology)
        self.wires = {name: net.packet_socket(zone.namespace, "port") for name, zone in topology.zones.items()}
        self.macs = {}
        for name, zone in topology.zones.items():
            shown = net.run(gateway.zone_namespace(name), "cat", f"/sys/class/net/{zone.port}/address").stdout
            self.macs[name] = bytes.fromhex(shown.strip().replace(":", ""))

    def close(self):
        self.arrivals.close()
        for wire in self.wires.values():
            wire.close()

    def send(self, packets):
        """packets: (zone, the sender's hardware address, IP packet); no faster than one processor can judge them."""
        for count, (zone, mac, packet) in enumerate(packets, 1):
            ethertype = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
            self.wires[zone].send(self.macs[zone] + bytes.fromhex(mac.replace(":", "")) + ethertype + packet)
            if count % BATCH == 0:
                self.arrivals.read()
                time.sleep(0.008)

    def begin(self):
        self.send((flow.source_zone, flow.mac, first_packet(flow, number)) for number, flow in self.flows.items())

    def answer(self, numbers):
        """The targets of these flows take them up."""
        def packet(number, flow):
            return tcp_packet(flow.target, flow.source, (flow.port, FIRST_PORT + number), number, SYN | ACK, RESPONDER, INITIATOR + 1)
        flows = {number: self.flows[number] for number in numbers}
        zones = {number: self.zone_of(flow.target) for number, flow in flows.items()}
        self.send((zones[number], self.zones[zones[number]].mac, packet(number, flow)) for number, flow in flows.items())

    def speak(self, numbers):
        """The initiators of these flows say what they show, in segments."""
        def segments(number, flow):
            payload = first_bytes(flow.shown)
            for begin, end in [(0, 0), *pieces(number, len(payload))]:
                yield flow.source_zone, flow.mac, tcp_packet(
                    flow.source, flow.target, (FIRST_PORT + number, flow.port), number, ACK | (PSH if end else 0),
                    INITIATOR + 1 + begin, RESPONDER + 1, payload[begin:end])
        self.send(segment for number in numbers for segment in segments(number, self.flows[number]))

    def begun(self):
        """The numbers of the flows that a packet has arrived of."""
        self.arrivals.read()
        return {n for n, flow in self.flows.items() if self.arrivals.of(flow.source, flow.target, n)}

    def answered(self):
        """The numbers of those that a packet has come back of."""
        self.arrivals.read()
        return {n for n, flow in self.flows.items() if self.arrivals.of(flow.target, flow.source, n)}

    def shown(self):
        """The numbers of those all of whose first bytes have arrived, as they were sent."""
        self.arrivals.read()
        return {n for n, flow in self.flows.items() if flow.shown and flow.protocol == 6 and self.heard(flow, n) == first_bytes(flow.shown)}

    def heard(self, flow, number):
        """The bytes of a TCP flow that have arrived, as far as they have no gap."""
        arrived = {}
        for body in self.arrivals.of(flow.source, flow.target, number):
            at = struct.unpack_from("!4xI", body)[0] - INITIATOR - 1
            arrived.update(enumerate(body[20:], at))
        return bytes(itertools.takewhile(lambda byte: byte is not None, map(arrived.get, itertools.count())))


def silence(net, topology):
    """The peers' own stacks answer nothing but who has which address."""
    for zone in topology.zones.values():
        net.run(zone.namespace, "nft", "add table inet silence; "
                "add chain inet silence input { type filter hook input priority 0; policy drop; }; "
                "add rule inet silence input icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept")
