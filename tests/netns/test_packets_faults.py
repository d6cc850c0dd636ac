# SPDX-License-Identifier: GPL-2.0-or-later
"""Fail closed: whatever process of the packet path is killed or stopped, not one packet of a new flow passes, and
established flows stop within their hold time, enforced by the kernel (Z1, Z6, Z12; invariant F of reliability.md)."""

import contextlib
import ctypes
import os
import pathlib
import re
import select
import signal
import socket
import time

import pytest

from lib.rules import counter
from lib.traffic import Sink, Source, Stream
from lib.waiting import kept_within, wait_until

SERVER, PORT = "10.20.0.8", 7000
CROSSING = """
service echo { tcp 7000; udp 7000; }
crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }
"""
STOP_SECONDS = 1.0     # established flows are cut by then
KILLS = int(os.environ.get("KILLS") or 10)
PIDFD_GETFD = 438       # the same number on every architecture
FD_EVENTS = 4           # the highest that a process has from its start
KILLED_SECONDS = 0.01    # who is killed is dead by then
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


def born(pid):
    """When a process was started, on the monotonic clock: a tick too early at most, or what goes by between the two clocks."""
    ticks = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return time.monotonic() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def nobody_else_until(gateway, role, pids):
    """Until when nobody did the work of a stopped process: now, or when the supervisor, which ends it after two seconds, has
    begun another."""
    now = time.monotonic()
    return min([now, *(born(other) for other in gateway.pids(role) if other not in pids)])


@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
def test_packets_kill_lets_no_new_flow_pass_and_heals(traffic, role):
    """kill -9: not one new flow until the process is back; back within 1 s."""
    gateway, sink, _, stream = traffic

    def heal():
        killed = gateway.kill(role)
        start = time.monotonic()
        respawned = born(gateway.wait_role(role, other_than=killed))
        back = new_flows_pass_since(sink, start)
        # Between the death and the new process nothing can have been judged.
        assert not [x for x in sink.of("new ") if start + KILLED_SECONDS < x[2] and x[3] < respawned]
        return back - start

    kept_within(heal, 1.0)
    before = len(stream.echoes)
    wait_until(lambda: len(stream.echoes) > before + 5, "the TCP connection to go on", 5)
    assert stream.ended is None


@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
def test_packets_stop_shuts_the_path(traffic, role):
    """SIGSTOP, longer than the supervisor waits is not needed: within 1 s the kernel itself has shut the path."""
    gateway, sink, _, stream = traffic
    pids = gateway.pids(role)   # one, or one of each queue
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(1.8)
    end = nobody_else_until(gateway, role, pids)
    assert end > start + STOP_SECONDS + 0.5, "the supervisor ended it already: nothing was tried here"
    assert not sent_between(sink.of("new "), start + IN_FLIGHT_SECONDS, end)
    assert not received_between(sink.of("flow"), start + STOP_SECONDS, end), "the established flow went on"
    assert not [t for t in stream.echoes if start + STOP_SECONDS < t < end]
    # Either it goes on after SIGCONT, or the supervisor has replaced it: traffic comes back, the TCP connection too.
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
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


@pytest.mark.limit(60 + 12 * KILLS)
def test_packets_kill_many_times_at_random_moments(traffic):
    """kill -9 of arbiter and netfilter in turn: traffic always comes back, and the connection lives through all of it. The long form:
    KILLS=1000."""
    gateway, sink, _, stream = traffic
    for i in range(KILLS):
        role = ("arbiter", "netfilter")[i % 2]
        killed = gateway.kill(role)
        gateway.wait_role(role, other_than=killed, seconds=12)
        new_flows_pass_since(sink, time.monotonic())
        time.sleep(0.037 * (i % 10))
    before = len(stream.echoes)
    wait_until(lambda: len(stream.echoes) > before + 5, "the TCP connection to go on", 20)
    assert stream.ended is None


WIDE_GUARD = "guard { source-rate 1000000/s; source-connections 0; scan-ports 0; scan-hosts 0; denied-rate 1000000/s; }"


def queue_losses(net, gateway, zone):
    """What the kernel counts of a zone's packet queues: dropped because they were full, or had no reader with room."""
    shown = net.run(gateway.zone_namespace(zone), "cat", "/proc/net/netfilter/nfnetlink_queue").stdout
    return sum(int(line.split()[5]) + int(line.split()[6]) for line in shown.splitlines())


def told(gateway, event, *parts):
    """The sum of `count` over the events of a name."""
    return sum(int(re.search(r'count="(\d+)"', line)[1]) for line in gateway.audit_lines()
               if f" {event} " in line and all(p in line for p in parts))


@pytest.mark.limit(120)
def test_packets_queue_overflow_is_counted_and_told(net, make_gateway):
    """Z12, Z14: while nobody takes packets from the queue it fills up. What is over is dropped, never let pass; an event tells how many,
    exactly; afterwards new flows pass again."""
    gateway = make_gateway(CROSSING, zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    stopped = [gateway.pid, *gateway.pids("netfilter")]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    before = counter(net, gateway, "mynumber", "queued")
    for sent in range(1, 7001):
        with net.socket("peer-mynumber", kind=socket.SOCK_DGRAM) as one:
            one.bind(("10.10.0.5", 9999 + sent))
            one.sendto(b"over" + bytes(12), (SERVER, PORT))
        if sent % 500 == 0:     # a busy kernel has room for 1,000 on the way to its rules
            wait_until(lambda n=sent: counter(net, gateway, "mynumber", "queued") >= before + n, "the packets to come to the queue")
    lost = queue_losses(net, gateway, "mynumber")
    for pid in reversed(stopped):
        os.kill(pid, signal.SIGCONT)
    assert lost >= 7000 - 4096
    wait_until(lambda: told(gateway, "queue-overrun", 'zone="mynumber"', 'reason="queue full"') +
               told(gateway, "queue-overrun", 'zone="mynumber"', "no room towards netfilter") == lost, f"events about {lost} packets", 30)
    source = Source(net, "peer-mynumber", SERVER, PORT)
    wait_until(lambda: len(sink.of("new ")) > 10 and source.sent > 10, "new flows to pass", 20)
    assert len(sink.of("over")) <= 7000 - lost


def link_of(gateway, role):
    """A second descriptor of the socket by which arbiter and netfilter talk: of the unix sockets the one that came later."""
    libc = ctypes.CDLL(None, use_errno=True)
    pid = gateway.pids(role)[0]
    process = os.pidfd_open(pid)
    try:
        for fd in (int(name) for name in os.listdir(f"/proc/{pid}/fd")):
            if fd <= FD_EVENTS or not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
                continue
            copy = socket.socket(fileno=libc.syscall(PIDFD_GETFD, process, fd, 0))
            if copy.family == socket.AF_UNIX:
                return copy
            copy.close()
    finally:
        os.close(process)
    raise AssertionError(f"{role} has no link")


@pytest.mark.parametrize("liar, judge", [("netfilter", "arbiter"), ("arbiter", "netfilter")])
def test_packets_a_link_that_is_closed_for_a_violation_is_made_anew(traffic, liar, judge):
    """What is no message on the link: who closes it ends and is begun anew, with a new link, and flows pass again."""
    gateway, sink, _, _ = traffic
    before = gateway.pids(judge)
    with link_of(gateway, liar) as link:
        wait_until(lambda: select.select([], [link], [], 0)[1], "room in the link")
        link.send(b"no message")
    gateway.wait_event("channel-violation", f'process="{liar}"', seconds=10)
    gateway.wait_role(judge, other_than=before, seconds=20)
    new_flows_pass_since(sink, time.monotonic())
