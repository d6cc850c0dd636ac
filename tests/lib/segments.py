# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether TCP segments were lost on the way: captures at both ends compared, segment by segment. A sender that was held up sends
again what was never lost; only the wire can tell the two apart."""

import collections
import socket
import struct

SPACE = 1 << 32


def segments_of(packets, source):
    """One sender's segments in the order of a capture: {(sequence number, flags, identification): time}. The identification (RFC 6864)
    tells a segment from the same one that is sent again."""
    from scapy.all import IP, TCP
    return {(p[TCP].seq, int(p[TCP].flags), p[IP].id): float(p.time) for p in packets if TCP in p and p[IP].src == source}


def lost(sent, arrived):
    """When what was sent that did not arrive was sent, and how many were compared; of what segments_of() gives for both ends.

    Captures begin and end at different moments: what lies strictly between the first and the last sequence number that both have is
    compared. One connection, less than 2 GB.
    """
    base = next(iter(sent))[0]

    def offset(segment):
        return (segment[0] - base + SPACE // 2) % SPACE

    low, high = (choose(end(map(offset, of)) for of in (sent, arrived)) for choose, end in ((max, min), (min, max)))
    compared = [segment for segment in sent if low < offset(segment) < high]
    return [sent[segment] for segment in compared if segment not in arrived], len(compared)


TCP_RST = 4


class Frame(collections.namedtuple("Frame", "time protocol source source_port destination destination_port segment payload")):
    """One packet; see frames_of()."""

    @property
    def is_reset(self):
        return self.segment is not None and bool(self.segment[3] & TCP_RST)


def frames_of(path, sender=None):
    """The IPv4 packets of TCP and UDP in a capture file (pcap of Ethernet), in its order; sender: only those from this hardware address.

    Frame: time in seconds of the capture's clock; protocol 6 or 17; addresses as text; payload: bytes behind the ports.
    segment: what tells a TCP segment from every other of its flow: (identification, sequence, acknowledgement, flags, bytes).
    """
    from scapy.all import RawPcapReader
    wanted = sender and bytes.fromhex(sender.replace(":", ""))
    with RawPcapReader(str(path)) as reader:
        for data, about in reader:
            is_ip = data[12:14] == b"\x08\x00" and data[23] in (socket.IPPROTO_TCP, socket.IPPROTO_UDP)
            if is_ip and wanted in (None, data[6:12]):
                yield frame_of(data, about.sec + about.usec / 1e6)


def frame_of(data, moment):
    at = 14 + 4 * (data[14] & 15)
    size, identification = struct.unpack_from("!2xHH", data, 14)
    source_port, destination_port = struct.unpack_from("!HH", data, at)
    segment = None
    if data[23] == socket.IPPROTO_TCP:
        sequence, acknowledgement, flags = struct.unpack_from("!LLxB", data, at + 4)
        segment = identification, sequence, acknowledgement, flags, size
    return Frame(moment, data[23], socket.inet_ntoa(data[26:30]), source_port, socket.inet_ntoa(data[30:34]), destination_port,
                 segment, data[at + 4:14 + size])


def segments_by_flow(frames):
    """{(source, its port, destination, its port): its TCP segments, each with how often it came}."""
    flows = collections.defaultdict(collections.Counter)
    for frame in frames:
        if frame.protocol == socket.IPPROTO_TCP:
            flows[frame.source, frame.source_port, frame.destination, frame.destination_port][frame.segment] += 1
    return flows
