# SPDX-License-Identifier: GPL-2.0-or-later
"""The first packet of a flow, and those that follow, at gateways of 10, 100, 1,000 and 10,000 permits and as many stations, in turns.

Four gateways run side by side, each between peers of its own; the flow that is measured is the last permit's.
"""

import os

from lib import large_policy
from lib.gateway import Gateway, config_text
from lib.net import Net, Topology

from measure import Measure

FIRST_PACKET = os.environ.get("FIRST_PACKET", "/out/bench/first_packet")
SIZES = (10, 100, 1000, 10000)
FLOWS = 1000
PACKETS = 100_000
UDP_LOAD = os.environ.get("UDP_LOAD", "/out/bench/udp_load")
# One client asks one flow after the other, faster than the guard against floods lets a station in service.
GUARD = "guard { source-rate 100000/s; source-connections 100000; }"


class Sized:
    """One gateway of `count` permits and stations, and its two peers."""

    def __init__(self, net, count):
        self.net, self.topology = net, Topology(net, suffix=f"-{count}")
        zones = self.topology.zones
        large_policy.widen(self.topology)
        stations = large_policy.stations(count, zones["mynumber"].mac)
        self.near = zones["mynumber"].namespace
        net.popen(zones["lgwan"].namespace, FIRST_PACKET, large_policy.PORT)
        self.gateway = Gateway(self.topology, config_text(self.topology, large_policy.permits(count),
                                                          zone_extra={"mynumber": f"{GUARD} {stations}"}),
                               prefix=f"n{count}-", seconds=60)

    def first_packet(self):
        """Flows a second by the median time until a flow's first answer."""
        done = self.net.run(self.near, FIRST_PACKET, large_policy.SERVER, large_policy.PORT, "10.10.0.5", 1, FLOWS, timeout=60)
        median, _, lost = done.stdout.split()
        assert lost == "0", f"{lost} flows without an answer"
        return 1e6 / float(median)

    def packets(self):
        """Packets of an established flow that a second of processor time carries the whole way (see udp_load.c)."""
        done = self.net.run(self.near, UDP_LOAD, large_policy.SERVER, large_policy.PORT, PACKETS, timeout=60)
        return 1e9 / float(done.stdout.split()[0])


def measures(scratch):
    net, made = Net(scratch), {}
    try:
        for count in SIZES:
            made[count] = Sized(net, count)
        for count in SIZES[1:]:
            yield Measure(f"packets: first packet, {count:,} permits and stations", "1/s", made[count].first_packet,
                          {f"ours, {SIZES[0]}": made[SIZES[0]].first_packet}, target=0.9)
            yield Measure(f"packets: established flow, {count:,} permits and stations", "packets/CPU s", made[count].packets,
                          {f"ours, {SIZES[0]}": made[SIZES[0]].packets}, target=0.9)
    finally:
        for one in made.values():
            one.gateway.stop()
        net.close()
