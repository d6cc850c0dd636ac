# SPDX-License-Identifier: GPL-2.0-or-later
"""The forbidden paths: each is tried with real packets, watched for at the far end, and looked up in the syslog.

An attempt counts as refused only if no answer came, nothing of it arrived in the far zone, and the syslog server has
a record that names it. permitted() runs the one permitted flow under the same watch, so that a blind watch would show.
"""

import dataclasses
import re
import socket
import time

from lib.peers import nmap, ping, tcp_talk, udp_talk
from lib.qemu import port_mac
from lib.waiting import WaitedTooLong, wait_until

from site_of_demo import DEVICE, OTHER_PORT, SERVICE_PORT

UNKNOWN_PROTOCOL = 253          # RFC 3692: for experiments
TRIES = 4                       # on a machine so loaded that the arbiter is late, packets are dropped unjudged
LOG_SECONDS = 12                # repeated denials are summed up every 10 s


@dataclasses.dataclass
class Outcome:
    """One forbidden attempt: what was tried, and why it counts as refused (or does not)."""
    what: str
    refused: bool
    how: str

    def __str__(self):
        return f"{'REFUSED' if self.refused else 'PASSED '}  {self.what}: {self.how}"


@dataclasses.dataclass
class Attempt:
    """One packet flow from a zone to another: how to try it, and how its packets and its record look."""
    name: str
    action: object              # (site, source zone, target zone) -> whether something came back
    arrival: str                # tcpdump expression for the target's wire, with {source}
    record: tuple               # what a record must contain, with {source} and {target}
    family: int = 4


def unknown_protocol(site, source, target):
    """An IP packet of a protocol that nobody permits."""
    with site.net.socket(source.namespace, socket.AF_INET, socket.SOCK_RAW, UNKNOWN_PROTOCOL) as raw:
        raw.sendto(b"forbidden", (target.peer4, 0))
    return False


ATTEMPTS = [
    Attempt("TCP", lambda s, a, b: tcp_talk(s.net, a.namespace, b.peer4, OTHER_PORT),
            f"src {{source}} and tcp port {OTHER_PORT}", ('src="{source}"', 'dst="{target}"', 'proto="6"')),
    Attempt("UDP", lambda s, a, b: udp_talk(s.net, a.namespace, b.peer4, OTHER_PORT),
            f"src {{source}} and udp port {OTHER_PORT}", ('src="{source}"', 'dst="{target}"', 'proto="17"')),
    Attempt("ICMP", lambda s, a, b: ping(s.net, a.namespace, b.peer4),
            "src {source} and icmp", ('src="{source}"', 'dst="{target}"', 'proto="1"')),
    Attempt("IPv6 TCP", lambda s, a, b: tcp_talk(s.net, a.namespace, b.peer6, OTHER_PORT),
            "src {source} and ip6", ('src="{source}"', 'dst="{target}"', 'proto="6"'), family=6),
    Attempt("IPv6 ICMP", lambda s, a, b: ping(s.net, a.namespace, b.peer6),
            "src {source} and icmp6", ('src="{source}"', 'dst="{target}"', 'proto="58"'), family=6),
    Attempt(f"IP protocol {UNKNOWN_PROTOCOL}", unknown_protocol,
            f"src {{source}} and ip proto {UNKNOWN_PROTOCOL}",
            ('src="{source}"', 'dst="{target}"', f'proto="{UNKNOWN_PROTOCOL}"')),
]


def addresses(attempt, source, target):
    if attempt.family == 6:
        return {"source": source.peer6, "target": target.peer6}
    return {"source": source.peer4, "target": target.peer4}


def find_record(site, parts, events):
    """Event and number of the first syslog record with one of the events and every one of `parts`, or None."""
    for line in site.syslog.lines():
        fields = line.split(" ", 7)
        if len(fields) > 6 and fields[5] in events and all(part in line for part in parts):
            return f"{fields[5]}, record {re.search(r'seq=.([0-9]+)', line).group(1)}"
    return None


def await_record(site, parts, events, seconds=LOG_SECONDS):
    try:
        return wait_until(lambda: find_record(site, parts, events), "the record", seconds, 0.2)
    except WaitedTooLong:
        return None


def try_pair(site, attempt, source, target):
    """Try one attempt between two zones, with a capture on the target's wire."""
    names = addresses(attempt, source, target)
    parts = [part.format(**names) for part in attempt.record]
    capture = site.net.capture(target.namespace, DEVICE, attempt.arrival.format(**names))
    answer, record, tries = None, None, 0
    while record is None and not answer and tries < TRIES:
        answer = attempt.action(site, source, target)
        record = await_record(site, parts, ("flow-denied",))
        tries += 1
    arrived = len(capture.stop())
    how = [f"answer: {answer!r}" if answer else "no answer", f"{arrived} packets arrived",
           record or f"NO RECORD with {' '.join(parts)}"]
    return Outcome(f"{source.name} -> {target.name} {attempt.name}", not answer and arrived == 0 and bool(record),
                   "; ".join(how))


def spoof(site, source, pretended, target):
    """Packets from one zone with the address of another as their source."""
    from scapy.all import ICMP, IP, UDP, Ether
    frame = Ether(src=source_mac(site, source), dst=port_mac(int(source.port.removeprefix("eth"))))
    capture = site.net.capture(target.namespace, DEVICE, f"src {pretended.peer4} and (udp port 7999 or icmp)")
    with site.net.packet_socket(source.namespace, DEVICE) as wire:
        for packet in (UDP(sport=7999, dport=7999) / b"spoofed", ICMP() / b"spoofed"):
            wire.send(bytes(frame / IP(src=pretended.peer4, dst=target.peer4) / packet))
    time.sleep(0.5)
    arrived = len(capture.stop())
    parts = [f'zone="{source.name}"', f'src="{pretended.peer4}"']
    record = await_record(site, parts, ("source-spoofed",))
    what = f"{source.name} -> {target.name} with the source address of {pretended.name} ({pretended.peer4})"
    return Outcome(what, arrived == 0 and bool(record),
                   f"{arrived} packets arrived; {record or 'NO RECORD of a spoofed source'}")


def source_mac(site, zone):
    return site.net.run(zone.namespace, "cat", f"/sys/class/net/{DEVICE}/address").stdout.strip()


def own_ports(site, zone, offered):
    """Scan the gateway's own address in a zone: nothing may be open but what the configuration offers there."""
    outcomes = []
    scans = [("TCP", ["-sS", "-p", "1-1024,4190,5432,5900-5910,6000,8080,8443,9000"], zone.gateway4),
             ("UDP", ["-sU", "-p", "53,67,123,161,500,514,5353", "--max-retries", "1"], zone.gateway4),
             ("TCP IPv6", ["-sS", "-p", "1-1024,5900-5910"], zone.gateway6)]
    for name, options, address in scans:
        ports, text = nmap(site.net, zone.namespace, address, "-T4", "--min-rate", "400", "-oN", "-", *options)
        opened = {port for port, state in ports.items() if state == "open"}
        wanted = {("tcp", port) for port in offered} if name.startswith("TCP") else set()
        done = "1 host up" in text or "Nmap done: 1 IP address" in text
        outcomes.append(Outcome(f"{zone.name} -> the gateway's own {name} ports ({address})", done and opened == wanted,
                                f"open: {sorted(p for _, p in opened) or 'none'}; offered there: {sorted(p for _, p in wanted) or 'none'}"))
    return outcomes


def permitted(site):
    """The watch sees what does pass: the one permitted flow."""
    source, target = site.zones["mynumber"], site.zones["lgwan"]
    capture = site.net.capture(target.namespace, DEVICE, f"src {source.peer4} and tcp port {SERVICE_PORT}")
    answer = tcp_talk(site.net, source.namespace, target.peer4, SERVICE_PORT, b"juminhyo")
    return answer == b"juminhyo" and len(capture.stop()) > 0
