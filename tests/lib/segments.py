# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether TCP segments were lost on the way: captures at both ends compared, segment by segment. A sender that was held up sends
again what was never lost; only the wire can tell the two apart."""

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
