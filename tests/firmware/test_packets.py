# SPDX-License-Identifier: GPL-2.0-or-later
"""The packet path on the product's own kernel, with its real `queue` expression and flow tables (Z1, Z6, Z8, Z10, C2)."""

import os
import re
import socket
import time
from collections import Counter

import pytest

from lib import first_boot
from lib.appliance import PORT, SERVER, commit, talks
from lib.net import Net, three_zones
from lib.qemu import PATIENCE_SECONDS, Machine, copy_disk, plug_three_zones, port_mac
from lib.segments import frames_of, segments_by_flow
from lib.traffic import IdleFlows, Sink, Source, Stream
from lib.waiting import wait_until

COMMITS = int(os.environ.get("COMMITS") or 5)
FLOWS = int(os.environ.get("FLOWS") or 40)      # idle ones, half of them offloaded
IPERF = {"mynumber": 5201, "internet": 5202}     # the port of each station's server
CUT, NEXT, LOG, SYSLOG = "10.20.0.25", "10.20.0.20", "10.20.0.20", 514
PORTS = {zone.name: number for number, zone in enumerate(three_zones())}
STATIONS = {zone.name: zone.peer4 for zone in three_zones() if zone.name != "lgwan"}
OFFLOADED, BY_RULES = STATIONS
PATHS = {OFFLOADED: "flow table", BY_RULES: "rules"}
CUT_SECONDS = 0.1
TOO_SLOW = r"refused, nothing was changed: (?:preparing the policy took too long|netfilter, arbiter or audit is not ready)"
# `hold`: a guest that its host stalls for longer than a second must not meet the dead man's switch.
LOAD = f"""
zone mynumber hold 60s
zone lgwan hold 60s
zone internet hold 60s
system syslog zone lgwan
system syslog server {LOG}
service load tcp {PORT}
service load tcp {IPERF[OFFLOADED]}
service load tcp {IPERF[BY_RULES]}
service load udp {PORT}
service discard tcp 9
crossing {OFFLOADED} lgwan offload
""".strip().splitlines()


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    made = Net(tmp_path_factory.mktemp("net"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def board(net, disk_in_use, tmp_path_factory):
    """One machine for all tests here, with its administrator at the console and an echo server behind it."""
    directory, wires = tmp_path_factory.mktemp("machine"), plug_three_zones(net)
    for host in (SERVER, CUT):
        Sink(net, "peer-lgwan", host, PORT)
    with Machine(directory, data=copy_disk(disk_in_use, directory / "data.img"), wires=wires) as made:
        made.power_on()
        made.wait_ready(90)
        first_boot.log_in(made.console)
        yield made


@pytest.mark.limit(120)
def test_packets_are_judged_through_the_queue_expression(net, board):
    wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", PATIENCE_SECONDS, 0.5)
    assert not talks(net, "peer-internet")
    assert "queue expression" in board.console.run("show log 1000 | match queue-kind | no-more")
    wait_until(lambda: "no-crossing" in board.console.run("show log 1000 | match flow- | no-more"), "the record of the refusal",
               PATIENCE_SECONDS, 0.5)


def out_of(board):
    """What has left the machine for the zone lgwan since power-on, by QEMU's capture at that port."""
    return list(frames_of(board.capture_path(PORTS["lgwan"]), port_mac(PORTS["lgwan"])))


def commit_however_slow(console, *statements):
    """As commit(); return the number of the configuration. One that a busy host makes too slow is refused, which changes nothing,
    and is given again."""
    console.run("configure")
    for statement in statements:
        console.run(statement if statement.startswith("delete ") else f"set {statement}")
    while re.search(TOO_SLOW, said := console.run("commit", timeout=90)):
        time.sleep(1)
    committed = re.search(r"committed: configuration (\d+)", said)
    assert committed, said
    console.run("exit")
    return int(committed[1])


def permits(number, destination, service="load", zones=tuple(STATIONS)):
    """Statements of a permit of this number in the crossing of each zone."""
    return [f"crossing {zone} lgwan permit {number} {what}" for zone in zones for what in (f"destination {destination}", f"service {service}")]


class Load:
    """What one station has under way: iperf3 and idle flows to SERVER; later also flows to CUT and NEXT."""

    def __init__(self, net, board, zone):
        self.net, self.zone, self.station, self.namespace, self.port = net, zone, STATIONS[zone], f"peer-{zone}", IPERF[zone]
        self.before = max((f.time for f in frames_of(board.capture_path(PORTS[zone]))), default=0)
        net.popen("peer-lgwan", "iperf3", "-s", "-1", "-B", SERVER, "-p", self.port)
        wait_until(lambda: f":{self.port} " in net.run("peer-lgwan", "ss", "-Hltn").stdout, "iperf3 to listen")
        self.idle = IdleFlows(net, self.namespace, SERVER, PORT, FLOWS // 2, timeout=PATIENCE_SECONDS)
        self.idle_ports = {one.getsockname()[1] for one in self.idle.sockets}
        self.iperf = net.popen(self.namespace, "iperf3", "-c", SERVER, "-p", self.port, "-t", 86400, "-b", "1M", "-l", 1000)
        self.others = False

    def begin_others(self):
        """TCP and UDP to CUT, and UDP to NEXT, which nobody permits yet."""
        self.stream = Stream(self.net, self.namespace, CUT, PORT, 0.02)
        self.source, self.probe = (Source(self.net, self.namespace, host, PORT, 0.05) for host in (CUT, NEXT))
        self.others = True

    def end(self):
        for one in (self.iperf, self.stream, self.source, self.probe, self.idle):
            (one.close if one is self.idle else one.stop)()

    def is_kept(self, flow):
        """Whether a flow, in one direction or the other, is one of those to SERVER."""
        source, source_port, destination, port = flow if flow[2] == SERVER else flow[2:] + flow[:2]
        return source == self.station and destination == SERVER and (port == self.port or source_port in self.idle_ports)

    def kept_segments(self, board, port):
        """{flow: segments} of those, as a port of the machine saw them. A refused flow of a test before may have had the same ports."""
        frames = (f for f in frames_of(board.capture_path(port)) if f.time > self.before)
        return {flow: seen for flow, seen in segments_by_flow(frames).items() if self.is_kept(flow)}

    def takes(self, console, path):
        """Whether iperf3's stream, and TCP and UDP to CUT where they have begun, take this path: the largest flows to each."""
        found = []
        for destination, count in ((SERVER, 1), (CUT, 2))[:1 + self.others]:
            shown = console.run(f"show flows zone {self.zone} destination {destination} top {count} | no-more", timeout=PATIENCE_SECONDS)
            found += re.findall(r" (flow table|rules)\s*$", shown, re.MULTILINE)
        return found == [path] * (1 + 2 * self.others)


def assert_nothing_lost(board, load):
    """QEMU's captures at both ports have the same segments of each connection to SERVER, each as often."""
    near, far = (load.kept_segments(board, port) for port in (PORTS[load.zone], PORTS["lgwan"]))
    print(f"{COMMITS} commits, {load.zone}: {len(near) // 2} connections, {sum(seen.total() for seen in near.values())} segments")
    assert len(near) == 2 * (FLOWS // 2 + 2), "two directions of each"
    assert {flow: seen - far.get(flow, Counter()) for flow, seen in near.items() if seen != far.get(flow)} == {}
    assert near.keys() == far.keys()


def told_at(frames, configuration):
    """When the record that its policy is in force was on the wire to the log server; None: not yet. Records of policies before may
    come late, so it is known by its epoch, which the record of the end of the commit has, too."""
    records = [f for f in frames if f.destination_port == SYSLOG]
    epochs = [re.search(rb' commit-done \[[^]]* commit="%d" epoch="(\d+)"' % configuration, f.payload) for f in records]
    of_policy = [rb' policy-applied \[[^]]* epoch="%s"' % found[1] for found in epochs if found]
    return next((f.time for f in records if of_policy and re.search(of_policy[0], f.payload)), None)


def assert_cut(frames, load, since, configuration):
    """From what left the machine for the far zone since a moment of its capture: when the last packet of what is denied now did."""
    def of(destination):
        """Without resets: those are the gateway's own, to the end that still believes in the connection."""
        return [f.time for f in frames if (f.source, f.destination, f.destination_port) == (load.station, destination, PORT) and not f.is_reset]
    record = told_at(frames, configuration)
    in_force, last = min(record, of(NEXT)[0]), of(CUT)[-1]
    print(f"{load.zone}: last packet of a denied flow {last - in_force:+.4f} s, record {record - in_force:+.4f} s from the new policy")
    assert since < last <= in_force + CUT_SECONDS
    assert len([t for t in of(CUT) if in_force - 1 < t < in_force]) > 10, "it had ended before"


@pytest.mark.limit(90 + 5 * COMMITS + FLOWS // 4)
def test_packets_commits_under_load_lose_nothing_and_cut_what_is_denied(net, board):
    """C2: iperf3 and idle flows, half of them in the flow table, half by the rules, go on over COMMITS commits at the serial line.

    Nothing lost: what came in at one port of the machine went out at the other, by the captures that QEMU itself makes there, segment
    by segment. (A guest that its host stalls sends again what was never lost.)

    Cut within 100 ms: the last packet of a flow that is denied now, on the far wire, against the moment at which the new policy was in
    force for certain, by the clock of the same capture: when a packet that it alone permits had passed, or its record was on the way
    to the log server. The long form: COMMITS=100 FLOWS=1000."""
    log_server = net.socket("peer-lgwan", kind=socket.SOCK_DGRAM)    # nobody reads it: the capture does
    log_server.bind((LOG, SYSLOG))
    console = board.console
    commit_however_slow(console, *LOAD, *permits(20, SERVER), *permits(30, CUT), *permits(40, CUT, "discard"))
    loads = [Load(net, board, zone) for zone in STATIONS]
    assert all(load.idle.all_answer() for load in loads)
    for load in loads:
        wait_until(lambda one=load: one.takes(console, PATHS[one.zone]), f"iperf3 by its path from {load.zone}", PATIENCE_SECONDS, 0.5)
    for number in range(COMMITS):
        commit_however_slow(console, *permits(100 + number, f"10.20.0.{100 + number % 100}", "discard", [list(STATIONS)[number % 2]]))
    assert all(load.iperf.running() and load.idle.all_answer() for load in loads)

    for load in loads:
        load.begin_others()
        wait_until(lambda one=load: one.takes(console, PATHS[one.zone]), f"flows to CUT by theirs from {load.zone}", PATIENCE_SECONDS, 0.5)
    since = out_of(board)[-1].time
    configuration = commit_however_slow(console, *(f"delete crossing {zone} lgwan permit 30" for zone in STATIONS), *permits(50, NEXT))
    for load in loads:
        wait_until(lambda one=load: one.stream.ended, "the reset of the denied connection", PATIENCE_SECONDS)
        assert load.stream.ended[1] == "ECONNRESET"
    sent = [load.source.sent for load in loads]
    time.sleep(1)
    assert all(load.source.sent > before + 3 for load, before in zip(loads, sent)), "its stations have given up: nothing was tried"
    assert all(load.iperf.running() and load.idle.all_answer() for load in loads)
    wait_until(lambda: told_at(out_of(board), configuration), "the record on its way to the log server", PATIENCE_SECONDS, 1)
    for load in loads:
        load.end()
    time.sleep(1)
    frames = out_of(board)
    for load in loads:
        assert_cut(frames, load, since, configuration)
        assert_nothing_lost(board, load)
    log_server.close()
