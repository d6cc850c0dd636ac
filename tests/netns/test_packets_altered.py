# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules that somebody changes by hand, under traffic: the zone is shut at once, says who it was, and has its own rules back; what
the policy denies does not pass (Z1, Z6, Z12; the fault table of reliability.md).

    peer-mynumber --- UDP 7000, TCP 7000: permitted ----------------> peer-lgwan
                  --- UDP 7001: a permit that has expired. The far zone's lock lets it in, the arbiter does not: it passes
                                when, and only when, the near zone's rules are gone
    peer-internet --- UDP 7000: no crossing ------------------------> (nowhere)
"""

import re
import socket
import subprocess
import time

import pytest

from lib.net import Background
from lib.traffic import PACKET, Sink, Source, Stream
from lib.waiting import wait_until

SERVER, PORT, EXPIRED_PORT = "10.20.0.8", 7000, 7001
POLICY = """
service echo { tcp 7000; udp 7000; }
service expired { udp 7001; }
crossing mynumber lgwan {
    permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; }
    permit 20 { source 10.10.0.5; destination 10.20.0.8; service expired; expires 2020-01-01; }
}
"""
SHUT_SECONDS = 1.0      # after which no packet may get by altered rules; it takes a millisecond on a machine that is idle


class Prober:
    """Sends numbered packets of one kind, each a new flow, towards one port of the server."""

    def __init__(self, net, namespace, kind, port):
        self.sent = 0
        self.net, self.namespace, self.kind, self.port = net, namespace, kind, port
        self.thread = Background(self._run)
        net.on_close(self.thread.stop)

    def _run(self, stopping):
        while not stopping.is_set():
            with self.net.socket(self.namespace, kind=socket.SOCK_DGRAM) as one:
                try:
                    one.sendto(PACKET.pack(self.kind, self.sent, time.monotonic()), (SERVER, self.port))
                    self.sent += 1
                except OSError:
                    pass    # refused by an answer to an earlier one
            time.sleep(0.01)


class Scene:
    """A gateway with traffic of all three kinds."""

    def __init__(self, net, make_gateway):
        self.net, self.gateway = net, make_gateway(POLICY)
        self.permitted, self.expired = (Sink(net, "peer-lgwan", SERVER, port) for port in (PORT, EXPIRED_PORT))
        self.stream = Stream(net, "peer-mynumber", SERVER, PORT)
        self.source = Source(net, "peer-mynumber", SERVER, PORT)
        self.probers = [Prober(net, "peer-mynumber", b"deny", EXPIRED_PORT), Prober(net, "peer-internet", b"none", PORT)]
        wait_until(lambda: len(self.permitted.of("flow")) > 10 and len(self.stream.echoes) > 5, "traffic to flow")
        wait_until(lambda: all(p.sent > 20 for p in self.probers), "what is denied to be tried")
        assert self.expired.got == []

    def nft(self, *words, zone="mynumber"):
        return self.net.run(self.gateway.zone_namespace(zone), "nft", *words).stdout

    def told(self):
        return [line for line in self.gateway.audit_lines() if " ruleset-altered " in line]

    def put_right(self, zone="mynumber"):
        """Whether rules were loaded since somebody altered them, by the records of the one process that does and notices both."""
        told = [" ruleset-altered " in line for line in self.gateway.audit_lines() if f'zone="{zone}"' in line
                and (" rules-loaded " in line or " ruleset-altered " in line)]
        return True in told and not told[-1]

    def goes_on(self, since):
        """New and old flows that are permitted pass again; the connection was never cut."""
        wait_until(lambda: [x for x in self.permitted.of("new ") if x[2] > since], "new flows to pass", 20)
        wait_until(lambda: [x for x in self.permitted.of("flow") if x[2] > since], "the flow to go on", 20)
        wait_until(lambda: [t for t in self.stream.echoes if t > since], "the connection to go on", 20)
        assert self.stream.ended is None

    def nothing_denied_passed_since(self, since):
        """Of packets sent later: none of the expired permit, and at no time one from the zone without a crossing."""
        time.sleep(max(0.0, since - time.monotonic()))      # or what is sent until then would be all that is looked at
        sent = self.probers[0].sent
        wait_until(lambda: self.probers[0].sent > sent + 50, "more of what is denied to be tried", 20)
        assert [x for x in self.expired.got if x[2] > since] == []
        assert self.permitted.of("none") == []


@pytest.fixture
def scene(net, make_gateway):
    return Scene(net, make_gateway)


def is_put_right(scene, before, done):
    """The zone has its own rules and no others, and does by them what it did before."""
    assert scene.nft("list", "chain", "inet", "sekisho", "from-port") == before
    assert sorted(scene.nft("list", "tables").splitlines()) == ["table arp sekisho", "table inet sekisho"]
    for chain in ("forward", "stamp"):
        shown = scene.nft("list", "chain", "inet", "sekisho", chain)
        assert "policy drop" in shown and not re.search(r"\t\taccept\n", shown), shown
    scene.goes_on(time.monotonic())
    scene.nothing_denied_passed_since(done + SHUT_SECONDS)


def by_hand(scene, *words):
    """Return when the rules are back, with the time at which it was done: when nft, which may be slow to begin, had ended."""
    scene.nft(*words)
    done = time.monotonic()
    wait_until(scene.put_right, "the rules to be back", 20)
    return done


@pytest.mark.limit(120)
def test_packets_rules_flushed_by_hand_are_back_at_once(scene):
    """Z1, Z6: `nft flush ruleset` and forwarding switched on, in every zone, under load."""
    zones = ("mynumber", "lgwan", "internet")
    for zone in zones:
        for switch in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding"):
            scene.net.run(scene.gateway.zone_namespace(zone), "sysctl", "-qw", f"{switch}=1")
    for zone in zones:
        scene.nft("flush", "ruleset", zone=zone)
    done = time.monotonic()
    wait_until(lambda: all(scene.put_right(zone) for zone in zones), "the rules to be back", 20)
    for zone in zones:
        line = scene.gateway.wait_event("ruleset-altered", f'zone="{zone}"', 'process="nft"')
        assert re.search(r' pid="[1-9]\d*"', line), line
        assert "chain stamp" in scene.nft("list", "ruleset", zone=zone)
    scene.goes_on(time.monotonic())
    scene.nothing_denied_passed_since(done + SHUT_SECONDS)


@pytest.mark.limit(120)
@pytest.mark.parametrize("words", [
    ("insert rule inet sekisho forward accept; insert rule inet sekisho stamp accept",),
    ("flush chain inet sekisho stamp; chain inet sekisho stamp { policy accept; }",),
    ("add element inet sekisho proofs { 0 }",),
    ("delete table inet sekisho",),
    ("add table ip other; add chain ip other x { type filter hook forward priority -500; }",),
], ids=["rules added", "chain opened", "proof forged", "table deleted", "another table"])
def test_packets_rules_altered_by_hand_are_put_right(scene, words):
    """Z1, Z12: smaller changes than a flush are found as well, and nothing of them stays."""
    before = scene.nft("list", "chain", "inet", "sekisho", "from-port")
    done = by_hand(scene, *words)
    scene.gateway.wait_event("ruleset-altered", 'zone="mynumber"', 'process="nft"')
    is_put_right(scene, before, done)


@pytest.mark.limit(120)
@pytest.mark.parametrize("words", [
    "delete table inet sekisho; "
    "add table inet sekisho { flags owner; chain open { type filter hook forward priority 0; policy accept; }; }",
    "add table ip other { flags owner; chain open { type filter hook forward priority 0; policy accept; }; }",
], ids=["ours", "another"])
def test_packets_rules_with_an_owner_shut_the_zone_until_it_ends(net, scene, words):
    """Z1, Z6: a table that a running program owns cannot be removed. Nothing passes beside it, permitted or not; when the
    program has ended, of which the kernel tells nobody, the rules are back."""
    before = scene.nft("list", "chain", "inet", "sekisho", "from-port")
    owner = net.popen(scene.gateway.zone_namespace("mynumber"), "nft", "-i", stdin=subprocess.PIPE)
    owner.popen.stdin.write(words.encode() + b"\nlist tables\n")
    owner.popen.stdin.flush()
    owner.wait_log(re.search(r"table \w+ (\w+) \{ flags owner", words)[1])   # it has done the one, since it has done the other
    done = time.monotonic()
    scene.gateway.wait_event("ruleset-altered", 'zone="mynumber"', 'process="nft"')
    scene.gateway.wait_event("rules-refused", 'zone="mynumber"', "another program owns a table")
    scene.nothing_denied_passed_since(done + SHUT_SECONDS)
    assert "flags owner" in scene.nft("list", "ruleset") and owner.running()
    passed = [x for x in scene.permitted.got if x[2] > done + SHUT_SECONDS]
    assert passed == []
    assert not scene.put_right()
    owner.popen.stdin.close()
    owner.stop()
    wait_until(scene.put_right, "the rules to be back", 20)
    is_put_right(scene, before, done)


@pytest.mark.limit(120)
def test_packets_rules_altered_again_and_again(scene):
    """Who changes the rules without end shuts the zone; when that is over it recovers by itself."""
    for _ in range(20):
        scene.nft("flush", "ruleset")
    last = time.monotonic()
    wait_until(lambda: "chain stamp" in scene.nft("list", "ruleset"), "the rules to be back", 20)
    scene.goes_on(time.monotonic())
    scene.nothing_denied_passed_since(last + SHUT_SECONDS)
    scene.gateway.wait_event("ruleset-altered", 'zone="mynumber"', 'process="nft"')


@pytest.mark.limit(120)
def test_packets_own_changes_of_the_rules_are_no_alarm(net, scene):
    """What netfilter does itself (a commit, a capture, a station shut out and let in, the beat) is never taken for another's."""
    console = scene.gateway.console()
    console.expect(console.PROMPT)
    for line in ("configure", "delete crossing mynumber lgwan permit 20"):
        console.run(line)
    assert "committed" in console.run("commit", timeout=30)
    console.run("exit")
    console.run("capture zone mynumber count 3 seconds 5", timeout=30)
    console.run("isolate station 10.10.0.77")
    console.run("restore station 10.10.0.77")
    killed = scene.gateway.kill("netfilter")
    scene.gateway.wait_role("netfilter", other_than=killed, seconds=10)
    scene.goes_on(time.monotonic())
    time.sleep(1)
    assert scene.told() == []
