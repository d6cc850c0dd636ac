# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated day without a syslog server (L1): rsyslog and syslog-ng, over each transport, by a store with room and one without.

    log_day (audit's own store and sender, simulated clock)  -->  10.20.0.20 in the same namespace
"""

import re
import subprocess

import pytest

from lib.certificates import Authority
from lib.log_server import ADDRESS, NAME, SERVERS, TLS_PORT, numbers, start_tls_server
from lib.logs import number_of, records, verify
from lib.peers import SyslogTls
from lib.waiting import wait_until

LOG_DAY = "/out/bench/log_day"
ROOM_KIB = {"roomy": 4096, "narrow": 256}   # of the store; a day takes about 2 MiB
# As RFC 5424 6.3.3 has it: what stands behind the last bracket was no UTF-8, ended the line, and turned the way of writing.
REASON = r'reason="訓練 [a=\"b\\x5cc\"\] \\xff\\x0a\\xe2\\x80\\xae end"]'
RECORD = re.compile(r"<(\d+)>1 \S+ (\S+) (\S+) (\S+) (\S+) (\[.*?[^\\]\]) (.* sha256=[0-9a-f]{64})")
LOCAL0 = 16
SEVERITIES = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]


class Day:
    """One store and sender; its records carry the name `host`."""

    def __init__(self, net, host, transport, port, *tls):
        self.host, self.directory = host, net.scratch / host
        self.directory.mkdir()
        self.process = net.popen("peer-lgwan", LOG_DAY, self.directory, host, ROOM_KIB[host], transport, ADDRESS, port, *tls,
                                 stdin=subprocess.PIPE)

    def reaches(self, text):
        self.process.wait_log(text, 150)

    def go_on(self):
        self.process.popen.stdin.write(b"\n")
        self.process.popen.stdin.flush()

    def written(self):
        """How many records it made."""
        self.reaches("all ")
        return int(re.search(r"all (\d+)", self.process.log())[1])

    def arrived(self, server):
        return [line for line in server.lines() if f" {self.host} sekisho " in line]

    def understood(self, server):
        return [line for line in server.parsed() if f"|{self.host}|sekisho|" in line]


def as_understood(line):
    """The fields of a record as lib.peers has a server print them."""
    priority, host, app, process, event, data, text = RECORD.fullmatch(line).groups()
    assert int(priority) >> 3 == LOCAL0
    return "|".join(["local0", SEVERITIES[int(priority) & 7], host, app, process, event, data, text])


def missing(lines):
    """How many numbers never came; fails where a record came for the first time behind a later one."""
    came = numbers(lines)
    first = list(dict.fromkeys(came))
    assert first == sorted(first)
    return first[-1] - len(first)


def said_gone(lines):
    """How many records the log says that its full store forced out: each saying once, however often it came."""
    said = {number_of(line): int(re.search(r'count="(\d+)"', line)[1]) for line in lines if " syslog-forced-out " in line}
    return sum(said.values())


def start_server(net, transport, kind):
    """(the server, its port and what a sender under TLS has to know)."""
    if transport != "tls":
        return SERVERS[kind](net, "peer-lgwan", ADDRESS, transport=transport), (514,)
    authority = Authority()
    server = start_tls_server(net, SyslogTls(authority, authority.issue(NAME)), kind=kind)
    return server, (TLS_PORT, authority.certificate, NAME)


def live_through_a_day(server, days):
    """The server takes the first records of each, goes, and comes back a day later; it has the last ones at the end."""
    for day in days:
        day.reaches("sent")
        wait_until(lambda day=day: len(day.arrived(server)) >= 2, "the first records", 20)
    server.stop()
    for day in days:
        day.go_on()
    for day in days:
        day.reaches("away")
    server.start()
    for day in days:
        day.go_on()
    for day in days:
        last = day.written()
        wait_until(lambda day=day, last=last: last in numbers(day.arrived(server)), f"record {last} of {day.host}", 60)


@pytest.mark.limit(300)
@pytest.mark.parametrize("kind", list(SERVERS))
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_audit_server_is_away_for_a_day(net, topology, transport, kind):
    """Within the store nothing is lost or reordered; what a full one forced out is counted exactly, and the count arrives.
    Each server understood every field as it was meant."""
    server, where = start_server(net, transport, kind)
    roomy, narrow = days = [Day(net, host, transport, *where) for host in ROOM_KIB]
    live_through_a_day(server, days)
    assert missing(roomy.arrived(server)) == said_gone(roomy.arrived(server)) == 0
    assert missing(narrow.arrived(server)) == said_gone(narrow.arrived(server)) > 5000
    for day in days:
        arrived = day.arrived(server)
        assert REASON in list(records(arrived).values())[1]
        assert day.understood(server) == [as_understood(line) for line in arrived]
        copy = server.directory / day.host
        copy.write_text("\n".join(arrived) + "\n")
        verify(day.directory, copy)
