# SPDX-License-Identifier: GPL-2.0-or-later
"""`isolate zone` while everything runs at once (Z11): after a second not a packet, byte or session of the zone is left.

    mynumber  --TCP in bulk, single bytes, old and new UDP flows-->  lgwan
    internet  --mails, 20 at once----------------------------------->  lgwan
    internet  --desktops that change all the time-------> viewers in  lgwan      <- isolated
"""

import itertools
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from lib.first_payload import Responder
from lib.mail_peers import LoadSender, OrderSink
from lib.net import Background
from lib.peers.rfb import RAW, FakeDesktop, Viewer, rect, solid, update, update_request
from lib.traffic import Sink, Source, Stream, connecting, in_the_middle
from lib.waiting import wait_until
from test_evidence import WHOLE, checks, collect
from test_flows import SERVER, fill_table

SESSION_ROLES = ("mail-receiver", "mail-flattener", "mail-sender", "screen-viewer", "screen-source")
PROMISED_S = 1.0
BULK, NUMBERED = 5201, 7000
DENIED = 1 << 15  # of a flow's mark: PACKET_MARK_DENY
VIEWERS = 4
SETTLED_S = 4.0  # how long nothing may come, behind the second that is promised


def configuration(zones):
    inside, outside = zones["lgwan"].peer4, zones["internet"].peer4
    return f"""
service bulk {{ tcp {BULK}; }}
service numbered {{ tcp {NUMBERED}; udp {NUMBERED}; }}
crossing mynumber lgwan {{
    permit 10 {{ destination {inside}; service bulk; log; }}
    permit 20 {{ destination {inside}; service numbered; }}
}}
mail inbound {{ from internet; to lgwan; listen 25; domain city.example.lg.jp; next-hop {inside}; sessions 100; sessions-per-source 100; }}
screen web {{ from lgwan; to internet; listen 5900; desktop {outside}:5900; security none; }}
"""


class Wire:
    """What the kernel counted at a peer's port, over and over: when did it change last?"""

    def __init__(self, net, namespace, device, pause=0.005):
        self.changed, self.counts = time.monotonic(), None
        self.net, self.namespace, self.device, self.pause = net, namespace, device, pause
        self.thread = Background(self._watch)
        net.on_close(self.thread.stop)

    def _watch(self, stopping):
        with self.net.inside(self.namespace):
            while not stopping.is_set():
                lines = pathlib.Path("/proc/thread-self/net/dev").read_text().splitlines()
                fields = next(line.partition(":")[2].split() for line in lines if line.strip().startswith(f"{self.device}:"))
                counts = fields[1], fields[9]  # packets received and sent
                if counts != self.counts:
                    self.changed, self.counts = time.monotonic(), counts
                time.sleep(self.pause)


class Watcher:
    """A viewer that asks for pictures all the time, and when it last got a byte of one."""

    def __init__(self, topology):
        zone = topology.zones["lgwan"]
        self.viewer = Viewer(topology.net.connect(zone.namespace, zone.gateway4, 5900))
        self.viewer.begin()
        self.pictures, self.last = 0, 0.0
        self.thread = Background(self._look)
        topology.net.on_close(self.thread.stop)

    def _look(self, stopping):
        self.viewer.sock.settimeout(2)
        try:
            while not stopping.is_set():
                self.viewer.send(update_request(320, 240, incremental=1))
                if self.viewer.read_update():
                    self.pictures, self.last = self.pictures + 1, time.monotonic()
        except (OSError, EOFError):
            pass  # this is what the test is about
        self.viewer.close()


def flicker(desktop, stream):
    for colour in itertools.count(0x101010, 0x070301):
        desktop.wait_request(stream)
        stream.send(update(rect(0, 0, desktop.WIDTH, desktop.HEIGHT, RAW,
                                solid(desktop.WIDTH, desktop.HEIGHT, colour & 0xffffff))))


class Load:
    """Everything at once, until the test ends."""

    def __init__(self, net, topology):
        inside = topology.zones["lgwan"]
        source = topology.zones["mynumber"].namespace
        net.popen(inside.namespace, "iperf3", "-s", "-p", str(BULK))
        # Asked by a connection, it would close its listener for a moment behind that.
        wait_until(lambda: f":{BULK} " in net.run(inside.namespace, "ss", "-Hltn").stdout, "iperf3 to listen")
        self.sink = Sink(net, inside.namespace, inside.peer4, NUMBERED)
        self.bulk = net.popen(source, "iperf3", "-c", inside.peer4, "-p", str(BULK), "-t", "120", "-P", "4")
        self.source = Source(net, source, inside.peer4, NUMBERED, pause=0.002)
        self.streams = [Stream(net, source, inside.peer4, NUMBERED) for _ in range(8)]
        self.hop = OrderSink(net, inside.namespace, inside.peer4)
        self.mails = LoadSender(net, topology.zones["internet"].namespace, topology.zones["internet"].gateway4, 100000, 20)
        self.watchers = [Watcher(topology) for _ in range(VIEWERS)]

    def delivered(self):
        return [record["id"] for record in self.mails.ledger() if record["code"] == 250]

    def runs(self):
        return (len(self.delivered()) > 20 and all(w.pictures > 5 for w in self.watchers)
                and all(len(s.echoes) > 5 for s in self.streams) and len(self.sink.of("new ")) > 100)

    def last_byte(self):
        """When the last one came to anybody in the zone, or back from it."""
        return max([s.echoes[-1] for s in self.streams] + [w.last for w in self.watchers]
                   + [kind[-1][3] for kind in (self.sink.got, self.source.answers)])


def flows(gateway, zone):
    """Connections that the kernel would let go on in a zone's namespace: not denied, and not without an answer so far."""
    done = subprocess.run(["ip", "netns", "exec", gateway.zone_namespace(zone), "conntrack", "-L"], capture_output=True,
                          text=True, timeout=20, check=True)
    return [line for line in done.stdout.splitlines() if (f"dport={BULK}" in line or f"dport={NUMBERED}" in line)
            and "[UNREPLIED]" not in line and not int(re.search(r"mark=(\d+)", line)[1]) & DENIED]


def sessions(gateway):
    """The processes of those that are under way."""
    return {pid for role in SESSION_ROLES for pid in gateway.pids(role)}


@pytest.mark.limit(240)
def test_isolate_under_full_load_leaves_nothing_after_a_second(net, topology, make_gateway, tmp_path):
    """Z11, C7: packets, mails and screens at once; no byte, packet or session after 1 s; the evidence of it verifies."""
    zone = topology.zones["lgwan"]
    FakeDesktop(net, topology.zones["internet"].namespace, topology.zones["internet"].peer4, script=flicker)
    gateway = make_gateway(configuration(topology.zones))
    console = gateway.open_console()
    load = Load(net, topology)
    wire = Wire(net, zone.namespace, topology.DEVICE)
    wait_until(load.runs, "packets, mails and pictures", 60)
    assert gateway.pids("screen-viewer") and flows(gateway, "lgwan")

    before = sessions(gateway)
    begin = time.monotonic()
    console.send("isolate zone lgwan 大量送信の疑い\r")
    console.expect("isolated")
    console.expect(console.PROMPT)
    time.sleep(max(0.0, begin + PROMISED_S - time.monotonic()))
    after, known = sessions(gateway), flows(gateway, "lgwan") + flows(gateway, "mynumber")
    delivered, taken = load.delivered(), load.hop.ledger()
    time.sleep(SETTLED_S)
    assert wire.changed - begin < PROMISED_S, "a packet on the wire of the zone"
    assert load.last_byte() - begin < PROMISED_S, "a byte at somebody in the zone"
    assert before and not before & after and not gateway.pids("screen-viewer"), "a session outlived it"
    assert known == [], "a connection that the kernel still tracks"
    assert load.delivered() == delivered and load.hop.ledger() == taken, "a mail was taken"
    assert set(delivered) <= {mail["id"] for mail in taken if mail["whole"]}, "250 for a mail that nobody has"
    assert "NO-CARRIER" in net.run(zone.namespace, "ip", "link", "show", topology.DEVICE).stdout
    cut = [line for line in gateway.audit_lines() if " session-cut " in line]
    assert sum('detail="web"' in line for line in cut) == VIEWERS and any('detail="inbound"' in line for line in cut)
    assert checks(collect(console, tmp_path / "bundle")) == WHOLE

    echoes = [len(stream.echoes) for stream in load.streams]
    assert "restored" in console.run("restore zone lgwan")
    wait_until(lambda: all(stream.ended for stream in load.streams), "the reset of every old connection", 60)
    assert [len(stream.echoes) for stream in load.streams] == echoes, "a connection of before went on"
    assert Stream(net, topology.zones["mynumber"].namespace, zone.peer4, NUMBERED) and len(load.delivered()) >= len(delivered)


FULL = f"""
service talk {{ tcp {NUMBERED}; udp {NUMBERED}; }}
service quiet {{ tcp 7100; }}
crossing mynumber lgwan {{ permit 10 {{ source 10.10.0.0/24; destination {SERVER}; service talk; }} }}
crossing lgwan internet {{ permit 10 {{ destination 203.0.113.0/28; service quiet; }} }}
"""


def is_answered(connection):
    """Whether it goes on; if not, it has been reset."""
    try:
        connection.sendall(b"x")
        return connection.recv(1) != b""
    except ConnectionError:
        return False


@pytest.mark.limit(240)
def test_isolate_with_a_large_table_holds_up_nobody_and_restore_waits_for_its_end(net, topology, make_gateway):
    """Z11, ADR 421: the 100,000 flows of an isolated zone end a piece at a time, while first packets of other zones are judged: twenty
    of them and more in the middle half. A restore right behind the isolation lets no old connection go on."""
    gateway = make_gateway(FULL)
    mynumber, lgwan, internet = (topology.zones[name] for name in ("mynumber", "lgwan", "internet"))
    Responder(net, internet.namespace, internet.peer4, 7100, answer=b"y")
    Responder(net, lgwan.namespace, SERVER, NUMBERED, answer=b"y")
    old = [net.connect(mynumber.namespace, SERVER, NUMBERED, timeout=60) for _ in range(8)]
    assert all(is_answered(connection) for connection in old)
    fill_table(net, gateway.zone_namespace("mynumber"), 100000)
    with connecting(net, lgwan.namespace, internet.peer4, 7100) as begun, gateway.open_console() as console:
        ordered = time.monotonic()
        assert "isolated" in console.run("isolate zone mynumber")
        shut = time.monotonic()
        assert "restored" in console.run("restore zone mynumber", timeout=90)
        length = time.monotonic() - shut
    assert shut - ordered < PROMISED_S, "the isolation waited"
    cut = gateway.wait_event("flows-cut", 'zone="mynumber"')
    assert int(re.search(r' count="(\d+)"', cut)[1]) >= 100000 + len(old)
    middle = in_the_middle(begun, shut, length)
    assert len(middle) >= 20, f"{len(middle)} of {len(begun)}, in {length} s"
    assert not [line for line in gateway.audit_lines() if " process-killed " in line]
    assert not any(is_answered(connection) for connection in old), "an old connection went on"


def test_isolate_restore_is_refused_when_netfilter_dies_first(net, topology, make_gateway):
    """Z11, ADR 421: a zone whose old connections may still be there stays shut, and who asked is told; asked again it is restored."""
    gateway = make_gateway(FULL)
    with gateway.open_console() as console:
        assert "isolated" in console.run("isolate zone mynumber")
        os.kill(gateway.pids("netfilter")[0], signal.SIGSTOP)
        console.send("restore zone mynumber\r")  # the supervisor ends what does not answer
        console.expect("stays isolated")
        console.expect(console.PROMPT)
        assert "mynumber" in console.run("show isolated")
        assert not [line for line in gateway.audit_lines() if " zone-restored " in line]
        wait_until(lambda: "restored" in console.run("restore zone mynumber"), "the zone to be restored", 30)
        gateway.wait_event("zone-restored", 'zone="mynumber"')


def is_up(net, topology, zone):
    return "NO-CARRIER" not in net.run(topology.zones[zone].namespace, "ip", "link", "show", topology.DEVICE).stdout


def events_of(gateway, name):
    """The zones that the records of an event name."""
    return sorted(re.search(r' zone="(\w+)"', line)[1] for line in gateway.audit_lines() if f" {name} " in line)


@pytest.mark.limit(180)
def test_isolate_all_shuts_every_zone_within_a_second_until_all_are_restored(net, topology, make_gateway):
    """Z11: no carrier, crossing or byte in any zone after 1 s, over a restart too; one zone restored leaves the others shut; all
    restored, new connections pass."""
    gateway = make_gateway(configuration(topology.zones))
    names, source = sorted(topology.zones), topology.zones["mynumber"].namespace
    net.popen(topology.zones["lgwan"].namespace, "iperf3", "-s", "-p", str(BULK))
    Sink(net, topology.zones["lgwan"].namespace, topology.zones["lgwan"].peer4, NUMBERED)
    streams = [Stream(net, source, topology.zones["lgwan"].peer4, NUMBERED) for _ in range(4)]
    wait_until(lambda: all(len(s.echoes) > 5 for s in streams), "the streams", 30)
    with gateway.open_console() as console:
        begin = time.monotonic()
        assert "isolated" in console.run("isolate all 庁内の感染拡大")
        time.sleep(max(0.0, begin + PROMISED_S - time.monotonic()))
        assert not any(is_up(net, topology, name) for name in names)
        assert flows(gateway, "mynumber") + flows(gateway, "lgwan") == []
        time.sleep(SETTLED_S)
        assert max(s.echoes[-1] for s in streams) - begin < PROMISED_S, "a byte behind it"
        assert events_of(gateway, "zone-isolated") == names
        shown = console.run("show isolated")
        assert all(name in shown for name in names), shown
        assert "restored" in console.run("restore zone lgwan", timeout=60)
        assert [is_up(net, topology, name) for name in names] == [name == "lgwan" for name in names]
    gateway.stop()
    gateway = make_gateway(configuration(topology.zones), state=gateway.state)
    assert [is_up(net, topology, name) for name in names] == [name == "lgwan" for name in names], "a restart opened a zone"
    with gateway.open_console() as console:
        assert "isolated" in console.run("isolate all")
        said = console.run("restore all", timeout=90)
        assert all(re.search(rf"^ *{name} +restored", said, re.M) for name in names), said
        assert "no zone is isolated" in console.run("restore all")
        assert all(is_up(net, topology, name) for name in names) and events_of(gateway, "zone-restored") == sorted([*names, "lgwan"])
    # A host that asked for its router while the port was shut has its connection refused by its own kernel, once.
    wait_until(lambda: net.reaches(source, topology.zones["lgwan"].peer4, NUMBERED), "a new connection")


def test_isolate_one_zone_ends_a_restore_of_all(net, topology, make_gateway):
    """Z11: what is shut while all zones are being restored stays shut, and who asked for the others is told."""
    gateway = make_gateway(FULL)
    with gateway.open_console() as first, gateway.open_console() as second:
        assert "isolated" in first.run("isolate all")
        for zone in topology.zones:  # the one under way, and others whose turn has not come
            halted = gateway.pids("netfilter")[0]
            os.kill(halted, signal.SIGSTOP)
            first.send("restore all\r")
            time.sleep(0.2)
            assert "isolated" in second.run(f"isolate zone {zone}")
            os.kill(halted, signal.SIGCONT)
            first.expect("isolated again")
            first.expect(first.PROMPT)
            shown = first.run("show isolated")
            assert all(name in shown for name in topology.zones), shown
        assert "restored" in first.run("restore all", timeout=60)
