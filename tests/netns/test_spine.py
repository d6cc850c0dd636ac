# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes, zones and crossings: what exists, what confines it, what is left when it ends (Z1, Z6, Z13, C2)."""

import contextlib
import ctypes
import itertools
import os
import pathlib
import re
import signal
import socket
import time

import pytest

from lib import processes
from lib.gateway import SEKISHOD, Gateway, config_text
from lib.inject import STACK, inject_syscall
from lib.net import NETNS_DIR, Topology, run, three_zones
from lib.peers import EchoServer, SmtpSink, udp_talk
from lib.waiting import holds_for, kept_within, wait_until

CORE_ROLES = ["audit", "config", "netfilter", "arbiter"]
ECHO = "service echo { tcp 7000; udp 7000; }\n"
CROSSING = ECHO + "crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }"
SYS_WRITE, SYS_SOCKET, SYS_EXECVE, SYS_OPENAT, SYS_CLONE, SYS_PTRACE = 1, 41, 59, 257, 56, 101


def namespaces():
    return sorted(os.listdir(NETNS_DIR))


def links(net, namespace):
    """Names of the devices in a namespace, without the end of the pair that `ip` shows behind @."""
    lines = net.run(namespace, "ip", "-br", "link").stdout.splitlines()
    return sorted(line.split()[0].partition("@")[0] for line in lines)


# What is made, and that it goes away.

def test_spine_start_and_stop_leave_nothing(net, topology, make_gateway):
    before, ports = namespaces(), links(net, topology.gateway)
    gateway = make_gateway(CROSSING, prefix="leave-")
    assert set(namespaces()) - set(before) == {gateway.zone_namespace(z) for z in topology.zones}
    assert links(net, topology.gateway) == ["lo"]
    pids = gateway.pids()
    assert gateway.stop() == 0
    assert namespaces() == before
    assert links(net, topology.gateway) == ports
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    assert not gateway.console_path.exists()


def test_spine_zone_holds_its_port_and_its_crossings_only(net, topology, make_gateway):
    """Z6, Z13: a crossing's devices exist in the two zones that it joins and nowhere else."""
    gateway = make_gateway(CROSSING)
    assert links(net, gateway.zone_namespace("mynumber")) == ["eth0", "lo", "void", "x-lgwan"]
    assert links(net, gateway.zone_namespace("lgwan")) == ["eth1", "lo", "void", "x-mynumber"]
    assert links(net, gateway.zone_namespace("internet")) == ["eth2", "lo", "void"]


def test_spine_crossing_has_routes_only_for_what_permits_name(net, make_gateway):
    gateway = make_gateway(CROSSING)

    def crossing_routes(zone, device):
        shown = net.run(gateway.zone_namespace(zone), "ip", "route", "show", "dev", device).stdout
        shown += net.run(gateway.zone_namespace(zone), "ip", "-6", "route", "show", "dev", device).stdout
        return [line.split()[0] for line in shown.splitlines()]

    assert crossing_routes("mynumber", "x-lgwan") == ["10.20.0.8"]
    assert crossing_routes("lgwan", "x-mynumber") == ["10.10.0.5"]


def test_spine_two_instances_side_by_side(net):
    first, second = Topology(net, three_zones(), "-a"), Topology(net, three_zones(), "-b")
    with Gateway(first, config_text(first), prefix="a-") as a, Gateway(second, config_text(second), prefix="b-") as b:
        assert links(net, a.zone_namespace("lgwan")) == links(net, b.zone_namespace("lgwan"))
        assert a.stop() == 0
        assert links(net, b.zone_namespace("lgwan")) == ["eth1", "lo", "void"]
        assert len(b.pids("arbiter")) == 1


def test_spine_second_instance_with_the_same_prefix_is_refused(topology, make_gateway):
    running = make_gateway(CROSSING)
    with Gateway(topology, config_text(topology), prefix=running.prefix, seconds=0) as refused:
        wait_until(lambda: not refused.process.running(), "the second instance to end", 5)
        assert "another instance" in refused.log()
    assert len(running.pids("netfilter")) == 1


@pytest.mark.parametrize("block, words", [
    ("zone fourth { tier business; port eth9; address 10.40.0.1/24; }", ["fourth", "eth9"]),
])
def test_spine_policy_that_the_kernel_refuses_changes_nothing(net, topology, block, words):
    """C2: all or nothing, with the reason."""
    before, ports = namespaces(), links(net, topology.gateway)
    with Gateway(topology, config_text(topology, block), seconds=0) as gateway:
        line = wait_until(lambda: next((x for x in gateway.log().splitlines() if "policy-refused" in x), None),
                          "the refusal", 15)
        assert all(word in line for word in words), line
        assert namespaces() == before
        assert links(net, topology.gateway) == ports
        assert "ready" not in gateway.log().splitlines()


def test_spine_process_table_in_the_documentation_is_the_program_s_own():
    printed = run(SEKISHOD, "--print-process-table").stdout
    assert printed == (pathlib.Path(__file__).parents[2] / "docs/processes.md").read_text()


# Confinement, read from the kernel.

def test_spine_processes_are_confined(make_gateway):
    gateway = make_gateway(CROSSING)
    void, uids = set(), set()
    for role in CORE_ROLES:
        [pid] = gateway.pids(role)
        status = processes.status(pid)
        capabilities = 1 << 12 if role == "netfilter" else 0
        for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
            assert int(status[kind], 16) == capabilities, f"{role} {kind}"
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", role
        assert len(set(status["Uid"].split())) == 1 and int(status["Uid"].split()[0]) >= 1000, role
        assert status["Groups"].split() == [], role
        assert os.listdir(f"/proc/{pid}/root") == [], role
        uids.add(status["Uid"])
        void.add(os.stat(f"/proc/{pid}/ns/net").st_ino)
    assert len(uids) == len(CORE_ROLES)
    assert len(void) == 1, "they share one empty namespace"
    zones = {os.stat(NETNS_DIR / name).st_ino for name in namespaces()}
    assert not void & zones


def test_spine_supervisor_gave_up_what_it_does_not_need(make_gateway):
    status = processes.status(make_gateway(CROSSING).pid)
    effective = int(status["CapEff"], 16)
    for name, number in {"SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_PTRACE": 19, "SYS_BOOT": 22, "SYS_TIME": 25,
                         "MKNOD": 27, "BPF": 39, "PERFMON": 38}.items():
        assert not effective & (1 << number), name
        assert not int(status["CapBnd"], 16) & (1 << number), name
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("number", [SYS_SOCKET, SYS_EXECVE, SYS_OPENAT, SYS_CLONE, SYS_PTRACE])
def test_spine_forbidden_call_kills_the_process_and_is_reported(make_gateway, number):
    """An injected call in a data-plane process: SIGSYS, an event, and a new process."""
    gateway = make_gateway(CROSSING)
    [pid] = gateway.pids("arbiter")
    inject_syscall(pid, number, 2, 1, 0, 0, 0)
    assert gateway.wait_role("arbiter", other_than=[pid]) != pid
    assert re.search(rf'process-died process="arbiter" pid={pid} signal={int(signal.SIGSYS)}', gateway.log())


def test_spine_tells_of_a_kernel_without_landlock(make_gateway):
    """Said exactly where it is so: asked of the kernel by landlock_create_ruleset(NULL, 0, VERSION)."""
    has_landlock = ctypes.CDLL(None).syscall(444, None, 0, 1) > 0
    assert ("landlock-missing" in make_gateway().log()) != has_landlock


@pytest.mark.parametrize("size", [0, 7, 8, 300])
def test_spine_garbage_on_the_control_channel_ends_its_sender_only(make_gateway, size):
    """What a taken-over process says to the supervisor: refused by the table, reported, and nobody else notices."""
    gateway = make_gateway(CROSSING)
    [pid], others = gateway.pids("arbiter"), {role: gateway.pids(role) for role in ("audit", "netfilter", "config")}
    inject_syscall(pid, SYS_WRITE, 3, STACK, size)
    gateway.wait_role("arbiter", other_than=[pid])
    assert re.search(rf'channel-violation process="arbiter" pid={pid} reason="', gateway.log())
    assert {role: gateway.pids(role) for role in others} == others


# Faults.

@pytest.mark.parametrize("role", CORE_ROLES)
def test_spine_killed_process_is_back_within_a_second(make_gateway, role):
    gateway = make_gateway(CROSSING)

    def back():
        ready = gateway.log().count(f'process-ready process="{role}"')
        began = time.monotonic()
        [pid] = gateway.kill(role)
        wait_until(lambda: gateway.log().count(f'process-ready process="{role}"') > ready, f"a ready {role}")
        took = time.monotonic() - began
        assert f'process-died process="{role}" pid={pid} signal=9' in gateway.log()
        return took

    for _ in range(3):
        kept_within(back, 1.0)


@pytest.mark.parametrize("role", ["netfilter", "arbiter"])
def test_spine_stopped_process_is_replaced(make_gateway, role):
    gateway = make_gateway(CROSSING)
    [pid] = gateway.kill(role, signal.SIGSTOP)
    gateway.wait_role(role, other_than=[pid], seconds=6)
    assert f'process-killed process="{role}" pid={pid} reason="does not answer"' in gateway.log()


@pytest.mark.limit(90)
def test_spine_restart_storm_shuts_the_crossing_until_it_is_over(net, make_gateway):
    """Z1: who cannot stay alive takes the path down with it; when it can, the path comes back."""
    gateway = make_gateway(CROSSING)
    lgwan = gateway.zone_namespace("lgwan")

    def storm():
        for pid in gateway.pids("arbiter"):
            processes.send(pid, signal.SIGKILL)     # the one before may just have ended of it
        return "restart-storm" in gateway.log()

    wait_until(storm, "a storm")
    wait_until(lambda: links(net, lgwan) == ["eth1", "lo", "void"], "the crossing to be gone", 2)
    wait_until(lambda: "path-opened" in gateway.log(), "the path to be opened", 15)
    wait_until(lambda: links(net, lgwan) == ["eth1", "lo", "void", "x-mynumber"], "the crossing, which is made behind that record")


def test_spine_dead_supervisor_takes_all_with_it_and_the_next_one_takes_over(net, topology, make_gateway):
    first = make_gateway(CROSSING)
    pids = first.pids()
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(processes.alive, pids)), "its processes to end", 2)
    second = make_gateway(CROSSING, state=first.state)
    assert links(net, second.zone_namespace("lgwan")) == ["eth1", "lo", "void", "x-mynumber"]
    assert second.stop() == 0
    assert links(net, topology.gateway) == ["eth0", "eth1", "eth2", "lo"]


def test_spine_stopped_supervisor_shuts_established_flows_within_a_second(net, topology, make_gateway):
    """Fail closed: SIGSTOP of the one that watches all others; the kernel's own clock takes the path away."""
    zones = topology.zones
    EchoServer(net, zones["lgwan"].namespace, zones["lgwan"].peer4, 7000)
    gateway, numbers = make_gateway(CROSSING), itertools.count()
    with net.socket(zones["mynumber"].namespace, kind=socket.SOCK_DGRAM, timeout=0.2) as flow:
        flow.connect((zones["lgwan"].peer4, 7000))

        def passes():
            """Whether this datagram is answered; an answer to an earlier one may still come."""
            number = b"%d" % next(numbers)
            with contextlib.suppress(OSError):
                flow.send(number)
                while flow.recv(100) != number:
                    pass
                return True
            return False

        wait_until(passes, "the flow to pass", 5)
        os.kill(gateway.pid, signal.SIGSTOP)
        try:
            time.sleep(1.2)
            holds_for(lambda: not passes(), "a shut path while the supervisor is stopped", 1.5)
            assert udp_talk(net, zones["mynumber"].namespace, zones["lgwan"].peer4, 7000, timeout=0.5) is None
        finally:
            os.kill(gateway.pid, signal.SIGCONT)
        wait_until(passes, "the flow to pass again", 8)


def test_spine_paused_supervisor_takes_nobody_ready_for_late(net, topology, make_gateway):
    """C2: a supervisor that stood for longer than a process may take to start, as all of a machine may, hears first what the
    process has said meanwhile: it goes on, and is not started anew."""
    gateway = make_gateway(CROSSING)
    slow = net.popen(topology.gateway, "strace", "-f", "-qq", "-e", "trace=execveat", "-e", "inject=execveat:delay_exit=3000000", "-p",
                     str(gateway.pid))
    wait_until(lambda: processes.status(gateway.pid)["TracerPid"] != "0", "every new program to begin 3 s late")
    killed = gateway.kill("config")
    new = gateway.wait_role("config", killed)
    os.kill(gateway.pid, signal.SIGSTOP)
    assert f"pid={new}" not in gateway.log(), "ready before the supervisor stood: nothing is shown"
    try:
        time.sleep(10.0)  # more than the 8 s that the start may take, of which the process takes 3 s
    finally:
        os.kill(gateway.pid, signal.SIGCONT)
    slow.stop(signal.SIGINT)
    assert gateway.wait_answering("config", killed) == new
    assert "was not ready in time" not in gateway.log()


# Limits (Z14) and the watchdog.

def test_spine_session_limits_hold_per_source_and_in_total(net, topology, make_gateway):
    """Z14: before anything costly happens; the refused peer is told to come again."""
    zone = topology.zones["internet"]
    SmtpSink(net, "peer-lgwan", "10.20.0.8")
    gateway = make_gateway("mail inbound { from internet; to lgwan; listen 25; domain city.example.lg.jp; "
                           "next-hop 10.20.0.8; sessions 6; sessions-per-source 4; }")
    held = []

    def banner(source):
        one = net.connect(zone.namespace, zone.gateway4, 25, source=source)
        held.append(one)
        return one.recv(200)[:3]

    first, second = zone.peer4, "203.0.113.14"
    assert [banner(first) for _ in range(5)] == [b"220"] * 4 + [b"421"]
    assert [banner(second) for _ in range(3)] == [b"220"] * 2 + [b"421"]
    wait_until(lambda: "session-refused" in gateway.log(), "the record of it")
    for one in held:
        one.close()
    # A session counts until both of its processes have ended.
    wait_until(lambda: banner(first) == b"220", "a place to be free again", 15, 0.2)
    held[-1].close()


def test_spine_watchdog_is_fed_while_all_is_well_and_disarmed_at_the_end(net, topology, tmp_path):
    device = tmp_path / "watchdog"
    device.touch()
    with Gateway(topology, config_text(topology), options=["--watchdog", device]) as gateway:
        fed = device.stat().st_size
        wait_until(lambda: device.stat().st_size > fed, "the watchdog to be fed", 5)
        gateway.halt()
        fed = device.stat().st_size
        time.sleep(3)
        assert device.stat().st_size == fed
        gateway.resume()
    assert device.read_bytes()[-1:] == b"V"


# No path (Z6).

def open_everything(net, gateway, topology):
    """Everything that a careless or hostile administrator could do by hand to rules and routes, in all namespaces, while nobody
    of ours can put it right (what netfilter does about it: test_packets_altered.py)."""
    gateway.halt("netfilter")
    spaces = [topology.gateway, *(gateway.zone_namespace(zone) for zone in topology.zones)]
    for space in spaces:
        net.run(space, "nft", "flush", "ruleset")
        for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.all.accept_local",
                     "net.ipv4.conf.all.proxy_arp"):
            net.run(space, "sysctl", "-qw", f"{name}=1")
        net.run(space, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
        for device in links(net, space):
            net.run(space, "sysctl", "-qw", f"net.ipv4.conf.{device}.rp_filter=0")


def send_all_kinds(net, source, target):
    """One packet of each kind from one zone's peer to the other's, through the gateway's MAC, both families."""
    from scapy.all import IP, TCP, UDP, ICMP, Ether, IPv6, Raw
    from scapy.layers.inet6 import ICMPv6EchoRequest

    frames = net.packet_socket(source.namespace, Topology.DEVICE)
    gateway = gateway_mac(net, source)
    for payload in (TCP(sport=4000, dport=7000, flags="S"), UDP(sport=4000, dport=7000) / Raw(b"x"), ICMP(),
                    Raw(b"unknown protocol")):
        head = IP(src=source.peer4, dst=target.peer4, proto=253) if isinstance(payload, Raw) else \
            IP(src=source.peer4, dst=target.peer4)
        frames.send(bytes(Ether(dst=gateway) / head / payload))
        spoofed = IP(src=target.gateway4, dst=target.peer4) / payload
        frames.send(bytes(Ether(dst=gateway) / spoofed))
        frames.send(bytes(Ether(dst="ff:ff:ff:ff:ff:ff") / head / payload))
    for payload in (TCP(sport=4000, dport=7000, flags="S"), UDP(sport=4000, dport=7000) / Raw(b"x"),
                    ICMPv6EchoRequest()):
        frames.send(bytes(Ether(dst=gateway) / IPv6(src=source.peer6, dst=target.peer6) / payload))
    frames.send(bytes(Ether(dst=gateway) / IPv6(src=source.peer6, dst=target.peer6, nh=253) / Raw(b"unknown")))
    frames.close()


def gateway_mac(net, zone):
    """The MAC of the gateway's port, as the zone's peer learns it."""
    def learned():
        net.run(zone.namespace, "ping", "-c1", "-W1", zone.gateway4, check=False)
        shown = net.run(zone.namespace, "ip", "neigh", "show", zone.gateway4).stdout
        return re.search(r"lladdr ([0-9a-f:]{17})", shown)

    return wait_until(learned, "the MAC of the gateway")[1]


def from_zone(packets, zone):
    """Those of the packets that carry the mark of our probes or an address of another zone."""
    from scapy.all import IP, IPv6
    seen = []
    for packet in packets:
        layer = packet.getlayer(IP) or packet.getlayer(IPv6)
        if layer is not None and layer.src in (zone.peer4, zone.peer6):
            seen.append(packet.summary())
    return seen


@pytest.mark.limit(120)
def test_spine_no_path_between_zones_without_a_crossing(net, topology, make_gateway):
    """Z6: all rulesets flushed, forwarding and everything else switched on by hand: nothing of any kind passes."""
    gateway = make_gateway()
    open_everything(net, gateway, topology)
    captures = {name: net.capture(zone.namespace, topology.DEVICE) for name, zone in topology.zones.items()}
    for source in topology.zones.values():
        for target in topology.zones.values():
            if source is not target:
                send_all_kinds(net, source, target)
    time.sleep(1.0)
    packets = {name: capture.stop() for name, capture in captures.items()}
    for target in topology.zones.values():
        assert from_zone(packets[target.name], target), "the capture sees the zone's own probes"
        for source in topology.zones.values():
            if source is not target:
                assert from_zone(packets[target.name], source) == []


@pytest.mark.limit(120)
def test_spine_no_path_would_see_a_path(net, topology, make_gateway):
    """The control of the test above: with a crossing, and only there, the same packets do pass when rules are gone."""
    gateway = make_gateway(CROSSING)
    open_everything(net, gateway, topology)
    zones = topology.zones
    captures = {name: net.capture(zones[name].namespace, topology.DEVICE) for name in ("lgwan", "internet")}
    send_all_kinds(net, zones["mynumber"], zones["lgwan"])
    send_all_kinds(net, zones["mynumber"], zones["internet"])
    wait_until(lambda: from_zone(captures["lgwan"].packets(), zones["mynumber"]), "a packet over the crossing", 5)
    assert from_zone(captures["internet"].stop(), zones["mynumber"]) == []
    captures["lgwan"].stop()


def test_spine_ports_stay_in_their_zone_for_good(net, topology, make_gateway):
    """Nothing brings a second device into a zone while the gateway runs."""
    gateway = make_gateway(CROSSING)
    zone = gateway.zone_namespace("internet")
    gateway.kill("netfilter")
    gateway.kill("arbiter")
    holds_for(lambda: links(net, zone) == ["eth2", "lo", "void"], "the devices of the internet zone", 1.0)
