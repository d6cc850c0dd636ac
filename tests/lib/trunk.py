# SPDX-License-Identifier: GPL-2.0-or-later
"""The cables between a switch and the gateway that carry more than one zone, or are more than one."""


def lay_trunk(net, switch, gateway, links, mode="active-backup"):
    """Lay a cable for each of `links` (the gateway's device names) between two namespaces.

    The gateway's ends are left down, for it to find. In `switch` one device `trunk` stands for all of them, up: a bond of `mode` where
    there are several links, as the other side has.
    """
    for link in links:
        net.veth(switch, f"to-{link}", gateway, link)
        net.run(gateway, "ip", "link", "set", link, "down")
        net.run(switch, "ip", "link", "set", f"to-{link}", "down")
    if len(links) == 1:
        net.run(switch, "ip", "link", "set", f"to-{links[0]}", "name", "trunk")
    else:
        net.run(switch, "ip", "link", "add", "trunk", "type", "bond", "mode", mode, "miimon", "100")
        for link in links:
            net.run(switch, "ip", "link", "set", f"to-{link}", "master", "trunk")
    net.run(switch, "ip", "link", "set", "trunk", "promisc", "on", "up")
