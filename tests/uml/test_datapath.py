# SPDX-License-Identifier: GPL-2.0-or-later
"""What needs our own kernel: the queue expression, flow tables, VLANs and bonds (Z2, Z6, Z10, C2). Runs in a User-mode Linux
guest; see run.sh."""

import os
import pathlib
import re
import signal
import socket
import struct
import time
import types

import pytest

from lib.gateway import Gateway, config_text
from lib.net import Topology, Zone, run
from lib.segments import lost, segments_of
from lib.traffic import PACKET, Sink, Source, Stream
from lib.trunk import lay_trunk
from lib.waiting import wait_until

NEAR, KEPT, CUT = "10.10.0.5", "10.20.0.8", "10.20.0.25"
COMMITS = int(os.environ.get("COMMITS") or 10)
POLICY = """
service echo { tcp 7000; udp 7000; }
service other { tcp 9; }
crossing mynumber lgwan {
    offload;
    permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; }
    permit 20 { source 10.10.0.5; destination 10.20.0.25; service echo; }
    permit 30 { source 10.10.0.5; destination 10.20.0.25; service other; }
}
"""  # permit 30 keeps the route when 20 is gone: a removed route would end the flow, too
CUT_SECONDS = 0.1
STOP_SECONDS = 1.0


def opened(gateway):
    console = gateway.console()
    console.expect(console.PROMPT)
    console.run("configure")
    return console


def commit(console, *lines):
    for line in lines:
        said = console.run(line)
        assert "error" not in said.lower(), f"{line}: {said}"
    said = console.run("commit", timeout=30)
    assert "committed" in said, said
    console.run("configure")


def offloaded(net, gateway, zone, host):
    """Flows to a host that take the flow table of a zone."""
    shown = net.run(gateway.zone_namespace(zone), "cat", "/proc/net/nf_conntrack").stdout
    return [line for line in shown.splitlines() if "[OFFLOAD]" in line and f"dst={host}" in line]


def sent_again(net, namespace):
    shown = net.run(namespace, "nstat", "-asz", "TcpRetransSegs").stdout
    return int(re.search(r"TcpRetransSegs\s+(\d+)", shown)[1])


def applied(gateway):
    """When the last policy was applied, on the clock of the tests."""
    line = [x for x in gateway.audit_lines() if " policy-applied " in x][-1]
    return float(re.search(r'mono="([0-9.]+)"', line)[1])


@pytest.mark.limit(120)
def test_uml_offloaded_flows_survive_commits_and_denied_ones_stop(net, topology, make_gateway):
    """C2: flows in the flow table go on over commits; one that is denied now stops within 100 ms. Commits cost not one segment:
    each that left one end has come to the other. (A guest that its host stalls sends again what was never lost. `hold`: nor does the
    dead man's switch shut the path, as it does while such a guest stands still.) The long form: COMMITS=100."""
    gateway = make_gateway(POLICY, zone_extra={zone: "hold 60s;" for zone in ("mynumber", "lgwan")})
    gateway.wait_event("queue-kind", 'detail="queue expression"')
    Sink(net, "peer-lgwan", KEPT, 7000)
    cut = Sink(net, "peer-lgwan", CUT, 7000)
    kept_stream, cut_stream = (Stream(net, "peer-mynumber", host, 7000, 0.005) for host in (KEPT, CUT))
    Source(net, "peer-mynumber", CUT, 7000, pause=0.01)
    for zone in ("mynumber", "lgwan"):
        wait_until(lambda z=zone: offloaded(net, gateway, z, KEPT) and offloaded(net, gateway, z, CUT), f"offload in {zone}", 15)
    before, console = sent_again(net, "peer-mynumber"), opened(gateway)
    ends = {host: net.capture(f"peer-{zone}", "port", f"tcp port 7000 and host {KEPT}")
            for host, zone in ((NEAR, "mynumber"), (KEPT, "lgwan"))}
    begun = len(kept_stream.echoes)
    wait_until(lambda: len(kept_stream.echoes) > begun + 10, "segments before the commits")
    for number in range(COMMITS):
        begun = len(kept_stream.echoes)
        commit(console, f"set crossing mynumber lgwan permit {100 + number} destination 10.20.0.25",
               f"set crossing mynumber lgwan permit {100 + number} service echo")
        wait_until(lambda least=begun + 10: len(kept_stream.echoes) > least, "segments of one more commit")
    again, ended = sent_again(net, "peer-mynumber") - before, len(kept_stream.echoes)
    wait_until(lambda: len(kept_stream.echoes) > ended + 10, "segments after the commits")
    packets = {host: capture.stop() for host, capture in ends.items()}
    for capture in ends.values():
        assert re.search(r"^0 packets dropped by kernel", capture.process.log(), re.M), capture.process.log()
    for sender, receiver in ((NEAR, KEPT), (KEPT, NEAR)):
        missing, compared = lost(*(segments_of(packets[at], sender) for at in (sender, receiver)))
        print(f"{COMMITS} commits, offloaded: of {compared} segments from {sender} {len(missing)} lost, {again} sent again by {NEAR}")
        assert compared > 10 * COMMITS and not missing
    assert kept_stream.ended is None and cut_stream.ended is None
    wait_until(lambda: offloaded(net, gateway, "mynumber", KEPT), "offload after the commits", 15)
    commit(console, *(f"delete crossing mynumber lgwan permit {n}" for n in (20, *range(100, 100 + COMMITS))))
    time.sleep(1.0)
    end = applied(gateway)
    assert cut_stream.ended is not None and cut_stream.ended[1] == "ECONNRESET"
    assert not [t for t in cut_stream.echoes if t > end + CUT_SECONDS]
    assert not [x for x in cut.got if x[3] > end + CUT_SECONDS]
    assert kept_stream.ended is None and kept_stream.echoes[-1] > end + 0.5
    assert not offloaded(net, gateway, "mynumber", CUT)


@pytest.mark.limit(60)
def test_uml_offloaded_flows_stop_with_the_keepers(net, topology, make_gateway):
    """ADR 3 holds for the flow table too: with arbiter, netfilter and supervisor stopped the kernel itself shuts the path."""
    gateway = make_gateway(POLICY)
    sink = Sink(net, "peer-lgwan", KEPT, 7000)
    stream = Stream(net, "peer-mynumber", KEPT, 7000, 0.005)
    Source(net, "peer-mynumber", KEPT, 7000)
    wait_until(lambda: len(offloaded(net, gateway, "mynumber", KEPT)) >= 2, "offload", 15)
    pids = [gateway.pid, *gateway.pids("arbiter"), *gateway.pids("netfilter")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(2.5)
    end = time.monotonic()
    for pid in reversed(pids):
        os.kill(pid, signal.SIGCONT)
    assert not [x for x in sink.of("flow") if start + STOP_SECONDS < x[3] < end]
    assert not [t for t in stream.echoes if start + STOP_SECONDS < t < end]
    wait_until(lambda: [t for t in stream.echoes if t > end], "the connection to go on", 20)


@pytest.mark.limit(60)
def test_uml_offloaded_connection_loses_nothing_at_its_beginning(net, topology, make_gateway):
    """C2: a connection enters the near zone's flow table before the far zone's, and loses no segment by it."""
    gateway = make_gateway(POLICY)
    Sink(net, "peer-lgwan", KEPT, 7000)
    before = sent_again(net, "peer-mynumber")
    streams = [Stream(net, "peer-mynumber", KEPT, 7000, 0.005) for _ in range(5)]
    wait_until(lambda: all(s.echoes for s in streams), "an echo of each", 20)
    wait_until(lambda: len(offloaded(net, gateway, "lgwan", KEPT)) >= 5, "offload in the far zone", 20)
    assert sent_again(net, "peer-mynumber") == before


@pytest.mark.limit(60)
def test_uml_offloaded_packets_are_counted(net, topology, make_gateway):
    """Z8: of a flow in the flow table every packet counts, as `show flows` and `flow-ended` have it: two for each echo at least."""
    gateway = make_gateway(POLICY)
    Sink(net, "peer-lgwan", KEPT, 7000)
    stream = Stream(net, "peer-mynumber", KEPT, 7000, 0.005)
    wait_until(lambda: offloaded(net, gateway, "mynumber", KEPT), "offload", 15)
    console = gateway.console()
    console.expect(console.PROMPT)
    since = len(stream.echoes)
    wait_until(lambda: len(stream.echoes) > since + 500, "500 echoes through the flow table", 30)
    echoes, shown = len(stream.echoes), console.run("show flows top 1")
    packets, size = (int(x) for x in re.search(r"10\.20\.0\.8:7000 +10 +(\d+) +(\d+) ", shown).groups())
    assert packets > 2 * echoes and size > 40 * packets, (echoes, shown)
    assert re.search(r"10\.20\.0\.8:7000 .* flow table$", shown, re.M), shown


def reset(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


def close_both(first, second):
    """The one says that it is done, then the other."""
    first.close()
    assert second.recv(10) == b""
    second.close()


ENDS = {    # of a connection, given its client and its server
    "FIN of the client": close_both,
    "FIN of the server": lambda client, server: close_both(server, client),
    "RST of the client": lambda client, server: reset(client),
    "RST of the server": lambda client, server: reset(server),
}
ENDED = {"TIME_WAIT", "CLOSE"}
ENDED_SECONDS = 1.0     # until no table has it for alive


class Connection:
    """A TCP connection that has been taken into the flow tables of both zones."""

    def __init__(self, net, gateway, listener):
        self.net, self.gateway, self.segments = net, gateway, 0
        self.client = net.connect("peer-mynumber", KEPT, 7000)
        self.server, _ = listener.accept()
        self.server.settimeout(15)
        self.port = self.client.getsockname()[1]
        wait_until(self.talk, "offload in both zones", 20)

    def talk(self):
        """A word each way. Return: whether both zones have it in their flow tables."""
        for sender, receiver in ((self.client, self.server), (self.server, self.client)):
            sender.sendall(b"a word")
            assert receiver.recv(100) == b"a word"
        self.segments += 2
        return all(path == "flow table" for _, path in self.known())

    def known(self):
        """(its state, which way its packets take) in each zone, as the kernel has it; (None, None): it has not."""
        return [self.known_in(zone) for zone in ("mynumber", "lgwan")]

    def known_in(self, zone):
        shown = self.net.run(self.gateway.zone_namespace(zone), "cat", "/proc/net/nf_conntrack").stdout
        line = next((line for line in shown.splitlines() if f" sport={self.port} dport=7000" in line), None)
        state = line and next((word for word in line.split() if word in ENDED), "alive")
        return state, line and ("flow table" if "[OFFLOAD]" in line else "rules")

    def has_left_the_table(self):
        return "flow table" not in [path for _, path in self.known()]

    def has_ended(self):
        return self.has_left_the_table() and "alive" not in [state for state, _ in self.known()]


def ended(name, one):
    """End it in one of the ways; it has to be where it has to be within ENDED_SECONDS. After a reset that is the rules: what connection
    tracking has of the sequence numbers is from before the flow table, so it does not take the reset for proven (docs/arbiter.md).

    A look takes a tenth of a second and more here: what counts is when the last one began that still found it."""
    began, found_s = time.monotonic(), 0.0
    ENDS[name](one.client, one.server)

    def is_there():
        nonlocal found_s
        look_s = time.monotonic() - began
        if (one.has_ended if "FIN" in name else one.has_left_the_table)():
            return True
        found_s = look_s
        return False
    wait_until(is_there, f"the end after {name}")
    assert found_s < ENDED_SECONDS, f"{name}: still found by a look {found_s} s later"


@pytest.mark.limit(120)
def test_uml_end_of_an_offloaded_connection_is_seen_by_everybody(net, topology, make_gateway):
    """Z8, L1: a FIN or RST of a connection in the flow table takes it out of the tables of both zones within a second and reaches the other
    end. What ended by FINs leaves its record, with each packet counted, when the kernel forgets it: 3 s later, as soon as its collector
    comes by (each minute, or when the table is read: so here)."""
    gateway = make_gateway(POLICY.replace("service echo; }", "service echo; log; }", 1))
    listener = net.socket("peer-lgwan")
    listener.bind((KEPT, 7000))
    listener.listen()
    made = {name: Connection(net, gateway, listener) for name in ENDS}
    for name, one in made.items():
        ended(name, one)
        if "RST" in name:
            with pytest.raises(ConnectionResetError):
                (one.server if "client" in name else one.client).recv(10)

    def recorded(port):
        tracked(net, gateway)
        return next((line for line in gateway.audit_lines() if " flow-ended " in line and f'sport="{port}"' in line), None)
    for name in ("FIN of the client", "FIN of the server"):
        line = wait_until(lambda port=made[name].port: recorded(port), f"the record after {name}", pause=0.5)
        packets, words = int(re.search(r' packets="(\d+)"', line)[1]), made[name].segments
        assert words + 6 <= packets <= 2 * words + 8, (name, words, line)
    for one in made.values():
        one.client.close()
        one.server.close()
    listener.close()


OTHER = "10.10.0.77"  # a second station of the zone, on the same wire
STATIONS_POLICY = POLICY.replace("permit 10 { source 10.10.0.5;", "permit 10 { source 10.10.0.0/24;")


@pytest.fixture
def offloaded_flows(net, make_gateway):
    """A gateway with TCP and UDP of one station and TCP of another in its flow tables: (gateway, sink, streams by address)."""
    zone = net.run("peer-mynumber", "ip", "-o", "-4", "address", "show", "dev", "port").stdout
    assert OTHER not in zone
    net.address("peer-mynumber", "port", f"{OTHER}/24")
    gateway = make_gateway(STATIONS_POLICY)
    sink = Sink(net, "peer-lgwan", KEPT, 7000)
    streams = {source: Stream(net, "peer-mynumber", KEPT, 7000, 0.005, source=source) for source in ("10.10.0.5", OTHER)}
    Source(net, "peer-mynumber", KEPT, 7000, pause=0.005)
    for name in ("mynumber", "lgwan"):
        wait_until(lambda z=name: len(offloaded(net, gateway, z, KEPT)) >= 3, f"three offloaded flows in {name}", 20)
    return gateway, sink, streams


def other_goes_on(streams, since):
    wait_until(lambda: [t for t in streams[OTHER].echoes if t > since + 0.5], "the other station's connection to go on", 20)
    assert streams[OTHER].ended is None


@pytest.mark.limit(90)
@pytest.mark.parametrize("by_mac", [False, True])
def test_uml_isolated_station_loses_its_offloaded_flows(net, topology, offloaded_flows, by_mac):
    """Z11: the flow table is no way around `isolate station`: 100 ms after it was said nothing of the station arrives. By address
    the other station goes on; by hardware address both are the same station."""
    gateway, sink, streams = offloaded_flows
    console = gateway.console()
    console.expect(console.PROMPT)
    said = console.run(f"isolate station {topology.zones['mynumber'].mac if by_mac else '10.10.0.5'}")
    end = time.monotonic()
    assert "isolated" in said, said
    time.sleep(1.5)
    assert not [x for x in sink.got if x[3] > end + CUT_SECONDS]
    assert not [t for t in streams["10.10.0.5"].echoes if t > end + CUT_SECONDS]
    if by_mac:
        assert not [t for t in streams[OTHER].echoes if t > end + CUT_SECONDS]
        return
    other_goes_on(streams, end)
    wait_until(lambda: [x for x in offloaded(net, gateway, "mynumber", KEPT) if OTHER in x], "the other one's flow in the table", 20)


def tracked(net, gateway, *filters):
    """The kernel's ids of tracked flows of the zone mynumber."""
    shown = net.run(gateway.zone_namespace("mynumber"), "conntrack", "-L", "-o", "id", *filters).stdout
    return set(re.findall(r" id=(\d+)", shown))


@pytest.mark.limit(90)
def test_uml_cleared_flows_leave_the_flow_table(net, offloaded_flows):
    """Z11: `clear flow` ends flows that the kernel carries by itself, too: TCP is reset within 100 ms, UDP is judged anew; what was
    not named goes on."""
    gateway, sink, streams = offloaded_flows
    before = tracked(net, gateway, "-p", "udp", "--dport", "7000", "--status", "SEEN_REPLY")
    console = gateway.console()
    console.expect(console.PROMPT)
    said = console.run("clear flow source 10.10.0.5")
    end = time.monotonic()
    assert "flows ended" in said, said
    wait_until(lambda: streams["10.10.0.5"].ended, "the end of the cleared connection", 10)
    assert streams["10.10.0.5"].ended[1] == "ECONNRESET"
    assert not [t for t in streams["10.10.0.5"].echoes if t > end + CUT_SECONDS]
    other_goes_on(streams, end)
    assert before and not before & tracked(net, gateway, "-p", "udp"), "a cleared UDP flow is still known"
    wait_until(lambda: [x for x in sink.of("flow") if x[3] > end + 0.5], "the UDP flow, judged anew", 10)
    as_asked(gateway, {"mynumber": "up, carrier"})


# Zones on one trunk

def trunk_zones(port):
    return [
        Zone("mynumber", "sensitive", f"{port}.101", ("10.10.0.1/24", "fd00:10::1/64"), ("10.10.0.5/24", "fd00:10::5/64")),
        Zone("lgwan", "business", f"{port}.102", ("10.20.0.1/24", "fd00:20::1/64"), ("10.20.0.8/24", "fd00:20::8/64")),
    ]


class Trunk(Topology):
    """
        peer-mynumber   peer-lgwan
             | .101        | .102
        +----+-------------+----+
        |        switch         |   802.1Q on `port`, which has one or more links to the gateway
        +----+-------------+----+
             | eth0        | eth1
    """

    def __init__(self, net, port, links, mode="active-backup"):
        self.links, self.mode = links, mode
        net.namespace("switch")
        self.joined = False
        super().__init__(net, trunk_zones(port))

    def _join(self, zone):
        net = self.net
        if not self.joined:
            lay_trunk(net, "switch", self.gateway, self.links, self.mode)
            self.joined = True
        vlan = zone.port.rpartition(".")[2]
        net.run("switch", "ip", "link", "add", "link", "trunk", "name", f"v{vlan}", "type", "vlan", "id", vlan)
        net.run("switch", "ip", "link", "set", f"v{vlan}", "netns", zone.namespace, "name", self.DEVICE)
        net.run(zone.namespace, "ip", "link", "set", self.DEVICE, "address", zone.mac, "up")
        net.run(zone.namespace, "sysctl", "-qw", f"net.ipv6.conf.{self.DEVICE}.accept_ra=0")
        net.address(zone.namespace, self.DEVICE, *zone.peer)
        net.route(zone.namespace, "default", "via", zone.gateway4, "src", zone.peer4)
        net.route(zone.namespace, "default", "via", zone.gateway6)


def as_asked(gateway, found):
    """L6: what was read back of ports and rules is what the policy asks for. found: {zone: a part of what its record tells}."""
    for zone, words in found.items():
        gateway.wait_event(" zone-read ", f'zone="{zone}"', words, seconds=30)
        gateway.wait_event(" rules-compared ", f'zone="{zone}"', seconds=30)
    assert not [line for line in gateway.audit_lines() if any(f" {what}-differs " in line for what in ("zone", "path")) or " rules-differ " in line]
    shown = gateway.console().run("show rules | no-more", timeout=60)
    assert len(re.findall("^# as the policy asks for: ", shown, re.MULTILINE)) == shown.count("# zone "), shown
    assert "NOT AS THE POLICY" not in shown


VLAN_POLICY = "service echo { tcp 7000; udp 7000; }\ncrossing mynumber lgwan { permit 10 { destination 10.20.0.8; service echo; } }"


@pytest.mark.limit(90)
def test_uml_vlan_tags_decide_the_zone(net):
    """Z2: two zones on one trunk. A frame is in the zone of its tag; without a tag, with another one, with two or with a
    priority tag it is in none."""
    from scapy.all import IP, UDP, Dot1AD, Dot1Q, Ether
    topology = Trunk(net, "eth0", ["eth0"])
    with Gateway(topology, config_text(topology, VLAN_POLICY)) as gateway:
        sink = Sink(net, "peer-lgwan", KEPT, 7000)
        stream = Stream(net, "peer-mynumber", KEPT, 7000)
        wait_until(lambda: stream.echoes, "the permitted connection", 15)
        mac = net.run(gateway.zone_namespace("mynumber"), "cat", "/sys/class/net/eth0.101/address").stdout.strip()
        wire = net.packet_socket("switch", "trunk")
        inside = IP(src="10.10.0.5", dst=KEPT) / UDP(sport=5000, dport=7000)
        forms = {
            "101": Dot1Q(vlan=101), "102": Dot1Q(vlan=102), "103": Dot1Q(vlan=103), "priority": Dot1Q(vlan=0, prio=5),
            "101 in 101": Dot1Q(vlan=101) / Dot1Q(vlan=101), "102 in 101": Dot1Q(vlan=101) / Dot1Q(vlan=102),
            "101 in 102": Dot1Q(vlan=102) / Dot1Q(vlan=101), "101 in provider": Dot1AD(vlan=101) / Dot1Q(vlan=101),
            "untagged": None,
        }
        for number, (name, tag) in enumerate(forms.items()):
            packet = inside / (b"new " + bytes([number]) * 12)
            head = Ether(dst=mac, src=topology.zones["mynumber"].mac)
            wire.send(bytes(head / tag / packet if tag is not None else head / packet))
            time.sleep(0.05)
        wait_until(lambda: [x for x in sink.got if x[0] == "new "], "the frame of the right VLAN")
        time.sleep(0.5)
        arrived = {list(forms)[x[1] & 0xff] for x in sink.got if x[0] == "new "}
        assert arrived == {"101"}
        assert stream.ended is None
        as_asked(gateway, {"mynumber": "VLAN 101 of eth0", "lgwan": "VLAN 102 of eth0"})
        home = net.run(topology.gateway, "ip", "-o", "address", "show", "dev", "eth0").stdout
        assert home.strip() == "", "the trunk speaks itself"
    assert "eth0.101" not in net.run(topology.gateway, "ip", "link").stdout


def await_all_links(net, topology):
    if topology.mode == "802.3ad":
        for namespace, bond in ((topology.gateway, "bond0"), ("switch", "trunk")):
            wait_until(lambda n=namespace, b=bond: joined_by_lacp(net, n, b) == len(topology.links), f"all links in {bond}", 30)
    else:
        time.sleep(1.0)


def joined_by_lacp(net, namespace, bond):
    """How many links of a bond are in the one aggregation that carries frames, as its own side tells (IEEE 802.1AX)."""
    return int(net.run(namespace, "cat", f"/sys/class/net/{bond}/bonding/ad_num_ports").stdout)


@pytest.mark.limit(90)
@pytest.mark.parametrize("mode", ["active-backup", "802.3ad"])
def test_uml_bond_under_vlans_goes_on_with_one_link(net, mode):
    """Z2: the zones' VLANs are on a bond; a link that fails costs no connection, and is taken up again. By LACP both links carry frames
    while both are there. Other devices at home, more than a zone may have, are of no concern to what is read back."""
    topology = Trunk(net, "bond0", ["eth0", "eth1"], mode)
    net.run(topology.gateway, "sh", "-c", "for i in $(seq 40); do ip link add a$i type veth peer name b$i || exit 1; done", timeout=60)
    bond = f"bond bond0 {{ port eth0 eth1; mode {mode}; }}"
    with Gateway(topology, config_text(topology, bond, VLAN_POLICY)) as gateway:
        Sink(net, "peer-lgwan", KEPT, 7000)
        stream = Stream(net, "peer-mynumber", KEPT, 7000)
        wait_until(lambda: stream.echoes, "the permitted connection", 15)
        whole = "VLAN 101 of bond0, bond member eth0 carrier, bond member eth1 carrier"
        # Read two seconds behind the start, and not again for a link of the bond.
        gateway.wait_event(" zone-read ", 'zone="mynumber"', whole, seconds=30)
        await_all_links(net, topology)
        for lost, other in (("eth0", "eth1"), ("eth1", "eth0")):
            net.run("switch", "ip", "link", "set", f"to-{lost}", "down")
            since = time.monotonic()
            wait_until(lambda s=since: [t for t in stream.echoes if t > s + 1.0], f"traffic by {other}", 30)
            net.run("switch", "ip", "link", "set", f"to-{lost}", "up")
            await_all_links(net, topology)
        assert stream.ended is None
        assert gateway.pids("netfilter")
        as_asked(gateway, {"mynumber": whole})
    assert "bond0" not in net.run(topology.gateway, "ip", "link").stdout


@pytest.mark.limit(60)
def test_uml_bond_as_a_port(net):
    """Z2: a bond itself is a zone's port: its members move into the zone, and come back."""
    topology = Topology(net)
    for name in ("eth8", "eth9"):
        net.veth("peer-mynumber", f"to-{name}", topology.gateway, name)
    zone = topology.zones["mynumber"]
    text = config_text(topology, VLAN_POLICY, "bond bond0 { port eth8 eth9; mode active-backup; }").replace("port eth0;", "port bond0;")
    net.run("peer-mynumber", "ip", "address", "flush", "dev", "port")
    net.run("peer-mynumber", "ip", "link", "add", "joined", "type", "bond", "mode", "active-backup", "miimon", "100")
    for name in ("eth8", "eth9"):
        net.run("peer-mynumber", "ip", "link", "set", f"to-{name}", "down")
        net.run("peer-mynumber", "ip", "link", "set", f"to-{name}", "master", "joined")
    net.run("peer-mynumber", "ip", "link", "set", "joined", "up")
    net.address("peer-mynumber", "joined", *zone.peer)
    net.route("peer-mynumber", "default", "via", zone.gateway4)
    with Gateway(topology, text) as gateway:
        Sink(net, "peer-lgwan", KEPT, 7000)
        wait_until(lambda: net.reaches("peer-mynumber", KEPT, 7000), "the permitted connection", 20)
        shown = pathlib.PurePosixPath(net.run(gateway.zone_namespace("mynumber"), "readlink", "/sys/class/net/eth8/master").stdout.strip())
        assert shown.name == "bond0"
        as_asked(gateway, {"mynumber": "bond member eth8 carrier, bond member eth9 carrier"})
    home = net.run(topology.gateway, "ip", "link").stdout
    assert "eth8" in home and "eth9" in home and "bond0" not in home


# ---- the table of connections

def test_uml_full_table_refuses_new_flows_and_says_so(net, topology, make_gateway):
    """Z14: with a table for 50 connections the warning comes at 80 %, the alarm when new flows are refused; those that run go on;
    the alarm ends when there is room again."""
    limit = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_max")
    before = limit.read_text()
    gateway = make_gateway(POLICY)
    Sink(net, "peer-lgwan", KEPT, 7000)
    try:
        limit.write_text("50")
        held = []
        with pytest.raises(OSError):
            while len(held) <= 50:
                held.append(net.connect("peer-mynumber", KEPT, 7000, timeout=2))
        assert 40 <= len(held) <= 50
        line = gateway.wait_event(" connections-filling ", 'zone="mynumber"', 'limit="50"', seconds=15)
        assert 40 <= int(re.search(r' count="(\d+)"', line)[1]) <= 50
        gateway.wait_event(" connections-full ", seconds=15)
        for _ in range(3):      # refused too, within the ten seconds in which that is not told again
            assert not net.reaches("peer-mynumber", KEPT, 7000, timeout=1)
        for one in held:
            one.sendall(b"still there?")
            assert one.recv(100) == b"still there?"
        with gateway.console() as console:
            console.expect(console.PROMPT)
            console.run("terminal length 0")
            assert re.search(r"connections +mynumber", console.run("show alarms"))
            shown = console.run("show zones")
            zones = re.findall(r"(mynumber|lgwan) .* (\d+) of 50 +(\d+)", shown)
            assert len(zones) == 2 and sum(int(refused) for _, _, refused in zones) > 0, shown
            for one in held:
                one.close()
            for zone in ("mynumber", "lgwan"):
                net.run(gateway.zone_namespace(zone), "conntrack", "-F")
            gateway.wait_event(" connections-eased ", 'zone="mynumber"', seconds=15)
            wait_until(lambda: "mynumber" not in console.run("show alarms"), "the alarm to end", 10)
            time.sleep(11)      # what is left to be told would be told now, and raise the alarm for good
            assert "mynumber" not in console.run("show alarms")
        assert net.reaches("peer-mynumber", KEPT, 7000, timeout=5)
    finally:
        limit.write_text(before)


def test_uml_table_is_sized_by_configuration_and_memory(net):
    """Z14: in the first namespace, as on the appliance, the number is what the configuration says, or an eighth of the memory at 512
    bytes a flow for all zones together; the hash grows with it and with the zones. The end of the gateway gives both numbers back."""
    def sizes():
        return tuple(int(pathlib.Path("/proc/sys/net/netfilter", name).read_text()) for name in ("nf_conntrack_max", "nf_conntrack_buckets"))
    before = sizes()
    run("ip", "netns", "attach", "first", os.getpid())
    config = ""
    for i in (9, 7):
        run("ip", "link", "add", f"port{i}", "type", "veth", "peer", f"port{i - 1}")
        config += f"zone only{i} {{ tier business; port port{i}; address 10.90.{i}.1/24; }}\n"
    place = types.SimpleNamespace(net=net, gateway="first")
    try:
        with Gateway(place, "system { connections 5000; }\n" + config.splitlines()[0], prefix="size-") as gateway:
            assert sizes()[0] == 5000 and 5000 <= sizes()[1] < 10000
            with gateway.console() as console:
                console.expect(console.PROMPT)
                for line in ("configure", "set zone only7 tier business", "set zone only7 port port7", "set zone only7 address 10.90.7.1/24"):
                    console.run(line)
                said = console.run("commit", timeout=30)
                assert "committed" in said, said
            assert sizes()[0] == 5000 and sizes()[1] >= 10000
        assert sizes() == before
        with Gateway(place, config, prefix="size-"):
            memory = int(re.search(r"MemTotal: +(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024
            assert sizes()[0] == pytest.approx(memory / 8 / 512 / 2, rel=0.01)
        assert sizes() == before
    finally:
        pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_max").write_text(str(before[0]))
        for i in (9, 7):
            run("ip", "link", "delete", f"port{i - 1}", check=False)
        run("ip", "netns", "delete", "first")


@pytest.mark.limit(120)
def test_uml_queues_are_chosen_by_source(net, topology, make_gateway):
    """Z14, ADR 414: with the queue expression, too, every source has its queue, and a commit that divides them lets offloaded flows
    go on; the arbiter of one that is killed shuts its share for a moment and no more."""
    gateway = make_gateway(POLICY.replace("source 10.10.0.5; ", ""))
    gateway.wait_event("queue-kind", 'detail="queue expression"')
    sink = Sink(net, "peer-lgwan", KEPT, 7000)
    stream = Stream(net, "peer-mynumber", KEPT, 7000, 0.02)
    wait_until(lambda: offloaded(net, gateway, "mynumber", KEPT), "offload", 15)
    commit(opened(gateway), "set crossing mynumber lgwan queues 2")
    net.address("peer-mynumber", "port", "10.10.0.20/24", "10.10.0.21/24")

    def taken():
        shown = net.run(gateway.zone_namespace("mynumber"), "cat", "/proc/net/netfilter/nfnetlink_queue").stdout
        return {int(line.split()[0]): int(line.split()[7]) for line in shown.splitlines()}

    def begin(source, first):
        for port in range(first, first + 20):
            with net.socket("peer-mynumber", kind=socket.SOCK_DGRAM) as one:
                one.bind((source, port))
                one.sendto(PACKET.pack(b"each", port, time.monotonic()), (KEPT, 7000))
    for source, queue in (("10.10.0.20", 1), ("10.10.0.21", 2)):
        before = taken()
        begin(source, 30000)
        wait_until(lambda b=before, q=queue: taken()[q] >= b[q] + 20, f"twenty packets in queue {queue}")
        assert taken()[3 - queue] == before[3 - queue]
    wait_until(lambda: len(sink.of("each")) == 40, "all of them to arrive")
    killed = gateway.kill("arbiter")
    gateway.wait_role("arbiter", other_than=killed, seconds=20)

    def passes():
        count = len(sink.of("each"))
        for source in ("10.10.0.20", "10.10.0.21"):
            begin(source, 31000 + count)
        return len(sink.of("each")) >= count + 40 or None
    wait_until(passes, "new flows of both", 30, 0.5)
    assert stream.ended is None
