# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's site: three zones with real peers around one machine, and the configuration that is typed at its console.

    mynumber: a host            lgwan: MTA, viewer, syslog, a host     internet: MTA, desktop, a host
        | tap                       | tap                                  | tap
        +---------- eth0 ------- eth1: the firmware in QEMU ------- eth2 --+
"""

from lib.net import Net, three_zones
from lib.peers import Desktop, EchoServer, Postfix, Syslog
from lib.qemu import open_tap

DEVICE = "eth0"
SERVICE_PORT = 7000     # permitted from mynumber to lgwan
OTHER_PORT = 7001       # open in every zone, permitted nowhere
MTA = {"internet": "203.0.113.5", "lgwan": "10.20.0.25"}
SYSLOG = "10.20.0.20"
DESKTOP = "203.0.113.5"

CONFIGURATION = """
system organization 試験市
system host-name sekisho-demo
system syslog zone lgwan
system syslog server 10.20.0.20 port 514
zone mynumber tier sensitive
zone mynumber port eth0
zone mynumber address 10.10.0.1/24
zone mynumber address fd00:10::1/64
zone lgwan tier business
zone lgwan port eth1
zone lgwan address 10.20.0.1/24
zone lgwan address fd00:20::1/64
zone internet tier outside
zone internet port eth2
zone internet address 203.0.113.1/28
zone internet address 2001:db8:113::1/64
service records tcp 7000
crossing mynumber lgwan permit 10 source 10.10.0.5
crossing mynumber lgwan permit 10 destination 10.20.0.8
crossing mynumber lgwan permit 10 service records
crossing mynumber lgwan permit 10 log
mail inbound from internet
mail inbound to lgwan
mail inbound domain city.example.lg.jp
mail inbound next-hop 10.20.0.25
screen browse from lgwan
screen browse to internet
screen browse desktop 203.0.113.5:5900
screen browse security none
""".strip().splitlines()


class Site:
    """Namespaces with a tap each, and the peers that live there."""

    def __init__(self, scratch):
        self.net = Net(scratch)
        self.zones = {zone.name: zone for zone in three_zones()}
        self.wires = [self._zone(zone) for zone in self.zones.values()]

    def _zone(self, zone):
        """Make one zone's namespace; return the machine's end of its wire."""
        net = self.net
        net.namespace(zone.namespace)
        wire = open_tap(zone.namespace, DEVICE)
        net.run(zone.namespace, "sysctl", "-qw", f"net.ipv6.conf.{DEVICE}.accept_ra=0")
        net.run(zone.namespace, "ip", "link", "set", DEVICE, "up")
        net.address(zone.namespace, DEVICE, *zone.peer, *zone.more)
        net.route(zone.namespace, "default", "via", zone.gateway4, "src", zone.peer4)
        net.route(zone.namespace, "default", "via", zone.gateway6)
        return wire

    def start_peers(self):
        """Everything that the machine is to stand between."""
        net = self.net
        self.syslog = Syslog(net, self.zones["lgwan"].namespace, SYSLOG)
        self.inside_mta = Postfix(net, self.zones["lgwan"].namespace, MTA["lgwan"], "mx.city.example.lg.jp",
                                  domains=["city.example.lg.jp"])
        self.outside_mta = Postfix(net, self.zones["internet"].namespace, MTA["internet"], "mail.example.com",
                                   relay="[203.0.113.1]")
        self.desktop = Desktop(net, self.zones["internet"].namespace, DESKTOP)
        self.echoes = {}
        for zone in self.zones.values():
            ports = (SERVICE_PORT, OTHER_PORT)
            self.echoes[zone.name] = [EchoServer(net, zone.namespace, address, port)
                                      for address in (zone.peer4, zone.peer6) for port in ports]

    def close(self):
        self.net.close()
