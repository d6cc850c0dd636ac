# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets divided over several queues, each with a netfilter process and an arbiter of its own (Z14, ADR 414): who began a flow stays
with one of them, what is counted is counted over all, and one that is dead shuts its share and no other."""

import contextlib
import os
import random
import re
import signal
import socket
import threading
import time

import pytest

from lib import processes
from lib.net import Background
from lib.traffic import PACKET, Sink, Source, Stream
from lib.waiting import kept_within, wait_until

SERVER, SERVER6, PORT = "10.20.0.8", "fd00:20::8", 7000
STATIONS = [f"10.10.0.{number}" for number in range(20, 28)]   # in every share some, of two or of three
WIDE_GUARD = "guard { source-rate 1000000/s; source-connections 0; scan-ports 0; scan-hosts 0; denied-rate 1000000/s; }"
BOTH = pytest.mark.parametrize("queues", [2, 3])
HEAL_SECONDS = 1.0
IN_FLIGHT_SECONDS = 0.1     # a packet sent so shortly before was judged already
STANDS_SECONDS = 1.0        # less than the supervisor waits for a process that stands
FIRST_SECONDS = 0.4         # NETFILTER_FIRST_MS: after which a share is shut that hears nothing of the first process
STOP_SECONDS = 1.0          # established flows are cut by then
ISOLATED_SECONDS = 1.0      # promised from the order to the last packet (Z11)
SILENT_SECONDS = 2.0        # after which the supervisor ends a process that does not answer, but for one that takes in a policy
KILLED_COMMITS = 12         # of commits, with a kill each
QUEUE_LENGTH = 4096         # packets that the kernel keeps in a queue
OTHER = "10.20.0.9"         # where a commit leads to instead of SERVER


def policy(queues, more=""):
    return f"""
service echo {{ tcp 7000; udp 7000; }}
crossing mynumber lgwan {{ queues {queues}; permit 10 {{ destination {SERVER} {SERVER6}; service echo; {more} }} }}
"""


@pytest.fixture
def stations(net, topology):
    """Addresses of one host, which come from every share."""
    net.address("peer-mynumber", "port", *(f"{one}/24" for one in STATIONS))
    return STATIONS


def share_of(address, queues):
    """The last byte says whose it is."""
    return int(address.rpartition(".")[2]) % queues


def of_share(share, queues):
    return next(one for one in STATIONS if share_of(one, queues) == share)


def judged(net, gateway, zone="mynumber"):
    """{queue: packets that it has taken so far} of a zone's namespace."""
    shown = net.run(gateway.zone_namespace(zone), "cat", "/proc/net/netfilter/nfnetlink_queue").stdout
    return {int(line.split()[0]): int(line.split()[7]) for line in shown.splitlines()}


def send_new(net, source, count, first=20000, kind=b"each", pause=0.0):
    """So many new flows of one packet, each from another port of a source."""
    for port in range(first, first + count):
        with net.socket("peer-mynumber", kind=socket.SOCK_DGRAM) as one:
            one.bind((source, port))
            one.sendto(PACKET.pack(kind, port, time.monotonic()), (SERVER, PORT))
        time.sleep(pause)


class Knocking:
    """New flows of one station, some hundred a second, told apart by their kind."""

    def __init__(self, net, source, kind):
        self.over, self.kind = threading.Event(), kind
        self.thread = threading.Thread(target=self._send, args=(net, source))
        self.thread.start()
        net.on_close(self.stop)

    def _send(self, net, source):
        first = 20000
        while not self.over.is_set():
            send_new(net, source, 20, first, self.kind.encode(), 0.005)
            first = first + 20 if first < 60000 else 20000

    def stop(self):
        self.over.set()
        self.thread.join(30)


@BOTH
def test_packets_queues_a_source_stays_with_one(net, stations, make_gateway, queues):
    """Every packet of a source goes into one queue, whatever its ports, in both directions; sources are divided."""
    gateway = make_gateway(policy(queues), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    assert len(gateway.pids("arbiter")) == len(gateway.pids("netfilter")) == queues
    for source in stations:
        before = judged(net, gateway)
        send_new(net, source, 30)
        wait_until(lambda b=before: sum(judged(net, gateway).values()) >= sum(b.values()) + 30, "thirty packets in queues")
        more = {queue: count - before[queue] for queue, count in judged(net, gateway).items() if count != before[queue]}
        assert more == {1 + share_of(source, queues): 30}
    wait_until(lambda: len(sink.of("each")) == 30 * len(stations), "all of them to arrive")


@BOTH
def test_packets_queues_hosts_of_one_prefix_stay_together(net, topology, make_gateway, queues):
    """An IPv6 source is a /64 (ADR 409): its hosts are counted together, so they are with one arbiter."""
    gateway = make_gateway(policy(queues), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER6, PORT)
    prefix = topology.zones["mynumber"].peer6.rpartition("::")[0]
    hosts = [f"{prefix}::{number:x}" for number in range(0x60, 0x66)]
    net.address("peer-mynumber", "port", *(f"{one}/64" for one in hosts))
    before = judged(net, gateway)
    for host in hosts:
        with net.socket("peer-mynumber", socket.AF_INET6, socket.SOCK_DGRAM) as one:
            wait_until(lambda o=one, h=host: bound(o, h), "the address to be usable")
            one.sendto(PACKET.pack(b"each", 0, 0.0), (SERVER6, PORT))
    wait_until(lambda: len(sink.of("each")) == len(hosts), "a packet of each")
    assert sum(after != before[queue] for queue, after in judged(net, gateway).items()) == 1


def bound(one, host):
    with contextlib.suppress(OSError):
        one.bind((host, 0))
        return True
    return False


def test_packets_queues_zones_with_listed_stations_have_one_each(net, topology, make_gateway):
    """A source is a station there, whatever its addresses (Z7, ADR 409), so all of the zone's packets go into one queue."""
    mac = topology.zones["mynumber"].mac
    gateway = make_gateway(policy(2), zone_extra={"mynumber": f"station-policy enforce; station {mac}; {WIDE_GUARD}"})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    net.address("peer-mynumber", "port", *(f"{one}/24" for one in STATIONS))
    before = judged(net, gateway)
    for source in STATIONS:
        send_new(net, source, 5)
    wait_until(lambda: len(sink.of("each")) == 5 * len(STATIONS), "all of them to arrive")
    assert sum(after != before[queue] for queue, after in judged(net, gateway).items()) == 1


@pytest.mark.limit(120)
@BOTH
@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
def test_packets_queues_one_that_stands_shuts_its_share_alone(net, stations, make_gateway, queues, role):
    """F: while a process of one share does nothing, no new flow of its sources passes and nobody takes them over; those of the others
    go on. It is ended and begun anew, and all is as before."""
    gateway = make_gateway(policy(queues), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    kinds = {f"fr{share} ": share for share in range(queues)}
    for kind, share in kinds.items():
        Knocking(net, of_share(share, queues), kind)
    wait_until(lambda: all(len(sink.of(kind)) > 20 for kind in kinds), "new flows of every share")
    pid = share_process(gateway, role, queues - 1)
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(STANDS_SECONDS)
    end = time.monotonic()
    assert pid in gateway.pids(role), "the supervisor ended it already: nothing was tried here"
    for kind, share in kinds.items():
        passed = [x for x in sink.of(kind) if start + IN_FLIGHT_SECONDS < x[2] < end - IN_FLIGHT_SECONDS and x[3] < end]
        assert bool(passed) == (share != queues - 1), f"share {share}: {len(passed)} new flows"
    gateway.wait_role(role, other_than=[pid], seconds=20)   # it stands for too long
    back = time.monotonic()
    wait_until(lambda: all([x for x in sink.of(kind) if x[2] > back] for kind in kinds), "new flows of every share", 20)
    assert len(gateway.pids(role)) == queues


def share_process(gateway, role, share):
    """The process of a share: a new gateway starts them in their order."""
    return sorted(gateway.pids(role))[share]


@pytest.mark.limit(120)
@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
@pytest.mark.parametrize("share", [0, 1])
def test_packets_queues_one_that_is_killed_heals_and_cuts_nothing(net, stations, make_gateway, role, share):
    """kill -9 of one of two: new flows of its share are back within a second; established flows of both, and new ones of the other, go
    on."""
    gateway = make_gateway(policy(2), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    streams = [Stream(net, "peer-mynumber", SERVER, PORT, source=of_share(one, 2)) for one in (0, 1)]
    for one in (0, 1):
        Knocking(net, of_share(one, 2), f"fr{one} ")
    wait_until(lambda: len(sink.of("fr0 ")) > 20 and len(sink.of("fr1 ")) > 20, "new flows of both shares")
    killed = share_process(gateway, role, share)

    def heal():
        nonlocal killed
        before = gateway.pids(role)
        os.kill(killed, signal.SIGKILL)
        start = time.monotonic()
        killed = gateway.wait_role(role, other_than=before)
        return wait_until(lambda: next((x[3] for x in sink.of(f"fr{share} ") if x[2] > start + IN_FLIGHT_SECONDS), None),
                          "new flows of its share", 20) - start - IN_FLIGHT_SECONDS

    kept_within(heal, HEAL_SECONDS)
    before = [len(stream.echoes) for stream in streams]
    wait_until(lambda: all(len(stream.echoes) > b + 5 for stream, b in zip(streams, before)), "both connections to go on")
    assert not any(stream.ended for stream in streams)
    died = [line for line in gateway.audit_lines() if " process-died " in line]
    assert died and all(('share="1"' in line) == (share == 1) for line in died), died


@BOTH
def test_packets_queues_a_scan_is_counted_exactly(net, stations, make_gateway, queues):
    """Z11: of one source the port that makes it a scan raises the alarm, and none before, in whatever share it is."""
    guard = "guard { scan-ports 20; scan-hosts 0; window 300s; source-rate 1000000/s; denied-rate 1000000/s; }"
    gateway = make_gateway(policy(queues), zone_extra={"mynumber": guard})

    def knock(source, first, count):
        for port in range(first, first + count):
            with net.socket("peer-mynumber", kind=socket.SOCK_DGRAM) as one:
                one.bind((source, 0))
                one.sendto(b"knock", (SERVER, port))
    for source in stations:
        knock(source, 100, 19)
    told = wait_until(lambda: denials(gateway) >= 19 * len(stations) or None, "all of them to be denied", 30)
    assert told and not [line for line in gateway.audit_lines() if " scan-detected " in line]
    for source in stations[:queues]:
        knock(source, 200, 1)
    for source in stations[:queues]:
        gateway.wait_event(" scan-detected ", f'src="{source}"', 'detail="port-scan"', 'count="20"', seconds=10)
    assert len([line for line in gateway.audit_lines() if " scan-detected " in line]) == queues


def denials(gateway):
    """Packets that records say were denied."""
    counts = (re.search(r' count="(\d+)"', line) for line in gateway.audit_lines() if " flow-denied " in line or " flows-denied " in line)
    return sum(int(found[1]) for found in counts if found)


@pytest.mark.limit(120)
@BOTH
def test_packets_queues_limits_are_exact_over_all(net, stations, make_gateway, queues):
    """Z14: with connections 20 as many are let in, whoever begins them, all at once from every share; a killed process of a share and
    a commit make no room, and one that ends makes room for one."""
    gateway = make_gateway(policy(queues, "limit { connections 20; } log;"), zone_extra={"mynumber": WIDE_GUARD})
    Sink(net, "peer-lgwan", SERVER, PORT)
    held = storm(net, stations, 8)
    assert len(held) == 20
    pid = share_process(gateway, "netfilter", queues - 1)
    others = gateway.pids("netfilter")
    os.kill(pid, signal.SIGKILL)
    gateway.wait_answering("netfilter", other_than=others, seconds=15)
    wait_until(lambda: refused(net, of_share(queues - 1, queues)), "the share to judge again", 20)
    assert not storm(net, stations, 1)
    with gateway.console() as console:
        console.expect(console.PROMPT)
        console.run("configure")
        console.run("set crossing mynumber lgwan permit 10 comment again")
        assert "committed" in console.run("commit", timeout=30)
    assert not storm(net, stations, 1)
    held.pop().close()
    wait_until(lambda: one_more(net, stations, held), "room for one", 20)
    assert not storm(net, stations, 1)
    for one in held:
        one.settimeout(10)
        one.send(b"still there?")
        assert one.recv(100) == b"still there?"


def storm(net, stations, each):
    """Connections that so many attempts of every station at one time bring."""
    held = []

    def connect(source):
        with contextlib.suppress(OSError):
            held.append(net.connect("peer-mynumber", SERVER, PORT, source=source))
    threads = [threading.Thread(target=connect, args=(source,)) for source in stations for _ in range(each)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    net.on_close(lambda: [one.close() for one in held])
    return held


def refused(net, source):
    """Whether an attempt is answered by a refusal, not by silence."""
    try:
        net.connect("peer-mynumber", SERVER, PORT, source=source).close()
    except TimeoutError:
        return False
    except OSError:
        return True
    raise AssertionError("a connection over the limit")


def one_more(net, stations, held):
    got = storm(net, stations[:1], 1)
    held.extend(got)
    return got


@pytest.mark.limit(150)
def test_packets_queues_change_by_commits_under_load(net, stations, make_gateway):
    """C2: a commit may change the number of queues: what runs goes on without a packet that is sent again, new flows go on too, and
    there are as many processes as the policy needs."""
    gateway = make_gateway(policy(1), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    streams = [Stream(net, "peer-mynumber", SERVER, PORT, source=one) for one in stations[:4]]
    source = Source(net, "peer-mynumber", SERVER, PORT)
    Knocking(net, stations[1], "kept")
    wait_until(lambda: sink.of("flow") and sink.of("kept"), "traffic to flow")
    with gateway.console() as console:
        console.expect(console.PROMPT)
        for queues in (2, 3, 8, 1, 2):
            console.run("configure")
            console.run(f"set crossing mynumber lgwan queues {queues}")
            said = console.run("commit", timeout=60)
            assert "committed" in said, said
            console.run("exit")
            assert "NOT AS" not in console.run("show rules | match policy | no-more", timeout=60)
            done = time.monotonic()
            for role in ("arbiter", "netfilter"):
                wait_until(lambda r=role, q=queues: len(gateway.pids(r)) == q, f"{queues} processes of {role}", 10)
            wait_until(lambda t=done: [x for x in sink.of("kept") if x[2] > t], "new flows")
    source.end()
    wait_until(lambda: len(sink.of("flow")) == source.sent, "every packet of the established flow")
    before = [len(stream.echoes) for stream in streams]
    wait_until(lambda: all(len(stream.echoes) > b + 5 for stream, b in zip(streams, before)), "the connections to go on")
    assert not any(stream.ended for stream in streams)
    assert not [line for line in gateway.audit_lines() if " process-died " in line or " channel-violation " in line]


def test_packets_queues_a_withdrawn_permit_denies_in_every_share(net, stations, make_gateway):
    """Z1: what a commit permits no longer is denied by every arbiter, and recorded."""
    gateway = make_gateway(policy(3), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    for source in stations[:3]:
        send_new(net, source, 5)
    wait_until(lambda: len(sink.of("each")) == 15, "packets of every share")
    with gateway.console() as console:
        console.expect(console.PROMPT)
        console.run("configure")
        console.run(f"set crossing mynumber lgwan permit 10 destination 10.20.0.99")
        console.run(f"delete crossing mynumber lgwan permit 10 destination {SERVER}")
        assert "committed" in console.run("commit", timeout=30)
    for source in stations[:3]:
        send_new(net, source, 5, 30000, b"deny")
    wait_until(lambda: denials(gateway) >= 15, "records of what is denied", 30)
    assert not sink.of("deny")


@pytest.mark.limit(120)
@BOTH
def test_packets_queues_isolation_shuts_every_share_within_a_second(net, stations, make_gateway, queues):
    """Z11: a second after the order nothing of any share arrives, neither of new flows nor of established ones; restored, all of them
    are judged again."""
    gateway = make_gateway(policy(queues), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    streams = [Stream(net, "peer-mynumber", SERVER, PORT, source=of_share(share, queues)) for share in range(queues)]
    kinds = {f"fr{share} ": share for share in range(queues)}
    for kind, share in kinds.items():
        Knocking(net, of_share(share, queues), kind)
    wait_until(lambda: all(len(sink.of(kind)) > 20 for kind in kinds) and all(len(one.echoes) > 5 for one in streams), "traffic of every share")
    with gateway.console() as console:
        console.expect(console.PROMPT)
        begin = time.monotonic()
        console.send("isolate zone mynumber 不審な通信\r")
        console.expect("isolated")
        console.expect(console.PROMPT)
        time.sleep(max(0.0, begin + ISOLATED_SECONDS - time.monotonic()) + 1.0)
        last = max([x[3] for kind in kinds for x in sink.of(kind)] + [t for one in streams for t in one.echoes])
        assert last - begin < ISOLATED_SECONDS
        assert "restored" in console.run("restore zone mynumber")
    back = time.monotonic()
    wait_until(lambda: all([x for x in sink.of(kind) if x[2] > back] for kind in kinds), "new flows of every share", 20)


@pytest.mark.limit(90)
def test_packets_queues_without_the_first_process_no_share_judges(net, stations, make_gateway):
    """F: the process that holds rules and leases stands: no share lets a new flow pass without it, and established flows of every
    share end, by the kernel itself."""
    gateway = make_gateway(policy(3), zone_extra={"mynumber": WIDE_GUARD})
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    streams = [Stream(net, "peer-mynumber", SERVER, PORT, source=of_share(share, 3)) for share in range(3)]
    for share in range(3):
        Knocking(net, of_share(share, 3), f"fr{share} ")
    wait_until(lambda: all(len(sink.of(f"fr{share} ")) > 20 for share in range(3)), "new flows of every share")
    pid = share_process(gateway, "netfilter", 0)
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(1.7)
    end = time.monotonic()
    assert pid in gateway.pids("netfilter"), "the supervisor ended it already: nothing was tried here"
    for share in range(3):
        assert not [x for x in sink.of(f"fr{share} ") if start + FIRST_SECONDS + IN_FLIGHT_SECONDS < x[2] and x[3] < end], share
    assert not [t for stream in streams for t in stream.echoes if start + STOP_SECONDS < t < end]
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: all([x for x in sink.of(f"fr{share} ") if x[2] > end] for share in range(3)), "new flows of every share", 20)


@pytest.mark.limit(90)
def test_packets_queues_one_silent_arbiter_ends_established_flows_of_its_share(net, stations, make_gateway):
    """F: the lease of established flows is given only while every arbiter answers. Without it each packet is judged: those of the
    share that has nobody to judge end, within the same time as with one queue, and those of the others go on."""
    gateway = make_gateway(policy(2), zone_extra={"mynumber": WIDE_GUARD})
    Sink(net, "peer-lgwan", SERVER, PORT)
    streams = [Stream(net, "peer-mynumber", SERVER, PORT, source=of_share(share, 2)) for share in range(2)]
    wait_until(lambda: all(len(stream.echoes) > 5 for stream in streams), "connections of both shares")
    pid = share_process(gateway, "arbiter", 1)
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(1.7)
    end = time.monotonic()
    assert pid in gateway.pids("arbiter"), "the supervisor ended it already: nothing was tried here"
    passed = [[t for t in stream.echoes if start + STOP_SECONDS < t < end] for stream in streams]
    assert passed[0] and not passed[1]
    os.kill(pid, signal.SIGCONT)
    before = [len(stream.echoes) for stream in streams]
    wait_until(lambda: all(len(stream.echoes) > b + 5 for stream, b in zip(streams, before)), "both connections to go on", 20)


class Committing:
    """A commit that waits for a process that stands. Several lines, each one typed before."""

    def __init__(self, net, gateway, *lines):
        self.console, self.said = gateway.open_console(), None
        self.console.edit(*lines)
        self.thread = threading.Thread(target=self._commit)
        self.thread.start()
        net.on_close(self.end)

    def _commit(self):
        self.said = self.console.run("commit", timeout=60)

    def end(self):
        self.thread.join(90)
        return self.said


def stand_in_prepare(gateway, role, share):
    """A process of a share stands; once it has been left alone for longer than who only does not answer, a commit waits for it."""
    pid = share_process(gateway, role, share)
    os.kill(pid, signal.SIGSTOP)
    return pid, time.monotonic() + 2 * SILENT_SECONDS


def is_waited_for(gateway, role, pid, until):
    time.sleep(max(0.0, until - time.monotonic()))
    return pid in gateway.pids(role)


def permitted(net, source, server):
    """Whether a connection is let through; a refusal and silence are none. Both addresses are of a host that listens."""
    try:
        net.connect("peer-mynumber", server, PORT, timeout=3.0, source=source).close()
    except OSError:
        return False
    return True


def one_policy(net, queues):
    """The one of both servers that a source of every share reaches, and no other; None: they do not agree yet."""
    reached = {server: [permitted(net, of_share(share, queues), server) for share in range(queues)] for server in (SERVER, OTHER)}
    if all(reached[SERVER]) and not any(reached[OTHER]):
        return SERVER
    return OTHER if all(reached[OTHER]) and not any(reached[SERVER]) else None


def both_servers(net):
    net.address("peer-lgwan", "port", f"{OTHER}/24")
    for server in (SERVER, OTHER):
        Sink(net, "peer-lgwan", server, PORT)


def lead_to(server):
    other = SERVER if server == OTHER else OTHER
    return f"set crossing mynumber lgwan permit 10 destination {server}", f"delete crossing mynumber lgwan permit 10 destination {other}"


@pytest.mark.limit(150)
@pytest.mark.parametrize("role", ["arbiter", "netfilter"])
def test_packets_queues_a_share_that_dies_while_it_prepares_leaves_the_policy_before(net, stations, make_gateway, role):
    """C2: the commit is refused, says why, and nothing of it is in force in any share; the same commit afterwards is, in all."""
    gateway = make_gateway(policy(2).replace(SERVER6, ""), zone_extra={"mynumber": WIDE_GUARD})
    both_servers(net)
    wait_until(lambda: one_policy(net, 2) == SERVER, "the policy")
    pid, until = stand_in_prepare(gateway, role, 1)
    commit = Committing(net, gateway, *lead_to(OTHER))
    assert is_waited_for(gateway, role, pid, until), "no commit waited for it: nothing was tried here"
    os.kill(pid, signal.SIGKILL)
    said = commit.end()
    assert "committed" not in said and f"{role} died while it prepared the policy" in said, said
    gateway.wait_event("policy-refused", f"{role} died")
    wait_until(lambda: one_policy(net, 2) == SERVER, "the policy before, in both shares", 20)
    rules = commit.console.run("show rules | match policy | no-more", timeout=60)
    assert rules and "NOT AS" not in rules
    assert "committed" in commit.console.run("commit", timeout=60)
    wait_until(lambda: one_policy(net, 2) == OTHER, "the new policy, in both shares", 20)


@pytest.mark.limit(240)
def test_packets_queues_commits_among_kills_are_whole_or_refused(net, stations, make_gateway):
    """C2, F: while processes of both shares are killed at any moment, a commit is in force in both or in none, as its answer says."""
    chance = random.Random(414)
    gateway = make_gateway(policy(2).replace(SERVER6, ""), zone_extra={"mynumber": WIDE_GUARD})
    both_servers(net)
    wait_until(lambda: one_policy(net, 2) == SERVER, "the policy")
    force, outcomes = SERVER, []
    console = gateway.open_console()
    console.run("configure")
    for turn in range(KILLED_COMMITS):
        wanted = OTHER if force == SERVER else SERVER
        for line in lead_to(wanted):
            console.run(line)
        killer = threading.Timer(chance.uniform(0.0, 0.3), kill_one, (gateway, chance, turn))
        killer.start()
        said = console.run("commit", timeout=60)
        killer.join()
        outcomes.append("committed" in said)
        if outcomes[-1]:
            force = wanted
        else:
            assert "died" in said or "not ready" in said, said
            console.run("discard")
        wait_until(lambda: one_policy(net, 2) == force, f"the policy that leads to {force}, in both shares (turn {turn}: {said})", 20)
    assert "NOT AS" not in console.run("run show rules | match policy | no-more", timeout=60)
    assert any(outcomes)
    assert not [line for line in gateway.audit_lines() if " channel-violation " in line]


def kill_one(gateway, chance, turn):
    """One process of the packet path, each role in its turn."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(gateway.pids(("arbiter", "netfilter")[turn % 2])), signal.SIGKILL)


@pytest.mark.limit(150)
def test_packets_queues_one_that_is_full_loses_its_own_alone_and_each_is_told_once(net, stations, make_gateway):
    """Z12, Z14: while nobody reads the queue of one share it fills up; what is over is dropped and told exactly. New flows of the other
    share go on meanwhile, and its queue loses none. The commit that waited for the process comes into force whole."""
    gateway = make_gateway(policy(2).replace(SERVER6, ""), zone_extra={"mynumber": WIDE_GUARD})
    both_servers(net)
    sink = Sink(net, "peer-lgwan", SERVER, PORT + 1)
    assert not sink.of("over")
    pid, until = stand_in_prepare(gateway, "netfilter", 1)
    commit = Committing(net, gateway, *lead_to(OTHER))
    fill(net, of_share(1, 2), QUEUE_LENGTH + 1500)
    lost = losses(net, gateway)
    assert lost[1] == 0 and lost[2] >= 1500
    assert permitted(net, of_share(0, 2), SERVER) and not permitted(net, of_share(1, 2), SERVER)
    lost = losses(net, gateway)
    assert is_waited_for(gateway, "netfilter", pid, until), "no commit waited for it: nothing was tried here"
    os.kill(pid, signal.SIGCONT)
    assert "committed" in commit.end()
    wait_until(lambda: told_full(gateway) >= lost[2], f"events about {lost[2]} packets")
    wait_until(lambda: one_policy(net, 2) == OTHER, "the new policy, in both shares", 20)
    assert told_full(gateway) == lost[2] == sum(losses(net, gateway).values())


def fill(net, source, count):
    """So many packets of new flows, as fast as the kernel takes them to its rules."""
    for first in range(0, count, 250):
        with net.socket("peer-mynumber", kind=socket.SOCK_DGRAM) as one:
            one.bind((source, 0))
            for _ in range(250):
                one.sendto(PACKET.pack(b"over", first, 0.0), (SERVER, PORT))


def losses(net, gateway, zone="mynumber"):
    """{queue: packets that it dropped because it was full, or its reader had no room} of a zone's namespace."""
    shown = net.run(gateway.zone_namespace(zone), "cat", "/proc/net/netfilter/nfnetlink_queue").stdout
    return {int(line.split()[0]): int(line.split()[5]) + int(line.split()[6]) for line in shown.splitlines()}


def told_full(gateway):
    """Packets that records say were lost in queues of the zone."""
    return sum(int(re.search(r' count="(\d+)"', line)[1]) for line in gateway.audit_lines() if " queue-overrun " in line and
               'zone="mynumber"' in line and ('reason="queue full"' in line or "no room towards netfilter" in line))


@pytest.mark.limit(150)
def test_packets_queues_a_storm_of_a_share_ends_with_the_share(net, topology, make_gateway):
    """Z1: a process of a share that cannot stay alive shuts the path, as any does; the commit that does without the share opens it."""
    gateway = make_gateway(policy(2))
    lgwan = gateway.zone_namespace("lgwan")
    Sink(net, "peer-lgwan", SERVER, PORT)
    spared = share_process(gateway, "arbiter", 0)

    def kill_others(stopping):
        while not stopping.is_set():
            for pid in gateway.pids("arbiter"):
                if pid != spared:
                    processes.send(pid, signal.SIGKILL)
            time.sleep(0.02)
    killing = Background(kill_others)
    net.on_close(killing.stop)
    wait_until(lambda: "restart-storm" in gateway.log(), "a storm")
    wait_until(lambda: "x-mynumber" not in net.run(lgwan, "ip", "link").stdout, "the crossing to be gone")
    said = gateway.open_console().commit("set crossing mynumber lgwan queues 1")
    assert "committed" in said, said
    killing.stop()
    wait_until(lambda: gateway.pids("arbiter") == [spared], "one arbiter")
    gateway.wait_event(" path-opened ", seconds=20)
    wait_until(lambda: permitted(net, "10.10.0.5", SERVER), "new flows")


def test_packets_queues_one_queue_has_no_further_process_or_rule(net, stations, make_gateway):
    """With `queues 1`, also after more, nothing in a zone or among the processes is of shares; a zone that counts stations has none of
    the sets, whatever it had before."""
    gateway = make_gateway(policy(1), zone_extra={"mynumber": WIDE_GUARD})
    Sink(net, "peer-lgwan", SERVER, PORT)
    console = gateway.open_console()

    def divided(zone):
        return bool(re.search(r"\bshare", net.run(gateway.zone_namespace(zone), "nft", "list", "table", "inet", "sekisho").stdout))
    steps = [("set crossing mynumber lgwan queues 1", 1, False, False),
             ("set crossing mynumber lgwan queues 2", 2, True, True),
             ("set zone mynumber station-policy enforce", 2, False, True),
             ("set zone mynumber station-policy report", 2, True, True),
             ("set crossing mynumber lgwan queues 1", 1, False, False)]
    for line, count, mynumber, lgwan in steps:
        said = console.commit(line, timeout=60)
        assert "committed" in said or (line == steps[0][0] and "nothing" in said), said
        wait_until(lambda c=count: len(gateway.pids("arbiter")) == len(gateway.pids("netfilter")) == c, f"{count} of each")
        assert (divided("mynumber"), divided("lgwan")) == (mynumber, lgwan), line
        assert "NOT AS" not in console.run("show rules | match policy | no-more", timeout=60)
    assert wait_until(lambda: permitted(net, stations[1], SERVER), "new flows")
