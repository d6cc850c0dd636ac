# SPDX-License-Identifier: GPL-2.0-or-later
"""Established flows with and without the kernel's flow table, in User-mode Linux: hosts whose kernel has none cannot compare.

    peer-mynumber ---- gateway: sekishod ------------------------- peer-lgwan
        |  |           (a second gateway, with `offload`, has peers of its own)
        |  +---------- plain: ip_forward ----------------------------+  |
        +------------- twin-near and twin-far: nft in each ----------+--+

User-mode Linux is slow and has one processor; only ratios within it mean anything. Measured is the processor time of a packet
(udp_load.c), which the host's other load disturbs least.
"""

import contextlib
import socket

from lib.gateway import Gateway, config_text
from lib.net import Background, Net, Topology

from bench_packets import LOAD, UDP_LOAD, add_router, add_twin
from measure import Measure

PACKETS = 100_000
HEAD = f"service bench {{ udp {LOAD}; }}\n"


class Way:
    """A namespace to send from and the address of the server behind a gateway or router."""

    def __init__(self, net, namespace, host):
        self.net, self.namespace, self.host = net, namespace, host

    def packets(self):
        done = self.net.run(self.namespace, UDP_LOAD, self.host, LOAD, PACKETS, timeout=60)
        return 1e9 / float(done.stdout.split()[0])


def answer_now_and_then(net, namespace):
    """Ten times a second the last packet that came is answered: a flow enters the flow table once its peer has answered."""
    server = net.socket(namespace, kind=socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", LOAD))
    server.setblocking(False)

    def run(stopping):
        while not stopping.wait(0.1):
            sender = None
            with contextlib.suppress(BlockingIOError):
                while True:
                    data, sender = server.recvfrom(2048)
            if sender:
                server.sendto(data, sender)
        server.close()
    net.on_close(Background(run).stop)


def add_gateway(net, suffix, option):
    """A gateway with peers of its own; return (the gateway, its way)."""
    topology = Topology(net, suffix=suffix)
    near, far = topology.zones["mynumber"], topology.zones["lgwan"]
    answer_now_and_then(net, far.namespace)
    block = f"{HEAD}crossing mynumber lgwan {{ {option} permit 10 {{ destination {far.peer4}; service bench; }} }}"
    return Gateway(topology, config_text(topology, block), prefix=f"gw{suffix}-", seconds=60), Way(net, near.namespace, far.peer4)


def measures(scratch):
    net, gateways = Net(scratch), []
    try:
        for suffix, option in (("-rules", ""), ("-table", "offload;")):
            gateways.append(add_gateway(net, suffix, option))
        near, far = net.namespace("near"), net.namespace("far")
        answer_now_and_then(net, far)
        twin = Way(net, near, add_twin(net, 62, near, far))
        plain = Way(net, near, add_router(net, "plain", 60, near, far))
        peers = {"kernel-only nft, two namespaces": twin.packets, "plain forwarding": plain.packets}
        (_, rules), (_, table) = gateways
        yield Measure("UDP of 64 bytes, one flow, in UML", "packets/CPU s", rules.packets, peers, target=0.95)
        yield Measure("the same, through the flow table", "packets/CPU s", table.packets,
                      {**peers, "ours, without flow table": rules.packets}, target=0.95)
    finally:
        for gateway, _ in gateways:
            gateway.stop()
        net.close()
