# SPDX-License-Identifier: GPL-2.0-or-later
"""Forwarding of an established flow and new flows, against plain forwarding, nft rulesets and Suricata.

    peer-mynumber --+-- gateway: sekishod ----------------------+-- peer-lgwan (iperf3, a server that closes at once,
                    +-- plain: ip_forward ---------------------+                 one that answers datagrams)
                    +-- filter: ip_forward and nft ------------+
                    +-- twin-near and twin-far: nft in each ---+   the topology of ours, rules of the kernel only
                    +-- suricata: every packet through a queue +   no rules loaded

All ways are pairs of veth of the same kind, in one kernel, in turns. Many clients open the new flows: one alone would meet
the gateway's guard against floods. What the flow table adds is measured where there is one: guest_packets.py.

Every packet of a flow is judged where its service asks for DNS: each query is a message of its own. So the row "each packet
judged" is the product's own way, of packets that are DNS queries for all ways.
"""

import contextlib

import json
import os
import socket
import struct
import time

from lib.gateway import Gateway, config_text
from lib.net import NETNS_DIR, Background, Net, Topology
from lib.waiting import wait_until

from measure import Measure

SECONDS = 2
PACKETS = 200_000
UDP_LOAD = os.environ.get("UDP_LOAD", "/out/bench/udp_load")
FIRST_PACKET = os.environ.get("FIRST_PACKET", "/out/bench/first_packet")
IPERF, CONNECT, LOAD, ANSWER, JUDGED = 5201, 5202, 5203, 5204, 5205
DENIED = 5299           # nobody permits it
FLOOD_PAUSE_US = 10     # between two SYNs of the flood, as far as the machine can
FIRST = 2000            # flows of one round of the first packet's time
BATCH = 256             # connections that are open at a time
CLIENTS = 16            # addresses that they come from

# What an administrator would write by hand for the same policy: default deny, one permit, established passes.
RULESET = f"""
table inet filter {{{{
    chain forward {{{{
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        ct state invalid drop
        iifname "near" oifname "far" ip saddr 10.{{0}}.1.0/24 ip daddr 10.{{0}}.2.2 tcp dport {{{{ {IPERF}, {CONNECT} }}}} accept
        iifname "near" oifname "far" ip saddr 10.{{0}}.1.0/24 ip daddr 10.{{0}}.2.2 udp dport {{{{ {LOAD}, {ANSWER}, {JUDGED} }}}} accept
        counter
    }}}}
}}}}
"""


def client(subnet, number):
    return f"{subnet}.{100 + number}"


def add_twin(net, number, near, far):
    """Two routers in a row, as the gateway's zones are, each with the ruleset; return the server's address."""
    for name in ("twin", "twin-b"):
        net.namespace(name)
        net.run(name, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        net.run(name, "nft", "-f", "-", stdin=RULESET.format(number))
    net.veth("twin", "far", "twin-b", "near")
    net.address("twin", "far", f"10.{number}.3.1/24")
    net.address("twin-b", "near", f"10.{number}.3.2/24")
    net.veth(near, "twin", "twin", "near")
    net.address("twin", "near", f"10.{number}.1.1/24")
    net.address(near, "twin", f"10.{number}.1.2/24", *(f"{client(f'10.{number}.1', n)}/24" for n in range(CLIENTS)))
    net.veth(far, "twin", "twin-b", "far")
    net.address("twin-b", "far", f"10.{number}.2.1/24")
    net.address(far, "twin", f"10.{number}.2.2/24")
    net.route(near, f"10.{number}.2.0/24", "via", f"10.{number}.1.1", "src", f"10.{number}.1.2")
    net.route("twin", f"10.{number}.2.0/24", "via", f"10.{number}.3.2")
    net.route("twin-b", f"10.{number}.1.0/24", "via", f"10.{number}.3.1")
    net.route(far, f"10.{number}.1.0/24", "via", f"10.{number}.2.1")
    return f"10.{number}.2.2"


def add_router(net, name, number, near, far):
    """A namespace that only forwards, between the two peers; return the server's address behind it."""
    net.namespace(name)
    for side, peer, subnet in (("near", near, 1), ("far", far, 2)):
        net.veth(peer, name, name, side)
        net.address(name, side, f"10.{number}.{subnet}.1/24")
        net.address(peer, name, f"10.{number}.{subnet}.2/24")
        net.route(peer, f"10.{number}.{3 - subnet}.0/24", "via", f"10.{number}.{subnet}.1")
    net.address(near, name, *(f"{client(f'10.{number}.1', n)}/24" for n in range(CLIENTS)))
    net.run(name, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    return f"10.{number}.2.2"


def start_suricata(net, scratch):
    """Between the two sides of the router `suricata` every packet goes through its queue, and no rule is loaded."""
    net.run("suricata", "iptables", "-P", "FORWARD", "DROP")
    net.run("suricata", "iptables", "-A", "FORWARD", "-j", "NFQUEUE", "--queue-num", "0")
    net.popen("suricata", "suricata", "-q", "0", "-c", "/etc/suricata/suricata.yaml", "-S", "/dev/null", "-k", "none",
              "-l", scratch)
    wait_until(lambda: net.run("suricata", "cat", "/proc/net/netfilter/nfnetlink_queue").stdout, "Suricata's queue", 60, 0.2)


def accept_and_close(stopping, listener):
    while not stopping.is_set():
        try:
            listener.accept()[0].close()
        except TimeoutError:
            continue


def abort(one):
    """Close with a reset: nothing stays in TIME_WAIT, so that ports do not run out in a later round."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


class Bench:
    """The three ways, and one server behind all of them."""

    def __init__(self, scratch):
        self.net = net = Net(scratch)
        self.topology = Topology(net)
        self.near = self.topology.zones["mynumber"].namespace
        self.far = self.topology.zones["lgwan"].namespace
        self.plain = add_router(net, "plain", 60, self.near, self.far)
        self.filter = add_router(net, "filter", 61, self.near, self.far)
        net.run("filter", "nft", "-f", "-", stdin=RULESET.format(61))
        self.twin = add_twin(net, 62, self.near, self.far)
        self.suricata = add_router(net, "suricata", 63, self.near, self.far)
        start_suricata(net, scratch)
        self.ours = self.topology.zones["lgwan"].peer4
        net.address(self.near, Topology.DEVICE, *(f"{client('10.10.0', n)}/24" for n in range(CLIENTS)))
        self.subnets = {self.ours: "10.10.0", self.plain: "10.60.1", self.filter: "10.61.1", self.twin: "10.62.1",
                        self.suricata: "10.63.1"}
        net.popen(self.far, "iperf3", "-s", "-p", IPERF)
        net.popen(self.far, FIRST_PACKET, ANSWER)
        listener = net.socket(self.far, timeout=0.2)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", CONNECT))
        listener.listen(4096)
        self.servers = [Background(accept_and_close, listener)]
        self.sinks = []
        for port in (LOAD, JUDGED):
            self.sinks.append(net.socket(self.far, socket.AF_INET, socket.SOCK_DGRAM))
            self.sinks[-1].bind(("0.0.0.0", port))  # never read: what is full drops, and answers nothing
        block = (f"service bench {{ tcp {IPERF} {CONNECT}; udp {LOAD} {ANSWER}; }}\n"
                 f"service judged {{ udp {JUDGED}; conform dns; }}\n"
                 f"crossing mynumber lgwan {{ permit 10 {{ destination {self.ours}; service bench; }}\n"
                 f"    permit 20 {{ destination {self.ours}; service judged; }} }}")
        self.gateway = Gateway(self.topology, config_text(self.topology, block))
        for way in self.subnets:
            net.wait_port(self.near, way, IPERF)

    def goodput(self, host):
        """Mbit/s of one TCP stream."""
        def talk():
            done = self.net.run(self.near, "iperf3", "-c", host, "-p", IPERF, "-t", SECONDS, "-J", timeout=30, check=False)
            return done if done.returncode == 0 else None
        done = wait_until(talk, "iperf3's server, which may still be with the client before", 20, 0.5)
        return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e6

    def packets(self, host):
        """Packets of one flow that a second of processor time carries the whole way (see udp_load.c)."""
        done = self.net.run(self.near, UDP_LOAD, host, LOAD, PACKETS, timeout=60)
        return 1e9 / float(done.stdout.split()[0])

    def arrived(self):
        """UDP packets that the server's kernel has seen, whether or not a socket had room for them."""
        shown = self.net.run(self.far, "nstat", "-asz", "UdpInDatagrams", "UdpInErrors").stdout
        return sum(int(line.split()[1]) for line in shown.splitlines() if line.startswith("Udp"))

    def delivered(self, host, port):
        """Packets a second that arrive, of as many as one sender can send; what a full queue drops does not."""
        before = self.arrived()
        seconds = float(self.net.run(self.near, UDP_LOAD, host, port, PACKETS, timeout=60).stdout.split()[1])
        return (self.arrived() - before) / seconds

    @contextlib.contextmanager
    def large_segments(self):
        """Wires that carry TCP in segments of up to 64 KB, on every device of every way."""
        def switch(state):
            for namespace in sorted(path.name for path in NETNS_DIR.iterdir()):
                shown = self.net.run(namespace, "ip", "-brief", "link", "show", "type", "veth").stdout
                for device in (line.split("@")[0].split()[0] for line in shown.splitlines()):
                    self.net.run(namespace, "ethtool", "-K", device, "tx", state, "gso", state, "tso", state, "gro", state)
        switch("on")
        try:
            yield
        finally:
            switch("off")

    def goodput_of_large(self, host):
        with self.large_segments():
            return self.goodput(host)

    def flooded_goodput(self, host):
        """The same while SYNs of a station come in as fast as the machine makes them."""
        flood = self.net.popen(self.near, "hping3", "-q", "-n", "-S", "-p", CONNECT, "-a", client(self.subnets[host], 1),
                               "-i", f"u{FLOOD_PAUSE_US}", host)
        try:
            return self.goodput(host)
        finally:
            flood.stop()

    def denied_besides(self, host):
        """The 99th percentile while packets that nobody permits come in, each a flow of its own, 100,000 a second if it can be."""
        flood = self.net.popen(self.near, "hping3", "-q", "-n", "--udp", "-p", DENIED, "-a", client(self.subnets[host], CLIENTS),
                               "--flood", host)
        try:
            before, begin = self.sent(), time.monotonic()
            value = self.first_packet(host, 1)
            print(f" [{(self.sent() - before) / (time.monotonic() - begin):,.0f} denied/s]", end="", flush=True)
            return value
        finally:
            flood.stop()

    def sent(self):
        """Packets that have left the stations' host, on whatever way."""
        shown = self.net.run(self.near, "cat", "/proc/net/dev").stdout
        return sum(int(line.partition(":")[2].split()[9]) for line in shown.splitlines()[2:])

    def new_flows(self, host):
        """TCP connections a second, many under way at a time."""
        count, end = 0, time.monotonic() + SECONDS
        begin = time.monotonic()
        with self.net.inside(self.near):
            while time.monotonic() < end:
                count += self.connect_batch(host)
        return count / (time.monotonic() - begin)

    def new_flows_of_queues(self, queues):
        """The same over so many queues (ADR 414); one again afterwards."""
        self.divide(queues)
        try:
            return self.new_flows(self.ours)
        finally:
            self.divide(1)

    def divide(self, queues):
        with self.gateway.console() as console:
            console.expect(console.PROMPT)
            console.run("configure")
            console.run(f"set crossing mynumber lgwan queues {queues}")
            said = console.run("commit", timeout=60)
            assert "committed" in said or "nothing" in said, said

    def connect_batch(self, host):
        """Open BATCH connections at once and wait for each; return how many succeeded."""
        opened = [socket.socket() for _ in range(BATCH)]
        for number, one in enumerate(opened):
            one.setblocking(False)
            one.bind((client(self.subnets[host], number % CLIENTS), 0))
            one.connect_ex((host, CONNECT))
        done = 0
        for one in opened:
            one.settimeout(2.0)
            try:
                done += one.recv(1) == b""  # the server has accepted, and closed
            except OSError:
                pass
            abort(one)
        return done

    def round_trips(self, host):
        """Connections a second, one after the other: what a first packet waits for its verdict."""
        count, begin = 0, time.monotonic()
        with self.net.inside(self.near):
            while time.monotonic() < begin + SECONDS:
                one = socket.create_connection((host, CONNECT), 2.0)
                count += one.recv(1) == b""
                abort(one)
        return count / (time.monotonic() - begin)

    def first_packet(self, host, column):
        """Flows a second by the median (column 0) or the 99th percentile (1) of the time until a flow's first answer."""
        done = self.net.run(self.near, FIRST_PACKET, host, ANSWER, client(self.subnets[host], 0), CLIENTS, FIRST, timeout=60)
        times = done.stdout.split()
        assert times[2] == "0", f"{times[2]} flows to {host} without an answer"
        return 1e6 / float(times[column])

    def close(self):
        for sink in self.sinks:
            sink.close()
        for server in self.servers:
            server.stop()
        self.gateway.stop()
        self.net.close()


def measures(scratch):
    bench = Bench(scratch)
    try:
        for what, unit, function, target in (
                ("packets: one established TCP flow, 1,500 bytes", "Mbit/s", bench.goodput, 0.95),
                ("packets: the same, segments of 64 KB", "Mbit/s", bench.goodput_of_large, 0.95),
                ("packets: UDP of 64 bytes, one flow", "packets/CPU s", bench.packets, 0.95),
                ("packets: UDP of 64 bytes, that arrive", "packets/s", lambda way: bench.delivered(way, LOAD), None),
                ("packets: new flows, 256 at a time", "flows/s", bench.new_flows, 0.80),
                ("packets: new flows, one by one", "flows/s", bench.round_trips, None),
                ("packets: first packet, median", "1/s", lambda way: bench.first_packet(way, 0), None),
                ("packets: first packet, 99 %", "1/s", lambda way: bench.first_packet(way, 1), 0.40)):
            ways = {"kernel-only nft, two namespaces": bench.twin, "kernel-only nft": bench.filter,
                    "plain forwarding": bench.plain, "Suricata, queue, no rules": bench.suricata}
            if function == bench.packets:   # processor time of the sender: what a queue's reader uses is not in it
                del ways["Suricata, queue, no rules"]
            yield Measure(what, unit, lambda f=function: f(bench.ours),
                          {name: lambda f=function, w=way: f(w) for name, way in ways.items()}, target=target)
        yield Measure("packets: new flows, 256 at a time, two queues", "flows/s", lambda: bench.new_flows_of_queues(2),
                      {"ours, one queue": lambda: bench.new_flows(bench.ours)})
        yield Measure("packets: UDP of 64 bytes, each packet judged", "packets/s", lambda: bench.delivered(bench.ours, JUDGED),
                      {"Suricata, queue, no rules": lambda: bench.delivered(bench.suricata, JUDGED),
                       "ours, first packet judged": lambda: bench.delivered(bench.ours, LOAD)}, target=1.0)
        yield Measure("packets: one established TCP flow in a SYN flood", "Mbit/s", lambda: bench.flooded_goodput(bench.ours),
                      {"kernel-only nft, two namespaces, in the flood": lambda: bench.flooded_goodput(bench.twin),
                       "ours, without the flood": lambda: bench.goodput(bench.ours)}, target=0.95)
        yield Measure("packets: first packet, 99 %, beside denied ones", "1/s", lambda: bench.denied_besides(bench.ours),
                      {"ours, quiet": lambda: bench.first_packet(bench.ours, 1),
                       "kernel-only nft, two namespaces, beside denied ones": lambda: bench.denied_besides(bench.twin),
                       "kernel-only nft, two namespaces, quiet": lambda: bench.first_packet(bench.twin, 1)}, target=0.9)
    finally:
        bench.close()
