# SPDX-License-Identifier: GPL-2.0-or-later
"""One network of hosts that know of no gateway, first on one switch, then with the gateway put between two of its cables.

    near 10.1.0.5  fd00:1::5          far 10.1.0.1 (the router)  fd00:1::1, 10.1.0.9 (a server)  fd00:1::9
         10.1.0.6  fd00:1::6              10.1.0.10 (a printer), 172.16.0.8  fd00:8::8 behind the router
        | port                            | port
        | inner                           | outer
    +---+---------------------------------+---+
    |   "switch": a bridge, or "gateway"      |
    +-----------------------------------------+

Both hosts write 10.1.0.0/24 and fd00:1::/64; near's default gateway is far.
"""

from .waiting import wait_until

NEAR, NEAR2, ROUTER, SERVER, PRINTER, BEHIND = "10.1.0.5", "10.1.0.6", "10.1.0.1", "10.1.0.9", "10.1.0.10", "172.16.0.8"
NEAR_6, NEAR2_6, ROUTER_6, SERVER_6, BEHIND_6 = "fd00:1::5", "fd00:1::6", "fd00:1::1", "fd00:1::9", "fd00:8::8"
MACS = {"near": "02:00:00:00:01:05", "far": "02:00:00:00:01:01"}

ZONES = """
zone inner {{ tier sensitive; port inner; network 10.1.0.0/24 fd00:1::/120; {inner} }}
zone outer {{ tier business; port outer; network 10.1.0.1 10.1.0.9 10.1.0.10 fd00:1::1 fd00:1::9;
    route 172.16.0.0/16 via 10.1.0.1; route fd00:8::/32 via fd00:1::1; {outer} }}
"""


class OneNetwork:
    """The picture above. `plug("switch")` joins both cables to the bridge, `plug("gateway")` puts them where sekishod looks."""

    CABLES = {"near": "inner", "far": "outer"}

    def __init__(self, net):
        self.net, self.gateway, self.place = net, "gateway", "switch"
        for name in ("switch", "gateway", *self.CABLES):
            net.namespace(name)
        net.run("switch", "ip", "link", "add", "bridge", "up", "type", "bridge")
        for host, cable in self.CABLES.items():
            net.veth(host, "port", "switch", cable, mac_a=MACS[host])
            net.run(host, "sysctl", "-qw", "net.ipv6.conf.port.accept_ra=0")
        net.address("near", "port", *(f"{a}/24" for a in (NEAR, NEAR2)), *(f"{a}/64" for a in (NEAR_6, NEAR2_6)))
        net.address("far", "port", *(f"{a}/24" for a in (ROUTER, SERVER, PRINTER)), *(f"{a}/64" for a in (ROUTER_6, SERVER_6)))
        net.address("far", "lo", f"{BEHIND}/32", f"{BEHIND_6}/128")
        net.route("near", "default", "via", ROUTER, "src", NEAR)
        net.route("near", "default", "via", ROUTER_6, "src", NEAR_6)
        self.plug("switch")

    def plug(self, place):
        """Pull both cables and put them in elsewhere: the hosts see their link go and come, and nothing else."""
        for host, cable in self.CABLES.items():
            self.net.run(self.place, "ip", "link", "set", cable, "down")
            # A host's kernel notices up to a second later, and forgets then whom it knew: a shorter pull would be none to it.
            wait_until(lambda h=host: " state UP " not in self.net.run(h, "ip", "link", "show", "port").stdout, f"{host} to see it")
            if place != self.place:
                self.net.run(self.place, "ip", "link", "set", cable, "netns", place)
            if place == "switch":
                self.net.run(place, "ip", "link", "set", cable, "up", "master", "bridge")
        self.place = place

    def settings(self):
        """All that the hosts were configured with: it must be the same before and after."""
        shown = [self.net.run(host, "ip", "-br", "address", "show", "dev", "port", "scope", "global").stdout for host in self.CABLES]
        return shown + [self.net.run(host, "ip", family, "route", "show", "proto", "boot").stdout
                        for host in self.CABLES for family in ("-4", "-6")]

    def wait_link(self, seconds=10.0):
        """Both hosts see their cable again."""
        for host in self.CABLES:
            wait_until(lambda h=host: "LOWER_UP" in self.net.run(h, "ip", "link", "show", "port").stdout, f"the link of {host}", seconds)


def policy(*blocks, inner="", outer=""):
    """A configuration with the two zones of this network. inner, outer: further statements of theirs."""
    head = 'system { organization "試験市"; host-name sekisho-test; }\n'
    return head + ZONES.format(inner=inner, outer=outer) + "\n".join(blocks) + "\n"
