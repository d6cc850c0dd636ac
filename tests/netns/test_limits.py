# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of a permit, for all its sources together (Z14): flows at one time, new flows in a time; what is over them is denied, and
the record names the permit."""

import itertools
import re
import socket

import pytest

from lib.first_payload import Responder
from lib.traffic import Sink
from lib.waiting import wait_until

SERVER, SERVER6 = "10.20.0.8", "fd00:20::8"


def policy(limit, service="tcp 7000; udp 7000;"):
    return f"""
service echo {{ {service} }}
service other {{ tcp 7001; }}
crossing mynumber lgwan {{
    permit 10 {{ destination 10.20.0.8 fd00:20::8; service echo; limit {{ {limit} }} log; }}
    permit 20 {{ destination 10.20.0.8; service other; }}
}}
"""


def is_open(net, host=SERVER, port=7000):
    return net.reaches("peer-mynumber", host, port)


def hold(net, count, host=SERVER, port=7000):
    held = [net.connect("peer-mynumber", host, port) for _ in range(count)]
    net.on_close(lambda: [one.close() for one in held])
    return held


def counted(net, gateway):
    """Packets that were refused by a verdict."""
    shown = net.run(gateway.zone_namespace("mynumber"), "nft", "list", "counter", "inet", "sekisho", "denied").stdout
    return int(re.search(r"packets (\d+)", shown)[1])


def commit(gateway, *lines):
    with gateway.console(timeout=30) as console:
        console.expect(console.PROMPT)
        for line in ("configure", *lines):
            console.run(line)
        said = console.run("commit")
        assert "committed" in said, said


def again(gateway, role):
    """Kill a process and wait until the next one is ready, and judges."""
    killed = gateway.kill(role)
    gateway.wait_answering(role, other_than=killed, seconds=15)


def all_echo(held):
    for one in held:
        one.settimeout(10)
        one.send(b"still there?")
        assert one.recv(100) == b"still there?"


def test_limits_sixth_connection_is_denied_until_one_has_ended(net, topology, make_gateway):
    """Z14: with connections 5 the sixth is refused, by a record that names the permit; the five go on; one that ends makes room.
    IPv4 and IPv6 count together, other permits are not touched."""
    gateway = make_gateway(policy("connections 5;"))
    for host in (SERVER, SERVER6):
        Sink(net, "peer-lgwan", host, 7000)
    Sink(net, "peer-lgwan", SERVER, 7001)
    held = hold(net, 3) + hold(net, 2, SERVER6)
    assert not is_open(net) and not is_open(net, SERVER6)
    line = gateway.wait_event(" flow-denied ", 'reason="limit-connections"', 'src="10.10.0.5"', seconds=15)
    assert ' permit="10"' in line
    gateway.wait_event(" flow-denied ", 'reason="limit-connections"', 'dst="fd00:20::8"', seconds=15)
    wait_until(lambda: len([x for x in gateway.audit_lines() if " flow-permitted " in x]) == 5, "a record of each")
    hold(net, 8, port=7001)
    all_echo(held)
    held.pop(0).close()
    wait_until(lambda: is_open(net, SERVER6), "a connection after one has ended", 20)


@pytest.mark.limit(120)
def test_limits_hold_over_commits_and_restarts(net, topology, make_gateway):
    """Z14, C2: the count is of the flows that there are, whatever process was killed or policy was committed since."""
    gateway = make_gateway(policy("connections 5;"))
    Sink(net, "peer-lgwan", SERVER, 7000)
    held = hold(net, 5)
    assert not is_open(net)
    commit(gateway, "set crossing mynumber lgwan permit 5 destination 10.20.0.99", "set crossing mynumber lgwan permit 5 service other")
    assert not is_open(net)
    for role in ("netfilter", "arbiter"):
        again(gateway, role)
        all_echo(held)
        assert not is_open(net), role
    commit(gateway, "set crossing mynumber lgwan permit 10 limit connections 6")
    held += hold(net, 1)
    assert not is_open(net)
    commit(gateway, "set crossing mynumber lgwan permit 10 limit connections 2")
    all_echo(held)
    for one in held[:4]:
        one.close()
        assert not is_open(net)
    held[4].close()
    wait_until(lambda: is_open(net), "a connection below the lower limit", 20)


@pytest.mark.parametrize("family", [4, 6])
def test_limits_new_flows_of_all_sources_are_counted_together(net, topology, make_gateway, family):
    """Z14: with rate 5/m five flows pass, whoever begins them; a commit gives no new ones, neither does a killed netfilter."""
    gateway = make_gateway(policy("rate 5/m;"))
    host = SERVER if family == 4 else SERVER6
    sink = Sink(net, "peer-lgwan", host, 7000)
    source = "10.10.0.77" if family == 4 else "fd00:10:0:0:1::77"
    net.address("peer-mynumber", "port", f"{source}/{24 if family == 4 else 64}")
    kind = socket.AF_INET if family == 4 else socket.AF_INET6

    ports = itertools.count(20000)  # none twice, as the kernel may choose them: that would be no new flow

    def begin(number):
        with net.socket("peer-mynumber", kind, socket.SOCK_DGRAM) as one:
            one.bind((source if number % 2 else "", next(ports)))
            one.sendto(b"new " + bytes(12), (host, 7000))

    def denied():
        lines = [x for x in gateway.audit_lines() if 'reason="limit-rate"' in x and ' permit="10"' in x]
        return sum(int(x.split('count="')[1].split('"')[0]) for x in lines)

    for number in range(12):
        begin(number)
    wait_until(lambda: denied() >= 2, "a refusal of each source", 15)
    wait_until(lambda: len(sink.got) >= 5, "what the limit lets through")
    assert len(sink.got) == 5
    Sink(net, "peer-lgwan", SERVER, 7001)
    commit(gateway, "set crossing mynumber lgwan permit 20 limit connections 50")
    refused = counted(net, gateway)
    begin(12)
    wait_until(lambda: counted(net, gateway) == refused + 1, "a refusal after the commit", 15)
    again(gateway, "netfilter")
    wait_until(lambda: is_open(net, port=7001), "verdicts of the next netfilter", 15)
    for number in range(8):
        begin(number)
    wait_until(lambda: denied() + len(sink.got) == 21, "all in records, by their first line or a summary", 40)
    assert len(sink.got) <= 9  # the pace is one in twelve seconds
    wait_until(lambda: len([x for x in gateway.audit_lines() if " flow-permitted " in x]) == len(sink.got), "a record of each")


def test_limits_hold_for_flows_that_have_something_to_show(net, topology, make_gateway):
    """Z8, Z14: under `conform` a flow counts from its first packet, also while it has shown nothing yet."""
    gateway = make_gateway(policy("connections 2;", "tcp 7000; conform http;"))
    Responder(net, topology.zones["lgwan"].namespace, SERVER, 7000, answer=b"HTTP/1.0 204 no\r\n\r\n")
    silent = hold(net, 2)
    assert not is_open(net)
    gateway.wait_event(" flow-denied ", 'reason="limit-connections"', ' permit="10"', seconds=15)
    for one in silent:
        one.settimeout(10)
        one.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        assert one.recv(100).startswith(b"HTTP/1.0 204")
    assert not is_open(net)
    wait_until(lambda: len([x for x in gateway.audit_lines() if " flow-permitted " in x]) == 2, "both in the log", 15)
