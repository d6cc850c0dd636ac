# SPDX-License-Identifier: GPL-2.0-or-later
"""Fail closed: whatever process of the packet path is killed or stopped, not one packet of a new flow passes, and
established flows stop within their hold time, enforced by the kernel (Z1, Z6, Z12; invariant F of reliability.md)."""

import os
import signal
import time

import pytest

from lib.traffic import Sink, Source, Stream
from lib.waiting import wait_until

SERVER, PORT = "10.20.0.8", 7000
CROSSING = """
service echo { tcp 7000; udp 7000; }
crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }
"""
STOP_SECONDS = 1.0     # established flows are cut by then
IN_FLIGHT_SECONDS = 0.1  # a packet sent so shortly before was judged already


@pytest.fixture
def traffic(net, make_gateway):
    """A running gateway with UDP and TCP of a permitted flow through it."""
    gateway = make_gateway(CROSSING)
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    stream = Stream(net, "peer-mynumber", SERVER, PORT)
    source = Source(net, "peer-mynumber", SERVER, PORT)
    wait_until(lambda: len(sink.of("flow")) > 20 and len(sink.of("new ")) > 20, "traffic to flow")
    wait_until(lambda: len(stream.echoes) > 5, "the TCP connection to work")
    return gateway, sink, source, stream


def sent_between(items, start, end):
    return [item for item in items if start < item[2] < end]


def received_between(items, start, end):
    return [item for item in items if start < item[3] < end]


def new_flows_pass_since(sink, start):
    return wait_until(lambda: next((x[3] for x in sink.of("new ") if x[2] > start), None), "new flows to pass again", 10)


@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
def test_packets_kill_lets_no_new_flow_pass_and_heals(traffic, role):
    """kill -9: not one new flow until the process is back; back within 1 s."""
    gateway, sink, _, stream = traffic
    killed = gateway.kill(role)
    start = time.monotonic()
    gateway.wait_role(role, other_than=killed, seconds=5)
    respawned = time.monotonic()
    back = new_flows_pass_since(sink, start)
    assert back - start < 1.0, f"new flows passed again only after {back - start:.2f} s"
    # Between the death and the new process nothing can have been judged.
    assert not received_between(sink.of("new "), start + 0.01, respawned - 0.02) or respawned - start < 0.05
    before = len(stream.echoes)
    wait_until(lambda: len(stream.echoes) > before + 5, "the TCP connection to go on", 5)
    assert stream.ended is None


@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
def test_packets_stop_shuts_the_path(traffic, role):
    """SIGSTOP, longer than the supervisor waits is not needed: within 1 s the kernel itself has shut the path."""
    gateway, sink, _, stream = traffic
    [pid] = gateway.pids(role)
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(1.8)
    end = time.monotonic()
    assert gateway.pids(role) == [pid], "the supervisor ended it already: nothing was tried here"
    assert not sent_between(sink.of("new "), start + IN_FLIGHT_SECONDS, end)
    assert not received_between(sink.of("flow"), start + STOP_SECONDS, end), "the established flow went on"
    assert not [t for t in stream.echoes if start + STOP_SECONDS < t < end]
    # Either it goes on after SIGCONT, or the supervisor has replaced it: traffic comes back, the TCP connection too.
    os.kill(pid, signal.SIGCONT)
    new_flows_pass_since(sink, end)
    before = len(stream.echoes)
    wait_until(lambda: len(stream.echoes) > before + 5, "the TCP connection to go on", 10)


def test_packets_supervisor_killed_shuts_the_path_for_good(traffic):
    gateway, sink, _, stream = traffic
    os.kill(gateway.pid, signal.SIGKILL)
    start = time.monotonic()
    time.sleep(2.5)
    end = time.monotonic()
    assert not sent_between(sink.of("new "), start + STOP_SECONDS, end)
    assert not received_between(sink.of("flow"), start + STOP_SECONDS, end)
    assert not [t for t in stream.echoes if start + STOP_SECONDS < t < end]


def test_packets_supervisor_stopped_shuts_the_path(traffic):
    gateway, sink, _, stream = traffic
    os.kill(gateway.pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(2.5)
    end = time.monotonic()
    os.kill(gateway.pid, signal.SIGCONT)
    assert not received_between(sink.of("flow"), start + 1.2, end), "established flows outlived the supervisor"
    wait_until(lambda: [x for x in sink.of("flow") if x[2] > end], "traffic to come back", 10)
    assert stream.ended is None


def test_packets_both_stopped_at_once(traffic):
    """The switch is in the kernel: with both processes stopped nobody of ours does anything, and the path is shut."""
    gateway, sink, _, _ = traffic
    pids = gateway.pids("arbiter") + gateway.pids("netfilter")
    for pid in [gateway.pid, *pids]:
        os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(2.0)
    end = time.monotonic()
    assert not sent_between(sink.of("new "), start + IN_FLIGHT_SECONDS, end)
    assert not received_between(sink.of("flow"), start + STOP_SECONDS, end)
    for pid in [*pids, gateway.pid]:
        os.kill(pid, signal.SIGCONT)


def test_packets_hold_time_lets_established_flows_go_on(net, make_gateway):
    """hold: flows of a business zone outlive a stopped arbiter for the configured time, and no longer."""
    crossing = CROSSING.replace("crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8;",
                                "crossing lgwan internet { permit 10 { source 10.20.0.8; destination 203.0.113.5;")
    gateway = make_gateway(crossing, zone_extra={"lgwan": "hold 3s;", "internet": "hold 3s;"})
    sink = Sink(net, "peer-internet", "203.0.113.5", PORT)
    Source(net, "peer-lgwan", "203.0.113.5", PORT)
    wait_until(lambda: len(sink.of("flow")) > 20, "traffic to flow")
    for pid in [gateway.pid, *gateway.pids("arbiter")]:  # the supervisor too: it would replace the arbiter
        os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(5.0)
    end = time.monotonic()
    os.kill(gateway.pid, signal.SIGCONT)
    assert received_between(sink.of("flow"), start + 1.5, start + 2.5), "the flow did not go on"
    assert not received_between(sink.of("flow"), start + 4.0, end), "the flow went on for too long"
    assert not sent_between(sink.of("new "), start + IN_FLIGHT_SECONDS, end)


def test_packets_kill_ten_times_at_random_moments(traffic):
    """No packet is received that was sent while one of the two was dead; traffic always comes back."""
    gateway, sink, _, _ = traffic
    for i in range(10):
        role = ("arbiter", "netfilter")[i % 2]
        killed = gateway.kill(role)
        gateway.wait_role(role, other_than=killed, seconds=12)
        new_flows_pass_since(sink, time.monotonic())
        time.sleep(0.037 * i)
